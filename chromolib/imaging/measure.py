"""Measures of straightened chromosomes, by the same conventions for every source.

`profile(one, *, samples=64)` -> (samples,) band profile from the top, mean 0, sd 1
`widths(one, *, samples=64)` -> (samples,) width over mean width
`centromere(one)` -> short arm over length, in 0..0.5 from the nearer end
`measures(one)` -> Measures
`features(many)` -> Features (values, names, kept, failures)
"""

import collections
import dataclasses

import numpy as np
from scipy import ndimage

from chromolib.imaging import axis, direction

SAMPLES = 64
SCALARS = ("length", "area", "width", "centromere", "bend")


@dataclasses.dataclass(frozen=True, eq=False)
class Measures:
    """What a cytogeneticist would measure on one chromosome, in pixels and shares."""

    length: float
    area: float
    width: float  # mean
    centromere: float  # short arm over length; 0 is an end, .5 the middle
    bend: float
    profile: np.ndarray  # (samples,) mean ink across the width, mean 0, sd 1
    widths: np.ndarray  # (samples,) width over mean width


@dataclasses.dataclass(frozen=True, eq=False)
class Features:
    """One row of numbers a chromosome, with what had to be left out."""

    values: np.ndarray  # (kept, features)
    names: tuple
    kept: np.ndarray  # (kept,) which of the images gave a row
    failures: dict  # reason -> how many


def profile(one, *, samples=SAMPLES):
    """Mean ink across the width along the axis, from the upper end; mean 0, sd 1."""
    count = one.mask.sum(1)
    raw = direction.resampled(one.ink.sum(1) / np.maximum(count, 1), samples)
    spread = raw.std()
    return (raw - raw.mean()) / spread if spread > 1e-6 else np.zeros(samples)


def widths(one, *, samples=SAMPLES):
    """Width along the axis over the mean width, from the upper end."""
    width = direction.resampled(one.mask.sum(1).astype(float), samples)
    return width / max(width.mean(), 1e-9)


def resampled(values, *, samples=SAMPLES):
    """A row of values along the axis at another number of samples; means of pieces."""
    return direction.resampled(values, samples)


def centromere(one):
    """Short arm over length: the deepest waist of the width, from the nearer end."""
    at = waist(widths(one))
    return min(at, 1 - at)


def waist(width):
    """Where along the axis (0 to 1, from the upper end) the width has its deepest dip.

    A dip counts by how far it lies below the wider places on both of its sides.
    """
    smooth = ndimage.gaussian_filter1d(np.asarray(width, float), len(width) / 40)
    left = np.maximum.accumulate(smooth)
    right = np.maximum.accumulate(smooth[::-1])[::-1]
    depth = np.minimum(left, right) - smooth
    return float((depth.argmax() + 0.5) / len(smooth))


def measures(one, *, samples=SAMPLES):
    """All measures of one straightened chromosome."""
    area = float(one.mask.sum())
    return Measures(
        one.length,
        area,
        area / len(one.mask),
        centromere(one),
        one.bend,
        profile(one, samples=samples),
        widths(one, samples=samples),
    )


def features(many, *, samples=SAMPLES):
    """Length, area, width, centromere, bend, then band and width profile, row by row.

    `many` are results of `axis.straighten_all`; failures are left out and counted.
    """
    kept = [i for i, one in enumerate(many) if isinstance(one, axis.Straight)]
    failed = [one.reason for one in many if not isinstance(one, axis.Straight)]
    found = [measures(many[i], samples=samples) for i in kept]
    rows = [
        [*(getattr(m, name) for name in SCALARS), *m.profile, *m.widths] for m in found
    ]
    bands = (f"{kind}_{k}" for kind in ("band", "width") for k in range(samples))
    names = (*SCALARS, *bands)
    return Features(
        np.array(rows, np.float32).reshape(-1, len(names)),
        names,
        np.array(kept, np.intp),
        dict(collections.Counter(failed)),
    )
