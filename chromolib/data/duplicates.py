"""Images that are there twice: to the byte, or so alike that they must be copies."""

import os
from concurrent import futures

import numpy as np
from PIL import Image
from scipy import linalg, ndimage

SIDE = 32  # of a thumbnail
BITS, ALIKE = 14, 0.96  # most bits that differ; least correlation; see the measurements
FILLED = 0.5  # least share of a canvas in the box for the whole canvas to be compared
PART = 4096  # images whose thumbnails are made at a time
MAIN, SAMPLE, ROUNDING = 48, 2000, 1e-4  # components; thumbnails they are found from
BLOCK = 256  # rows of the table of distances held at a time

# Strategy: lone bright pixels go (median), then every image is seen twice, each time as
# a thumbnail: the whole canvas, which brightness and clipping hardly change, and the
# box that holds what differs from the background, which padding and shifts do not
# change. From each the coarse shape is taken away, which all chromosomes of a class
# share. A hash of 64 bits finds candidates among all pairs; the correlation of
# the thumbnails decides.
#
# Measured at these settings. Right: in BioImLab and PKI-3 together (22,711 images, 258
# million pairs) 35 pairs are claimed and all are copies: four chromosomes filed twice
# in their cell, and 31 of the 46 chromosomes of cell 2, which is there again as cell
# 111. Roboflow's karyograms: none of 130,000 pairs of different sources, 89 % of the
# pairs of one source (brightness and 5 % salt), 47 of 55 held-out images with a copy
# in training. Tseng: none. Missed on purpose: heavy noise on blurred Q-bands, since
# different chromosomes of one class correlate up to 0.94 there, karyograms up to 0.955.


def exact(images):
    """For each image the index of the first one with the same pixels, often its own."""
    first = {}
    keys = ((image.shape, image.tobytes()) for image in map(np.asarray, images))
    return np.array([first.setdefault(key, i) for i, key in enumerate(keys)], int)


def fingerprints(images):
    """What is left of grey images for comparing them: (n, 2, SIDE, SIDE) float32.

    The whole canvas, then the box that holds the chromosomes, each with mean 0 and
    length 1; zeros where there is nothing to see.
    """
    threads = min(4, os.cpu_count() or 1)
    prints = np.empty((len(images), 2, SIDE, SIDE), np.float32)
    with futures.ThreadPoolExecutor(threads) as pool:
        for first in range(0, len(images), PART):
            part = prints[first : first + PART]
            places = range(first, first + len(part))
            part[:] = list(pool.map(lambda i: _views(images[i]), places))
            part[:, 0], part[:, 1] = _detail(part[:, 0]), _detail(part[:, 1])
    return prints


def near(prints, other=None, *, bits=BITS, alike=ALIKE):
    """Near-identical images within a set of fingerprints, or between two.

    Their indices (pairs, 2).
    """
    within, other = other is None, prints if other is None else other
    pairs = [
        _search(prints[:, view], other[:, view], within, bits, alike) for view in (0, 1)
    ]
    return np.unique(np.concatenate(pairs), axis=0)


def _views(image):
    """Thumbnails of the whole canvas and of the box with the chromosomes."""
    image = _without_specks(np.asarray(image))
    ink, top = _ink(image)
    if top < 4:  # an empty image has no copies
        return np.zeros((2, SIDE, SIDE), np.float32)
    mass = _without_specks(np.where(ink > 0.15, ink, 0))  # clumps of specks go too
    (x0, x1), (y0, y1) = _span(mass.sum(0)), _span(mass.sum(1))
    picture = Image.fromarray(ink)
    canvas, box = (0, 0, *picture.size), (x0, y0, x1, y1)
    seen = [
        np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=b))
        for b in (canvas, box)
    ]
    if (x1 - x0) * (y1 - y0) < FILLED * ink.size:
        seen[0] = np.zeros_like(seen[0])  # a spot on a wide canvas looks like any other
    return seen


def _without_specks(image):
    """The median of three, across and down: salt and pepper go, edges stay.

    Equal to scipy's median filter, in a third to a seventieth of its time.
    """
    padded = np.pad(image, 1, mode="edge")
    across = _middle(padded[:, :-2], padded[:, 1:-1], padded[:, 2:])
    return _middle(across[:-2], across[1:-1], across[2:])


def _middle(a, b, c):
    return np.maximum(np.minimum(a, b), np.minimum(np.maximum(a, b), c))


def _ink(image):
    """How far each pixel is from the background, 0 to 1, and what 1 is in greys."""
    edge = np.concatenate([image[0], image[-1], image[:, 0], image[:, -1]])
    background = np.int16(np.median(edge))
    far = np.abs(image.astype(np.int16) - background)
    rank = int(0.995 * (far.size - 1))
    top = float(np.partition(far, rank, axis=None)[rank])
    return np.minimum(far.astype(np.float32) / max(top, 1), 1), top


def _span(mass):
    """Where the middle 98 % of the mass lies, to a fraction of a pixel."""
    total = np.concatenate([[0.0], np.cumsum(mass, dtype=np.float64)])
    tails = 0.01 * total[-1], 0.99 * total[-1]
    low, high = np.interp(tails, total, np.arange(len(total)))
    return low, max(high, min(low + 1, len(mass)))


def _detail(views):
    """Thumbnails without their coarse shape, mean 0 and length 1."""
    fine = views - ndimage.gaussian_filter(views, (0, 2, 2))
    fine -= fine.mean((1, 2), keepdims=True)
    length = np.sqrt((fine**2).sum((1, 2), keepdims=True))
    return np.where(length > 1e-3, fine / np.maximum(length, 1e-3), 0)


def _hashes(views):
    """On which side of 64 random planes each thumbnail lies, (n,) uint64.

    Two thumbnails of correlation c differ in about 64 arccos(c) / pi bits (Charikar,
    STOC 2002): 6 at 0.96, 2 at 0.99. Signs of cosines were tried first: the rods are
    nearly symmetric, so the odd ones are near zero and flip with the least noise.
    """
    planes = np.random.default_rng(0).standard_normal((SIDE * SIDE, 64), np.float32)
    sides = views.reshape(-1, SIDE * SIDE) @ planes > 0
    return np.packbits(sides, axis=1).view(np.uint64)[:, 0]


def _search(one, two, within, bits, alike):
    """Pairs (i, j) of copies; `within` one set only i < j."""
    codes, against = _hashes(one), _hashes(two)
    main, other = _main(one, two)
    seen, visible = one.any((1, 2)), two.any((1, 2))
    copies = [np.empty((0, 2), int)]
    for first in range(0, len(one), BLOCK):
        start = first if within else 0
        differ = np.bitwise_count(codes[first : first + BLOCK, None] ^ against[start:])
        i, j = np.nonzero(differ <= bits)
        i, j = i + first, j + start
        keep = seen[i] & visible[j] & ((i < j) | (not within))
        pairs = np.column_stack([i, j])[keep]
        pairs = pairs[_most(main, other, pairs) >= alike]
        copies.append(pairs[_correlation(one, two, pairs) >= alike])
    return np.concatenate(copies)


def _main(one, two):
    """Of each thumbnail its main components and the length of the rest of it.

    Of few thumbnails, all there is.
    """
    if len(one) < SAMPLE:
        return one, two
    one, two = one.reshape(len(one), -1), two.reshape(len(two), -1)
    some = one[:: len(one) // SAMPLE]
    last = SIDE * SIDE - 1
    axes = linalg.eigh(some.T @ some, subset_by_index=(last - MAIN + 1, last))[1]
    parts = [(each @ axes, (each**2).sum(1)) for each in (one, two)]
    return [
        np.column_stack([part, np.sqrt(np.maximum(whole - (part**2).sum(1), 0))])
        for part, whole in parts
    ]


def _most(one, two, pairs):
    """What the correlation of each pair is at most: the rests may be parallel.

    Of synthetic chromosomes, where 2 % of all pairs are candidates, it leaves few to
    be compared whole, and takes away none that is a copy.
    """
    return _correlation(one, two, pairs) + ROUNDING


def _correlation(one, two, pairs):
    """Of each pair; a few thousand at a time, so that thumbnails of few are copied."""
    if not len(pairs):
        return np.empty(0)
    one, two = one.reshape(len(one), -1), two.reshape(len(two), -1)
    chunks = np.array_split(pairs, len(pairs) // 4096 + 1)
    return np.concatenate(
        [np.einsum("na,na->n", one[i], two[j]) for i, j in (c.T for c in chunks)]
    )
