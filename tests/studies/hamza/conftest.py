"""Fields that fit in the eye, a few drawn ones, and a run that holds only a source."""

import dataclasses

import numpy as np
import pytest

from chromolib import records
from chromolib.data import pixels
from chromolib.detect import data

SIDE = 128
PLACES = [(8 + 20 * (k % 6), 6 + 30 * (k // 6)) for k in range(24)]  # of the 24 classes


@dataclasses.dataclass
class Run:
    """What the study asks of a run."""

    images: object = None
    on_error: str = "refuse"

    def given(self, name):
        return {"seed": 0, "on_error": self.on_error}[name]


def image_set(pictures, boxes, **words):
    """Pictures with boxes as a set of a lab's own."""
    count = len(pictures)
    plain = {
        "source": "voc",
        "name": np.array([f"a{i}.png" for i in range(count)]),
        "label": np.full(count, ""),
        "group": np.array([f"case{i}" for i in range(count)]),
        "unit": "case",
    }
    packed = pixels.pack(pictures)
    return records.ImageSet(**plain | words, pixels=packed, boxes=tuple(boxes))


def blocks(count, *, unit="case", groups=None):
    """Karyograms of 24 grey blocks, each class in its place, as tall as its number."""
    x = np.zeros((count, SIDE, SIDE, 1), np.uint8)
    corner = np.array(PLACES)
    tall = 6 + (24 - np.arange(24)) // 2
    boxes = np.concatenate([corner, corner + np.stack([np.full(24, 6), tall], 1)], 1)
    for i in range(count):
        for k, (x0, y0, x1, y1) in enumerate(boxes):
            x[i, y0:y1, x0:x1] = 100 + 5 * k + i % 5
    names = np.array([f"field{i}" for i in range(count)])
    return data.Fields(
        source="drawn",
        real=False,
        kind="karyogram",
        unit=unit,
        x=x,
        boxes=np.repeat(boxes[None].astype(np.float32), count, 0),
        labels=np.repeat(np.arange(24, dtype=np.int32)[None], count, 0),
        group=names if groups is None else np.resize(np.array(groups), count),
        image=names,
    )


@pytest.fixture
def karyograms():
    return blocks(24)


@pytest.fixture(scope="package")
def drawn():
    """A few of each kind from the synthetic lab."""
    how = {"seed": 0, "side": SIDE}
    return {kind: data.drawn(kind, 4, **how) for kind in data.KINDS}


def without_boxes(images):
    return dataclasses.replace(images, boxes=None)
