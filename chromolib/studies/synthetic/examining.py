"""The exam of the synthetic lab, held and written down; what was finished is kept."""

import csv
import dataclasses
import hashlib
import json
import time

import numpy as np

from chromolib import files, records
from chromolib.data import cards
from chromolib.runs import identity, inputs, results
from chromolib.studies.synthetic import discriminator, exam

COLUMNS = ("exam", "way", "k", "seed", "answers")
LETTERS = np.array([chr(ord("A") + i) for i in range(len(records.CLASSES))])


def hold(root, real, synthetic, folder, *, final=False, workers=1, say=None, **words):
    """Every estimate of exam and discernment, with a manifest, in a folder.

    Each training's answers are kept in `answers.csv` at once; started again with the
    same images and networks, the exam goes on from there. `words` are for `exam.sit`.
    """
    started = time.monotonic()
    folder.mkdir(parents=True, exist_ok=True)
    card = cards.read(root / "data" / "cards", real.source)
    budget = words.pop("budget", None) or exam.Budget()
    which = stamp(root, real, synthetic, final, budget)
    path = folder / "answers.csv"

    def done(key, answers):
        keep(path, which, key, answers)
        if say:
            way, k, seed = key
            spent = time.monotonic() - started
            say(f"{real.source}: taught={way} k={k} seed={seed} after {spent:.0f} s")

    words |= {"budget": budget, "known": kept(path, which), "done": done}
    words |= {"final": final, "workers": workers}
    found = exam.sit(real, synthetic, upright=bool(card.get("upright")), **words)
    told = discriminator.tell(real, synthetic, final=final, workers=workers)
    results.estimates(folder / "estimates.csv", [*found, *told.estimates])
    facts = {
        "study": exam.STUDY,
        "finished": results.now(),
        "seconds": round(time.monotonic() - started, 1),
        "peak_memory_mib": results.peak_memory(),
        **results.commit(root),
        "versions": results.versions(),
        "budget": dataclasses.asdict(budget),
        "part": "test" if final else "valid",
        "images": inputs.facts({"source": real, "synthetic": synthetic}),
    }
    results.manifest(folder, facts)
    return [*found, *told.estimates]


def stamp(root, real, synthetic, final, budget):
    """What an answer depends on besides its way, k and seed, as a short hash."""
    rooms = (root / "chromolib" / room for room in ("models", "imaging"))
    code = sorted(path for room in rooms for path in room.rglob("*.py"))
    images = real.fingerprint, synthetic.fingerprint
    parts = [files.digest(code), *images, final, dataclasses.asdict(budget)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[: identity.LENGTH]


def keep(path, which, key, answers):
    """Add one training's answers, a letter for each chromosome asked about."""
    there = path.read_bytes() if path.exists() else b""
    with path.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        if not there:
            writer.writerow(COLUMNS)
        elif not there.endswith(b"\n"):  # stopped in the middle of a line
            file.write("\n")
        writer.writerow([which, *key, "".join(LETTERS[answers])])


def kept(path, which):
    """The answers of this very exam that were finished before, by way, k and seed."""
    if not path.exists():
        return {}
    csv.field_size_limit(1 << 24)
    with path.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["exam"] == which]
    return {
        (row["way"], int(row["k"]), int(row["seed"])): np.array(
            [ord(letter) - ord("A") for letter in row["answers"]]
        )
        for row in rows
        if row["answers"]
    }
