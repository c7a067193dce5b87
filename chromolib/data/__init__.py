"""Where images come from and how they are divided; so far, what a division leaks."""
