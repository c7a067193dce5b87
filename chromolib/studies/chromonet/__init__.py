"""Study `chromonet`: normal or abnormal, from one chromosome or one karyogram."""

from chromolib.runs import parameters

CHOICES = {
    "unit": ("both", "chromosome", "karyogram"),  # what one image shows
    "weights": ("none", "domain", parameters.MODEL),
}
