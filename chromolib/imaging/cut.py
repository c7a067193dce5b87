"""What is in a box and in no other: crops of one chromosome each.

`own(ink, boxes)` -> the ink of each box, (height, width), as large as the box
`outline(mask, corner)` -> (k, 2) x, y around the largest part of a mask
"""

import numpy as np
from skimage import measure

SMOOTH = 1.0  # pixels that an outline may lie beside the mask's edge


def own(ink, boxes, sure=None):
    """The ink of each box that no other box has nearer to its middle.

    A box that is not `sure`, (n,) bool, takes nothing from another.
    """
    sure = np.ones(len(boxes), bool) if sure is None else sure
    low = np.floor(np.maximum(boxes[:, :2], 0)).astype(int)
    high = np.minimum(np.ceil(boxes[:, 2:]), ink.shape[::-1]).astype(int)
    high = np.maximum(high, low + 1)
    middle, half = (boxes[:, :2] + boxes[:, 2:]) / 2, (boxes[:, 2:] - boxes[:, :2]) / 2
    half = np.maximum(half, 0.5)
    for k, ((x0, y0), (x1, y1)) in enumerate(zip(low, high, strict=True)):
        near = (low < high[k]).all(1) & (high > low[k]).all(1) & sure
        near[k] = True
        near = np.flatnonzero(near)
        x, y = np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5
        x = np.abs(x - middle[near, :1]) / half[near, :1]
        y = np.abs(y - middle[near, 1:]) / half[near, 1:]
        owner = near[np.maximum(x[:, None], y[:, :, None]).argmin(0)]
        yield ink[y0:y1, x0:x1] * (owner == k)


def outline(mask, corner):
    """The outline of the largest part of a mask whose upper left is at `corner`."""
    lines = measure.find_contours(np.pad(mask, 1).astype(float), 0.5)
    longest = measure.approximate_polygon(max(lines, key=len), SMOOTH)
    return longest[:-1, ::-1] - 0.5 + corner
