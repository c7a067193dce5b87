"""Which end of a straightened chromosome is the short arm.

`chance_upright(ink, mask)` -> 0..1, how likely the upper end is the short arm's
`numbers(ink, mask)` -> (64,) what that is judged by; turning the picture changes signs
`resampled(values, samples)` -> (samples,) means over equal pieces
"""

import numpy as np
from scipy import fft, special

PIECES = 16  # of the axis: eight pairs, one of each pair from each end
GATES = 3  # even cosines of the width: where its waists lie, whichever end is up
# What the table is: the weights of a logistic regression without intercept on how the
# two ends differ, piece by piece from the tip inwards (8 of ink, 8 of width), alone
# (first row) and times each gate (the others). Fitted on the half of the cases of PKI-3
# (karyograms, short arm up) whose name has an even CRC-32, bend below 1.2, by
# tests/imaging/fit_direction.py, which also prints how well it does on the other half.
MIDDLE = (-0.23, -0.25, -0.23)
SPREAD = (0.32, 0.2, 0.13)
TABLE = """
1.2 -1.8 5.1 -4.6 -2.7 4 1 -2 -0.5 -1.1 0.6 -2.1 -9.7 -8.5 -8.9 -8.2
-3.9 -0.7 2.1 -2.7 -3 -2.1 -0.4 -0.1 0.5 4.4 5.6 1.1 -1.5 -6 -5.3 -4.4
1.8 -1.2 0 -1.7 -0.7 -0.6 -6.7 3.5 2.7 1.6 -1.1 -3.4 -6.9 -1.1 1.8 6.9
-3 -2.6 4.1 -5.7 3.8 6.4 1.3 -5.8 -1 -3 -1.7 -0.6 4.7 6.4 0.6 -0.2
"""
WEIGHTS = np.array(TABLE.split(), float)


def resampled(values, samples):
    """The row of values at another number of samples: means over equal pieces."""
    total = np.concatenate([[0], np.cumsum(values)])
    at = np.linspace(0, len(values), samples + 1)
    return np.diff(np.interp(at, np.arange(len(total)), total)) * samples / len(values)


def halves(ink, mask):
    """Difference and mean of the two ends, (2, 8) each, and the cosines of the width.

    Ink and width are over their own means; pieces run from the tip to the middle.
    """
    count = mask.sum(1)
    ink = resampled(ink.sum(1) / np.maximum(count, 1), PIECES)
    both = np.stack([ink, resampled(count.astype(float), PIECES)])
    both /= np.maximum(both.mean(1, keepdims=True), 1e-9)
    turned = both[:, ::-1]
    differ = (both - turned)[:, : PIECES // 2] / 2
    even = fft.dct((both + turned)[1] / 2, norm="ortho")[2 : 2 + 2 * GATES : 2]
    return differ.ravel(), even


def numbers(ink, mask):
    """What the two ends are told apart by: (64,); turned by half, all change sign."""
    differ, even = halves(ink, mask)
    gates = np.concatenate([[1.0], np.tanh((even - MIDDLE) / SPREAD)])
    return np.outer(gates, differ).ravel()


def chance_upright(ink, mask):
    """How likely the upper end is the short arm's; .5 is no idea.

    Calibrated on PKI-3. For stains and sharpness unlike it, the order holds better
    than the number does: it is too sure of itself.
    """
    return float(special.expit(numbers(ink, mask) @ WEIGHTS))
