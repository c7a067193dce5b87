"""The chromosomes of an arranged karyogram, cut out one by one, without learning.

`cut(image)` -> (height, width) int, 0 is the ground, each chromosome has its number
`pieces(images)` -> Pieces of many karyograms, with the box of each
`crops(images, cut_out)` -> the ImageSet of them, cell by cell

Strategy: chromosomes of a karyogram stand upright side by side, and this is used twice.
Parts of stain above each other belong to one chromosome, which a pale band broke. A
part much wider than the others is two chromosomes that touch: it is looked at under
rising thresholds until it falls into parts that are each about as long as it was.
"""

import dataclasses
import functools

import numpy as np
from scipy import ndimage, sparse
from skimage import segmentation

from chromolib import records
from chromolib.data import pixels

BLOCK = np.ones((3, 3), bool)
STAIN = 24  # of 255: what is darker belongs to a chromosome
LEVELS = (32, 40, 48, 56, 64, 72, 84, 96, 108, 120, 144)  # at which touching ones part
SPECK = 12  # pixels: what is smaller is noise
SMALL = 0.25  # of the squared width: what is smaller is no chromosome
STRAY = 100  # of 255: a pixel that differs so much from those around it is noise
WIDE = 1.3  # times the usual width: more than one chromosome
THIN = 0.5  # of the usual width: less than one chromosome
TALL = 0.5  # of a part's rows: a chromosome in it stands on as many
ABOVE = 0.5  # of the narrower one's columns, that parts of one chromosome share
GAP = 0.6  # of the usual width, at most, between parts of one chromosome
MARGIN = 2  # pixels of ground around a crop


@dataclasses.dataclass(frozen=True, eq=False)
class Pieces:
    """Chromosomes cut out of karyograms: one row a chromosome."""

    image: np.ndarray  # (n,) which karyogram
    xyxy: np.ndarray  # (n, 4) its box there, half-open
    stain: tuple  # (n,) its ink in this box, 0 to 255, without its neighbours'

    def __len__(self):
        return len(self.image)

    @property
    def middle(self):
        """(n, 2) x and y of the middle of each box."""
        return (self.xyxy[:, :2] + self.xyxy[:, 2:]) / 2


@functools.lru_cache(maxsize=8)  # every rival asks for those of the same Samples
def pieces(images):
    """The pieces of each karyogram of some Samples, whose ink is 0 to 255."""
    which, xyxy, stain = [], [], []
    for i, image in enumerate(images.x[..., 0]):
        labels = cut(image)
        for k, (rows, columns) in enumerate(ndimage.find_objects(labels), 1):
            which.append(i)
            xyxy.append((columns.start, rows.start, columns.stop, rows.stop))
            own = labels[rows, columns] == k
            stain.append(np.where(own, image[rows, columns], 0).astype(np.uint8))
    return Pieces(np.array(which, int), np.reshape(xyxy, (-1, 4)), tuple(stain))


def crops(images, cut_out):
    """The pieces as single chromosomes, dark on white; a karyogram is group and cell.

    Who lays them straight then keeps their sizes to each other.
    """
    name = images.image[cut_out.image].astype(str)
    number = np.arange(len(cut_out)).astype(str)
    return records.ImageSet(
        source="pieces",
        name=np.char.add(np.char.add(name, "/"), number),
        label=np.full(len(name), ""),
        group=name,
        unit="karyogram",
        pixels=pixels.pack([255 - np.pad(ink, MARGIN) for ink in cut_out.stain]),
    )


def cut(image):
    """Each chromosome of a karyogram numbered; `image` is ink, 0 to 255."""
    image = _without_strays(np.asarray(image))
    labels, count = ndimage.label(image > STAIN, BLOCK)
    labels, count = _kept(labels, _areas(labels, count) >= SPECK)
    if not count:
        return labels
    width = _usual_width(labels, count)
    labels, count = _joined(labels, width)
    labels, count = _kept(labels, _areas(labels, count) >= SMALL * width**2)
    for k, place in enumerate(ndimage.find_objects(labels), 1):
        mask = labels[place] == k
        parts = _apart(mask, image[place], width, LEVELS)
        more = parts > 1
        labels[place][more] = count + parts[more] - 1
        count += parts.max() - 1
    return labels


def _without_strays(image):
    """Single noisy pixels as those around them; gaps and thin parts stay."""
    middle = ndimage.median_filter(image, 3)
    stray = np.abs(image.astype(int) - middle) > STRAY
    return np.where(stray, middle, image)


def _areas(labels, count):
    return np.bincount(labels.ravel(), minlength=count + 1)[1:]


def _kept(labels, keep):
    """The chosen labels, counted anew, and how many there are."""
    new = np.r_[0, np.cumsum(keep) * keep]
    return new[labels], int(keep.sum())


def _usual_width(labels, count):
    """The width, along its rows, of a chromosome: half of all stain is wider."""
    area = _areas(labels, count)
    height = [rows.stop - rows.start for rows, _ in ndimage.find_objects(labels)]
    width = area / np.array(height)
    order = np.argsort(width)
    half = np.searchsorted(np.cumsum(area[order]), area.sum() / 2)
    return float(width[order[half]])


def _joined(labels, width):
    """Parts above each other as one chromosome."""
    place = ndimage.find_objects(labels)
    box = np.array([(r.start, r.stop, c.start, c.stop) for r, c in place])
    top, bottom, left, right = box.T[..., None]
    shared = np.minimum(right, right.T) - np.maximum(left, left.T)
    narrow = np.minimum(right - left, (right - left).T)
    gap = np.maximum(top, top.T) - np.minimum(bottom, bottom.T)
    above = (shared >= ABOVE * narrow) & (gap >= 0) & (gap <= GAP * width)
    count, of = sparse.csgraph.connected_components(above, directed=False)
    return np.r_[0, of + 1][labels], count


def _apart(mask, image, width, levels):
    """The chromosomes of one part, numbered from 1."""
    if _mean_width(mask) < WIDE * width:
        return mask.astype(int)
    for i, level in enumerate(levels):
        seeds, count = ndimage.label(mask & (image > level), BLOCK)
        height = [rows.stop - rows.start for rows, _ in ndimage.find_objects(seeds)]
        seeds, count = _kept(seeds, np.array(height) >= TALL * _rows(mask))
        if count < 2:
            continue
        grown = segmentation.watershed(-image.astype(int), seeds, mask=mask)
        halves = [grown == k for k in range(1, count + 1)]
        if min(map(_mean_width, halves)) >= THIN * width:
            rest = levels[i + 1 :]
            return _stacked([_apart(half, image, width, rest) for half in halves])
    return mask.astype(int)


def _stacked(parts):
    """Numbered parts as one numbering."""
    labels = np.zeros_like(parts[0])
    for part in parts:
        labels += np.where(part > 0, part + labels.max(), 0)
    return labels


def _rows(mask):
    return np.count_nonzero(mask.any(1))


def _mean_width(mask):
    return mask.sum() / _rows(mask)
