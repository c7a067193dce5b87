"""Tests of the study of confidence; other studies' files share the names."""
