"""Whole cells as image sets: karyograms and metaphases, groups are patients.

`karyograms(cells)`, `metaphases(cells)` -> ImageSet; `status(cell)` -> one of STATUS
"""

import collections
import functools

from chromolib import records
from chromolib.synth import karyogram, lab, metaphase

STATUS = ("normal", "numerical", "structural")
SEXES = ({"X": 2}, {"X": 1, "Y": 1})
COLUMNS = ("name", "group", "iscn", "status", "label", "cell")


def karyograms(cells, **looks):
    """A karyogram of each cell, with the boxes; `looks` are those of `draw`."""
    return _drawn(cells, functools.partial(karyogram.draw, **looks))


def metaphases(cells, *, size=metaphase.SIZE):
    """A metaphase of each cell, with the boxes of its chromosomes, lowest first."""
    return _drawn(cells, functools.partial(metaphase.draw, size=size))


def status(cell):
    """One of `STATUS`; a cell with any rearranged chromosome is structural."""
    if not all(homologue.normal for homologue in cell.homologues):
        return "structural"
    copies = collections.Counter(cell.label.tolist())
    sex = {name: copies.pop(name) for name in ("X", "Y") if name in copies}
    pairs = dict.fromkeys(records.CLASSES[:22], 2)
    return "normal" if copies == pairs and sex in SEXES else "numerical"


def _drawn(cells, draw):
    rows, images, boxes, hashed = [], [], [], []
    for cell in cells:
        image, drawn = draw(cell)
        words = cell.name, cell.patient, cell.karyotype, status(cell)
        rows.append((*words, "", cell.name))
        images.append(image)
        boxes.append(drawn)
        label = "\0".join(drawn.label).encode()
        hashed += [repr(words).encode(), image.tobytes(), drawn.xyxy.tobytes(), label]
    return lab.image_set(COLUMNS, rows, images, boxes, hashed=hashed)
