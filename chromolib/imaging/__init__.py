"""From the picture of one chromosome to its ink, its axis and its measures."""
