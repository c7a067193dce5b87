"""What is in a box and in no other."""

import numpy as np

from chromolib.imaging import cut

TWO = np.array([[10, 10, 20, 30], [16, 10, 40, 30]], float)


def test_what_lies_in_two_boxes_is_of_the_nearer_one():
    first, second = (one > 0 for one in cut.own(np.full((64, 64), 200), TWO))
    assert first.shape == (20, 10)
    assert second.shape == (20, 24)
    assert first[10, :8].all()
    assert not first[10, 9], "its right edge is the other's"
    assert not (first[:, 6:] & second[:, :4]).any(), "no pixel is of both"


def test_a_box_that_is_not_sure_takes_nothing_from_another():
    boxes = np.array([[10, 10, 20, 30], [9, 10, 15, 30]], float)
    for sure in (True, False):
        first, _ = cut.own(np.full((64, 64), 200), boxes, np.array([True, sure]))
        assert bool(first[10, 0]) is not sure


def test_boxes_that_reach_out_or_are_thinner_than_a_pixel_are_cut():
    sides = [[-5, -5, 9, 9], [120, 120, 140, 140], [50.2, 50.2, 50.3, 60]]
    inks = cut.own(np.full((128, 128), 200), np.array(sides))
    assert [ink.shape for ink in inks] == [(9, 9), (8, 8), (10, 1)]
