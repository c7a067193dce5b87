"""Karyograms whose numbers are right, in some of which a chromosome has another form.

`karyograms(run, known, count)` -> ImageSet with kind, class and arm, or None
`seen(run, said, details)` -> Estimates: what each model sees of them, by kind and arm

Networks and rivals learned from wrong numbers; here a stretch is lost, there twice, the
wrong way round, or of another chromosome. A stretch that was cut and joined again, or
taken from the homologue, is a sham and counts as normal.
"""

import dataclasses
import re

import numpy as np

from chromolib import records, streams
from chromolib.cyto import bands
from chromolib.data import compose, edits
from chromolib.evidence import metrics
from chromolib.studies.chu import contest, data, rivals
from chromolib.synth import cases, lab, labelled, sets

PART = "another form"  # the karyograms, among others that models are asked of
FORM = "form"  # the condition of what is seen
KINDS = {"del": "deletion", "dup": "duplication", "inv": "inversion", "t": "exchange"}
WORDS = KINDS | {one: f"{one}, a sham" for one in edits.SHAMS} | {"none": "no change"}
ARMS = {"p": "in the short arm", "q": "in the long arm", "": ""}
DRAWN = 3000  # added to the seed: other patients than those of drawn karyograms
LEVEL = 550  # bands of the ideogram; where the centromere lies differs little
ARM = re.compile(r"\([\w;]+\)\(([pq])")  # of the first break of del(5)(p14)


def karyograms(run, known, count):
    """Of groups that train nothing: drawn ones, or cells of the source edited; None of
    a source that has no single chromosomes."""
    if run.images is None:
        return _drawn(count, run.given("seed") + DRAWN)
    if not set(run.images.label) & set(records.CLASSES):
        return None
    laid = labelled.straight(run.images)
    laid = laid.take(~np.isin(laid.group, list(set(known.group))))
    made = edits.rearranged(laid, rng=run.rng("forms"))
    words = (made.extra[name] for name in ("class", "kind", "rows"))
    arm = [_arm(*one) for one in zip(*words, strict=True)]
    return dataclasses.replace(made, extra=made.extra | {"arm": np.array(arm)})


def _drawn(count, seed):
    """Cells of the lab, every second one with one of `KINDS`, as ISCN names its arm."""
    cells, kinds = [], []
    for patient in range(count):
        rng = streams.stream(seed, f"form {patient}")  # not the one of its look
        kind = edits.UNTOUCHED if patient % 2 else [*KINDS][patient // 2 % len(KINDS)]
        sex = "XX" if rng.random() < 0.5 else "XY"
        text = f"46,{sex}" if patient % 2 else cases.KINDS[kind](rng, sex)
        cells.append(lab.cell(text, seed=seed, patient=patient))
        kinds.append(kind)
    made = sets.karyograms(cells, size=data.SIDE, room=compose.ROOM)
    breaks = [ARM.search(text) for text in made.extra["iscn"]]
    arm = np.array([found[1] if found else "" for found in breaks])
    label = np.where(np.array(kinds) == edits.UNTOUCHED, *data.LABELS)
    extra = made.extra | {"kind": np.array(kinds), "arm": arm}
    return dataclasses.replace(made, label=label, extra=extra)


def _arm(label, kind, rows):
    """The arm in which the middle of the edited rows lies; of no edit none."""
    if kind not in KINDS:
        return ""
    ideogram = bands.read(LEVEL)[str(label)]
    middle = np.mean([float(one) for one in rows.split(":")])
    return "p" if middle < ideogram.centromere / ideogram.length else "q"


def seen(run, said, details):
    """How well each model tells these from normal ones, at all and by kind and arm."""
    rng, made = run.rng("forms seen"), []
    for one in said:
        made += metrics.measure(one, contest.BETTER, rng=rng).values()
        for name, words in {"kind": WORDS, "arm": ARMS}.items():
            values = np.array([words[value] for value in details.extra[name]])
            made += rivals.by(one, values, FORM, rng=rng)
    return run.record_all(made)
