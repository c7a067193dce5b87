"""Metaphase fields: the chromosomes of a cell as they fell on the slide.

`draw(cell, size)` -> (image, Boxes with mask, outline and axis), lowest first

Strategy: each chromosome is laid on pixels of its own. Places are tried on a coarse
grid until one overlaps what lies there no more than chance allows this chromosome.
They are stacked like paper, the upper one hiding the lower, and photographed together.
"""

import dataclasses

import numpy as np

from chromolib.synth import bodies, looks, surroundings, truth

SIZE = 768  # pixels on a side
SPAN = 0.26  # of the field: the length of a normal chromosome 1
LONGEST = 0.7  # of the field: no chromosome is longer
THROUGH = 0.12  # of the lower chromosome that is seen through the upper
STEP = 0.25  # of a width: the grid on which places are tried
TRIES = 40  # places for each chromosome
RADIUS = (0.375, 0.15)  # of the field, and spread: how far out they were thrown
ROUND = (0.5, 1.0)  # short over long axis of that ellipse
CLEAR = 0.3  # share of chromosomes that lie clear of others where they can
OVERLAP = 0.5  # share of itself that any other chromosome may lie over others
BENT = ("bend", "kink", "wave")  # what is long does more; at most so many radians
MOST_BENT = 4.0
SMALLEST, LARGEST = 128, 4096  # pixels


class FieldError(ValueError):
    """A field that cannot be drawn."""


def draw(cell, *, size=SIZE):
    """A metaphase of the cell, (size, size) uint8, and the truth about it."""
    if not SMALLEST <= size <= LARGEST:
        raise FieldError(f"size {size}; a field has {SMALLEST} to {LARGEST} pixels")
    rng = cell.rng("metaphase")
    shape, factor = _shape(cell, size, rng)
    laid = bodies.lay(cell.patterns, shape, rng)
    width = float(np.median(shape.width))
    field = surroundings.Field(np.zeros((size, size), np.float32), width)
    taken = surroundings.nuclei(field, cell.rng("nuclei"))
    corner = _places(laid, taken, max(1, round(STEP * width)), rng)
    order = rng.permutation(len(corner))
    for i in order:
        _stack(field.stain, *laid.box(i), corner[i])
    surroundings.debris(field, cell.rng("debris"))
    style, dark = surroundings.rescaled(cell.style, factor), looks.DARK[cell.look]
    image = surroundings.photograph(field, style, cell.rng("camera"), dark=dark)
    return image, truth.boxes(laid, corner, order, cell.label)


def _shape(cell, size, rng):
    """How the chromosomes lie, any way round, and the scale against their look."""
    count = len(cell.homologues)
    shape = looks.shape(cell.look, cell.style, count, rng)
    factor = SPAN * size / looks.LOOKS[cell.look]["unit"].middle
    longest = factor * (cell.patterns.length * shape.unit).max()
    factor *= min(1, LONGEST * size / longest)
    turned = {"tilt": rng.uniform(0, 2 * np.pi, count)}
    for name in BENT:
        bent = getattr(shape, name) * np.sqrt(cell.patterns.length)
        turned[name] = np.clip(bent, -MOST_BENT, MOST_BENT)
    return bodies.scaled(dataclasses.replace(shape, **turned), factor), factor


def _places(laid, taken, step, rng):
    """The corner x, y of each patch in the field."""
    size = len(taken)
    grid = np.zeros((-(-size // step) + 2,) * 2, bool)
    rows, columns = np.nonzero(taken[::step, ::step])
    grid[rows, columns] = True
    middle = size * (0.5 + rng.normal(0, 0.03, 2))
    thrown = _ellipse(rng, size)
    clear = rng.random(len(laid.start)) < CLEAR
    allowed = np.where(clear, 0, OVERLAP * rng.random(len(clear)))
    corners = np.zeros((len(clear), 2), int)
    for i in np.argsort(-laid.shape.max(1)):
        cover = laid.box(i)[1] > 0
        at = np.unique(np.argwhere(cover) // step, axis=0)
        room = np.maximum(size - laid.shape[i][::-1], 0)
        tried = middle + thrown(TRIES) - laid.origin[i]
        tried = np.clip(tried, 0, room).astype(int) // step
        hit = grid[at[:, 0] + tried[:, 1:], at[:, 1] + tried[:, :1]].mean(1)
        good = np.flatnonzero(hit <= allowed[i])
        best = tried[good[0] if len(good) else hit.argmin()]
        grid[at[:, 0] + best[1], at[:, 1] + best[0]] = True
        corners[i] = best * step
    return corners


def _ellipse(rng, size):
    """How to throw: evenly over an ellipse that leans anyhow."""
    turn, ratio = rng.uniform(0, np.pi), rng.uniform(*ROUND)
    axes = np.array([[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]])
    reach = size * RADIUS[0] * np.exp(RADIUS[1] * rng.standard_normal())
    axes = axes * (reach * np.array([[1.0], [ratio]]) / np.sqrt(ratio))

    def thrown(count):
        angle, away = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.random(count))
        return (away * np.array([np.cos(angle), np.sin(angle)])).T @ axes

    return thrown


def _stack(stain, ink, cover, corner):
    """Lay a chromosome over what is there."""
    (x, y), (height, width) = corner, cover.shape
    under = stain[y : y + height, x : x + width]
    under *= 1 - (1 - THROUGH) * cover
    under += ink * cover
