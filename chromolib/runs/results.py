"""What a run leaves on disk: numbers, tables, and how they came about."""

import contextlib
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
import time
import typing

import numpy as np

from chromolib import files, records

FIELDS = [field.name for field in dataclasses.fields(records.Estimate)]
ROW = ("image", "group", "truth", "label", "probability", "uncertainty")
HEADS = {"conditions": "condition"}  # of a csv, where they differ from the record's
WORDS = tuple(HEADS.get(name, name) for name in records.WORDS)
ROW += ("refer", "assigned", "cell", *WORDS, "classes")
OF = "probability of "  # the column of a class
OPTIONAL = ("probability", "uncertainty", "refer", "assigned")  # may be empty
BOOLS = {"true": True, "false": False}
UNFINISHED = (f":(top,exclude,glob)**/.*.partial{end}" for end in ("*", "*/**"))
BESIDE = ":(top,exclude)data/results", *UNFINISHED  # of which no run is made


class ResultsError(ValueError):
    """A file of results is damaged, or would be; the message names it and a remedy."""


def estimates(path, items, *, beside=()):
    """Write estimates as a csv, one a row, behind the cells `beside` it if any."""
    beside = beside or [{}] * len(items)
    heads = [*beside[0]] if items else []
    heads += [HEADS.get(name, name) for name in FIELDS]
    rows = ({name: getattr(item, name) for name in FIELDS} for item in items)
    cells = (flat(row).values() for row in rows)
    both = zip(beside, cells, strict=True)
    _write(path, heads, ([*before.values(), *after] for before, after in both))


def read_estimates(path):
    """The estimates of a csv that `estimates` wrote, in its order."""
    types = typing.get_type_hints(records.Estimate)
    types = {HEADS.get(name, name): kind for name, kind in types.items()}
    types["condition"] = str
    items = []
    for number, row in _rows(path, types):
        try:
            values = {name: kind(row[name]) for name, kind in types.items()}
            items.append(records.Estimate(**_record(values)))
        except ValueError as error:
            raise _damaged(path, f"line {number}: {error}") from error
    return items


def predictions(path, items):
    """Write predictions of any models and protocols as one csv, a row an image.

    `probability` is that of the label, for a reader. Each class has a column of its
    own besides, two classes or 24, so that `read_predictions` gives back the same; the
    words (source, model, protocol, ...) and the classes stand in every row. The file
    appears whole or not at all.
    """
    items = list(items)
    _check_distinct(path, items)
    classes = list(dict.fromkeys(name for item in items for name in _scored(item)))
    rows = itertools.chain.from_iterable(_lines(item, classes) for item in items)
    _write(path, [*ROW, *(OF + name for name in classes)], rows)


def read_predictions(path):
    """The predictions that `predictions` wrote: one of each model and protocol.

    They come in the order of their first rows.
    """
    groups = {}
    for number, row in _rows(path, ROW):
        key = tuple(row[name] for name in (*WORDS, "classes"))
        groups.setdefault(key, []).append((number, row))
    return [_predictions(path, rows) for rows in groups.values()]


def _write(path, heads, rows):
    with (
        files.replacing(path) as partial,
        partial.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.writer(file)
        rows = itertools.chain([heads], rows)
        writer.writerows(map(files.guarded, row) for row in rows)


def table(path, frame):
    """Write a frame as a csv that is safe to open in a spreadsheet."""
    safe = frame.map(files.guarded).rename(columns=files.guarded)
    with files.replacing(path) as partial:
        safe.to_csv(partial, index=False)


def manifest(folder, facts):
    """Write the facts about a run beside its results."""
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    files.write_text(folder / "manifest.json", text + "\n")


def provenance(root, started):
    """How results came about, for a manifest; `started` is of the monotonic clock."""
    now = datetime.datetime.now(datetime.UTC)
    return {
        "finished": now.isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - started, 1),
        "peak_memory_mib": _peak_memory(),
        **commit(root),
        "versions": versions(),
    }


def _peak_memory():
    """MiB of memory that this process has taken at most."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20)


def commit(root):
    """The commit and whether files differ from it; None where there is no git.

    Results that earlier runs kept do not count, nor what an unfinished run writes, with
    a folder of its own in the repository: each is as repeatable.
    """
    status = ("status", "--porcelain", "--untracked-files=all", "--", ":/", *BESIDE)
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
    installed = {}
    for name in ["chromolib", *names]:
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            installed[name] = importlib.metadata.version(
                name
            )  # else another platform's
    return installed


def _check_distinct(path, items):
    """Refuse predictions, or classes, that could not be told apart when read."""
    seen = set()
    for item in items:
        key = (*flat(item.words).values(), item.classes)
        if key in seen:
            raise ResultsError(
                f"{path.name}: two predictions of {item.model!r}, {item.protocol!r} on "
                f"{item.source!r} carry the same words; tell them apart in `conditions`"
            )
        seen.add(key)
        odd = [name for name in item.classes if "|" in name or not name]
        if odd:
            raise ResultsError(
                f"{path.name}: class {odd[0]!r} is empty or holds '|', which separates "
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


def _scored(item):
    """The classes that predictions give a probability of."""
    return () if item.probability is None else item.classes


def _lines(item, classes):
    """The rows of one model's predictions: what it does not say is empty."""
    columns = {name: getattr(item, name) for name in records.COLUMNS}
    by_class = {}
    if item.probability is not None:
        by_class = dict(zip(item.classes, item.probability.T, strict=True))
        place = [item.classes.index(label) for label in item.label]
        columns["probability"] = item.probability[np.arange(len(item)), place]
    columns |= flat(item.words) | {"classes": "|".join(item.classes)}
    listed = [columns[name] for name in ROW] + [by_class.get(name) for name in classes]
    return zip(*(_cells(values, len(item)) for values in listed), strict=True)


def _cells(values, size):
    if isinstance(values, np.ndarray):
        return values.tolist()
    return ["" if values is None else values] * size


def _rows(path, needed):
    """Line number and cells of each row; refuses a file that is not ours."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            reader.fieldnames = [*map(files.unguarded, reader.fieldnames or ())]
            absent = [name for name in needed if name not in reader.fieldnames]
            if absent:
                raise _damaged(path, f"no column {', '.join(absent)}")
            return [(reader.line_num, _complete(path, reader, row)) for row in reader]
    except FileNotFoundError as error:
        raise ResultsError(f"no file {path.name}; run the study first") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise _damaged(path, f"it is not a csv in UTF-8 ({error})") from error


def _complete(path, reader, row):
    if None in row or None in row.values():
        cells = f"line {reader.line_num} does not have {len(reader.fieldnames)} cells"
        raise _damaged(path, cells)
    return {name: files.unguarded(cell) for name, cell in row.items()}


def _damaged(path, reason):
    return ResultsError(f"{path.name}: {reason}; write the file again with `chromolib`")


def _predictions(path, rows):
    """The Predictions of the rows of one model and protocol."""
    number, first = rows[0]
    classes = tuple(first["classes"].split("|"))
    columns = {name: _column(path, rows, name) for name in records.COLUMNS}
    if columns["probability"]:
        columns["probability"] = np.transpose(
            [_column(path, rows, OF + name) for name in classes]
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
    if name in OPTIONAL and not any(cells):
        return None
    return [_value(path, line, kind, row[name], name) for line, row in rows]


def _value(path, line, kind, cell, name):
    try:
        return BOOLS[cell.lower()] if kind is bool else kind(cell)
    except (ValueError, KeyError) as error:
        wanted = "True or False" if kind is bool else "a number"
        raise _damaged(path, f"line {line}: {name} {cell!r} is not {wanted}") from error
