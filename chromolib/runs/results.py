"""What a run leaves on disk: numbers, tables, and how they came about."""

import csv
import dataclasses
import datetime
import importlib.metadata
import json
import re
import resource
import subprocess
import sys

from chromolib import records


def estimates(path, found):
    """Write estimates as a csv, one a row."""
    names = [field.name for field in dataclasses.fields(records.Estimate)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, names)
        writer.writeheader()
        rows = (dataclasses.asdict(estimate) for estimate in found)
        writer.writerows({k: no_formula(v) for k, v in row.items()} for row in rows)


def table(path, frame):
    """Write a frame as a csv that is safe to open in a spreadsheet."""
    frame.map(no_formula).to_csv(path, index=False)


def manifest(folder, facts):
    """Write what is known of a run beside its results."""
    text = json.dumps(facts, indent=1, ensure_ascii=False)
    (folder / "manifest.json").write_text(text + "\n", encoding="utf-8")


def now():
    """The time, as a manifest says it."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")


def no_formula(cell):
    """A cell that no spreadsheet takes for a formula."""
    risky = isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r")
    return f"'{cell}" if risky else cell


def peak_memory():
    """MiB this process has held at most."""
    unit = 1 if sys.platform == "darwin" else 1024  # bytes there, KiB elsewhere
    return round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20)


def commit(root):
    """The commit and whether files differ from it; None where there is no git."""
    try:
        head, status = (
            subprocess.run(
                ["git", "-C", str(root), *words],
                capture_output=True,
                text=True,
                check=True,
            ).stdout.strip()
            for words in (("rev-parse", "HEAD"), ("status", "--porcelain"))
        )
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}
    return {"commit": head, "dirty": bool(status)}


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
