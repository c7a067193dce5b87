"""Random numbers that are the same on every backend.

# Strategy: TensorFlow and JAX have other generators, so one seed gives other images.
# Here nothing is generated: a number is a hash of what it is for. Keras' SeedGenerator
# keeps (seed, step) and saves it with the model; the hash of (seed, step, image,
# position) in 32-bit integers is exact everywhere and runs in the graph, without a
# loop. The mixer is the 32-bit finaliser of C. Wellons, "Prospecting for hash
# functions" (2018), with its constants.
"""

import numpy as np
from keras import ops

from chromolib import streams

_FIRST, _SECOND = np.uint32(0x7FEB352D), np.uint32(0x846CA68B)
_GOLDEN = np.uint32(0x9E3779B9)  # spreads neighbouring counters before they are mixed


class Seeds:
    """A seed for each layer of a network, by its place: call it once a layer."""

    def __init__(self, seed):
        self.seed, self.made = seed, 0

    def __call__(self):
        self.made += 1
        return streams.seed_of(self.seed, f"layer {self.made}")


def bits(generator, batch, count):
    """Random words, (batch, count) uint32; the generator moves on by one step."""
    seed, step = ops.unstack(ops.cast(generator.next(), "uint32"), 2)
    key = _mix(_mix(seed + _GOLDEN) + step)
    image = _mix(key + _counted(batch))
    return _mix(image[:, None] + _counted(count)[None])


def keyed(keys, count):
    """Random words of each key, a row of two words (n, 2): (n, count) uint32.

    Two, because rows of one word each would be windows of one sequence of 2^32 words,
    and among many long windows some overlap.
    """
    return _mix(ops.bitwise_xor(keys[:, :1] + _counted(count), keys[:, 1:]))


def unit(words):
    """Words as numbers in [0, 1), float32, from their upper 24 bits."""
    return ops.cast(upper(words, 24), "float32") * np.float32(2**-24)


def upper(words, count):
    """The upper bits of words, as int32 (fewer than 32 of them)."""
    return ops.cast(ops.right_shift(words, np.uint32(32 - count)), "int32")


def lower(words, count):
    """The lower bits of words, as int32 (fewer than 32 of them)."""
    return ops.cast(ops.bitwise_and(words, np.uint32(2**count - 1)), "int32")


def _counted(count):
    return (ops.cast(ops.arange(count), "uint32") + np.uint32(1)) * _GOLDEN


def _mix(words):
    words = ops.bitwise_xor(words, ops.right_shift(words, np.uint32(16))) * _FIRST
    words = ops.bitwise_xor(words, ops.right_shift(words, np.uint32(15))) * _SECOND
    return ops.bitwise_xor(words, ops.right_shift(words, np.uint32(16)))
