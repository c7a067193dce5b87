"""Average precision by hand on drawn boxes, and on resamples."""

import copy

import numpy as np
import pytest

from chromolib import records
from chromolib.detect import coco, oriented


def boxes(*rows, score=None):
    """Boxes of (x0, y0, x1, y1, label)."""
    return records.Boxes([row[:4] for row in rows], [row[4] for row in rows], score)


A, B, C = (0, 0, 10, 10, "1"), (20, 0, 30, 10, "1"), (40, 0, 50, 10, "2")


def test_all_found_and_none_found():
    truth = [boxes(A, B, C)]
    perfect = coco.scores(coco.evaluate(truth, truth, classes=("1", "2", "X")))
    assert set(perfect.values()) == {1.0}
    nothing = coco.scores(coco.evaluate(truth, [boxes()], classes=("1", "2")))
    assert set(nothing.values()) == {0.0}


def test_precision_by_hand():
    """Right, wrong, right: precision 1 up to recall 1/2, then 2/3 up to 1."""
    truth = [boxes(A, B)]
    found = [boxes(A, (0, 50, 10, 60, "1"), B, score=[0.9, 0.8, 0.7])]
    result = coco.scores(coco.evaluate(truth, found, classes=("1",)))
    by_hand = (51 * 1 + 50 * 2 / 3) / 101
    assert result["AP50"] == pytest.approx(by_hand)
    assert result["mAP"] == pytest.approx(by_hand)
    assert result["recall50"] == 1


def test_overlap_decides_at_which_thresholds_a_box_counts():
    found = [boxes((0, 0, 10, 8, "1"), score=[0.9])]  # overlap .8
    result = coco.scores(coco.evaluate([boxes(A)], found, classes=("1",)))
    assert (result["AP50"], result["AP75"]) == (1, 1)
    assert result["mAP"] == pytest.approx(0.7)  # .5 to .8 of ten
    assert result["AR"] == pytest.approx(0.7)


def test_a_wrong_name_counts_unless_names_are_not_asked():
    truth, found = [boxes(A, C)], [boxes(A, (*C[:4], "1"))]
    named = coco.evaluate(truth, found, classes=("1", "2"))
    assert coco.scores(named)["recall50"] == 0.5  # all of 1, none of 2
    alone = coco.evaluate(truth, found, classes=("1", "2"), named=False)
    assert coco.scores(alone)["mAP"] == 1


def test_a_class_that_is_not_there_counts_for_nothing():
    found = coco.evaluate([boxes(A)], [boxes(A)], classes=("1", "Y"))
    assert coco.scores(found)["mAP"] == 1


def test_fields_without_any_box():
    nothing = coco.evaluate([boxes()], [boxes()], classes=("1",))
    drawn = coco.resampled(nothing, np.ones((3, 1), int))
    for value in (*coco.scores(nothing).values(), *drawn.values()):
        assert np.isnan(value).all()


def test_forty_six_and_more_boxes_count():
    """COCO's usual hundred boxes would cut; a twin of 250 finds all."""
    rows = [(i % 20 * 12, i // 20 * 12, i % 20 * 12 + 9, i // 20 * 12 + 9, "1")
            for i in range(250)]  # fmt: skip
    truth = [boxes(*rows)]
    assert coco.scores(coco.evaluate(truth, truth, classes=("1",)))["recall50"] == 1


def test_outlines_tell_apart_what_upright_boxes_do_not():
    one, other = (20, 20, 30, 6, np.pi / 4), (20, 20, 30, 6, 3 * np.pi / 4)
    truth, found = (
        [oriented.record(np.array([each]), ["1"], [1.0], 64)] for each in (one, other)
    )
    upright = coco.scores(coco.evaluate(truth, found, classes=("1",)))
    along = coco.scores(coco.evaluate(truth, found, classes=("1",), outlines=True))
    assert (upright["mAP"], along["AP50"]) == (1, 0)
    same = coco.scores(coco.evaluate(truth, truth, classes=("1",), outlines=True))
    assert same["mAP"] == 1


@pytest.mark.parametrize("named", [True, False])
def test_a_resample_is_what_the_images_evaluated_again_give(named):
    """Of fields with boxes that compete, wrong names, a name that is missing in most,
    and one without any box."""
    rng = np.random.default_rng(0)
    truth, found = [boxes()], [boxes(A, score=[0.3])]
    for i in range(8):
        corner = rng.random((12, 2)) * 60
        label = rng.choice(["1", "2", "X" if i == 3 else "2"], 12)
        truth.append(records.Boxes(np.c_[corner, np.add(corner, (9, 15))], label))
        which = rng.integers(12, size=30)
        moved = corner[which] + rng.normal(size=(30, 2))
        label = np.where(rng.random(30) < 0.7, label[which], "1")
        moved = np.c_[moved, np.add(moved, (9, 15))]
        found.append(records.Boxes(moved, label, rng.random(30)))
    how = {"classes": ("1", "2", "X"), "named": named}
    whole = coco.evaluate(truth, found, **how)
    picks = [[*range(9)], *rng.integers(9, size=(5, 9))]
    drawn = coco.resampled(
        whole, np.array([np.bincount(p, minlength=9) for p in picks])
    )
    for k, which in enumerate(picks):
        part = ([each[i] for i in which] for each in (truth, found))
        again = coco.scores(coco.evaluate(*part, **how))
        for name, values in drawn.items():
            assert values[k] == pytest.approx(again[name]), (name, k)
    assert len(set(drawn["mAP"].round(6))) > 4


def test_what_is_given_stays_as_it_was():
    truth = [boxes(A)]
    before = copy.deepcopy(truth[0])
    coco.evaluate(truth, truth, classes=("1",))
    np.testing.assert_array_equal(truth[0].xyxy, before.xyxy)


def test_images_must_correspond():
    with pytest.raises(ValueError, match="1 images with truth, 2 with"):
        coco.evaluate([boxes(A)], [boxes(A)] * 2, classes=("1",))
