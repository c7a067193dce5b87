"""What is in a box and in no other."""

import numpy as np
from skimage import draw

from chromolib.imaging import cut

TWO = np.array([[10, 10, 20, 30], [16, 10, 40, 30]], float)


def test_what_lies_in_two_boxes_is_of_one():
    first, second = (one > 0 for one in cut.own(np.full((64, 64), 200), TWO))
    assert first.shape == (20, 10)
    assert second.shape == (20, 24)
    assert first[:, :6].all()
    assert second[:, 4:].all()
    assert (first[:, 6:] ^ second[:, :4]).all()


def test_a_box_that_is_not_sure_takes_nothing_from_another():
    boxes = np.array([[10, 10, 20, 30], [9, 10, 15, 30]], float)
    for sure in (True, False):
        first, _ = cut.own(np.full((64, 64), 200), boxes, np.array([True, sure]))
        assert bool(first[10, 0]) is not sure


def rods(*ends):
    """The ink of rods from end to end, each alone, and their boxes."""
    inks = []
    for (x0, y0), (x1, y1) in ends:
        across = 5 * np.array([y1 - y0, x0 - x1]) / np.hypot(x1 - x0, y1 - y0)
        corners = np.array([[x0, y0], [x1, y1]])
        corners = np.concatenate([corners + across, corners[::-1] - across])
        inks.append(200 * draw.polygon2mask((128, 128), corners[:, ::-1]))
    edges = [np.argwhere(ink)[:, ::-1] for ink in inks]
    boxes = np.array([[*at.min(0), *at.max(0) + 1] for at in edges], float)
    return inks, boxes


def held(part, ink, box):
    """The share of a rod's ink that a crop has."""
    x0, y0, x1, y1 = box.astype(int)
    return ((part > 0) & (ink[y0:y1, x0:x1] > 0)).sum() / (ink > 0).sum()


def test_slanting_ones_side_by_side_are_told_apart_by_how_they_lie():
    inks, boxes = rods([(10, 60), (60, 10)], [(35, 65), (85, 15)])
    first, second = cut.own(np.maximum(*inks), boxes)
    assert held(first, inks[0], boxes[0]) > 0.97
    assert held(second, inks[1], boxes[1]) > 0.97
    assert held(first, inks[1], boxes[0]) < 0.03
    assert held(second, inks[0], boxes[1]) < 0.03


def test_of_two_that_cross_each_is_whole():
    inks, boxes = rods([(10, 60), (110, 60)], [(60, 10), (60, 110)])
    for part, ink, box in zip(
        cut.own(np.maximum(*inks), boxes), inks, boxes, strict=True
    ):
        assert held(part, ink, box) > 0.97


def test_boxes_that_reach_out_or_are_thinner_than_a_pixel_are_cut():
    sides = [[-5, -5, 9, 9], [120, 120, 140, 140], [50.2, 50.2, 50.3, 60]]
    inks = cut.own(np.full((128, 128), 200), np.array(sides))
    assert [ink.shape for ink in inks] == [(9, 9), (8, 8), (10, 1)]
