"""Karyograms of synthetic cells: each class in its place, short arms up.

`draw(cell, size, layout)` -> (image, Boxes with mask, outline and axis)

Every chromosome has a tilt, a bend and a place of its own; none leaves its slot, so the
order of a karyogram stands.
"""

import dataclasses

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from chromolib.data import compose, pixels
from chromolib.synth import bodies, looks, singles, surroundings, truth

SIZE = compose.SIZE
OTHERS = ("mar", "ace")  # share a slot of their own where there are any
TILT = 0.05  # radians
JITTER = 0.03  # of a slot's width and height
BENT = {"bend": 0.5, "kink": 0.5, "wave": 1.0}  # radians at most
STRAIGHTENED = 0.7  # of a bend that is left: who arranges a karyogram straightens it
SMALLEST, LARGEST = 128, 4096  # pixels
LONG = 0.28  # of the canvas: a first guess for the longest chromosome
TICK = 0.45  # of a frame's height: where centromeres stand
LINE, NUMBER = 0.45, 0.024  # contrast of frames; height of a number, of the canvas
# Of the canvas, as karyotyping stations frame them: y, height and width of a row's
# frames, and where they start, in widths.
EDGE, GUTTER = 0.012, 0.005
FRAMED = (
    (0.017, 0.313, 0.195, (0, 1, 2, 3, 4)),
    (0.339, 0.243, 0.139, (0, 1, 2, 3, 4, 5, 6)),
    (0.587, 0.171, 0.139, (0, 1, 2, 4, 5, 6, 3)),  # the last for others
    (0.767, 0.219, 0.139, (0, 1, 2.5, 3.5, 5, 6)),
)


class KaryogramError(ValueError):
    """A karyogram that cannot be drawn."""


def _papers(rows):
    """Class -> its slot (x, y, width, height), in shares of the canvas; see compose."""
    slots, y = {}, 0.0
    for row, height in zip(rows, compose.HEIGHTS, strict=True):
        width = 1 / len(row)
        slots |= {name: (k * width, y, width, height) for k, name in enumerate(row)}
        y += height
    return slots


def _framed(rows):
    """The same, in frames with a gutter between them."""
    return {
        name: (EDGE + k * width, y, width - GUTTER, height)
        for row, (y, height, width, starts) in zip(rows, FRAMED, strict=True)
        for name, k in zip(row, starts, strict=False)
    }


LAYOUTS = {"papers": (_papers, 3), "framed": (_framed, 2)}  # and the row of others


def draw(cell, *, size=SIZE, layout="papers", room=1):
    """A karyogram of the cell, (size, size) uint8, and the truth about it.

    Every slot has `room` for so many copies, see `compose.karyogram`.
    """
    _check(size, layout)
    slots = _slots(cell.label, size, layout)
    filled = [(_of(cell.label, name), slot) for name, slot in slots.items()]
    filled = [(which, slot) for which, slot in filled if len(which)]
    laid, factor = _laid(cell, filled, size, room)
    seen = dataclasses.replace(cell, style=surroundings.rescaled(cell.style, factor))
    grey = singles.photograph(laid, seen, cell.rng("camera"))
    image = np.full((size, size), grey[0])  # a corner, which is ground
    rng, corner = cell.rng("places"), np.zeros((len(cell.label), 2), int)
    for which, slot in filled:
        corner[which] = _places(laid, which, slot, rng)
        if layout == "framed":
            corner[which, 1] = _hung(laid, cell.patterns, which, slot)
    if layout == "framed":
        image = _frames(image, slots)
    upper = np.minimum if looks.DARK[cell.look] else np.maximum
    for patch, place in zip(
        pixels.Packed(grey, laid.start, laid.shape), corner, strict=True
    ):
        _paste(image, patch, place, upper)
    order = np.concatenate([which for which, _ in filled])
    return image, truth.boxes(laid, corner, order, cell.label)


def _paste(image, patch, corner, upper):
    """Lay a patch over what is there; what sticks out of the image is cut off."""
    (x, y), (height, width) = corner, patch.shape
    under = image[max(y, 0) : y + height, max(x, 0) : x + width]
    over = patch[max(-y, 0) :, max(-x, 0) :][: under.shape[0], : under.shape[1]]
    upper(under, over, out=under)


def _check(size, layout):
    if layout not in LAYOUTS:
        raise KaryogramError(f"layout {layout!r}; known: {', '.join(LAYOUTS)}")
    if not SMALLEST <= size <= LARGEST:
        raise KaryogramError(f"size {size}; a karyogram has {SMALLEST} to {LARGEST}")


def _slots(labels, size, layout):
    """Class -> its slot in pixels; others have one where there are any."""
    place, extra = LAYOUTS[layout]
    rows = list(compose.ROWS)
    if np.isin(labels, OTHERS).any():
        rows[extra] = (*rows[extra], OTHERS[0])
    return {name: size * np.array(slot) for name, slot in place(rows).items()}


def _of(labels, name):
    return np.flatnonzero(np.isin(labels, OTHERS if name in OTHERS else [name]))


def _laid(cell, filled, size, room):
    """All chromosomes at the one scale that fits them into their slots."""
    rng = cell.rng("karyogram")
    shape = looks.shape(cell.look, cell.style, len(cell.label), rng)
    upright = {"tilt": TILT * rng.standard_normal(len(cell.label))}
    for name, most in BENT.items():
        left = STRAIGHTENED * getattr(shape, name)
        upright[name] = np.clip(left, -most, most)
    shape = dataclasses.replace(shape, **upright)
    factor = LONG * size / (cell.patterns.length * shape.unit).max()
    tried = cell.patterns, bodies.scaled(shape, factor), cell.rng("bodies")
    sizes = _bare(bodies.sizes(*tried))  # in proportion: after this all fit
    factor *= min(compose.fit(*sizes[which].T, slot, room) for which, slot in filled)
    ready = bodies.scaled(shape, factor)
    return bodies.lay(cell.patterns, ready, cell.rng("bodies")), factor


def _sizes(laid, which):
    """Width and height of the chromosomes themselves."""
    return _bare(laid.shape[which])


def _bare(shape):
    """Width and height without the margins of these boxes."""
    return shape[:, ::-1] - 2 * bodies.MARGIN


def _places(laid, which, slot, rng):
    """Corners of patches side by side around the middle of their slot."""
    x, y, width, height = slot
    sizes, gap = _sizes(laid, which), compose.GAP * slot[2]
    total = sizes[:, 0].sum() + gap * (len(which) - 1)
    left = x + (width - total) / 2 + np.cumsum([0, *(sizes[:-1, 0] + gap)])
    top = y + (height - sizes[:, 1]) / 2
    moved = JITTER * rng.standard_normal((len(which), 2)) * slot[2:]
    free = np.stack([np.full(len(which), gap / 2), top - y], 1)
    corner = np.stack([left, top], 1) + np.clip(moved, -free, free)
    return np.round(corner).astype(int) - bodies.MARGIN


def _hung(laid, patterns, which, slot):
    """The top of patches whose centromeres stand level, as far as the frame allows."""
    at = patterns.away[which].argmin(1) / patterns.away.shape[1]
    lines = [laid.axis[i] for i in which]
    centre = [line[int(t * len(line)), 1] for line, t in zip(lines, at, strict=True)]
    low, room = slot[1] + 2, slot[3] - _sizes(laid, which)[:, 1] - 4
    top = np.clip(slot[1] + TICK * slot[3] - centre + bodies.MARGIN, low, low + room)
    return np.round(top).astype(int) - bodies.MARGIN


def _frames(image, slots):
    """Thin frames with a tick where centromeres stand, and the class's name."""
    drawn = PIL.Image.fromarray(image)
    pen, size = PIL.ImageDraw.Draw(drawn), len(image)
    grey = round(255 * LINE) if image[0, 0] > 127 else round(255 * (1 - LINE))
    font = PIL.ImageFont.load_default(NUMBER * size)
    for name, (x, y, width, height) in slots.items():
        pen.rectangle((x, y, x + width, y + height), outline=grey)
        level, tick = y + TICK * height, 0.012 * size
        for side in (x, x + width):
            pen.line((side - tick / 2, level, side + tick / 2, level), fill=grey)
        pen.text((x + 2, y + height - 2), name, fill=grey, font=font, anchor="lb")
    return np.array(drawn)
