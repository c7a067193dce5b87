"""Random numbers: one seed a run, one named stream for each purpose."""

import zlib

import numpy as np

LARGEST = 2**32 - 1  # seed that Keras and scikit-learn take


def stream(seed, purpose):
    """A generator for one purpose, so that adding one never shifts another."""
    return np.random.default_rng([seed, zlib.crc32(purpose.encode())])


def seed_of(seed, purpose):
    """A whole number for one purpose, where a library wants a seed of its own."""
    return int(stream(seed, purpose).integers(2**31))
