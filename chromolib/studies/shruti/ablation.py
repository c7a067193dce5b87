"""Which step gives how many points: a training, and the same without one, or with one
more.

`run(run, chromosomes, sizes=)` -> what each gives, on the cells of the first clean fold
"""

import dataclasses

import numpy as np

from chromolib import streams
from chromolib.imaging import normalise
from chromolib.models import inputs, predict
from chromolib.studies.shruti import data, experiment, protocol
from chromolib.synth import lab, singles

DRAWN = "first weights from drawn cells"
MEAN, DISTILLED = "mean of networks", "taught by that mean"
LOOKS = "g", "q"  # of drawn cells, as many of each
DRAWING = 1000  # added to their seed: other cells than a drawn source has


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How long each training is; what takes several more is left out where it is 0."""

    steps: int = 1200
    cells: int = 60  # drawn, to learn from first
    networks: int = 3  # whose mean is taken


def run(run, chromosomes, *, sizes):
    """By how much accuracy rises by a step, on the same images, with intervals.

    Each is trained anew, but for the views, which are of the asking alone.
    """
    words = run.label | {"source": chromosomes.images.origin, "protocol": "clean"}
    words |= {"model": experiment.OURS, "conditions": {"labels": "types"}}
    seed = run.given("seed")
    split = next(protocol.folds(chromosomes, protocol="clean", seed=seed))
    step = _Step(split, sizes, seed, chromosomes.upright, words)
    model = step.trained()
    whole = step.said(model)
    pairs = [
        *((name, whole, said) for name, said in _less(step, chromosomes, model)),
        *((name, said, whole) for name, said in _more(step, model)),
    ]
    gains = [
        experiment.gain(name, first, second, rng=run.rng(f"step {name}"))
        for name, first, second in pairs
    ]
    return run.record_all(sorted(gains, key=lambda one: -one.value))


@dataclasses.dataclass(frozen=True, eq=False)
class _Step:
    """What all trainings here have in common."""

    split: protocol.Split
    sizes: Sizes
    seed: int
    upright: bool
    words: dict  # of the predictions

    def trained(self, split=None, **changes):
        """A network that learned from a fold, by default from this one."""
        length = experiment.Sizes(steps=self.sizes.steps)
        how = {"seed": self.seed, "upright": self.upright} | changes
        return experiment.train(split or self.split, length, **how)[0]

    def said(self, model, split=None):
        """What it says of the test images, in all views."""
        x = (split or self.split).test.x
        return self.meant(predict.views(model, x, upright=self.upright))

    def meant(self, chance):
        """Probabilities of the test images as Predictions."""
        return predict.predictions(self.split.test, chance, **self.words)


def _less(step, chromosomes, model):
    """Name and predictions of each training that lacks a step."""
    once = predict.probabilities(model, step.split.test.x)
    yield "several views", step.meant(once)
    yield "augmentation", step.said(step.trained(augment=False))
    for name, part in (
        ("laying straight", _standing(chromosomes)),
        ("size within the cell", _same_size(chromosomes.samples)),
    ):
        split = _each(step.split, part)
        yield name, step.said(step.trained(split), split)


def _more(step, model):
    """Likewise of those that have a step more; each takes two trainings or three."""
    if step.sizes.cells:
        drawn = _drawn(step.sizes.cells, step.seed)
        first = step.trained(dataclasses.replace(step.split, train=drawn))
        yield DRAWN, step.said(step.trained(first=first.get_weights()))
    if step.sizes.networks > 1:
        others = range(1, step.sizes.networks)
        seeds = [streams.seed_of(step.seed, f"network {i}") for i in others]
        several = [model, *(step.trained(seed=seed) for seed in seeds)]
        said = [step.said(one).probability for one in several]
        yield MEAN, step.meant(np.mean(said, axis=0))
        x = step.split.train.x
        wanted = np.mean([predict.probabilities(one, x) for one in several], axis=0)
        yield DISTILLED, step.said(step.trained(wanted=wanted))


def _drawn(cells, seed):
    """Chromosomes of drawn cells, half of them in either staining."""
    first, second = (
        data.prepared(
            singles.images(lab.cells(-(-cells // 2), look=look, seed=seed + DRAWING)),
            upright=True,
            real=False,
        ).samples
        for look in LOOKS
    )
    return first.concatenate(second)


def _each(split, part):
    """The fold with other pictures of the same images."""
    order = {name: i for i, name in enumerate(part.image)}
    parts = {
        name: part.take([order[image] for image in getattr(split, name).image])
        for name in ("train", "validation", "test")
    }
    return dataclasses.replace(split, **parts)


def _standing(chromosomes):
    """The chromosomes as they stand in their pictures, as large as in their cell."""
    x, _ = inputs.laid(chromosomes.images, canvas=inputs.FINE, standing=True)
    return dataclasses.replace(chromosomes.samples, x=x)


def _same_size(part):
    """The chromosomes all of one area, each as large as the mean one of its cell."""
    x = np.zeros_like(part.x)
    wanted = inputs.SIDE * part.x.shape[1]
    for i, ink in enumerate(part.x[..., 0]):
        scale = wanted / np.sqrt(max((ink > 0).sum(), 1))
        rows, columns = (np.flatnonzero(ink.any(axis)) for axis in (1, 0))
        if len(rows):
            cut = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
            x[i, ..., 0] = inputs.placed(normalise.resize(cut, scale), inputs.FINE)
    return dataclasses.replace(part, x=x)
