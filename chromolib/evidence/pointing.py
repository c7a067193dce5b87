"""Does a map point at what is abnormal? The pointing game, and what luck would score.

`game(maps, boxes, pictures, groups, *, rng, words)` -> name -> Estimate
`peaks(maps, pictures)` -> (n, 2) x, y of the highest pixel of each map

A peak is looked for within the chromosome only, since the box lies there too: a map is
judged by where on the chromosome it points, and a random pixel of ink is a fair rival.
"""

import numpy as np
import pandas as pd
from scipy import ndimage

from chromolib.evidence import resample

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
    rows = np.where(ink > 0, maps, -np.inf).reshape(len(maps), -1)
    y, x = np.unravel_index(rows.argmax(1), maps.shape[1:])
    return np.stack([x, y], 1)


def game(maps, boxes, pictures, groups, *, rng, words):
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
    boxed = np.array([i for i, box in enumerate(boxes) if box is not None], int)
    if not len(boxed):
        raise ValueError("no picture has a box; give some with an abnormal stretch")
    maps, ink = _inked(np.asarray(maps)[boxed], np.asarray(pictures)[boxed], boxed)
    inside = _inside([boxes[i] for i in boxed], maps.shape[1:])
    scores = _scores(maps, ink, inside)
    partial = scores[:, 1] < WHOLE
    if not partial.any():
        raise ValueError("every box holds its whole picture; mark what is abnormal")
    codes, names = pd.factorize(np.asarray(groups)[boxed][partial])
    tallies = _tallies(scores[partial], codes, len(names))
    return resample.estimates(words, tallies, rng=rng)


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


def _inside(boxes, shape):
    """Masks (n, h, w) of the pixels whose middle lies in the box."""
    boxes = np.asarray(boxes, float).reshape(len(boxes), -1)
    if boxes.shape[1] != 4 or not (boxes[:, 2:] > boxes[:, :2]).all():
        raise ValueError("a box is x0, y0, x1, y1 with x0 < x1 and y0 < y1")
    down, across = (np.arange(size) + 0.5 for size in shape)
    x0, y0, x1, y1 = boxes.T[:, :, None]
    rows, columns = (down >= y0) & (down < y1), (across >= x0) & (across < x1)
    return rows[:, :, None] & columns[:, None, :]


def _scores(maps, ink, inside):
    """(n, 4): hit, share of area, centre hit, and whether the map is flat."""
    each, area = np.arange(len(maps)), ink > 0
    x, y = peaks(maps, ink).T
    share = (area & inside).sum((1, 2)) / area.sum((1, 2))
    centres = np.array([ndimage.center_of_mass(picture) for picture in ink])
    # the pixel it falls in; what rounding takes from a border is given back
    down, across = np.floor(centres + 0.5 + 1e-9).astype(int).T
    highest = np.where(area, maps, -np.inf).max((1, 2))
    flat = highest <= np.where(area, maps, np.inf).min((1, 2))
    hit, centred = inside[each, y, x], inside[each, down, across]
    return np.stack([hit, share, centred, flat], 1)


def _tallies(scores, codes, groups):
    """Rates, and by how much the first exceeds its rivals, of the same resamples."""
    sums = np.stack([np.bincount(codes, each, groups) for each in scores.T], 1)
    size = np.bincount(codes, minlength=groups)[:, None]
    support = np.repeat(size, sums.shape[1], 1)
    rates = resample.rates((HIT, *RIVALS, FLAT), sums, support)

    def read(sums):
        return (sums[:, :1] - sums[:, 1:-1]) / resample.nonzero(sums[:, -1:])

    names = tuple(f"difference from {name}" for name in RIVALS)
    table = np.concatenate([sums[:, : 1 + len(RIVALS)], size], 1)
    support, interval = support[:, : len(names)], resample.difference_interval
    return rates, resample.Tally(names, table, read, support, interval=interval)
