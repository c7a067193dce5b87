"""Laws of the scores, and slow obvious twins."""

import itertools

import numpy as np
import pytest

from chromolib import records
from chromolib.detect import scores


def boxes(*xyxy):
    return records.Boxes(np.array(xyxy, float).reshape(-1, 4), [""] * len(xyxy))


def some(rng, n):
    corner = rng.integers(0, 20, (n, 2))
    return boxes(*np.hstack([corner, corner + rng.integers(1, 12, (n, 2))]))


def slow_box_iou(one, other):
    """By counting pixels."""

    def pixels(box):
        x0, y0, x1, y1 = map(int, box)
        return set(itertools.product(range(x0, x1), range(y0, y1)))

    return [
        [len(pixels(a) & pixels(b)) / len(pixels(a) | pixels(b)) for b in other.xyxy]
        for a in one.xyxy
    ]


def slow_pair(iou, least):
    """By trying every way of pairing: most pairs first, then most overlap."""
    rows, columns = iou.shape
    best = (0, 0.0)
    for k in range(1, min(rows, columns) + 1):
        for some_rows in itertools.combinations(range(rows), k):
            for some_columns in itertools.permutations(range(columns), k):
                values = iou[list(some_rows), list(some_columns)]
                if (values >= least).all():
                    best = max(best, (k, float(values.sum())))
    return best


@pytest.mark.parametrize("seed", range(5))
def test_box_overlap_is_what_counting_pixels_gives(seed):
    rng = np.random.default_rng(seed)
    one, other = some(rng, 6), some(rng, 5)
    iou = scores.box_iou(one, other)
    np.testing.assert_allclose(iou, slow_box_iou(one, other))
    np.testing.assert_allclose(iou, scores.box_iou(other, one).T)


@pytest.mark.parametrize("seed", range(20))
def test_pairing_is_the_best_of_all(seed):
    rng = np.random.default_rng(seed)
    iou = rng.random((4, 5)) * rng.integers(0, 2, (4, 5))
    pairs = scores.pair(iou, least=0.4)
    n, total = slow_pair(iou, 0.4)
    assert len(pairs.iou) == n
    assert pairs.iou.sum() == pytest.approx(total)
    assert len(set(pairs.truth)) == len(set(pairs.found)) == n


def test_touching_boxes_do_not_overlap_and_empty_ones_neither():
    assert scores.box_iou(boxes((0, 0, 2, 2)), boxes((2, 0, 4, 2))) == 0
    assert scores.box_iou(boxes((1, 1, 1, 1)), boxes((1, 1, 1, 1))) == 0


def test_perfect_is_one_whatever_the_order():
    truth = some(np.random.default_rng(0), 8)
    found = truth.take(np.random.default_rng(1).permutation(8))
    result = scores.detection([scores.match(truth, found)])
    assert result.recall == result.precision == result.f1 == 1


def test_exchanging_truth_and_found_exchanges_recall_and_precision():
    rng = np.random.default_rng(2)
    one, other = some(rng, 9), some(rng, 6)
    there = scores.detection([scores.match(one, other, least=0.2)])
    back = scores.detection([scores.match(other, one, least=0.2)])
    assert (there.recall, there.precision) == (back.precision, back.recall)
    assert there.f1 == back.f1


def test_nothing_found_and_nothing_there():
    nothing, one = boxes(), boxes((0, 0, 3, 3))
    missed = scores.detection([scores.match(one, nothing)])
    invented = scores.detection([scores.match(nothing, one)])
    assert (missed.recall, missed.precision, missed.f1) == (0, 1, 0)
    assert (invented.recall, invented.precision, invented.f1) == (1, 0, 0)
    assert scores.detection([]).f1 == 1


def test_one_found_box_answers_for_one_chromosome_only():
    truth = boxes((0, 0, 10, 10), (0, 1, 10, 11))
    assert scores.detection([scores.match(truth, truth.take([0]))]).recall == 0.5


def test_each_box_is_right_or_wrong_or_was_missed():
    truth = records.Boxes([[0, 0, 4, 4], [10, 0, 14, 4], [20, 0, 24, 4]], [*"1XY"])
    found = [[0, 0, 4, 4], [10, 0, 14, 4], [0, 1, 4, 4], [40, 0, 44, 4]]
    told = scores.told(truth, records.Boxes(found, ["1", "Y", "1", "X"]))
    assert told["right"].xyxy.tolist() == [[0, 0, 4, 4]]
    assert told["wrong"].xyxy[:, 0].tolist() == [10, 0, 40]
    assert told["missed"].label.tolist() == ["Y"]
    nothing = boxes()
    assert len(scores.told(truth, nothing)["missed"]) == 3
    assert not any(map(len, scores.told(nothing, nothing).values()))


def test_a_habit_of_who_drew_the_boxes_is_found_whatever_else_is_there():
    found = boxes([10, 10, 40, 60], [50, 10, 90, 60], [80, 80, 99, 99])
    true = boxes([8, 7, 39, 58], [49, 6, 88, 58], [10, 100, 20, 120])
    by = scores.beside([true, boxes()], [found, found])
    assert by.tolist() == [-1.5, -3.5, -1.5, -2]
    assert scores.beside([boxes()], [found]).tolist() == [0, 0, 0, 0]
