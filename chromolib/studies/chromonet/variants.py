"""ChromoNet trained otherwise: on more sources, by other readings, with other settings.

All take an `experiment.Experiment`; the Estimates are of networks trained anew.
"""

import dataclasses

from chromolib.evidence import between, metrics
from chromolib.models import predict, weights
from chromolib.studies.chromonet import experiment, network, questions


def learning(grid, numbers, *, rng):
    """Accuracy by the number of source images, clean: ChromoNet and an SVM."""
    numbers = [n for n in numbers if n <= len(grid.images.pool)]
    own = grid.sizes.sources if grid.protocol == "clean" else None
    predictions = [
        p for count in numbers if count != own for p in _with_sources(grid, count)
    ]
    predictions += _learned(grid) if own in numbers else []
    return [
        estimate
        for p in predictions
        for estimate in metrics.measure(p, "accuracy", rng=rng).values()
    ]


def _with_sources(grid, count):
    """Predictions of ChromoNet and the SVM after so many source images."""
    sizes = dataclasses.replace(grid.sizes, sources=count)
    split = experiment.divide(grid.images, "clean", sizes, seed=grid.seed)
    conditions = {"unit": grid.images.unit, "labels": "true", "sources": split.drawn}
    words = grid.words | {"protocol": "clean", "conditions": conditions}
    trained = experiment.train(split, sizes, seed=grid.seed, origin=grid.origin)
    first = words | {"model": experiment.CHROMONET}
    only = (experiment.RIVAL,)
    rivals = experiment.rivals(split, words, seed=grid.seed, names=only)
    return [predict.predict(trained.network, split.test, **first), *rivals]


def _learned(grid):
    """What the grid itself says of its own number of source images."""
    conditions = {"sources": grid.chromonet().split.drawn}
    models = experiment.CHROMONET, experiment.RIVAL
    found = [grid.pick(model=model) for model in models]
    return [dataclasses.replace(p, conditions=p.conditions | conditions) for p in found]


def readings(grid, names, *, rng):
    """AUROC of other readings of the paper's network, after that of the one taken.

    No weights fit them all, so each begins with none.
    """
    split, name = grid.chromonet().split, "AUROC of abnormal"
    estimates, words = [], grid.pick().words | {"weights": weights.NOWHERE.word}
    for reading, how in network.READINGS.items():
        if how and reading not in names:
            continue
        if how or grid.origin != weights.NOWHERE:
            trained = experiment.train(split, grid.sizes, seed=grid.seed, **how)
            predictions = predict.predict(trained.network, split.test, **words)
        else:
            predictions = grid.pick()
        estimates += questions.measured(predictions, name, rng=rng, reading=reading)
    return estimates


def settings(grid, trials, *, rng):
    """What even labels and the rate and batch that a search chose add: Estimates.

    Each is trained anew on the same split; a gain is over the network of the grid. By
    the published protocol other copies make another test, so labels stay as they are.
    """
    first, name = grid.chromonet(), "AUROC of abnormal"
    split, ways = first.split, []
    if split.protocol == "clean":
        how = {"seed": grid.seed, "even": True}
        even = experiment.divide(grid.images, "clean", grid.sizes, **how)
        ways.append(("even labels", even, {}))
    best = trials.sort_values("validation loss").iloc[0]
    tuned = {"rate": best["learning rate"], "batch": int(best["batch size"])}
    found, words = [], grid.pick().words
    for setting, part, how in (*ways, ("tuned", split, tuned)):
        how = {"seed": grid.seed, "origin": grid.origin} | how
        trained = experiment.train(part, grid.sizes, **how)
        predictions = predict.predict(trained.network, part.test, **words)
        found += questions.measured(predictions, name, rng=rng, setting=setting)
        (gain,) = between.paired(predictions, grid.pick(), name, rng=rng).values()
        own = gain.conditions | {"setting": setting}
        found.append(dataclasses.replace(gain, conditions=own, model=first.model))
    return found
