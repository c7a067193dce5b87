"""Who learns, who chooses the epoch and who judges, by either protocol.

`divided(protocol, sources, unseen, ...)` -> Division
`part(images, unit)` -> the pictures of a set; `drawn(whole, count)` -> some as sources

# Strategy: both protocols are the same two steps, in another order. Published: grow
# the sources to the paper's counts, then draw training and test images from all
# copies; the test images also choose the epoch (section 4.3 and figures 5 to 8 of the
# paper). Clean: divide the sources by group into training and validation, grow the
# training part alone, choose the epoch on validation, and test on images of groups
# never seen. Random labels, dealt to sources, show what a protocol gives for nothing.
"""

import dataclasses
import math

import numpy as np
import pandas as pd

from chromolib.models import expand, pictures
from chromolib.studies.chromonet import network

LABELS = network.LABELS
PAPER = {  # images of section 4.5
    "train": {"normal": 660, "abnormal": 603},
    "test": {"normal": 286, "abnormal": 254},
}
TOTAL = {word: sum(part[word] for part in PAPER.values()) for word in LABELS}
SOURCES = 193  # of section 4.1
VALID = 0.2  # of the sources' groups, in a clean trial


class PartError(ValueError):
    """Images that this question cannot be asked of."""


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """Pictures with their labels; copies of one source have one group."""

    pictures: np.ndarray  # (n, height, width, 1)
    label: np.ndarray
    group: np.ndarray
    image: np.ndarray

    def __len__(self):
        return len(self.label)

    @property
    def target(self):
        """The labels as numbers."""
        return (self.label == LABELS[1]).astype(np.int32)

    def take(self, which):
        """The chosen pictures."""
        fields = dataclasses.fields(self)
        return Part(*(getattr(self, field.name)[which] for field in fields))

    def join(self, other):
        """These pictures, then the other's."""
        both = (
            (getattr(self, f.name), getattr(other, f.name))
            for f in dataclasses.fields(self)
        )
        return Part(*map(np.concatenate, both))


@dataclasses.dataclass(frozen=True, eq=False)
class Division:
    """Who learns, who chooses the epoch, and who judges."""

    protocol: str
    train: Part
    plain: Part  # the sources of the training images as they are
    valid: Part
    test: Part


def part(images, unit, by=None):
    """A set's images as pictures of one size, scaled as `pictures.of` does."""
    check(images)
    shown = pictures.of(images, unit, by)
    return Part(shown, images.label, images.group, images.name)


def check(images):
    """Refuse a set without both labels."""
    missing = [word for word in LABELS if word not in set(images.label)]
    if missing:
        raise PartError(
            f"{images.source} has no image labelled {missing[0]!r}; a network that "
            "tells normal from abnormal needs both: add images or name another source"
        )


def drawn(whole, count, *, seed):
    """So many of the images as sources, normal and abnormal as in the paper."""
    rng = np.random.default_rng([seed, 17])
    chosen = []
    for word in LABELS:
        wanted = round(count * TOTAL[word] / sum(TOTAL.values()))
        pool = np.flatnonzero(whole.label == word)
        if len(pool) < min(wanted, 10):
            raise PartError(
                f"only {len(pool)} {word} images for {wanted} sources; take more "
                "images or a smaller profile"
            )
        chosen.append(rng.permutation(pool)[:wanted])
    return whole.take(np.sort(np.concatenate(chosen)))


def shuffled(one, *, seed):
    """The same pictures with labels dealt at random."""
    rng = np.random.default_rng([seed, 19])
    return dataclasses.replace(one, label=rng.permutation(one.label))


def published(sources, *, share, seed):
    """The paper's order: grow, then divide by image; the test part also validates."""
    counts = {
        word: sum(_share(PAPER[k][word], share) for k in PAPER) for word in LABELS
    }
    grown = _grown(sources, counts, seed)
    rng = np.random.default_rng([seed, 23])
    train = np.zeros(len(grown), bool)
    for word in LABELS:
        pool = rng.permutation(np.flatnonzero(grown.label == word))
        train[pool[: _share(PAPER["train"][word], share)]] = True
    test = grown.take(~train)
    return Division("published", grown.take(train), sources, test, test)


def clean(sources, unseen, *, share, seed):
    """Divide by group, grow the training part alone, judge by unseen groups."""
    both = set(sources.group) & set(unseen.group)
    if both:
        raise PartError(f"group {str(min(both))!r} is among sources and unseen images")
    valid = _validating(sources, np.random.default_rng([seed, 29]))
    plain = sources.take(~valid)
    counts = {word: _share(PAPER["train"][word], share) for word in LABELS}
    counts = {word: max(counts[word], (plain.label == word).sum()) for word in LABELS}
    train = _grown(plain, counts, seed)
    return Division("clean", train, plain, sources.take(valid), unseen)


def divided(protocol, sources, unseen, *, share, seed):
    """The Division by one protocol, a share of the paper's counts large."""
    if protocol == "published":
        return published(sources, share=share, seed=seed)
    return clean(sources, unseen, share=share, seed=seed)


def _validating(sources, rng):
    """A mask of groups that choose the epoch: some of each set of labels a group has.

    Both sides need both labels.
    """
    has = [set(sources.group[sources.label == word]) for word in LABELS]
    strata = {}
    for group in np.unique(sources.group):
        strata.setdefault(tuple(group in one for one in has), []).append(group)
    chosen = []
    for groups in strata.values():
        few = min(max(1, round(VALID * len(groups))), len(groups) - 1)
        chosen += list(rng.permutation(groups)[:few])
    valid = np.isin(sources.group, chosen)
    if min(len(set(sources.label[mask])) for mask in (valid, ~valid)) < len(LABELS):
        raise PartError(
            f"{sum(map(len, strata.values()))} groups are too few to divide: a part "
            "lacks a label; add groups, or label images of more patients"
        )
    return valid


def _share(count, share):
    return max(4, math.floor(count * share))


def _grown(sources, counts, seed):
    """The sources grown by the paper's augmentation to these counts."""
    made = expand.expand(
        sources.pictures,
        sources.label,
        sources.group,
        counts=counts,
        name="chromonet",
        seed=seed,
        background=0.0,
    )
    frame = pd.DataFrame({"name": sources.image[made.source], "copy": made.copy})
    names = frame["name"] + "#" + frame["copy"].astype(str)
    return Part(made.images, made.label, made.group, names.to_numpy(dtype=str))
