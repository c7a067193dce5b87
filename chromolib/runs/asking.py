"""Normal or abnormal: the question put to a run's images, unit by unit.

`ask(run, unit, ...)` -> Asked; all else: what a study shows of it
"""

import dataclasses

import numpy as np
import pandas as pd

from chromolib import records
from chromolib.evidence import between, claims, metrics, pointing, resample
from chromolib.models import pictures, saliency, store, trial, weights
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
LAYER = {"chromosome": "trunk_conv8", "karyogram": "trunk_conv8"}


@dataclasses.dataclass(frozen=True, eq=False)
class Asked:
    """A trial of one unit, with the images that judge it."""

    unit: str
    whole: trial.Part  # what sources are drawn from
    unseen: trial.Part
    images: records.ImageSet  # those of `unseen`
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
    def judged(self):
        """The images it said it of."""
        return self.trial.divisions[self.protocol].test


def shown(run):
    """The units that a run's images can show."""
    if run.given("unit") != "both":
        return (run.given("unit"),)
    found = run.images
    if found is None or set(found.label) <= set(records.CLASSES):
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
    whole, unseen = trial.part(pool, unit), trial.part(kept, unit)
    words = run.label | {"source": found.origin, "weights": run.given("weights")}
    held = trial.hold(
        trial.drawn(whole, sizes.sources, seed=seed),
        unseen,
        unit=unit,
        seed=seed,
        sizes=sizes,
        protocols=run.protocols,
        words=words,
    )
    found, counts = [], run.protocols[-1]
    asked = Asked(unit, whole, unseen, kept, held, words, sizes, seed, counts, found)
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
    return pd.DataFrame(rows).assign(source=asks[0].words["source"])


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


def kinds(asks, *, rng):
    """How often unseen images of each kind are called abnormal, unit by unit."""
    return [one for asked in asks for one in _kinds(asked, rng)]


def _kinds(asked, rng):
    said = _unseen(asked)
    kind = asked.images.extra["kind"]
    named = {True: "called abnormal", False: "false alarm"}
    called = (said.label == trial.LABELS[1]) * 1.0
    numbered = resample.number(said)
    which = [kind == name for name in sorted(set(kind))]
    tally = resample.shares(
        sorted(set(kind)),
        numbered.each(*(called * mask for mask in which)),
        numbered.each(*(mask * 1.0 for mask in which)),
    )
    found = resample.estimates(said, [tally], rng=rng)
    return [
        dataclasses.replace(
            one,
            quantity=named[bool((said.truth[kind == name] == trial.LABELS[1]).any())],
            condition=f"{one.condition};kind={name}",
        )
        for name, one in found.items()
    ]


def shams(asks, *, rng):
    """How well abnormal images are told from shams alone; nothing without shams."""
    return [one for asked in asks for one in _shams(asked, rng)]


def _shams(asked, rng):
    said = _unseen(asked)
    sham = asked.images.extra["sham"] == "yes"
    if not sham.any():
        return []
    kept = said.take(sham | (said.truth == trial.LABELS[1]))
    kept = dataclasses.replace(kept, condition=f"{said.condition};against=shams")
    return list(metrics.measure(kept, "AUROC of abnormal", rng=rng).values())


def learning(asked, counts, *, rng):
    """Accuracy by the number of sources, clean."""
    most = len(asked.whole)
    counts = [count for count in counts if count <= most]
    words = asked.words | {"protocol": "clean"}
    found = trial.sweep(asked.whole, asked.unseen, counts, **_again(asked), words=words)
    return [metrics.measure(one, "accuracy", rng=rng)["accuracy"] for one in found]


def readings(asked, names, *, rng):
    """AUROC of other readings of the paper's network."""
    division = asked.trial.divisions[asked.protocol]
    words = asked.words | {"protocol": asked.protocol}
    found = trial.readings(division, names, **_again(asked), words=words)
    name = "AUROC of abnormal"
    return [metrics.measure(one, name, rng=rng)[name] for one in found]


def wrong(asked, most):
    """The surest errors, and what to write beside them: (pictures, captions)."""
    said = asked.said
    bad = np.flatnonzero(said.truth != said.label)
    bad = bad[np.argsort(said.uncertainty[bad], kind="stable")][:most]
    captions = [{"truth": said.truth[i], "said": said.label[i]} for i in bad]
    return asked.judged.pictures[bad], captions


def examples(asked, each):
    """Some unseen images of both labels, and their kinds: (pictures, captions)."""
    label, kind = asked.unseen.label, asked.images.extra["kind"]
    chosen = [i for word in trial.LABELS for i in np.flatnonzero(label == word)[:each]]
    captions = [{"label": label[i], "kind": kind[i]} for i in chosen]
    return asked.unseen.pictures[chosen], captions


def look(asked, *, most, rng):
    """Where it looks on unseen abnormal images: (pictures, maps, boxes, Estimates).

    Of images whose abnormality has one known place where there are any; of a lab's own,
    whose places nobody marked, any abnormal ones, and no Estimates.
    """
    boxes = pictures.boxes(asked.images, asked.unit)
    abnormal = asked.unseen.label == trial.LABELS[1]
    known = [i for i in np.flatnonzero(abnormal) if len(boxes[i]) == 1]
    chosen = np.sort(rng.permutation(known or np.flatnonzero(abnormal))[:most])
    seen = asked.unseen.take(chosen)
    maps = saliency.grad_cam(
        asked.trial.networks[asked.protocol], seen.pictures, 1, layer=LAYER[asked.unit]
    )
    if not known:
        return seen.pictures, maps, [None] * len(chosen), []
    xyxy = np.array([boxes[i].xyxy[0] for i in chosen])
    words = asked.words | {
        "protocol": asked.protocol,
        "model": "ChromoNet",
        "condition": f"unit={asked.unit};labels=true",
    }
    found = pointing.game(maps, xyxy, seen.pictures, seen.group, rng=rng, words=words)
    return seen.pictures, maps, xyxy, list(found.values())


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
        "profile": run.given("profile"),
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


def _again(asked):
    return {"unit": asked.unit, "seed": asked.seed, "sizes": asked.sizes}


def _unseen(asked):
    """What the network that counts said of the unseen images."""
    tested = "" if asked.protocol == "clean" else ";tested=unseen"
    return asked.trial.pick("ChromoNet", asked.protocol, f"labels=true{tested}")


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
                "source": one.source,
            }
            for asked in asks
            for one in asked.found
            if one.quantity.startswith("difference in ")
        ]
    )
