"""Boxes as written, put onto the image as decoded: turned, clipped, checked."""

import numpy as np

from chromolib import records
from chromolib.data.formats import common

# Strategy: one step after the other, each of which gives the boxes and what it had to
# repair, or raises. Pixels were turned upright by their EXIF orientation elsewhere;
# boxes are in the stored frame and turn with them, unless the annotation claims the
# size of the upright image: then whoever drew them already saw it upright.

ROUNDING = 1e-6  # px; what a share of the width loses on its way through text
SWAPPED = (5, 6, 7, 8)  # orientations that exchange width and height

# orientation -> where (x, y) goes, w and h being the stored size
TURNS = {
    1: lambda x, y, w, h: (x, y),
    2: lambda x, y, w, h: (w - x, y),
    3: lambda x, y, w, h: (w - x, h - y),
    4: lambda x, y, w, h: (x, h - y),
    5: lambda x, y, w, h: (y, x),
    6: lambda x, y, w, h: (h - y, x),
    7: lambda x, y, w, h: (h - y, w - x),
    8: lambda x, y, w, h: (y, w - x),
}

TURNED = (
    "the image is stored turned (EXIF): boxes were turned upright with it",
    "nothing; check one such image by eye",
)
SIZE = (
    "size tag differs from the image: the image counts",
    "nothing, if the boxes lie on the chromosomes",
)
WRONG_SIZE = (
    "size tag differs from the image, and boxes do not fit into it",
    "annotate this image again, or restore the image that was annotated",
)
CLIPPED = (
    "a box reaches out of the image: it is cut at the edge",
    "nothing, or correct the box",
)
OUTSIDE = (
    "a box has more outside the image than inside",
    "correct the box or remove it",
)
NO_AREA = ("a box has no area", "correct the box or remove it")
SAME = (
    "an object is annotated twice, with the same box: the second is dropped",
    "nothing, or remove one",
)


def fit(annotated, *, file, width, height, turn):
    """The boxes on the upright image, and what is wrong or was put right.

    Width, height and turn are the stored size and its EXIF orientation, 1 to 8. Where
    one of the problems is an error no box is given: leave the image out.
    """
    stored = (width, height)
    try:
        boxes, again = _once(_pixels(annotated, stored))
        upright, differs = _frame(annotated, boxes, stored, turn)
        if not upright:
            boxes = _turned(boxes, stored, turn)
        size = stored[::-1] if turn in SWAPPED else stored
        boxes, clipped = _clipped(boxes, size)
    except common.Malformed as error:
        nothing = records.Boxes(np.empty((0, 4)), [])
        return nothing, (common.problem("error", error.what, file),)
    turned = turn != 1 and not upright and len(boxes)
    flags = {SAME: again, SIZE: differs, TURNED: turned, CLIPPED: clipped}
    done = [what for what, happened in flags.items() if happened]
    return boxes, tuple(common.problem("repaired", what, file) for what in done)


def _pixels(annotated, size):
    return scaled(annotated.boxes, size) if annotated.fraction else annotated.boxes


def scaled(boxes, size):
    """Boxes given as shares of width and height, in pixels."""
    size = np.array(size, float)
    outlines = tuple(None if p is None else p * size for p in boxes.polygon)
    xyxy = boxes.xyxy * np.tile(size, 2)
    return records.Boxes(xyxy, boxes.label, boxes.score, outlines)


def _once(boxes):
    """Boxes without exact repetitions, and whether there were any."""
    rows = zip(boxes.label.tolist(), map(tuple, boxes.xyxy.tolist()), strict=True)
    first = {}
    for i, row in enumerate(rows):
        first.setdefault(row, i)
    keep = list(first.values())
    return boxes.take(keep), len(keep) < len(boxes)


def _frame(annotated, boxes, stored, turn):
    """Whether boxes are upright already, and whether the size tag is wrong."""
    claim = (annotated.width, annotated.height)
    upright = stored[::-1] if turn in SWAPPED else stored
    if claim in ((None, None), stored):
        return False, False
    if claim == upright:
        return True, False
    if (_inside(boxes.xyxy, stored) != boxes.xyxy).any():
        raise common.Malformed(*WRONG_SIZE)
    return False, True


def _inside(xyxy, size):
    return np.clip(xyxy, 0, np.tile(np.array(size, float), 2))


def _turned(boxes, stored, turn):
    def points(xy):
        return np.stack(TURNS[turn](*xy.T, *stored), 1)

    a, b = points(boxes.xyxy[:, :2]), points(boxes.xyxy[:, 2:])
    xyxy = np.hstack([np.minimum(a, b), np.maximum(a, b)])
    outlines = tuple(None if p is None else points(p) for p in boxes.polygon)
    return records.Boxes(xyxy, boxes.label, boxes.score, outlines)


def _clipped(boxes, size):
    """Boxes and outlines cut at the edges, and whether any had to be."""
    xyxy = _inside(boxes.xyxy, size)
    before = boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]
    after = xyxy[:, 2:] - xyxy[:, :2]
    if not (before > 0).all():
        raise common.Malformed(*NO_AREA)
    if not ((after / before).prod(1) >= 0.5).all():  # by side: areas may underflow
        raise common.Malformed(*OUTSIDE)
    limit = np.array(size, float)
    outlines = tuple(None if p is None else np.clip(p, 0, limit) for p in boxes.polygon)
    found = records.Boxes(xyxy, boxes.label, boxes.score, outlines)
    return found, bool((np.abs(xyxy - boxes.xyxy) > ROUNDING).any())
