"""The network of one laboratory in another, as it is and after it has seen a few cells.

`asked(run, chromosomes, other, steps=)` -> estimates on the cells that are left
"""

import numpy as np

from chromolib.cyto import assign
from chromolib.evidence import calibration
from chromolib.models import predict, small
from chromolib.runs import rows
from chromolib.studies.shruti import experiment, network, protocol

LEARNED = "learned there"  # a condition
CELLS = 5  # each of another group, that the network may learn from
RATE = 5e-4  # of that learning


def asked(run, chromosomes, other, *, answer, steps):
    """The network of the first clean fold asked about another source's chromosomes.

    Both times on the same cells, and by the penalty that its own validation chose.
    """
    chosen = answer.chosen.iloc[0]
    few, rest = _few(other.samples, run.rng("cells to adapt to"))
    estimates = []
    for cells in (0, CELLS):
        model = _network(run, chromosomes)
        if cells:
            _learn(model, few, steps, run.given("seed"), other.upright)
        upright = chromosomes.upright and other.upright
        said = predict.predictions(
            rest,
            predict.views(model, rest.x, upright=upright),
            **run.label,
            source=other.images.origin,
            model=experiment.OURS,
            weights=chromosomes.images.origin,
            protocol="clean",
            conditions={"labels": "types", LEARNED: f"{cells} cells"},
        )
        said = calibration.temperature_scaled(said, chosen.temperature)
        said = assign.cells(said, penalty=chosen.penalty)
        estimates += experiment.score(said, rng=run.rng(f"abroad {cells}"))
    return run.record_all(estimates)


def _network(run, chromosomes):
    """The network that the first clean fold of the run has kept."""
    split = next(protocol.folds(chromosomes, protocol="clean", seed=run.given("seed")))
    how = {"seed": run.given("seed"), "upright": chromosomes.upright}
    model = network.ours(split.train, **how)
    file = experiment.place(run, experiment.OURS, "clean", split.fold)
    rows.fill(model, rows.read(file, {}))
    return model


def _learn(model, few, steps, seed, upright):
    """Learn on from a few cells, both ends up unless that is known."""
    x, y = few.x, few.y
    if not upright:
        x, y = np.concatenate([x, x[:, ::-1]]), np.concatenate([y, y])
    small.train(model, x, y, steps=steps, rate=RATE, seed=seed)


def _few(part, rng):
    """The images of one cell of a few groups each, and those of all other groups."""
    chosen = rng.permutation(np.unique(part.group))[:CELLS]
    first = [part.cell[part.group == group][0] for group in chosen]
    of_group = part.group[:, None] == chosen
    few = (of_group & (part.cell[:, None] == first)).any(1)
    return part.take(few), part.take(~of_group.any(1))
