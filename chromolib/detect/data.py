"""Karyograms and metaphases with a box a chromosome, as squares of ink.

`every(run, count)` -> kind -> Fields of a run's source; `read` of one kind
`other(run)` -> those of its second source, if it has one
`drawn(kind, count, seed)` -> Fields of the synthetic lab
`fields(images, kind)` -> Fields of any set with boxes, or of single chromosomes
`sized(fields, side)`, `unnamed(fields)` -> the same at another size, of one class
`scaled(boxes, factor)` -> boxes that were found, likewise
`together(*parts)` -> fields of one set in one
`apart(fields, share)` -> the fields of most groups, and those of the others
`counts(fields)`, `histogram(parts)` -> what there is of everything, as tables
"""

import dataclasses

import numpy as np
import pandas as pd

from chromolib import records, streams
from chromolib.cyto import assign
from chromolib.data import compose, listing, pixels, store
from chromolib.data.formats import common, fit
from chromolib.detect import squares
from chromolib.models import augment, protocols
from chromolib.synth import lab, sets

SIDE = compose.SIZE  # pixels
KINDS = ("karyogram", "metaphase")
SHOWS = {"roboflow": "karyogram", "tseng2023": "metaphase", "mfish": "metaphase"}
DRAWN = {"karyogram": sets.karyograms, "metaphase": sets.metaphases}
COPIES = "source image"  # a set's unit where its images are copies of fewer
UNNAMED = ("chromosome",)  # the class of what has no name
UNSEEN = 1 / 6  # of the groups, which test
LEAST = 64  # pixels of an image's shorter side
MOST = assign.MOST  # boxes on an image: all chromosomes of a cell twice over
COLUMNS = ("x", "boxes", "labels", "group", "image")

# Reason and remedy, of an image that no detector can learn from or be judged by.
SMALL = (
    f"fewer than {LEAST} pixels from side to side",
    "scan it larger, or remove it; 46 chromosomes cannot be told apart on it",
)
NO_BOX = ("no box on the image", "annotate its chromosomes, or remove it")
MANY = (
    f"more than {MOST} boxes on one image",
    "a field holds one cell, of about 46: cut it in two, or correct the annotation",
)
BLANK = ("one grey all over", "get the image again, or remove it")
NO_CHROMOSOME = "label it 1 to 22, X or Y, or remove the box"


class FieldError(ValueError):
    """Images that are no fields of chromosomes with a box each."""


@dataclasses.dataclass(frozen=True, eq=False)
class Fields:
    """Images of one kind from one source: a row an image, places filled up with -1.

    Boxes are half-open pixels of the square, `labels` are places in `classes`.
    """

    source: str  # the word that every number of them carries
    real: bool  # whether any pixel ever was a chromosome
    kind: str  # "karyogram", "metaphase", or what a test made of one
    unit: str  # what a group is: "case", "source image", "cell", "patient"
    x: np.ndarray  # (n, side, side, 1) uint8: ink, background 0
    boxes: np.ndarray  # (n, most, 4) float32: x0, y0, x1, y1
    labels: np.ndarray  # (n, most) int32
    group: np.ndarray  # (n,) the unit of independence
    image: np.ndarray  # (n,) unique names
    classes: tuple = records.CLASSES
    problems: tuple = ()  # records.Problem: what was repaired or left out

    def __post_init__(self):
        lengths = {name: len(getattr(self, name)) for name in COLUMNS}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"fields differ in length: {lengths}")
        if self.boxes.shape != (*self.labels.shape, 4):
            raise ValueError(
                f"boxes {self.boxes.shape} and labels {self.labels.shape}; they are "
                "(n, most, 4) and (n, most): see augment.pad"
            )

    def __len__(self):
        return len(self.image)

    @property
    def side(self):
        """Pixels from side to side."""
        return self.x.shape[1]

    @property
    def present(self):
        """Where there is a box, (n, most) bool."""
        return self.labels >= 0

    @property
    def seen(self):
        """The images as a detector takes them."""
        return squares.seen(self.x)

    @property
    def truth(self):
        """The boxes as records, one an image, for scores and figures."""
        return augment.unpad(self.boxes, self.labels, classes=self.classes)

    @property
    def images(self):
        """The fields as an ImageSet, to be looked at."""
        grey = pixels.pack(255 - self.x[..., 0])
        label = np.full(len(self), "")
        named = self.image.astype(str), label, self.group.astype(str)
        return records.ImageSet(
            self.source, *named, self.unit, grey, boxes=tuple(self.truth)
        )

    @property
    def targets(self):
        """What a detector learns beside the images: boxes and labels, filled up to as
        many as one image has here, for a step takes longer with each."""
        most = 1 + np.flatnonzero(self.present.any(0)).max(initial=0)
        return {"boxes": self.boxes[:, :most], "labels": self.labels[:, :most]}

    def take(self, which):
        """The chosen images, by mask or by index."""
        columns = {name: getattr(self, name)[which] for name in COLUMNS}
        return dataclasses.replace(self, **columns)


def read(run, kind, count, *, side=SIDE):
    """The fields of a run's source, no larger than its images; without a real one
    `count` are drawn."""
    if run.images is None:
        return drawn(kind, count, seed=run.given("seed"), side=side)
    return _real(run, run.images, kind, side)


def other(run, *, side=SIDE):
    """The fields of a run's second source, if it has one."""
    if run.external is None:
        return None
    return _real(run, run.external, shown(run.external), side)


def _real(run, images, kind, side):
    side = min(side, max(SIDE, int(images.pixels.shape.max())))
    return fields(images, kind, side=side, on_error=run.given("on_error"))


def shown(images):
    """What a real source shows: karyograms are also composed of single chromosomes."""
    if images.boxes is None:
        return KINDS[0]
    return SHOWS.get(images.source, KINDS[1])


def every(run, count, *, side=SIDE):
    """Kind -> Fields, of each kind that a run's source has."""
    kinds = KINDS if run.images is None else (shown(run.images),)
    return {kind: read(run, kind, count, side=side) for kind in kinds}


def drawn(kind, count, *, seed, side=SIDE):
    """So many fields of the synthetic lab, of normal cells; a group is a patient."""
    images = DRAWN[_known(kind)](lab.cells(count, seed=seed), size=side)
    return fields(images, kind, side=side)


def fields(images, kind, *, side=SIDE, on_error="refuse"):
    """A set as squares of ink, each image made to fit and laid in the middle.

    Karyograms are composed of single chromosomes where a set has those. An image that
    no detector can use is an error, as in `sources.load`.
    """
    images = _boxed(images, _known(kind))
    x = np.zeros((len(images), side, side, 1), np.uint8)
    boxes, problems = [], list(images.problems)
    for i in range(len(images)):
        try:
            x[i, ..., 0], placed = _square(images.pixels[i], images.boxes[i], side)
        except common.Malformed as failure:
            placed = None
            problems.append(store.error(failure.what, str(images.name[i])))
        boxes.append(placed)
    good = np.array([each is not None for each in boxes], bool)
    _refused(images, problems[len(images.problems) :], good, on_error)
    boxes = [each for each in boxes if each is not None]
    xyxy, labels = augment.pad(boxes, classes=records.CLASSES, height=side, width=side)
    return Fields(
        source=images.origin,
        real=images.source != lab.SOURCE,
        kind=kind,
        unit=images.unit,
        x=x if good.all() else x[good],
        boxes=xyxy,
        labels=labels,
        group=images.group[good],
        image=images.name[good],
        problems=tuple(problems),
    )


def sized(part, side):
    """The same fields at another size, boxes and all."""
    x = np.empty((len(part), side, side, 1), np.uint8)
    for i, image in enumerate(part.x[..., 0]):
        x[i, ..., 0] = compose.resized(image, side, side)
    boxes = np.clip(part.boxes * np.float32(side / part.side), 0, side)
    return dataclasses.replace(part, x=x, boxes=boxes)


def same(fields, part):
    """Those of all fields that a part of them shows, in its order."""
    return fields.take(pd.Index(fields.image).get_indexer(part.image))


def scaled(boxes, factor):
    """The boxes of images at another size."""
    return [dataclasses.replace(one, xyxy=factor * one.xyxy) for one in boxes]


def moved(boxes, by):
    """The boxes of images, their edges moved by so many pixels, (4,)."""
    return [dataclasses.replace(one, xyxy=one.xyxy + by) for one in boxes]


def together(*parts):
    """Fields of one set and side below each other."""
    first, boxes = parts[0], [one for part in parts for one in part.truth]
    how = {"classes": first.classes, "height": first.side, "width": first.side}
    columns = dict(zip(("boxes", "labels"), augment.pad(boxes, **how), strict=True))
    for name in ("x", "group", "image"):
        columns[name] = np.concatenate([getattr(part, name) for part in parts])
    return dataclasses.replace(first, **columns)


def unnamed(part):
    """The same fields with one class: a chromosome."""
    labels = np.where(part.present, 0, -1).astype(part.labels.dtype)
    return dataclasses.replace(part, labels=labels, classes=UNNAMED)


def apart(fields, share, *, seed, purpose):
    """The fields of most groups, and those of this share of the groups."""
    groups = np.unique(fields.group)
    if len(groups) < 2:
        raise protocols.SplitError(
            f"{fields.source}: all fields are of one {fields.unit}, which cannot be "
            "divided; add others, or name the groups in images.csv"
        )
    size = min(max(1, round(share * len(groups))), len(groups) - 1)
    chosen = streams.stream(seed, purpose).permutation(groups)[:size]
    apart = np.isin(fields.group, chosen)
    return fields.take(~apart), fields.take(apart)


def counts(*sets_of_fields):
    """A row a set: its source, kind, and how many fields, groups and boxes it has."""
    rows = [
        {
            "source": each.source,
            "kind": each.kind,
            "fields": len(each),
            "groups": len(set(each.group)),
            "a group is a": each.unit,
            "boxes": int(each.present.sum()),
            "exactly 46": int((each.present.sum(1) == 46).sum()),
        }
        for each in sets_of_fields
    ]
    return pd.DataFrame(rows)


def histogram(parts):
    """How many boxes of each class each part has: a row a class, a column a part."""
    table = {
        name: np.bincount(part.labels[part.present], minlength=len(part.classes))
        for name, part in parts.items()
    }
    classes = next(iter(parts.values())).classes
    return pd.DataFrame(table, pd.Index(classes, name="class")).reset_index()


def _known(kind):
    if kind not in KINDS:
        raise FieldError(f"kind {kind!r}; known: {', '.join(KINDS)}")
    return kind


def _boxed(images, kind):
    """A set with boxes of that kind: as it is, or composed of single chromosomes."""
    shown = SHOWS.get(images.source, kind)
    if shown != kind:
        raise FieldError(
            f"{images.source} shows {shown}s; ask for these, or name another source"
        )
    if images.boxes is not None:
        return images
    if not set(images.label) & set(records.CLASSES):
        raise FieldError(
            f"{images.source} has neither boxes nor chromosomes labelled 1 to 22, X or "
            "Y; annotate it as VOC, YOLO or COCO, or name another source"
        )
    if kind != "karyogram":
        raise FieldError(
            f"{images.source} shows single chromosomes, of which karyograms can be "
            "composed and metaphases cannot; ask for karyograms"
        )
    straight = compose.straightened(images, orient=False)
    return dataclasses.replace(compose.cells(straight), provenance="composed")


def _square(grey, boxes, side):
    """One image as a square of ink, and its boxes on it."""
    if min(grey.shape) < LEAST:
        raise common.Malformed(*SMALL)
    labels, made = _classes(boxes), squares.square(grey, side)
    if not made.ink.any():
        raise common.Malformed(*BLANK)
    return made.ink, records.Boxes(made.onto(boxes.xyxy), labels)


def _classes(boxes):
    """The classes of the boxes, if a detector can learn from these."""
    if not len(boxes):
        raise common.Malformed(*NO_BOX)
    if len(boxes) > MOST:
        raise common.Malformed(*MANY)
    if not (boxes.xyxy[:, 2:] > boxes.xyxy[:, :2]).all():
        raise common.Malformed(*fit.NO_AREA)
    labels = [listing.chromosome(label) for label in boxes.label]
    if None in labels:
        odd = str(boxes.label[labels.index(None)])[: common.SHOWN]
        raise common.Malformed(f"a box labelled {odd!r}: no chromosome", NO_CHROMOSOME)
    return labels


def _refused(images, errors, good, on_error):
    """Raise where images had to be left out and nobody said that they may be."""
    if errors and (on_error == "refuse" or not good.any()):
        first, many = errors[0], "s" * (len(errors) > 1)
        raise FieldError(
            f"{images.source}: {len(errors):,} error{many}, first {first.file}: "
            f"{first.reason}; {first.remedy}. on_error=skip leaves such images out"
        )
    if not good.any():
        raise FieldError(f"{images.source} holds no image; name another source")
