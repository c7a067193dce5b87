"""Anchors where chromosomes are, and offsets that lead back."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from chromolib.detect import boxes, families, targets

SOME = st.lists(
    st.tuples(*[st.floats(-20, 80, width=32)] * 2, *[st.floats(0.5, 60, width=32)] * 2),
    min_size=1,
    max_size=6,
)


def made(rows):
    rows = np.array(rows, np.float32)
    return np.concatenate([rows[:, :2], rows[:, :2] + rows[:, 2:]], 1)


def slow_iou(a, b):
    """Overlap of two boxes in so many words."""
    wide = max(0.0, min(a[2], b[2]) - max(a[0], b[0]))
    high = max(0.0, min(a[3], b[3]) - max(a[1], b[1]))
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return wide * high / (sum(areas) - wide * high)


@settings(deadline=None, max_examples=25)
@given(SOME, SOME)
def test_overlap_is_what_two_boxes_give_one_by_one(some, other):
    a, b = made(some), made(other)
    slow = [[slow_iou(x, y) for y in b.astype(float)] for x in a.astype(float)]
    np.testing.assert_allclose(np.asarray(boxes.iou(a, b)), slow, atol=1e-4)


def test_a_box_without_size_overlaps_nothing():
    both = np.array([[3, 3, 3, 3], [0, 0, 9, 9]], "f")
    assert np.asarray(boxes.iou(both, both))[0].tolist() == [0, 0]


def test_offsets_lead_back():
    rng = np.random.default_rng(0)
    anchors, truth = (
        made(np.c_[rng.random((20, 2)) * 80, 5 + rng.random((20, 2)) * 30])
        for _ in range(2)
    )
    for variance in ((1, 1, 1, 1), (0.1, 0.1, 0.2, 0.2)):
        offsets = boxes.encode(truth[None], anchors, variance)
        back = np.asarray(boxes.decode(offsets, anchors, variance))[0]
        np.testing.assert_allclose(back, truth, atol=1e-2)


def test_sizes_stay_finite_whatever_a_network_says():
    wild = np.full((1, 1, 4), 1e6, "f")
    for variance in ((1, 1, 1, 1), (0.1, 0.1, 0.2, 0.2)):
        assert np.isfinite(
            boxes.decode(wild, np.array([[0, 0, 8, 8]], "f"), variance)
        ).all()


def test_anchors_stand_in_the_order_of_a_map():
    anchors, strides = boxes.anchors(16, (8, 16), [[(4, 2), (2, 4)], [(8, 8)]])
    middle, sides = boxes.centred(anchors)
    assert middle.tolist()[:4] == [[4, 4], [4, 4], [12, 4], [12, 4]]
    assert sides.tolist()[:2] == [[4, 2], [2, 4]]
    assert strides.tolist() == [8] * 8 + [16]
    assert anchors[-1].tolist() == [4, 4, 12, 12]


def test_shapes_keep_the_area():
    sides = boxes.shapes((10, 20), (1 / 4, 1, 4))
    np.testing.assert_allclose(sides.prod(1), [100] * 3 + [400] * 3)
    np.testing.assert_allclose(sides[0], (20, 5))


ONE = ("chromosome",)
SIDES = ((12, 40), (40, 12), (30, 30), (10, 16), (16, 54))  # of boxes in a field


def reach(anchors, width, height, *, size=320):
    """The best overlap of a chromosome's box at many places of a field."""
    at = np.random.default_rng(0).uniform(60, size - 60, (400, 2))
    truth = np.c_[at, np.add(at, (width, height))].astype("f")
    return np.asarray(boxes.iou(truth, anchors)).max(1)


def test_usual_anchors_reach_chromosomes_of_a_field():
    """Upright, lying, slanting, small and large: most have an anchor at .5."""
    for detector in (families.ssd(ONE), families.faster_rcnn(ONE)):
        for sides in SIDES:
            best = reach(detector.anchors, *sides)
            share = (best >= 0.5).mean()
            assert best.min() > 0.3, (detector.name, sides, best.min())
            assert share > 0.6, (detector.name, sides, share)


def test_every_chromosome_has_cells_that_may_find_it():
    detectors = [families.yolo_v5(ONE), families.yolo_v2(ONE, trunk="small")]
    for detector in [*detectors, families.yolo_tiny(ONE)]:
        rule = targets.near if detector.version == 5 else targets.cell
        at = np.random.default_rng(0).uniform(60, 260, (1, len(SIDES), 2))
        truth = np.concatenate([at, at + np.array(SIDES)], -1).astype("f")
        labels = np.zeros((1, len(SIDES)), "int32")
        eligible = rule(detector.anchors, detector.strides, truth, labels)
        assert np.asarray(eligible).any(1).all(), detector.name


def test_anchors_for_photographs_do_not_reach_them():
    anchors, _ = boxes.anchors(320, (16,), [boxes.shapes((64, 128), (0.5, 1, 2))])
    assert (reach(anchors, 12, 40) < 0.5).all()
