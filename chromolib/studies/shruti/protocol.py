"""Five folds that test every image once: by image as in the papers, or by cell.

`folds(chromosomes, protocol=, seed=)` -> Splits
`apart(images, seed=)` -> of metaphases the groups that train, choose and test

# Strategy: neither the report nor its base paper says how it divided the images. 1,104
tested images, as the base paper's digits imply, are a fifth: 24 cells of 46, or a fifth
of the images of each class. Both are drawn here, alike in size, so that what differs is
the gift of having seen the cell. A clean fold divides groups: cells, or cases that have
several. Validation images, an eighth of the rest, choose what a fold may choose.

What finds chromosomes on metaphases and what names them must let the same cases stay
out, or the one has seen what judges both. So metaphases are divided as for detectors.
"""

import dataclasses

import numpy as np

from chromolib.data import splits
from chromolib.detect import data
from chromolib.models import protocols, samples

FOLDS = 5
VALIDATION = 1 / 8


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """One fold."""

    protocol: str
    fold: int
    train: samples.Samples
    validation: samples.Samples
    test: samples.Samples


def folds(chromosomes, *, protocol, seed, part=None):
    """The folds of a protocol, one after another; their test parts are all images.

    `part` may hold the same images under other labels.
    """
    part = chromosomes.samples if part is None else part
    images = chromosomes.images
    how = {"protocol": protocol, "seed": seed}
    for k, outer in enumerate(splits.folds(images, FOLDS, **how)):
        rest = outer.train
        inner = splits.divide(images.take(rest), test=VALIDATION, **how)
        chosen = rest[inner.train], rest[inner.test], outer.test
        yield Split(protocol, k, *map(part.take, chosen))


def apart(images, *, seed):
    """The groups of metaphases that train, choose and test: a sixth tests."""
    every = _Named(images.group, images.source, images.unit)
    known, test = data.apart(every, data.UNSEEN, seed=seed, purpose="unseen")
    how = {"seed": seed, "purpose": "validation"}
    train, validation = data.apart(known, protocols.VALIDATION, **how)
    return [np.unique(one.group) for one in (train, validation, test)]


@dataclasses.dataclass(frozen=True, eq=False)
class _Named:
    """Groups alone, which is what a division asks for."""

    group: np.ndarray
    source: str
    unit: str

    def take(self, which):
        """The groups that are chosen."""
        return dataclasses.replace(self, group=self.group[which])
