"""How near the lab's chromosomes are to real ones: tables for the book's page.

`Results(folder)` reads what was measured; what is missing is None
`overall`, `by_class` -> a frame that a page can show; `distances` -> one to draw
`number(results, source, quantity)` -> one comparison in words
"""

import dataclasses
import math
import pathlib

import numpy as np
import pandas as pd

from chromolib import records
from chromolib.studies.synthetic import calibration
from chromolib.synth import calibrate

PLACING = ("radius", "roundness", "nearest", "touching", "overlap_0.05", "overlap_0.2")
MEANS = ("profile_ink", "profile_width", "relative_length")
FITTED = {"g": MEANS, "q": MEANS, "field": PLACING}  # the rest was tuned by hand
BORROWED = ("alone_relative_length", "profile_ink", "profile_width")  # of field, from g
MEANING = {
    "length": "along the axis, pixels",
    "area": "of the stain, pixels",
    "width": "across the axis, pixels",
    "bend": "axis over the way from end to end",
    "angle": "from the vertical, degrees",
    "roughness": "of the outline, pixels",
    "edge": "pixels from ground to full stain",
    "gap": "how much paler between the chromatids",
    "ink": "mean depth of stain, 1 is black",
    "ink_sd": "spread of stain in a chromosome",
    "dark": "stain of the dark bands",
    "light": "stain of the pale bands",
    "contrast": "between bands, over the mean",
    "texture": "stain that no band explains",
    "noise": "of the camera, in the stain",
    "noise_outside": "of the camera, beside it",
    "ground": "grey of the empty slide",
    "margin": "pixels left around the chromosome",
    "aspect": "height over width of the picture",
    "canvas_height": "of the picture, pixels",
    "canvas_width": "of the picture, pixels",
    "class_likeness": "correlation with the rest of its class",
    "homologue_likeness": "correlation of the two of a pair",
    "homologue_rest": "the same, once the class is taken away",
    "picture_height": "pixels",
    "picture_width": "pixels",
    "boxes": "chromosomes in a field",
    "stain_width": "of a chromosome, pixels",
    "ground_gradient": "from corner to corner",
    "ground_spread": "of grey beside chromosomes",
    "nuclei_area": "share of the field",
    "debris_area": "share of the field",
    "foreground": "share of the field that is chromosome",
    "short_side": "of a box, pixels",
    "long_side": "of a box, pixels",
    "relative_diagonal": "of a box, over the field's mean",
    "diagonal": "of a box, pixels",
    "diagonal_of_1": "of the boxes of chromosome 1",
    "radius": "how far they lie apart, in boxes",
    "roundness": "of the heap; 1 is a disc",
    "nearest": "to the next chromosome, in boxes",
    "frame": "room around the heap, in boxes",
    "frame_least": "the same on the tightest side",
    "touching": "share that touches another",
    "overlap_0.05": "share whose box overlaps another",
    "overlap_0.2": "share whose box overlaps much",
    "nuclei": "whole nuclei in a field",
    "debris": "pieces of dirt in a field",
    "relative_length": "percent of the autosomes' length",
    "relative_area": "percent of the autosomes' area",
    "relative_width": "width over the cell's mean length",
    "waist": "place of the centromere",
    "waist_width": "width there, over the mean",
    "profile_ink": "mean stain along the axis",
    "profile_ink_sd": "its spread along the axis",
    "profile_width": "mean width along the axis",
    "inside": "greys of the chromosomes",
    "outside": "greys around them",
    "section": "stain from edge to edge",
}
MOST = 6  # decimals
UNIT = {
    "sd": "real spreads of cells",
    "correlation": "correlation",
    "variation": "share of a histogram to be moved",
}


@dataclasses.dataclass(frozen=True)
class Results:
    """What was measured on the lab, as far as its files are there."""

    folder: pathlib.Path

    def calibration(self, source, table="compared"):
        """A table of the comparison with a source."""
        return _read(self.folder / "calibration" / source / f"{table}.csv")

    def exam(self, source, *, fitted=True):
        """Estimates of the exam, way and k in columns of their own."""
        name = source if fitted else f"{source}-ideogram"
        found = _read(self.folder / "exam" / name / "estimates.csv")
        return None if found is None else found.join(_conditions(found["condition"]))

    def rounds(self):
        """What was mended in the lab, and what it gained."""
        return _read(self.folder / "exam" / "rounds.csv")


def _read(path):
    if not path.exists():
        return None
    text = {"class": str, "commit": str, "round": str}
    return pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])


def _conditions(column):
    """The parts of "k=v;k=v" as columns; k as a number."""
    rows = [records.read_conditions(text) for text in column]
    found = pd.DataFrame(rows, index=column.index)
    if "k" in found:
        found["k"] = pd.to_numeric(found["k"]).fillna(-1).astype(int)
    return found


def came(look, quantity):
    """Whether a quantity was fitted, came with another look's fit, or by hand."""
    if look == "field" and quantity in BORROWED:
        return "from look g"
    return "fitted" if quantity in FITTED[look] else "by hand"


def distances(compared):
    """Means and intervals of either side from the real mean, in real spreads."""
    rows = compared[(compared["class"] == "all") & (compared["measure"] == "sd")]
    least = calibrate.LEAST * rows["real_value"].abs()
    unit = np.maximum(rows["real_between"], least).clip(lower=1e-6)
    known = {"quantity": rows["quantity"].map(plain)}
    for side in ("real", "synthetic"):
        for end in ("value", "low", "high"):
            name = side if end == "value" else f"{side}_{end}"
            known[name] = (rows[f"{side}_{end}"] - rows["real_value"]) / unit
    return pd.DataFrame(known).reset_index(drop=True)


def overall(compared, source):
    """A row a quantity: real, synthetic, how far apart, and how it came about.

    Both sides of a row are rounded alike, so that they can be compared.
    """
    look = calibration.look_of(source)
    rows = compared[compared["class"] == "all"]
    found = {
        "quantity": [_meaning(name) for name in rows["quantity"]],
        "real": [_side(row, "real") for _, row in rows.iterrows()],
        "synthetic": [_side(row, "synthetic") for _, row in rows.iterrows()],
        "distance": [_distance(row) for row in rows.itertuples()],
        "came": [came(look, name) for name in rows["quantity"]],
        "n (groups)": [
            f"{row.real_n:,} ({row.real_groups:,})\nsynthetic "
            f"{row.synthetic_n:,} ({row.synthetic_groups:,})"
            for row in rows.itertuples()
        ],
    }
    return pd.DataFrame(found)


def _distance(row):
    unit = "" if row.measure == "sd" else f"\n{UNIT[row.measure]}"
    return f"{row.distance:z.2f}{unit}"


def by_class(compared, source):
    """A row a quantity that classes have: the middle class and the farthest one."""
    look = calibration.look_of(source)
    rows = compared[(compared["class"] != "all") & compared["distance"].notna()]
    found = []
    for name, part in rows.groupby("quantity", sort=False):
        like = part["measure"].iloc[0] == "correlation"
        far = part["distance"] if like else -part["distance"].abs()
        middle = part["distance"] if like else part["distance"].abs()
        worst = part.loc[far.idxmin()]
        found.append(
            {
                "quantity": _meaning(name),
                "classes": len(part),
                "middle class": f"{middle.median():.2f}",
                "farthest class": f"{worst['class']}: {worst['distance']:z.2f}",
                "in": UNIT[part["measure"].iloc[0]],
                "came": came(look, name),
            }
        )
    return pd.DataFrame(found)


def plain(quantity):
    """The name of a quantity without underscores."""
    return quantity.replace("_", " ")


def _meaning(quantity):
    known = quantity.removeprefix("alone_")
    return f"{plain(quantity)}\n{MEANING.get(known, '')}".strip()


def _side(row, side):
    """Value and interval of a side, to the digit that its real value has."""
    if np.isnan(row["real_value"]):
        return ""
    value, low, high = _rounded(row, side)
    return f"{value}\n{low} to {high}"


def _rounded(row, side):
    size = abs(row["real_value"])
    places = max(0, 2 - math.floor(math.log10(size))) if size > 0 else 3
    ends = (row[f"{side}_{end}"] for end in ("value", "low", "high"))
    return [f"{end:,.{min(places, MOST)}f}" for end in ends]


def number(results, source, quantity):
    """Real against synthetic in words, or that it was not measured."""
    compared = results.calibration(source)
    if compared is None:
        return "not measured here"
    rows = compared[(compared["quantity"] == quantity) & (compared["class"] == "all")]
    if not len(rows):
        return "not measured here"
    real, drawn = (_rounded(rows.iloc[0], side) for side in ("real", "synthetic"))
    return (
        f"real {real[0]} [{real[1]}, {real[2]}], "
        f"synthetic {drawn[0]} [{drawn[1]}, {drawn[2]}]"
    )


def curves(results, source, label):
    """Mean and spread of ink along a class's axis, real and synthetic, or None."""
    sides = {}
    for side, table in (("real", "profiles"), ("synthetic", "synthetic_profiles")):
        rows = results.calibration(source, table)
        if rows is None or not (rows["class"] == label).any():
            return None
        rows = rows[rows["class"] == label].set_index("quantity")
        curves = rows.filter(regex=r"^p\d\d$")
        sides[side] = tuple(
            curves.loc[name].to_numpy() for name in calibrate.CURVES[:2]
        )
    return sides


def greys(results, source):
    """Shares of a chromosome's pixels at each depth of stain, a frame a side."""
    sides = {}
    for side, table in (
        ("real", "distributions"),
        ("synthetic", "synthetic_distributions"),
    ):
        rows = results.calibration(source, table)
        if rows is None:
            return None
        sides[side] = rows[rows["quantity"] == "inside"]
    return sides
