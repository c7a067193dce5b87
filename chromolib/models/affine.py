"""Where pixels and boxes go: the geometry under the layers, without any chance.

Points are continuous pixel coordinates: pixel (0, 0) covers [0, 1) x [0, 1), and boxes
are half-open in the same coordinates, so that both move by one formula.
"""

import numpy as np
from keras import ops


def forward(angle, slope, scale):
    """Where points go, as a, b, c, d of x' = a x + b y, y' = c x + d y, per image."""
    cos, sin = ops.cos(angle), ops.sin(angle)
    rows = (cos, cos * slope - sin, sin, sin * slope + cos)
    return tuple(scale * value for value in rows)


def backward(angle, slope, scale):
    """Where points come from: the inverse of `forward`."""
    cos, sin = ops.cos(angle), ops.sin(angle)
    rows = (cos + slope * sin, sin - slope * cos, -sin, cos)
    return tuple(value / scale for value in rows)


def sample(images, come_from, travel):
    """Images, zero outside, after their points travelled; bilinear.

    One gather from a padded, flattened batch. Keras' affine_transform gives the same to
    1e-5 and is three times faster under TensorFlow, three times slower under JAX; the
    full runs that are kept were made with this, and a network learns otherwise from it.
    """
    height, width, channels = images.shape[1:]
    a, b, c, d, right, down = (v[:, None, None] for v in (*come_from, *travel))
    x = np.arange(width, dtype=np.float32) + 0.5 - width / 2 - right
    y = (np.arange(height, dtype=np.float32) + 0.5 - height / 2)[:, None] - down
    left, across = _split(a * x + b * y, width)
    top, below = _split(c * x + d * y, height)
    padded = ops.pad(images, ((0, 0), (1, 2), (1, 2), (0, 0)))
    wide, size = width + 3, (width + 3) * (height + 3)
    first = ops.arange(ops.shape(images)[0], dtype="int32") * size
    corner = first[:, None, None] + top * wide + left
    flat = ops.reshape(padded, (-1, channels))
    upper, lower = (
        _between(ops.take(flat, at, axis=0), ops.take(flat, at + 1, axis=0), across)
        for at in (corner, corner + wide)
    )
    return _between(upper, lower, below)


def _split(centred, size):
    """Index in the padded image, and the share of the next pixel."""
    at = ops.clip(centred + (size / 2 + 0.5), 0, size + 1)
    whole = ops.floor(at)
    return ops.cast(whole, "int32"), (at - whole)[..., None]


def _between(first, second, share):
    return first + (second - first) * share


def smooth(images, taps, axis):
    """Images, zero outside, averaged along an axis with weights of each image's own."""
    radius, size = taps.shape[1] - 1, images.shape[axis]
    room = [(radius, radius) if i == axis else (0, 0) for i in range(4)]
    padded = ops.moveaxis(ops.pad(images, room), axis, 1)
    total = 0.0
    for k in range(2 * radius + 1):
        weight = taps[:, abs(k - radius)][:, None, None, None]
        total = total + weight * padded[:, k : k + size]
    return ops.moveaxis(total, 1, axis)


def as_image(runs, images):
    """Whole numbers given along runs of pixels as a picture; 0 after the last run."""
    height, width = images.shape[1:3]
    length = runs.shape[1] * runs.shape[2]
    flat = ops.reshape(runs, (-1, length))
    flat = ops.pad(flat, ((0, 0), (0, height * width - length)))
    return ops.reshape(flat, (-1, height, width, 1))


def mirrored(boxes, size, axis):
    """Boxes after a mirror left-right (axis 0) or up-down (axis 1)."""
    sign = np.array([-1, 1, -1, 1] if axis == 0 else [1, -1, 1, -1], np.float32)
    order = [2, 1, 0, 3] if axis == 0 else [0, 3, 2, 1]
    return ops.take(boxes, order, axis=2) * sign + size * (sign < 0).astype(np.float32)


def boxes(xyxy, go_to, travel, height, width):
    """The upright boxes around boxes that moved."""
    a, b, c, d, right, down = (v[:, None, None] for v in (*go_to, *travel))
    x = ops.take(xyxy, [0, 2, 0, 2], axis=2) - width / 2
    y = ops.take(xyxy, [1, 1, 3, 3], axis=2) - height / 2
    right, down = (
        a * x + b * y + right + width / 2,
        c * x + d * y + down + height / 2,
    )
    sides = (ops.min(right, 2), ops.min(down, 2), ops.max(right, 2), ops.max(down, 2))
    return ops.stack(sides, axis=2)


def clipped(xyxy, labels, height, width, remains):
    """Boxes cut at the border; too small a rest loses its label (-1) and its place."""
    size = np.array([width, height, width, height], np.float32)
    inside = ops.minimum(ops.maximum(xyxy, 0.0), size)
    area = ops.maximum(_area(xyxy), 1e-6)
    keep = ops.logical_and(labels >= 0, _area(inside) >= remains * area)
    return {
        "boxes": ops.where(keep[..., None], inside, 0.0),
        "labels": ops.where(keep, labels, -1),
    }


def _area(xyxy):
    return (xyxy[..., 2] - xyxy[..., 0]) * (xyxy[..., 3] - xyxy[..., 1])
