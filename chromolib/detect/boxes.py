"""Boxes as a detector computes with them: anchors, overlaps, and offsets from anchors.

`anchors(size, strides, shapes)` -> (A, 4) the boxes that a detector starts from
`iou(a, b)` -> overlap of every box with every other
`encode(boxes, anchors)`, `decode(offsets, anchors)` -> offsets, and back

Boxes are x0, y0, x1, y1 in pixels, half-open, float32 whatever a network computes in.
Overlaps and offsets are Keras' own (`keras.utils.bounding_boxes`).
"""

import keras
import numpy as np
from keras import ops

_keras = keras.utils.bounding_boxes
XYXY, CENTRED = "xyxy", "center_xywh"
LARGEST = 4.0  # of log(side / side of the anchor): exp of more is no box


def shapes(scales, ratios):
    """Widths and heights (k, 2) of boxes whose area is `scale` squared, by h / w."""
    root = np.sqrt(np.asarray(ratios, np.float64))
    both = np.stack([1 / root, root], -1)
    return (np.asarray(scales, np.float64)[:, None, None] * both).reshape(-1, 2)


def anchors(size, strides, shapes):
    """Anchors (A, 4) and strides (A,): at each stride its shapes around every centre.

    `shapes` is one array of (k, 2) widths and heights for each of `strides`; the order
    is that of a map: rows, columns, shapes, one stride after the other.
    """
    boxes, steps = [], []
    for stride, sides in zip(strides, shapes, strict=True):
        centre = (np.arange(size // stride) + 0.5) * stride
        y, x = np.meshgrid(centre, centre, indexing="ij")
        middle = np.stack([x, y], -1)[:, :, None]
        half = np.asarray(sides) / 2
        boxes.append(np.concatenate([middle - half, middle + half], -1).reshape(-1, 4))
        steps.append(np.full(len(boxes[-1]), stride))
    return np.concatenate(boxes).astype("f"), np.concatenate(steps).astype("f")


def iou(a, b):
    """Overlap of every box of `a` with every one of `b`: (..., n, m)."""
    return _keras.compute_iou(a, b, XYXY)


def ciou(a, b):
    """Complete overlap of each box of `a` with its own of `b` (Zheng et al. 2020)."""
    return _keras.compute_ciou(a, b, XYXY)


def encode(boxes, anchors, variance=(1, 1, 1, 1)):
    """Boxes as shifts and log sizes relative to an anchor each."""
    return _keras.encode_box_to_deltas(
        anchors, boxes, XYXY, XYXY, encoding_format=CENTRED, variance=variance
    )


def decode(offsets, anchors, variance=(1, 1, 1, 1)):
    """What `encode` started from; sizes stay finite whatever a network says."""
    offsets = ops.cast(offsets, "float32")
    bound = LARGEST / np.asarray(variance[2:], "f")
    log = ops.clip(offsets[..., 2:], -bound, bound)
    offsets = ops.concatenate([offsets[..., :2], log], -1)
    return _keras.decode_deltas_to_boxes(
        anchors, offsets, XYXY, XYXY, encoded_format=CENTRED, variance=variance
    )


def centred(boxes):
    """Centres (..., 2) and sides (..., 2)."""
    low, high = boxes[..., :2], boxes[..., 2:4]
    return (low + high) / 2, high - low


def cornered(centre, sides):
    """Boxes of these centres and sides."""
    return ops.concatenate([centre - sides / 2, centre + sides / 2], -1)


def clip(boxes, size):
    """Boxes cut at the border of a square image."""
    return ops.clip(ops.cast(boxes, "float32"), 0.0, float(size))
