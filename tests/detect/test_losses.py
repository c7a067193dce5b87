"""What detectors lose, number by number."""

import math

import numpy as np
import pytest

from chromolib.detect import detector

RNG = np.random.default_rng(0)
LOGITS = np.append(RNG.normal(0, 4, 20), [-60, 60]).astype("f")


def test_binary_loss_is_minus_the_log_of_what_was_said():
    for target in (0.0, 0.3, 1.0):
        fast = np.asarray(detector.binary(np.full_like(LOGITS, target), LOGITS))
        for loss, x in zip(fast, LOGITS.astype(float), strict=True):
            sure, not_ = (1 / (1 + math.exp(sign * x)) for sign in (-1, 1))
            slow = -target * math.log(sure) - (1 - target) * math.log(not_)
            assert loss == pytest.approx(slow, abs=1e-4)


def test_cross_entropy_is_minus_the_log_of_the_class_and_takes_no_class_for_the_first():
    logits = RNG.normal(0, 3, (2, 5, 4)).astype("f")
    labels = np.array([[0, 1, 2, 3, -1], [3, -1, 0, 1, 2]])
    fast = np.asarray(detector.cross_entropy(labels, logits))
    for place, label in np.ndenumerate(labels):
        row = [math.exp(one) for one in logits[place]]
        slow = -math.log(row[max(label, 0)] / sum(row))
        assert fast[place] == pytest.approx(slow, rel=1e-4)


def test_small_shifts_cost_their_square_and_large_ones_their_size():
    away = np.array([[0.5, -0.5, 0, 0], [2, 0, 0, -3]], "f")
    for beta, wanted in ((1.0, (0.25, 1.5 + 2.5)), (4.0, (0.0625, 0.5 + 1.125))):
        fast = np.asarray(detector.smooth(away, beta))
        np.testing.assert_allclose(fast, wanted, rtol=1e-6)


def test_a_sum_is_of_each_positive_anchor_and_an_empty_image_counts_as_one():
    positive = np.array([[1, 1, 1, 0], [0, 0, 0, 0]], bool)
    total = np.array([[3.0, 0, 3, 0], [0, 2, 0, 0]], "f")
    assert float(detector.normalised(total, positive)) == pytest.approx(8 / 4)
