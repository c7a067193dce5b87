"""Measures of a straightened chromosome, by the same conventions for every source.

`widths(straight)` -> (samples,) width over mean width
`bands(straight)` -> how many dark and light bands it shows
`waist(widths)` -> where the width has its deepest dip, in 0..1 from the upper end
"""

import numpy as np
from scipy import ndimage, signal

from chromolib.imaging import direction

SAMPLES = 64
END = 2  # pixels of an end that say nothing of a band
SEEN = 0.1  # of the range of stain, from which a band stands out


def bands(straight):
    """How many dark and light bands lie along the axis; one where it is even."""
    raw = straight.ink.sum(1) / np.maximum(straight.mask.sum(1), 1)
    line = ndimage.gaussian_filter1d(raw, 1)[END:-END]  # ends are pale by their shape
    depth = {"prominence": max(SEEN * np.ptp(line), 1e-6)} if len(line) else {}
    return 1 + sum(len(signal.find_peaks(one, **depth)[0]) for one in (line, -line))


def widths(straight, *, samples=SAMPLES):
    """Width along the axis over the mean width, from the upper end."""
    width = direction.resampled(straight.mask.sum(1).astype(float), samples)
    return width / max(width.mean(), 1e-9)


def waist(width):
    """Where along the axis (0 to 1, from the upper end) the width has its deepest dip.

    A dip counts by how far it lies below the wider places on both of its sides.
    """
    smooth = ndimage.gaussian_filter1d(np.asarray(width, float), len(width) / 40)
    left = np.maximum.accumulate(smooth)
    right = np.maximum.accumulate(smooth[::-1])[::-1]
    depth = np.minimum(left, right) - smooth
    return float((depth.argmax() + 0.5) / len(smooth))
