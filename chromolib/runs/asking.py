"""Normal or abnormal: the question put to a run's images, unit by unit.

`ask(run, unit, ...)` -> Asked; all else: its numbers beside each other
"""

import dataclasses

import pandas as pd

from chromolib import records
from chromolib.evidence import between, claims, metrics
from chromolib.models import pictures, store, trial, weights
from chromolib.runs import units

SCORES = (
    "accuracy",
    "balanced accuracy",
    "specificity of abnormal",
    "AUROC of abnormal",
)
SCORES += tuple(f"{name} of abnormal" for name in ("precision", "recall", "F1"))
PRINTED = {"accuracy": "accuracy", "f1": "F1 of abnormal"}
PRINTED |= {name: f"{name} of abnormal" for name in ("precision", "recall")}
SURE = ("NLL", "Brier", "ECE", "AUGRC", "failure AUROC")


@dataclasses.dataclass(frozen=True, eq=False)
class Asked:
    """A trial of one unit, with the images that judge it."""

    unit: str
    scale: float  # of all pictures
    whole: trial.Part  # what sources are drawn from
    unseen: trial.Part
    images: records.ImageSet  # those of `unseen`
    natural: records.ImageSet | None  # real abnormal ones that nobody edited
    trial: trial.Trial
    words: dict
    sizes: trial.Sizes
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


def shown(run):
    """The units that a run's images can show."""
    if run.given("unit") != "both":
        return (run.given("unit"),)
    found = run.images
    if found is None or set(found.label) & set(records.CLASSES):
        return units.UNITS
    if set(found.label) & set(trial.LABELS):
        raise units.UnitError(
            f"{found.source} does not say what one image shows; "
            "set unit to 'chromosome' or 'karyogram'"
        )
    return ("karyogram",)


def ask(run, unit, *, count, sizes):
    """Every model trained and tested by each protocol; the numbers go to the run."""
    seed = run.given("seed")
    origin = weights.resolve(run.given("weights"), run.root)
    run.started_from = origin.facts
    sizes = dataclasses.replace(sizes, start=origin)
    found = units.images(run.images, unit, count=count, rng=run.rng(unit), seed=seed)
    pool, kept = units.apart(found, seed=seed)
    by = pictures.scale(pool)
    whole, unseen = trial.part(pool, unit, by), trial.part(kept, unit, by)
    words = run.label | {"source": found.origin, "weights": origin.word}
    held = trial.hold(
        trial.drawn(whole, sizes.sources, seed=seed),
        unseen,
        unit=unit,
        seed=seed,
        sizes=sizes,
        protocols=run.protocols,
        words=words,
    )
    natural = units.extra_copies(run.images) if unit == "karyogram" else None
    found, counts = [], run.protocols[-1]
    asked = Asked(
        **{"unit": unit, "scale": by, "whole": whole, "unseen": unseen},
        **{"images": kept, "natural": natural, "trial": held, "words": words},
        **{"sizes": sizes, "seed": seed, "protocol": counts, "found": found},
    )
    if run.external is not None:
        held.predictions.append(_external(run, asked))
    found += scores(held.predictions, run.rng(f"scores {unit}"))
    for protocol in run.protocols:
        found += against(asked, rng=run.rng(f"against {unit}"), protocol=protocol)
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
    """Accuracy by unit and protocol, of true labels and of random ones."""
    return [
        one
        for asked in asks
        for one in asked.found
        if (one.quantity, one.model) == ("accuracy", "ChromoNet")
        and one.condition.rpartition(";")[2] in ("labels=true", "labels=random")
        and one.source == asked.words["source"]
    ]


def counts(asked):
    """How many images of each label learn and judge: protocol -> frame."""
    paper = {"paper": pd.DataFrame(trial.PAPER).T}
    return paper | {
        protocol: pd.DataFrame(
            {
                "train": pd.Series(one.train.label).value_counts(),
                "test": pd.Series(one.test.label).value_counts(),
            }
        ).T[list(trial.LABELS)]
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
                    and one.condition == f"unit={asked.unit};labels=true"
                }
                told = {"unit": asked.unit, "model": model, "score": name}
                rows.append(told | {"paper": printed.claim.value} | ours)
    return pd.DataFrame(rows).assign(source=asks[0].source)


def against(asked, *, rng, protocol):
    """By how much ChromoNet is more often right than each other model: Estimates."""
    first = asked.trial.pick("ChromoNet", protocol, "labels=true")
    others = [
        one
        for one in asked.trial.predictions
        if one.protocol == protocol
        and one.condition == first.condition
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
    name = f"unit={asked.unit};labels=true"
    facts = {
        **{"study": run.study, "unit": asked.unit, "classes": list(trial.LABELS)},
        **{"source": asked.words["source"], "weights": origin.sentence},
        "provenance": "synthetic" if run.images is None else "real",
        **{"n": len(part), "groups": len(set(part.group)), "seed": asked.seed},
        **{"model": "ChromoNet", "protocol": asked.protocol},
        **{"profile": run.given("profile"), "scale": asked.scale},
        "scores": [
            one
            for one in asked.found
            if (one.model, one.protocol) == ("ChromoNet", asked.protocol)
            and one.condition == name
        ],
    }
    network = asked.trial.networks[asked.protocol]
    store.save(network, run.folder / f"{asked.unit}.keras", facts)


def _external(run, asked):
    """The clean network on images of another source."""
    found = units.images(run.external, asked.unit, count=0, rng=run.rng("external"))
    words = asked.words | {"source": found.origin, "protocol": asked.protocol}
    network = asked.trial.networks[asked.protocol]
    extra = f"trained={asked.words['source']}"
    one = trial.part(found, asked.unit)
    return trial.ask(network, one, words, asked.unit, "labels=true", extra)


def gaps(asks):
    """By how much ChromoNet is more often right than each other model, as rows."""
    return pd.DataFrame(
        [
            {
                "unit": asked.unit,
                "protocol": one.protocol,
                "models": one.model,
                one.quantity: str(one),
                "n": one.n,
                "source": records.stated(one),
            }
            for asked in asks
            for one in asked.found
            if one.quantity.startswith("difference in ")
        ]
    )
