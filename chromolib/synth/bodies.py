"""Chromosomes as bodies: two chromatids along a bent axis, laid on pixels.

`lay(patterns, shape, rng)` -> Patches: ink, cover and axis of each chromosome, sharp

Each chromatid is a grid of samples, along and across, that fall onto pixels with the
area they stand for. So any bend, ring or crossed arm is drawn alike, and the share of
a pixel that is chromosome is known.
"""

import dataclasses

import numpy as np
from scipy import fft

from chromolib.synth import banding

STEP = 0.75  # pixels between samples; the blur that follows hides the grid
GROUP = 12  # chromosomes of like length that share a grid
MODES = 3  # waves of an axis beside its bend and its kink
KNOTS = 14  # places along a chromatid that chance decides on their own
MARGIN = 6  # pixels around a chromosome, room for blur


@dataclasses.dataclass(frozen=True, eq=False)
class Shape:
    """How chromosomes lie and what they hold; (n,) each, or one number for all."""

    unit: np.ndarray  # pixels of a normal chromosome 1
    width: np.ndarray  # pixels, both chromatids together
    fill: np.ndarray  # breadth of a chromatid over half the width; 1 touches, 2 is one
    gap: np.ndarray  # pixels between chromatids
    flare: np.ndarray  # pixels of gap more for each pixel from the centromere
    waist: np.ndarray  # how deep the centromere narrows; 0 not, 1 to nothing
    tilt: np.ndarray  # radians from upright
    bend: np.ndarray  # radians that the axis of a chromosome 1 turns from end to end
    kink: np.ndarray  # radians between the arms
    wave: np.ndarray  # radians of irregular turning
    flat: np.ndarray  # cross-section (1 - v^2) ** flat
    pale: np.ndarray  # ink where nothing is stained
    dark: np.ndarray  # ink of the darkest band
    smear: np.ndarray  # pixels that bands run into each other
    slant: np.ndarray  # pixels that a band is lower on one side than on the other
    mottle: np.ndarray  # sd of ink along one chromatid, over its mean
    blotch: np.ndarray  # the same along both together
    stretch: np.ndarray  # pixels that a band lies off its place
    rough: np.ndarray  # sd of a chromatid's breadth along it, over its mean


@dataclasses.dataclass(frozen=True, eq=False)
class Patches:
    """Chromosomes on pixels, each in a box of its own, all boxes end to end."""

    ink: np.ndarray  # (pixels,) where covered; 0 elsewhere
    cover: np.ndarray  # (pixels,) share of the pixel that is chromosome
    start: np.ndarray  # (n,)
    shape: np.ndarray  # (n, 2) height, width
    origin: np.ndarray  # (n, 2) x, y of the chromosome's own origin in the box
    axis: tuple  # (n,) of (k, 2) x, y in the box, from the p end

    def box(self, i):
        """Ink and cover of one chromosome, (height, width) each."""
        height, width = self.shape[i]
        part = slice(self.start[i], self.start[i] + height * width)
        return (
            self.ink[part].reshape(height, width),
            self.cover[part].reshape(height, width),
        )


PIXELS = ("unit", "width", "gap", "smear", "slant", "stretch")  # measures in pixels


def scaled(shape, factor):
    """The same chromosomes, drawn larger or smaller."""
    changed = {name: getattr(shape, name) * factor for name in PIXELS}
    return dataclasses.replace(shape, **changed)


def lay(patterns, shape, rng, *, canvas=None):
    """The chromosomes on pixels, each centred in its box, or in a canvas of its own."""
    count = len(patterns.length)
    shape = _rows(shape, count)
    draw = _drawn(rng, count)
    order = np.argsort(patterns.length * shape.unit)
    points, axes = [None] * count, [None] * count
    for chunk in np.array_split(order, max(1, -(-count // GROUP))):
        rows = (take(record, chunk) for record in (patterns, shape, draw))
        laid = _samples(*rows)
        for row, i in enumerate(chunk):
            points[i] = tuple(array[row] for array in laid[:4])
            axes[i] = laid[4][row]
    return _fallen(points, axes, canvas)


@dataclasses.dataclass(frozen=True, eq=False)
class _Draw:
    """All that chance decides, drawn before grids are chosen."""

    waves: np.ndarray  # (n, MODES, 2)
    side: np.ndarray  # (n, 2)
    mottle: np.ndarray  # (n, 2, KNOTS)
    rough: np.ndarray  # (n, 2, KNOTS)
    blotch: np.ndarray  # (n, 1, KNOTS)
    stretch: np.ndarray  # (n, 1, KNOTS)


def _drawn(rng, count):
    sizes = ((MODES, 2), (2,), (2, KNOTS), (2, KNOTS), (1, KNOTS), (1, KNOTS))
    return _Draw(*(rng.standard_normal((count, *size)) for size in sizes))


def take(rows, which):
    """The chosen rows of a record of arrays."""
    fields = dataclasses.fields(rows)
    return type(rows)(*(getattr(rows, field.name)[which] for field in fields))


def _rows(shape, count):
    columns = (getattr(shape, field.name) for field in dataclasses.fields(shape))
    return Shape(*(np.broadcast_to(np.asarray(c, float), count) for c in columns))


def _samples(patterns, shape, draw):
    """x, y, area and ink of every sample, (n, along, 2, across), and the axes."""
    long = patterns.length * shape.unit
    half = shape.width * shape.fill / 4
    along = int(np.ceil(long.max() / STEP / 8) * 8)
    across = max(3, int(np.ceil(2 * half.max() / STEP)))
    t = (np.arange(along) + 0.5) / along
    v = (np.arange(across) + 0.5) / across * 2 - 1
    heading = _heading(patterns, shape, draw, t)
    step = (long / along)[:, None]
    axes = np.stack([np.cumsum(f(heading) * step, 1) for f in (np.sin, np.cos)], -1)
    radius, middle = _chromatids(patterns, shape, draw, t)
    offset = middle[..., None] + radius[..., None] * v
    x = axes[..., 0, None, None] + np.cos(heading)[..., None, None] * offset
    y = axes[..., 1, None, None] - np.sin(heading)[..., None, None] * offset
    turn = (np.gradient(heading, axis=1) / step)[..., None, None]
    area = step[..., None, None] * 2 * radius[..., None] / across
    area = area * np.clip(1 + turn * offset, 0.05, 3)
    return x, y, area, _ink(patterns, shape, draw, (t, v, offset)), axes


def _chromatids(patterns, shape, draw, t):
    """Half the breadth of each chromatid and how far it is from the axis."""
    at = t * banding.SAMPLES - 0.5
    waist = shape.waist[:, None]
    breadth = _read(1 - waist * (1 - patterns.breadth), at)
    away = _read(patterns.away, at) * shape.unit[:, None]
    half = shape.width * shape.fill / 4
    body = (half[:, None] * breadth)[..., None]
    body = body * np.exp(shape.rough[:, None, None] * _smooth(draw.rough, t))
    ends = np.minimum(t, 1 - t) * (patterns.length * shape.unit)[:, None]
    ends = np.where(patterns.ring[:, None], np.inf, ends)
    short = np.clip(1 - ends / np.maximum(half, 1)[:, None], 0, 1)
    radius = body * np.sqrt(1 - short**2)[..., None]
    parted = (shape.gap[:, None] + shape.flare[:, None] * away) / 2
    parted = parted * np.clip(away / np.maximum(shape.width[:, None], 1), 0, 1)
    middle = shape.width[:, None] / 2 * breadth * (1 - shape.fill[:, None] / 2) + parted
    return radius, middle[..., None] * np.array([-1.0, 1.0])


def _ink(patterns, shape, draw, where):
    """What every sample absorbs."""
    t, v, offset = where
    column = (slice(None), None, None, None)
    long = patterns.length * shape.unit
    stain = _smeared(patterns.stain, shape.smear / long)
    lag = 0.5 * (draw.side * shape.slant[:, None])[:, None, :]
    lag = lag + shape.stretch[:, None, None] * _smooth(draw.stretch, t)
    lag = lag[..., None] + shape.slant[column] * offset / shape.width[column]
    place = (t[:, None, None] + lag / long[column]) * banding.SAMPLES - 0.5
    tone = _read(stain, place.reshape(len(long), -1)).reshape(place.shape)
    ink = shape.pale[column] + (shape.dark - shape.pale)[column] * tone
    uneven = shape.mottle[:, None, None] * _smooth(draw.mottle, t)
    uneven = uneven + shape.blotch[:, None, None] * _smooth(draw.blotch, t)
    ink = ink * (1 + uneven[..., None]) * (1 - v**2) ** shape.flat[column]
    return np.maximum(ink, 0.0)


def _heading(patterns, shape, draw, t):
    """The direction of the axis from straight down, radians."""
    at = patterns.away.argmin(1)[:, None] / banding.SAMPLES
    reach = shape.width[:, None] / np.maximum(patterns.length * shape.unit, 1)[:, None]
    heading = (shape.bend * patterns.length)[:, None] * (t - 0.5)
    heading = heading + shape.kink[:, None] / 2 * np.tanh((t - at) / (0.5 * reach))
    order = np.arange(1, MODES + 1)
    waves = np.sin(np.pi * order[:, None] * t), np.cos(np.pi * order[:, None] * t)
    for part, wave in enumerate(waves):
        heading = heading + (shape.wave[:, None] / order * draw.waves[..., part]) @ wave
    heading = heading - heading.mean(1, keepdims=True)
    circle = 2 * np.pi * t
    heading = np.where(patterns.ring[:, None], circle, heading)
    return heading + shape.tilt[:, None]


def _read(rows, at):
    """Values of each row at these places, straight lines between samples."""
    at = np.clip(at, 0, rows.shape[1] - 1.001)
    low = at.astype(np.intp)
    part = at - low
    if at.ndim == 1:
        return rows[:, low] * (1 - part) + rows[:, low + 1] * part
    index = np.arange(len(rows))[:, None]
    return rows[index, low] * (1 - part) + rows[index, low + 1] * part


def _smeared(rows, sigma):
    """Each row blurred by its own Gaussian, ends mirrored; sigma in row lengths."""
    wave = np.arange(rows.shape[1])
    damp = np.exp(-0.5 * (np.pi * wave * sigma[:, None]) ** 2)
    return fft.idct(fft.dct(rows, norm="ortho") * damp, norm="ortho")


def _smooth(values, t):
    """Smooth chance along each chromatid: (n, along, chromatids)."""
    at = t * (values.shape[2] - 1)
    low = np.minimum(at.astype(np.intp), values.shape[2] - 2)
    part = at - low
    part = part * part * (3 - 2 * part)
    return np.moveaxis(
        values[..., low] * (1 - part) + values[..., low + 1] * part, 2, 1
    )


def _fallen(points, axes, canvas):
    """Samples added up on the pixels they fall on."""
    low = np.array([(p[0].min(), p[1].min()) for p in points])
    high = np.array([(p[0].max(), p[1].max()) for p in points])
    if canvas is None:
        size = np.ceil(high - low).astype(int) + 2 * MARGIN
    else:
        size = np.broadcast_to(np.array(canvas)[::-1], low.shape)
    origin = size / 2 - (low + high) / 2
    total = size.prod(1)
    start = np.cumsum(total) - total
    cover = np.zeros(total.sum())
    ink = np.zeros(total.sum())
    for i, (x, y, area, tone) in enumerate(points):
        part = slice(start[i], start[i] + total[i])
        weights = (area.ravel(), (area * tone).ravel())
        found = _scatter(
            x.ravel() + origin[i, 0], y.ravel() + origin[i, 1], weights, size[i]
        )
        cover[part], ink[part] = found
    ink = ink / np.maximum(cover, 1e-6)
    return Patches(
        ink,
        np.minimum(cover, 1),
        start,
        size[:, ::-1],
        origin,
        tuple(axis + origin[i] for i, axis in enumerate(axes)),
    )


def _scatter(x, y, weights, size):
    """Each weight shared among the four pixels around its place."""
    width, height = size
    x, y = np.clip(x - 0.5, 0, width - 1.001), np.clip(y - 0.5, 0, height - 1.001)
    column, row = x.astype(np.intp), y.astype(np.intp)
    right, down = x - column, y - row
    first = row * width + column
    index = np.concatenate([first, first + 1, first + width, first + width + 1])
    share = np.concatenate(
        [
            (1 - right) * (1 - down),
            right * (1 - down),
            (1 - right) * down,
            right * down,
        ]
    )
    return [
        np.bincount(index, np.tile(weight, 4) * share, minlength=width * height)
        for weight in weights
    ]
