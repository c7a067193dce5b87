"""Single chromosomes: a picture, and the truth that belongs to it."""

import numpy as np
import pytest

from chromolib.imaging import normalise
from chromolib.synth import lab, singles


@pytest.fixture(scope="module", params=["g", "q"])
def drawn(request):
    """A cell of each look on canvases."""
    cell = lab.cell("46,XY", look=request.param, seed=4)
    return cell, *singles.draw(cell, canvas=96)


def test_a_mask_fills_its_box(drawn):
    _, _, truth = drawn
    for boxes in truth:
        mask, (x0, y0, x1, y1) = boxes.mask[0], boxes.xyxy[0]
        assert mask.shape == (y1 - y0, x1 - x0)
        assert all(side.any() for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def test_the_mask_is_where_the_stain_is(drawn):
    _, packed, truth = drawn
    for k in range(0, 46, 5):
        seen = normalise.foreground(normalise.ink(packed[k]))
        x0, y0, x1, y1 = truth[k].xyxy[0].astype(int)
        told = np.zeros_like(seen)
        told[y0:y1, x0:x1] = truth[k].mask[0]
        assert (seen & told).sum() > 0.75 * (seen | told).sum()


def test_the_axis_runs_inside_from_the_short_arm(drawn):
    _cell, packed, truth = drawn
    for k in (0, 10, 26):
        axis = truth[k].axis[0]
        x0, y0, x1, y1 = truth[k].xyxy[0]
        assert ((axis >= (x0 - 2, y0 - 2)) & (axis <= (x1 + 2, y1 + 2))).all()
        assert axis[0, 1] < axis[-1, 1]
        assert packed[k].shape == (96, 96)


def test_a_canvas_holds_the_whole_cell_however_small():
    _packed, truth = singles.draw(lab.cell("46,XX"), canvas=48)
    assert all(one.xyxy.min() >= 1 and one.xyxy.max() <= 47 for one in truth)
    lengths = [len(one.mask[0]) for one in truth]
    assert lengths[0] > 2 * lengths[41]  # sizes still compare


def test_a_cut_out_chromosome_is_tight():
    packed, truth = singles.draw(lab.cell("46,XX"))
    image = packed[0]
    assert all((side < 255).any() for side in (image[0], image[-1], image[:, 0]))
    assert truth[0].xyxy.min() >= 0
    assert truth[0].xyxy[0, 3] <= len(image)


def test_dark_on_light_and_light_on_dark(drawn):
    cell, packed, _ = drawn
    assert {"g": "dark", "q": "light"}[cell.look] == normalise.polarity(packed[0])


def test_a_ring_has_a_hole():
    cell = lab.cell("46,XX,r(4)(p16q35)")
    which = [k for k, one in enumerate(cell.homologues) if one.ring]
    _, truth = singles.draw(cell, canvas=120)
    mask = truth[which[0]].mask[0]
    middle = mask[tuple(side // 2 for side in mask.shape)]
    assert not middle
    assert mask.any(0).all()
    assert mask.any(1).all()


def test_a_set_carries_karyotype_group_and_provenance():
    found = singles.images(lab.cells(3, abnormal=1.0, seed=1))
    assert found.provenance == "synthetic"
    assert found.origin == "synthetic"
    assert len(set(found.cell)) == 3
    assert len(set(found.group)) == 2
    assert all(
        found.extra["iscn"][found.cell == found.cell[0]] == found.extra["iscn"][0]
    )
    assert (
        found.fingerprint
        == singles.images(lab.cells(3, abnormal=1.0, seed=1)).fingerprint
    )
