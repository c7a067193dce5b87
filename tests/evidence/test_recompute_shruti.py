"""The rules that the Shruti report needed: layer sizes, shares of one whole, batches."""

import pytest

from chromolib.evidence import recompute


def test_a_small_convolution_by_hand():
    # two filters of 3 x 3 over one channel: 2 * 9 weights and 2 biases
    assert recompute.convolution_parameters(1, 2, 3) == 20


def test_a_convolution_of_one_pixel_is_a_dense_layer():
    for inputs, outputs in ((1, 1), (3, 64), (512, 119)):
        dense = recompute.dense_parameters(inputs, outputs)
        assert recompute.convolution_parameters(inputs, outputs, 1) == dense


def test_thirds_and_halves_need_six_images():
    assert recompute.smallest_whole([0.33, 0.5], 2) == 6


@pytest.mark.parametrize("whole", [7, 46, 1104])
def test_shares_of_a_whole_never_need_more_than_it(whole):
    shares = [round(part / whole, 4) for part in (0, 1, whole // 3, whole - 1, whole)]
    assert recompute.smallest_whole(shares, 4) <= whole


def test_batches_that_exceed_the_whole_share_images():
    # at least 11 + 6 images out of 15
    assert recompute.overlap_of_batches(3, 2, 5, 15) == 2


def test_one_batch_each_never_forces_an_overlap():
    assert recompute.overlap_of_batches(1, 1, 32, 2) == 0
