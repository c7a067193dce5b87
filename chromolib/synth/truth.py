"""What is true of drawn chromosomes: boxes, outlines, masks and axes.

`boxes(laid, corner, order, label)` -> Boxes; `outline(mask)` -> its edge
"""

import numpy as np
from skimage import measure

from chromolib import records

INSIDE = 0.5  # of a pixel: covered so far, it is chromosome
EVERY, POINTS = 4, 64  # an outline keeps one point in so many, about so many at most


def boxes(laid, corner, order, label):
    """The truth about patches that stand at these corners, in that order."""
    rows = [_one(laid.box(i)[1], corner[i]) for i in order]
    xyxy, masks, outlines = zip(*rows, strict=True)
    axes = tuple(laid.axis[i] + corner[i] for i in order)
    return records.Boxes(np.array(xyxy), label[order], None, outlines, masks, axes)


def _one(cover, corner):
    """Bounds, the mask within them, and its outline, for a patch at this corner."""
    mask = cover >= min(INSIDE, cover.max())  # a fragment may be less than a pixel
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    low = np.array([columns[0], rows[0]])
    high = np.array([columns[-1], rows[-1]]) + 1
    tight = mask[low[1] : high[1], low[0] : high[0]]
    box = np.concatenate([low + corner, high + corner])
    return box, tight, outline(tight) + box[:2]


def outline(mask):
    """The outer edge of a mask, (k, 2) x, y, with the points that touch its bounds."""
    lines = measure.find_contours(np.pad(mask, 1).astype(np.float32), 0.5)
    line = max(lines, key=len)[:-1, ::-1] - 0.5
    kept = np.arange(len(line)) % max(EVERY, len(line) // POINTS) == 0
    kept[[*line.argmin(0), *line.argmax(0)]] = True
    return line[kept]
