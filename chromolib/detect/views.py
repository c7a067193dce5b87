"""What a detector finds in a field turned and mirrored, put together.

`predict(detector, images, score=)` -> one Boxes an image, of all eight views
`turned(images, turns, mirrored)`, `back(boxes, turns, mirrored, size)` -> a view of
squares, and its boxes as they lie on the field
`fused(views)` -> the boxes of one image, of those that each view has of it

# Strategy: weighted boxes fusion (Solovyev et al. 2021, arXiv 1910.13302). Boxes of
several views that lie over each other are of one chromosome: it has their mean, each
as heavy as it is sure, and the mean of their scores over all views, where one that does
not see it says 0. Who stands for whom is decided by suppression, all at once.
"""

import dataclasses
import itertools

import numpy as np

from chromolib import records
from chromolib.detect import detector, scores, suppress

VIEWS = tuple(itertools.product(range(4), (False, True)))  # quarter turns, mirrored
COLUMNS = "xyxy", "label", "score"
SAME = 0.6  # overlap from which boxes of two views are one; by validation fields
AT_ONCE = 16  # images whose views are asked for by one call, which takes a while alone


def predict(model, images, *, score=detector.LEAST, **words):
    """As `Detector.predict`, each chromosome once, by all views together."""
    made, size = [], images.shape[1]
    for first in range(0, len(images), AT_ONCE):
        part = images[first : first + AT_ONCE]
        seen = np.concatenate([turned(part, *view) for view in VIEWS])
        found = model.predict(seen, **suppress.ONCE, **words)
        for k in range(len(part)):
            pairs = zip(found[k :: len(part)], VIEWS, strict=True)
            made.append(fused([back(one, *view, size) for one, view in pairs]))
    return tuple(one.take(one.score >= score) for one in made)


def turned(images, turns, mirrored):
    """Squares (n, size, size, 1) after quarter turns, then mirrored left to right."""
    images = np.rot90(images, turns, (1, 2))
    return np.ascontiguousarray(images[:, :, ::-1] if mirrored else images)


def back(boxes, turns, mirrored, size):
    """Boxes that were found in a view, on the image as it is."""
    x0, y0, x1, y1 = boxes.xyxy.T
    if mirrored:
        x0, x1 = size - x1, size - x0
    for _ in range(turns):
        x0, y0, x1, y1 = size - y1, x0, size - y0, x1
    return dataclasses.replace(boxes, xyxy=np.stack([x0, y0, x1, y1], 1))


def fused(views):
    """The boxes of one image, best first; a name is that of the surest."""
    columns = (np.concatenate([getattr(one, n) for one in views]) for n in COLUMNS)
    boxes, many = records.Boxes(*columns), [len(one) for one in views]
    view = np.repeat(range(len(views)), many)
    order = np.argsort(-boxes.score, kind="stable")
    boxes, view = boxes.take(order), view[order]
    first = scores.once(boxes, SAME)
    if not len(first):
        return boxes
    over = scores.box_iou(boxes.take(first), boxes)
    sure = np.where((over == over.max(0)) & (over > SAME), boxes.score, 0)
    weight, row = np.zeros_like(sure), np.arange(len(first))
    for k in range(len(views)):  # of each view the surest
        of = sure * (view == k)
        weight[row, of.argmax(1)] += of.max(1)
    total = weight.sum(1)
    xyxy, score = weight @ boxes.xyxy / total[:, None], total / len(views)
    best = np.argsort(-score, kind="stable")
    return records.Boxes(xyxy, boxes.label[first], score).take(best)
