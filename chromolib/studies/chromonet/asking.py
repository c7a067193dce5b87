"""Normal or abnormal: the question put to a run's images, unit by unit.

`ask(run, ...)` -> Asked, unit by unit; all else: its numbers beside each other
"""

import dataclasses

import pandas as pd

from chromolib import records
from chromolib.evidence import between, claims, metrics
from chromolib.models import pictures, store, weights
from chromolib.studies.chromonet import data, experiment, protocol

SCORES = (
    "accuracy",
    "balanced accuracy",
    "specificity of abnormal",
    "AUROC of abnormal",
)
SCORES += tuple(f"{name} of abnormal" for name in ("precision", "recall", "F1"))
PRINTED = {"accuracy": "accuracy", "f1": "F1 of abnormal"}
PRINTED |= {name: f"{name} of abnormal" for name in ("precision", "recall")}
BARS = ("labels=true", "labels=true;tested=unseen", "labels=random")
SURE = ("NLL", "Brier", "ECE", "AUGRC", "failure AUROC")


@dataclasses.dataclass(frozen=True, eq=False)
class Asked:
    """A trial of one unit, with the images that judge it."""

    unit: str
    scale: float  # of all pictures
    whole: protocol.Part  # what sources are drawn from
    unseen: protocol.Part
    images: records.ImageSet  # those of `unseen`
    natural: records.ImageSet | None  # real abnormal ones that nobody edited
    trial: experiment.Trial
    words: dict
    sizes: experiment.Sizes
    seed: int
    protocol: str  # the one that counts: clean, where it was asked for
    found: list  # Estimates of all predictions

    @property
    def said(self):
        """What ChromoNet said under the protocol that counts."""
        return self.trial.pick("ChromoNet", self.protocol, "labels=true")

    @property
    def source(self):
        """Whose images, and first weights, for captions."""
        return records.stated(self.said)

    @property
    def judged(self):
        """The images it said it of."""
        return self.trial.divisions[self.protocol].test


@dataclasses.dataclass(frozen=True, eq=False)
class _Ready:
    """Images of one unit, read and divided, before anything is trained."""

    unit: str
    found: records.ImageSet
    pool: records.ImageSet
    kept: records.ImageSet
    natural: records.ImageSet | None
    outside: records.ImageSet | None  # of the external source

    def part(self, images):
        """Pictures of the source, at the scale of those that may train."""
        return protocol.part(images, self.unit, pictures.scale(self.pool))


def ask(run, *, count, sizes):
    """Every model, trained and tested by each protocol, unit by unit: list of Asked.

    The numbers go to the run. All images are read first: what cannot be asked is
    refused before hours of training.
    """
    origin = weights.resolve(run.given("weights"), run.root)
    run.started_from = origin.facts
    sizes = dataclasses.replace(sizes, start=origin)
    units_shown = data.shown(run.images, run.given("unit"))
    ready = [_ready(run, unit, count) for unit in units_shown]
    return [_asked(run, one, sizes) for one in ready]


def _ready(run, unit, count):
    seed, rng, outside = run.given("seed"), run.rng, None
    found = data.images(run.images, unit, count=count, rng=rng(unit), seed=seed)
    pool, kept = data.apart(found, seed=seed)
    natural = data.extra_copies(run.images) if unit == "karyogram" else None
    if run.external is not None and unit in data.shown(run.external, run.given("unit")):
        outside = data.images(run.external, unit, count=0, rng=rng("external"))
        protocol.check(outside)
    return _Ready(unit, found, pool, kept, natural, outside)


def _asked(run, ready, sizes):
    seed, unit, origin = run.given("seed"), ready.unit, sizes.start
    whole, unseen = ready.part(ready.pool), ready.part(ready.kept)
    words = run.label | {"source": ready.found.origin, "weights": origin.word}
    sources = protocol.drawn(whole, sizes.sources, seed=seed)
    how = {"unit": unit, "seed": seed, "sizes": sizes}
    held = experiment.hold(sources, unseen, protocols=run.protocols, words=words, **how)
    found, counts = [], run.protocols[-1]
    asked = Asked(
        **{"scale": pictures.scale(ready.pool), "whole": whole, "unseen": unseen},
        **{"images": ready.kept, "natural": ready.natural, "trial": held},
        **{"words": words, "protocol": counts, "found": found, **how},
    )
    if ready.outside is not None:
        held.predictions.append(_external(ready.outside, asked))
    found += scores(held.predictions, run.rng(f"scores {unit}"))
    for which in run.protocols:
        found += against(asked, rng=run.rng(f"against {unit}"), protocol=which)
    run.predict(held.predictions)
    run.record_all(found)
    _save(run, asked, origin)
    return asked


def scores(predictions, rng):
    """All scores of all predictions, with intervals over groups."""
    found = []
    for one in predictions:
        values = metrics.measure(one, rng=rng)
        found += [values[name] for name in (*SCORES, *SURE) if name in values]
    return found


def bars(asks):
    """Accuracy by unit and protocol, of true labels and of random ones.

    And what the published protocol's network scores on groups it has not seen.
    """
    return [
        one
        for asked in asks
        for one in asked.found
        if (one.quantity, one.model) == ("accuracy", "ChromoNet")
        and records.write_conditions(one.conditions).partition(";")[2] in BARS
        and one.source == asked.words["source"]
    ]


def counts(asked):
    """How many images of each label learn and judge: protocol -> frame."""
    paper = {"paper": pd.DataFrame(protocol.PAPER).T}
    return paper | {
        protocol: pd.DataFrame(
            {
                "train": pd.Series(one.train.label).value_counts(),
                "test": pd.Series(one.test.label).value_counts(),
            }
        ).T[list(experiment.LABELS)]
        for protocol, one in asked.trial.divisions.items()
    }


def beside(asks, audits):
    """Tables 1 and 2 of the paper with ours beside them."""
    rows = []
    for asked in asks:
        for model, prefix in (("ChromoNet", ""), ("traditional", "old-")):
            for score, name in PRINTED.items():
                (printed,) = claims.pick(audits, f"chromonet-{prefix}{score}")
                ours = {
                    one.protocol: str(one)
                    for one in asked.found
                    if (one.model, one.quantity) == (model, name)
                    and one.conditions == {"unit": asked.unit, "labels": "true"}
                }
                if "published" in asked.trial.divisions:
                    ours |= {"published, unseen": _unseen(asked, model, name)}
                told = {"unit": asked.unit, "sources": asked.trial.sources}
                told |= {"model": model, "score": name}
                rows.append(told | {"paper": printed.claim.value} | ours)
    return pd.DataFrame(rows).assign(source=asks[0].source)


def _unseen(asked, model, name):
    """What the published protocol's model scores on groups it has not seen."""
    told = {"unit": asked.unit, "labels": "true", "tested": "unseen"}
    of = (model, name, told)
    return next(
        (str(e) for e in asked.found if (e.model, e.quantity, e.conditions) == of), ""
    )


def against(asked, *, rng, protocol):
    """By how much ChromoNet is more often right than each other model: Estimates."""
    first = asked.trial.pick("ChromoNet", protocol, "labels=true")
    others = [
        one
        for one in asked.trial.predictions
        if one.protocol == protocol
        and one.conditions == first.conditions
        and one.model != first.model
    ]
    return [
        found
        for other in others
        for found in between.paired(first, other, "accuracy", rng=rng).values()
    ]


def _save(run, asked, origin):
    """Keep the trained network of the run beside its numbers."""
    part = asked.trial.divisions[asked.protocol].plain
    name = {"unit": asked.unit, "labels": "true"}
    facts = {
        **{"study": run.study, "unit": asked.unit, "classes": list(experiment.LABELS)},
        **{"source": asked.words["source"], "weights": origin.sentence},
        "provenance": "synthetic" if run.images is None else "real",
        **{"n": len(part), "groups": len(set(part.group)), "seed": asked.seed},
        **{"model": "ChromoNet", "protocol": asked.protocol},
        **{"profile": run.given("profile"), "scale": asked.scale},
        "scores": [
            one
            for one in asked.found
            if (one.model, one.protocol) == ("ChromoNet", asked.protocol)
            and one.conditions == name
        ],
    }
    network = asked.trial.networks[asked.protocol]
    store.save(network, run.folder / f"{asked.unit}.keras", facts)


def _external(images, asked):
    """The network that counts on images of another source, at their own scale."""
    words = asked.words | {"source": images.origin, "protocol": asked.protocol}
    network = asked.trial.networks[asked.protocol]
    extra = f"trained={asked.words['source']}"
    one = protocol.part(images, asked.unit)
    return experiment.ask(network, one, words, asked.unit, "labels=true", extra)
