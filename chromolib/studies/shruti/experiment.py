"""The grid of trainings: five folds by image and by cell, named one by one and jointly.

`run(run, chromosomes, sizes=)` -> Experiment, with every prediction and its estimates
`train(split, sizes, seed=, upright=)` -> the trained network of a fold and its history

Each fold's answers are kept in the run's folder as soon as it is done, so that a run
that was stopped goes on with the next.
"""

import dataclasses
import itertools

import numpy as np

from chromolib import files
from chromolib.cyto import assign
from chromolib.evidence import metrics
from chromolib.models import predict
from chromolib.models import train as training
from chromolib.studies.shruti import network, protocol

OURS = "bands"
BATCH = 64
EPOCH = 200  # steps, after which it is validated and can be resumed
PENALTIES = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)  # of a copy more or fewer
SCORES = ("accuracy", "balanced accuracy", "NLL", "ECE", "AUGRC", "failure AUROC")
WHOLE = ("accuracy", "balanced accuracy", "whole-cell accuracy")


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large an experiment is; nothing else may depend on the profile."""

    folds: int = protocol.FOLDS
    steps: int = 2000


@dataclasses.dataclass(frozen=True, eq=False)
class Experiment:
    """What every fold predicts, and how right that is."""

    predictions: list  # of records.Predictions, one a protocol
    estimates: list  # of records.Estimate
    penalty: dict  # protocol -> fold -> what its validation cells chose

    @property
    def joint(self):
        """What counts: whole cells named jointly, where they were unseen as a whole."""
        return jointly(self.predictions[-1])


def run(run, chromosomes, *, sizes):
    """Train and test by each protocol of the run, and keep the numbers."""
    words = run.label | {"source": chromosomes.images.origin, "model": OURS}
    predictions, estimates, penalty = [], [], {}
    for name in run.protocols:
        said, penalty[name] = _crossed(run, chromosomes, name, sizes, words)
        predictions.append(said)
        estimates += score(said, rng=run.rng(f"scores {name}"))
    run.record_predictions(predictions)
    run.record_all(estimates)
    return Experiment(predictions, estimates, penalty)


def train(split, sizes, *, seed, upright, checkpoint=None):
    """The small network trained on a fold, and its history."""
    steps = min(EPOCH, sizes.steps)
    epochs = -(-sizes.steps // steps)
    model = network.ours(split.train, steps=steps * epochs, seed=seed, upright=upright)
    one_hot = np.eye(len(split.train.classes), dtype=np.float32)
    history = training.train(
        model,
        split.train.x,
        one_hot[split.train.y],
        epochs=epochs,
        steps=steps,
        batch=BATCH,
        seed=seed,
        checkpoint=checkpoint,
    )
    return model, history


def choose_penalty(probability, samples):
    """The penalty under which most validation images are named rightly; of equals, the
    one in the middle."""
    said = predict.predictions(samples, probability, source="validation")
    right = []
    for penalty in PENALTIES:
        named = assign.cells(said, penalty=penalty)
        right.append((named.assigned == named.truth).mean())
    best = np.flatnonzero(np.array(right) == max(right))
    return PENALTIES[best[len(best) // 2]]


def score(said, *, rng):
    """Each image by itself and, where whole cells were unseen, named jointly."""
    alone = _named(said, "one by one")
    estimates = list(metrics.measure(alone, *SCORES, rng=rng).values())
    if said.assigned is not None:
        estimates += metrics.measure(jointly(said), *WHOLE, rng=rng).values()
    return estimates


def jointly(said):
    """The predictions with the class for a label that the whole cell gave."""
    if said.assigned is None:
        return said
    joint = {"label": said.assigned, "probability": None, "uncertainty": None}
    return dataclasses.replace(_named(said, "jointly"), **joint)


def _named(said, how):
    return dataclasses.replace(said, conditions=said.conditions | {"named": how})


def _crossed(run, chromosomes, name, sizes, words):
    """Predictions of every image by the fold that did not see it."""
    seed, kept, chosen = run.given("seed"), [], {}
    splits = protocol.folds(chromosomes, protocol=name, seed=seed)
    for split in itertools.islice(splits, sizes.folds):
        file = run.folder / "folds" / f"{name}-{split.fold}.npz"
        said, penalty = _kept(file, split) or _fold(
            chromosomes, split, sizes, seed, file
        )
        chosen[split.fold] = penalty
        kept.append((split.test, said, penalty))
    test = kept[0][0]
    for part, _, _ in kept[1:]:
        test = test.concatenate(part)
    probability = np.concatenate([said for _, said, _ in kept])
    conditions = {"labels": "types", "folds": str(len(kept))}
    said = predict.predictions(
        test, probability, **words, protocol=name, conditions=conditions
    )
    return (_assigned(said, kept) if name == "clean" else said), chosen


def _fold(chromosomes, split, sizes, seed, file):
    """Train a fold, and keep what it says of its test images."""
    upright = chromosomes.upright
    checkpoint = file.with_suffix("")
    model, _ = train(split, sizes, seed=seed, upright=upright, checkpoint=checkpoint)
    held, said = (
        predict.views(model, part.x, upright=upright)
        for part in (split.validation, split.test)
    )
    penalty = choose_penalty(held, split.validation)
    file.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(file) as partial:
        np.savez(partial, said=said, penalty=penalty, image=split.test.image)
    return said, penalty


def _kept(file, split):
    """What a fold said before the run was stopped; None where it did not get there."""
    if not file.exists():
        return None
    with np.load(file, allow_pickle=False) as archive:
        if not np.array_equal(archive["image"], split.test.image):
            return None
        return archive["said"], float(archive["penalty"])


def _assigned(said, kept):
    """The predictions with each cell named jointly, by the penalty of its fold."""
    ends = np.cumsum([len(part) for part, _, _ in kept])
    named = [
        assign.cells(said.take(np.arange(end - len(part), end)), penalty=penalty)
        for end, (part, _, penalty) in zip(ends, kept, strict=True)
    ]
    assigned = np.concatenate([one.assigned for one in named])
    return dataclasses.replace(said, assigned=assigned)
