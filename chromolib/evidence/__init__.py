"""What a number is worth: claims, recomputation and, later, metrics and verdicts."""
