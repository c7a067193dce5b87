"""Many metaphases, one after the other: what is done stays, what fails is named.

`run(items, out, namer)` -> Summary; in `out` a karyogram and a json an image,
`karyotypes.csv`, `cases.csv`, `report.html` and `karyotype.log`

# Strategy: the json of an image is written last, with a hash of all that its answer
# depends on. An image whose json has that hash is done. Tables and report are made anew
# from the files, so that one picture at a time is in memory.
"""

import dataclasses
import datetime
import hashlib
import json
import pathlib

import numpy as np
import pandas as pd
import PIL.Image

import chromolib
from chromolib import files
from chromolib.data import decode, store
from chromolib.karyotype import boxes as annotations
from chromolib.karyotype import cases, fields, finding, naming, report, results

TABLES, REPORT = ("karyotypes.csv", "cases.csv"), "report.html"
LOG = "karyotype.log"  # from a run's first moment: a folder with one is ours
ANSWERS = 3  # counts up when other answers come of the same input


@dataclasses.dataclass(frozen=True)
class Summary:
    """How many images were done now and before, and which were refused."""

    done: int
    before: int
    left: int  # not among the best of their case
    refused: tuple  # fields.Refused
    report: pathlib.Path


def run(
    items,
    out,
    namer,
    *,
    drawn=None,
    finder=None,
    rename=False,
    best=0,
    sure=naming.SURE,
    progress=lambda done, of: None,
):
    """Every picture to its karyotype; with `best`, so many of each case."""
    out = fields.writable(out)
    how = {"finder": finder, "rename": rename, "sure": sure}
    refused, names, counted = _unreadable(items), [], {"done": 0, "before": 0}
    left = 0
    _refuse_foreign(out, items)
    try:
        _log(out, f"{len(items):,} pictures")
        chosen = items
        if best:
            chosen, failed = chosen_of(items, drawn, finder, best)
            left = len(items) - len(chosen) - len(failed)
            refused += failed
        for number, item in enumerate(chosen):
            progress(number, len(chosen))
            try:
                word, line = _one(item, out, namer, drawn, how)
                names.append(item)
                counted[word] += 1
            except fields.Refused as failure:
                refused.append(failure)
                line = f"{failure}"
            _log(out, f"{item.key}: {line}")
        progress(len(chosen), len(chosen))
        page = _written(out, names, refused, left)
    except OSError as failure:
        raise fields.OutError(
            f"{out.name} cannot be written: {failure.strerror or failure}; what is "
            "done is kept, and the same command goes on"
        ) from None
    return Summary(**counted, left=left, refused=tuple(refused), report=page)


def _refuse_foreign(out, items):
    """Refuse to replace what no run has left."""
    ours, names = (out / LOG).exists(), [*TABLES, REPORT]
    made = [f"{item.name}{ending}" for item in items for ending in (".json", ".png")]
    if ours:
        names, made = [], [one for one in made if _foreign(out / one)]
    for name in (*names, *made):
        if (out / name).exists():
            raise fields.FieldsError(
                f"{store.shown(name)} in {out.name} was not made by this command, "
                "which would replace it; name another folder: --out"
            )


def _foreign(path):
    """Whether a json is whole and of something else."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return path.suffix == ".json" and "made" not in held


def _unreadable(items):
    """Pictures that their folder or zip cannot give."""
    problems = {one for item in items for one in item.files.problems}
    return [
        fields.Refused(one.file, one.reason, one.remedy)
        for one in sorted(problems)
        if one.level == "error" and decode.is_image(one.file)
    ]


def chosen_of(items, drawn, finder, best):
    """The best metaphases of each case, before anything is named, and what is none."""
    seen, refused = {}, []
    for item in items:
        try:
            field, given = _read(item, drawn)
            found = results.find(field, given, finder).alone
            seen.setdefault(item.case, []).append((item, finding.quality(found)))
        except fields.Refused as failure:
            refused.append(failure)
    chosen = set()
    for rows in seen.values():
        order = finding.ranked([quality for _, quality in rows])
        chosen |= {rows[i][0].name for i in order[:best]}
    return [item for item in items if item.name in chosen], refused


def _read(item, drawn):
    """The field, and the boxes that were given for it, if any."""
    field = fields.read(item)
    return field, None if drawn is None else annotations.fitted(drawn, field)


def _one(item, out, namer, drawn, how):
    """One image done, or found done; what the log says of it."""
    field, given = _read(item, drawn)
    key = _key(field, namer, given, how)
    target = out / f"{item.name}.json"
    if _held(target).get("made", {}).get("key") == key:
        return "before", "done before"
    result, picture = results.karyotype(field, namer, boxes=given, **how)
    result["made"]["key"] = key
    target.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(out / f"{item.name}.png") as partial:
        PIL.Image.fromarray(picture).save(partial)
    text = json.dumps(result, indent=1, ensure_ascii=False, allow_nan=False)
    files.write_text(target, text + "\n")
    words = result["karyotype"] or "no karyotype"
    refer = f", look: {result['reason']}" if result["refer"] else ""
    return "done", f"{words}, {result['made']['seconds']} s{refer}"


def _key(field, namer, given, how):
    """A hash of all that an answer depends on."""
    drawn = "" if given is None else _drawn(given)
    finder = how["finder"] and how["finder"][1]["sha256"]
    how = sorted((how | {"finder": finder}).items())
    parts = ANSWERS, chromolib.__version__, field.item.case, drawn, how
    text = f"{field.sha256} {namer.facts['sha256']} {parts!r}"
    return hashlib.sha256(text.encode()).hexdigest()


def _drawn(boxes):
    """All that is known of boxes that were given."""
    outlines = [
        one if one is None else np.asarray(one).tolist() for one in boxes.polygon
    ]
    return *(one.tolist() for one in (boxes.xyxy, boxes.label, boxes.score)), outlines


def _held(path):
    """What a json holds; nothing where there is none that can be read."""
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        whole = path.with_suffix(".png").exists()
    except (OSError, ValueError):
        return {}
    ours = isinstance(held, dict) and isinstance(held.get("made"), dict)
    return held if whole and ours else {}


def _written(out, items, refused, left):
    """The tables and the report, from the files of all images."""
    short = [_short(out / f"{item.name}.json") for item in items]
    rows = [results.row(one) for one in short]
    rows += [
        results.row({"image": one.file, "error": f"{one.reason}; {one.remedy}"})
        for one in refused
    ]
    _table(out / TABLES[0], pd.DataFrame(rows, columns=list(results.COLUMNS)))
    by_case = cases.consensus(short)
    if len(by_case):
        _table(out / TABLES[1], by_case)
    return report.write(out, items, short, by_case, refused, left)


def _short(path):
    """A result without its chromosomes, of which a thousand images have many."""
    result = json.loads(path.read_text(encoding="utf-8"))
    return {key: value for key, value in result.items() if key != "chromosomes"}


def _table(path, frame):
    guarded = frame.map(files.guarded)
    files.write_text(path, guarded.to_csv(index=False, lineterminator="\n"))


def _log(out, line):
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    with (out / LOG).open("a", encoding="utf-8") as log:
        log.write(f"{now} {line}\n")
