"""What is in a box and in no other: crops of one chromosome each.

`own(ink, boxes)` -> the ink of each box, (height, width), as large as the box
`outline(mask, corner)` -> (k, 2) x, y around the largest part of a mask

# Strategy: a slanting chromosome fills its box along one diagonal, and others reach
into the corners. So what lies in several boxes is first of that whose middle is
nearest, as a share of its sides. Then the ink of each box says how its chromosome lies:
it is a normal density, and a pixel goes to the likeliest. Crossing ones are whole.
"""

import dataclasses

import numpy as np
from skimage import measure

SMOOTH = 1.0  # pixels that an outline may lie beside the mask's edge
DARK = 40  # of 255, from which ink is chromosome
FEWEST = 30  # pixels of ink that say how a chromosome lies
TURNS = 2  # times that pixels go to the likeliest
WITHIN = 2.0  # squared distance from a middle, in deviations, where two may cross
SOFT = 2.0  # square pixels by which each is wider


@dataclasses.dataclass(frozen=True, eq=False)
class _Box:
    """A box on the pixels, and those that it shares some with, itself the first."""

    place: tuple  # slices
    x: np.ndarray  # (width,) middles of pixels, as y
    y: np.ndarray
    near: np.ndarray  # (m,) indices of boxes
    away: np.ndarray  # (m, height, width) from the middle, as a share of its sides


def own(ink, boxes, sure=None):
    """The ink of each box that is of its own chromosome rather than of another's.

    A box that is not `sure`, (n,) bool, takes nothing from another.
    """
    sure = np.ones(len(boxes), bool) if sure is None else sure
    laid = [*_laid(ink.shape, boxes, sure)]
    mine = [one.away.argmin(0) == 0 for one in laid]
    for _ in range(TURNS):
        pairs = zip(laid, mine, strict=True)
        how = [_lies(one, its & (ink[one.place] > DARK)) for one, its in pairs]
        mine = [_likeliest(one, [how[j] for j in one.near]) for one in laid]
    return [ink[one.place] * its for one, its in zip(laid, mine, strict=True)]


def _laid(shape, boxes, sure):
    low = np.floor(np.maximum(boxes[:, :2], 0)).astype(int)
    high = np.minimum(np.ceil(boxes[:, 2:]), shape[::-1]).astype(int)
    high = np.maximum(high, low + 1)
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    half = np.maximum((boxes[:, 2:] - boxes[:, :2]) / 2, 0.5)
    for k, ((x0, y0), (x1, y1)) in enumerate(zip(low, high, strict=True)):
        near = (low < high[k]).all(1) & (high > low[k]).all(1) & sure
        near[k] = False
        near = np.r_[k, np.flatnonzero(near)]
        x, y = np.arange(x0, x1) + 0.5, np.arange(y0, y1) + 0.5
        across = np.abs(x - middle[near, :1]) / half[near, :1]
        along = np.abs(y - middle[near, 1:]) / half[near, 1:]
        away = np.maximum(across[:, None], along[:, :, None])
        yield _Box(np.s_[y0:y1, x0:x1], x, y, near, away)


def _lies(box, mask):
    """Middle and covariance of some pixels of a box; of too few, those of the box."""
    across, along = mask.sum(0), mask.sum(1)
    if across.sum() < FEWEST:
        across, along = np.ones(len(box.x)), np.ones(len(box.y))
        mask = np.outer(along, across)
    n = across.sum()
    x, y = across @ box.x / n, along @ box.y / n
    dx, dy = box.x - x, box.y - y
    both = dy @ mask @ dx / n
    wide, high = across @ dx**2 / n + SOFT, along @ dy**2 / n + SOFT
    return x, y, wide, high, both


def _likeliest(box, how):
    """Which pixels of a box are its own, where chromosomes lie so."""
    far = [_far(box, *one) for one in how]
    size = [np.log(wide * high - both**2) for *_, wide, high, both in how]
    said = np.array([f + s for f, s in zip(far, size, strict=True)])
    said[1:][box.away[1:] > 1] = np.inf
    return (said.argmin(0) == 0) | (far[0] <= WITHIN)


def _far(box, x, y, wide, high, both):
    """The squared distance of each pixel from a middle, in deviations."""
    dx, dy = box.x - x, (box.y - y)[:, None]
    shape = wide * high - both**2
    return (high * dx**2 + wide * dy**2 - 2 * both * dx * dy) / shape


def outline(mask, corner):
    """The outline of the largest part of a mask whose upper left is at `corner`."""
    lines = measure.find_contours(np.pad(mask, 1).astype(float), 0.5)
    longest = measure.approximate_polygon(max(lines, key=len), SMOOTH)
    return longest[:-1, ::-1] - 0.5 + corner
