"""What can be measured on one chromosome, the same for a real and a drawn picture.

`sample(images, upright)` -> Sample: a row of numbers, a band profile, a width profile,
a cross-section and two grey histograms for each chromosome

Strategy: grey levels stay absolute, as shares of the full range above the picture's own
ground, so that contrast can be compared. The picture is read along the normals of the
axis that `imaging.axis` finds, a few pixels beyond the outline, where the edge is.
"""

import dataclasses

import numpy as np
import pandas as pd
from scipy import ndimage

from chromolib.imaging import axis, direction, measure, normalise

SAMPLES = 64  # of a profile along the axis
ACROSS = 16  # positions from edge to edge
BINS = 32  # of grey, from the ground (0) to the full range (1)
BEYOND = 4  # pixels read outside of the outline
INNER = 0.1  # of the length at both ends has no straight sides
SMOOTH = 4  # pixels: slower changes of an outline are shape, faster ones roughness
TURNS = 3  # times the ends are compared with the class
BENT = 3.0  # times the way from end to end: longer axes are none
LAPLACE = np.outer([1, -2, 1], [1, -2, 1])  # no answer to a plane (Immerkaer, 1996)


@dataclasses.dataclass(frozen=True, eq=False)
class Sample:
    """Measured chromosomes, one a row, the short arm up."""

    rows: pd.DataFrame  # label, cell, group and one column a number
    ink: np.ndarray  # (n, SAMPLES) mean ink of a row over that of the chromosome
    width: np.ndarray  # (n, SAMPLES) width over mean width
    section: np.ndarray  # (n, ACROSS) ink from edge to edge over the row's mean
    inside: np.ndarray  # (n, BINS) pixels of the chromosome at each grey
    outside: np.ndarray  # (n, BINS) pixels around it


def sample(images, *, upright):
    """Every chromosome of a set that can be straightened, measured.

    Where the pictures do not stand upright, the ends are found by comparison.
    """
    straight = axis.straighten_all(images.pixels, orient=False)
    good = [i for i, result in enumerate(straight) if isinstance(result, axis.Straight)]
    measured = [_chromosome(images.pixels[i], straight[i]) for i in good]
    numbers, curves = zip(*measured, strict=True)
    rows = pd.DataFrame(list(numbers))
    for name in ("group", "cell", "label"):
        rows.insert(0, name, getattr(images, name)[good])
    ink, width, *rest = map(np.array, zip(*curves, strict=True))
    if not upright:
        turn = ends(ink, width, rows["label"].to_numpy(), rows["up"].to_numpy())
        ink[turn], width[turn] = ink[turn, ::-1], width[turn, ::-1]
        rows["waist"] = np.where(turn, 1 - rows["waist"], rows["waist"])
    return Sample(rows, ink, width, *rest)


def ends(ink, width, label, up):
    """Which chromosomes to turn so that those of a class agree, (n,) bool.

    `up` is how likely each stands upright by its look alone. It is the first guess, and
    says at last which of the two ways to agree is the upright one.
    """
    look = np.concatenate([_standard(ink), _standard(width)], 1)
    back = np.concatenate([_standard(ink)[:, ::-1], _standard(width)[:, ::-1]], 1)
    turn = up < 0.5
    for name in np.unique(label):
        which = label == name
        for _ in range(TURNS):
            mean = np.where(turn[which, None], back[which], look[which]).mean(0)
            turn[which] = (look[which] - back[which]) @ mean < 0
        if np.where(turn[which], 1 - up[which], up[which]).mean() < 0.5:
            turn[which] = ~turn[which]
    return turn


def _standard(rows):
    rows = rows - rows.mean(1, keepdims=True)
    return rows / np.maximum(rows.std(1, keepdims=True), 1e-9)


def level(image):
    """Stain in shares of the full grey range, from white paper or from black ground."""
    share = np.asarray(image, np.float32) / 255
    return 1 - share if normalise.polarity(image) == "dark" else share


def _chromosome(image, straight):
    """Numbers by name, and the curves of a Sample, of one straightened chromosome."""
    stain = level(image)
    mask = normalise.foreground(normalise.ink(image))
    ground = _ground(stain, mask)
    stain = stain - ground
    ink, shape = _laid(stain, straight)
    count = shape.sum(1)
    row = (ink * shape).sum(1) / np.maximum(count, 1)
    inner = slice(round(INNER * len(row)), len(row) - round(INNER * len(row)))
    section = _section(ink[inner], shape[inner])
    widths = measure.widths(straight)
    numbers = {
        "length": straight.length,
        "area": float(mask.sum()),
        "width": float(count.mean()),
        "bend": min(straight.bend, BENT),
        "angle": _angle(straight.axis),
        "waist": measure.waist(widths),
        "up": straight.confidence,
        "ground": ground,
        "ink": float(stain[mask].mean()),
        "ink_sd": float(stain[mask].std()),
        "dark": float(np.quantile(row[inner], 0.9)),
        "light": float(np.quantile(row[inner], 0.1)),
        "contrast": float(row[inner].std() / max(row[inner].mean(), 1e-6)),
        "gap": _gap(section),
        "edge": _edge(ink[inner]),
        "texture": _texture(ink[inner], shape[inner], row[inner], section),
        "noise": noise(stain, ndimage.binary_erosion(mask, iterations=2)),
        "noise_outside": noise(stain, ~ndimage.binary_dilation(mask, iterations=3)),
        "roughness": _roughness(shape[inner]),
        **_canvas(mask),
    }
    relative = direction.resampled(row, SAMPLES) / max(row.mean(), 1e-6)
    greys = _histogram(stain[mask]), _histogram(stain[~mask])
    return numbers, (relative, widths, section, *greys)


def _ground(stain, mask):
    """Stain of the ground: away from the outline, or the palest where all is edge."""
    away = stain[~ndimage.binary_dilation(mask, iterations=3)]
    around = stain[~mask]
    if away.size < normalise.SMALLEST:
        return float(np.quantile(around, 0.05)) if around.size else 0.0
    return float(np.median(away))


def _laid(stain, straight):
    """Ink and mask along the normals of the axis, with what lies beyond the outline."""
    half = straight.mask.shape[1] // 2 + BEYOND
    across = np.arange(-half, half + 1)
    along = np.gradient(straight.axis, axis=0)
    along /= np.maximum(np.hypot(*along.T), 1e-9)[:, None]
    normal = np.stack([-along[:, 1], along[:, 0]], 1)
    at = straight.axis[:, None] + across[:, None] * normal[:, None]
    ink = ndimage.map_coordinates(stain, [at[..., 1], at[..., 0]], order=1)
    return ink, np.pad(straight.mask, ((0, 0), (BEYOND, BEYOND)))


def _angle(line):
    """Degrees between the ends and the vertical, -90 to 90."""
    x, y = line[-1] - line[0]
    return float((np.degrees(np.arctan2(x, y)) + 90) % 180 - 90)


def _section(ink, shape):
    """Ink at equal places from edge to edge over the row's mean, mean of the rows.

    It is made even, for left and right of a chromosome mean nothing.
    """
    count = shape.sum(1)
    wide = count >= 3
    if not wide.any():
        return np.ones(ACROSS)
    ink, first, count = ink[wide], shape[wide].argmax(1), count[wide]
    at = first[:, None] + (np.arange(ACROSS) + 0.5) / ACROSS * count[:, None] - 0.5
    rows = np.arange(len(ink))[:, None] + np.zeros_like(at)
    read = ndimage.map_coordinates(ink, [rows, at], order=1)
    read = read.mean(0) / max(read.mean(), 1e-6)
    return (read + read[::-1]) / 2


def _gap(section):
    """How much lighter the middle is than the chromatids beside it, 0 for no gap."""
    side = section[: ACROSS // 2].max()
    return float(1 - section[ACROSS // 2 - 1] / max(side, 1e-6))


def _edge(ink):
    """Pixels from 10 to 90 % of the rise from the ground to a row's darkest place."""
    middle = ink.shape[1] // 2
    sides = np.concatenate([ink[:, : middle + 1], ink[:, : middle - 1 : -1]])
    top = sides.max(1, keepdims=True)
    sides = sides[top[:, 0] > 0.02] / top[top[:, 0] > 0.02]
    if not len(sides):
        return 0.0
    high = (sides >= 0.9).argmax(1)
    place = np.arange(sides.shape[1])
    below = (sides <= 0.1) & (place < high[:, None])
    low = np.where(below.any(1), np.where(below, place, -1).max(1), 0)
    return float(np.median(_cross(sides, high, 0.9) - _cross(sides, low + 1, 0.1)))


def _cross(sides, at, share):
    """Where a side rises through the share, between `at - 1` and `at`."""
    rows = np.arange(len(sides))
    here, before = sides[rows, at], sides[rows, np.maximum(at - 1, 0)]
    step = np.maximum(here - before, 1e-6)
    return at - np.clip((here - share) / step, 0, 1)


def _texture(ink, shape, row, section):
    """Spread of what bands and cross-section do not explain, over the mean ink."""
    count, first = shape.sum(1), shape.argmax(1)
    at = (np.arange(ink.shape[1]) - first[:, None] + 0.5) / np.maximum(count, 1)[
        :, None
    ]
    across = np.interp(at, (np.arange(ACROSS) + 0.5) / ACROSS, section)
    rest = (ink - row[:, None] * across)[shape]
    return float(rest.std() / max(row.mean(), 1e-6)) if rest.size else 0.0


def noise(stain, where):
    """Sd of noise from pixel to pixel, in shares of the range (Immerkaer, 1996)."""
    if not where.any():
        return np.nan
    answer = ndimage.convolve(stain, LAPLACE)[where]
    return float(np.sqrt(np.pi / 2) / 6 * np.abs(answer).mean())


def _roughness(shape):
    """Sd in pixels of both edges about their smoothed course."""
    if len(shape) < 8:
        return np.nan
    first, last = shape.argmax(1), shape.shape[1] - shape[:, ::-1].argmax(1)
    both = np.stack([first, last]).astype(float)
    return float((both - ndimage.gaussian_filter1d(both, SMOOTH)).std())


def _canvas(mask):
    """How the chromosome sits in its picture: heights, widths, margins."""
    rows, columns = ndimage.find_objects(mask.astype(np.int8))[0]
    height, width = mask.shape
    room = (rows.start, height - rows.stop, columns.start, width - columns.stop)
    tall, wide = rows.stop - rows.start, columns.stop - columns.start
    return {
        "margin": float(np.mean(room)),
        "margin_least": float(min(room)),
        "aspect": tall / wide,
        "canvas_height": float(height),
        "canvas_width": float(width),
    }


def _histogram(values):
    return np.histogram(np.clip(values, 0, 1), BINS, (0, 1))[0]
