"""What the four formats share: their records, bounded reading, numbers and names."""

import collections
import dataclasses
import pathlib
import posixpath
import re
import typing
import zipfile
import zlib

import numpy as np

from chromolib import records
from chromolib.data import decode, store

LIMIT = 16 * 2**20  # bytes of an annotation
SINGLE = 4 * 2**20  # of one image: a thousand objects with long outlines take less
LARGEST = 1e9  # no coordinate, size or index lies beyond
MOST, LONGEST = 100_000, 200  # boxes on an image; characters of a label
LABELS = 2**20  # characters of the labels on an image, each as wide as the longest
SHOWN = 60  # characters of a file's own text that a message repeats
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
SURROGATE = re.compile("[\ud800-\udfff]")
UNREADABLE = (  # what a folder or an archive raises for a file it cannot give
    *(OSError, ValueError, EOFError, LookupError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)

# Reason and remedy. Sentences without numbers, so that files are listed under them.
CUT = ("the file cannot be read", "copy or download it again")
LARGE = (
    "the file is larger than 16 MiB; of one image than 4 MiB, of names of classes than "
    "64 KiB",
    "split it, or take it out",
)
TEXT = ("the text is not UTF-8", "save it again as UTF-8")
NUMERIC = (
    "a coordinate, size, score or index is missing, not a number, or beyond all sizes",
    "correct the value in the annotation",
)
REVERSED = ("a box ends before it begins", "exchange its minimum and its maximum")
NEGATIVE = ("a box has a negative width or height", "correct the box")
MANY = ("more boxes than an image can hold", "check the annotation")
LABEL = (
    "a label is missing, longer than 200 characters, or not text",
    "give the object a label",
)
WIDE = (
    "the labels of one image take more than a million characters",
    "give the classes shorter names, or check the annotation",
)
NO_ANNOTATION = (
    "no annotation for this image",
    "annotate or remove it; an image without objects needs an annotation without any",
)
NO_IMAGE = ("no image for this annotation", "add the image or remove the annotation")
MOVED = (
    "the image is not where the annotation says: the one image of that name is used",
    "nothing, if the names are right; else correct the path in the annotation",
)
TWICE = ("two annotations for one image", "keep one of them")
ORDERS = (
    "the files order their classes differently: the order of the first counts",
    "nothing; a class is known by its name",
)


@dataclasses.dataclass(frozen=True, eq=False)
class Annotated:
    """What an annotation says of one image."""

    file: str  # the annotation's own name in the store
    boxes: records.Boxes  # labels and coordinates as written, nothing clipped
    width: int | None = None  # the size the annotation claims, if it claims one
    height: int | None = None
    fraction: bool = False  # coordinates are shares of width and height (YOLO)


@dataclasses.dataclass(frozen=True, eq=False)
class Dataset:
    """What the annotations of a store say of its images."""

    images: dict  # image name in the store -> Annotated
    classes: tuple = ()  # class names in the order of the file, () without one
    problems: tuple = ()  # records.Problem
    lost: dict = dataclasses.field(default_factory=dict)  # what no record holds -> n
    prefix: str = ""  # a folder the format asks for, no part of the images' names


class Object(typing.NamedTuple):
    """One object as written: its label, (x0, y0, x1, y1), score and outline."""

    label: str
    box: tuple
    score: float = 1.0
    outline: np.ndarray | None = None


class Malformed(ValueError):
    """An annotation that cannot be read: the reason, and what to do about it."""

    def __init__(self, reason, remedy):
        super().__init__(reason)
        self.what = reason, remedy


class Unrelated(Malformed):
    """A file that is well formed and no annotation at all."""


@dataclasses.dataclass(frozen=True)
class Index:
    """The images of a store, by full name, base name and stem."""

    names: frozenset
    base: dict
    stem: dict


def labels(annotated):
    """The names of all boxes that are annotated, as written."""
    return {str(label) for one in annotated if one for label in one.boxes.label}


def collected(problems):
    """Problems in order, each once."""
    return tuple(sorted(set(problems)))


def index(files):
    """The images of a store, found by their endings."""
    names = [name for name in files.names if decode.is_image(name)]
    base, stem = collections.defaultdict(list), collections.defaultdict(list)
    for name in names:
        base[posixpath.basename(name)].append(name)
        stem[stem_of(name)].append(name)
    return Index(frozenset(names), dict(base), dict(stem))


def ending(files, suffix):
    """The names in a store with this ending, in any case."""
    return [name for name in files.names if name.lower().endswith(suffix)]


def stem_of(name):
    """The last part of a name without its ending."""
    return posixpath.splitext(posixpath.basename(name))[0]


def last_part(path):
    """The base name of a path of any system."""
    return re.split(r"[\\/]", path)[-1]


def from_tables(files, suffix, read, *, none, default):
    """The dataset of files that each hold many images of their own folder.

    `read(images, file, data)` gives image name -> Annotated (None where the entry has
    an error), the classes, the problems and what is lost. `none` is the problem of a
    store without such a file, reported under the name `default`.
    """
    stored, problems, annotated = index(files), [], {}
    claims, lost, orders = collections.Counter(), collections.Counter(), []
    for file in ending(files, suffix):
        try:
            entries, classes, more, missing = read(stored, file, content(files, file))
        except Unrelated as failure:
            problems.append(store.repaired(failure.what, file))
            continue
        except Malformed as failure:
            problems.append(store.error(failure.what, file))
            orders.append(())
            continue
        orders.append(classes)
        problems += more
        lost.update(missing)
        claims.update(entries.keys())
        annotated |= entries
    problems += [] if orders else [store.error(none, default)]
    problems += [store.error(TWICE, name) for name, n in claims.items() if n > 1]
    problems += unannotated(stored, claims)
    if len({order for order in orders if order}) > 1:
        problems.append(store.repaired(ORDERS, default))
    single = {k: v for k, v in sorted(annotated.items()) if v and claims[k] == 1}
    classes = tuple(dict.fromkeys(name for order in orders for name in order))
    return Dataset(single, classes, collected(problems), dict(lost))


def locate(images, folder, written):
    """The image that a path in an annotation means, and whether it is in that place.

    A path that is absolute, climbs, or leads nowhere is looked up by its base name.
    """
    path = posixpath.normpath(posixpath.join(folder, written))
    if path in images.names and ".." not in written.split("/"):
        return path, True
    same = images.base.get(last_part(written), ())
    return (same[0] if len(same) == 1 else None), False


def missing(folder, written, file):
    """The problem of an image that an annotation names and the store does not hold."""
    name = last_part(written)  # repeated only where it cannot be of a private path
    plain = decode.is_image(name) and len(name) <= SHOWN
    return store.error(NO_IMAGE, posixpath.join(folder, name) if plain else file)


def unannotated(images, annotated):
    """One problem for each image without an annotation."""
    return [store.error(NO_ANNOTATION, name) for name in images.names - set(annotated)]


def content(files, name, *, limit=LIMIT):
    """The bytes of a file that is not too large."""
    try:
        data = b"" if files.size(name) > limit else files.read(name)
        too_large = max(len(data), files.size(name)) > limit
    except UNREADABLE as failure:
        raise Malformed(*CUT) from failure
    if too_large:
        raise Malformed(*LARGE)
    return data


def text(data):
    """Bytes as text: UTF-8, with or without a byte order mark."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as failure:
        raise Malformed(*TEXT) from failure


def number(value):
    """A finite number of a sane size, from text or from JSON."""
    if isinstance(value, str):
        value = value.strip() if len(value) <= 64 else ""
        value = float(value) if NUMBER.fullmatch(value) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Malformed(*NUMERIC)
    if not abs(value) <= LARGEST:  # also true of NaN
        raise Malformed(*NUMERIC)
    return float(value)


def whole(value):
    """A whole number, not negative."""
    value = number(value)
    if value < 0 or not value.is_integer():
        raise Malformed(*NUMERIC)
    return int(value)


def label(value):
    """A label as written, if it is text that a record can hold."""
    if not isinstance(value, str) or not 0 < len(value) <= LONGEST:
        raise Malformed(*LABEL)
    if "\0" in value or SURROGATE.search(value):
        raise Malformed(*LABEL)
    return value


def boxes(objects):
    """The record of a list of objects."""
    if len(objects) > MOST:
        raise Malformed(*MANY)
    if len(objects) * max((len(o.label) for o in objects), default=0) > LABELS:
        raise Malformed(*WIDE)
    if any(x1 < x0 or y1 < y0 for _, (x0, y0, x1, y1), _, _ in objects):
        raise Malformed(*REVERSED)
    outlines = tuple(o.outline for o in objects)
    return records.Boxes(
        np.array([o.box for o in objects], np.float64),
        np.array([o.label for o in objects], dtype=str),
        np.array([o.score for o in objects], np.float64),
        outlines if any(o is not None for o in outlines) else (),
    )


def outline(values):
    """The outline (k, 2) and its bounding box, of at least three pairs of numbers."""
    points = np.array([number(v) for v in values]).reshape(-1, 2)
    return points, (*points.min(0).tolist(), *points.max(0).tolist())


def objects(boxes):
    """The objects of a record of boxes."""
    outlines = boxes.polygon or (None,) * len(boxes)
    columns = (boxes.label.tolist(), boxes.xyxy.tolist(), boxes.score.tolist())
    return [Object(*row) for row in zip(*columns, outlines, strict=True)]


def plain(value):
    """A number as short as it can be read back exactly."""
    value = float(value)
    return int(value) if value.is_integer() else value


def save(folder, name, data):
    """A new file below a folder; a name that leads out of it is refused."""
    parts = name.split("/")
    if any(part in ("", ".", "..") or "\\" in part for part in parts):
        raise ValueError("a file name leads out of the folder")
    path = pathlib.Path(folder).joinpath(*parts)
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("xb") as file:
        file.write(data if isinstance(data, bytes) else data.encode())
