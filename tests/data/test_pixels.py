"""Images of any sizes: packed and taken without copies."""

import numpy as np

from chromolib.data import pixels

SMALL = [np.full((2, 3), 1), np.full((4, 1), 2), np.full((1, 1), 3)]


def test_packed_images_come_back_as_they_went_in():
    packed = pixels.pack(SMALL)
    assert len(packed) == 3
    for before, after in zip(SMALL, packed, strict=True):
        np.testing.assert_array_equal(before, after)


def test_taking_images_shares_their_memory():
    packed = pixels.pack(SMALL)
    taken = packed.take(np.array([2, 0]))
    assert np.shares_memory(taken[1], packed[0])
    assert [image.shape for image in taken] == [(1, 1), (2, 3)]


def test_no_images_pack_to_nothing():
    assert len(pixels.pack([])) == 0
