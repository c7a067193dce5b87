"""The grid of trainings: the rows of Table 5.1, by both protocols.

`run(run, karyograms, *, sizes)` -> Grid, with every answer and its estimates
`learn(model, train, validation, *, sizes, seed)` -> history

A frozen trunk sees each image once; what a row learns starts from its maps. What each
row says is kept in the run's folder as soon as it is done, so that a run that was
stopped goes on with the next.
"""

import dataclasses
import itertools
import json
import time

import numpy as np
import pandas as pd

from chromolib import files, streams
from chromolib.evidence import between, metrics
from chromolib.models import mc_dropout, predict
from chromolib.models import train as training
from chromolib.studies.chu import baselines, network, protocol

MONITOR = "val_AUC"  # section 4.1.1
CHANCE = "processed data on VGG16"  # the row that also learns labels dealt at random
SCORES = ("accuracy", "balanced accuracy", "precision of abnormal")
SCORES += ("recall of abnormal", "specificity of abnormal", "AUROC of abnormal")


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large an experiment is; nothing else may depend on the profile."""

    rows: tuple = tuple(network.ROWS)
    share: float = 1.0  # of the thesis' counts of images
    epochs: int = 30
    patience: int = 10
    times: int = 100  # passes of MC dropout, section 3.4
    side: int = network.SIDE
    random: tuple = (CHANCE,)  # rows that also learn labels dealt at random


@dataclasses.dataclass(frozen=True)
class Task:
    """One training: a row of the table, by a protocol, from some first weights."""

    row: str
    protocol: str
    word: str  # of the first weights
    labels: str = "true"

    @property
    def place(self):
        """The row as trunk, images and cut."""
        return (network.ROWS | network.OWN)[self.row]


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """What a trained row says: one pass, and many with dropout on."""

    task: Task
    said: dict  # part -> records.Predictions
    draws: dict  # part -> (times, n) probability of abnormal
    history: pd.DataFrame
    facts: dict  # seconds, parameters, learned


@dataclasses.dataclass(frozen=True, eq=False)
class Grid:
    """All answers, those of baselines, and how right they are."""

    answers: list  # of Answer
    beside: list  # of records.Predictions: what needs no network
    estimates: list  # of records.Estimate

    def pick(self, row, name, labels="true", word=""):
        """The answer of a row by a protocol, from the run's own first weights."""
        for one in self.answers:
            task = one.task
            if (task.row, task.protocol, task.labels) == (row, name, labels) and (
                word in ("", task.word)
            ):
                return one
        raise LookupError(f"this run has no {labels} answer of {row}, {name}")


def tasks(protocols, sizes, words):
    """Every training of the grid, those that share a split and a trunk together."""
    made = [
        Task(row, name, word)
        for name in protocols
        for word in words
        for row in sizes.rows
    ]
    made += [
        Task(row, name, words[0], "random")
        for name in protocols
        for row in sizes.random
    ]
    return sorted(made, key=lambda task: (*_shared(task), task.row))


def run(run, karyograms, *, sizes, words=None):
    """Train and test each row by each protocol of the run, and keep the numbers."""
    words = words or (run.given("weights"),)
    answers, beside = [], []
    planned = tasks(run.protocols, sizes, words)
    for _, group in itertools.groupby(planned, _shared):
        answers += _answers(run, karyograms, list(group), sizes)
    for name in run.protocols:
        split = protocol.divide(
            karyograms, name, seed=run.given("seed"), share=sizes.share
        )
        own = run.label | {"source": karyograms.source, "protocol": name}
        beside += baselines.said(split, **own)
    estimates = scores(answers, beside, rng=run.rng("scores"))
    estimates += differences(answers, beside, rng=run.rng("differences"))
    run.record_all(estimates)
    run.record_predictions(one for answer in answers for one in answer.said.values())
    run.started_from = {a.task.word: a.facts["weights"] for a in answers}
    return Grid(answers, beside, estimates)


def learn(model, train, validation, *, sizes, seed, checkpoint=None):
    """The history of a compiled network, which then has the weights of its best epoch.

    Best by the AUC of validation images, as in the thesis.
    """
    return training.train(
        model,
        *train,
        validation=validation,
        monitor=MONITOR,
        epochs=sizes.epochs,
        patience=sizes.patience,
        batch=network.BATCH,
        seed=seed,
        checkpoint=checkpoint,
    )


def probability(model, maps):
    """(n, 2) of normal and abnormal, by one pass without dropout."""
    said = np.asarray(model.predict(maps, batch_size=64, verbose=0), np.float64)[:, 0]
    return np.column_stack([1 - said, said])


def scores(answers, beside, *, rng):
    """The scores of every answer on its test images and on unseen ones."""
    said = [
        one
        for answer in answers
        for part, one in answer.said.items()
        if part != "validation"
    ]
    found = (metrics.measure(one, rng=rng) for one in (*said, *beside))
    return [values[name] for values in found for name in SCORES if name in values]


def differences(answers, beside, *, rng):
    """By how much each row is more often right than what needs no network."""
    return [
        estimate
        for answer in answers
        if answer.task.labels == "true"
        for other in beside
        if other.protocol == answer.task.protocol
        and set(other.image) == set(answer.said["test"].image)
        for estimate in between.paired(
            answer.said["test"], other, "accuracy", rng=rng
        ).values()
    ]


def _shared(task):
    """What trainings have in common that see the same maps."""
    place = task.place
    return task.protocol, task.labels, place.copies, place.trunk, task.word


def _answers(run, karyograms, group, sizes):
    """The answers of trainings on one split from one trunk."""
    first, seed = group[0], run.given("seed")
    how = {"seed": seed, "share": sizes.share, "labels": first.labels}
    split = protocol.divide(karyograms, first.protocol, first.place.copies, **how)
    parts = {"validation": split.validation, "test": split.test}
    if first.protocol == "published":
        parts["unseen"] = split.unseen
    trunk = network.Trunk(
        first.place.trunk,
        first.word,
        root=run.root,
        data=str(run.data),
        side=sizes.side,
        seed=seed,
    )
    todo = [task for task in group if not _kept(place(run, task), parts)]
    cuts = {task.place.cut for task in todo}
    seen = {"train": split.train} | parts if todo else {}
    maps = {name: trunk.maps(part, cuts) for name, part in seen.items()}
    for task in todo:
        own = {name: found[task.place.cut] for name, found in maps.items()}
        labels = split.train.y, split.validation.y
        _keep(place(run, task), parts, _trained(task, trunk, own, labels, run, sizes))
    return [_read(run, karyograms, task, parts, trunk.origin) for task in group]


def place(run, task):
    """Where a run keeps what a row said."""
    words = "-".join((task.row, task.protocol, task.word, task.labels))
    return run.folder / "rows" / f"{words.replace(', ', '-').replace(' ', '-')}.npz"


def _trained(task, trunk, maps, labels, run, sizes):
    """Arrays of what a row says of each part, and its history."""
    seed = streams.seed_of(run.given("seed"), f"{task.row} {task.word}")
    model = trunk.rest(task.place.cut, seed=seed)
    train, validation = zip(
        (maps.pop("train"), maps["validation"]), labels, strict=True
    )
    file, started = place(run, task).with_suffix(""), time.monotonic()
    how = {"sizes": sizes, "seed": seed, "checkpoint": file}
    history = learn(model, train, validation, **how)
    whole, learned = network.parameters(model)
    facts = {
        "seconds": time.monotonic() - started,
        "parameters": whole + trunk.below(task.place.cut),
        "learned": learned,
    }
    arrays = {"history": np.array(history.to_json())}
    arrays["facts"] = np.array(json.dumps(facts))
    for name, part in maps.items():
        arrays[f"{name} once"] = probability(model, part)
        drawn = mc_dropout.draws(model, part, times=sizes.times, seed=seed)
        arrays[f"{name} draws"] = drawn.astype(np.float32)
    return arrays


def _keep(file, parts, arrays):
    file.parent.mkdir(parents=True, exist_ok=True)
    images = {f"{name} image": part.image for name, part in parts.items()}
    with files.replacing(file) as partial:
        np.savez(partial, **images, **arrays)


def _kept(file, parts):
    """Whether the row was done, on the same images, before the run was stopped."""
    if not file.exists():
        return False
    with np.load(file, allow_pickle=False) as archive:
        return all(
            np.array_equal(archive[f"{name} image"], part.image)
            for name, part in parts.items()
        )


def _read(run, karyograms, task, parts, origin):
    """The answer of a row, from what was kept of it."""
    with np.load(place(run, task), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    words = run.label | {
        "source": karyograms.source,
        "model": task.row,
        "weights": origin.word,
        "protocol": task.protocol,
    }
    conditions = {"labels": task.labels}
    said, draws = {}, {}
    for name, part in parts.items():
        own = {} if name == "test" else {"tested": name}
        said[name] = predict.predictions(
            part, arrays[f"{name} once"], **words, conditions=conditions | own
        )
        draws[name] = arrays[f"{name} draws"]
    facts = json.loads(str(arrays["facts"])) | {"weights": origin.facts}
    history = pd.DataFrame(json.loads(str(arrays["history"])))
    return Answer(task, said, draws, history.reset_index(drop=True), facts)
