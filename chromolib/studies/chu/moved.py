"""Test karyograms as another laboratory might have them, and what is no karyogram.

`parts(test)` -> name -> Samples: the same images blurred, paler, darker, and others
"""

import dataclasses

import numpy as np
from scipy import ndimage

SIGMA = 2.0  # pixels of a karyogram of 416
PALER, DARKER = 0.6, 1.6  # times the ink
TILES = 4  # a side
SHIFTS = ("blurred", "paler", "darker")
OTHERS = ("tiles shuffled", "noise")  # neither normal nor abnormal


def parts(test):
    """The test images changed in each way; images keep their names."""
    x = test.x
    noise = np.random.default_rng(0).integers(0, 256, x.shape, np.uint8)
    changed = {
        "blurred": ndimage.gaussian_filter(x, (0, SIGMA, SIGMA, 0)),
        "paler": np.rint(x * PALER).astype(np.uint8),
        "darker": np.minimum(np.rint(x * DARKER), 255).astype(np.uint8),
        "tiles shuffled": _shuffled(x),
        "noise": noise,
    }
    return {name: dataclasses.replace(test, x=x) for name, x in changed.items()}


def _shuffled(x):
    """The tiles of each image in a random order: chromosomes without their places."""
    count, height, width, channels = x.shape
    tall, wide = height // TILES, width // TILES
    whole = x[:, : tall * TILES, : wide * TILES]
    tiles = whole.reshape(count, TILES, tall, TILES, wide, channels).swapaxes(2, 3)
    tiles = tiles.reshape(count, TILES * TILES, tall, wide, channels)
    rng, out = np.random.default_rng(0), np.zeros_like(x)
    for i, own in enumerate(tiles):
        mixed = own[rng.permutation(TILES * TILES)]
        mixed = mixed.reshape(TILES, TILES, tall, wide, channels).swapaxes(1, 2)
        out[i, : tall * TILES, : wide * TILES] = mixed.reshape(whole.shape[1:])
    return out
