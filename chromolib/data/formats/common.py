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

SUFFIXES = (".bmp", ".png", ".jpg", ".jpeg", ".tif", ".tiff")
LIMIT = 16 * 2**20  # bytes of an annotation
LARGEST = 1e9  # no coordinate, size or index lies beyond
MOST, LONGEST = 100_000, 200  # boxes on an image; characters of a label
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
SURROGATE = re.compile("[\ud800-\udfff]")
UNREADABLE = (  # what a folder or an archive raises for a file it cannot give
    *(OSError, ValueError, EOFError, LookupError, RuntimeError),
    *(zipfile.BadZipFile, zlib.error),
)

# Reason and remedy. Sentences without numbers, so that files are listed under them.
CUT = ("the file cannot be read", "copy or download it again")
LARGE = ("the annotation is larger than 16 MiB", "split it, or take it out")
TEXT = ("the text is not UTF-8", "save it again as UTF-8")
NUMERIC = (
    "a coordinate, size, score or index is missing, not a number, or beyond all sizes",
    "correct the value in the annotation",
)
REVERSED = ("a box ends before it begins", "exchange its minimum and its maximum")
MANY = ("more boxes than an image can hold", "check the annotation")
LABEL = (
    "a label is missing, longer than 200 characters, or not text",
    "give the object a label",
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


@dataclasses.dataclass(frozen=True)
class Index:
    """The images of a store, by full name, base name and stem."""

    names: frozenset
    base: dict
    stem: dict


def problem(level, what, file):
    """The record of a reason and remedy that concern one file."""
    return records.Problem(level, what[0], file, what[1])


def collected(problems):
    """Problems in order, each once."""
    return tuple(sorted(set(problems)))


def index(store):
    """The images of a store, found by their endings."""
    names = [n for n in store.names if n.lower().endswith(SUFFIXES)]
    base, stem = collections.defaultdict(list), collections.defaultdict(list)
    for name in names:
        base[posixpath.basename(name)].append(name)
        stem[stem_of(name)].append(name)
    return Index(frozenset(names), dict(base), dict(stem))


def ending(store, *suffixes):
    """The names in a store with one of these endings, in any case."""
    return [name for name in store.names if name.lower().endswith(suffixes)]


def stem_of(name):
    """The last part of a name without its ending."""
    return posixpath.splitext(posixpath.basename(name))[0]


def last_part(path):
    """The base name of a path of any system."""
    return re.split(r"[\\/]", path)[-1]


def shown(text):
    """File text that is safe to print: control characters escaped, and cut."""
    safe = (c if c.isprintable() else f"\\x{ord(c):02x}" for c in text[:60])
    return "".join(safe) + ("..." if len(text) > 60 else "")


def locate(known, folder, written):
    """The image that a path in an annotation means, and whether it stands there.

    A path that is absolute, climbs, or leads nowhere is looked up by its base name.
    """
    path = posixpath.normpath(posixpath.join(folder, written))
    if path in known.names and ".." not in written.split("/"):
        return path, True
    found = known.base.get(last_part(written), ())
    return (found[0] if len(found) == 1 else None), False


def missing(folder, written, file):
    """The problem of an image that an annotation names and the store does not hold."""
    name = shown(last_part(written))
    known = name.lower().endswith(SUFFIXES)  # else it may be the end of a private path
    return problem("error", NO_IMAGE, posixpath.join(folder, name) if known else file)


def unannotated(names):
    """One problem for each image without an annotation."""
    return [problem("error", NO_ANNOTATION, name) for name in names]


def content(store, name, *, limit=LIMIT):
    """The bytes of a file that is not too large."""
    try:
        data = b"" if store.size(name) > limit else store.read(name)
        too_large = max(len(data), store.size(name)) > limit
    except UNREADABLE as error:
        raise Malformed(*CUT) from error
    if too_large:
        raise Malformed(*LARGE)
    return data


def text(data):
    """Bytes as text: UTF-8, with or without a byte order mark."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Malformed(*TEXT) from error


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
    found = number(value)
    if found < 0 or not found.is_integer():
        raise Malformed(*NUMERIC)
    return int(found)


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


def objects(found):
    """The objects of a record of boxes."""
    outlines = found.polygon or (None,) * len(found)
    columns = (found.label.tolist(), found.xyxy.tolist(), found.score.tolist())
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
