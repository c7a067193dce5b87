"""What is true of drawn chromosomes: boxes, outlines, masks and axes.

`boxes(laid, corner, order, label)` -> Boxes; `outline(mask)` -> its edge
"""

import numpy as np
from scipy import ndimage
from skimage import measure

from chromolib import records

INSIDE = 0.5  # of a pixel: covered so far, it is chromosome
EVERY, POINTS = 4, 64  # an outline keeps one point in so many, about so many at most


def boxes(laid, corner, order, label):
    """The truth about patches that stand at these corners, in that order."""
    truths = [_of_cover(laid.box(i)[1], corner[i]) for i in order]
    xyxy, masks, outlines = zip(*truths, strict=True)
    axes = tuple(laid.axis[i] + corner[i] for i in order)
    return records.Boxes(np.array(xyxy), label[order], None, outlines, masks, axes)


def _of_cover(cover, corner):
    """Bounds, the mask within them, and its outline, for a patch at this corner."""
    mask = cover >= min(INSIDE, cover.max())  # a fragment may be less than a pixel
    rows, columns = ndimage.find_objects(mask.view(np.int8))[0]
    bounds = columns.start, rows.start, columns.stop, rows.stop
    box = np.array(bounds) + np.tile(corner, 2)
    return box, mask[rows, columns], outline(mask[rows, columns]) + box[:2]


def outline(mask):
    """The outer edge of a mask, (k, 2) x, y, with the points that touch its bounds."""
    lines = measure.find_contours(np.pad(mask, 1).astype(np.float32), 0.5)
    line = max(lines, key=len)[:-1, ::-1] - 0.5
    shown = np.arange(len(line)) % max(EVERY, len(line) // POINTS) == 0
    shown[[*line.argmin(0), *line.argmax(0)]] = True
    return line[shown]
