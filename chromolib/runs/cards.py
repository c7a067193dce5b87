"""A study's card: its notebook's first cell, and its last complete run."""

import pandas as pd

from chromolib.runs import folder, repository


def card(root, study):
    """The study card of a notebook with its newest complete run, as plain text."""
    first, *_ = repository.cells(repository.notebook(root, study))
    lines = first["source"].splitlines()
    lines = [line for line in lines if line.startswith(("# ", "- **"))]
    text = "\n".join(
        line.lstrip("# -").replace("**", "").replace("`", "").replace("*", "")
        for line in lines
    )
    return f"{study}: {text}\n{_last(root, study)}"


def _last(root, study):
    paths = (root / "data" / "runs" / study).glob(f"*/{folder.MANIFEST}")
    runs = [(folder.manifest(path.parent), path.parent) for path in paths]
    if not runs:
        return f"Last run: none; chromolib run {study}"
    manifest, place = max(runs, key=lambda run: run[0]["finished"])
    rows = pd.read_csv(place / "verdicts.csv", keep_default_na=False)
    words = [
        f"{count} {word}"
        for column in ("audit", "verdict")
        for word, count in rows[column].value_counts().items()
    ]
    return (
        f"Last run: {manifest['finished']}, {manifest['parameters']['profile']}, "
        f"{manifest['seconds']} s; {', '.join(words)}"
    )
