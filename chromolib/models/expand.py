"""A small set of images, grown once and for all to a stated number of copies.

This is what the papers did before they split. Every copy knows its source and its
group, so that a study can show what such a split gives away.
"""

import dataclasses

import keras
import numpy as np

from chromolib import streams
from chromolib.models import augment

BATCH = 32  # part of the result: what is drawn depends on the place in the batch

# How many images each paper had after augmentation, and whether we count the originals
# among them. ChromoNet: 660 + 286 normal and 603 + 254 abnormal (section 4.5),
# generated from 193 (section 4.3). Hamza: 832 generated from 75 (chapter 4). Chu: 376
# and 316 there were after augmentation, from 105 and 41 (section 3.1.2).
COUNTS = {
    "chromonet": {"normal": 946, "abnormal": 857},
    "hamza": 832,
    "chu": {"normal": 376, "abnormal": 316},
}
ORIGINALS = {"chromonet": False, "hamza": False, "chu": True}


@dataclasses.dataclass(frozen=True, eq=False)
class Expanded:
    """Images with their copies; `copy` is 0 for an original, then 1, 2, ..."""

    images: np.ndarray  # (n, height, width, channels), in [0, 1] where float
    label: np.ndarray  # (n,)
    group: np.ndarray  # (n,) the unit of independence, as that of the source
    source: np.ndarray  # (n,) index of the image it was made from
    copy: np.ndarray  # (n,)
    boxes: tuple | None = None  # (n,) Boxes

    def __len__(self):
        return len(self.source)


def expand(
    images,
    labels,
    groups,
    *,
    counts,
    name,
    seed,
    boxes=None,
    originals=None,
    background="border",
    out=None,
):
    """The images grown to exact counts, with each copy's source and group.

    `counts` is a total, or a total for every label. Sources get as many copies as each
    other, or one more. `out` receives the images if given: a memory map, say, or 8-bit
    integers (then 0 to 255); beside it one batch is in memory.
    """
    labels, groups = np.asarray(labels), np.asarray(groups)
    if not len(images) == len(labels) == len(groups):
        raise ValueError(
            f"{len(images)} images, {len(labels)} labels, {len(groups)} groups"
        )
    keep = ORIGINALS.get(name, True) if originals is None else originals
    source, copy = plan(labels, counts, originals=keep, seed=seed)
    if out is None:
        out = np.empty((len(source), *np.shape(images)[1:]), np.float32)
    if out.shape != (len(source), *np.shape(images)[1:]):
        raise ValueError(f"out has shape {out.shape}; {len(source)} images go there")
    layer = augment.build(name, seed=seed, background=background)
    if boxes is None:
        _fill(out, layer, images, source, copy)
        followed = None
    else:
        followed = _fill_both(out, layer, images, boxes, source, copy)
    return Expanded(out, labels[source], groups[source], source, copy, followed)


class _Maker(keras.Model):
    """A compiled loop around a layer that is on, whatever `predict` says."""

    def __init__(self, layer):
        super().__init__(name="maker")
        self.layer = layer

    def call(self, data):
        """The data, changed."""
        return self.layer(data, training=True)


def plan(labels, counts, *, originals, seed):
    """Source and copy number of every image of the grown set, by source."""
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
        times[pool] = _shares(label, len(pool), total, originals, rng)
    source = np.repeat(np.arange(len(labels)), times)
    copy = np.arange(len(source)) - np.repeat(np.cumsum(times) - times, times)
    return source, copy if originals else copy + 1


def _shares(label, size, total, originals, rng):
    """How often each of `size` sources is there: evenly, the rest drawn."""
    least = size if originals else 1
    if not size or total < least:
        raise ValueError(f"{size} images {label!r} cannot become {total}")
    times = np.full(size, total // size)
    times[rng.permutation(size)[: total % size]] += 1
    return times


def _fill(out, layer, images, source, copy):
    """Write originals and copies, batch by batch."""
    model = _Maker(layer)
    for rows, taken in _batches(source):
        batch = augment.check(_taken(images, taken))
        _write(out, rows, batch, model.predict_on_batch(batch), copy)


def _fill_both(out, layer, images, boxes, source, copy):
    """Write originals and copies; return the boxes that went with them."""
    classes = sorted({label for one in boxes for label in one.label.tolist()})
    height, width = out.shape[1:3]
    xyxy, labels = augment.pad(boxes, classes=classes, height=height, width=width)
    model = _Maker(layer)
    found = []
    for rows, taken in _batches(source):
        batch = augment.check(_taken(images, taken))
        data = {"images": batch, "boxes": xyxy[taken], "labels": labels[taken]}
        made = model.predict_on_batch(data)
        _write(out, rows, batch, made["images"], copy)
        went = augment.unpad(made["boxes"], made["labels"], classes=classes)
        pairs = zip(range(rows.start, rows.stop), taken, went, strict=False)
        found += [one if copy[i] else boxes[j] for i, j, one in pairs]
    return tuple(found)


def _batches(source):
    """Rows to write, and the sources of a full batch; the last one is filled up."""
    for start in range(0, len(source), BATCH):
        rows = slice(start, min(start + BATCH, len(source)))
        taken = source[rows]
        yield rows, np.concatenate([taken, np.repeat(taken[-1:], BATCH - len(taken))])


def _taken(images, index):
    """Some images as an array; 8-bit ones become [0, 1]."""
    batch = np.asarray(images[index])
    return batch / np.float32(255) if batch.dtype == np.uint8 else batch


def _write(out, rows, batch, made, copy):
    new = (copy[rows] > 0)[:, None, None, None]
    size = rows.stop - rows.start
    pixels = np.where(new, np.asarray(made)[:size], batch[:size])
    out[rows] = np.rint(pixels * 255) if out.dtype == np.uint8 else pixels
