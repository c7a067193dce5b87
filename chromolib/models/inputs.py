"""Chromosome pictures as arrays for a network: ink, background 0, sizes to compare.

`straight(images)` -> (n, *canvas, 1) float32: laid straight, as large as in its cell
`laid(images)` -> these, and (n,) whether each could be laid straight
`placed(image, canvas)` -> one in the middle of a canvas
`asis(images)` -> (n, 128, 96, 1) float32: grey and size as they are
"""

import concurrent.futures

import numpy as np

from chromolib.imaging import axis, normalise
from chromolib.models import stored

STRAIGHT, ASIS = (80, 20), (128, 96)  # canvases: height, width
FINE = (112, 32)  # a canvas with room for bands that STRAIGHT is too small to show
SIDE = 0.225  # of a canvas' height: a square as large as a cell's mean chromosome
NOT_ASKED = normalise.Failure("not asked for an axis", "")
KEEP = 1 << 30  # bytes of straight chromosomes in memory; more lie in a file
BLOCK = 4096  # images laid at a time where they do
GROUND, MARGIN = 0.2, 2  # level of the ground; pixels of it around a chromosome


def straight(images, *, canvas=STRAIGHT):
    """Each chromosome laid straight along its axis; the end that was higher stays up.

    Sizes are relative to the cell, whose mean chromosome has the same area everywhere.
    What cannot be straightened is laid down as it stands; nothing is left out. A set
    larger than `KEEP` is `Stored`.
    """
    shape = (len(images), *canvas, 1)
    if 4 * np.prod(shape) <= KEEP:
        return laid(images, canvas=canvas)[0]
    space = stored.Space(shape)
    for index in _whole_cells(images):
        space.write(index, laid(images.take(index), canvas=canvas)[0])
    return space.images


def _whole_cells(images):
    """The places of some thousand images at a time, all of a cell together."""
    cell = _cells(images)
    order = np.argsort(cell, kind="stable")
    ends = np.flatnonzero(np.diff(cell[order], append=-1)) + 1  # of the cells
    block = ends // BLOCK
    return np.split(order, ends[:-1][np.diff(block) > 0])


def _cells(images):
    """A number for each image: that of its cell."""
    names = np.stack([images.group.astype(str), images.cell.astype(str)])
    return np.unique(names, axis=1, return_inverse=True)[1]


def laid(images, *, canvas, standing=False, known=None, sure=None):
    """The straight chromosomes, and which pictures showed one that has an axis.

    Of 3,000 real chromosomes all have; many a picture of something else has none. With
    `standing` each is as it stands in its picture; `known` are straightened before.
    Where only some pictures are `sure` to be chromosomes, these say how large a cell's
    mean one is.
    """
    found = known or [NOT_ASKED] * len(images)
    if not (standing or known):
        found = axis.straighten_all(images.pixels, orient=False)
    ink, area = [], np.zeros(len(images))
    for i, one in enumerate(found):
        failed = isinstance(one, normalise.Failure)
        stain, mask = _standing(images.pixels[i]) if failed else (one.ink, one.mask)
        ink.append(stain)
        area[i] = max(mask.sum(), 1)
    cell = _cells(images)
    counts = np.ones(len(images)) if sure is None or not any(sure) else sure * 1.0
    mean = np.bincount(cell, area * counts) / np.bincount(cell, counts)
    scale = SIDE * canvas[0] / np.sqrt(mean[cell])
    out = np.zeros((len(images), *canvas, 1), np.float32)
    for i, stain in enumerate(ink):
        out[i, ..., 0] = placed(normalise.resize(stain, scale[i]), canvas)
    sound = np.array([not isinstance(one, normalise.Failure) for one in found], bool)
    return np.clip(out, 0, 1), sound


def _standing(picture):
    """Ink and mask of a picture that has no axis; of an empty one, nothing."""
    try:
        stain = normalise.ink(picture)
    except normalise.ImagingError:
        stain = np.zeros(np.shape(picture), np.float32)
    mask = stain > 0.15
    if not mask.any():
        return stain * mask, mask
    return (normalise.crop(each, mask) for each in (stain * mask, mask))


def placed(image, canvas, value=0):
    """The image in the middle of a canvas; what is larger loses both ends alike."""
    room = np.maximum(np.subtract(image.shape, canvas), 0) // 2
    image = image[room[0] :, room[1] :][: canvas[0], : canvas[1]]
    return normalise.pad(image, canvas, value=value)


def asis(images, *, workers=1):
    """Each chromosome with a little of its ground, grey and scale as they are.

    The ground lies at 0.2 and stain is above it, whatever the polarity, so that the
    noise of the ground is still there.
    """

    def one(i):
        picture = np.asarray(images.pixels[i], np.float32) / 255
        dark = normalise.polarity(picture) == "dark"
        border = np.concatenate([*picture[[0, -1]], *picture[:, [0, -1]].T])
        ground = np.quantile(border, 0.9 if dark else 0.1)
        stain = _cut(ground - picture if dark else picture - ground)
        return placed(GROUND + (1 - GROUND) * stain, ASIS, GROUND)

    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        out = list(pool.map(one, range(len(images))))
    return np.clip(np.array(out, np.float32).reshape(-1, *ASIS, 1), 0, 1)


def _cut(stain):
    """The chromosome with a small margin; a picture without one stays whole."""
    try:
        mask = normalise.foreground(np.clip(stain / max(stain.max(), 1e-6), 0, 1))
    except normalise.ImagingError:
        return stain
    return normalise.crop(stain, mask, margin=MARGIN)
