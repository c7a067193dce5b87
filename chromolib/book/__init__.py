"""The book: its pages, built from finished runs."""
