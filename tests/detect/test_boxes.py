"""Anchors where chromosomes are, and offsets that lead back."""

import math

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


def slow_ciou(a, b):
    """Complete overlap of two boxes in so many words (Zheng et al. 2020)."""
    overlap = slow_iou(a, b)
    (x, y), (u, v) = (((one[0] + one[2]) / 2, (one[1] + one[3]) / 2) for one in (a, b))
    wide = max(a[2], b[2]) - min(a[0], b[0])
    high = max(a[3], b[3]) - min(a[1], b[1])
    apart = ((x - u) ** 2 + (y - v) ** 2) / (wide**2 + high**2)
    angles = [math.atan((one[2] - one[0]) / (one[3] - one[1])) for one in (a, b)]
    shape = 4 / math.pi**2 * (angles[0] - angles[1]) ** 2
    weight = shape / (1 - overlap + shape) if shape else 0
    return overlap - apart - weight * shape


@settings(deadline=None, max_examples=25)
@given(SOME, SOME)
def test_complete_overlap_is_what_its_paper_says(some, other):
    a, b = (made(rows) for rows in zip(*zip(some, other, strict=False), strict=True))
    slow = [slow_ciou(*pair) for pair in zip(a, b, strict=True)]
    np.testing.assert_allclose(np.asarray(boxes.ciou(a, b)), slow, atol=1e-3)


@settings(deadline=None, max_examples=25)
@given(SOME)
def test_offsets_are_shares_of_the_anchor_and_logs_of_sides(some):
    anchor, truth = np.array([[10, 20, 30, 28]], "f"), made(some)[:1]
    x, y, wide, high = 20, 24, 20, 8
    (x0, y0, x1, y1) = truth[0].astype(float)
    shift = ((x0 + x1) / 2 - x) / wide, ((y0 + y1) / 2 - y) / high
    sides = math.log((x1 - x0) / wide), math.log((y1 - y0) / high)
    slow = np.divide((*shift, *sides), (0.1, 0.1, 0.2, 0.2))
    fast = np.asarray(boxes.encode(truth[None], anchor, (0.1, 0.1, 0.2, 0.2)))
    np.testing.assert_allclose(fast[0, 0], slow, rtol=1e-3, atol=1e-3)


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
