"""The images that the lab is judged by: cut between groups, drawn cell by cell.

`split(real)` -> images to draw cells from, and images to evaluate on
`sample_cells(dataset, k, seed=)` -> the chromosomes of k cells
`dataset(images)` -> Dataset: what the network sees, with class, group and cell
`write_manifest(...)`: how a folder of results came about

Strategy: a source is cut once, between groups. The lab may be fitted to its train part
only, and cells to learn from are drawn there; the test part is used once, with `final`.
Without it, groups of the train part take its place and nothing else changes.
"""

import dataclasses

import numpy as np

from chromolib import records, streams
from chromolib.data import cards, splits
from chromolib.models import inputs
from chromolib.runs import inputs as sources
from chromolib.runs import results

STUDY = "synthetic-exam"
SPLIT = {"protocol": "clean", "test": 0.4, "seed": 0}  # the lab is fitted to its train
INNER = {"protocol": "clean", "test": 0.3, "seed": 1}  # part, which this cuts again


class ExamError(ValueError):
    """Images that the experiment cannot be run with."""


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """Chromosomes of the 24 classes as the network sees them."""

    images: np.ndarray  # (n, height, width, 1)
    label: np.ndarray  # (n,) index into CLASSES
    group: np.ndarray  # (n,)
    cell: np.ndarray  # (n,)

    def __len__(self):
        return len(self.label)

    def take(self, which):
        """The chosen chromosomes, by mask or by index."""
        return Dataset(
            self.images[which], self.label[which], self.group[which], self.cell[which]
        )


def dataset(images):
    """The chromosomes of the 24 classes, straightened; markers have no class."""
    images = images.take(np.isin(images.label, records.CLASSES))
    if not len(images):
        raise ExamError(f"{images.source} has no chromosome with a class")
    label = class_index(images.label)
    straight = inputs.straight(images)
    return Dataset(straight, label, images.group, images.cell)


def class_index(labels):
    """The place of each label in CLASSES."""
    return np.array([records.CLASSES.index(label) for label in labels])


def train_test(images, settings=SPLIT):
    """The train and the test part of a set of images; they share no group."""
    division = splits.divide(images, **settings)
    return images.take(division.train), images.take(division.test)


def split(real, *, final=False):
    """The images to draw cells from, and those to evaluate on; they share no group."""
    train, test = train_test(real)
    return (train, test) if final else train_test(train, INNER)


def sample_cells(pool, k, *, seed):
    """The chromosomes of k cells, of as many groups as there can be.

    The cells for a smaller k are among them.
    """
    rng = streams.stream(seed, "cells")
    cells, first = np.unique(pool.cell, return_index=True)
    if k > len(cells):
        raise ExamError(f"{k} cells were requested of {len(cells)}; take fewer")
    shuffled = rng.permutation(len(cells))
    group = pool.group[first][shuffled]
    turn = np.zeros(len(cells), int)  # a group's second cell comes after all the first
    for name in np.unique(group):
        turn[group == name] = np.arange((group == name).sum())
    chosen = cells[shuffled[np.argsort(turn, kind="stable")]][:k]
    return pool.take(np.isin(pool.cell, chosen))


def upright(root, source):
    """Whether the chromosomes of a source stand short arm up, as its card says."""
    return bool(cards.read(root / "data" / "cards", source).get("upright"))


def write_manifest(folder, root, study, facts, real, synthetic, *, started):
    """Write beside results how they came about; `facts` are what only these have."""
    manifest = {
        "study": study,
        **results.provenance(root, started),
        **facts,
        "images": sources.facts({"source": real, "synthetic": synthetic}),
    }
    results.manifest(folder, manifest)
