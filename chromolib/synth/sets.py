"""Whole cells as image sets: karyograms and metaphases, groups are patients.

`karyograms(cells)`, `metaphases(cells)` -> ImageSet; `status(cell)` -> one of STATUS
"""

import collections
import functools
import hashlib

import numpy as np

from chromolib import records
from chromolib.data import pixels
from chromolib.synth import karyogram, lab, metaphase

STATUS = ("normal", "numerical", "structural")
SEXES = ({"X": 2}, {"X": 1, "Y": 1})


def karyograms(cells, **looks):
    """A karyogram of each cell, with the boxes; `looks` are those of `draw`."""
    return _drawn(cells, functools.partial(karyogram.draw, **looks))


def metaphases(cells, *, size=metaphase.SIZE):
    """A metaphase of each cell, with the boxes of its chromosomes, lowest first."""
    return _drawn(cells, functools.partial(metaphase.draw, size=size))


def status(cell):
    """One of `STATUS`; a cell with any rearranged chromosome is structural."""
    if not all(one.normal for one in cell.homologues):
        return "structural"
    copies = collections.Counter(cell.label.tolist())
    sex = {name: copies.pop(name) for name in ("X", "Y") if name in copies}
    pairs = dict.fromkeys(records.CLASSES[:22], 2)
    return "normal" if copies == pairs and sex in SEXES else "numerical"


def _drawn(cells, draw):
    rows, pictures, boxes = [], [], []
    for cell in cells:
        picture, found = draw(cell)
        pictures.append(picture)
        boxes.append(found)
        rows.append((cell.name, cell.patient, cell.karyotype, status(cell)))
    columns = [np.array(column, dtype=str) for column in zip(*rows, strict=True)]
    name, group, iscn, word = columns or [np.empty(0, str)] * 4
    return records.ImageSet(
        source=lab.SOURCE,
        name=name,
        label=np.full(len(name), ""),
        group=group,
        cell=name,
        unit="patient",
        pixels=pixels.pack(pictures),
        boxes=tuple(boxes),
        extra={"iscn": iscn, "status": word},
        fingerprint=_fingerprint(rows, pictures, boxes),
        provenance=lab.SOURCE,
    )


def _fingerprint(rows, pictures, boxes):
    """A hash of all that the set says, pixels, names and boxes."""
    total = hashlib.sha256()
    for row, picture, found in zip(rows, pictures, boxes, strict=True):
        total.update(repr(row).encode())
        total.update(picture.tobytes())
        total.update(found.xyxy.tobytes())
        total.update("\0".join(found.label).encode())
    return total.hexdigest()
