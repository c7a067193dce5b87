"""Values inside boxes against scipy's interpolation."""

import numpy as np
import pytest
from scipy import ndimage

from chromolib.detect import rois

RNG = np.random.default_rng(0)
MAPS = RNG.random((2, 12, 10, 18)).astype("f")
BOXES = np.array(
    [[[8, 8, 40, 60], [0, 0, 80, 96], [33, 21, 37, 25]]] * 2, "f"
)  # of an image eight times as large
BOXES[1] += 3


def slow(image, x, y):
    """One channel at one point, the border beyond the border."""
    return ndimage.map_coordinates(
        image, [[y - 0.5], [x - 0.5]], order=1, mode="nearest"
    )


def bins(box, count, points):
    """The points of each part of a box, by row and column."""
    x0, y0, x1, y1 = box / 8
    share = (np.arange(count * points) + 0.5) / (count * points)
    return x0 + (x1 - x0) * share, y0 + (y1 - y0) * share


@pytest.mark.parametrize("points", [1, 2])
def test_align_is_what_scipy_reads(points):
    fast = np.asarray(rois.align(MAPS, BOXES, stride=8, bins=4, points=points))
    assert fast.shape == (2, 3, 4, 4, 18)
    for i, r, c in ((0, 0, 0), (0, 1, 5), (1, 2, 17), (1, 1, 3)):
        x, y = bins(BOXES[i, r], 4, points)
        read = np.array([[slow(MAPS[i, :, :, c], a, b)[0] for a in x] for b in y])
        wanted = read.reshape(4, points, 4, points).mean((1, 3))
        np.testing.assert_allclose(fast[i, r, :, :, c], wanted, atol=1e-5)


def test_vote_reads_each_part_in_its_own_maps():
    fast = np.asarray(rois.vote(MAPS, BOXES, stride=8, bins=3, points=2))
    assert fast.shape == (2, 3, 2)
    for i, r, c in ((0, 0, 0), (0, 1, 1), (1, 2, 0)):
        x, y = bins(BOXES[i, r], 3, 2)
        total = 0
        for row, b in enumerate(y):
            for column, a in enumerate(x):
                part = row // 2 * 3 + column // 2
                total += slow(MAPS[i, :, :, 2 * part + c], a, b)[0]
        np.testing.assert_allclose(fast[i, r, c], total / 36, atol=1e-5)


def test_outside_is_the_border_or_nothing():
    maps = np.ones((1, 4, 4, 1, 1), "f")
    x, y = np.array([[2.0, -9.0, 0.25]]), np.array([[2.0, 2.0, 2.0]])
    x, y = x.astype("f"), y.astype("f")
    assert np.asarray(rois.sample(maps, x, y)).ravel().tolist() == [1, 1, 1]
    ends = np.asarray(rois.sample(maps, x, y, outside=True)).ravel()
    np.testing.assert_allclose(ends, [1, 0, 0.75])
