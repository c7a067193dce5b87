"""Images of any sizes: packed without copies, streamed within a bound."""

import threading

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


class Slow:
    """Ten times more images than may wait, and a count of those that do."""

    def __init__(self, count):
        self.count, self.waiting, self.most = count, 0, 0
        self.lock = threading.Lock()

    def __call__(self, name):
        with self.lock:
            self.waiting += 1
            self.most = max(self.most, self.waiting)
        return np.full((8, 8), int(name) % 251, np.uint8)


def test_a_stream_keeps_its_order_and_never_more_than_its_buffer():
    reader = Slow(640)
    names, shape = np.arange(640).astype(str), np.full((640, 2), 8)
    order = np.random.default_rng(0).permutation(640)
    seen = []
    images = pixels.OnDemand(reader, names, shape)
    for i, image in pixels.stream(images, order, ahead=64, workers=4):
        with reader.lock:
            reader.waiting -= 1
        assert image[0, 0] == i % 251
        seen.append(i)
    np.testing.assert_array_equal(seen, order)
    assert 1 < reader.most <= 64


def test_a_stream_left_early_reads_no_further():
    reader = Slow(640)
    names, shape = np.arange(640).astype(str), np.full((640, 2), 8)
    started = pixels.stream(pixels.OnDemand(reader, names, shape), ahead=8)
    next(started)
    started.close()
    assert reader.waiting <= 9
