"""Pictures of one size for a network that says normal or abnormal: ink, background 0.

`of(images, unit)` -> (n, height, width, 1) float32
`boxes(images, unit)` -> where a set's boxes lie on these pictures
`scale(images)` -> how much smaller a set's chromosomes become, for `of` and `boxes`
"""

import numpy as np

from chromolib import records
from chromolib.imaging import normalise

CANVAS = {"chromosome": (96, 32), "karyogram": (96, 96)}  # height, width
TYPICAL = 46  # rows of a set's median chromosome: the longest is twice as long


def of(images, unit, by=None, *, canvas=None):
    """Each image as ink on the unit's canvas, in the middle, never distorted.

    Chromosomes of one set keep their sizes to each other, for size is what a deletion
    changes: all are scaled `by` one factor, without it by the set's own. Whatever is
    too large for the canvas is made smaller on its own. A karyogram fills its canvas. A
    picture with nothing on it stays empty.
    """
    canvas = canvas or CANVAS[unit]
    out = np.zeros((len(images), *canvas, 1), np.float32)
    for i, factor in enumerate(_factors(images, unit, by, canvas)):
        small = normalise.resize(_ink(images.pixels[i]), factor)
        out[i, ..., 0] = normalise.pad(small, canvas)
    return np.clip(out, 0, 1)


def boxes(images, unit, by=None):
    """The set's boxes, moved onto the pictures that `of` makes."""
    moved = []
    for i, factor in enumerate(_factors(images, unit, by, CANVAS[unit])):
        shape = np.array(images.pixels.shape[i])
        small = np.maximum(1, np.round(shape * factor)).astype(int)
        corner = (np.array(CANVAS[unit]) - small) // 2
        found = images.boxes[i]
        xyxy = found.xyxy * np.tile((small / shape)[::-1], 2) + np.tile(corner[::-1], 2)
        moved.append(records.Boxes(xyxy, found.label))
    return tuple(moved)


def scale(images):
    """The factor that gives a set's median chromosome its usual height.

    A model's own, for images of the source it learned from; another source has other
    pixels, and takes its own.
    """
    return float(TYPICAL / np.median(np.asarray(images.pixels.shape)[:, 0]))


def _factors(images, unit, by, canvas):
    """By how much each image is made smaller or larger."""
    shape = np.asarray(images.pixels.shape, float)
    fits = (np.array(canvas) / shape).min(1)
    if unit == "karyogram":
        return fits
    return np.minimum(fits, scale(images) if by is None else by)


def _ink(picture):
    try:
        return normalise.ink(picture)
    except normalise.ImagingError:
        return np.zeros(np.shape(picture), np.float32)
