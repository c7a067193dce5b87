"""Karyograms put together from the single chromosomes of one cell, with boxes."""

import collections
import dataclasses

import numpy as np
import PIL.Image

from chromolib import records
from chromolib.data import pixels
from chromolib.imaging import axis
from chromolib.records import Problem

# The order and the rows that the papers' karyograms share; rows get height by what
# stands in them, slots the same width each, so a class is always in its place.
ROWS = (
    ("1", "2", "3", "4", "5"),
    ("6", "7", "8", "9", "10", "11", "12"),
    ("13", "14", "15", "16", "17", "18"),
    ("19", "20", "21", "22", "X", "Y"),
)
HEIGHTS = (0.34, 0.27, 0.21, 0.18)  # shares of the canvas
FILL = 0.86  # of a row's height and of a slot's width that chromosomes may take
GAP = 0.08  # of a slot's width, between homologues
SIZE = 416  # pixels; both papers with karyograms resize to it
ROOM = 3  # copies that every slot has room for where their number is the question


class ComposeError(ValueError):
    """Chromosomes that no karyogram can be made of."""


def karyogram(crops, labels, *, room=1, scale=None):
    """A karyogram (SIZE, SIZE) uint8 and the boxes of its chromosomes.

    `crops` are upright, tight, and dark on white; one scale serves all of them, so that
    what is long stays long. With `room` for so many copies in every slot, one more
    shrinks nothing. `scale` is the largest that fits, or one that is given.
    """
    slots = _slots(labels)
    if not slots:
        raise ComposeError("no chromosome of the 24 classes; nothing to arrange")
    shape = np.array([crop.shape for crop in crops])
    scale = scale or largest(crops, labels, room=room)
    canvas = np.full((SIZE, SIZE), 255, np.uint8)
    xyxy, order = [], []
    for which, slot in slots:
        places = _places(shape[which], slot, scale)
        for i, (x, y, width, height) in zip(which, places, strict=True):
            area = canvas[y : y + height, x : x + width]
            np.minimum(area, resized(crops[i], height, width), out=area)
            xyxy.append((x, y, x + width, y + height))
            order.append(i)
    return canvas, records.Boxes(np.array(xyxy, float), np.asarray(labels)[order])


def largest(crops, labels, *, room=1):
    """The largest scale at which all chromosomes fit into their slots."""
    shape = np.array([crop.shape for crop in crops])
    return min(
        fit(shape[which, 1], shape[which, 0], slot, room)
        for which, slot in _slots(labels)
    )


def straightened(images, *, orient, keep=False):
    """The same chromosomes straight, tight and dark on white; failures are left out.

    With `orient` the short arm comes up; without it the upper end stays, for sources
    that stand upright already. With `keep` failures stay as they are.
    """
    results = axis.straighten_all(images.pixels, orient=orient)
    straight = np.array([isinstance(r, axis.Straight) for r in results], bool)
    remedy = f"cannot be straightened: {'taken as it is' if keep else 'left out'}"
    problems = tuple(
        Problem("repaired", results[i].reason, str(images.name[i]), remedy)
        for i in np.flatnonzero(~straight)
    )
    chosen = np.flatnonzero(straight | keep)
    pictures = [
        rendered(results[i].ink) if straight[i] else images.pixels[i] for i in chosen
    ]
    return dataclasses.replace(
        images.take(chosen),
        pixels=pixels.pack(pictures),
        problems=(*images.problems, *problems),
    )


def rendered(ink):
    """Ink as grey levels, dark on white."""
    return 255 - np.clip(np.round(255 * ink), 0, 255).astype(np.uint8)


def cells(images, *, room=1):
    """A karyogram for each complete cell of a set of single chromosomes.

    A cell that lost chromosomes is left out: it is no monosomy. `extra["status"]` is
    normal or numerical, `extra["change"]` says which copies are too many.
    """
    made, incomplete = [], []
    for which in of_cells(images):
        change = composition(images.label[which])
        if change is None:
            incomplete.append(images.cell[which[0]])
            continue
        crops = [images.pixels[i] for i in which]
        picture, boxes = karyogram(crops, images.label[which], room=room)
        extra = {"status": "numerical" if change else "normal", "change": change}
        made.append((which[0], picture, boxes, extra))
    return as_set(images, made, incomplete)


def of_cells(images):
    """The indices of each cell's images, cell by cell."""
    names, which = np.unique(images.cell, return_inverse=True)
    order = np.argsort(which, kind="stable")
    return np.split(order, np.cumsum(np.bincount(which, minlength=len(names)))[:-1])


def composition(labels):
    """Copies a cell has too many of: "", "+21", "+X"; None where some are lost."""
    copies = collections.Counter(labels)
    extra = []
    for name in records.CLASSES[:22]:
        if copies[name] < 2:
            return None
        extra += [f"+{name}"] * (copies[name] - 2)
    if not copies["X"] or copies["X"] + copies["Y"] < 2:
        return None
    extra += ["+Y"] * max(0, copies["Y"] - 1)
    extra += ["+X"] * (copies["X"] - (2 if not copies["Y"] else 1))
    return ",".join(extra)


def as_set(images, made, incomplete=()):
    """Karyograms as a set: `made` is (an image of the cell, picture, boxes, extra)."""
    if not made:
        raise ComposeError(f"{images.source} has no complete cell to make one of")
    first, pictures, boxes, extras = zip(*made, strict=True)
    first = np.array(first)
    problems = tuple(
        Problem("repaired", "a cell that lost chromosomes", cell, "no karyogram of it")
        for cell in incomplete
    )
    return dataclasses.replace(
        images,
        name=images.cell[first],
        label=np.full(len(first), ""),
        group=images.group[first],
        cell=images.cell[first],
        pixels=pixels.pack(pictures),
        boxes=boxes,
        extra={key: np.array([e[key] for e in extras], dtype=str) for key in extras[0]},
        problems=(*images.problems, *problems),
    )


def _slots(labels):
    """Chromosomes that share a slot, and the slot: (indices, (x, y, width, height))."""
    labels, slots, y = np.asarray(labels), [], 0.0
    for row, share in zip(ROWS, HEIGHTS, strict=True):
        height, width = share * SIZE, SIZE / len(row)
        for column, name in enumerate(row):
            which = np.flatnonzero(labels == name)
            if len(which):
                slots.append((which, (column * width, y, width, height)))
        y += height
    return slots


def fit(widths, heights, slot, room=1):
    """The largest scale at which so many fit into a slot, or `room` such as these."""
    _, _, width, height = slot
    copies = max(len(widths), room)
    wide = (FILL - GAP * (copies - 1)) * width / (copies * widths.mean())
    return min(wide, FILL * height / heights.max())


def _places(shape, slot, scale):
    """Corner and size of each chromosome of a slot, side by side around its middle."""
    x, y, width, height = slot
    sizes = np.maximum(1, np.round(shape * scale)).astype(int)
    gap = GAP * width
    left = x + (width - sizes[:, 1].sum() - gap * (len(sizes) - 1)) / 2
    for tall, wide in sizes.tolist():
        yield round(left), round(y + (height - tall) / 2), wide, tall
        left += wide + gap


def resized(image, height, width):
    """An image at another size, interpolated between neighbours."""
    image = PIL.Image.fromarray(image)
    return np.asarray(image.resize((width, height), PIL.Image.Resampling.BILINEAR))
