"""One format into another: what is written, not turned and not clipped.

`A -> B -> A` gives the same boxes, labels and image names. What a target cannot hold is
counted and said.
"""

import collections
import contextlib
import dataclasses
import re

import pandas as pd

from chromolib import records
from chromolib.data import formats, fresh, listing, store
from chromolib.data.formats import common, fit, yolo

UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\\\\]")
SHOWN = 5  # problems that a refusal lists
ORDERED = ("yolo", "coco")  # formats that order their classes
OUTLINES, SCORES = "outlines", "scores"
ORDER = "places in the order of classes"
UNLIKE = "outlines that their box does not bound"

SIZE = ("the size of the image cannot be read", "open the image; replace a broken one")
FRAME = (
    "boxes were drawn on the image turned upright, which YOLO cannot say",
    "save the image upright, or convert to another format",
)
NAME = (
    "the name of the image holds control characters or a backslash",
    "rename the image",
)


class ConvertError(ValueError):
    """Why nothing was written."""


@dataclasses.dataclass(frozen=True)
class Report:
    """What was written, and what was not."""

    images: int
    boxes: int
    left_out: int  # images of the source that are not among them
    lost: dict  # what the target cannot hold -> how many
    problems: tuple

    def __str__(self):
        """The report in a sentence or three."""
        text = f"{self.images} images with {self.boxes} boxes written."
        if self.left_out:
            text += f" {self.left_out} images left out."
        lost = ", ".join(f"{n} {what}" for what, n in sorted(self.lost.items()))
        return f"{text} Lost: {lost}." if lost else text


def convert(files, source, target, out, *, sizes, images=False, skip=False):
    """A report on the folder `out`, which holds the annotations in another format.

    `sizes(name)` is the stored (width, height) of an image. `images` copies them too.
    With `skip`, images with errors are left out; else one error refuses all.
    """
    for name in (source, target):
        if name not in formats.FORMATS:
            known = ", ".join(formats.FORMATS)
            raise ConvertError(f"unknown format {name!r}; known: {known}")
    out = fresh.vacant(out, error=ConvertError)
    given = formats.FORMATS[source].dataset(files)
    ready, origin, measured, problems = _ready(given, target, sizes)
    rows, unplaced = listing.user_table(files)
    problems = common.collected((*given.problems, *problems, *unplaced))
    _refuse_errors(problems, ready, skip)
    _refuse_labels(ready, target)
    with _complete(out) as folder:
        formats.FORMATS[target].write(ready, measured.__getitem__, folder)
        placed = {
            old: f"{ready.prefix}/{name}" if ready.prefix else name
            for name, old in origin.items()
        }
        for old, path in placed.items() if images else ():
            common.save(folder, path, common.content(files, old, limit=2**40))
        _carry(rows, placed, folder)
    return Report(
        images=len(ready.images),
        boxes=sum(len(a.boxes) for a in ready.images.values()),
        left_out=len(common.index(files).names) - len(ready.images),
        lost=_lost(given, ready, target),
        problems=problems,
    )


def _carry(rows, placed, folder):
    """Groups, cells and labels that the user gave, by the names of images now."""
    table = pd.DataFrame(
        [{"image": placed[old]} | rows[old] for old in rows if old in placed]
    )
    if len(table):
        text = table.to_csv(index=False, lineterminator="\n")
        common.save(folder, listing.TABLE, text)


@contextlib.contextmanager
def _complete(out):
    """A folder that becomes `out`; an error in it is told in our words."""
    with fresh.complete(out) as folder:
        try:
            yield folder
        except (FileExistsError, IsADirectoryError, NotADirectoryError) as failure:
            reason = "two images would share one file; rename one of them"
            raise ConvertError(reason) from failure
        except ValueError as failure:  # a name that leads out, an image unreadable
            raise ConvertError(f"nothing written: {failure}") from failure


def _ready(given, target, sizes):
    """The dataset in pixels under the target's names, their origin, sizes, problems."""
    problems, images, origin, measured = [], {}, {}, {}
    for old, annotated in given.images.items():
        name = old.removeprefix(given.prefix + "/") if given.prefix else old
        try:
            if UNSAFE.search(name):
                raise common.Malformed(*NAME)
            size = _measure(sizes, old)
            images[name] = _pixels(annotated, size, target)
            origin[name], measured[name] = old, size
        except common.Malformed as failure:
            problems.append(store.error(failure.what, old))
    prefix = yolo.image_folder(images) if target == "yolo" else ""
    classes = given.classes or _in_order(_labels(images))
    ready = common.Dataset(images, classes, prefix=prefix)
    return ready, origin, measured, problems


def _measure(sizes, name):
    try:
        width, height = map(common.whole, sizes(name))
    except (OSError, ValueError) as failure:
        raise common.Malformed(*SIZE) from failure
    if not width * height:
        raise common.Malformed(*SIZE)
    return width, height


def _pixels(annotated, size, target):
    """An annotation in pixels that claims a size: its own, else that of the image."""
    claim = (annotated.width, annotated.height)
    if target == "yolo" and claim == size[::-1] != size:
        raise common.Malformed(*FRAME)
    boxes = fit.in_pixels(annotated, size)
    return common.Annotated(annotated.file, boxes, *(size if None in claim else claim))


def _labels(images):
    return {label for a in images.values() for label in a.boxes.label.tolist()}


def _in_order(labels):
    """Classes where the source has no order: chromosomes, or by the alphabet."""
    return records.CLASSES if labels <= set(records.CLASSES) else tuple(sorted(labels))


def _refuse_errors(problems, ready, skip):
    errors = [p for p in problems if p.level == "error"]
    if errors and not skip:
        lines = [f"{p.file}: {p.reason}" for p in errors[:SHOWN]]
        more = len(errors) - len(lines)
        lines += [f"and {more} more"] if more else []
        total = f"{len(errors)} errors, nothing written; skip leaves these images out"
        raise ConvertError("\n".join([total, *lines]))
    if not ready.images:
        raise ConvertError("no image is left to convert")


def _refuse_labels(ready, target):
    """Refuse labels that the target cannot write."""
    unheld = formats.FORMATS[target].UNHELD
    labels = _labels(ready.images) | set(ready.classes if target in ORDERED else ())
    bad = [label for label in labels if unheld and unheld.search(label)]
    if bad:
        raise ConvertError(
            f"{len(bad)} labels hold characters that {target} cannot: "
            "rename them, or convert to coco"
        )


def _lost(given, ready, target):
    """What was read but is not in what was written, and how much of it."""
    lost = collections.Counter(given.lost)
    lost[ORDER] = len(given.classes) if target not in ORDERED else 0
    for annotated in ready.images.values():
        for drawn in common.objects(annotated.boxes):
            lost.update(_unheld(drawn, target))
    return {what: n for what, n in lost.items() if n}


def _unheld(drawn, target):
    """What is lost of one object."""
    outlined = drawn.outline is not None
    kept = target == "coco" or (target == "yolo" and yolo.holds_outline(drawn))
    if outlined and not kept:
        yield UNLIKE if target == "yolo" else OUTLINES
    row = target == "yolo" and kept  # an outline in YOLO leaves no room for a score
    if drawn.score != 1 and (target == "voc" or row):
        yield SCORES
