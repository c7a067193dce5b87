"""The rivals and the thesis' networks on the same unseen karyograms.

`run(run, karyograms, grid, *, sizes)` -> Contest: what each rival says, and estimates
`seen(contest, grid, karyograms)` -> Estimates: what each can see at all, by kind

What the rivals say is kept in the run's folder as soon as it is said.
"""

import dataclasses
import io

import numpy as np
import pandas as pd

from chromolib.evidence import between, metrics, referral
from chromolib.models import predict
from chromolib.runs import rows
from chromolib.studies.chu import (
    confidence,
    experiment,
    layout,
    naming,
    protocol,
    rivals,
)

BETTER = "AUROC of abnormal"
PARTS = "test", "natural"


@dataclasses.dataclass(frozen=True, eq=False)
class Contest:
    """What each rival says of unseen karyograms, and of real ones with a copy more."""

    said: list  # of records.Predictions, on the clean split's test images
    natural: list  # likewise; empty where no real cell has a copy too many
    cost: dict  # rival -> seconds to learn, parameters
    reports: pd.DataFrame  # a row an unseen karyogram: what it holds
    estimates: list  # of records.Estimate
    also: dict  # part -> likewise, of any other karyograms that were asked
    reason: str = ""  # why there are none


def run(run, karyograms, grid, *, sizes, share=1.0, also=None):
    """Train the rivals on the clean split and hold them against every network; they
    are asked of parts of other karyograms `also`."""
    seed = run.given("seed")
    split = protocol.divide(karyograms, "clean", seed=seed, share=share)
    parts = {"validation": split.validation, "test": split.test}
    parts |= {"natural": karyograms.natural} | (also or {})
    parts = {name: part for name, part in parts.items() if part is not None}
    file = run.folder / "rows" / "rivals.npz"
    try:
        arrays = rows.read(file, parts, sizes)
        if arrays is None:
            how = {"sizes": sizes, "seed": seed}
            arrays = _learned(file, split, karyograms.known, parts, **how)
    except layout.LayoutError as failure:
        return Contest([], [], {}, pd.DataFrame(), [], {}, f"No rival here: {failure}.")
    words = run.label | {"source": karyograms.source, "weights": "none"}
    words |= {"protocol": "clean"}
    said = {
        part: [
            predict.predictions(
                images,
                arrays[f"{part} {i}"],
                **words,
                model=str(name),
                conditions={"labels": "true"}
                | ({} if part == "test" else {"tested": part}),
            )
            for i, name in enumerate(arrays["names"])
        ]
        for part, images in parts.items()
    }
    cost = dict(zip(arrays["names"].tolist(), arrays["cost"].tolist(), strict=True))
    held, test, natural = (said.get(part, []) for part in ("validation", *PARTS))
    reports = pd.read_json(io.StringIO(str(arrays["reports"])), dtype=str)
    estimates = _scores(test + natural, run.rng("rivals"))
    estimates += _leads(test, grid, run.rng("rivals lead"))
    estimates += _referred(test, held, run.rng("rivals refer"))
    for one in test:
        if one.model == naming.NAME:
            reports.insert(0, "truth", rivals.truth(one, karyograms.details))
            estimates += rivals.named(one, reports, rng=run.rng("rivals name"))
    also = {part: said[part] for part in also or {}}
    return Contest(test, natural, cost, reports, run.record_all(estimates), also)


def seen(run, contest, grid, karyograms):
    """What each rival and each network can see at all: by kind and by chromosome."""
    rng, details = run.rng("kinds"), karyograms.details
    found = []
    for one in (*contest.said, *_networks(grid)):
        found += rivals.by_kind(one, details, rng=rng)
        found += rivals.by_chromosome(one, details, rng=rng)
    return run.record_all(found)


def _learned(file, split, known, parts, *, sizes, seed):
    """What the rivals say of each part, learned now and kept."""
    made = rivals.learned(split, known, sizes=sizes, seed=seed)
    arrays = {
        f"{part} {i}": rival.probability(images)
        for part, images in parts.items()
        for i, rival in enumerate(made)
    }
    arrays |= {
        "names": np.array([rival.name for rival in made]),
        "reports": np.array(rivals.reports(made, split.test).to_json()),
        "cost": np.array([[rival.seconds, rival.parameters] for rival in made]),
    }
    rows.write(file, parts, arrays, sizes)
    return arrays


def _referred(test, held, rng):
    """What a lab gains and loses that looks at the least certain alone."""
    marked = map(confidence.by_probability, test, held)
    return [
        estimate
        for one in marked
        for estimate in (
            *referral.outcome(one, rng=rng).values(),
            *confidence.screening(one, rng=rng),
        )
    ]


def _scores(said, rng):
    every = (metrics.measure(one, rng=rng) for one in said)
    names = experiment.SCORES
    return [values[name] for values in every for name in names if name in values]


def _leads(said, grid, rng):
    """By how much each rival exceeds each network, on the same images.

    Two networks of one name have other first weights, which the conditions say.
    """
    found = []
    for rival in said:
        for other in _networks(grid):
            (lead,) = between.paired(rival, other, BETTER, rng=rng).values()
            conditions = lead.conditions | {"weights of the network": other.weights}
            found.append(dataclasses.replace(lead, conditions=conditions))
    return found


def _networks(grid):
    """What the networks of true labels say, by the clean protocol."""
    return [
        one.said["test"]
        for one in grid.answers
        if one.task.plain and _images(one.task) == ("clean", "true")
    ]


def _images(task):
    return task.protocol, task.labels
