import numpy as np
import pytest

from chromolib import records

GOOD = {
    "study": "toy",
    "quantity": "recall",
    "value": 0.9,
    "low": 0.8,
    "high": 0.95,
    "n": 20,
    "groups": 5,
    "source": "synthetic",
    "protocol": "clean",
}


def test_an_estimate_shows_its_interval():
    assert str(records.Estimate(**GOOD)) == "0.9 [0.8, 0.95]"


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"value": 0.7}, "outside its own interval"),
        ({"high": float("nan")}, "outside its own interval"),
        ({"groups": 21}, "at most n"),
        ({"groups": 0}, "at least one"),
        ({"source": ""}, "names its source"),
    ],
)
def test_an_estimate_refuses_nonsense(change, complaint):
    with pytest.raises(ValueError, match=complaint):
        records.Estimate(**GOOD | change)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.95683, "0.957"),
        (0.999957, "0.999957"),
        (1803.0, "1,803"),
        (0.0, "0"),
        (-2.8e-17, "0"),
        (12.7, "12.7"),
        (7.1e-8, "7.1e-08"),
        (1472.4, "1,472"),
        ("word", "word"),
        (None, ""),
        (1.0, "1"),
    ],
)
def test_digits(value, text):
    assert records.digits(value) == text


def two(**drawn):
    """Two boxes, of 3 by 2 and of 2 by 4 pixels."""
    return records.Boxes([[0, 0, 3, 2], [5.4, 1, 7.4, 5]], ["1", "X"], **drawn)


MASKS = (np.ones((2, 3), bool), np.ones((4, 2), bool))
AXES = (np.array([[0, 1], [3, 1.0]]), np.array([[6, 1], [6, 5.0]]))


def test_masks_and_axes_go_with_their_boxes():
    one = two(mask=MASKS, axis=AXES).take([1])
    assert one.label.tolist() == ["X"]
    assert one.mask[0] is MASKS[1]
    assert one.axis[0] is AXES[1]
    assert one.polygon == ()


def test_a_box_may_have_no_mask_while_its_neighbour_has():
    assert two(mask=(None, MASKS[1]), axis=(AXES[0], None)).take([0]).mask == (None,)


@pytest.mark.parametrize(
    ("drawn", "complaint"),
    [
        ({"mask": MASKS[:1]}, "masks and axes differ"),
        ({"axis": AXES[:1]}, "masks and axes differ"),
        ({"mask": MASKS[::-1]}, "its box"),
        ({"mask": (MASKS[0].astype(int), MASKS[1])}, "a mask is int"),
        ({"axis": (AXES[0], np.zeros(4))}, "an axis has shape"),
        ({"axis": (AXES[0], np.zeros((1, 2)))}, "an axis has shape"),
        ({"axis": (AXES[0], AXES[1] * np.nan)}, "not a number"),
    ],
)
def test_boxes_refuse_a_mask_or_an_axis_of_another_shape(drawn, complaint):
    with pytest.raises(ValueError, match=complaint):
        two(**drawn)


def test_what_rounds_to_one_is_written_as_one():
    assert records.digits(0.9999) == "0.9999"
    assert records.digits(1 - 1e-12) == "1"
