"""What an adapter finds in a store before any pixel is read, and how names are read."""

import csv
import dataclasses
import io
import pathlib
import re
import typing
import unicodedata

from chromolib import records
from chromolib.cyto import groups, iscn
from chromolib.data import decode, store
from chromolib.data.formats import common

CLASS = re.compile(
    r"(?:clase|class|chromosome|chrom|chr|[A-G](?=\d))?[ _-]?(\w+)", re.I
)
TABLE = "images.csv"
COLUMNS = ("image", "group", "cell", "label", "status")
UNCLASSED = tuple(word for word in iscn.FILED if word not in records.CLASSES)
UNNAMED = "the file's name does not say which chromosome of which cell it is"
PARTS = {"train": "train", "valid": "valid", "val": "valid", "test": "test"}


@dataclasses.dataclass(frozen=True)
class Item:
    """One image of a listing."""

    name: str
    label: str = ""
    group: str = ""
    cell: str = ""
    extra: dict = dataclasses.field(default_factory=dict)  # column -> value


@dataclasses.dataclass(frozen=True, eq=False)
class Listing:
    """The images of a source, their groups, and the boxes somebody drew on them."""

    items: list
    unit: str  # what a group is
    annotated: dict | None = None  # image name -> formats.common.Annotated
    problems: typing.Sequence = ()
    rename: object = None  # how a label of a box becomes a class; None leaves it


def chromosome(text):
    """A class in the project's words: `chr7`, `A1`, `clase23`, `x` -> 7, 1, X, X.

    None where the text names none of the 24. 23 and 24 are X and Y, as in BioImLab.
    """
    text = str(text).strip()
    match = CLASS.fullmatch(text)
    name = match[1].upper().lstrip("0") if match else ""
    name = {"23": "X", "24": "Y"}.get(name, name)
    if name not in records.CLASSES:
        return None
    grouped = name.isdigit() and re.match(r"[A-G]\d", text, re.IGNORECASE)
    return None if grouped and groups.of(name) != text[0].upper() else name


def filed(text):
    """The same, or ISCN's word for a chromosome without a class: mar, ace."""
    word = str(text).strip().lower()
    return word if word in iscn.FILED else chromosome(text)


def promised(labels):
    """Whether labels are meant to be chromosome classes: at least half of them are.

    A 0 among them is the number of a kind, as the others then are.
    """
    labels = set(labels)
    known = sum(filed(label) is not None for label in labels)
    return known > 0 and 2 * known >= len(labels) and "0" not in labels


def from_zero(labels):
    """Whether classes are counted from 0, so that no number is its chromosome's."""
    numbers = {int(x) for x in set(labels) if x.isascii() and x.isdigit()}
    return 0 in numbers and max(numbers) > 1


FROM_ZERO = (
    "labels are counted from 0, so nothing says which chromosome a number is",
    "name the classes 1 to 22, X and Y",
)


def stranger(label):
    """The reason and remedy of a label that is no chromosome class among classes."""
    reason = f"the label {store.shown(label)!r} is no chromosome class"
    return reason, f"correct it; known: 1 to 22, X, Y, {', '.join(UNCLASSED)}"


def by_pattern(files, pattern, *, like, label=chromosome):
    """Items of all images whose names fit a pattern; the others are errors.

    The pattern names the number of the chromosome, the homologue, the cell and its
    group; `label` makes a class of the number.
    """
    items, problems = [], []
    for name in images(files):
        match = re.search(pattern, name)
        named = match and label(match["number"])
        if named:
            homologue = {"homologue": match["homologue"]}
            items.append(Item(name, named, match["group"], match["cell"], homologue))
        else:
            problems.append(store.error((UNNAMED, f"name it like {like}"), name))
    return items, problems


def images(files):
    """The names in a store that are images."""
    return [name for name in files.names if decode.is_image(name)]


def part(name):
    """train, valid or test, where a folder of that name holds the image."""
    folders = pathlib.PurePosixPath(name).parts[:-1]
    return next((PARTS[f.lower()] for f in folders if f.lower() in PARTS), "")


def source_image(name):
    """The image that augmented copies were made of: Roboflow's name before `.rf.`."""
    base = pathlib.PurePosixPath(name).name
    return base.split(".rf.")[0] if ".rf." in base else ""


def user_table(files):
    """The user's own `images.csv`: name in the store -> its row, and the problems.

    Columns: image (a relative name, or a base name that only one image has) and any of
    group, cell, label, status.
    """
    called, rows, problems, twice = _called(files), {}, set(), set()
    for name in files.names:
        if pathlib.PurePosixPath(name).name != TABLE:
            continue
        try:
            for row in _rows(common.content(files, name, limit=common.LIMIT)):
                meant = called.get(_composed(row.pop("image")), ())
                if not meant:
                    problems.add(store.repaired(STRANGER, name))
                elif len(meant) > 1:
                    problems.add(store.error(SEVERAL, name))
                elif rows.setdefault(*meant, row) != row:
                    problems.add(store.error(TWICE, name))
                    twice.update(meant)
        except (common.Malformed, csv.Error):
            problems.add(store.error(BROKEN, name))
    told = {name: row for name, row in rows.items() if name not in twice}
    return told, sorted(problems)


def _called(files):
    """Full name -> the one image that has it, and base name -> all of that name."""
    full, base = {}, {}
    for name in images(files):
        spelt = _composed(name)
        full[spelt] = [name]
        base.setdefault(pathlib.PurePosixPath(spelt).name, []).append(name)
    return base | full


def _composed(text):
    """A name with each accent in its letter; some systems write them one by one."""
    return unicodedata.normalize("NFC", text)


def _rows(data):
    """Rows that name an image, our columns alone, without blanks around the words."""
    table = csv.DictReader(io.StringIO(common.text(data), newline=""), strict=True)
    table.fieldnames = [word.strip() for word in table.fieldnames or ()]
    if "image" not in table.fieldnames:
        raise common.Malformed(*BROKEN)
    for cells in table:
        row = {key: (cells.get(key) or "").strip() for key in COLUMNS}
        words = [row[key] for key in COLUMNS[1:]]
        if max(map(len, words)) > common.LONGEST or not "".join(words).isprintable():
            raise common.Malformed(*BROKEN)
        if row["image"]:
            yield row


BROKEN = (
    "images.csv cannot be read",
    "write it as UTF-8 with commas; columns image, group, cell, label, status; "
    "words of at most 200 printable characters",
)
STRANGER = (
    "images.csv names an image that is not here",
    "the row is not used; is the name right?",
)
SEVERAL = (
    "images.csv means several images by one name",
    "name them with their folders",
)
TWICE = ("images.csv says two things of one image", "keep one of the rows")
