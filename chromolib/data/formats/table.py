"""CSV: one row an object, under our header or that of TensorFlow and Roboflow.

A spreadsheet runs a cell that starts like a formula: it is written with an apostrophe
before it, which reading takes off again. A row without label and box is an image
without objects. A ninth column `score` is read, and written where a score is not 1.
"""

import collections
import csv
import io
import posixpath
import re

from chromolib.data.formats import common

UNHELD = None  # quoted cells hold any text
FILE = "annotations.csv"
OURS = ("image", "width", "height", "label", "x0", "y0", "x1", "y1")
THEIRS = ("filename", "width", "height", "class", "xmin", "ymin", "xmax", "ymax")
EXTRA = "other columns of the table"
FORMULA = re.compile("'*[=+\\-@\t\r]")
NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?")

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


def dataset(store):
    """The tables of a store that hold boxes, each relative to its folder."""
    known, problems, images = common.index(store), [], {}
    claimed, lost, read = collections.Counter(), collections.Counter(), 0
    for file in common.ending(store, ".csv"):
        try:
            rows, columns, extra = _rows(common.content(store, file))
        except _Left:
            problems.append(common.problem("repaired", OTHER, file))
            continue
        except common.Malformed as error:
            problems.append(common.problem("error", error.what, file))
            read += 1
            continue
        read, lost[EXTRA] = read + 1, lost[EXTRA] + extra
        found, said = _images(known, file, rows, columns)
        problems += said
        claimed.update(found.keys())
        images |= {k: v for k, v in found.items() if v is not None}
    if not read:
        problems.append(common.problem("error", NONE, FILE))
    for name in [name for name, times in claimed.items() if times > 1]:
        images.pop(name, None)
        problems.append(common.problem("error", common.TWICE, name))
    problems += common.unannotated(known.names - set(claimed))
    images = dict(sorted(images.items()))
    return common.Dataset(images, (), common.collected(problems), dict(lost))


def write(dataset, sizes, folder):
    """One table for all images, under our header."""
    every = [a.boxes for a in dataset.images.values()]
    scored = any((boxes.score != 1).any() for boxes in every)
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow([*OURS, "score"] if scored else OURS)
    for name, annotated in dataset.images.items():
        head = [guarded(name), annotated.width, annotated.height]
        for found in common.objects(annotated.boxes):
            score = [common.plain(found.score)] if scored else []
            box = map(common.plain, found.box)
            table.writerow([*head, guarded(found.label), *box, *score])
        if not len(annotated.boxes):
            table.writerow([*head, *[""] * (len(OURS) - 3 + scored)])
    common.save(folder, FILE, text.getvalue())


def guarded(cell):
    """Text that no spreadsheet takes for a formula; `unguarded` undoes it."""
    if FORMULA.match(cell) and not NUMBER.fullmatch(cell):
        return "'" + cell
    return cell


def unguarded(cell):
    """Text without the apostrophe that guards a formula."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


class _Left(ValueError):
    """A table of another kind."""


def _rows(data):
    """The rows below the header, where our columns stand, and how many others."""
    text = common.text(data)
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise common.Malformed(*BROKEN) from error
    header = [cell.strip() for cell in rows[0]] if rows else []
    for names in (OURS, THEIRS):
        if set(names) <= set(header):
            score = ["score"] if "score" in header else []
            columns = [header.index(name) for name in (*names, *score)]
            return rows, columns, len(header) - len(columns)
    raise _Left


def _images(known, file, rows, columns):
    """Image name -> Annotated, or None where it has an error; and the problems."""
    problems, found = [], collections.defaultdict(list)
    for cells in filter(any, rows[1:]):
        name, said = _image(known, file, cells, columns)
        whole = len(cells) == len(rows[0])
        problems += said
        if name is not None:
            found[name].append([cells[i] for i in columns] if whole else None)
            problems += [] if whole else [common.problem("error", ROW, name)]
    for name, each in found.items():
        try:
            found[name] = None if None in each else _annotated(file, each)
        except common.Malformed as error:
            problems.append(common.problem("error", error.what, name))
            found[name] = None
    return found, problems


def _image(known, file, cells, columns):
    """The image that a row is of, if there is one, and what is wrong with its name."""
    written = unguarded(cells[columns[0]]) if len(cells) > columns[0] else ""
    folder = posixpath.dirname(file)
    name, there = common.locate(known, folder, written)
    if not written:
        return None, [common.problem("error", NAMELESS, file)]
    if name is None:
        return None, [common.missing(folder, written, file)]
    return name, [] if there else [common.problem("repaired", common.MOVED, name)]


def _annotated(file, rows):
    sizes = {(row[1].strip(), row[2].strip()) for row in rows}
    if len(sizes) > 1:
        raise common.Malformed(*SIZES)
    claims = sizes.pop()
    sides = [common.whole(v) for v in claims] if any(claims) else (None, None)
    objects = [_object(row) for row in rows if any(row[3:])]
    return common.Annotated(file, common.boxes(objects), *sides)


def _object(row):
    name, corners, score = unguarded(row[3]), row[4:8], row[8:]
    if not name or not all(corners):
        raise common.Malformed(*HALF)
    box = tuple(map(common.number, corners))
    scores = [common.number(v) for v in score if v]
    return common.Object(common.label(name), box, *scores)
