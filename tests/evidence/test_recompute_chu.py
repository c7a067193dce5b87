"""The rules that the claims of Chu needed."""

import pytest

from chromolib.evidence import recompute


def test_weights_of_a_small_layer():
    # 2 x 2 pixels of 3 channels and a bias make 13 numbers for each of 5 filters
    assert recompute.weights(inputs=[2, 2, 3], outputs=5) == 65


def test_weights_grow_with_the_outputs_alone():
    one = recompute.weights(inputs=[3, 3, 64], outputs=1)
    assert recompute.weights(inputs=[3, 3, 64], outputs=128) == 128 * one


def test_pooling_drops_the_odd_pixel():
    assert [recompute.pooled(side=11, times=times) for times in (0, 1, 2, 3)] == [11, 5, 2, 1]


def test_pooling_in_one_go_or_two():
    once = recompute.pooled(side=150, times=2)
    assert recompute.pooled(side=once, times=3) == recompute.pooled(side=150, times=5)


def test_best_auc_leaves_out_one_corner():
    # half the negatives called, half the positives missed: a quarter of the square is lost
    assert recompute.best_auc(tp=1, fp=1, tn=1, fn=1) == pytest.approx(0.75)


def test_best_auc_does_not_care_which_class_is_positive():
    counts = {"tp": 57, "fp": 4, "tn": 76, "fn": 2}
    swapped = {"tp": 76, "fp": 2, "tn": 57, "fn": 4}
    assert recompute.best_auc(**counts) == pytest.approx(recompute.best_auc(**swapped))
