"""Study `chromonet`: normal or abnormal, from one chromosome or one karyogram."""

CHOICES = {"unit": ("both", "chromosome", "karyogram")}  # what one image shows
