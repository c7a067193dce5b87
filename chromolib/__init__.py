"""A thin library under four reproducible studies of chromosome images."""

__version__ = "0.1.0"
