"""Metaphase fields drawn for tests: rods whose masks are known, and what disturbs."""

import dataclasses

import numpy as np
from scipy import ndimage

from chromolib import records


@dataclasses.dataclass(frozen=True, eq=False)
class Field:
    """A drawn field and the truth about it."""

    image: np.ndarray  # (height, width) uint8
    masks: tuple  # of each chromosome, whole also where another covers it

    @property
    def labels(self):
        """The chromosomes as a label image; a later one covers an earlier one."""
        labels = np.zeros(self.image.shape, np.int32)
        for k, mask in enumerate(self.masks, 1):
            labels[mask] = k
        return labels

    @property
    def boxes(self):
        """A box around each whole chromosome, with the margin people leave."""
        spans = [ndimage.find_objects(m.astype(np.int8))[0] for m in self.masks]
        xyxy = [(c.start - 4, r.start - 4, c.stop + 4, r.stop + 4) for r, c in spans]
        return records.Boxes(np.array(xyxy).reshape(-1, 4), [""] * len(xyxy))


def rod(shape, start, stop, width):
    """Which pixels a straight rod with round ends covers, and how far along it is."""
    at = np.stack(np.indices(shape), -1) - np.array(start, float)
    way = np.subtract(stop, start).astype(float)
    length = np.linalg.norm(way)
    along = np.clip(at @ way / length, 0, length)
    away = np.linalg.norm(at - along[..., None] * way / length, axis=-1)
    return away <= width / 2, along


def field(ends, *, shape=(300, 300), width=14, seed=0, noise=3, nuclei=(), specks=0):
    """Banded rods from end to end, with nuclei (row, column, radius) and specks."""
    rng = np.random.default_rng(seed)
    dark, masks = np.zeros(shape), []
    for start, stop in ends:
        mask, along = rod(shape, start, stop, width)
        bands = rng.uniform(100, 170, 60)[(along / 6).astype(int)]
        dark = np.where(mask, np.maximum(dark, bands), dark)
        masks.append(mask)
    y, x = np.indices(shape)
    for row, column, radius in nuclei:
        dark[np.hypot(y - row, x - column) <= radius] = 120
    for row, column in rng.integers(5, np.array(shape) - 5, (specks, 2)):
        dark[row : row + 3, column : column + 3] = 150
    image = 240 - ndimage.gaussian_filter(dark, 1) + rng.normal(0, noise, shape)
    return Field(np.clip(image, 0, 255).astype(np.uint8), tuple(masks))


def apart(n=12, *, seed=0, **options):
    """`n` rods that neither touch nor cross, one in each cell of a grid."""
    rng = np.random.default_rng(seed)
    ends = []
    for k in range(n):
        middle = np.array([k // 4, k % 4]) * 90 + 55
        angle, half = rng.uniform(0, np.pi), rng.uniform(12, 32)
        way = half * np.array([np.sin(angle), np.cos(angle)])
        ends.append((middle - way, middle + way))
    shape = (90 * -(-n // 4) + 20, 380)
    return field(ends, shape=shape, seed=seed, **options)
