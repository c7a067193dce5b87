"""One question, normal or abnormal, asked by the paper's protocol and by a clean one.

`hold(images, unseen, unit=..., seed=..., sizes=..., words=...)` -> Trial
"""

import dataclasses

import numpy as np

from chromolib import records
from chromolib.models import classical, features, train, weights
from chromolib.studies.chromonet import network, protocol

LABELS = network.LABELS
BATCH = 32
RIVAL = "SVM"  # learns from ever more sources beside ChromoNet
NOWHERE = weights.Origin("none")
UNTAUGHT = {"weights": NOWHERE.word}  # of all models but ChromoNet as read


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large a trial is; nothing else may depend on the profile."""

    sources: int = protocol.SOURCES
    share: float = 1.0  # of the paper's counts of images
    epochs: int = 20
    start: weights.Origin = NOWHERE  # of ChromoNet as read


@dataclasses.dataclass(frozen=True, eq=False)
class Trial:
    """Everything a study shows of one unit."""

    unit: str
    sources: int  # images before they are grown
    divisions: dict  # protocol -> Division, true labels
    predictions: list  # records.Predictions
    curves: dict  # (model, protocol) -> frame of epochs
    networks: dict  # protocol -> the trained ChromoNet

    def pick(self, model="ChromoNet", protocol="clean", condition=""):
        """The predictions of one model whose condition holds these words."""
        return next(
            one
            for one in self.predictions
            if (one.model, one.protocol) == (model, protocol)
            and one.conditions == _condition(self.unit, condition)
        )


def hold(sources, unseen, *, unit, seed, sizes, protocols, words, say=None):
    """Train and test every model by each protocol, on true and on random labels."""
    how = {"share": sizes.share, "seed": seed}
    dealt = (
        protocol.shuffled(sources, seed=seed),
        protocol.shuffled(unseen, seed=seed + 1),
    )
    true, random = (
        {name: protocol.divided(name, *both, **how) for name in protocols}
        for both in ((sources, unseen), dealt)
    )
    trial = Trial(unit, len(sources), true, [], {}, {})
    for which, division in true.items():
        known = words | {"protocol": which}
        _networks(trial, division, unseen, known, sizes, seed, say)
        trial.predictions.extend(_features(division, known, unit, seed))
        model, _ = learn(random[which], sizes=sizes, seed=seed, say=say)
        told = ask(model, random[which].test, known, unit, "labels=random")
        trial.predictions.append(told)
    return trial


def learn(division, *, sizes, seed, say=None, build=network.network, **reading):
    """A network trained on a division, and its epochs.

    Both protocols run all epochs and take the one of the best accuracy, the last of
    equals, so that they differ only in who chooses: in the published protocol the test
    images, as in the paper's curves; in a clean one the validation part.
    """
    model = build(division.train.pictures.shape[1:], seed=seed, **reading)
    if build is network.network and not reading:
        weights.load_trunk(model, sizes.start)
    told = train.fit(
        model,
        division.train.pictures,
        division.train.target,
        epochs=sizes.epochs,
        seed=seed,
        batch=BATCH,
        valid=(division.valid.pictures, division.valid.target),
        best_by="valid_accuracy",
        say=say,
    )
    return model, told


def ask(model, one, words, unit, *conditions, name="ChromoNet"):
    """What a network says of pictures."""
    logits = np.asarray(model.predict(one.pictures, batch_size=256, verbose=0))
    logits = logits.astype(np.float64)
    odds = np.exp(logits - logits.max(1, keepdims=True))
    probability = odds / odds.sum(1, keepdims=True)
    return _said(one, probability, words, unit, conditions, name)


def sweep(whole, unseen, counts, *, unit, seed, sizes, words, say=None):
    """The clean trial with ever more sources: Predictions of ChromoNet and the SVM."""
    found = []
    for count in counts:
        sources = protocol.drawn(whole, count, seed=seed)
        division = protocol.clean(sources, unseen, share=sizes.share, seed=seed)
        model, _ = learn(division, sizes=sizes, seed=seed, say=say)
        extra = f"sources={len(sources)}"
        found.append(ask(model, unseen, words, unit, "labels=true", extra))
        found += _features(division, words, unit, seed, extra, names=(RIVAL,))
    return found


def readings(division, names, *, unit, seed, sizes, words, say=None):
    """Other readings of the paper's network on a division: Predictions, one each."""
    found = []
    for name in names:
        model, _ = learn(
            division, sizes=sizes, seed=seed, say=say, **network.READINGS[name]
        )
        extra, known = f"reading={name}", words | UNTAUGHT
        found.append(ask(model, division.test, known, unit, "labels=true", extra))
    return found


def _networks(trial, division, unseen, words, sizes, seed, say):
    """ChromoNet and the traditional model, trained and asked."""
    unit, protocol = trial.unit, division.protocol
    model, told = learn(division, sizes=sizes, seed=seed, say=say)
    trial.networks[protocol] = model
    trial.curves["ChromoNet", protocol] = told
    trial.predictions.append(ask(model, division.test, words, unit, "labels=true"))
    if protocol == "published":  # the same network on groups it has not seen
        extra = ask(model, unseen, words, unit, "labels=true", "tested=unseen")
        trial.predictions.append(extra)
    plain = dataclasses.replace(division, train=division.plain)
    model, told = learn(
        plain, sizes=sizes, seed=seed, say=say, build=network.traditional
    )
    trial.curves["traditional", protocol] = told
    known = words | UNTAUGHT
    trial.predictions.append(
        ask(model, division.test, known, unit, "labels=true", name="traditional")
    )


def _features(division, words, unit, seed, *extra, names=tuple(classical.MODELS)):
    """What classical models say, of hand-made features of the same pictures."""
    train, test = (
        features.table(one.pictures) for one in (division.train, division.test)
    )
    found, words = [], words | UNTAUGHT
    for name in names:
        model = classical.train(name, train, division.train.label, seed=seed)
        probability = classical.predict(model, test, classes=LABELS)
        told = words, unit, ("labels=true", *extra), name
        found.append(_said(division.test, probability, *told))
    return found


def _said(one, probability, words, unit, conditions, name):
    return records.Predictions(
        image=one.image,
        group=one.group,
        truth=one.label,
        probability=probability,
        classes=LABELS,
        model=name,
        conditions=_condition(unit, *conditions),
        **words,
    )


def _condition(unit, *parts):
    return records.read_conditions(";".join([f"unit={unit}", *filter(None, parts)]))
