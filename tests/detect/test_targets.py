"""Matching and sampling against the slow way."""

import numpy as np
import pytest

from chromolib.detect import boxes as geometry
from chromolib.detect import targets


def drawn(seed, count=6, present=4):
    """Anchors of a 64 pixel field, and boxes of which some are none."""
    rng = np.random.default_rng(seed)
    anchors, strides = geometry.anchors(
        64, (8, 16), [[(8, 20), (20, 8), (12, 12)], [(14, 40), (40, 14)]]
    )
    corner = rng.random((2, count, 2)) * 40
    sides = rng.uniform(5, 24, (2, count, 2))
    labels = np.where(np.arange(count) < present, rng.integers(3, size=(2, count)), -1)
    boxes = np.concatenate([corner, corner + sides], -1) * (labels >= 0)[..., None]
    return anchors, strides, boxes.astype("f"), labels.astype("int32")


def slow_match(quality, eligible, force):
    """For each anchor a box or none, one after the other."""
    index = np.full(quality.shape[0], -1)
    forced = {}
    for k in range(quality.shape[1]):
        best = quality[:, k].max()
        for a in np.flatnonzero(quality[:, k] == best):
            if force and best > 0:
                forced.setdefault(a, []).append(k)
    for a in range(len(index)):
        options = forced.get(a) or [
            k for k in range(quality.shape[1]) if eligible[a, k]
        ]
        if options:
            index[a] = max(options, key=lambda k: quality[a, k])
    return index


@pytest.mark.parametrize("force", [True, False])
@pytest.mark.parametrize("seed", range(3))
def test_match_is_what_the_loop_finds(seed, force):
    anchors, _, boxes, labels = drawn(seed)
    quality = targets.quality(anchors, boxes, labels)
    eligible = targets.overlap(quality, least=0.4)
    index, positive = map(np.asarray, targets.match(quality, eligible, force=force))
    for i in range(2):
        slow = slow_match(np.asarray(quality[i]), np.asarray(eligible[i]), force)
        assert np.where(positive[i], index[i], -1).tolist() == slow.tolist()


def test_quality_of_anchors_on_a_grid_is_their_overlap():
    anchors, _, boxes, labels = drawn(3)
    fast = np.asarray(targets.quality(anchors, boxes, labels))
    slow = np.asarray(geometry.iou(anchors[None], boxes))
    assert slow.max() > 0.5
    np.testing.assert_allclose(fast[:, :, :4], slow[:, :, :4], atol=1e-5)
    assert (fast[:, :, 4:] == -1).all(), "no box"


def test_every_box_has_an_anchor_of_its_own():
    anchors, _, boxes, labels = drawn(5)
    quality = targets.quality(anchors, boxes, labels)
    index, positive = map(
        np.asarray, targets.match(quality, targets.overlap(quality, least=0.99))
    )
    for i in range(2):
        assert set(index[i][positive[i]]) == set(np.flatnonzero(labels[i] >= 0))


def test_nothing_is_positive_where_there_is_no_box():
    anchors, strides, boxes, labels = drawn(0, present=0)
    quality = targets.quality(anchors, boxes, labels)
    rules = (
        targets.overlap(quality, least=0.0),
        targets.near(anchors, strides, boxes, labels),
        targets.cell(anchors, strides, boxes, labels),
    )
    for eligible in rules:
        assert not np.asarray(targets.match(quality, eligible)[1]).any()


def slow_rule(name, anchor, stride, box, others):
    """Whether one anchor is eligible for one box, in so many words."""
    middle, sides = (anchor[:2] + anchor[2:]) / 2, anchor[2:] - anchor[:2]
    centre, size = (box[:2] + box[2:]) / 2, box[2:] - box[:2]
    cell, at = np.floor(middle / stride), centre / stride
    if name == "near":
        own = np.floor(at)
        part = at - own
        cells = [own, np.add(own, (1 if part[0] > 0.5 else -1, 0))]
        cells.append(np.add(own, (0, 1 if part[1] > 0.5 else -1)))
        ratio = max((size / sides).max(), (sides / size).max())
        return ratio < 4 and any((cell == c).all() for c in cells)

    def alike(sides):
        both = np.minimum(sides, size).prod()
        return both / (sides.prod() + size.prod() - both)

    return (cell == np.floor(at)).all() and alike(sides) >= max(
        map(alike, others)
    ) - 1e-6


@pytest.mark.parametrize("name", ["near", "cell"])
def test_rules_of_cells_are_what_their_words_say(name):
    anchors, strides, boxes, labels = drawn(7)
    fast = np.asarray(getattr(targets, name)(anchors, strides, boxes, labels))
    shapes = np.unique(anchors[:, 2:] - anchors[:, :2], axis=0)
    slow = np.array(
        [
            [
                [
                    label >= 0 and slow_rule(name, a, s, box, shapes)
                    for box, label in zip(boxes[i], labels[i], strict=True)
                ]
                for a, s in zip(anchors, strides, strict=True)
            ]
            for i in range(2)
        ]
    )
    assert slow.any()
    np.testing.assert_array_equal(fast, slow)


def test_sampling_takes_so_many_and_so_large_a_share():
    rng = np.random.default_rng(0)
    kind = np.repeat([1, 0, -1], [40, 100, 60])[None].repeat(3, 0)
    kind[1, :38] = -1  # two positive only
    kind[2] = -1  # nothing at all
    index, weight = map(
        np.asarray,
        targets.sample(
            kind == 1,
            kind == 0,
            rng.random(kind.shape).astype("f"),
            size=64,
            share=0.25,
        ),
    )
    taken = np.take_along_axis(kind, index, 1)
    assert [((t == 1) & (w > 0)).sum() for t, w in zip(taken, weight, strict=True)] == [
        16,
        2,
        0,
    ]
    assert weight.sum(1).tolist() == [64, 64, 0]
    assert all(len(set(row)) == 64 for row in index)
    assert not ((taken == -1) & (weight > 0)).any()


def test_sampling_fewer_than_asked_for():
    kind = np.array([[1, 0, 0]])
    index, weight = targets.sample(
        kind == 1, kind == 0, np.zeros((1, 3), "f"), size=64, share=0.5
    )
    assert sorted(np.asarray(index)[0].tolist()) == [0, 1, 2]
    assert np.asarray(weight).sum() == 3


def test_the_hardest_negatives():
    loss = np.array([[5, 4, 3, 2, 1], [1, 2, 3, 4, 5]], "f")
    negative = np.array([[0, 1, 1, 1, 0], [1, 1, 1, 1, 1]], bool)
    weight = targets.hardest(loss, negative, np.array([2, 0]))
    assert np.asarray(weight).tolist() == [[0, 1, 1, 0, 0], [0] * 5]
    many = targets.hardest(loss, negative, np.array([9, 9]))
    assert np.asarray(many).sum(1).tolist() == [3, 5]
