"""Suppression against the slow way, one box after the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chromolib.detect import suppress


def greedy(boxes, scores, labels, threshold):
    """Indices that are kept, in the order of scores: the textbook's loop."""
    overlap = np.asarray(suppress.geometry.iou(boxes, boxes))
    kept = []
    for i in np.argsort(-scores, kind="stable"):
        same = [k for k in kept if labels is None or labels[k] == labels[i]]
        if all(overlap[i, k] <= threshold for k in same):
            kept.append(i)
    return kept


def crowd(rng, count, *, spread=40):
    corner = rng.random((count, 2)) * spread
    return np.c_[corner, corner + 4 + 12 * rng.random((count, 2))].astype("f")


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 2**31), st.integers(1, 40), st.sampled_from([0.3, 0.5, 0.7]))
def test_exactly_what_greedy_suppression_keeps(seed, count, threshold):
    rng = np.random.default_rng(seed)
    boxes, order = crowd(rng, count), rng.permutation(count)
    scores, labels = -np.sort(-rng.random(count)), rng.integers(3, size=count)
    assert order.size == count
    overlap = suppress.geometry.iou(boxes[None], boxes[None])
    for names in (None, labels):
        kept = suppress.suppress(
            overlap, None if names is None else names[None], threshold=threshold
        )
        slow = greedy(boxes, scores, names, threshold)
        assert np.flatnonzero(np.asarray(kept)[0]).tolist() == slow


def test_a_chain_in_which_every_second_box_stays():
    """Each box hides the next only: the fixed point takes as many rounds as boxes."""
    boxes = np.array([[3 * i, 0, 3 * i + 8, 8] for i in range(30)], "f")
    overlap = suppress.geometry.iou(boxes[None], boxes[None])
    kept = np.asarray(suppress.suppress(overlap, threshold=0.4))[0]
    assert kept.tolist() == [True, False] * 15


def test_images_of_a_batch_do_not_touch_each_other():
    rng = np.random.default_rng(1)
    boxes = np.stack([crowd(rng, 30), crowd(rng, 30), np.zeros((30, 4), "f")])
    scores = rng.random((3, 30, 4)).astype("f")
    whole = suppress.best(boxes, scores)
    for i in range(3):
        alone = suppress.best(boxes[i : i + 1], scores[i : i + 1])
        for key, value in whole.items():
            np.testing.assert_array_equal(value[i], alone[key][0])


@pytest.mark.parametrize("by_class", [True, False])
def test_best_is_what_the_loop_finds_over_all_names(by_class):
    rng = np.random.default_rng(2)
    boxes, scores = crowd(rng, 25), rng.random((25, 3)).astype("f") / 3
    found = suppress.best(boxes[None], scores[None], by_class=by_class, threshold=0.4)
    if by_class:
        rows = [(i, k, scores[i, k]) for i in range(25) for k in range(3)]
    else:
        rows = [(i, scores[i].argmax(), scores[i].sum()) for i in range(25)]
    box, label, score = map(np.array, zip(*rows, strict=True))
    slow = greedy(boxes[box], score, label if by_class else None, 0.4)
    there = np.asarray(found["labels"][0]) >= 0
    assert np.asarray(found["labels"][0])[there].tolist() == label[slow].tolist()
    np.testing.assert_allclose(found["scores"][0][there], score[slow])
    np.testing.assert_array_equal(found["boxes"][0][there], boxes[box[slow]])


def test_alike_boxes_of_two_names_stay_unless_counted():
    boxes = np.array([[[0, 0, 9, 30], [0, 0, 9, 31]]], "f")
    scores = np.array([[[0.9, 0.1], [0.2, 0.8]]], "f")
    both = suppress.best(boxes, scores)
    assert np.asarray(both["labels"])[0, :2].tolist() == [0, 1]
    once = suppress.best(boxes, scores, by_class=False)
    assert np.asarray(once["labels"])[0].tolist() == [0, -1]


def test_two_hundred_boxes_apart_all_stay():
    corner = np.stack(np.meshgrid(np.arange(20), np.arange(10)), -1).reshape(-1, 2) * 12
    boxes = np.concatenate([corner, corner + 8], -1)[None].astype("f")
    scores = np.full((1, 200, 2), [0.6, 0.4], "f")
    for by_class, count in ((False, 200), (True, 300)):
        found = suppress.best(boxes, scores, by_class=by_class)
        assert (np.asarray(found["labels"]) >= 0).sum() == count
    assert (
        np.asarray(suppress.best(boxes, scores, most=24)["labels"]) >= 0
    ).sum() == 24
