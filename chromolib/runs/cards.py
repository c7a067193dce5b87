"""What a study says of itself, and what its last run found."""

import nbformat
import pandas as pd

from chromolib.runs import folder, repository


def card(root, study):
    """The study card of a notebook with its newest complete run, as plain text."""
    first = (
        nbformat.read(repository.notebook(root, study), as_version=4).cells[0].source
    )
    lines = [line for line in first.splitlines() if line.startswith(("# ", "- **"))]
    text = "\n".join(
        line.lstrip("# -").replace("**", "").replace("`", "").replace("*", "")
        for line in lines
    )
    return f"{study}: {text}\n{_last(root, study)}"


def _last(root, study):
    runs = (root / "data" / "runs" / study).glob(f"*/{folder.MANIFEST}")
    found = [(folder.manifest(path.parent), path.parent) for path in runs]
    if not found:
        return f"Last run: none; chromolib run {study}"
    manifest, place = max(found, key=lambda pair: pair[0]["finished"])
    rows = pd.read_csv(place / "verdicts.csv", keep_default_na=False)
    words = [
        f"{n} {word}"
        for column in ("audit", "verdict")
        for word, n in _counts(rows[column])
    ]
    return (
        f"Last run: {manifest['finished']}, {manifest['parameters']['profile']}, "
        f"{manifest['seconds']} s; {', '.join(words)}"
    )


def _counts(column):
    return column.value_counts().items()
