"""A person's marks on images: a csv that is written whole, and how two persons agree.

`read(path)` -> the marks, one row an image and reviewer
`keep(path, rows, names)` what a view sends
`agreement(marks, first, second, group=, rng=)` -> kappa with its interval
"""

import pathlib

import numpy as np
import pandas as pd
from sklearn import metrics

from chromolib import files

COLUMNS = ["image", "reviewer", "mark", "comment"]
WORDS = ("agree", "wrong", "unsure")
DRAWS = 1000


class ReviewError(ValueError):
    """Marks that cannot be read or kept."""


def read(path):
    """The marks of a file, checked; none where there is no file yet."""
    path = pathlib.Path(path)
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    try:
        marks = pd.read_csv(path, dtype=str, keep_default_na=False)
    except (OSError, UnicodeDecodeError, pd.errors.ParserError) as error:
        raise ReviewError(f"{path.name} cannot be read: {error}") from None
    except pd.errors.EmptyDataError:
        marks = pd.DataFrame()
    marks = marks.map(files.unguarded)
    if lacking := [name for name in COLUMNS[:3] if name not in marks]:
        raise ReviewError(
            f"{path.name} has no column {', '.join(lacking)}; save marks as csv from "
            "the inspector, or move this file away"
        )
    if odd := set(marks["mark"]) - {*WORDS, ""}:
        raise ReviewError(
            f"{path.name}: mark {min(odd)!r} is none of {', '.join(WORDS)}"
        )
    return marks.reindex(columns=COLUMNS, fill_value="")


def of_set(path, names):
    """Reviewer -> image -> mark and comment; marks of another set are refused."""
    marks, told = read(path), {}
    if strange := sorted(set(marks["image"]) - set(names)):
        raise ReviewError(
            f"{pathlib.Path(path).name}: image {strange[0]!r} is not in this set; "
            "these are marks of another one: give marks= another file"
        )
    for image, reviewer, mark, comment in marks[COLUMNS].itertuples(index=False):
        own = told.setdefault(reviewer, {})
        own[image] = {"mark": mark, "comment": comment}
    return told


def keep(path, rows, names):
    """Write marks that a view sends into a file; one without word and comment goes."""
    if path is None:
        raise ReviewError("nobody said where: give marks='marks.csv' and run again")
    given = pd.DataFrame(
        [[str(row.get(name) or "") for name in COLUMNS] for row in rows],
        columns=COLUMNS,
    )
    if odd := sorted(set(given["image"]) - set(names)):
        raise ReviewError(f"image {odd[0]!r} is not in this set")
    marks = pd.concat([read(path), given])
    marks = marks.drop_duplicates(["image", "reviewer"], keep="last")
    marks = marks[(marks["mark"] != "") | (marks["comment"] != "")]
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    files.write_text(path, marks.map(files.guarded).to_csv(index=False))


def agreement(marks, first, second, *, group=None, rng):
    """Cohen's kappa of two reviewers on what both marked: (value, low, high, n).

    `group` is the unit of independence of each image, by name; the image unless given.
    """
    pairs = marks[marks["mark"] != ""].pivot_table(
        index="image", columns="reviewer", values="mark", aggfunc="last"
    )
    if lacking := [name for name in (first, second) if name not in pairs]:
        raise ReviewError(f"no mark is of reviewer {lacking[0]!r}")
    pairs = pairs[[first, second]].dropna()
    if not len(pairs):
        raise ReviewError(f"no image was marked by both {first!r} and {second!r}")
    owners = pairs.index if group is None else [group[name] for name in pairs.index]
    _, codes = np.unique(np.asarray(owners, str), return_inverse=True)
    members = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
    words = pairs.to_numpy(str)
    drawn = []
    for _ in range(DRAWS):
        picks = rng.integers(len(members), size=len(members))
        drawn.append(_kappa(words[np.concatenate([members[k] for k in picks])]))
    value, spread = _kappa(words), np.nan_to_num(drawn, nan=1.0)
    low, high = np.quantile(spread, [0.025, 0.975])
    return value, float(min(low, value)), float(max(high, value)), len(words)


def _kappa(words):
    """Kappa; 1 where both always say one and the same word."""
    if len(np.unique(words)) == 1:
        return 1.0
    return float(metrics.cohen_kappa_score(*words.T))
