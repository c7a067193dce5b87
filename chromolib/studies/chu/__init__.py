"""Transfer learning on karyograms, and when to trust it (Chu 2020)."""

from chromolib.runs import parameters

CHOICES = {"weights": ("none", "tuned", "imagenet", parameters.FOLDER)}
