"""Single chromosomes of synthetic cells, cut out as real sets have them.

`draw(cell, canvas)` -> Packed images, and each one's Boxes with mask and axis
`images(cells)` -> one ImageSet of many cells
"""

import dataclasses

import numpy as np
from scipy import ndimage

from chromolib.data import pixels
from chromolib.synth import bodies, lab, looks, truth

ROOM = 4  # pixels of a canvas that a chromosome leaves free at least, on either side
HALO = 2.0  # of the blur: the reach of a scanner's sharpening
STAINED = 0.15  # ink of the chromosome itself, without its blurred edge
COLUMNS = ("name", "label", "group", "cell", "iscn", "made")
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
    count = len(packed)
    together = truth.boxes(laid, np.zeros((count, 2), int), range(count), cell.label)
    boxes = tuple(together.take([i]) for i in range(count))
    if canvas is not None:
        return packed, boxes
    ground = grey[0]  # a corner of the first patch
    pairs = zip(packed, boxes, strict=True)
    images, boxes = zip(*(_tight(*pair, ground) for pair in pairs), strict=True)
    return pixels.pack(images), boxes


def photograph(laid, cell, rng):
    """Grey levels of all patches: stain with its grain, blurred, on an even ground."""
    style = cell.style
    ink = laid.ink.astype(np.float32)
    ink *= 1 + np.float32(style["grain"]) * rng.standard_normal(len(ink), np.float32)
    ink *= laid.cover
    noise = np.float32(style["noise"]) * rng.standard_normal(len(ink), np.float32)
    for first, (height, width) in zip(laid.start, laid.shape, strict=True):
        place = slice(first, first + height * width)
        patch = ink[place].reshape(height, width)
        seen = ndimage.gaussian_filter(patch, style["blur"], truncate=3)
        if style["sharp"]:
            wide = ndimage.gaussian_filter(seen, HALO * style["blur"], truncate=2)
            seen += np.float32(style["sharp"]) * (seen - wide)
        seen[seen < style["cut"]] = 0
        if style["even"]:
            seen = _even(seen, style["even"])
        ink[place] = seen.ravel()
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


def _tight(image, boxes, ground):
    """What of a picture is not ground, and the truth as it lies there."""
    rows, columns = ndimage.find_objects((image != ground).view(np.int8))[0]
    corner = np.array([columns.start, rows.start])
    moved = dataclasses.replace(
        boxes,
        xyxy=boxes.xyxy - np.tile(corner, 2),
        polygon=(boxes.polygon[0] - corner,),
        axis=(boxes.axis[0] - corner,),
    )
    return image[rows, columns], moved


def images(cells):
    """The chromosomes of these cells as one set; groups are patients."""
    rows, pictures, boxes = [], [], []
    for cell in cells:
        packed, truths = draw(cell)
        pictures += packed
        boxes += truths
        for k, homologue in enumerate(cell.homologues):
            name, made = f"{cell.name}-{k:02d}", (cell.karyotype, homologue.name)
            rows.append((name, homologue.label, cell.patient, cell.name, *made))
    return lab.image_set(COLUMNS, rows, pictures, boxes)
