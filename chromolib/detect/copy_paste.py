"""More fields of the same chromosomes, laid over each other in other ways.

`pasted(fields, times, *, seed)` -> Fields: each field so many times, every time other

# Strategy: after copy-paste (Ghiasi et al. 2021, arXiv 2012.07177), without masks. What
# a detector misses are chromosomes that cross, of which some hundred fields show few.
# One that lies free is a piece of ink of its own: it is taken away, turned, and laid
# where others lie. Light has to pass both, so ink a and b make 1 - (1 - a)(1 - b). Its
# box has the gap to its ink that such boxes of the field have. Groups stay.
"""

import dataclasses

import numpy as np
from scipy import ndimage

from chromolib import records, streams
from chromolib.detect import squares
from chromolib.models import augment

INK, SOFT = 0.2, 2  # from which a pixel is a chromosome's; pixels of its soft edge
GAPS = -0.01, 0.035  # of a side: from the ink of one that lies free to its box
MOVED, ADDED = (0.2, 0.6), 8  # share of these that moves, and how many more may come
ABOUT = 0.053  # of a side: how far from the middle of another one
OVER, WITHIN, HIDDEN = 0.6, 0.9, 0.45  # most overlap of boxes, inside another, of ink
TRIES, LEAST = 30, 20  # places; pixels of ink


@dataclasses.dataclass(frozen=True, eq=False)
class _Free:
    """A chromosome that nothing touches."""

    box: int  # which of the field's
    place: tuple  # of its crop
    mask: np.ndarray  # (h, w) bool
    ink: np.ndarray  # (h, w)
    gap: float  # from its ink to its box


def pasted(fields, times, *, seed):
    """Each field so many times, but those in which nothing lies free."""
    rng, known = streams.stream(seed, "copy and paste"), fields.truth
    ink = (squares.seen(one[..., 0]) for one in fields.x)
    free = [_free(*pair) for pair in zip(ink, known, strict=True)]
    rows = np.tile(np.flatnonzero([len(each) for each in free]), times)
    made = [
        _moved(squares.seen(fields.x[i, ..., 0]), known[i], free[i], rng) for i in rows
    ]
    x = np.array([drawn for drawn, _ in made], np.uint8)
    x = x.reshape(-1, *fields.x.shape[1:])
    how = {"classes": fields.classes, "height": fields.side, "width": fields.side}
    boxes, labels = augment.pad([each for _, each in made], **how)
    columns = {"x": x, "boxes": boxes, "labels": labels, "group": fields.group[rows]}
    names = [f"{fields.image[i]}, pasted {k}" for k, i in enumerate(rows)]
    return dataclasses.replace(fields, **columns, image=np.array(names, str))


def _free(ink, boxes):
    """The chromosomes of a field that are one piece of ink, alone in a box."""
    labels, _ = ndimage.label(ink > INK, np.ones((3, 3)))
    near, made = np.array(GAPS) * len(ink), []
    for number, place in enumerate(ndimage.find_objects(labels), 1):
        (y0, y1), (x0, x1) = ((side.start, side.stop) for side in place)
        gaps = np.array([[x0, y0, -x1, -y1]]) - boxes.xyxy * [1, 1, -1, -1]
        fits = ((gaps >= near[0]) & (gaps <= near[1])).all(1)
        if fits.sum() != 1 or np.sum(labels[place] == number) < LEAST:
            continue
        wide = tuple(
            slice(max(0, side.start - SOFT), side.stop + SOFT) for side in place
        )
        own, which = labels[wide] == number, int(fits.argmax())
        mask = ndimage.binary_dilation(own, iterations=SOFT)
        touched = (mask & (labels[wide] > 0) & ~own).any()
        if touched or _shared(labels, number, np.delete(boxes.xyxy, which, 0)):
            continue
        made.append(_Free(which, wide, mask, ink[wide] * mask, gaps[which].mean()))
    return made


def _shared(labels, number, others):
    """Whether most ink in one of the other boxes is of this piece."""
    for x0, y0, x1, y1 in others.astype(int):
        inside = labels[y0 : y1 + 1, x0 : x1 + 1]
        if 2 * np.sum(inside == number) > np.sum(inside > 0):
            return True
    return False


def _moved(ink, boxes, free, rng):
    """Draw into a field: some that lie free go elsewhere, and more of them come."""
    order = [free[k] for k in rng.permutation(len(free))]
    moved = order[: round(rng.uniform(*MOVED) * len(order))]
    stay = np.ones(len(boxes), bool)
    for one in moved:
        stay[one.box] = False
        ink[one.place][one.mask] = 0
    xyxy, label = list(boxes.xyxy[stay]), list(boxes.label[stay])
    gap = np.median([one.gap for one in free])
    for one in moved + order[: rng.integers(ADDED)]:
        box = _laid(_turned(one.ink, rng), ink, xyxy or [boxes.xyxy[one.box]], gap, rng)
        if box is not None:
            xyxy.append(box)
            label.append(boxes.label[one.box])
    drawn = np.rint(255 * np.clip(ink, 0, 1)).astype(np.uint8)
    if not xyxy:
        return drawn, boxes.take(slice(0))
    return drawn, records.Boxes(np.clip(xyxy, 0, len(ink)), np.array(label))


def _turned(ink, rng):
    """A chromosome at any angle, a little paler or darker, without ground around it."""
    ink = ndimage.rotate(ink, rng.uniform(0, 360), order=1) * rng.uniform(0.85, 1.1)
    (place,) = ndimage.find_objects((ink > INK).astype(int)) or [...]
    return np.clip(ink[place], 0, 1)


def _laid(body, ink, xyxy, gap, rng):
    """Lay one near others, and its box; None where no place was found."""
    (height, width), seen = body.shape, body > INK
    for _ in range(TRIES if seen.any() else 0):
        x0, y0, x1, y1 = xyxy[rng.integers(len(xyxy))]
        x, y = (x0 + x1 - width) / 2, (y0 + y1 - height) / 2
        corner = np.array([x, y]) + rng.normal(0, ABOUT * len(ink), 2)
        x, y = np.rint(corner).astype(int)
        if min(x, y) < 0 or max(x + width, y + height) > len(ink):
            continue
        under = ink[y : y + height, x : x + width]
        tight = np.array([x, y, x + width, y + height], float)
        if _clear(tight, np.array(xyxy)) and (under[seen] > INK).mean() <= HIDDEN:
            under[:] = 1 - (1 - under) * (1 - body)
            return tight + (gap + rng.normal(0, 1, 4)) * [-1, -1, 1, 1]
    return None


def _clear(box, others):
    """Whether a box neither is much the same as another one nor inside one."""
    low, high = np.maximum(box[:2], others[:, :2]), np.minimum(box[2:], others[:, 2:])
    shared = np.maximum(high - low, 0).prod(1)
    own = np.prod(box[2:] - box[:2])
    sizes = (others[:, 2:] - others[:, :2]).prod(1)
    over, within = shared / (sizes + own - shared), shared / np.minimum(sizes, own)
    return over.max() <= OVER and within.max() <= WITHIN
