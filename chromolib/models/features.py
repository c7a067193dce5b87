"""Manual features of pictures: what was measured before networks learned to look.

`table(pictures)` -> DataFrame, one float32 row a picture, columns `family.name`
`FAMILIES` family -> function of ink (n, height, width) -> {name: (n,) numbers}

Pictures at least twice as high as wide are upright chromosomes, others karyograms:
zones are 6 by 2 or 4 by 4, and the band family has another second profile. The
definitions are those of scikit-image, done for many pictures at once: all families take
at most a quarter of the time that scikit-image takes for HOG, LBP and GLCM one by one
(measured on two CPU cores: row `describe` of `make bench`).
"""

import numpy as np
import pandas as pd

GROUND = 0.05  # ink up to this is ground, or the outermost blur of an outline
CHUNK = 64  # pictures at a time: what is in work stays in the processor's cache
SMALLEST = 16  # pixels of either side, below which zones hold next to nothing
STEEP, STEEPEST = 0.1, 0.8  # of a Sobel magnitude: an edge; the top of the histogram
BINS = 8  # of the histogram of Sobel magnitudes
ORIENTATIONS, CLIP, TINY = 9, 0.2, 1e-5  # Dalal and Triggs (2005), L2-Hys
RADII = (1, 2)  # pixels: rings of eight neighbours
LEVELS = 8  # grey levels of a co-occurrence
OFFSETS = {"down1": (1, 0), "down3": (3, 0), "across1": (0, 1), "across3": (0, 3)}
LONG, SHORT = 48, 24  # samples of a band profile; of a width profile


class FeatureError(ValueError):
    """Pictures that cannot be described."""


def table(pictures):
    """All features of pictures (n, height, width, 1) of ink in 0..1, ground 0."""
    ink = _checked(pictures)
    parts = [_described(ink[i : i + CHUNK]) for i in range(0, max(len(ink), 1), CHUNK)]
    values = np.concatenate([np.stack([*part.values()], 1) for part in parts])
    return pd.DataFrame(values, columns=[*parts[0]])


def _checked(pictures):
    ink = np.asarray(pictures, np.float32)
    ink = ink[..., 0] if ink.ndim == 4 and ink.shape[-1] == 1 else ink
    if ink.ndim != 3 or min(ink.shape[1:]) < SMALLEST:
        raise FeatureError(
            f"pictures are {np.shape(pictures)}; give (n, height, width, 1), "
            f"no side below {SMALLEST} pixels"
        )
    if not ((ink >= 0) & (ink <= 1)).all():
        raise FeatureError("pictures leave 0..1 or hold NaN; give ink, background 0")
    return ink


def _described(ink):
    return {
        f"{family}.{name}": np.asarray(values, np.float32)
        for family, measure in FAMILIES.items()
        for name, values in measure(ink).items()
    }


def edge(ink):
    """How steep the stain is: a histogram within it, and how much of it by zones."""
    down, across = _sobel(ink)
    slope = np.sqrt((down**2 + across**2) / 2)
    inside = ink > GROUND
    level = np.minimum((slope * (BINS / STEEPEST)).astype(np.intp), BINS - 1)
    return {
        "down": _within(np.abs(down), inside),
        "across": _within(np.abs(across), inside),
        **_numbered("level", _histogram(level, BINS, inside)),
        **_numbered("steep", _zones(slope > STEEP)),
        **_numbered("mean", _zones(slope)),
    }


def _sobel(ink):
    """Sobel's slope down and across, 1 beside a step from 0 to 1; border mirrored."""
    wide = np.pad(ink, ((0, 0), (1, 1), (1, 1)), "symmetric")
    level = (wide[..., :-2] + 2 * wide[..., 1:-1] + wide[..., 2:]) / 4
    upright = (wide[:, :-2] + 2 * wide[:, 1:-1] + wide[:, 2:]) / 4
    down = level[:, 2:] - level[:, :-2]
    return down, upright[..., 2:] - upright[..., :-2]


def hog(ink):
    """Histograms of oriented gradients, by zones and normalised over 2 x 2 of them."""
    rows, columns = grid(ink)
    down, across = np.zeros_like(ink), np.zeros_like(ink)
    down[:, 1:-1] = ink[:, 2:] - ink[:, :-2]
    across[..., 1:-1] = ink[..., 2:] - ink[..., :-2]
    angle = np.rad2deg(np.arctan2(down, across)) % 180
    which = np.minimum(angle * (ORIENTATIONS / 180), ORIENTATIONS - 1).astype(np.uint8)
    size = np.hypot(down, across)
    cells = [_zones(np.where(which == k, size, 0)) for k in range(ORIENTATIONS)]
    cells = np.stack(cells, 2).reshape(len(ink), rows, columns, ORIENTATIONS)
    corners = [
        cells[:, i : rows - 1 + i, j : columns - 1 + j] for i in (0, 1) for j in (0, 1)
    ]
    blocks = _unit(np.concatenate(corners, 3))
    blocks = _unit(np.minimum(blocks, CLIP))
    return _numbered("", blocks.reshape(len(ink), np.prod(blocks.shape[1:])))


def _unit(blocks):
    return blocks / np.sqrt((blocks**2).sum(-1, keepdims=True) + TINY**2)


def lbp(ink):
    """Uniform local binary patterns within the stain, on rings of one and two pixels.

    Names 0 to 8 count the neighbours at least as dark; 9 is every other pattern.
    """
    grey = np.round(255 * ink)
    inside = ink > GROUND
    return {
        name: share
        for radius in RADII
        for name, share in _numbered(
            f"ring{radius}_", _histogram(patterns(grey, radius), 10, inside)
        ).items()
    }


def patterns(grey, radius):
    """The uniform pattern, 0 to 9, at each pixel of whole grey levels; 0 beyond."""
    room = radius + 1
    wide = np.pad(grey, ((0, 0), (room, room), (room, room)))
    least = grey - np.float32(1e-3)  # equal stays equal, however it is interpolated
    code = np.zeros(grey.shape, np.uint8)
    for k, turn in enumerate(np.arange(8) * np.pi / 4):
        at = np.round([-radius * np.sin(turn), radius * np.cos(turn)], 5)
        code |= (_shifted(wide, *at, room) >= least).astype(np.uint8) << np.uint8(k)
    return UNIFORM[code]


def _shifted(wide, down, across, room):
    """Pictures with room around them, read so far down and across, between pixels."""
    height, width = (side - 2 * room for side in wide.shape[1:])
    found = 0
    for i, part in _neighbours(down):
        for j, share in _neighbours(across):
            y, x = room + i, room + j
            view = wide[:, y : y + height, x : x + width]
            found = found + view * np.float32(part * share)
    return found


def _neighbours(at):
    """The whole numbers on either side, and how near each is; only one where exact."""
    low = int(np.floor(at))
    both = ((low, 1 - (at - low)), (low + 1, at - low))
    return [(there, near) for there, near in both if near > 0]


def _uniform():
    """Code of eight neighbours -> how many are set; 9 where they change too often."""
    bits = (np.arange(256)[:, None] >> np.arange(8)) & 1
    changes = (bits != np.roll(bits, 1, 1)).sum(1)
    return np.where(changes <= 2, bits.sum(1), 9)


UNIFORM = _uniform()


def glcm(ink):
    """Texture of the stain: how grey levels lie beside each other, the ground left out.

    Contrast, homogeneity, energy and correlation, one and three pixels down and across.
    """
    level = np.minimum(1 + (LEVELS * ink).astype(np.intp), LEVELS) * (ink > GROUND)
    found = {}
    for name, offset in OFFSETS.items():
        found |= {f"{name}_{key}": v for key, v in _texture(_beside(level, *offset))}
    return found


def _beside(level, down, across):
    """(n, LEVELS, LEVELS) shares of pairs so far apart, either way round."""
    count, (height, width) = len(level), level.shape[1:]
    pair = level[:, : height - down, : width - across] * (LEVELS + 1)
    pair = pair + level[:, down:, across:]
    side = LEVELS + 1
    many = _counts(pair, side**2).reshape(count, side, side)[:, 1:, 1:]
    many = many + many.transpose(0, 2, 1)
    return many / np.maximum(many.sum((1, 2), keepdims=True), 1)


def _texture(share):
    row, column = np.indices(share.shape[1:])
    mean = (share * row).sum((1, 2))
    variance = (share * row**2).sum((1, 2)) - mean**2
    both = (share * row * column).sum((1, 2)) - mean**2
    even = variance < 1e-12  # one level alone goes with itself
    return (
        ("contrast", (share * (row - column) ** 2).sum((1, 2))),
        ("homogeneity", (share / (1 + (row - column) ** 2)).sum((1, 2))),
        ("energy", np.sqrt((share**2).sum((1, 2)))),
        ("correlation", np.where(even, 1, both / np.where(even, 1, variance))),
    )


def band(ink):
    """Stain from the upper end to the lower, over its mean, and the width likewise.

    A karyogram has, in place of the width, its stain from the left to the right.
    """
    inside = ink > GROUND
    stain = ink * inside
    found = _numbered("down", _profile(stain.sum(2), *_extent(inside, 2), LONG))
    if _upright(ink):
        width = _profile(inside.sum(2), *_extent(inside, 2), SHORT)
        return found | _numbered("width", width)
    across = _profile(stain.sum(1), *_extent(inside, 1), LONG)
    return found | _numbered("across", across)


def _extent(inside, axis):
    """First row (axis 2) or column (axis 1) with stain, and the one after the last."""
    there = inside.any(axis)
    last = there.shape[1] - there[:, ::-1].argmax(1)
    return there.argmax(1), np.where(there.any(1), last, 1)


def _profile(values, first, last, samples):
    """Means over equal pieces of [first, last) of each row, over their own mean."""
    total = np.pad(np.cumsum(values, 1, dtype=np.float64), ((0, 0), (1, 0)))
    at = first[:, None] + (last - first)[:, None] * np.linspace(0, 1, samples + 1)
    low = np.minimum(at.astype(np.intp), values.shape[1] - 1)
    below = np.take_along_axis(total, low, 1)
    above = np.take_along_axis(total, low + 1, 1)
    pieces = np.diff(below + (at - low) * (above - below))
    return pieces / np.maximum(pieces.mean(1, keepdims=True), 1e-9)


def size(ink):
    """Area in pixels, length, mean width, mean ink within and its spread."""
    inside = ink > GROUND
    area = inside.sum((1, 2))
    first, last = _extent(inside, 2)
    length = np.where(area > 0, last - first, 0)
    mean = _within(ink, inside)
    spread = _within((ink - mean[:, None, None]) ** 2, inside)
    return {
        "area": area,
        "length": length,
        "width": area / np.maximum(length, 1),
        "ink": mean,
        "spread": np.sqrt(spread),
    }


FAMILIES = {
    "edge": edge,
    "hog": hog,
    "lbp": lbp,
    "glcm": glcm,
    "band": band,
    "size": size,
}


def _upright(ink):
    return ink.shape[1] >= 2 * ink.shape[2]


def grid(ink):
    """Zones down and across, by the pictures' shape."""
    return (6, 2) if _upright(ink) else (4, 4)


def _zones(values):
    """(n, zones) mean of each zone, row by row; what is over at the end is left out."""
    rows, columns = grid(values)
    height, width = values.shape[1] // rows, values.shape[2] // columns
    part = values[:, : rows * height, : columns * width]
    part = part.reshape(len(values), rows, height, columns, width)
    return part.mean((2, 4), dtype=np.float32).reshape(len(values), rows * columns)


def _within(values, inside):
    """Mean over what is inside; 0 where nothing is."""
    return (values * inside).sum((1, 2)) / np.maximum(inside.sum((1, 2)), 1)


def _counts(which, most):
    """(n, most) how often each of the numbers 0 to most - 1 stands in a picture."""
    first = np.arange(len(which))[:, None, None] * most
    many = np.bincount((which + first).ravel(), minlength=len(which) * most)
    return many.reshape(len(which), most)


def _histogram(which, most, inside):
    """(n, most) shares of the numbers within what is inside."""
    many = _counts(np.where(inside, which, most), most + 1)[:, :most]
    return many / np.maximum(many.sum(1, keepdims=True), 1)


def _numbered(name, values):
    """A name for each column: name0, name1, ..., as many digits for all."""
    digits = len(str(values.shape[1] - 1))
    return {f"{name}{k:0{digits}}": values[:, k] for k in range(values.shape[1])}
