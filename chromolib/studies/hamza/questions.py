"""What the page asks of the trainings: tables and figures' contents.

`table(audits, estimates, kind)`, `plain(estimates, quantity)`, `elsewhere(estimates)`,
`leads(run, grid, …)`, `costs(grid)`, `without(run, split)`, `moved(run, model, …)`
"""

import itertools

import pandas as pd

from chromolib.evidence import claims, detections, metrics
from chromolib.studies.hamza import baselines, experiment, layout

STEMS = {  # of table 5.1
    "YOLO v5": "hamza-yolo",
    "Faster R-CNN": "hamza-frcnn",
    "R-FCN": "hamza-rfcn",
    "SSD": "hamza-ssd",
}
SCORES = {"recall": "recall", "precision": "precision", "F1": "f1"}
FOUND, NAMED = f"AP50 {detections.ANY}", "mAP"
PAGE = (NAMED, FOUND, "boxes an image")
COLUMNS = {"ours, published protocol": "published", "ours, clean": "clean"}


def table(audits, estimates, kind):
    """Table 5.1 beside ours: a row a network and score, by both protocols."""
    rows = []
    for model, stem in STEMS.items():
        for name, claim in SCORES.items():
            (audit,) = claims.pick(audits, f"{stem}-{claim}")
            ours = [one for one in plain(estimates, name, kind) if one.model == model]
            columns = {
                column: "\n".join(str(one) for one in ours if one.protocol == protocol)
                for column, protocol in COLUMNS.items()
            }
            rows.append(
                {"network": model, "score": name, "paper": audit.claim.value} | columns
            )
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


def elsewhere(estimates, kind, quantity=NAMED):
    """One quantity by where it was tested, for a figure with a row a test set."""
    found = [one for one in estimates if one.conditions.get("fields") == kind]
    sets = dict.fromkeys(one.conditions.get("tested") for one in found)
    return [one for name in sets for one in plain(found, quantity, kind, name)]


def tried(settings, scores):
    """A row of what was tried on the page: settings, then scores."""
    return settings | {name: str(scores[name]) for name in PAGE}


def leads(run, grid, kind, name):
    """By how much each family exceeds each other one, on the same images."""
    plain = [
        one
        for one in grid.answers
        if (one.task.kind, one.task.protocol) == (kind, name) and one.task.plain
    ]
    made = []
    for first, second in itertools.combinations(plain, 2):
        fields = grid.tests[first.task]["test"]
        words = run.label | {
            "source": fields.source,
            "protocol": name,
            "model": f"{first.task.model} - {second.task.model}",
            "weights": "none",
            "conditions": {"fields": kind, "labels": "true"},
        }
        found = (one.found["test"] for one in (first, second))
        how = {"group": fields.group, "words": words, "rng": run.rng("leads")}
        gaps = detections.differences(fields.truth, *found, **how)
        made.append(gaps[f"difference in {NAMED}"])
    return run.record_all(made)


def costs(grid):
    """What each training took, on the machine of the run."""
    return pd.DataFrame(
        [
            {
                "network": one.task.model,
                "fields": one.task.kind,
                "protocol": one.task.protocol,
                "learned from": one.task.fields,
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
        found = model.predict(experiment.seen(fields))
        how = {"group": fields.group, "words": own, "rng": run.rng(f"moved {name}")}
        scores = detections.estimates(fields.truth, found, **how)
        made += [scores[one] for one in PAGE]
    return run.record_all(made)
