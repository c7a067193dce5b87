"""What the page asks of the trainings: tables and figures' contents.

`learners(model, fields)`, `untaught(model, fields)`, `table(audits, estimates, kind)`,
`plain(estimates, quantity)`, `elsewhere(estimates)`,
`leads(run, grid, …)`, `gaps(estimates)`, `saved(estimates)`, `costs(grid, sizes)`,
`without(run, split)`, `moved(run, model, …)`, `varied(estimates, …)`,
`unlearned(run, test, found)`, `aims(estimates)`
"""

import dataclasses
import itertools

import numpy as np
import pandas as pd

from chromolib import records
from chromolib.detect import data, scores, targets
from chromolib.evidence import claims, detections, metrics
from chromolib.studies import headline
from chromolib.studies.hamza import (
    baselines,
    experiment,
    layout,
    naming,
    pretraining,
)


def _picks(model, protocol, tested="test"):
    """Recall of a family on what was tested, on karyograms or on all metaphases."""
    kinds = {"karyogram": experiment.THESIS, "metaphase": experiment.ALL}
    true = {"labels": "true", "tested": tested}
    return [
        ("recall", model, protocol, {"fields": kind, "learned from": fields} | true)
        for kind, fields in kinds.items()
    ]


HEADLINE = headline.Headline(
    claim="hamza-yolo-recall",
    score="chromosomes found with their right name",
    picks={
        headline.PUBLISHED: _picks("YOLO v5", "published"),
        headline.UNSEEN: _picks("YOLO v5", "published", "unseen"),
        headline.CLEAN: _picks("YOLO v5", "clean"),
        headline.BEST: [
            (
                *("recall", naming.MODEL, "clean"),
                {"fields": kind, "boxes": boxes, "named": naming.JOINTLY},
            )
            for kind in data.KINDS
            for boxes in (pretraining.SEEN, pretraining.MODEL, "YOLO v5")
        ],
    },
    meaning="In a karyogram the place of a chromosome is its name. In a metaphase it "
    "must be read, which a detector of the whole field sees too small: finding first "
    "and naming then goes much further.",
)
STEMS = {  # of table 5.1
    "YOLO v5": "hamza-yolo",
    "Faster R-CNN": "hamza-frcnn",
    "R-FCN": "hamza-rfcn",
    "SSD": "hamza-ssd",
}
SCORES = {"mAP": "", "AP50": "", "recall": "recall", "precision": "precision"}
SCORES |= {"F1": "f1", "boxes an image": ""}  # ours -> the claim's last word, if any
FOUND, NAMED = f"AP50 {detections.ANY}", "mAP"
PAGE = (NAMED, FOUND, "boxes an image")
COLUMNS = {
    "ours, published protocol": ("published", "test"),
    "the same network, unseen fields": ("published", "unseen"),
    "ours, clean": ("clean", "test"),
}


def table(audits, estimates, kind=None):
    """Table 5.1 beside ours: a row a network and score, by both protocols."""
    rows = []
    for model, stem in STEMS.items():
        for name, claim in SCORES.items():
            printed = claims.pick(audits, f"{stem}-{claim}") if claim else []
            columns = {"paper": "".join(one.claim.value for one in printed)}
            columns |= {
                column: "\n".join(
                    str(one)
                    for one in plain(estimates, name, kind, tested)
                    if (one.model, one.protocol) == (model, protocol)
                )
                for column, (protocol, tested) in COLUMNS.items()
            }
            if any(columns.values()):
                rows.append({"network": model, "score": name} | columns)
    frame = pd.DataFrame(rows)
    return frame.loc[:, (frame != "").any()]


def plain(estimates, quantity, kind=None, tested="test"):
    """One quantity of the trainings that the thesis' table is about."""
    wanted = {"learned from": experiment.THESIS, "labels": "true", "tested": tested}
    wanted |= {"fields": kind} if kind else {}
    return [
        one
        for one in estimates
        if one.quantity == quantity
        and wanted.items() <= one.conditions.items()
        and set(one.conditions) <= {*wanted, "fields", "seeds"}
    ]


def varied(estimates, quantity):
    """One quantity of a training changed in one setting, and of boxes suppressed at
    other overlaps; `conditions["setting"]` says which."""
    made = []
    for one in estimates:
        found = one.conditions
        if one.quantity != quantity or one.model != experiment.VARIED:
            continue
        changed = {word: found[key] for key, word in SETTINGS.items() if key in found}
        if not changed and found["tested"] in experiment.OVERLAPS:
            changed = {"suppressed at": experiment.OVERLAPS[found["tested"]]}
            found = found | {"tested": "test"}
        if found["tested"] != "test" or found["learned from"] != experiment.THESIS:
            continue
        if found["labels"] != "true" or one.protocol != "clean":
            continue
        setting = " ".join(f"{word} {value}" for word, value in changed.items())
        conditions = {"fields": found["fields"], "setting": setting or "as usual"}
        made.append(dataclasses.replace(one, conditions=conditions))
    return made


def unlearned(run, test, found):
    """How well segmentation finds the chromosomes of unseen fields."""
    words = run.label | {"source": test.source, "protocol": "clean", "weights": "none"}
    words |= {"model": baselines.SEGMENTED, "conditions": {"fields": test.kind}}
    how = {"group": test.group, "rng": run.rng("unlearned"), "words": words}
    unnamed = data.unnamed(test).truth
    scores = detections.estimates(unnamed, found, **how)
    names = FOUND, f"mAP {detections.ANY}", "recall", "precision", "every box found"
    return run.record_all(scores[one] for one in names if one in scores)


def aims(estimates):
    """What a laboratory asks of a finder of chromosomes: a row a finder and source.

    Of those that learned from all fields of a source, on its unseen ones.
    """
    rows = {}
    for one in estimates:
        finder, column = one.conditions.get("boxes", one.model), AIMS.get(_aim(one))
        if column:
            row = {"source": one.source, "boxes of": finder}
            rows.setdefault(tuple(row.values()), row)[column] = str(one)
    frame = pd.DataFrame(rows.values())
    known = [name for name in AIMS.values() if name in frame]
    return frame[["source", "boxes of", *known]] if len(frame) else frame


def _aim(one):
    """What an estimate of a full run is, if it is of such a finder; else None."""
    said = one.conditions
    if "named" in said:
        return f"{one.quantity}, cut out, {said['named']}"
    if one.model.startswith(pretraining.MODEL):
        short = said.get("looks", "") == str(pretraining.Sizes.looks)
        what = ODD if said.get("tested") == experiment.ODD else one.quantity
        return None if short else what
    if one.model == baselines.SEGMENTED:
        return one.quantity
    if said.get("learned from") == experiment.ALL and said["tested"] == experiment.ODD:
        return ODD
    plain = said.get("learned from") == experiment.ALL and said["tested"] == "test"
    return one.quantity if plain else None


ODD = "count right where it is not 46"
AIMS = {
    f"AP50 {detections.ANY}": "found, AP50",
    f"mAP {detections.ANY}": "found, mAP",
    "every box found": "every box found",
    ODD: ODD,
    "AP50": "named by the detector, AP50",
    "mAP": "named by the detector, mAP",
    f"mAP, cut out, {naming.ALONE}": "cut out and named, mAP",
    f"mAP, cut out, {naming.JOINTLY}": "named jointly, mAP",
}


def saved(estimates):
    """What detectors of any chromosome found, by what they had learned from before."""
    return [one for one in estimates if "before" in one.conditions]


def gaps(estimates):
    """By how much families differ, on the same images."""
    return [one for one in estimates if one.quantity == f"difference in {NAMED}"]


SETTINGS = {"rate": "rate", "batch": "images a step", "looks": "looks"}


def elsewhere(estimates, kind, quantity=NAMED):
    """One quantity by where it was tested, for a figure with a row a test set."""
    found = [one for one in estimates if one.conditions.get("fields") == kind]
    sets = dict.fromkeys(one.conditions.get("tested") for one in found)
    sets = [name for name in sets if name not in experiment.OVERLAPS]
    return [one for name in sets for one in plain(found, quantity, kind, name)]


def learners(model, fields):
    """The anchors of the first field that learn a chromosome, and its true boxes, as
    figures have both."""
    one = fields.take(slice(1))
    quality = targets.quality(model.anchors, one.boxes, one.labels)
    eligible = targets.overlap(quality, least=model.least)
    _, learns = targets.match(quality, eligible)
    anchors = np.clip(model.anchors[np.asarray(learns)[0]], 0, model.size)
    nameless = records.Boxes(anchors, np.full(len(anchors), ""))
    return {"right": nameless, "missed": one.truth[0]}


def untaught(model, fields):
    """What a detector loses on the first field, each part of its loss a column."""
    one = fields.take(slice(1))
    raw = model.raw(one.seen, None, training=False)
    losses = model.losses_of(raw, one.targets)
    return pd.DataFrame([{name: f"{float(lost):.2f}" for name, lost in losses.items()}])


def tried(settings, scores):
    """A row of what was tried on the page: settings, then scores."""
    return settings | {name: str(scores[name]) for name in PAGE}


def leads(run, grid, kind, name, learned_from=experiment.THESIS):
    """By how much each family exceeds each other one, on the same images."""
    made, learned = [], grid.of(kind, name, learned_from)
    for first, second in itertools.combinations(learned.values(), 2):
        fields = grid.tests[first.task]["test"]
        words = run.label | {
            "source": fields.source,
            "protocol": name,
            "model": f"{first.task.model} - {second.task.model}",
            "weights": "none",
            "conditions": {"fields": kind, "learned from": learned_from},
        }
        found = ((one.found["test"], one.once["test"]) for one in (first, second))
        how = {"group": fields.group, "words": words, "rng": run.rng("leads")}
        gaps = detections.differences(fields.truth, *found, **how)
        made.append(gaps[f"difference in {NAMED}"])
    return run.record_all(made)


def pictures(grid, kind, name):
    """Of each family an unseen field, and the same with few chromosomes left: title,
    image, and what became of the boxes that the table counts."""
    few, made = f"{experiment.FEW} chromosomes", []
    for family, answer in grid.of(kind, name).items():
        tests = grid.tests[answer.task]
        whole = "unseen" if "unseen" in tests else "test"
        for which in filter(tests.get, (whole, few)):
            found = answer.once[which][0]
            found = found.take(found.score >= detections.SCORE)
            fields = tests[which]
            told = scores.told(fields.truth[0], found)
            made.append((f"{family}, {fields.kind}", fields.seen[0], told))
    return made


def costs(grid, sizes):
    """What each training took, on the machine of the run."""
    return pd.DataFrame(
        [
            {
                "network": one.task.model,
                "trunk": experiment.trunk(one.task.model, sizes),
                "weights": "none",
                "fields": one.task.kind,
                "protocol": one.task.protocol,
                "learned from": one.task.fields,
                "looks": one.facts["looks"],
                "rate": one.facts["rate"],
                "parameters": one.facts["parameters"],
                "minutes": round(one.facts["seconds"] / 60, 2),
                "ms an image": round(one.facts["ms an image"], 1),
            }
            for one in grid.answers
        ]
    )


def without(run, split):
    """Accuracy of names without looking at a chromosome: by place, and by size."""
    words = run.label | {"protocol": split.protocol, "weights": "none"}
    kind, rng = split.test.kind, run.rng("without")
    sets = {"as they stand": split.test}
    if kind == "karyogram":
        sets["other places"] = layout.shuffled(split.test, seed=run.given("seed"))
    made = []
    for name, test in sets.items():
        own = words | {"conditions": {"fields": kind, "tested": name}}
        for said in (
            baselines.place(split.sources, test, **own),
            baselines.size(test, **own),
        ):
            made += metrics.measure(said, "accuracy", rng=rng).values()
    return run.record_all(made)


def moved(run, model, split, words):
    """A detector's scores on unseen fields, and on these with chromosomes moved."""
    sets, seed = {"as they stand": split.test}, run.given("seed")
    if split.test.kind == "karyogram":
        sets["other places"] = layout.shuffled(split.test, seed=seed)
        few = layout.fewer(split.test, count=experiment.FEW, seed=seed)
        sets[few.kind] = few
    made = []
    for name, fields in sets.items():
        own = words | {"conditions": {"tested": name}}
        found = model.predict(fields.seen)
        how = {"group": fields.group, "words": own, "rng": run.rng(f"moved {name}")}
        scores = detections.estimates(fields.truth, found, **how)
        made += [scores[one] for one in PAGE]
    return run.record_all(made)
