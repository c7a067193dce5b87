"""Single chromosomes of synthetic cells, cut out as real sets have them.

`draw(cell, canvas)` -> Packed images, and each one's Boxes with mask and axis
`images(cells, canvas)` -> one ImageSet of many cells
"""

import dataclasses
import hashlib

import numpy as np
from scipy import ndimage

from chromolib import records
from chromolib.data import pixels
from chromolib.synth import bodies, lab, looks, truth

ROOM = 4  # pixels of a canvas that a chromosome leaves free at least, on either side
HALO = 2.0  # of the blur: the reach of a scanner's sharpening
STAINED = 0.15  # ink of the chromosome itself, without its blurred edge
KNEE = 0.75  # ink above which a stretched chromosome darkens less and less


def draw(cell, *, canvas=None):
    """Every chromosome of a cell, tight or on a square canvas, with its truth.

    On a canvas too small for the longest, the whole cell is drawn smaller.
    """
    rng = cell.rng("singles")
    shape = looks.shape(cell.look, cell.style, len(cell.homologues), rng)
    size = None
    if canvas is not None:
        longest = float((cell.patterns.length * shape.unit).max())
        shape = bodies.scaled(shape, min(1.0, (canvas - 2 * ROOM) / longest))
        size = (canvas, canvas)
    laid = bodies.lay(cell.patterns, shape, rng, canvas=size)
    grey = photograph(laid, cell, rng)
    packed = pixels.Packed(grey, laid.start, laid.shape)
    corner = np.zeros((len(laid.start), 2), int)
    every = truth.boxes(laid, corner, range(len(corner)), cell.label)
    told = [every.take([i]) for i in range(len(every))]
    if canvas is not None:
        return packed, tuple(told)
    ground = grey[0]  # a corner of the first patch
    cut = [_tight(packed[i], told[i], ground) for i in range(len(told))]
    return pixels.pack([one[0] for one in cut]), tuple(one[1] for one in cut)


def photograph(laid, cell, rng):
    """Grey levels of all patches: stain with its grain, blurred, on an even ground."""
    style = cell.style
    ink = laid.ink.astype(np.float32)
    ink *= 1 + np.float32(style["grain"]) * rng.standard_normal(len(ink), np.float32)
    ink *= laid.cover
    noise = np.float32(style["noise"]) * rng.standard_normal(len(ink), np.float32)
    for first, (height, width) in zip(laid.start, laid.shape, strict=True):
        part = slice(first, first + height * width)
        patch = ink[part].reshape(height, width)
        seen = ndimage.gaussian_filter(patch, style["blur"], truncate=3)
        if style["sharp"]:
            wide = ndimage.gaussian_filter(seen, HALO * style["blur"], truncate=2)
            seen += np.float32(style["sharp"]) * (seen - wide)
        seen[seen < style["cut"]] = 0
        if style["even"]:
            seen = _even(seen, style["even"])
        ink[part] = seen.ravel()
    ink = (ink + noise) * (ink > 0)
    if style["levels"]:
        ink = np.round(ink * style["levels"]) / style["levels"]
    ink += style["floor"]
    grey = 1 - ink if looks.DARK[cell.look] else ink
    return np.clip(np.round(255 * grey), 0, 255).astype(np.uint8)


def _even(ink, mean):
    """The ink of one chromosome stretched to that mean; the darkest runs into black."""
    inside = ink > STAINED
    if not inside.any():  # a fragment too small to be seen
        return ink
    ink = ink * (mean / float(ink[inside].mean()))
    over = np.maximum(ink - KNEE, 0) / (1 - KNEE)
    return np.minimum(ink, KNEE) + (1 - KNEE) * (1 - np.exp(-over))


def _tight(image, told, ground):
    """The part of a picture that is not ground, and the truth as it lies there."""
    rows, columns = (np.flatnonzero((image != ground).any(k)) for k in (1, 0))
    corner = np.array([columns[0], rows[0]])
    inside = image[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    moved = {
        "xyxy": told.xyxy - np.tile(corner, 2),
        "polygon": (told.polygon[0] - corner,),
        "axis": (told.axis[0] - corner,),
    }
    return inside, dataclasses.replace(told, **moved)


def images(cells, *, canvas=None):
    """The chromosomes of these cells as one set; groups are patients."""
    columns = {key: [] for key in ("name", "label", "group", "cell", "iscn", "made")}
    packed, boxes = [], []
    for cell in cells:
        drawn, truth = draw(cell, canvas=canvas)
        packed.append(drawn)
        boxes += truth
        for k, one in enumerate(cell.homologues):
            row = (f"{cell.name}-{k:02d}", one.label, cell.patient, cell.name)
            row += (cell.karyotype, one.name)
            for key, value in zip(columns, row, strict=True):
                columns[key].append(value)
    columns = {key: np.array(values, dtype=str) for key, values in columns.items()}
    merged = _merged(packed)
    extra = {"iscn": columns.pop("iscn"), "made": columns.pop("made")}
    return records.ImageSet(
        lab.SOURCE,
        unit="patient",
        pixels=merged,
        boxes=tuple(boxes),
        extra=extra,
        fingerprint=hashlib.sha256(merged.buffer).hexdigest(),
        provenance=lab.SOURCE,
        **columns,
    )


def _merged(packed):
    """Packed images of several cells as one."""
    ends = np.cumsum([0, *(len(one.buffer) for one in packed)])[:-1]
    start = [one.start + first for one, first in zip(packed, ends, strict=True)]
    return pixels.Packed(
        np.concatenate([one.buffer for one in packed]),
        np.concatenate(start),
        np.concatenate([one.shape for one in packed]),
    )
