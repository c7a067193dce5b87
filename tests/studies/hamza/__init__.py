"""Tests of the study of detectors; other studies' files share the names."""
