"""Tests of the study of normal and abnormal; other studies' files share the names."""
