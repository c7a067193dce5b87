"""What a map holds inside boxes: the second stage's, or a straight crop's.

`sample(maps, x, y)` -> values of maps at any points, bilinear
`align(maps, boxes, ...)` -> (n, R, k, k, C), ROI align (He et al. 2017)
`vote(maps, boxes, ...)` -> (n, R, C), position-sensitive (Dai et al. 2016, R-FCN)
"""

import numpy as np
from keras import ops


def sample(maps, x, y, group=0, *, outside=False):
    """Values (n, P, C) of maps (n, H, W, G, C) at points (n, P) in pixels of the map.

    The centre of the first pixel is (0.5, 0.5). `group` says which of G a point reads.
    Beyond the border is the border, or with `outside` 0.
    """
    height, width, groups, channels = maps.shape[1:]
    flat = ops.reshape(maps, (-1, channels))
    first = ops.arange(ops.shape(maps)[0], dtype="int32") * (height * width)
    left, top = (ops.floor(at - 0.5) for at in (x, y))
    total = 0.0
    for right in (0, 1):
        for down in (0, 1):
            column, row = left + right, top + down
            weight = 1 - ops.abs(x - 0.5 - column)
            weight = weight * (1 - ops.abs(y - 0.5 - row))
            inner = [ops.clip(c, 0, n - 1) for c, n in ((column, width), (row, height))]
            if outside:
                same = ops.logical_and(inner[0] == column, inner[1] == row)
                weight = ops.where(same, weight, 0.0)
            column, row = (ops.cast(each, "int32") for each in inner)
            place = (first[:, None] + row * width + column) * groups + group
            value = ops.take(flat, place, axis=0)
            total = total + ops.cast(weight, value.dtype)[..., None] * value
    return total


def _grid(boxes, stride, bins, points):
    """Points (n, R, bins * points) along x and along y, evenly in each bin."""
    share = (np.arange(bins * points, dtype="f") + 0.5) / (bins * points)
    boxes = ops.cast(boxes, "float32") / stride
    return (
        boxes[..., i : i + 1]
        + (boxes[..., i + 2 : i + 3] - boxes[..., i : i + 1]) * share
        for i in (0, 1)
    )


def _points(boxes, stride, bins, points):
    x, y = _grid(boxes, stride, bins, points)
    side = bins * points
    x, y = ops.broadcast_to(x[:, :, None], (*_shape(x), side, side)), y[..., None]
    y = ops.broadcast_to(y, ops.shape(x))
    return (ops.reshape(each, (-1, boxes.shape[1] * side * side)) for each in (x, y))


def _shape(x):
    return ops.shape(x)[0], x.shape[1]


def align(maps, boxes, *, stride, bins=7, points=1):
    """Maps (n, H, W, C) averaged in `bins` x `bins` parts of each box (n, R, 4).

    Each part is the mean of `points` x `points` values.
    """
    x, y = _points(boxes, stride, bins, points)
    value = sample(maps[..., None, :], x, y)
    value = ops.reshape(
        value, (-1, boxes.shape[1], bins, points, bins, points, maps.shape[3])
    )
    return ops.mean(value, (3, 5))


def vote(maps, boxes, *, stride, bins=3, points=2):
    """The mean of what each part of a box reads in its own maps.

    Maps are (n, H, W, bins * bins * C): C of them for the part at top left, then for
    the next of that row.
    """
    x, y = _points(boxes, stride, bins, points)
    part = np.arange(bins * points) // points
    part = np.tile((part[:, None] * bins + part).ravel(), boxes.shape[1])
    channels = maps.shape[3] // bins**2
    grouped = ops.reshape(maps, (-1, *maps.shape[1:3], bins**2, channels))
    value = sample(grouped, x, y, part.astype("int32"))
    value = ops.reshape(value, (-1, boxes.shape[1], (bins * points) ** 2, channels))
    return ops.mean(value, 2)
