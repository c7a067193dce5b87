"""Pictures of one size for a network that says normal or abnormal: ink, background 0.

`of(images, unit)` -> (n, height, width, 1) float32
`boxes(images, unit)` -> where a set's boxes lie on these pictures
"""

import numpy as np

from chromolib import records
from chromolib.imaging import normalise

CANVAS = {"chromosome": (96, 32), "karyogram": (96, 96)}  # height, width
TYPICAL = 46  # rows of a set's median chromosome: the longest is twice as long


def of(images, unit):
    """Each image as ink on the unit's canvas, in the middle, never distorted.

    Chromosomes of one set keep their sizes to each other, for size is what a deletion
    changes; whatever is too large for the canvas is made smaller on its own. A
    karyogram fills its canvas. A picture with nothing on it stays empty.
    """
    out = np.zeros((len(images), *CANVAS[unit], 1), np.float32)
    for i, scale in enumerate(_scales(images, unit)):
        small = normalise.resize(_ink(images.pixels[i]), scale)
        out[i, ..., 0] = normalise.pad(small, CANVAS[unit])
    return np.clip(out, 0, 1)


def boxes(images, unit):
    """The set's boxes, moved onto the pictures that `of` makes."""
    moved = []
    for i, scale in enumerate(_scales(images, unit)):
        shape = np.array(images.pixels.shape[i])
        small = np.maximum(1, np.round(shape * scale)).astype(int)
        corner = (np.array(CANVAS[unit]) - small) // 2
        found = images.boxes[i]
        xyxy = found.xyxy * np.tile((small / shape)[::-1], 2) + np.tile(corner[::-1], 2)
        moved.append(records.Boxes(xyxy, found.label))
    return tuple(moved)


def _scales(images, unit):
    """By how much each image is made smaller or larger."""
    shape = np.asarray(images.pixels.shape, float)
    fits = (np.array(CANVAS[unit]) / shape).min(1)
    if unit == "karyogram":
        return fits
    return np.minimum(fits, TYPICAL / np.median(shape[:, 0]))


def _ink(picture):
    try:
        return normalise.ink(picture)
    except normalise.ImagingError:
        return np.zeros(np.shape(picture), np.float32)
