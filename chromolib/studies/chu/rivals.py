"""The rivals that count: what else tells normal karyograms from abnormal ones.

`learned(split, details, *, sizes, seed)` -> [Rival]: count, compare, name and count
`by_kind(predictions, details, *, rng)` -> Estimates for each kind of abnormality
`by_chromosome(predictions, details, *, rng)` -> and by which chromosome has it
`reports(rivals, images)` -> a row a karyogram: what it holds, where a rival says so
`named(predictions, reports, *, rng)` -> Estimates: change named exactly

Each rival gives a karyogram a score; a logistic curve through scores of karyograms that
are not tested turns it into a probability.
"""

import dataclasses
import re
import time
import typing

import numpy as np
import pandas as pd
from scipy import special
from sklearn import linear_model

from chromolib.cyto import assign, groups
from chromolib.evidence import metrics, resample
from chromolib.studies.chu import data, layout, naming, places

COUNT = "count by place"
NAMES = COUNT, places.NAME, naming.NAME
FEW = 8  # karyograms of a chromosome; with fewer, its Denver group is measured
WHOLE = re.compile(r"(?:^|,)([+-])(\d+|X|Y)(?=,|$)")  # a gain or loss, as ISCN has it
SEX = re.compile(r"(?:^|,)([XY]+)(?=,|$)")
NORMAL, ABNORMAL = data.LABELS


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How long the rivals learn, and from what."""

    epochs: int = 16  # of what compares
    steps: int = 600  # of what names
    karyograms: int = 150  # of the training part it learns from, copies among them


@dataclasses.dataclass(frozen=True, eq=False)
class Rival:
    """Something that scores karyograms, and how its scores become probabilities."""

    name: str
    model: typing.Any  # has `scores`
    slope: float
    offset: float
    seconds: float
    parameters: int

    def probability(self, images):
        """(n, 2) of normal and abnormal."""
        abnormal = special.expit(self.slope * self.model.scores(images) + self.offset)
        return np.column_stack([1 - abnormal, abnormal])


class Count:
    """No network: how many places hold another number of chromosomes than usual."""

    seconds = parameters = 0

    def scores(self, images):
        """(n,) pairs that are not two, and one more where X and Y are neither sex."""
        return off(layout.counts(images)).astype(float)


def off(counts):
    """(n,) how many places are off, of (n, 24) counts of chromosomes."""
    wrong = [counts != usual for usual in assign.USUAL.values()]
    sex = np.min([one[:, layout.PAIRS :].any(1) for one in wrong], axis=0)
    return wrong[0][:, : layout.PAIRS].sum(1) + sex


def learned(split, details, *, sizes, seed):
    """The rivals of one split: what needs no network first.

    `details` are the source images with the box of what is wrong, as far as it is
    known. Raises LayoutError where karyograms are not arranged as the papers' are.
    """
    started = time.monotonic()
    layout.checked(split.sources)
    count = fitted(COUNT, Count(), split.sources)
    count = dataclasses.replace(count, seconds=time.monotonic() - started)
    compared = places.learned(split, details, epochs=sizes.epochs, seed=seed)
    how = {"steps": sizes.steps, "karyograms": sizes.karyograms}
    namer = naming.learned(split, **how, seed=seed)
    models = {places.NAME: compared, naming.NAME: namer}
    return [count, *(fitted(name, models[name], split.validation) for name in models)]


def fitted(name, model, images):
    """A Rival whose scores become probabilities as these karyograms have it."""
    curve = linear_model.LogisticRegression(class_weight="balanced")
    curve.fit(model.scores(images)[:, None], images.y)
    slope, offset = float(curve.coef_[0, 0]), float(curve.intercept_[0])
    return Rival(name, model, slope, offset, model.seconds, model.parameters)


def by_kind(predictions, details, *, rng):
    """Share called abnormal of each kind of abnormality, and normal of what is none.

    A sham is normal: one chromosome exchanged for another of its class.
    """
    return by(predictions, _of(predictions, details).extra["kind"], "kind", rng=rng)


def by(predictions, values, word, *, rng):
    """Share called what it is for each value, a text of each image; "" is none."""
    return [
        _share(predictions.take(values == one), {word: str(one)}, rng)
        for one in pd.unique(values[values != ""])
    ]


def by_chromosome(predictions, details, *, rng):
    """The same by which chromosome there is one more or fewer of, X and Y among them.

    By Denver groups where some chromosome has too few karyograms; where several changed
    the first counts, where it is not known nothing does.
    """
    name = np.array([changed(text) for text in _changes(_of(predictions, details))])
    known = (name != "") & (predictions.truth == ABNORMAL)
    count, word = pd.Series(name[known]).value_counts(), "chromosome"
    if count.min() < FEW:
        name = np.array([groups.of(one) if one else "" for one in name])
        word = "Denver group"
    return [
        _share(predictions.take(known & (name == one)), {word: str(one)}, rng)
        for one in sorted(set(name[known]), key=lambda one: (one.zfill(2), one))
    ]


def changed(text):
    """The chromosome that "+21" or "47,XX,+21" has one more or fewer of; "" of none.

    Of other numbers of X and Y it is the one that is there too often, else X.
    """
    if found := WHOLE.search(text):
        return found[2]
    sex = next(iter(SEX.findall(text)), "XX")
    if sex in assign.USUAL:
        return ""
    return "Y" if sex.count("Y") > 1 else "X"


def changes(text):
    """All that "+21" or "48,XXY,+21" has too many or few of: {"XXY", "+21"}."""
    sex = {one for one in SEX.findall(text) if one not in assign.USUAL}
    return sex | {"".join(one) for one in WHOLE.findall(text)}


def reports(rivals, images):
    """What the rival that writes karyotypes writes of some images; else no row."""
    for rival in rivals:
        if hasattr(rival.model, "reports"):
            return rival.model.reports(images)
    return pd.DataFrame(columns=list(naming.COLUMNS))


def truth(predictions, details):
    """What each predicted karyogram truly has too many or few of, as a text."""
    of = _changes(_of(predictions, details))
    return [", ".join(sorted(changes(text))) or "none" for text in of]


def named(predictions, reports, *, rng):
    """The share of abnormal karyograms whose change is written exactly, as Estimates.

    Of those whose change is known. And the share of normal ones where none is written.
    """
    known = reports["karyotype"] != ""  # else there is no karyotype at all
    said = [", ".join(sorted(changes(one))) or "none" for one in reports["karyotype"]]
    right = (known & (reports["truth"] == said)).to_numpy()
    normal = predictions.truth == NORMAL
    abnormal = ~normal & (reports["truth"] != "none").to_numpy()
    encoded = resample.encode(predictions)
    tally = resample.rates(
        ("change named", "none named of a normal one"),
        encoded.totals(right & abnormal, right & normal),
        encoded.totals(abnormal, normal),
    )
    return list(resample.estimates(predictions.words, [tally], rng=rng).values())


def _of(predictions, details):
    """The details of each predicted image, or of the source image of a copy."""
    source = pd.Index(predictions.image).str.split("#").str[0]
    which = pd.Index(details.name.astype(str)).get_indexer(source)
    if (which < 0).any():
        raise ValueError(
            f"image {str(source[which.argmin()])!r} is not among the details; "
            "give those of the images that were predicted"
        )
    return details.take(which)


def _changes(details):
    """What each karyogram has too many or few of, in words of its source."""
    unknown = np.full(len(details), "")
    return details.extra.get("change", details.extra.get("iscn", unknown))


def _share(predictions, conditions, rng):
    """The share of one kind that is called what it is, as an Estimate."""
    (one,) = metrics.measure(predictions, "accuracy", rng=rng).values()
    abnormal = predictions.truth[0] == ABNORMAL
    quantity = f"{'recall' if abnormal else 'specificity'} of {ABNORMAL}"
    conditions = one.conditions | conditions
    return dataclasses.replace(one, quantity=quantity, conditions=conditions)
