"""A field as a square of ink, and boxes there and back."""

import numpy as np
import pytest

from chromolib.detect import squares


@pytest.mark.parametrize("shape", [(64, 96), (96, 64), (80, 80)])
def test_boxes_go_there_and_back(shape):
    grey = np.full(shape, 250, np.uint8)
    grey[20:40, 30:36] = 20
    made = squares.square(grey, 128)
    box = np.array([[30.0, 20.0, 36.0, 40.0]])
    on = made.onto(box)
    np.testing.assert_allclose(made.back(on), box)
    x0, y0, x1, y1 = on[0]
    inside = made.ink[round(y0) + 2 : round(y1) - 2, round(x0) + 2 : round(x1) - 2]
    assert inside.min() > 150
    assert made.ink[: round(y0) - 4].max() < 60
    assert squares.seen(made.ink).max() <= 1


def test_a_blank_field_has_no_ink():
    assert not squares.square(np.full((90, 70), 7, np.uint8), 64).ink.any()
