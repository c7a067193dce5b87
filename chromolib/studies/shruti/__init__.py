"""Study `shruti`: 24 types of chromosome, the cell named as a whole, its karyotype."""

CHOICES = {"weights": ("none", "hed", "imagenet")}  # of the frozen trunk
