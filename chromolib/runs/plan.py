"""A table of runs, `plan.csv`: a row a run, a column a parameter; empty is the default.

`write(path, root, items)` adds rows; `read(path, root)` -> rows, checked, by line
`dry(root, rows)` -> what is there, and how long the rest may take
"""

import csv
import dataclasses
import pathlib
import statistics

from chromolib import files
from chromolib.runs import execute, folder, parameters, published, repository

STUDY = "study"
KNOWN = RuntimeError, ValueError  # what is wrong with one row


class PlanError(ValueError):
    """A plan that cannot be carried out; the message names the line."""


@dataclasses.dataclass(frozen=True)
class Row:
    """One run of a plan."""

    number: int  # from 1: what a batch array counts
    line: int  # of the file
    study: str
    given: dict  # name -> text, as the plan has it
    resolved: dict  # the values of all parameters

    @property
    def label(self):
        """Its number and its study."""
        return f"row {self.number}, {self.study}"


def write(path, root, items):
    """Add (study, given) pairs to a plan, or begin one; gives all of its rows."""
    older = read(path, root) if path.exists() else []
    taken = {_key(row.study, row.resolved) for row in older}
    pairs = [(row.study, row.given) for row in older]
    for study, given in items:
        key = _key(study, _resolved(root, study, given))
        if key not in taken:
            taken.add(key)
            pairs.append((study, given))
    names = list(dict.fromkeys(name for _, given in pairs for name in given))
    try:
        with (
            files.replacing(path) as partial,
            partial.open("w", encoding="utf-8", newline="") as file,
        ):
            writer = csv.writer(file)
            writer.writerow([STUDY, *names])
            for study, given in pairs:
                cells = [study, *(given.get(name, "") for name in names)]
                writer.writerow(map(files.guarded, cells))
    except OSError as error:
        raise PlanError(f"{path.name} cannot be written: {error.strerror}") from None
    return read(path, root)


def grid(root, studies, settings):
    """(study, given) of every combination of `name=a,b` settings, for each study."""
    pairs = []
    for study in studies:
        defaults = parameters.known(repository.notebook(root, study))
        names = [setting.partition("=")[0] for setting in settings]
        points = parameters.grid(defaults, settings, study=study)
        pairs += [
            (study, {name: str(point[name]) for name in names}) for point in points
        ]
    return pairs


def numbered(path, rows, number):
    """The row of that number."""
    if number > len(rows):
        raise PlanError(f"{path.name} has no row {number}; its last is {len(rows)}")
    return rows[number - 1]


def read(path, root):
    """The rows of a plan, every one checked before the first is run."""
    heads, lines = _lines(path)
    rows, first = [], {}
    for line, cells in lines:
        place = f"{path.name}, line {line}"
        if len(cells) != len(heads):
            raise PlanError(f"{place}: {len(cells)} cells, but {len(heads)} columns")
        given = {name: cell for name, cell in zip(heads, cells, strict=True) if cell}
        study = given.pop(STUDY, "")
        try:
            values = _resolved(root, study, given)
        except KNOWN as error:
            raise PlanError(f"{place}: {error}") from None
        for key in _keys(study, values):
            if key in first:
                raise PlanError(f"{place}: the same run as line {first[key]}; drop one")
            first[key] = line
        rows.append(Row(len(rows) + 1, line, study, given, values))
    if not rows:
        raise PlanError(f"{path.name} has no rows; `run … --plan` writes some")
    return rows


def dry(root, rows):
    """A row a run: whether it is there, and the minutes it may take; then the sum."""
    past = {study: _past(root, study) for study in {row.study for row in rows}}
    return [
        {
            "row": row.number,
            STUDY: row.study,
            **row.given,
            "state": _state(root, row),
            "minutes": _minutes(past[row.study], row.resolved),
        }
        for row in rows
    ]


def _lines(path):
    """The heads, and (line, cells) of what follows; blank lines are none."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, strict=True)
            lines = [
                (reader.line_num, [files.unguarded(cell.strip()) for cell in cells])
                for cells in reader
                if any(cell.strip() for cell in cells)
            ]
    except OSError as error:
        raise PlanError(
            f"{path.name} cannot be read: {error.strerror}; `run … --plan` writes one"
        ) from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise PlanError(f"{path.name} is no csv in UTF-8: {error}") from None
    heads = lines[0][1] if lines else []
    if STUDY not in heads or "" in heads or len(set(heads)) < len(heads):
        raise PlanError(
            f"{path.name}, line 1: give each column one name, {STUDY!r} among them"
        )
    return heads, lines[1:]


def _resolved(root, study, given):
    """The values of a run; paths are those of the working directory."""
    defaults = parameters.known(repository.notebook(root, study))
    values = parameters.resolve(defaults, given, study=study)
    return values | {
        name: str(pathlib.Path(value).expanduser().absolute())
        for name, value in values.items()
        if parameters.is_path(name, value)
    }


def _key(study, values):
    return study, *sorted(values.items())


def _keys(study, values):
    """What no two rows may share: all values, and a folder of their own."""
    return [_key(study, values), *([values["out"]] if values.get("out") else [])]


def _state(root, row):
    if execute.find(root, row.study, row.resolved):
        return "complete"
    claimed = folder.is_claimed(execute.place(root, row.study, row.resolved))
    return "in work" if claimed else "missing"


def _past(root, study):
    """The manifests of finished runs of a study: its own, and those kept."""
    kept = (root / published.PLACE / study).glob(f"*/*/*/{folder.MANIFEST}")
    own = (root / "data" / "runs" / study).glob(f"*/{folder.MANIFEST}")
    found = [folder.manifest(path.parent) for path in (*own, *kept)]
    return [manifest for manifest in found if manifest]


def _minutes(past, values):
    """The median of the runs most like this one; None where nothing is known."""
    for names in (
        ("profile", "source", "protocol"),
        ("profile", "source"),
        ("profile",),
    ):
        seconds = [
            manifest["seconds"]
            for manifest in past
            if not manifest.get("resumed")
            and all(manifest["parameters"].get(n) == values.get(n) for n in names)
        ]
        if seconds:
            return statistics.median(seconds) / 60
    return None
