"""Karyograms: every class in its place, short arms up, whatever moves."""

import contextlib

import numpy as np
import pytest

from chromolib import records
from chromolib.data import compose
from chromolib.synth import karyogram, lab, looks

ROW = {name: k for k, row in enumerate(compose.ROWS) for name in row}


@pytest.fixture(
    scope="module",
    params=[("g", "papers"), ("q", "papers"), ("q", "framed"), ("g", "framed")],
    ids="-".join,
)
def drawn(request):
    look, layout = request.param
    cell = lab.cell("47,XY,+21", look=look, seed=5)
    return cell, *karyogram.draw(cell, layout=layout)


def test_every_chromosome_is_there_in_the_order_of_iscn(drawn):
    cell, _, boxes = drawn
    order = [records.CLASSES.index(name) for name in boxes.label]
    assert order == sorted(order)
    assert sorted(boxes.label) == sorted(cell.label)
    assert (boxes.label == "21").sum() == 3


def test_homologues_stand_side_by_side_in_their_row(drawn):
    boxes = drawn[2]
    middle = (boxes.xyxy[:, 1] + boxes.xyxy[:, 3]) / 2
    rows = np.array([ROW[name] for name in boxes.label])
    for k in range(3):
        assert middle[rows == k].max() < middle[rows == k + 1].min()
    for name in ("1", "12", "21"):
        pair = boxes.xyxy[boxes.label == name]
        assert (pair[:-1, 2] <= pair[1:, 0] + 2).all()


def test_short_arms_are_up(drawn):
    assert all(axis[0, 1] < axis[-1, 1] for axis in drawn[2].axis)


def test_boxes_masks_and_outlines_agree(drawn):
    _, image, boxes = drawn
    assert boxes.xyxy.min() >= 0
    assert boxes.xyxy.max() <= len(image)
    for box, mask, outline in zip(boxes.xyxy, boxes.mask, boxes.polygon, strict=True):
        assert all(side.any() for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
        np.testing.assert_allclose([*outline.min(0), *outline.max(0)], box)


def test_masks_are_where_the_stain_is(drawn):
    cell, image, boxes = drawn
    stain = 255 - image.astype(int) if looks.DARK[cell.look] else image.astype(int)
    told = np.zeros(image.shape, bool)
    for (x0, y0, x1, y1), mask in zip(boxes.xyxy.astype(int), boxes.mask, strict=True):
        told[y0:y1, x0:x1] |= mask
    assert stain[told].mean() > 10 * stain[~told].mean()


def test_boxes_of_a_marker_have_a_slot_of_their_own():
    for layout in karyogram.LAYOUTS:
        cell = lab.cell("47,XX,+mar")
        _, boxes = karyogram.draw(cell, layout=layout)
        assert (boxes.label == "mar").sum() == 1
        mar = boxes.xyxy[boxes.label == "mar"][0]
        others = boxes.xyxy[boxes.label != "mar"]
        apart = (others[:, :2] >= mar[2:]).any(1) | (others[:, 2:] <= mar[:2]).any(1)
        assert apart.all()


@contextlib.contextmanager
def spread(monkeypatch, times):
    """Tilts, bends and places so many times as far apart."""
    with monkeypatch.context() as patch:
        for name in ("TILT", "JITTER", "STRAIGHTENED"):
            patch.setattr(karyogram, name, times * getattr(karyogram, name))
        bent = {name: times * most for name, most in karyogram.BENT.items()}
        patch.setattr(karyogram, "BENT", bent)
        yield


def test_spread_moves_every_chromosome_and_none_out_of_its_place(monkeypatch):
    cell, drawn = lab.cell("46,XX", seed=3), []
    for times in (0.0, 2.0):
        with spread(monkeypatch, times):
            drawn.append(karyogram.draw(cell)[1])
    calm, wild = drawn
    lean = [np.abs(axis[-1] - axis[0])[0] for axis in (*calm.axis, *wild.axis)]
    assert np.median(lean[46:]) > 3 * np.median(lean[:46])
    assert calm.label.tolist() == wild.label.tolist()
    slots = karyogram._slots(cell.label, 416, "papers")
    for box, name in zip(wild.xyxy, wild.label, strict=True):
        x, y, width, height = slots[name]
        assert (box >= np.array([x, y, x, y]) - 3).all()
        assert (box <= np.array([x, y, x, y]) + np.tile([width, height], 2) + 3).all()


def test_the_same_cell_gives_the_same_karyogram_and_another_seed_another():
    first, again, other = (
        karyogram.draw(lab.cell("46,XX", seed=seed))[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_centromeres_stand_level_in_frames(monkeypatch):
    with spread(monkeypatch, 0.0):
        _, boxes = karyogram.draw(lab.cell("46,XX"), layout="framed")
    pair = [
        axis for axis, name in zip(boxes.axis, boxes.label, strict=True) if name == "3"
    ]
    assert abs(pair[0][0, 1] - pair[1][0, 1]) < 12


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"size": 64}, "size 64"),
        ({"layout": "round"}, "papers, framed"),
    ],
)
def test_what_cannot_be_drawn_is_refused(wrong, complaint):
    with pytest.raises(karyogram.KaryogramError, match=complaint):
        karyogram.draw(lab.cell("46,XX"), **wrong)
