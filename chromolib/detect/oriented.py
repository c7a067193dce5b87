"""Boxes that lie along their chromosomes, and the chromosomes cut out upright.

`around(points)` -> the smallest box around an outline: x, y, length, width, angle
`pad(boxes, ...)` -> (n, K, 5) truth for detectors, beside `models.augment.pad`
`encode`, `decode` -> six numbers an anchor, and back
`upright(images, boxes, ...)` -> (n, K, height, width, C) chromosomes, laid vertical

The angle is of the long axis, from the x axis towards y (down), in [0, pi): an axis has
no head, so a network learns the cosine and sine of twice the angle, which have no jump.
"""

import math

import numpy as np
from keras import ops
from scipy import spatial

from chromolib import records
from chromolib.detect import boxes as geometry
from chromolib.detect import rois

SCALE = (0.1, 0.1, 0.2, 0.2, 0.5, 0.5)  # what makes offsets as large as logits


def encode(oriented, anchors):
    """Shift, log length, log width, and direction, relative to upright anchors."""
    middle, sides = geometry.centred(anchors)
    mean = ops.sqrt(ops.prod(sides, -1, keepdims=True))
    length = ops.log(ops.maximum(oriented[..., 2:4], 1e-3) / mean)
    twice = 2 * oriented[..., 4:5]
    parts = [(oriented[..., :2] - middle) / sides, length]
    parts += [ops.cos(twice), ops.sin(twice)]
    return ops.concatenate(parts, -1) / np.asarray(SCALE, "f")


def decode(offsets, anchors):
    """Oriented boxes (n, A, 5) of what a network says."""
    offsets = ops.cast(offsets, "float32") * np.asarray(SCALE, "f")
    middle, sides = geometry.centred(anchors)
    mean = np.sqrt(sides.prod(-1, keepdims=True))
    bound = geometry.LARGEST
    length = mean * ops.exp(ops.clip(offsets[..., 2:4], -bound, bound))
    angle = ops.arctan2(offsets[..., 5:], offsets[..., 4:5]) / 2
    angle = ops.where(angle < 0, angle + math.pi, angle)
    parts = [middle + offsets[..., :2] * sides, length, angle]
    return ops.concatenate(parts, -1)


def alike(a, b):
    """How alike oriented boxes are, (n, k, m) in [0, 1]; 1 for the same box.

    The overlap of two normal distributions as wide as the boxes (ProbIoU, Llerena et
    al. 2021, arXiv 2106.06072, equations 8 to 10); two that lie side by side are not.
    """
    (ax, ay, aa, ab, ac), (bx, by, ba, bb, bc) = (
        [each[:, :, None] for each in _spread(a)],
        [each[:, None] for each in _spread(b)],
    )
    p, q, r = aa + ba, ab + bb, ac + bc  # of the sum: two variances, covariance
    dx, dy = ax - bx, ay - by
    whole = ops.maximum(p * q - r**2, 1e-6)
    apart = (p * dy**2 + q * dx**2 - 2 * r * dx * dy) / (4 * whole)
    single = ops.maximum((aa * ab - ac**2) * (ba * bb - bc**2), 1e-12)
    apart = apart + 0.5 * ops.log(whole / (4 * ops.sqrt(single)))
    common = ops.exp(-ops.clip(apart, 0.0, 100.0))
    return 1 - ops.sqrt(ops.maximum(1 - common, 0.0))


def _spread(oriented):
    """Centre, variances along x and y and covariance of boxes."""
    x, y, length, width, angle = (oriented[..., i] for i in range(5))
    along, across = length**2 / 12, width**2 / 12
    cos, sin = ops.cos(angle), ops.sin(angle)
    return (
        *(x, y, along * cos**2 + across * sin**2, along * sin**2 + across * cos**2),
        (along - across) * cos * sin,
    )


def corners(oriented):
    """The outline (..., 4, 2) of numpy boxes, around in order."""
    oriented = np.asarray(oriented, np.float64)
    cos, sin = np.cos(oriented[..., 4]), np.sin(oriented[..., 4])
    along = np.stack([cos, sin], -1) * oriented[..., 2:3] / 2
    across = np.stack([-sin, cos], -1) * oriented[..., 3:4] / 2
    middle = oriented[..., :2]
    ends = [along + across, along - across, -along - across, across - along]
    return np.stack([middle + end for end in ends], -2)


def record(oriented, names, scores, size):
    """Boxes of one image: the upright box around each, with its outline and axis."""
    outline = corners(oriented)
    xyxy = np.concatenate([outline.min(-2), outline.max(-2)], -1)
    ends = outline[:, [2, 0]] + outline[:, [3, 1]]
    return records.Boxes(
        np.clip(xyxy, 0, size),
        names,
        scores,
        polygon=tuple(outline),
        axis=tuple(ends / 2),
    )


def around(points):
    """The smallest box (5,) around points (k, 2): one side lies on the outline."""
    points = np.asarray(points, np.float64)
    hull = points[spatial.ConvexHull(points).vertices]
    edges = np.roll(hull, -1, 0) - hull
    best = None
    for angle in np.unique(np.arctan2(edges[:, 1], edges[:, 0]) % (np.pi / 2)):
        turn = np.array(
            [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        )
        low, high = (hull @ turn.T).min(0), (hull @ turn.T).max(0)
        if best is None or np.prod(high - low) < best[0] - 1e-9:
            best = np.prod(high - low), angle, turn.T @ ((low + high) / 2), high - low
    _, angle, middle, sides = best
    if sides[1] > sides[0]:
        angle, sides = angle + np.pi / 2, sides[::-1]
    return np.array([*middle, *sides, angle % np.pi])


def pad(boxes, *, most):
    """Oriented truth (n, most, 5) of Boxes; without an outline the box itself."""
    out = np.zeros((len(boxes), most, 5), np.float32)
    for row, each in zip(out, boxes, strict=True):
        outlines = each.polygon or [None] * len(each)
        for i, (box, outline) in enumerate(zip(each.xyxy, outlines, strict=True)):
            x0, y0, x1, y1 = box
            rest = [(x0, y0), (x1, y0), (x1, y1), (x0, y1)]
            row[i] = around(rest if outline is None else outline)
    return out


def of(boxes):
    """Oriented boxes (n, 5) of Boxes that have an outline or none."""
    return pad([boxes], most=len(boxes))[0] if len(boxes) else np.zeros((0, 5), "f")


def upright(images, oriented, *, canvas=(80, 24), margin=2, scale=1.0):
    """Chromosomes (n, K, height, width, C) in the middle of a canvas, long axis down.

    A pixel of the canvas is `scale` pixels of the image; what lies more than `margin`
    pixels outside a box is 0, and so is a box without length. The end that was higher
    stays up.
    """
    oriented = ops.cast(oriented, "float32")[..., None, None]
    x, y, length, width, angle = (oriented[:, :, i] for i in range(5))
    v, u = (scale * (np.arange(side, dtype="f") + 0.5 - side / 2) for side in canvas)
    v, u = v[None, None, :, None], u[None, None, None]
    cos, sin = ops.cos(angle), ops.sin(angle)
    at_x, at_y = x + v * cos + u * sin, y + v * sin - u * cos
    count = oriented.shape[1] * canvas[0] * canvas[1]
    at_x, at_y = (ops.reshape(each, (-1, count)) for each in (at_x, at_y))
    images = ops.convert_to_tensor(images)
    value = rois.sample(images[..., None, :], at_x, at_y, outside=True)
    value = ops.reshape(value, (-1, oriented.shape[1], *canvas, images.shape[3]))
    inside = ops.logical_and(
        ops.abs(v) <= length / 2 + margin, ops.abs(u) <= width / 2 + margin
    )
    inside = ops.logical_and(inside, length > 0)
    return ops.where(inside[..., None], value, 0.0)
