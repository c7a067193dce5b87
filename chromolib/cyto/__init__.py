"""Cytogenetics without pixels: bands, Denver groups, karyotypes as text."""
