"""The Denver groups: chromosomes that look alike without bands."""

GROUPS = {
    "A": ("1", "2", "3"),
    "B": ("4", "5"),
    "C": ("6", "7", "8", "9", "10", "11", "12", "X"),
    "D": ("13", "14", "15"),
    "E": ("16", "17", "18"),
    "F": ("19", "20"),
    "G": ("21", "22", "Y"),
}
ACROCENTRIC = ("13", "14", "15", "21", "22")  # with satellites; Y has none


def of(chromosome):
    """The letter of the Denver group of a chromosome."""
    for letter, members in GROUPS.items():
        if chromosome in members:
            return letter
    raise ValueError(f"no chromosome {chromosome!r}; there are 1 to 22, X and Y")
