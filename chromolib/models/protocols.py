"""Who trains, who validates and who tests: in a paper's order, and cleanly.

`published(images, paper, *, seed)`, `clean(images, paper, *, seed)` -> Split
`sources(images, counts, *, seed)` -> the source images drawn

# Strategy: both are the same two steps, in another order. Published: augment the source
images to the paper's counts, then draw training and test images from all copies.
Clean: divide the sources by group into training and validation, augment the training
part alone, and test on images of groups never seen. Random labels, dealt to sources,
show what a protocol gives for nothing.
"""

import dataclasses
import math
import typing

import numpy as np

from chromolib.models import expand, samples

DRAW, SHUFFLE, SPLIT, CHOOSE = 17, 19, 23, 29  # streams, as in the runs that are kept
VALIDATION = 0.2  # of the sources' groups, in a clean split
ENOUGH = 10  # images of a label; fewer serve only where fewer are asked for


class SplitError(ValueError):
    """Images that cannot be divided as a study needs it."""


@dataclasses.dataclass(frozen=True)
class Paper:
    """What a paper did with its images: how many of each label, and augmented how.

    `parts` are "train", "test" and, where the paper had one, "validation"; without it
    the test images choose the epoch, as they did in a paper that had none.
    """

    sources: dict  # label -> images before any copy was made
    parts: dict  # part -> label -> images
    augmentation: typing.Callable | None = None  # seed -> a layer; None: no copies

    def shared(self, share, sources=None):
        """The same, smaller: a share of the images, and so many sources."""
        count = sources or sum(self.sources.values())
        whole = sum(self.sources.values())
        drawn = {name: round(count * n / whole) for name, n in self.sources.items()}
        parts = {
            part: {name: _share(n, share) for name, n in counts.items()}
            for part, counts in self.parts.items()
        }
        return dataclasses.replace(self, sources=drawn, parts=parts)


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """One division of a set of images."""

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
        return {
            name: {label: int((part.label == label).sum()) for label in part.classes}
            for name, part in (("train", self.train), ("test", self.test))
        }


def published(images, paper, *, seed, labels="true"):
    """The paper's order: augment, then divide by image; of fewer images than the paper
    had each part has its share."""
    drawn, unseen = _labelled(images, paper, labels, seed)
    counts = {
        label: sum(part[label] for part in paper.parts.values())
        for label in drawn.classes
    }
    augmented = _augmented(drawn, counts, paper, seed)
    rng = np.random.default_rng([seed, SPLIT])
    of_part = np.full(len(augmented), "test", "<U10")
    for label in drawn.classes:
        pool, first = rng.permutation(np.flatnonzero(augmented.label == label)), 0
        share = min(1.0, len(pool) / counts[label])
        for part in (name for name in paper.parts if name != "test"):
            last = first + round(share * paper.parts[part][label])
            of_part[pool[first:last]], first = part, last
    test = augmented.take(of_part == "test")
    chosen = (
        augmented.take(of_part == "validation") if "validation" in of_part else test
    )
    train = augmented.take(of_part == "train")
    return Split("published", train, drawn, chosen, test, unseen, labels)


def clean(images, paper, *, seed, labels="true"):
    """Divide by group, augment the training part alone, test on unseen groups."""
    drawn, unseen = _labelled(images, paper, labels, seed)
    if both := set(drawn.group) & set(unseen.group):
        raise SplitError(f"group {str(min(both))!r} is among sources and unseen images")
    validation = _validation(drawn, np.random.default_rng([seed, CHOOSE]))
    plain = drawn.take(~validation)
    counts = {
        label: max(paper.parts["train"][label], (plain.label == label).sum())
        for label in drawn.classes
    }
    train = _augmented(plain, counts, paper, seed)
    parts = train, plain, drawn.take(validation), unseen, unseen
    return Split("clean", *parts, labels)


SPLITS = {"published": published, "clean": clean}


def sources(images, counts, *, seed):
    """So many source images of each label."""
    rng, chosen = np.random.default_rng([seed, DRAW]), []
    for label, wanted in counts.items():
        pool = np.flatnonzero(images.pool.label == label)
        if len(pool) < min(wanted, ENOUGH):
            raise SplitError(
                f"only {len(pool)} {label} images for {wanted} sources; take more "
                "images or a smaller profile"
            )
        chosen.append(rng.permutation(pool)[:wanted])
    return images.pool.take(np.sort(np.concatenate(chosen)))


def _labelled(images, paper, labels, seed):
    """Source images and unseen ones, with their own labels or with labels dealt out."""
    drawn, unseen = sources(images, paper.sources, seed=seed), images.unseen
    if labels == "random":
        drawn, unseen = _shuffled(drawn, seed), _shuffled(unseen, seed + 1)
    return drawn, unseen


def _shuffled(part, seed):
    rng = np.random.default_rng([seed, SHUFFLE])
    return dataclasses.replace(part, label=rng.permutation(part.label))


def _validation(drawn, rng):
    """A mask of groups that choose the epoch: some of each set of labels a group has.

    Both sides need all labels.
    """
    having = [set(drawn.group[drawn.label == label]) for label in drawn.classes]
    strata = {}
    for group in np.unique(drawn.group):
        strata.setdefault(tuple(group in one for one in having), []).append(group)
    chosen = []
    for groups in strata.values():
        size = min(max(1, round(VALIDATION * len(groups))), len(groups) - 1)
        chosen += list(rng.permutation(groups)[:size])
    mask = np.isin(drawn.group, chosen)
    if min(len(set(drawn.label[side])) for side in (mask, ~mask)) < len(having):
        raise SplitError(
            f"{sum(map(len, strata.values()))} groups are too few to divide: a part "
            "lacks a label; add groups, or label images of more patients"
        )
    return mask


def _share(count, share):
    return max(4, math.floor(count * share))


def _augmented(drawn, counts, paper, seed):
    """The images with augmented copies, to these counts of each label."""
    if paper.augmentation is None:
        return drawn
    source, copy = expand.plan(drawn.label, counts, seed=seed)
    x = np.empty((len(source), *drawn.x.shape[1:]), drawn.x.dtype)
    expand.augmented(drawn.x, source, paper.augmentation(seed), out=x)
    names = np.char.add(
        np.char.add(drawn.image[source].astype(str), "#"), copy.astype(str)
    )
    rows = drawn.take(source)
    return dataclasses.replace(rows, x=x, image=names)
