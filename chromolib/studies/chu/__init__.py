"""Transfer learning on karyograms, and when to trust it (Chu 2020)."""

CHOICES = {"weights": ("none", "tuned", "imagenet")}
