"""Chromosomes as bodies: two chromatids along a bent axis, laid on pixels.

`lay(patterns, shape, rng)` -> Patches: ink, cover and axis of each chromosome, sharp

Each chromatid is a grid of samples, along and across, that fall onto pixels with the
area they stand for. So any bend, ring or crossed arm is drawn alike, and the share of
a pixel that is chromosome is known.
"""

import dataclasses
import operator

import numpy as np
from scipy import fft

from chromolib.synth import banding

STEP = 0.75  # pixels between samples; the blur that follows hides the grid
GROUP = 12  # chromosomes of like length that share a grid
MODES = 3  # waves of an axis beside its bend and its kink
KNOTS = 14  # places along a chromatid that chance decides on their own
CHANCE = {  # all that chance decides of one chromosome, drawn before grids are chosen
    "waves": (MODES, 2),
    "side": (2,),
    "mottle": (2, KNOTS),
    "rough": (2, KNOTS),
    "blotch": (1, KNOTS),
    "stretch": (1, KNOTS),
}
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
        place = slice(self.start[i], self.start[i] + height * width)
        return tuple(
            pixels[place].reshape(height, width) for pixels in (self.ink, self.cover)
        )


PIXELS = ("unit", "width", "gap", "smear", "slant", "stretch")  # measures in pixels


def scaled(shape, factor):
    """The same chromosomes, drawn larger or smaller."""
    changed = {name: getattr(shape, name) * factor for name in PIXELS}
    return dataclasses.replace(shape, **changed)


def lay(patterns, shape, rng, *, canvas=None):
    """The chromosomes on pixels, each centred in its box, or in a canvas of its own."""
    return _fallen(_sampled(patterns, shape, rng, _samples), canvas)


def sizes(patterns, shape, rng):
    """(n, 2) height and width of the boxes that `lay` would give them."""
    return _extent(_sampled(patterns, shape, rng, _grid))[1][:, ::-1]


def _sampled(patterns, shape, rng, of):
    """What `of` says of each chromosome, in groups of like length."""
    count = len(patterns.length)
    shape = each(
        shape, lambda column: np.broadcast_to(np.asarray(column, float), count)
    )
    draw = {name: rng.standard_normal((count, *n)) for name, n in CHANCE.items()}
    order = np.argsort(patterns.length * shape.unit)
    samples = [None] * count
    for chunk in np.array_split(order, max(1, -(-count // GROUP))):
        chosen = operator.itemgetter(chunk)
        laid = of(
            each(patterns, chosen),
            each(shape, chosen),
            {name: chosen(rows) for name, rows in draw.items()},
        )
        for row, i in enumerate(chunk):
            samples[i] = [array[row] for array in laid]
    return samples


def each(record, change):
    """A record of arrays with every array changed."""
    fields = dataclasses.fields(record)
    return type(record)(*(change(getattr(record, field.name)) for field in fields))


def _samples(patterns, shape, draw):
    """x, y, area and ink of every sample, (n, along, 2, across), and the axes."""
    x, y, axes, heading, offset, radius = _grid(patterns, shape, draw)
    along, across = x.shape[1], x.shape[3]
    t, v = _along(along), _across(across)
    step = (patterns.length * shape.unit / along)[:, None]
    turn = (np.gradient(heading, axis=1) / step)[..., None, None]
    area = step[..., None, None] * 2 * radius[..., None] / across
    area = area * np.clip(1 + turn * offset, 0.05, 3)
    return x, y, area, _ink(patterns, shape, draw, (t, v, offset)), axes


def _grid(patterns, shape, draw):
    """Where samples lie: x, y, the axes, their heading, and what is beside them."""
    long = patterns.length * shape.unit
    half = shape.width * shape.fill / 4
    t = _along(int(np.ceil(long.max() / STEP / 8) * 8))
    v = _across(max(3, int(np.ceil(2 * half.max() / STEP))))
    heading = _heading(patterns, shape, draw, t)
    step = (long / len(t))[:, None]
    axes = np.stack([np.cumsum(f(heading) * step, 1) for f in (np.sin, np.cos)], -1)
    radius, middle = _chromatids(patterns, shape, draw, t)
    offset = middle[..., None] + radius[..., None] * v
    x = axes[..., 0, None, None] + np.cos(heading)[..., None, None] * offset
    y = axes[..., 1, None, None] - np.sin(heading)[..., None, None] * offset
    return x, y, axes, heading, offset, radius


def _along(count):
    """Places of samples from end to end, in (0, 1)."""
    return (np.arange(count) + 0.5) / count


def _across(count):
    """Places of samples from side to side, in (-1, 1)."""
    return _along(count) * 2 - 1


def _chromatids(patterns, shape, draw, t):
    """Half the breadth of each chromatid and how far it is from the axis."""
    at = t * banding.SAMPLES - 0.5
    waist = shape.waist[:, None]
    breadth = _read(1 - waist * (1 - patterns.breadth), at)
    away = _read(patterns.away, at) * shape.unit[:, None]
    half = shape.width * shape.fill / 4
    body = (half[:, None] * breadth)[..., None]
    body = body * np.exp(shape.rough[:, None, None] * _smooth(draw["rough"], t))
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
    lag = 0.5 * (draw["side"] * shape.slant[:, None])[:, None, :]
    lag = lag + shape.stretch[:, None, None] * _smooth(draw["stretch"], t)
    lag = lag[..., None] + shape.slant[column] * offset / shape.width[column]
    place = (t[:, None, None] + lag / long[column]) * banding.SAMPLES - 0.5
    tone = _read(stain, place.reshape(len(long), -1)).reshape(place.shape)
    ink = shape.pale[column] + (shape.dark - shape.pale)[column] * tone
    uneven = shape.mottle[:, None, None] * _smooth(draw["mottle"], t)
    uneven = uneven + shape.blotch[:, None, None] * _smooth(draw["blotch"], t)
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
    for k, wave in enumerate(waves):
        heading = heading + (shape.wave[:, None] / order * draw["waves"][..., k]) @ wave
    heading = heading - heading.mean(1, keepdims=True)
    circle = 2 * np.pi * t
    heading = np.where(patterns.ring[:, None], circle, heading)
    return heading + shape.tilt[:, None]


def _read(rows, at):
    """Values of each row at these places, straight lines between samples."""
    at = np.clip(at, 0, rows.shape[1] - 1.001)
    low = at.astype(np.intp)
    share = at - low
    index = np.arange(len(rows))[:, None]
    return rows[index, low] * (1 - share) + rows[index, low + 1] * share


def _smeared(rows, sigma):
    """Each row blurred by its own Gaussian, ends mirrored; sigma in row lengths."""
    wave = np.arange(rows.shape[1])
    damp = np.exp(-0.5 * (np.pi * wave * sigma[:, None]) ** 2)
    return fft.idct(fft.dct(rows, norm="ortho") * damp, norm="ortho")


def _smooth(values, t):
    """Smooth chance along each chromatid: (n, along, chromatids)."""
    at = t * (values.shape[2] - 1)
    low = np.minimum(at.astype(np.intp), values.shape[2] - 2)
    share = at - low
    share = share * share * (3 - 2 * share)
    smooth = values[..., low] * (1 - share) + values[..., low + 1] * share
    return np.moveaxis(smooth, 2, 1)


def _extent(samples):
    """The middle of each chromosome, and the size of its box, x before y."""
    low = np.array([(x.min(), y.min()) for x, y, *_ in samples])
    high = np.array([(x.max(), y.max()) for x, y, *_ in samples])
    return (low + high) / 2, np.ceil(high - low).astype(int) + 2 * MARGIN


def _fallen(samples, canvas):
    """Samples added up on the pixels they fall on."""
    middle, size = _extent(samples)
    if canvas is not None:
        size = np.broadcast_to(np.array(canvas)[::-1], size.shape)
    origin = size / 2 - middle
    total = size.prod(1)
    start = np.cumsum(total) - total
    cover, ink, axes = [], [], []
    for (x, y, area, tone, axis), corner, extent in zip(
        samples, origin, size, strict=True
    ):
        x, y, area = (x + corner[0]).ravel(), (y + corner[1]).ravel(), area.ravel()
        covered, inked = _scatter(x, y, (area, area * tone.ravel()), extent)
        cover.append(covered)
        ink.append(inked)
        axes.append(axis + corner)
    cover = np.concatenate(cover)
    ink = np.concatenate(ink) / np.maximum(cover, 1e-6)
    cover = np.minimum(cover, 1)
    return Patches(ink, cover, start, size[:, ::-1], origin, tuple(axes))


def _scatter(x, y, weights, size):
    """Each weight shared among the four pixels around its place."""
    width, height = size
    x, y = np.clip(x - 0.5, 0, width - 1.001), np.clip(y - 0.5, 0, height - 1.001)
    column, row = x.astype(np.intp), y.astype(np.intp)
    right, down = x - column, y - row
    first = row * width + column
    index = np.concatenate([first, first + 1, first + width, first + width + 1])
    left, up = 1 - right, 1 - down
    share = np.concatenate([left * up, right * up, left * down, right * down])
    return [
        np.bincount(index, np.tile(weight, 4) * share, minlength=width * height)
        for weight in weights
    ]
