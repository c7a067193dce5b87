"""The grid of trainings: both protocols, true and random labels, ChromoNet and rivals.

`run(run, images, sizes=...)` -> Experiment, with every prediction and its estimates
`train(split, sizes, *, seed)` -> ChromoNet and its history, once; `fitted` any network
"""

import dataclasses
import time

import keras
import pandas as pd

from chromolib import records
from chromolib.evidence import between, metrics
from chromolib.models import classical, features, predict, protocols, store, weights
from chromolib.models import train as training
from chromolib.studies.chromonet import data, network, protocol

CHROMONET, TRADITIONAL = "ChromoNet", "traditional"
BATCH = 32
RIVAL = "SVM"  # learns from ever more sources beside ChromoNet
SCORES = ("accuracy", "balanced accuracy", "specificity of abnormal")
SCORES += ("AUROC of abnormal", "precision of abnormal", "recall of abnormal")
SCORES += ("F1 of abnormal", "NLL", "Brier", "ECE", "AUGRC", "failure AUROC")


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large an experiment is; nothing else may depend on the profile."""

    sources: int = protocol.SOURCES
    share: float = 1.0  # of the paper's counts of images
    epochs: int = 20


@dataclasses.dataclass(frozen=True, eq=False)
class Trained:
    """One network, what it learned from, and how."""

    model: str
    split: protocols.Split
    network: keras.Model
    history: pd.DataFrame
    seconds: float  # to learn


@dataclasses.dataclass(frozen=True, eq=False)
class Experiment:
    """All trainings on one unit's images, what they predict, and how right that is."""

    images: data.Images
    sizes: Sizes
    seed: int
    origin: weights.Origin  # of ChromoNet's first weights
    words: dict  # of every prediction and estimate
    trained: list  # of Trained
    predictions: list  # of records.Predictions
    estimates: list  # of records.Estimate

    @property
    def protocol(self):
        """The one that counts: clean, where it was asked for."""
        return self.trained[-1].split.protocol

    def chromonet(self, name=None):
        """ChromoNet trained on true labels by a protocol; by the one that counts."""
        wanted = name or self.protocol
        return next(
            one
            for one in self.trained
            if _is_chromonet(one) and one.split.protocol == wanted
        )

    def pick(self, name=None, *, model=CHROMONET, **conditions):
        """The predictions of a model by a protocol; ChromoNet's, unless told."""
        wanted = {"unit": self.images.unit, "labels": "true"} | conditions
        wanted = model, name or self.protocol, self.words["source"], wanted
        for one in self.predictions:
            if (one.model, one.protocol, one.source, one.conditions) == wanted:
                return one
        raise LookupError(f"this run has no predictions of {wanted}")

    @property
    def unseen(self):
        """What the network that counts predicts of the unseen groups."""
        tested = {} if self.protocol == "clean" else {"tested": "unseen"}
        return self.pick(**tested)

    @property
    def source(self):
        """Whose images, and first weights, for captions."""
        return records.stated(self.pick())


def run(run, images, *, sizes):
    """Train and test every model by each protocol of the run, and keep the numbers."""
    seed, origin = run.given("seed"), weights.resolve(run.given("weights"), run.root)
    run.started_from = origin.facts
    words = run.label | {"source": images.source, "weights": origin.word}
    trained, predictions = [], []
    for name in run.protocols:
        networks = _by_protocol(images, name, sizes, origin, seed)
        for one in networks:
            predictions += predict_with(one, images, words)
            if one.model == TRADITIONAL:
                own = _words(one, images, words)
                predictions += rivals(one.split, own, seed=seed)
        trained += networks
    counting = [one for one in trained if _is_chromonet(one)][-1]
    predictions += _external(counting, images, words)
    estimates = score(predictions, rng=run.rng(f"scores {images.unit}"))
    for name in run.protocols:
        rng = run.rng(f"against {images.unit}")
        estimates += differences(predictions, name, rng=rng)
    run.record_predictions(predictions)
    run.record_all(estimates)
    _save(run, counting, images, words, estimates, origin)
    numbers = trained, predictions, estimates
    return Experiment(images, sizes, seed, origin, words, *numbers)


def divide(images, name, sizes, *, seed, labels="true", even=False):
    """The Split of a protocol, as large as the sizes say; `even` labels train."""
    how = {"count": sizes.sources, "share": sizes.share, "labels": labels, "even": even}
    return protocol.SPLITS[name](images, seed=seed, **how)


def train(split, sizes, *, seed, origin=weights.NOWHERE, batch=BATCH, **reading):
    """ChromoNet trained on a split.

    Both protocols run all epochs and take the one of the best accuracy, the last of
    equals, so that they differ only in who chooses: in the published protocol the test
    images, as in the paper's curves; in a clean one the validation part.
    """
    model = network.chromonet(split.train.x.shape[1:], seed=seed, **reading)
    if not reading.keys() - {"rate"}:
        weights.load_trunk(model, origin)
    return fitted(CHROMONET, model, split, split.train, sizes, seed, batch=batch)


def predict_with(trained, images, words):
    """Predictions of a network on its test part, and on unseen groups if it has others.

    The latter are of the published protocol's network alone: the same weights, without
    the gift.
    """
    split, words = trained.split, _words(trained, images, words)
    found = [predict.predict(trained.network, split.test, **words)]
    if split.protocol == "published" and _is_chromonet(trained):
        conditions = words["conditions"] | {"tested": "unseen"}
        words = words | {"conditions": conditions}
        found.append(predict.predict(trained.network, split.unseen, **words))
    return found


def rivals(split, words, *, seed, names=tuple(classical.MODELS)):
    """Predictions of classical models on hand-made features of the same pictures."""
    train, test = (features.table(part.x) for part in (split.train, split.test))
    found = []
    for name in names:
        model = classical.train(name, train, split.train.label, seed=seed)
        probability = classical.predict(model, test, classes=data.LABELS)
        own = words | {"model": name, "weights": weights.NOWHERE.word}
        found.append(predict.predictions(split.test, probability, **own))
    return found


def score(predictions, *, rng):
    """Every score of every model, with intervals over groups: list of Estimate."""
    found = (metrics.measure(one, rng=rng) for one in predictions)
    return [values[name] for values in found for name in SCORES if name in values]


def differences(predictions, name, *, rng):
    """By how much ChromoNet is more often right than each other model: Estimates."""
    of_protocol = [p for p in predictions if p.protocol == name]
    first, *rest = of_protocol
    return [
        estimate
        for other in rest
        if other.model != CHROMONET
        for estimate in between.paired(first, other, "accuracy", rng=rng).values()
    ]


def _by_protocol(images, name, sizes, origin, seed):
    """ChromoNet on true labels, the traditional model, ChromoNet on random labels."""
    true, random = (
        divide(images, name, sizes, seed=seed, labels=labels)
        for labels in ("true", "random")
    )
    shallow = network.traditional(true.train.x.shape[1:], seed=seed)
    return [
        train(true, sizes, seed=seed, origin=origin),
        fitted(TRADITIONAL, shallow, true, true.sources, sizes, seed),
        train(random, sizes, seed=seed, origin=origin),
    ]


def fitted(name, model, split, samples, sizes, seed, *, batch=BATCH):
    """A compiled network that has learned from samples of a split."""
    started = time.monotonic()
    history = training.train(
        model,
        *samples.xy,
        validation=split.validation.xy,
        monitor="val_accuracy",
        epochs=sizes.epochs,
        batch=batch,
        seed=seed,
    )
    return Trained(name, split, model, history, time.monotonic() - started)


def _is_chromonet(trained):
    return (trained.model, trained.split.labels) == (CHROMONET, "true")


def _words(trained, images, words):
    """What every prediction of a network carries."""
    own = {"model": trained.model, "protocol": trained.split.protocol}
    if trained.model != CHROMONET:
        own["weights"] = weights.NOWHERE.word
    conditions = {"unit": images.unit, "labels": trained.split.labels}
    return words | own | {"conditions": conditions}


def _external(trained, images, words):
    """The network that counts on images of another source, at their own scale."""
    if images.external is None:
        return []
    words = _words(trained, images, words)
    conditions = words["conditions"] | {"trained": images.source}
    own = {"source": images.external_source, "conditions": conditions}
    return [predict.predict(trained.network, images.external, **words | own)]


def _save(run, trained, images, words, estimates, origin):
    """Keep a trained network beside the run's numbers."""
    words, sources = _words(trained, images, words), trained.split.sources
    facts = {
        "study": run.study,
        "unit": images.unit,
        "classes": list(data.LABELS),
        "source": images.source,
        "weights": origin.sentence,
        "provenance": "real" if images.real else "synthetic",
        "n": len(sources),
        "groups": len(set(sources.group)),
        "seed": run.given("seed"),
        "model": CHROMONET,
        "protocol": trained.split.protocol,
        "profile": run.given("profile"),
        "scale": images.scale,
        "scores": [
            e
            for e in estimates
            if (e.model, e.protocol) == (CHROMONET, trained.split.protocol)
            and e.conditions == words["conditions"]
        ],
    }
    store.save(trained.network, run.folder / f"{images.unit}.keras", facts)
