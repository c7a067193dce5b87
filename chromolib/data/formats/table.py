"""CSV: one row an object, under our header or that of TensorFlow and Roboflow.

A spreadsheet runs a cell that starts like a formula: it is written with an apostrophe
before it, which reading takes off again. A row without label and box is an image
without objects. A ninth column `score` is read, and written where a score is not 1.
"""

import collections
import csv
import io
import posixpath

from chromolib import files
from chromolib.data import store
from chromolib.data.formats import common

UNHELD = None  # quoted cells hold any text
FILE = "annotations.csv"
OURS = ("image", "width", "height", "label", "x0", "y0", "x1", "y1")
THEIRS = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")
EXTRA = "other columns of the table"

BROKEN = ("the table cannot be read", "save it again as CSV with commas, in UTF-8")
OTHER = ("a table without the columns of boxes: it is not read", "nothing, if so meant")
NONE = (
    "no table with the columns of boxes",
    "add a CSV file with the columns " + ",".join(OURS),
)
ROW = ("a row has not as many cells as the header", "correct the row")
NAMELESS = ("a row names no image", "correct the row")
HALF = (
    "a row has a label without a box, or a box without a label",
    "complete the row; leave label and box empty for an image without objects",
)
SIZES = ("rows of one image claim different sizes", "correct the size in the rows")


def dataset(stored):
    """The tables of a store that hold boxes, each relative to its folder."""
    return common.from_tables(stored, ".csv", _read, none=NONE, default=FILE)


def write(dataset, sizes, folder):
    """One table for all images, under our header."""
    scored = any((a.boxes.score != 1).any() for a in dataset.images.values())
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow([*OURS, "score"] if scored else OURS)
    for name, annotated in dataset.images.items():
        head = [files.guarded(name), annotated.width, annotated.height]
        for drawn in common.objects(annotated.boxes):
            score = [common.plain(drawn.score)] if scored else []
            box = map(common.plain, drawn.box)
            table.writerow([*head, files.guarded(drawn.label), *box, *score])
        if not len(annotated.boxes):
            table.writerow([*head, *[""] * (len(OURS) - 3 + scored)])
    common.save(folder, FILE, text.getvalue())


def _read(stored, file, data):
    """Image name -> Annotated or None, no classes, the problems and what is lost.

    Nothing is kept of a row that is of no use, nor of one too many for its image: a
    table of 16 MiB may have eight million rows.
    """
    rows = csv.reader(io.StringIO(common.text(data), newline=""), strict=True)
    problems, by_image, places = set(), collections.defaultdict(list), {}
    try:
        header, columns = _columns(next(rows, []))
        for cells in filter(any, rows):
            written = cells[columns[0]] if len(cells) > columns[0] else ""
            if written not in places:
                places[written], problem = _image(
                    stored, file, files.unguarded(written)
                )
                problems.update(problem)
            name = places[written]
            if name is not None and len(by_image[name]) <= common.MOST:
                whole = len(cells) == len(header)
                by_image[name].append([cells[i] for i in columns] if whole else None)
    except csv.Error as failure:
        raise common.Malformed(*BROKEN) from failure
    images = dict.fromkeys(by_image)
    for name, rows_of_image in by_image.items():
        try:
            images[name] = _annotated(file, rows_of_image)
        except common.Malformed as failure:
            problems.add(store.error(failure.what, name))
    return images, (), [*problems], {EXTRA: len(header) - len(columns)}


def _columns(cells):
    """The header, and where our columns are."""
    header = [cell.strip() for cell in cells]
    for names in (OURS, THEIRS):
        if set(names) <= set(header):
            score = ["score"] if "score" in header else []
            return header, [header.index(name) for name in (*names, *score)]
    raise common.Unrelated(*OTHER)


def _image(stored, file, written):
    """The image that a row is of, if there is one, and what is wrong with its name."""
    if not written:
        return None, [store.error(NAMELESS, file)]
    folder = posixpath.dirname(file)
    name, in_place = common.locate(stored, folder, written)
    if name is None:
        return None, [common.missing(folder, written, file)]
    return name, [] if in_place else [store.repaired(common.MOVED, name)]


def _annotated(file, rows):
    if len(rows) > common.MOST:
        raise common.Malformed(*common.MANY)
    if None in rows:
        raise common.Malformed(*ROW)
    sizes = {(row[1].strip(), row[2].strip()) for row in rows}
    if len(sizes) > 1:
        raise common.Malformed(*SIZES)
    claims = sizes.pop()
    sides = [common.whole(v) for v in claims] if any(claims) else (None, None)
    objects = [_object(row) for row in rows if any(row[3:])]
    return common.Annotated(file, common.boxes(objects), *sides)


def _object(row):
    name, corners, score = files.unguarded(row[3]), row[4:8], row[8:]
    if not name or not all(corners):
        raise common.Malformed(*HALF)
    box = tuple(map(common.number, corners))
    scores = [common.number(v) for v in score if v]
    return common.Object(common.label(name), box, *scores)
