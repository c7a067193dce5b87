"""Where each class of chromosome stands in a karyogram of the papers' layout.

`slots(side)` -> (24, 4) boxes of the places, in the order of `records.CLASSES`
`places(x)` -> (n, 24, height, width) what stands in each of them
`at(points, side)`, `standing(pieces, side)` -> (n,) the class in whose place each is
`counts(images)` -> (n, 24) how many chromosomes stand in each place
`checked(images)` -> the images, refused where they are arranged in another way
"""

import numpy as np

from chromolib import records
from chromolib.data import compose
from chromolib.studies.chu import cutting

CANVAS = (64, 48)  # height and width at which all places are compared
PAIRS = 22  # the first classes, of which a normal cell has two
MOST = 4  # chromosomes in a place: more are no place of one class
MIDDLE = 0.95  # of a place, in which its chromosomes stand
# What karyograms of this layout have at least; those of our three sources have .99 or
# more, .98 or more and .77 or more, those of another layout less of one of them.
FULL = 0.85  # share of the pairs' places that hold 1 to MOST chromosomes
INSIDE = 0.75  # share of chromosomes that stand in the middle of a place
FALLING = 0.4  # correlation of a chromosome's place in its row with shortness


class LayoutError(ValueError):
    """Karyograms whose places are not those of the papers."""


def slots(side=1.0):
    """(24, 4) x0, y0, x1, y1 of each class's place on a square of that side."""
    edges = np.cumsum([0, *compose.HEIGHTS])
    found = {}
    for row, top, bottom in zip(compose.ROWS, edges[:-1], edges[1:], strict=True):
        for k, name in enumerate(row):
            found[name] = (k / len(row), top, (k + 1) / len(row), bottom)
    return side * np.array([found[name] for name in records.CLASSES])


def places(x):
    """(n, 24, *CANVAS) float32: the place of each class, drawn to one size.

    `x` are squares (n, side, side, 1) of any numbers. Pixels are averaged over, so that
    a narrow gap stays a paler line.
    """
    x = np.asarray(x, np.float32)[..., 0]
    side, found = x.shape[1], {}
    box = dict(zip(records.CLASSES, slots(side), strict=True))
    for row in compose.ROWS:
        down = _averages(side, box[row[0]][1::2], CANVAS[0])
        across = np.stack([_averages(side, box[k][::2], CANVAS[1]) for k in row])
        band = np.matmul(down, x)  # (n, height, side)
        cut = np.matmul(band[:, None], across.transpose(0, 2, 1))
        found |= {name: cut[:, k] for k, name in enumerate(row)}
    return np.stack([found[name] for name in records.CLASSES], 1)


def _averages(side, ends, count):
    """(count, side) float32: means over even parts of the pixels between two ends."""
    edges = np.linspace(*ends, count + 1)
    pixel = np.arange(side)
    low = np.maximum(edges[:-1, None], pixel)
    high = np.minimum(edges[1:, None], pixel + 1)
    shared = np.maximum(high - low, 0)
    return (shared / shared.sum(1, keepdims=True)).astype(np.float32)


def at(points, side):
    """(n,) the place that points (n, 2) x, y lie in, as a number in `records.CLASSES`.

    What lies outside belongs to the nearest edge.
    """
    box = slots(side)
    x, y = np.clip(points, 0, side * (1 - 1e-9)).T[..., None]
    inside = (box[:, 0] <= x) & (x < box[:, 2]) & (box[:, 1] <= y) & (y < box[:, 3])
    return inside.argmax(1)


def standing(pieces, side):
    """(n,) the place of each piece, as a number in `records.CLASSES`."""
    return at(pieces.middle, side)


def counts(images):
    """(n, 24) how many chromosomes stand in each place of each karyogram."""
    pieces = cutting.pieces(images)
    found = np.zeros((len(images), len(records.CLASSES)), int)
    np.add.at(found, (pieces.image, standing(pieces, images.x.shape[1])), 1)
    return found


def checked(images):
    """The karyograms, refused unless places hold what belongs there.

    Nearly all pairs' places hold some chromosomes, all in the middle, and these become
    shorter along each row.
    """
    pieces = cutting.pieces(images)
    held = counts(images)[:, :PAIRS]
    full = ((held > 0) & (held <= MOST)).mean()
    inside = _inside(pieces, images.x.shape[1])
    falling = _falling(pieces, images.x.shape[1])
    if full < FULL or inside < INSIDE or falling < FALLING:
        raise LayoutError(
            f"{full:.0%} of the places of 1 to 22 hold chromosomes, {inside:.0%} of "
            f"all chromosomes stand within a place, lengths follow at {falling:.2f}: "
            "these karyograms are not in the papers' layout (data.compose.ROWS), so "
            "nobody knows what stands where; give single chromosomes with classes and "
            "cells as the source, from which karyograms are arranged, or leave out "
            "what compares places"
        )
    return images


def _inside(pieces, side):
    """The share of pieces that stand in the middle of their place."""
    box = slots(side)[standing(pieces, side)]
    middle = (box[:, :2] + box[:, 2:]) / 2
    away = np.abs(pieces.xyxy - np.tile(middle, 2)).reshape(-1, 2, 2).max(1)
    return (away <= MIDDLE * (box[:, 2:] - middle)).all(1).mean() if len(box) else 0.0


def _falling(pieces, side):
    """How well chromosomes become shorter from place to place of a row."""
    place = standing(pieces, side)
    height = pieces.xyxy[:, 3] - pieces.xyxy[:, 1]
    number, short = [], []
    for row in compose.ROWS:
        row = [records.CLASSES.index(name) for name in row]
        row = [k for k in row if k < PAIRS and (place == k).any()]
        middle = np.array([np.median(height[place == k]) for k in row])
        number += list(np.array(row) - np.mean(row)) if row else []
        short += list(middle.mean() - middle) if row else []
    if np.ptp(short or [0]) == 0:
        return 0.0
    return float(np.corrcoef(number, short)[0, 1])
