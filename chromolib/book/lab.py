"""How near the lab's chromosomes are to real ones, and what they teach: for its page.

`folder` is that of the measured results, `data/results/synthetic`. Each of `nearness`,
`tables_behind`, `exam`, `judged`, `rounds` and `numbers` returns what a page displays;
what was not measured says so, and how to measure it.
"""

import math

import numpy as np
import pandas as pd

from chromolib import plots, records, tables
from chromolib.studies import common
from chromolib.studies.synthetic import calibration, questions
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
DECIMALS = 6  # at most
UNIT = {
    "sd": "real spreads of cells",
    "correlation": "correlation",
    "variation": "share of a histogram to be moved",
}
SHOWN = ("1", "9", "17", "Y")  # classes whose profiles are drawn
PARTS = {
    "test": "the test part, looked at once",
    "valid": "groups held out of the training part; the test part waits",
}
WIDTH = 4.8  # inches: letters stay readable on a phone
MEASURE = {
    "calibration": "calibrate {0} --out data/results/synthetic/calibration/{0}",
    "exam": "exam {0} --final --out data/results/synthetic/exam/{0}",
}


def read_calibration(folder, source, table="compared"):
    """A table of the comparison with a source, or None."""
    return _read(folder / "calibration" / source / f"{table}.csv")


def read_exam(folder, source):
    """Estimates of the exam with their conditions as columns, or None; k is a number.

    Those of the lab whose bands were not fitted say so in the column `fitted`.
    """
    found = []
    for name, fitted in ((source, True), (f"{source}-ideogram", False)):
        rows = _read(folder / "exam" / name / "estimates.csv")
        if rows is not None:
            conditions = [records.read_conditions(text) for text in rows["condition"]]
            columns = pd.DataFrame(conditions, index=rows.index)
            found.append(rows.join(columns).assign(fitted=fitted))
    if not found:
        return None
    rows = pd.concat(found, ignore_index=True)
    return rows.assign(k=pd.to_numeric(rows["k"]).fillna(-1).astype(int))


def _read(path):
    if not path.exists():
        return None
    text = {"class": str, "commit": str, "round": str}
    return pd.read_csv(path, dtype=text, keep_default_na=False, na_values=[""])


def _missing(what, source):
    command = f"chromolib data {MEASURE[what].format(source)}"
    return common.sentence(
        f"Not measured here for {source}. This measures it: `{command}`."
    )


def nearness(folder, source):
    """Figures of the lab against a source: distances, profiles and greys."""
    compared = read_calibration(folder, source)
    if compared is None:
        return [_missing("calibration", source)]
    return [
        _distances(compared, source),
        _profiles(folder, source),
        _greys(folder, source),
    ]


def tables_behind(folder, source):
    """Tables of the same numbers: all classes together, then class by class."""
    compared = read_calibration(folder, source)
    if compared is None:
        return []
    return [
        tables.show(
            overall(compared, source),
            f"Synthetic against real ({source}), all classes together; distances in "
            "real spreads of cells",
        ),
        tables.show(
            by_class(compared, source),
            f"Synthetic against real ({source}): distances, class by class",
        ),
    ]


def _distances(compared, source):
    rows = distances(compared)
    ax = plots.axis(height=1.2 + 0.24 * len(rows), width=WIDTH)
    return plots.show(
        plots.distances(rows, ax=ax),
        "Synthetic means (orange squares) from real ones (blue circles), in spreads "
        "between real cells. Look for squares outside of the grey bar. Source: "
        f"{_sizes(compared, source)}; 95 % intervals over groups.",
        alt="Dot plot, a row a quantity, synthetic against real of "
        f"{source}: how far each synthetic mean is from the real one, with a grey bar "
        "of one real spread.",
    )


def _sizes(compared, source):
    row = compared[compared["class"] == "all"].iloc[0]
    real, synthetic = (
        f"{row[f'{side}_n']:,.0f} of {row[f'{side}_groups']:,.0f} groups"
        for side in ("real", "synthetic")
    )
    what = "fields" if calibration.look_of(source) == "field" else "chromosomes"
    return f"{source}, training part, {real}, and synthetic, {synthetic} ({what})"


def _profiles(folder, source):
    axes = plots.grid(2, 2, width=WIDTH, height=3.8, sharey=True)
    for ax, name in zip(axes, SHOWN, strict=True):
        plots.profile(curves(folder, source, name), name, ax=ax)
    for ax in axes[::2]:
        ax.set(ylabel="stain over mean")
    plots.stamp(axes[1], plots.BOTH)
    own = calibration.look_of(source) != "field"
    how = "fitted to these" if own else "taken from look g"
    return plots.show(
        plots.legend_above(axes[0]),
        f"Mean stain along chromosomes {', '.join(SHOWN)}, short arm left; shaded is "
        f"one spread. The synthetic means were {how}, so look at the spreads. Source: "
        f"{source}, training part, and synthetic.",
        alt=f"Curves of stain along a chromosome, real of {source} in blue and "
        f"synthetic in dashed orange, for classes {', '.join(SHOWN)}.",
    )


def _greys(folder, source):
    ax = plots.axis(height=2.6, width=WIDTH)
    return plots.show(
        plots.grey_levels(greys(folder, source), ax=ax),
        "How deep the pixels of chromosomes are stained. Look for shades that one of "
        f"the two has and the other has not. Source: {source}, training part, and "
        "synthetic; 95 % intervals over groups.",
        alt=f"Histogram of grey levels inside chromosomes, real of {source} in blue, "
        "synthetic in dashed orange.",
    )


def exam(folder, source):
    """What synthetic cells teach: a figure, a sentence and a table."""
    rows = read_exam(folder, source)
    if rows is None:
        return [_missing("exam", source)]
    rows = questions.ways(rows)
    size = f"{rows['n'].max():,} real chromosomes of {rows['groups'].max():,} groups"
    figure = plots.show(
        plots.transfer(rows, ax=plots.axis(height=3.6, width=WIDTH)),
        "Share of real chromosomes named right, over the real cells learned from. Look "
        "how far right the blue line has to go to reach the orange band. Judged on "
        f"{_part(rows)}. Source: {source}, {size}; 95 % intervals over groups.",
        alt=f"Accuracy on real chromosomes of {source} over the number of real cells "
        "learned from: real only, synthetic then real, and synthetic only as a band.",
    )
    title = f"Share named right of {size} ({source}), taught by real or synthetic cells"
    sentence = common.sentence(questions.worth(rows))
    return [figure, sentence, tables.show(questions.exam(rows), title)]


def judged(folder, source):
    """How well judges tell synthetic from real: a table, and whom it was judged on."""
    rows = read_exam(folder, source)
    if rows is not None:
        rows = rows[rows["fitted"] & rows["quantity"].isin(["told apart", "AUC"])]
    if rows is None or rows.empty:
        return [_missing("exam", source)]
    caption = (
        f"Synthetic told from real ({source}): share right, one half is guessing; the "
        f"{questions.TRAITS} traits that tell most alone. Judged on {_part(rows)}"
    )
    return [tables.show(questions.judges(rows), caption)]


def rounds(folder):
    """What was mended in the lab, and what each round gained."""
    rows = _read(folder / "exam" / "rounds.csv")
    if rows is None:
        return common.sentence("No round is recorded here.")
    caption = "Rounds of mending: how often a judge told synthetic from real"
    return tables.show(questions.rounds(rows), caption)


def _part(rows):
    """On whom it was judged."""
    return " and ".join(PARTS.get(part, part) for part in rows["part"].unique())


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
    columns = {"quantity": rows["quantity"].map(_plain)}
    for side in ("real", "synthetic"):
        for end in ("value", "low", "high"):
            name = side if end == "value" else f"{side}_{end}"
            columns[name] = (rows[f"{side}_{end}"] - rows["real_value"]) / unit
    return pd.DataFrame(columns).reset_index(drop=True)


def overall(compared, source):
    """A row a quantity: real, synthetic, their distance, and how it came about."""
    look = calibration.look_of(source)
    rows = compared[compared["class"] == "all"].to_dict("records")
    return pd.DataFrame(
        {
            "quantity": _meaning(row["quantity"]),
            "real": _side(row, "real"),
            "synthetic": _side(row, "synthetic"),
            "distance": f"{row['distance']:z.2f}"
            + ("" if row["measure"] == "sd" else f"\n{UNIT[row['measure']]}"),
            "came": came(look, row["quantity"]),
            "n (groups)": f"{row['real_n']:,} ({row['real_groups']:,})\nsynthetic "
            f"{row['synthetic_n']:,} ({row['synthetic_groups']:,})",
        }
        for row in rows
    )


def by_class(compared, source):
    """A row a quantity that classes have: the middle class and the farthest one."""
    look = calibration.look_of(source)
    rows = compared[(compared["class"] != "all") & compared["distance"].notna()]
    found = []
    for name, classes in rows.groupby("quantity", sort=False):
        measure = classes["measure"].iloc[0]
        alike = measure == "correlation"  # the higher, the nearer
        near = classes["distance"] if alike else -classes["distance"].abs()
        worst = classes.loc[near.idxmin()]
        middle = near.median() if alike else -near.median()
        found.append(
            {
                "quantity": _meaning(name),
                "classes": len(classes),
                "middle class": f"{middle:.2f}",
                "farthest class": f"{worst['class']}: {worst['distance']:z.2f}",
                "in": UNIT[measure],
                "came": came(look, name),
            }
        )
    return pd.DataFrame(found)


def numbers(folder, asked):
    """Real against synthetic for some pairs of source and quantity, as a table."""
    rows = []
    for source, quantity in asked:
        row = {"real": "not measured here", "synthetic": "not measured here"}
        compared = read_calibration(folder, source)
        if compared is not None:
            chosen = compared[
                (compared["quantity"] == quantity) & (compared["class"] == "all")
            ]
            for measured in chosen.to_dict("records"):
                row = {side: _side(measured, side) for side in row}
        rows.append({"quantity": _meaning(quantity), "source": source} | row)
    caption = "The numbers behind these sentences, real and synthetic"
    return tables.show(pd.DataFrame(rows), f"{caption}; 95 % intervals over groups")


def _plain(quantity):
    return quantity.replace("_", " ")


def _meaning(quantity):
    meaning = MEANING.get(quantity.removeprefix("alone_"), "")
    return f"{_plain(quantity)}\n{meaning}".strip()


def _side(row, side):
    """Value and interval of a side, to the digit that its real value has."""
    size = abs(row["real_value"])
    if np.isnan(size):
        return ""
    places = max(0, 2 - math.floor(math.log10(size))) if size > 0 else 3
    value, low, high = (
        f"{row[f'{side}_{end}']:,.{min(places, DECIMALS)}f}"
        for end in ("value", "low", "high")
    )
    return f"{value}\n{low} to {high}"


def curves(folder, source, label):
    """Mean and spread of ink along a class's axis, real and synthetic."""
    sides = {}
    for side, table in (("real", "profiles"), ("synthetic", "synthetic_profiles")):
        rows = read_calibration(folder, source, table)
        rows = rows[rows["class"] == label].set_index("quantity")
        values = rows.filter(regex=r"^p\d\d$").loc[list(calibrate.CURVES[:2])]
        sides[side] = tuple(values.to_numpy())
    return sides


def greys(folder, source):
    """Shares of a chromosome's pixels at each depth of stain, a frame a side."""
    sides = {"real": "distributions", "synthetic": "synthetic_distributions"}
    rows = {side: read_calibration(folder, source, sides[side]) for side in sides}
    return {side: frame[frame["quantity"] == "inside"] for side, frame in rows.items()}
