"""Which step gives how many points: a short training, and the same without one of them.

`run(run, chromosomes, steps=)` -> what each gives, on the cells of the first clean fold
"""

import dataclasses

import numpy as np

from chromolib.imaging import normalise
from chromolib.models import inputs, predict
from chromolib.studies.shruti import experiment, protocol

WHOLE = "all steps"


def run(run, chromosomes, *, steps):
    """By how much accuracy falls without a step, on the same images, with intervals.

    Each is trained anew, but for the views, which are of the asking alone.
    """
    seed = run.given("seed")
    split = next(protocol.folds(chromosomes, protocol="clean", seed=seed))
    words = run.label | {"source": chromosomes.images.origin, "protocol": "clean"}
    words |= {"model": experiment.OURS, "conditions": {"labels": "types"}}
    without = {
        WHOLE: split,
        "augmentation": split,
        "laying straight": _each(split, _standing(chromosomes)),
        "size within the cell": _each(split, _same_size(chromosomes.samples)),
    }
    said, upright = {}, chromosomes.upright
    for name, part in without.items():
        how = {"augment": name != "augmentation", "seed": seed, "upright": upright}
        sizes = experiment.Sizes(steps=steps)
        model, _ = experiment.train(part, sizes, **how)
        chance = predict.views(model, part.test.x, upright=upright)
        said[name] = predict.predictions(part.test, chance, **words)
        if name == WHOLE:
            once = predict.probabilities(model, part.test.x)
            said["several views"] = predict.predictions(part.test, once, **words)
    whole = said.pop(WHOLE)
    gains = [
        experiment.gain(name, whole, other, rng=run.rng(f"without {name}"))
        for name, other in said.items()
    ]
    return run.record_all(sorted(gains, key=lambda one: -one.value))


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
