"""Which anchor is to find which chromosome, and which anchors a step learns from.

`match(quality, eligible)` -> (n, A) index of a box, (n, A) whether there is one
`overlap`, `near`, `cell` -> the rules that say which pairs are eligible
`sample(positive, negative, priority, ...)` -> indices of so many, and their weights

Truth is boxes (n, K, 4) and labels (n, K); -1 is no box. Shapes are fixed: a rule is
a table of every anchor with every box.

# Strategy: the table is large, so it is touched as few times as can be. Anchors stand
on a grid: what depends on x or on y or on shape alone is computed once for each x, y or
shape there is, and then spread over the anchors that have it.
"""

import numpy as np
from keras import ops

from chromolib.detect import boxes as geometry


def quality(anchors, boxes, labels):
    """Overlap of anchors (A, 4) or (n, A, 4) with boxes, (n, A, K); -1 for no box."""
    boxes, fixed = ops.cast(boxes, "float32"), len(anchors.shape) == 2
    overlap = (_of_grid if fixed else geometry.iou)(anchors, boxes)
    return ops.where(labels[:, None] >= 0, overlap, -1.0)


def _of_grid(anchors, boxes):
    """The same number as `geometry.iou`, of anchors that stay where they are."""

    def shared(low, high):
        start, end = (boxes[:, None, :, side] for side in (low, high))

        def length(spans):
            over = ops.minimum(spans[:, 1:], end) - ops.maximum(spans[:, :1], start)
            return ops.maximum(over, 0.0)

        return spread(length, anchors[:, [low, high]])

    both = shared(0, 2) * shared(1, 3)
    area, own = (_area(each) for each in (anchors, boxes))
    return both / ops.maximum(area[:, None] + own[:, None] - both, 1e-6)


def _area(boxes):
    return (boxes[..., 2] - boxes[..., 0]) * (boxes[..., 3] - boxes[..., 1])


def spread(value, rows):
    """`value` (n, u, K) of the different ones among `rows`, for each row: (n, A, K)."""
    rows, which = np.unique(rows, axis=0, return_inverse=True)
    return ops.take(value(rows), which.ravel().astype("int32"), axis=1)


def match(quality, eligible, *, force=True):
    """For each anchor the eligible box that it overlaps most.

    With `force` the best anchor of every box, or all that are best alike, is its own
    whatever the rule says, unless another box overlaps that very anchor still more: no
    chromosome goes unlearned. The table is large, and `max` and `top_k` take a fifth of
    the time of `argmax`.
    """
    value = ops.where(eligible, quality, -1.0)
    if force:
        own = quality >= ops.maximum(ops.max(quality, 1, keepdims=True), 1e-6)
        value = ops.where(own, quality + 2, value)
    value, index = ops.top_k(value, 1)
    return index[..., 0], value[..., 0] >= 0


def overlap(quality, *, least):
    """Pairs of anchor and box that overlap enough."""
    return quality >= least


def _shifts(anchors, strides, boxes, most):
    """Whether the shift of each box from each anchor in x, and that in y, is at most so
    many cells: bool (n, A, K) twice."""
    middle, centre = geometry.centred(anchors)[0], geometry.centred(boxes)[0]

    def close(side):
        def within(rows):
            shift = centre[:, None, :, side] - rows[:, :1]
            return ops.abs(shift / rows[:, 1:]) <= most

        return spread(within, np.stack([middle[:, side], strides], 1))

    return close(0), close(1)


def _ratios(value, anchors, boxes):
    """`value` of the ratios of both sides of each box to each anchor's: (n, A, K)."""
    size = ops.maximum(geometry.centred(boxes)[1][:, None], 1e-3)
    own = geometry.centred(anchors)[1]
    return spread(lambda sides: value(size / sides[:, None]), own)


def near(anchors, strides, boxes, labels, *, ratio=4.0):
    """The rule of YOLO v5: alike in shape, in the box's cell or the nearer neighbours.

    Alike means that no side is `ratio` times the other's.
    """
    boxes = ops.cast(boxes, "float32")

    def alike(sides):
        there = labels[:, None] >= 0
        close = ops.max(ops.maximum(sides, 1 / sides), -1) < ratio
        return ops.logical_and(close, there)

    close = ops.logical_and(*_shifts(anchors, strides, boxes, 1))
    inner = ops.logical_or(*_shifts(anchors, strides, boxes, 0.5))
    close = ops.logical_and(close, inner)
    return ops.logical_and(close, _ratios(alike, anchors, boxes))


def cell(anchors, strides, boxes, labels):
    """The rule of YOLO v2 and v3: of the shapes in a box's cell, the one most alike.

    Where there are several strides, the best of all cells that hold the box.
    """
    boxes = ops.cast(boxes, "float32")

    def overlap(sides):
        both = ops.prod(ops.minimum(sides, 1.0), -1)  # of shapes on one centre
        alike = both / (1 + ops.prod(sides, -1) - both)
        return ops.where(labels[:, None] >= 0, alike, -1.0)

    inside = ops.logical_and(*_shifts(anchors, strides, boxes, 0.5))
    alike = ops.where(inside, _ratios(overlap, anchors, boxes), -1.0)
    best = ops.max(alike, 1, keepdims=True)
    return ops.logical_and(alike >= 0, alike >= best - 1e-6)


def taken(values, index):
    """The row of each index: (n, K, d) and (n, m) -> (n, m, d)."""
    return ops.take_along_axis(values, index[..., None], axis=1)


def taken_labels(labels, index):
    """The label of each index: (n, K) and (n, m) -> (n, m)."""
    return ops.take_along_axis(ops.cast(labels, "int32"), index, axis=1)


def sample(positive, negative, priority, *, size, share):
    """Indices (n, size) to learn from and their weights (n, size), 1 or 0.

    At most `share` of them are positive and negative ones fill up the rest, each by
    `priority` in [0, 1); weight 0 is what stands in where there are too few.
    """
    size = min(size, positive.shape[1])
    most = min(max(1, round(share * size)), size)
    drawn = ops.where(positive, priority, -1.0)
    last = ops.top_k(drawn, most)[0][:, -1:]
    chosen = ops.logical_and(positive, drawn >= last)
    key = ops.where(negative, 1 + priority, -1.0)
    key = ops.where(chosen, 3 + priority, key)
    value, index = ops.top_k(key, size)
    return index, ops.cast(value >= 1, "float32")


def hardest(loss, negative, count):
    """Weights (n, A) of the `count` (n,) negative anchors with the largest loss."""
    value = ops.where(negative, loss, -np.inf)
    order = ops.flip(ops.sort(value, axis=1), axis=1)
    last = ops.clip(ops.cast(count, "int32") - 1, 0, loss.shape[1] - 1)
    threshold = ops.take_along_axis(order, last[:, None], axis=1)
    chosen = ops.logical_and(value >= threshold, ops.cast(count, "int32")[:, None] > 0)
    return ops.cast(ops.logical_and(chosen, negative), "float32")
