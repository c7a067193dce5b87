"""Small fields with oblong things in them, drawn: nothing here was a chromosome."""

import numpy as np

from chromolib import records
from chromolib.detect import oriented
from chromolib.models import augment

CLASSES = ("long", "short", "ringed")
SIDES = {"long": (30, 9), "short": (17, 9), "ringed": (24, 11)}  # length, width


def draw(labels, *, size=96, seed=0, slanting=False):
    """A field (size, size, 1) with one thing a label, and its Boxes with outlines."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:size, :size] + 0.5
    field, placed = np.zeros((size, size), np.float32), []
    for label in labels:
        length, width = SIDES[label]
        while True:
            angle = rng.uniform(0, np.pi) if slanting else rng.integers(2) * np.pi / 2
            one = np.array([*rng.uniform(17, size - 17, 2), length, width, angle])
            apart = [np.hypot(*(one[:2] - other[:2])) for other in placed]
            if min(apart, default=99) > 22:
                break
        u = (x - one[0]) * np.cos(angle) + (y - one[1]) * np.sin(angle)
        v = (x - one[0]) * np.sin(angle) - (y - one[1]) * np.cos(angle)
        inside = (np.abs(u) <= length / 2) & (np.abs(v) <= width / 2)
        ink = 0.6 + 0.4 * (np.abs(u) < 4) if label == "ringed" else 0.6
        field = np.where(inside, ink, field)
        placed.append(one)
    outline = oriented.corners(np.array(placed).reshape(-1, 5))
    xyxy = np.concatenate([outline.min(-2), outline.max(-2)], -1)
    boxes = records.Boxes(xyxy, labels, polygon=tuple(outline))
    return field[..., None].astype(np.float32), boxes


def batch(*labels, size=96, most=None, slanting=False):
    """Fields of these labels: images, targets of a detector, and Boxes."""
    drawn = [
        draw(each, size=size, seed=i, slanting=slanting)
        for i, each in enumerate(labels)
    ]
    images, truth = zip(*drawn, strict=True)
    xyxy, numbers = augment.pad(
        truth, classes=CLASSES, height=size, width=size, most=most
    )
    targets = {"boxes": xyxy, "labels": numbers}
    targets["oriented"] = oriented.pad(truth, most=xyxy.shape[1])
    return np.stack(images), targets, truth


TWO = (
    ("long", "short", "ringed", "long"),
    ("short", "ringed", "ringed"),
)  # labels of two fields
