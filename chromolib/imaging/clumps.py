"""What touches, taken apart: the best reading of one clump of stain as chromosomes.

`read(mask, stain, low, width)` -> Reading

Strategy: a clump that is one ribbon of the field's width is one chromosome. Any other
is read twice: its ribbons are followed through the junctions (see ribbons), and it is
looked at under rising thresholds, where gaps open that the lowest one hides. Where it
falls apart, each part is read in the same way and grown back. The reading whose parts
look most like whole chromosomes wins; a cut has to pay for itself.
"""

import dataclasses

import numpy as np
from scipy import ndimage
from skimage import segmentation

from chromolib.imaging import ribbons

STEPS = (1.25, 1.5, 1.75, 2.0, 2.4)  # thresholds, times the lowest
SCRAP = 1.0  # of the squared width: a smaller part of a clump is no chromosome
CORE = 0.75  # of the squared width: the same above a higher threshold
GOOD = 0.7  # a single ribbon that looks as good as this needs no other reading
SPLIT = 0.85  # worth that is left where a threshold cuts: bands are pale, too
GROWN = 0.98  # the same where a higher threshold only makes a clump thinner
MEETS = 0.9  # likeness that is left where a ribbon meets others,
STOPS = 0.75  # for each end that lies at a junction,
TURN = 300  # and at a turn there: none at this many degrees
WIDE = (0.6, 0.8, 1.25, 1.6)  # middle width over the field's: none, full, full, none
WIDEST = (0.6, 0.8, 1.35, 2.0)  # the same, near the widest place
LONG = (0.7, 1.4, 9, 14)  # length over the field's width
FILLED = (0.5, 0.75, 1.2, 1.7)  # area over length times width
LEAST = 0.2  # likeness left by one measure that is far off


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """One chromosome of a clump."""

    kind: str  # "chromosome", "touching" or "overlap"
    likeness: float  # to a whole chromosome, 0..1
    points: np.ndarray  # (k, 2) row, column along its middle, also where it is hidden
    area: int


@dataclasses.dataclass(frozen=True, eq=False)
class Reading:
    """A clump as chromosomes: label `i + 1` is part `i`."""

    labels: np.ndarray  # (height, width) int
    parts: tuple
    trust: float = 1.0  # less where it rests on a cut

    @property
    def worth(self):
        """How much the parts look like whole chromosomes, by area."""
        area = np.array([part.area for part in self.parts], float)
        likeness = np.array([part.likeness for part in self.parts])
        return self.trust * float(area @ likeness / max(area.sum(), 1))


def read(mask, stain, low, width, *, steps=STEPS):
    """The best reading of a clump in a field with chromosomes of this width."""
    readings = [traced(mask, width)]
    if len(readings[0].parts) == 1 and readings[0].worth > GOOD:
        return readings[0]
    for k, step in enumerate(steps):
        label, n = _pieces(mask & (stain > low * step), width)
        if n != 1:
            if n:
                split = _split(label, n, stain, low, width, steps[k + 1 :])
                readings.append(_grown(split, mask, stain, SPLIT))
            break
        readings.append(_grown(traced(label > 0, width), mask, stain, GROWN))
    return max(readings, key=lambda reading: reading.worth)


def _grown(reading, mask, stain, trust):
    """A reading of a clump's core, grown back to the whole clump."""
    labels = segmentation.watershed(-stain, reading.labels, mask=mask)
    return Reading(labels, reading.parts, trust * reading.trust)


def _pieces(mask, width):
    """Parts of a mask that are large enough for a chromosome, numbered."""
    label, n = ndimage.label(mask)
    large = np.bincount(label.ravel(), minlength=n + 1) >= CORE * width**2
    large[0] = False
    return (np.cumsum(large) * large)[label], int(large.sum())


def _split(label, n, stain, low, width, steps):
    """The pieces of a clump, each read for itself."""
    labels, parts, trusts = np.zeros(label.shape, np.int32), [], []
    for k, place in enumerate(ndimage.find_objects(label, n), 1):
        inner = read(label[place] == k, stain[place], low, width, steps=steps)
        labels[place] += inner.labels + (inner.labels > 0) * len(parts)
        corner = np.array([side.start for side in place])
        for part in inner.parts:
            kind = "touching" if part.kind == "chromosome" else part.kind
            points = part.points + corner
            parts.append(dataclasses.replace(part, kind=kind, points=points))
        trusts += [inner.trust] * len(inner.parts)
    area = np.array([part.area for part in parts])
    return Reading(labels, tuple(parts), float(area @ trusts / area.sum()))


def traced(mask, width):
    """The clump as ribbons, each with the pixels that are nearest to its line."""
    lines = ribbons.trace(mask, width)
    while True:
        label = _nearest(lines, mask)
        area = np.bincount(label.ravel(), minlength=len(lines) + 1)[1:]
        large = area >= SCRAP * width**2
        if large.all() or not large.any():
            break
        lines = [line for line, keep in zip(lines, large, strict=True) if keep]
    pairs = zip(lines, area, strict=True)
    return Reading(label, tuple(_part(line, int(a), width) for line, a in pairs))


def _nearest(lines, mask):
    """Each pixel of the mask with the number of the line that is nearest."""
    if len(lines) == 1:
        return mask.astype(np.int32)
    drawn = np.zeros(mask.shape, np.int32)
    for k, line in enumerate(lines, 1):
        drawn[tuple(line.points.T)] = k
    _, (row, column) = ndimage.distance_transform_edt(drawn == 0, return_indices=True)
    return drawn[row, column] * mask


def _part(line, area, width):
    """What a ribbon is, and how much it looks like one whole chromosome."""
    kind = "overlap" if line.meets > 3 else "touching" if line.meets else "chromosome"
    middle, widest = 2 * np.quantile(line.radius, [0.5, 0.9])
    inside = (line.radius > 0).mean()  # a line that leaves the clump follows no ribbon
    likeness = (
        _fits(middle / width, WIDE)
        * _fits(widest / width, WIDEST)
        * _fits(line.length / width, LONG)
        * _fits(area / max(line.length * middle, 1), FILLED)
        * inside**2
        * STOPS**line.stops
        * (MEETS if line.meets else 1)
        * (1 - line.turn / TURN)
    )
    return Part(kind, float(likeness), line.points, area)


def _fits(value, corners):
    """1 in the inner range, `LEAST` outside of the outer one."""
    return float(np.interp(value, corners, [LEAST, 1, 1, LEAST]))
