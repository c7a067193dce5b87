"""Real against drawn chromosomes: one measure for both, and how far they are apart.

`singles(images, upright)` -> {"numbers", "profiles", "distributions"}: frames
`fields(images)` -> the same of metaphases, and of what stands alone in them
`compare(real, synthetic)` -> a frame, one row a quantity and class
"""

import numpy as np
import pandas as pd
from scipy import stats

from chromolib import records
from chromolib.synth import measured, measured_fields

AUTOSOMES = records.CLASSES[:22]
ROUNDS = 5  # in which cells that lack chromosomes are made comparable
QUANTILES = (5, 25, 50, 75, 95)
OVERALL = (
    *("length", "area", "width", "bend", "angle", "roughness", "edge", "gap"),
    *("ink", "ink_sd", "dark", "light", "contrast", "texture", "noise"),
    *("ground", "noise_outside", "margin", "aspect", "canvas_height", "canvas_width"),
    *("class_likeness", "homologue_likeness", "homologue_rest"),
)
ALONE = OVERALL[: OVERALL.index("ground")] + OVERALL[-3:]  # cut out by ourselves
BY_CLASS = (
    *("relative_length", "relative_area", "relative_width", "waist", "waist_width"),
    *("bend", "ink", "contrast", "class_likeness", "homologue_likeness"),
)
LEAST = 0.01  # of a value: what spreads less between cells is told apart no finer
BOX = ("relative_diagonal", "diagonal", "long_side", "short_side")
CURVES = ("ink", "ink_sd", "width")


def singles(images, *, upright):
    """What the single chromosomes of a set measure: numbers, profiles, distributions.

    A number is of one class or of "all", with a 95 % interval over groups; `between`
    and `within` are the spreads of cell means and inside of cells, `by_group` and
    `by_cell` the shares of the variance that patients, and cells of one, account for.
    """
    sample = measured.sample(images, upright=upright)
    numbers = _numbers(derived(sample), OVERALL, BY_CLASS)
    return _frames(images, numbers, sample)


def fields(images):
    """What the metaphases of a set measure, their boxes and their free chromosomes.

    The chromosomes that touch nothing are measured like single ones: quantities whose
    name begins with "alone_".
    """
    field, box, alone = measured_fields.sample(images)
    sample = measured.sample(alone, upright=False)
    names = [name for name in field if name not in ("cell", "group")]
    single = _numbers(derived(sample), ALONE, BY_CLASS)
    numbers = [
        _numbers(field.assign(label=""), names, ()),
        _numbers(box, (), BOX),
        single.assign(quantity="alone_" + single["quantity"]),
    ]
    return _frames(images, pd.concat(numbers, ignore_index=True), sample)


def _frames(images, numbers, sample):
    frames = {
        "numbers": numbers,
        "profiles": _profiles(sample),
        "distributions": _distributions(sample),
    }
    return {k: frame.assign(source=images.origin) for k, frame in frames.items()}


def _numbers(rows, overall, by_class):
    """Numbers of all chromosomes together, then of each class."""
    centred = rows[["cell", "group", *overall]].copy()
    for name in overall:
        centred[name] -= rows.groupby("label")[name].transform("mean")
    numbers = [_number(rows, name, "all") | shares(centred, name) for name in overall]
    of_class = dict(list(rows.groupby("label")))
    numbers += [
        _number(of_class[label], name, label)
        for name in by_class
        for label in records.CLASSES
        if label in of_class and of_class[label][name].notna().any()
    ]
    return pd.DataFrame(numbers)


def derived(sample):
    """The rows of a Sample with what has to be seen in the cell or the class."""
    rows = sample.rows.copy()
    for name in ("length", "area"):
        rows[f"relative_{name}"] = relative(rows[name], rows["label"], rows["cell"])
    length = rows.groupby("cell")["length"].transform("mean")
    rows["relative_width"] = rows["width"] / length
    at = np.minimum(rows["waist"] * measured.SAMPLES, measured.SAMPLES - 1).astype(int)
    rows["waist_width"] = sample.width[np.arange(len(rows)), at]
    label = rows["label"].to_numpy()
    pair = (rows["cell"] + "\n" + rows["label"]).to_numpy()
    rest = sample.ink - pd.DataFrame(sample.ink).groupby(label).transform("mean")
    rows["class_likeness"] = likeness(sample.ink, label)
    rows["homologue_likeness"] = likeness(sample.ink, pair)
    rows["homologue_rest"] = likeness(rest.to_numpy(), pair)
    return rows


def relative(size, label, cell):
    """Percent of the haploid autosomes' sum; what a cell lacks is added as it would be.

    A cell's sum is over the autosomes it has, divided by what these are in the mean.
    """
    size, label = np.asarray(size, float), np.asarray(label)
    names, which = np.unique(label, return_inverse=True)
    _, cell = np.unique(cell, return_inverse=True)
    autosome = np.isin(label, AUTOSOMES)
    counted = np.isin(names, AUTOSOMES)
    usual = np.where(counted, 1 / counted.sum(), 0.0)
    for _ in range(ROUNDS):
        whole = np.maximum(np.bincount(cell, size * autosome), 1e-9)
        share = size * (np.bincount(cell, usual[which] * autosome) / whole)[cell]
        mean = np.bincount(which, share) / np.bincount(which)
        usual = mean / mean[counted].sum()
    return 100 * share / mean[counted].sum()


def likeness(curves, of):
    """Correlation of each curve with the mean of the others of its kind, or nan."""
    _, which, size = np.unique(of, return_inverse=True, return_counts=True)
    total = np.zeros((len(size), curves.shape[1]))
    np.add.at(total, which, curves)
    other = total[which] - curves
    own = curves - curves.mean(1, keepdims=True)
    other -= other.mean(1, keepdims=True)
    norm = np.sqrt((own**2).sum(1) * (other**2).sum(1))
    correlation = (own * other).sum(1) / np.maximum(norm, 1e-9)
    return np.where(size[which] > 1, correlation, np.nan)


def mean(values, groups):
    """Mean, low and high over the last axis but one: 95 %, of whole groups (Cochran).

    The spread is that of the groups' sums about the mean, as for a ratio.
    """
    values = np.asarray(values, float)
    _, which, size = np.unique(groups, return_inverse=True, return_counts=True)
    middle = values.mean(0)
    rest = np.zeros((len(size), *values.shape[1:]))
    np.add.at(rest, which, values - middle)
    count = len(size)
    if count < 2:
        return middle, np.full_like(middle, np.nan), np.full_like(middle, np.nan)
    error = np.sqrt(count / (count - 1) * (rest**2).sum(0)) / len(values)
    reach = stats.t.ppf(0.975, count - 1) * error
    return middle, middle - reach, middle + reach


def _number(rows, name, label):
    rows = rows[np.isfinite(rows[name])]
    values = rows[name]
    middle, low, high = mean(values, rows["group"])
    cells = values.groupby(rows["cell"])
    return {
        "quantity": name,
        "class": label,
        "value": middle,
        "low": low,
        "high": high,
        **{f"q{q:02d}": values.quantile(q / 100) for q in QUANTILES},
        "between": cells.mean().std(),
        "within": np.sqrt((values - cells.transform("mean")).pow(2).mean()),
        "n": len(values),
        "groups": rows["group"].nunique(),
    }


def shares(rows, name):
    """Share of the variance between groups, and between cells of one group.

    From products of pairs: two of one cell, and two of one group but not of one cell.
    """
    rows = rows[np.isfinite(rows[name])]
    value = rows[name] - rows[name].mean()
    total = max((value**2).mean(), 1e-12)
    cell, group = _pairs(value, rows["cell"]), _pairs(value, rows["group"])
    between = group - cell
    by_group = between[0] / between[1] if between[1] > 0 else 0.0
    by_cell = cell[0] / cell[1] - by_group if cell[1] > 0 else np.nan
    return {"by_group": by_group / total, "by_cell": by_cell / total}


def _pairs(value, of):
    """Sum of the products of all pairs of one kind, and how many there are."""
    size, total = value.groupby(of).agg(["size", "sum"]).to_numpy().T
    products = (total**2).sum() - (value**2).sum()
    return np.array([products, (size * (size - 1)).sum()])


def _profiles(sample):
    """Per class: mean ink, its spread and mean width along the axis, with n."""
    rows = []
    for label in records.CLASSES:
        which = (sample.rows["label"] == label).to_numpy()
        if not which.any():
            continue
        ink, width = sample.ink[which], sample.width[which].mean(0)
        n = {"n": len(ink), "groups": sample.rows["group"][which].nunique()}
        for kind, curve in zip(CURVES, (ink.mean(0), ink.std(0), width), strict=True):
            rows.append({"quantity": kind, "class": label, **_places(curve), **n})
    return pd.DataFrame(rows)


def _places(curve):
    return {f"p{k:02d}": value for k, value in enumerate(curve)}


def _distributions(sample):
    """Shares of pixels at each grey, inside and outside, and of ink across."""
    frames = []
    for kind in ("inside", "outside", "section"):
        curves = getattr(sample, kind).astype(float)
        total = curves.sum(1)
        group = sample.rows["group"].to_numpy()[total > 0]
        curves = curves[total > 0] / total[total > 0, None]
        value, low, high = mean(curves, group)
        columns = {"value": value, "low": low, "high": high}
        columns["between"] = pd.DataFrame(curves).groupby(group).mean().std()
        frame = pd.DataFrame({"quantity": kind, "at": range(len(value)), **columns})
        frames.append(frame.assign(n=len(curves), groups=len(np.unique(group))))
    return pd.concat(frames, ignore_index=True)


def compare(real, synthetic):
    """How far the synthetic is from the real, quantity by quantity, class by class.

    `measure` names the distance: "sd" is the real spread of cell means, "correlation"
    is that of two profiles, "variation" the share of a distribution that would move.
    """
    both = {"real": real, "synthetic": synthetic}
    rows = [_number_distance(both), _profile_distance(both), _moved(both)]
    return pd.concat(rows, ignore_index=True)


def _joined(both, table, keys, columns):
    """One row for what both have, its columns prefixed by whose they are."""
    left, right = (
        frames[table].set_index(keys)[columns].add_prefix(f"{name}_")
        for name, frames in both.items()
    )
    return left.join(right, how="inner").reset_index()


COUNTS = ["n", "groups", "source"]


def _number_distance(both):
    columns = ["value", "low", "high", "between", "within", *COUNTS]
    rows = _joined(both, "numbers", ["quantity", "class"], columns)
    difference = rows["synthetic_value"] - rows["real_value"]
    spread = np.maximum(rows["real_between"], LEAST * rows["real_value"].abs())
    return rows.assign(distance=difference / spread.clip(lower=1e-6), measure="sd")


def _profile_distance(both):
    keys, places = ["quantity", "class"], list(_places(range(measured.SAMPLES)))
    rows = _joined(both, "profiles", keys, COUNTS)
    curves = _joined(both, "profiles", keys, places)
    real, synthetic = (curves.filter(like=f"{name}_").to_numpy() for name in both)
    rows["quantity"] = "profile_" + rows["quantity"]
    distance = list(map(_correlation, real, synthetic))
    return rows.assign(distance=distance, measure="correlation")


def _moved(both):
    rows = _joined(both, "distributions", ["quantity", "at"], ["value", *COUNTS])
    difference = (rows["synthetic_value"] - rows["real_value"]).abs()
    counts = [f"{name}_{column}" for name in both for column in COUNTS]
    first = rows.groupby("quantity", sort=False)[counts].first().reset_index()
    moved = difference.groupby(rows["quantity"], sort=False).sum().to_numpy() / 2
    return first.assign(**{"class": "all"}, distance=moved, measure="variation")


def _correlation(curve, other):
    """That of two curves; nan where one of them is flat."""
    flat = not min(curve.std(), other.std()) > 0
    return np.nan if flat else np.corrcoef(curve, other)[0, 1]
