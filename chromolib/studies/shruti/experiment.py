"""The grid of trainings: five folds by image and by cell, named one by one and jointly.

`run(run, chromosomes, sizes=)` -> Experiment, with every prediction and its estimates
`train(split, sizes, ...)` -> the trained network of a fold and its history

What each fold says is kept in the run's folder as soon as it is done, so that a run
that was stopped goes on with the next.
"""

import dataclasses
import itertools

import numpy as np
import pandas as pd

from chromolib import records
from chromolib.cyto import assign, diagnose
from chromolib.evidence import between, calibration, metrics
from chromolib.models import predict, small
from chromolib.runs import rows
from chromolib.studies.shruti import network, protocol

OURS, MANUAL = "bands", "hand-made"
SCORES = ("accuracy", "balanced accuracy", "NLL", "ECE", "AUGRC", "failure AUROC")
WHOLE = ("accuracy", "balanced accuracy", "whole-cell accuracy")
SURE = 0.9  # confidence below which a person should look at a cell


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large an experiment is; nothing else may depend on the profile."""

    folds: int = protocol.FOLDS  # of cells
    by_image: int = 1  # fold: enough to see what it gives away
    steps: int = 2000


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """What a model says of every image, by the fold that had not seen it."""

    said: object  # records.Predictions, at the temperature of each fold
    fold: np.ndarray  # (n,)
    chosen: pd.DataFrame  # a row a fold: temperature and penalty, by validation images

    @property
    def karyotypes(self):
        """A row a cell, by the penalty of its fold."""
        rows = [
            diagnose.cells(
                self.said.take(self.fold == one.fold), penalty=one.penalty, sure=SURE
            )
            for one in self.chosen.itertuples()
        ]
        return pd.concat(rows, ignore_index=True)


@dataclasses.dataclass(frozen=True, eq=False)
class Experiment:
    """What every fold predicts, and how right that is."""

    answers: dict  # model, protocol -> Answer
    estimates: list  # of records.Estimate

    @property
    def joint(self):
        """What counts: whole cells named jointly, where they were unseen as a whole."""
        *_, protocol_ = [name for _, name in self.answers]
        return jointly(self.answers[OURS, protocol_].said)


def run(run, chromosomes, *, sizes):
    """Train and test each model by each protocol of the run, and keep the numbers."""
    words = run.label | {"source": chromosomes.images.origin}
    answers, estimates = {}, []
    for name in run.protocols:
        for model in LEARNERS:
            own = words | {"model": model, "weights": "none", "protocol": name}
            answer = _crossed(run, chromosomes, model, name, sizes, own)
            answers[model, name] = answer
            estimates += score(answer.said, rng=run.rng(f"scores {model} {name}"))
    estimates += compared(answers, rng=run.rng)
    run.record_predictions(answer.said for answer in answers.values())
    run.record_all(estimates)
    return Experiment(answers, estimates)


def train(split, sizes, *, first=None, wanted=None, checkpoint=None, **how):
    """The small network trained on a fold, and its history.

    It may start from `first` weights; `wanted` are probabilities instead of the labels.
    """
    model = network.ours(split.train, **how)
    if first:
        model.set_weights(first)
    wanted = split.train.y if wanted is None else wanted
    how = {"steps": sizes.steps, "seed": how["seed"], "checkpoint": checkpoint}
    return model, small.train(model, split.train.x, wanted, **how)


def score(said, *, rng):
    """Each image by itself and, where whole cells were unseen, named jointly."""
    estimates = list(metrics.measure(said, *SCORES, rng=rng).values())
    if said.assigned is not None:
        estimates += metrics.measure(jointly(said), *WHOLE, rng=rng).values()
    return estimates


def jointly(said):
    """The predictions with the class for a label that the whole cell gave."""
    if said.assigned is None:
        return said
    return dataclasses.replace(
        said,
        label=said.assigned,
        probability=None,
        uncertainty=None,
        conditions=said.conditions | {"named": "jointly"},
    )


def compared(answers, *, rng):
    """What differs, on the same images: the network's lead over features measured by
    hand, what naming cells jointly adds, and what seeing the cell before adds."""
    pairs = []
    for (model, name), answer in answers.items():
        said = answer.said
        if model == OURS:
            pairs.append(("model", said, answers[MANUAL, name].said))
        if said.assigned is not None:
            pairs.append(("named jointly", jointly(said), said))
        if name == "published" and (model, "clean") in answers:
            shared = _shared(said, answers[model, "clean"].said)
            pairs.append(("cell seen before", *shared))
    return [
        gain(what, first, second, rng=rng(f"{what} {first.model} {first.protocol}"))
        for what, first, second in pairs
    ]


def gain(what, first, second, *, rng):
    """By how much the first is more accurate than the second, which lacks something."""
    (one,) = between.paired(first, second, "accuracy", rng=rng).values()
    return dataclasses.replace(one, conditions=one.conditions | {"gain of": what})


def _shared(first, second):
    """Both predictions of the images that both tested, in one order."""
    both = np.intersect1d(first.image, second.image)
    return tuple(
        one.take(pd.Index(one.image).get_indexer(both)) for one in (first, second)
    )


def _crossed(run, chromosomes, model, name, sizes, words):
    """What a model says of every image by the fold that did not see it."""
    seed, upright = run.given("seed"), chromosomes.upright
    splits = protocol.folds(chromosomes, protocol=name, seed=seed)
    parts, chosen = [], []
    many = sizes.folds if name == "clean" else min(sizes.folds, sizes.by_image)
    for split in itertools.islice(splits, many):
        file, tested = place(run, model, name, split.fold), {"test": split.test}
        kept = rows.read(file, tested, sizes.steps)
        if kept is None:
            kept = LEARNERS[model](split, sizes, seed, upright, file)
            rows.write(file, tested, kept, sizes.steps)
        said, row = _settled(split, kept["held"], kept["said"], words)
        parts.append((split.fold, said))
        chosen.append({"fold": split.fold} | row)
    fold = np.concatenate([np.full(len(said), k) for k, said in parts])
    return Answer(_joined([said for _, said in parts]), fold, pd.DataFrame(chosen))


def place(run, model, name, fold):
    """Where a run keeps what a fold said, and its network's weights."""
    return run.folder / "folds" / f"{model}-{name}-{fold}.npz"


def _small(split, sizes, seed, upright, file):
    """What the network says of validation and test images, and its weights."""
    checkpoint = file.with_suffix("")
    model, _ = train(split, sizes, seed=seed, upright=upright, checkpoint=checkpoint)
    return rows.weights(model) | _of_both(split, predict.views, model, upright)


def _manual(split, sizes, seed, upright, file):
    model = network.hand_made(split.train, seed=seed, upright=upright)
    return _of_both(split, network.by_hand, model, upright)


def _of_both(split, ask, model, upright):
    """What a model says of validation and of test images."""
    parts = {"held": split.validation, "said": split.test}
    return {name: ask(model, one.x, upright=upright) for name, one in parts.items()}


LEARNERS = {OURS: _small, MANUAL: _manual}


def _settled(split, held, raw, words):
    """The predictions of a fold, with what its validation images chose."""
    held = predict.predictions(split.validation, held, source="validation")
    row = {"temperature": calibration.temperature(held)}
    conditions = {"labels": "types"}
    said = predict.predictions(split.test, raw, **words, conditions=conditions)
    said = calibration.temperature_scaled(said, row["temperature"])
    if split.protocol == "clean":
        held = calibration.temperature_scaled(held, row["temperature"])
        row["penalty"] = assign.choose_penalty(held)
        said = assign.cells(said, penalty=row["penalty"])
    return said, row


def _joined(parts):
    """The predictions of several folds as one."""
    columns = {
        name: np.concatenate([getattr(one, name) for one in parts])
        for name in (*records.COLUMNS, "probability")
        if getattr(parts[0], name) is not None
    }
    return dataclasses.replace(parts[0], **columns)
