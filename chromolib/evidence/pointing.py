"""Does a map point at what is abnormal? The pointing game, and what luck would score.

`game(maps, boxes, pictures, groups, *, rng, words)` -> name -> Estimate
`peaks(maps, pictures)` -> (n, 2) x, y of the highest pixel of each map

A peak is looked for within the chromosome only, for the box lies there too: a map is
judged by where on the chromosome it points, and a random pixel of ink is a fair rival.
"""

import types

import numpy as np
import pandas as pd

from chromolib.evidence import between, resample

INK = 0.05  # above it a pixel is of a chromosome
WHOLE = 0.95  # of the ink in a box: wherever a map points, it hits
HIT = "pointing hit rate"
RIVALS = ("pointing by area share", "pointing at the centre")
FLAT = "maps without a peak"


def peaks(maps, pictures):
    """The pixel (x, y) of ink where each map is highest; of equal ones the first.

    First is the highest row, then the leftmost column: a map that is flat on the
    chromosome points at its tip, and is counted by `game` as one without a peak.
    """
    maps, ink = _inked(maps, pictures)
    flat = np.where(ink > 0, maps, -np.inf).reshape(len(maps), -1)
    y, x = np.unravel_index(flat.argmax(1), maps.shape[1:])
    return np.stack([x, y], 1)


def game(maps, boxes, pictures, groups, *, rng, words, draws=2000):
    """How often the peak of a map lies in the box, and by luck: name -> Estimate.

    Beside the "pointing hit rate" stand two rivals that see no map. "pointing by area
    share" is the share of the chromosome's pixels that lie in the box, the hit rate
    of a pixel drawn at random; "pointing at the centre" takes the centre of all ink.
    "difference from pointing …" is the hit rate less either, from the same resamples of
    groups. A box is (x0, y0, x1, y1), half-open, and holds a pixel by its middle; a
    picture whose box is None, or holds nearly all of its ink, has nothing to point at
    and does not count. `words` are those of Predictions.
    """
    sizes = {len(maps), len(boxes), len(pictures), len(groups)}
    if len(sizes) > 1:
        raise ValueError(f"maps, boxes, pictures and groups differ: {sorted(sizes)}")
    asked = np.array([i for i, box in enumerate(boxes) if box is not None], int)
    if not len(asked):
        raise ValueError("no picture has a box; give some with an abnormal stretch")
    maps, ink = _inked(np.asarray(maps)[asked], np.asarray(pictures)[asked], asked)
    inside = _inside(_boxes([boxes[i] for i in asked]), maps.shape[1:])
    scores = np.stack(_scores(maps, ink, inside), 1)
    part = scores[:, 1] < WHOLE
    if not part.any():
        raise ValueError("every box holds its whole picture; mark what is abnormal")
    which, names = pd.factorize(np.asarray(groups)[asked][part])
    scores = scores[part]
    tallies = _tallies(scores, which, len(names))
    told = types.SimpleNamespace(words=words)
    return resample.estimates(told, tallies, rng=rng, draws=draws)


def _inked(maps, pictures, places=None):
    """Maps and ink (n, h, w), 0 outside the chromosomes; refuses what has no peak."""
    maps, ink = np.asarray(maps, float), np.asarray(pictures, float)
    ink = ink[..., 0] if ink.ndim == 4 else ink
    if maps.ndim != 3 or maps.shape != ink.shape:
        raise ValueError(
            f"maps are {maps.shape}, pictures {ink.shape}; give (n, h, w) of both"
        )
    if not np.isfinite(maps).all():
        raise ValueError("a map holds what is not a number; look for it in the model")
    ink = np.where(ink > INK, ink, 0)
    empty = ~ink.any((1, 2))
    if empty.any():
        place = empty.argmax() if places is None else places[empty.argmax()]
        raise ValueError(f"picture {place} has no ink above {INK}; leave it out")
    return maps, ink


def _boxes(boxes):
    """Boxes (n, 4) with something in them."""
    boxes = np.asarray(boxes, float).reshape(len(boxes), -1)
    if boxes.shape[1] != 4 or not (boxes[:, 2:] > boxes[:, :2]).all():
        raise ValueError("a box is x0, y0, x1, y1 with x0 < x1 and y0 < y1")
    return boxes


def _inside(boxes, shape):
    """Masks (n, h, w) of the pixels whose middle lies in the box."""
    down, across = (np.arange(size) + 0.5 for size in shape)
    x0, y0, x1, y1 = boxes.T[:, :, None]
    rows, columns = (down >= y0) & (down < y1), (across >= x0) & (across < x1)
    return rows[:, :, None] & columns[:, None, :]


def _scores(maps, ink, inside):
    """Of each picture: hit, share of area, centre hit, and whether its map is flat."""
    each = np.arange(len(maps))
    x, y = peaks(maps, ink).T
    area = ink > 0
    share = (area & inside).sum((1, 2)) / area.sum((1, 2))
    total = ink.sum((1, 2))
    middle = [
        (ink.sum(3 - axis) * (np.arange(ink.shape[axis]) + 0.5)).sum(1) / total
        for axis in (1, 2)
    ]
    # the pixel it falls in; what rounding takes from a border is given back
    down, across = (np.floor(one + 1e-9).astype(int) for one in middle)
    highest = np.where(area, maps, -np.inf).max((1, 2))
    flat = highest <= np.where(area, maps, np.inf).min((1, 2))
    hit, centred = inside[each, y, x], inside[each, down, across]
    return hit, share, centred, flat


def _tallies(scores, which, groups):
    """Shares, and by how much the first exceeds its rivals, of the same resamples."""
    sums = np.stack([np.bincount(which, one, groups) for one in scores.T * 1.0], 1)
    size = np.bincount(which, minlength=groups)[:, None]
    asked = np.repeat(size, sums.shape[1], 1)
    shares = resample.shares((HIT, *RIVALS, FLAT), sums, asked)

    def read(sums):
        return (sums[:, :1] - sums[:, 1:-1]) / resample.nonzero(sums[:, -1:])

    def ends(value, draws, groups, _):
        return between._difference(value, draws, groups, HIT)

    names = [f"difference from {name}" for name in RIVALS]
    table = np.concatenate([sums[:, : 1 + len(RIVALS)], size], 1)
    asked = np.repeat(size, len(names), 1)
    return shares, resample.tally(names, table, read, asked, ends=ends)
