"""Boxes as written, put onto the image as decoded: turned, clipped, checked."""

import numpy as np

from chromolib import records
from chromolib.data import decode, store
from chromolib.data.formats import common

# Strategy: one step after the other, each of which gives the boxes and what it had to
# repair, or raises. Pixels were turned upright by their EXIF orientation elsewhere;
# boxes are in the stored frame and turn with them, unless the annotation claims the
# size of the upright image: then whoever drew them already saw it upright.

ROUNDING = 1e-6  # px; what a share of the width loses on its way through text

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


def fit(annotated, *, file, stored, turn):
    """The boxes on the upright image, and what is wrong or was put right.

    `stored` is the image's size before it is turned by its EXIF orientation, 1 to 8.
    Where one of the problems is an error no box is given: leave the image out.
    """
    size = stored[::-1] if turn in decode.SWAPPED else stored
    try:
        boxes, again = _once(in_pixels(annotated, stored))
        upright, differs = _frame(annotated, boxes, stored, size)
        boxes = boxes if upright else _turned(boxes, size, turn)
        boxes, clipped = _clipped(boxes, size)
    except common.Malformed as failure:
        nothing = records.Boxes(np.empty((0, 4)), [])
        return nothing, (store.error(failure.what, file),)
    turned = turn != 1 and not upright and len(boxes)
    repairs = {SAME: again, SIZE: differs, TURNED: turned, CLIPPED: clipped}
    done = [what for what, happened in repairs.items() if happened]
    return boxes, tuple(store.repaired(what, file) for what in done)


def in_pixels(annotated, size):
    """The boxes of an annotation in pixels, where it gives shares of the size too."""
    if not annotated.fraction:
        return annotated.boxes
    return _moved(annotated.boxes, lambda points: points * np.array(size, float))


def _moved(boxes, move):
    """Boxes and outlines with all points moved by a function of arrays (..., 2)."""
    corners = move(boxes.xyxy.reshape(-1, 2, 2))
    outlines = tuple(None if p is None else move(p) for p in boxes.polygon)
    xyxy = np.hstack([corners.min(1), corners.max(1)])
    return records.Boxes(xyxy, boxes.label, boxes.score, outlines)


def _once(boxes):
    """Boxes without exact repetitions, and whether there were any."""
    rows = zip(boxes.label.tolist(), map(tuple, boxes.xyxy.tolist()), strict=True)
    first = {}
    for i, row in enumerate(rows):
        first.setdefault(row, i)
    keep = list(first.values())
    again = len(keep) < len(boxes)
    return boxes.take(keep) if again else boxes, again  # a copy would be held besides


def _frame(annotated, boxes, stored, size):
    """Whether boxes are upright already, and whether the size tag is wrong."""
    claim = (annotated.width, annotated.height)
    if claim in ((None, None), stored):
        return False, False
    if claim == size:
        return True, False
    if (boxes.xyxy < 0).any() or (boxes.xyxy > np.tile(stored, 2)).any():
        raise common.Malformed(*WRONG_SIZE)
    return False, True


def _turned(boxes, size, turn):
    """Boxes turned with the pixels, onto an upright image of that size."""
    rows, columns = decode.FLIPS[turn]
    mirrored = np.array([columns < 0, rows < 0])

    def points(xy):
        xy = xy[..., ::-1] if turn in decode.SWAPPED else xy
        return np.where(mirrored, size - xy, xy)

    return _moved(boxes, points)


def _clipped(boxes, size):
    """Boxes and outlines cut at the edges, and whether any had to be."""
    inside = _moved(boxes, lambda points: np.clip(points, 0, size))
    before = boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]
    after = inside.xyxy[:, 2:] - inside.xyxy[:, :2]
    if not (before > 0).all():
        raise common.Malformed(*NO_AREA)
    if not ((after / before).prod(1) >= 0.5).all():  # by side: areas may underflow
        raise common.Malformed(*OUTSIDE)
    cut = np.abs(inside.xyxy - boxes.xyxy) > ROUNDING
    return inside, bool(cut.any())
