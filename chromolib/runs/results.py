"""What a run leaves on disk: numbers, tables, and how they came about."""

import csv
import dataclasses
import datetime
import importlib.metadata
import itertools
import json
import re
import resource
import subprocess
import sys
import typing

import numpy as np

from chromolib import files, records

ROW = ("image", "group", "truth", "label", "probability", "uncertainty")
HEADS = {"conditions": "condition"}  # of a csv, where they differ from the record's
WORDS = tuple(HEADS.get(name, name) for name in records.WORDS)
ROW += ("refer", "assigned", "cell", *WORDS, "classes")
OF = "probability of "  # the column of a class
RISKY = re.compile(r"'*[=+\-@\t\r]")  # what a spreadsheet takes for a formula
UNKNOWN = ("probability", "uncertainty", "refer", "assigned")  # may be empty
BOOLS = {"true": True, "false": False}


class ResultsError(ValueError):
    """A file of results is damaged, or would be; the message names it and a remedy."""


def estimates(path, found):
    """Write estimates as a csv, one a row."""
    names = [field.name for field in dataclasses.fields(records.Estimate)]
    with (
        files.replacing(path) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow(HEADS.get(name, name) for name in names)
        for row in found:
            cells = flat({name: getattr(row, name) for name in names})
            writer.writerow(map(no_formula, cells.values()))


def read_estimates(path):
    """The estimates of a csv that `estimates` wrote, in its order."""
    types = typing.get_type_hints(records.Estimate)
    types = {HEADS.get(name, name): kind for name, kind in types.items()}
    types["condition"] = str
    made = []
    for number, row in _rows(path, types):
        try:
            values = {name: kind(row[name]) for name, kind in types.items()}
            made.append(records.Estimate(**_record(values)))
        except ValueError as error:
            raise _damaged(path, f"line {number}: {error}") from error
    return made


def predictions(path, found):
    """Write predictions of any models and protocols as one csv, a row an image.

    `probability` is that of the label, for a reader. Each class has a column of its
    own besides, two classes or 24, so that `read_predictions` gives back the same; the
    words (source, model, protocol, ...) and the classes stand in every row. The file
    appears whole or not at all.
    """
    found = list(found)
    _apart(path, found)
    names = dict.fromkeys(one for said in found for one in _probable(said))
    with (
        files.replacing(path) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        writer.writerow([*ROW, *(OF + one for one in names)])
        for row in itertools.chain.from_iterable(_said(s, names) for s in found):
            writer.writerow(map(no_formula, row))


def read_predictions(path):
    """The predictions that `predictions` wrote: one of each model and protocol.

    They come in the order of their first rows.
    """
    parts = {}
    for number, row in _rows(path, ROW):
        key = tuple(row[name] for name in (*WORDS, "classes"))
        parts.setdefault(key, []).append((number, row))
    return [_predicted(path, rows) for rows in parts.values()]


def table(path, frame):
    """Write a frame as a csv that is safe to open in a spreadsheet."""
    with files.replacing(path) as partial:
        frame.map(no_formula).to_csv(partial, index=False)


def manifest(folder, facts):
    """Write what is known of a run beside its results."""
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    files.write_text(folder / "manifest.json", text + "\n")


def now():
    """The time, as a manifest says it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def no_formula(cell):
    """A cell that no spreadsheet takes for a formula."""
    risky = isinstance(cell, str) and RISKY.match(cell)
    return f"'{cell}" if risky else cell


def as_written(cell):
    """What `no_formula` made safe, as it was."""
    return cell[1:] if cell[:1] == "'" and RISKY.match(cell) else cell


def peak_memory():
    """MiB this process has held at most."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20)


def commit(root):
    """The commit and whether files differ from it; None where there is no git.

    Results that earlier runs kept do not count: the next seed is as repeatable.
    """
    status = ("status", "--porcelain", "--", ":/", ":(top,exclude)data/results")
    try:
        head, changed = (
            subprocess.run(
                ["git", "-C", str(root), *words],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            for words in (("rev-parse", "HEAD"), status)
        )
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}
    return {"commit": head, "dirty": bool(changed)}


def versions():
    """Installed versions of chromolib and of all that it names."""
    names = [
        re.match(r"[\w.-]+", r)[0] for r in importlib.metadata.requires("chromolib")
    ]
    found = {}
    for name in ["chromolib", *names]:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # another platform's package
    return found


def _apart(path, found):
    """Refuse predictions that could not be told apart, or classes, when read."""
    known = set()
    for said in found:
        key = (*flat(said.words).values(), said.classes)
        if key in known:
            raise ResultsError(
                f"{path.name}: two predictions of {said.model!r}, {said.protocol!r} on "
                f"{said.source!r} carry the same words; tell them apart in `conditions`"
            )
        known.add(key)
        odd = [one for one in said.classes if "|" in one or not one]
        if odd:
            raise ResultsError(
                f"{path.name}: class {odd[0]!r} is empty or holds '|', which parts "
                "classes in the file; give it another name"
            )


def flat(fields):
    """Fields of a record as cells of a csv: the conditions as text."""
    text = records.write_conditions(fields["conditions"])
    cells = fields | {"conditions": text}
    return {HEADS.get(name, name): cell for name, cell in cells.items()}


def _record(cells):
    """Cells of a csv as fields of a record."""
    given = {k: v for k, v in cells.items() if k != "condition"}
    return given | {"conditions": records.read_conditions(cells["condition"])}


def _probable(said):
    return () if said.probability is None else said.classes


def _said(said, names):
    """The rows of one model: what is not known is empty."""
    columns = {name: getattr(said, name) for name in records.COLUMNS}
    by_class = {}
    if said.probability is not None:
        by_class = dict(zip(said.classes, said.probability.T, strict=True))
        place = [said.classes.index(one) for one in said.label]
        columns["probability"] = said.probability[np.arange(len(said)), place]
    columns |= flat(said.words) | {"classes": "|".join(said.classes)}
    size = len(said)
    listed = [columns[name] for name in ROW] + [by_class.get(one) for one in names]
    return zip(*(_cells(values, size) for values in listed), strict=True)


def _cells(values, size):
    if isinstance(values, np.ndarray):
        return values.tolist()
    return ["" if values is None else values] * size


def _rows(path, needed):
    """Line number and cells of each row; refuses a file that is none of ours."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            lost = [name for name in needed if name not in (reader.fieldnames or ())]
            if lost:
                raise _damaged(path, f"no column {', '.join(lost)}")
            return [(reader.line_num, _whole(path, reader, row)) for row in reader]
    except FileNotFoundError as error:
        raise ResultsError(f"no file {path.name}; run the study first") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise _damaged(path, f"it is no csv in UTF-8 ({error})") from error


def _whole(path, reader, row):
    if None in row or None in row.values():
        raise _damaged(
            path, f"line {reader.line_num} has not the {len(reader.fieldnames)} cells"
        )
    return {name: as_written(cell) for name, cell in row.items()}


def _damaged(path, reason):
    return ResultsError(f"{path.name}: {reason}; write the file again with `chromolib`")


def _predicted(path, rows):
    """The Predictions of the rows of one model and protocol."""
    number, first = rows[0]
    classes = tuple(first["classes"].split("|"))
    columns = {name: _column(path, rows, name) for name in records.COLUMNS}
    if columns["probability"]:
        columns["probability"] = np.transpose(
            [_column(path, rows, OF + one) for one in classes]
        )
    words = _record({name: first[name] for name in WORDS})
    try:
        words["seed"] = int(first["seed"])
        return records.Predictions(**columns, classes=classes, **words)
    except ValueError as error:
        raise _damaged(path, f"from line {number} on: {error}") from error


def _column(path, rows, name):
    """The values of one column; None where a model had none."""
    if name not in rows[0][1]:
        raise _damaged(path, f"no column {name}")
    kind = records.COLUMNS.get(name, float)
    cells = [row[name] for _, row in rows]
    if name in UNKNOWN and not any(cells):
        return None
    return [_value(path, line, kind, row[name], name) for line, row in rows]


def _value(path, line, kind, cell, name):
    try:
        return BOOLS[cell.lower()] if kind is bool else kind(cell)
    except (ValueError, KeyError) as error:
        wanted = "True or False" if kind is bool else "a number"
        raise _damaged(path, f"line {line}: {name} {cell!r} is not {wanted}") from error
