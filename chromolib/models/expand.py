"""A small set of images, augmented once and for all to a stated number of copies.

This is what the papers did before they split. `plan` says which source image each copy
is made from, `augmented` makes the copies; so every copy keeps its source and group,
and a study can show what such a split gives away.
"""

import keras
import numpy as np

from chromolib import streams
from chromolib.models import augment

BATCH = 32  # part of the result: what is drawn depends on the place in the batch


class _Maker(keras.Model):
    """A compiled loop around a layer that is on, whatever `predict` says."""

    def __init__(self, layer):
        super().__init__(name="maker")
        self.layer = layer

    def call(self, data):
        """The data, changed."""
        return self.layer(data, training=True)


def plan(labels, counts, *, seed):
    """Source and copy number, from 1, of every image of the augmented set, by source.

    `counts` is a total, or a total for each label; sources get as many copies as each
    other, or one more.
    """
    labels = np.asarray(labels)
    pools = {"": np.arange(len(labels))}
    if isinstance(counts, dict):
        pools = {label: np.flatnonzero(labels == label) for label in counts}
        if missing := set(labels.tolist()) - set(counts):
            raise ValueError(f"no count for the labels {sorted(missing)}")
    rng = streams.stream(seed, "expand")
    times = np.zeros(len(labels), int)
    for label, pool in pools.items():
        total = counts[label] if isinstance(counts, dict) else counts
        times[pool] = _shares(label, len(pool), total, rng)
    source = np.repeat(np.arange(len(labels)), times)
    copy = np.arange(len(source)) - np.repeat(np.cumsum(times) - times, times)
    return source, copy + 1


def _shares(label, size, total, rng):
    """How often each of `size` sources is there: evenly, the rest drawn."""
    if not size or total < 1:
        of = f" {label!r}" if label else ""
        raise ValueError(f"{size} images{of} cannot become {total}")
    times = np.full(size, total // size)
    times[rng.permutation(size)[: total % size]] += 1
    return times


def augmented(images, source, layer, *, out):
    """A copy of each source, changed by the layer: (n, height, width, channels).

    `out` receives them, as 8-bit integers 0 to 255 if it is of such; beside it one
    batch is in memory.
    """
    model = _Maker(layer)
    for rows, taken in _batches(source):
        batch = augment.check(_float(images[taken]))
        _write(out, rows, model.predict_on_batch(batch))
    return out


def augmented_with_boxes(images, boxes, source, layer, *, out):
    """The copies and the boxes that went with them, for a detector to learn."""
    classes = sorted({label for each in boxes for label in each.label.tolist()})
    height, width = out.shape[1:3]
    xyxy, labels = augment.pad(boxes, classes=classes, height=height, width=width)
    model, followed = _Maker(layer), []
    for rows, taken in _batches(source):
        batch = augment.check(_float(images[taken]))
        data = {"images": batch, "boxes": xyxy[taken], "labels": labels[taken]}
        made = model.predict_on_batch(data)
        _write(out, rows, made["images"])
        moved = augment.unpad(made["boxes"], made["labels"], classes=classes)
        followed += moved[: rows.stop - rows.start]
    return out, tuple(followed)


def _batches(source):
    """Rows to write, and the sources of a full batch; the last one is filled up."""
    for start in range(0, len(source), BATCH):
        rows = slice(start, min(start + BATCH, len(source)))
        taken = source[rows]
        yield rows, np.concatenate([taken, np.repeat(taken[-1:], BATCH - len(taken))])


def _float(batch):
    """8-bit images in [0, 1]."""
    return batch / np.float32(255) if batch.dtype == np.uint8 else batch


def _write(out, rows, made):
    pixels = np.asarray(made)[: rows.stop - rows.start]
    out[rows] = np.rint(pixels * 255) if out.dtype == np.uint8 else pixels
