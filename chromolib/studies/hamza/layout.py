"""Karyograms whose chromosomes stand elsewhere: a test of what the layout gives away.

`shuffled(fields, seed)` -> the same chromosomes, upright as before, in no order
`fewer(fields, count, seed)` -> so many of them alone, as in figure 5.5

# Strategy: chromosomes are taken in a random order and set side by side, row after row.
# What room is left is shared out at random between them and between the rows, and each
# stands as high or low in its row as chance says.
"""

import dataclasses

import numpy as np

from chromolib import streams
from chromolib.data import compose
from chromolib.detect import data

GAP = 2  # pixels between chromosomes, at least
TRIES = 20  # orders that are tried at one size
SHRINK = 0.95  # of all chromosomes of a karyogram where no order leaves room
SHUFFLED = "shuffled karyogram"


def shuffled(fields, *, seed):
    """Every karyogram with its chromosomes in other places, each as it was."""
    if fields.kind != "karyogram":
        raise data.FieldError(f"{fields.kind}s have no layout; shuffle karyograms")
    rng = streams.stream(seed, "shuffled")
    x, boxes = np.zeros_like(fields.x), np.zeros_like(fields.boxes)
    for i, on in enumerate(fields.present):
        image, placed = _moved(fields.x[i, ..., 0], fields.boxes[i, on], rng)
        x[i, ..., 0], boxes[i, on] = image, placed
    return dataclasses.replace(fields, x=x, boxes=boxes, kind=SHUFFLED)


def fewer(fields, *, count, seed):
    """Every karyogram with `count` of its chromosomes, chosen at random, in place."""
    if fields.kind != "karyogram":
        raise data.FieldError(f"chromosomes of {fields.kind}s may lie over each other")
    rng = streams.stream(seed, "fewer")
    x, labels = fields.x.copy(), fields.labels.copy()
    for image, boxes, row in zip(x, fields.boxes, labels, strict=True):
        there = np.flatnonzero(row >= 0)
        gone = rng.permutation(there)[count:]
        for x0, y0, x1, y1 in boxes[gone]:
            image[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = 0
        row[gone] = -1
    return dataclasses.replace(fields, x=x, labels=labels, kind=f"{count} chromosomes")


def _moved(image, boxes, rng):
    """One image with its chromosomes moved, and their boxes."""
    low, high = np.floor(boxes[:, :2]).astype(int), np.ceil(boxes[:, 2:]).astype(int)
    size, scale, corner = high - low, 1.0, None
    while corner is None:
        fitted = np.maximum(1, np.round(scale * size)).astype(int)
        corner = _placed(fitted, len(image), rng)
        scale *= SHRINK
    canvas = np.zeros_like(image)
    for (x, y), (right, down), (wide, tall), (to_x, to_y) in zip(
        low, high, fitted, corner, strict=True
    ):
        crop = image[y:down, x:right]
        if crop.shape != (tall, wide):
            crop = compose.resized(crop, tall, wide)
        canvas[to_y : to_y + tall, to_x : to_x + wide] = crop
    inside, factor = boxes - np.tile(low, 2), np.tile(fitted / size, 2)
    return canvas, inside * factor + np.tile(corner, 2)


def _placed(size, side, rng):
    """A corner for each, none over another; None if no order tried leaves room."""
    for _ in range(TRIES):
        rows = _rows(rng.permutation(len(size)), size[:, 0], side)
        tall = np.array([size[row, 1].max() for row in rows])
        if tall.sum() + GAP * len(rows) <= side:
            break
    else:
        return None
    corner, top = np.zeros_like(size), _starts(tall, side, rng)
    for row, y, height in zip(rows, top, tall, strict=True):
        corner[row, 0] = _starts(size[row, 0], side, rng)
        corner[row, 1] = y + rng.integers(height - size[row, 1] + 1)
    return corner


def _rows(order, width, side):
    """The order cut into rows, each as full as may be."""
    rows, used = [[]], 0
    for i in order:
        used += width[i] + GAP
        if used > side:
            rows.append([])
            used = width[i] + GAP
        rows[-1].append(i)
    return rows


def _starts(length, side, rng):
    """Where each of a row of lengths starts, spare room shared out at random."""
    spare = side - length.sum() - GAP * len(length)
    cuts = np.sort(rng.integers(spare + 1, size=len(length)))
    return cuts + np.cumsum(length + GAP) - length - GAP
