"""How much of a test set has already been seen, and what gives labels away.

Each probe returns a `Leak`. Kinds are those of Kapoor and Narayanan (Patterns 2023).
"""

import dataclasses
import math

import numpy as np
import pandas as pd
from sklearn import neighbors

from chromolib import intervals, records
from chromolib.data import duplicates, probes

LeakageError = probes.LeakageError
COPIES = "L1.4 duplicates in training and test"
FEATURES = "L2 features that are not legitimate"
KIN = "L3.2 training and test are not independent"
BASELINE = "no leak: what an answer scores that looks at nothing"

# probe -> the kind of leak it looks for, and what its number counts
MEANING = {
    "group overlap": (KIN, "test images whose {unit} training has seen"),
    "exact copies": (COPIES, "test images with an identical image in training"),
    "near copies": (COPIES, "test images with a near-identical image in training"),
    "random labels": (KIN, "random labels of a {unit}, known from its other images"),
    "cell identity": (KIN, "images whose cell is told by grey levels alone"),
    "position only": (FEATURES, "boxes whose class is told by where they lie"),
    "source only": (FEATURES, "labels told by what is no chromosome"),
    "ink area": (FEATURES, "labels told by the area of ink"),
    "count only": (FEATURES, "labels told by counting boxes"),
    "always 46": (BASELINE, "images with exactly 46 boxes"),
}


@dataclasses.dataclass(frozen=True)
class Leak:
    """What a probe measured, and what it would have measured if nothing leaked."""

    probe: str
    kind: str
    estimate: records.Estimate
    chance: float  # NaN where there is nothing to compare with
    meaning: str

    @property
    def leaks(self):
        """Whether the interval lies above chance; one copy is one too many."""
        if self.chance == 0:
            return self.estimate.value > 0
        return self.estimate.low > self.chance


COLUMNS = ("probe", "protocol", "condition", "value", "low", "high", "chance", "n")
COLUMNS += ("groups", "leaks", "meaning", "kind")


def frame(leaks):
    """One row a probe, as a notebook shows it and a csv keeps it."""
    rows = [
        {
            **vars(leak.estimate),
            **vars(leak),
            "condition": records.write_conditions(leak.estimate.conditions),
            "leaks": "yes" if leak.leaks else "no",
        }
        for leak in leaks
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def as_shipped(table):
    """Which rows of such a table probe the split that came with the images."""
    words = table["condition"].map(records.read_conditions)
    return words.map(lambda one: one.get("split") == "shipped").astype(bool)


# Probes of a split: `train` and `test` are indices, as of `splits.Split`. Further
# keywords go to the estimate: study, protocol, profile, seed, conditions.


def group_overlap(images, train, test, *, rng, **words):
    """Share of test images whose group also has images in training."""
    shared = np.isin(images.group[test], images.group[train])
    return _leak("group overlap", images, test, shared, 0, rng, words)


def exact_copies(images, train, test, *, rng, **words):
    """Share of test images that are, pixel by pixel, also in training."""
    twin = duplicates.exact(images.pixels)
    copied = np.isin(twin[test], twin[train])
    return _leak("exact copies", images, test, copied, 0, rng, words)


def near_copies(images, train, test, *, rng, prints=None, **words):
    """Share of test images with a near-identical image in training.

    `prints` are `duplicates.fingerprints(images.pixels)`, where they are known already.
    """
    prints = duplicates.fingerprints(images.pixels) if prints is None else prints
    pairs = duplicates.near(prints[test], prints[train])
    copied = np.isin(np.arange(len(test)), pairs[:, 0])
    return _leak("near copies", images, test, copied, 0, rng, words)


def copies_of(external, prints, *, rng, **words):
    """Share of an external set's images that training holds, or nearly.

    `prints` are the fingerprints of what trains.
    """
    pairs = duplicates.near(duplicates.fingerprints(external.pixels), prints)
    every = np.arange(len(external))
    copied = np.isin(every, pairs[:, 0])
    return _leak("near copies", external, every, copied, 0, rng, words)


def random_labels(images, train, test, *, rng, draws=100, prints=None, **words):
    """Share of test images whose group's random label the nearest neighbour knows.

    Each draw gives every group one of two labels. What was learnt of one group says
    nothing about another, so above one half the split leaks groups.
    """
    prints = duplicates.fingerprints(images.pixels) if prints is None else prints
    _, group = np.unique(images.group, return_inverse=True)
    views = probes.views(images.pixels, prints)
    view = probes.most_related(views, group, train)
    near = probes.nearest(view, train, test)
    coins = rng.integers(2, size=(draws, group.max() + 1))
    right = coins[:, group[train][near]] == coins[:, group[test]]
    return _leak("random labels", images, test, right.mean(0), 0.5, rng, words)


def position_only(images, train, test, *, rng, **words):
    """Share of test boxes whose class the centre alone tells (15 neighbours)."""
    centres, classes, _ = _centres(images, train)
    model = neighbors.KNeighborsClassifier(min(15, len(classes)))
    centres_of_test, truth, owner = _centres(images, test)
    right = model.fit(centres, classes).predict(centres_of_test) == truth
    return _leak("position only", images, owner, right, _majority(truth), rng, words)


# Probes of a whole set: `labels` has one label an image; folds keep groups together.


def source_only(images, labels, *, rng, **words):
    """Share of labels predicted from canvas, border, greys used and file format."""
    features = probes.origin_features(probes.greys(images.pixels), images.extra)
    return _predicted("source only", images, features, labels, rng, words)


def ink_area(images, labels, *, rng, **words):
    """Share of labels predicted from how much of the image is chromosome."""
    features = probes.ink_features(probes.greys(images.pixels))
    return _predicted("ink area", images, features, labels, rng, words)


def count_only(images, labels, *, rng, **words):
    """Share of labels predicted from the number of boxes."""
    count = np.array([[len(boxes)] for boxes in probes.boxes(images)])
    return _predicted("count only", images, count, labels, rng, words)


def always(images, *, rng, **words):
    """Share of images with exactly 46 boxes: what a constant answer scores."""
    right = np.array([len(boxes) == 46 for boxes in probes.boxes(images)])
    every = np.arange(len(images))
    return _leak("always 46", images, every, right, math.nan, rng, words)


def cell_identity(images, *, rng, **words):
    """Share of images whose cell the nearest neighbour recognises by greys alone.

    Half of each cell's images train, the other half tests.
    """
    _, cell = np.unique(images.cell, return_inverse=True)
    order = rng.permutation(len(cell))
    order = order[np.argsort(cell[order], kind="stable")]
    size = np.bincount(cell)
    place = np.arange(len(cell)) - np.repeat(np.cumsum(size) - size, size)
    test, train = order[place % 2 == 1], order[place % 2 == 0]
    if len(size) < 2 or not len(test):
        raise probes.LeakageError("it takes two cells with two images each")
    features = probes.standardised(probes.grey_features(probes.greys(images.pixels)))
    right = cell[train][probes.nearest(features, train, test)] == cell[test]
    odds = np.bincount(cell[train]) / len(train)
    chance = float(odds[cell[test]].mean())
    return _leak("cell identity", images, test, right, chance, rng, words)


def _predicted(name, images, features, labels, rng, words):
    labels = probes.checked_labels(images, labels)
    right = probes.predicted(features, labels, images.group, rng) == labels
    every, chance = np.arange(len(images)), _majority(labels)
    return _leak(name, images, every, right, chance, rng, words)


def _majority(labels):
    """The share that is right when the most frequent label is always named."""
    return np.unique(labels, return_counts=True)[1].max() / len(labels)


def _centres(images, which):
    """Centres relative to their image, classes, and the image of each box."""
    boxes = probes.boxes(images)
    owner = np.repeat(which, [len(boxes[i]) for i in which])
    if not len(owner):
        raise probes.LeakageError("no image of this part has a box")
    xyxy = np.concatenate([boxes[i].xyxy for i in which])
    classes = np.concatenate([boxes[i].label for i in which])
    size = np.asarray(images.pixels.shape)[owner][:, ::-1]
    return (xyxy[:, :2] + xyxy[:, 2:]) / 2 / size, classes, owner


def _leak(name, images, which, right, chance, rng, words):
    """The record of a probe; `which` is the image of each value of `right`."""
    kind, meaning = MEANING[name]
    group = images.group[which]
    value, low, high = intervals.share(right, group, rng=rng)
    estimate = records.Estimate(
        quantity=name,
        value=value,
        low=low,
        high=high,
        n=len(group),
        groups=len(np.unique(group)),
        source=images.origin,
        **{"study": "", "protocol": ""} | words,
    )
    return Leak(name, kind, estimate, float(chance), meaning.format(unit=images.unit))


# Strategy of `siblings`, which needs counts alone: a source image has several copies
# (or a cell several chromosomes). The published protocol shuffles the copies and cuts;
# the clean one shuffles the sources, cuts there, and lets the copies follow. Both are
# drawn many times.


def siblings(*, sources, images, train, protocol, draws, rng, **words):
    """Share of test images whose source also has an image in training, on average.

    The interval says how far the simulation may be off (95 %, normal); a single split
    may fall further away.
    """
    sources, images = int(sources), int(images)
    owner = np.arange(images) % sources  # copies as even as they can be
    shares = []
    for _ in range(draws):
        training = SPLITS[protocol](owner, train, rng)
        shares.append(np.isin(owner[~training], owner[training]).mean())
    shares = np.array(shares)
    value, margin = float(shares.mean()), 1.96 * shares.std() / np.sqrt(draws)
    return records.Estimate(
        quantity="test images with a sibling in training",
        value=value,
        low=max(0.0, float(value - margin)),
        high=min(1.0, float(value + margin)),
        n=images,
        groups=sources,
        source="printed counts",
        protocol=protocol,
        **words,
    )


def by_image(owner, train, rng):
    """Training images when every image is drawn on its own."""
    chosen = np.zeros(len(owner), bool)
    chosen[rng.permutation(len(owner))[: round(train * len(owner))]] = True
    return chosen


def by_source(owner, train, rng):
    """Training images when whole sources are drawn."""
    sources = owner.max() + 1
    return by_image(np.arange(sources), train, rng)[owner]


SPLITS = {"published": by_image, "clean": by_source}
