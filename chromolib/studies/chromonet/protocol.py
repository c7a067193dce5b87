"""Who trains, who validates and who tests: as the paper did it, and cleanly.

`published(images, *, seed)`, `clean(images, *, seed)` -> Split
`SPLITS` protocol -> that function; `sources(images, count, *, seed)` -> Samples

# Strategy: both protocols are the same two steps, in another order. Published: augment
# the source images to the paper's counts, then draw training and test images from all
# copies; the test images also choose the epoch (section 4.3 and figures 5 to 8 of the
# paper). Clean: divide the sources by group into training and validation, augment the
# training part alone, choose the epoch on validation, and test on images of groups
# never seen. Random labels, dealt to sources, show what a protocol gives for nothing.
"""

import dataclasses
import math

import numpy as np

from chromolib.models import augment, expand, layers, samples
from chromolib.studies.chromonet import data

PAPER = {  # images of section 4.5
    "train": {"normal": 660, "abnormal": 603},
    "test": {"normal": 286, "abnormal": 254},
}
TOTAL = {"normal": data.NORMAL, "abnormal": data.ABNORMAL}
SOURCES = 193  # of section 4.1
DRAW, SHUFFLE, SPLIT, CHOOSE = 17, 19, 23, 29  # streams, as in the runs that are kept
VALIDATION = 0.2  # of the sources' groups, in a clean split

# Section 4.2 names small rotations, both flips, low-level zoom and panning, mild shear
# and shift, and no number; section 4.3 loads images with Keras' ImageDataGenerator,
# which makes all of them at once. Chosen: what leaves nearly every chromosome inside
# its picture.
MOVEMENT = augment.SMALL


class SplitError(ValueError):
    """Images that cannot be divided as the study needs it."""


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """One division of a unit's images."""

    protocol: str
    train: samples.Samples  # augmented
    sources: samples.Samples  # the source images of `train`, as they are
    validation: samples.Samples
    test: samples.Samples
    unseen: samples.Samples  # groups that neither protocol trains on
    labels: str = "true"  # or "random"

    @property
    def drawn(self):
        """How many source images there were, before any copy was made."""
        validation = len(self.validation) if self.protocol == "clean" else 0
        return len(self.sources) + validation

    @property
    def counts(self):
        """How many images of each label train and test: part -> label -> number."""
        parts = {"train": self.train, "test": self.test}
        return {
            name: {label: int((part.label == label).sum()) for label in data.LABELS}
            for name, part in parts.items()
        }


def published(images, *, seed, count=SOURCES, share=1.0, labels="true"):
    """The paper's order: augment, then divide by image; the test part validates too."""
    drawn, unseen = _labelled(images, count, labels, seed)
    counts = {
        label: sum(_share(part[label], share) for part in PAPER.values())
        for label in data.LABELS
    }
    augmented = _augmented(drawn, counts, seed)
    rng = np.random.default_rng([seed, SPLIT])
    train = np.zeros(len(augmented), bool)
    for label in data.LABELS:
        pool = rng.permutation(np.flatnonzero(augmented.label == label))
        train[pool[: _share(PAPER["train"][label], share)]] = True
    test = augmented.take(~train)
    parts = augmented.take(train), drawn, test, test, unseen
    return Split("published", *parts, labels)


def clean(images, *, seed, count=SOURCES, share=1.0, labels="true"):
    """Divide by group, augment the training part alone, test on unseen groups."""
    drawn, unseen = _labelled(images, count, labels, seed)
    if both := set(drawn.group) & set(unseen.group):
        raise SplitError(f"group {str(min(both))!r} is among sources and unseen images")
    validation = _validation(drawn, np.random.default_rng([seed, CHOOSE]))
    plain = drawn.take(~validation)
    counts = {
        label: max(_share(PAPER["train"][label], share), (plain.label == label).sum())
        for label in data.LABELS
    }
    train = _augmented(plain, counts, seed)
    parts = train, plain, drawn.take(validation), unseen, unseen
    return Split("clean", *parts, labels)


SPLITS = {"published": published, "clean": clean}


def sources(images, count=SOURCES, *, seed):
    """So many source images, normal and abnormal as in the paper."""
    rng, chosen = np.random.default_rng([seed, DRAW]), []
    for label in data.LABELS:
        wanted = round(count * TOTAL[label] / sum(TOTAL.values()))
        pool = np.flatnonzero(images.pool.label == label)
        if len(pool) < min(wanted, 10):
            raise SplitError(
                f"only {len(pool)} {label} images for {wanted} sources; take more "
                "images or a smaller profile"
            )
        chosen.append(rng.permutation(pool)[:wanted])
    return images.pool.take(np.sort(np.concatenate(chosen)))


def augmentation(seed):
    """The paper's augmentation as one layer."""
    flips = {"mirror": ("horizontal", "vertical")}
    return augment.pipeline(
        {layers.Orientation: flips, layers.Movement: MOVEMENT}, seed=seed
    )


def _labelled(images, count, labels, seed):
    """Source images and unseen ones, with their own labels or with labels dealt out."""
    drawn, unseen = sources(images, count, seed=seed), images.unseen
    if labels == "random":
        drawn, unseen = _shuffled(drawn, seed), _shuffled(unseen, seed + 1)
    return drawn, unseen


def _shuffled(part, seed):
    rng = np.random.default_rng([seed, SHUFFLE])
    return dataclasses.replace(part, label=rng.permutation(part.label))


def _validation(drawn, rng):
    """A mask of groups that choose the epoch: some of each set of labels a group has.

    Both sides need both labels.
    """
    having = [set(drawn.group[drawn.label == label]) for label in data.LABELS]
    strata = {}
    for group in np.unique(drawn.group):
        strata.setdefault(tuple(group in one for one in having), []).append(group)
    chosen = []
    for groups in strata.values():
        size = min(max(1, round(VALIDATION * len(groups))), len(groups) - 1)
        chosen += list(rng.permutation(groups)[:size])
    mask = np.isin(drawn.group, chosen)
    if min(len(set(drawn.label[side])) for side in (mask, ~mask)) < len(data.LABELS):
        raise SplitError(
            f"{sum(map(len, strata.values()))} groups are too few to divide: a part "
            "lacks a label; add groups, or label images of more patients"
        )
    return mask


def _share(count, share):
    return max(4, math.floor(count * share))


def _augmented(drawn, counts, seed):
    """The images with augmented copies, to these counts of each label."""
    source, copy = expand.plan(drawn.label, counts, originals=False, seed=seed)
    x = expand.augmented(drawn.x, source, copy, augmentation(seed))
    names = np.char.add(
        np.char.add(drawn.image[source].astype(str), "#"), copy.astype(str)
    )
    rows = drawn.take(source)
    return dataclasses.replace(rows, x=x, image=names)
