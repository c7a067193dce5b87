"""What the page asks of the trainings: tables and figures' contents, no pixels made.

`parts(split)`, `one_of_each(part, rng=)`, `tried(settings, scores)`, `bars(grid)`,
`gains(estimates)`, `heads(estimates)`, `elsewhere(estimates)`, `chains(estimates)`,
`stages(estimates)`, `kept_bars(kept)`, `kept_whole(kept)`
"""

import numpy as np
import pandas as pd

from chromolib.karyotype import judged
from chromolib.studies import headline
from chromolib.studies.shruti import abroad, chain, experiment, schemes

TYPES = {"labels": "types"}
HEADLINE = headline.Headline(
    claim="shruti-accuracy",
    score="accuracy on single chromosomes",
    picks={
        headline.PUBLISHED: [("accuracy", "bands", "published", TYPES)],
        headline.CLEAN: [("accuracy", "bands", "clean", TYPES)],
        headline.BEST: [
            ("accuracy", "bands", "clean", TYPES | {"named": "jointly"}),
            ("found and named", chain.SHIPPED, "clean", {"named": chain.JOINTLY}),
        ],
    },
    meaning="A small network stands here for VGG19, whose weights were not at hand. "
    "The report's classes are the cells of its set, not types of chromosome. Asked "
    "for the types, a network that sees each chromosome straight, and names those of "
    "a cell together, does what the report hoped for.",
)
ALONE = {"labels", "named"}  # conditions of what a grid scores, and of nothing else
WHOLE = ("accuracy", "whole-cell accuracy", "ECE", "sensitivity", "specificity")
WHOLE += ("exact karyotype, extra copy", "exact karyotype, others")


def parts(split):
    """How many images, cells and groups are in each part of a fold."""
    named = {"train": split.train, "validation": split.validation, "test": split.test}
    rows = [
        (name, len(part), len(set(map(tuple, cells_of(part)))), len(set(part.group)))
        for name, part in named.items()
    ]
    return pd.DataFrame(rows, columns=["part", "images", "cells", "groups"])


def cells_of(part):
    """(n, 2) the group and the cell of each image."""
    return np.stack([part.group.astype(str), part.cell.astype(str)], 1)


def one_of_each(part, *, rng):
    """A picture of each class that there is, and its caption."""
    present = [name for name in part.classes if name in set(part.label)]
    chosen = [rng.choice(np.flatnonzero(part.label == name)) for name in present]
    return part.x[chosen], [{"class": name} for name in present]


def tried(settings, scores):
    """A row of what was tried on the page: settings, and the scores by how it named."""
    found = {
        f"{one.quantity}, {one.conditions.get('named', 'one by one')}": one
        for one in scores
    }
    return settings | found


def bars(grid):
    """The accuracy of each protocol, each image by itself and the cell jointly."""
    return [one for one in grid.estimates if one.quantity == "accuracy"]


def gains(estimates):
    """What was compared on the same images: a step with it and without."""
    return [one for one in estimates if "gain of" in one.conditions]


def heads(estimates):
    """What the report's head says of types, and of the cells that were its classes."""
    return [one for one in estimates if one.model == schemes.REPORT]


def elsewhere(estimates):
    """What the network of one laboratory says in another."""
    return [
        one
        for one in estimates
        if abroad.LEARNED in one.conditions and one.quantity in WHOLE
    ]


def chains(estimates):
    """A row a measure of the whole chain, as a laboratory would have it; a column a
    finder."""
    jointly = (one for one in estimates if one.conditions.get("named") == chain.JOINTLY)
    return _table(jointly, lambda one: ("measure", one.quantity), lambda one: one.model)


def stages(estimates):
    """A row a finder: chromosomes right when found, when also named, and jointly."""
    right = (one for one in estimates if one.quantity == judged.RIGHT)

    def column(one):
        return f"named {one.conditions['named']}"

    return _table(right, lambda one: ("found by", one.model), column)


def _table(estimates, row, column):
    rows = {}
    for one in estimates:
        place = dict([("source", one.source), row(one)])
        rows.setdefault(tuple(place.values()), place)[column(one)] = one
    return pd.DataFrame(rows.values())


def kept_bars(kept):
    """The accuracy in published full runs, one by one and jointly."""
    return [one for one in kept if one.quantity == "accuracy" and _of_grid(one)]


def kept_whole(kept):
    """What published full runs found on unseen cells and cases."""
    return [
        one
        for one in kept
        if one.quantity in WHOLE
        and one.protocol == "clean"
        and (_of_grid(one) or "unit" in one.conditions)
    ]


def _of_grid(one):
    """Whether an estimate is a score of the grid of trainings."""
    return one.model in experiment.LEARNERS and set(one.conditions) <= ALONE
