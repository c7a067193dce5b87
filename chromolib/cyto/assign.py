"""The chromosomes of a cell named together: two places a class, others at a price.

`cell(probability, penalty=, whole=)` -> the class of each image of one cell, as indices
`cells(predictions, penalty=)` -> the Predictions with `assigned`, cell by cell
`choose_penalty(predictions)` -> the penalty by which most of them are named rightly
`uneven(labels)` -> the classes of a cell with a copy too few, and with one too many
`confidence(probability, named, penalty=)` -> how sure the number of each class is

# Strategy: a place of a class costs minus the logarithm of its probability. Each
autosome has two places, and so have X and Y together: as XX or as XY, whichever is
cheaper. A place left empty costs the penalty, and so does each copy beyond; a trisomy
is thus named when the images say so by more than that. What may be no chromosome has
one more place, outside the cell, by its odds: a doubtful one is taken where the cell
lacks it. The cheapest way to fill places is a linear assignment, which scipy solves
exactly.
"""

import collections
import dataclasses

import numpy as np
from scipy import optimize

from chromolib import records

PENALTIES = (0.5, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0)  # of a copy more or fewer
BEYOND = 2  # copies of a class beyond the usual that a cell may have
LEAST = 1e-12  # probability: no class is impossible
# What is a chromosome by this chance is one, whatever its cell has or lacks: an extra
# copy that is seen well stays. Chosen on fields of Tseng that validate.
KEPT = 0.95
NEVER = 1e6  # the cost of what may not be
X, Y = (records.CLASSES.index(name) for name in "XY")


class CellError(ValueError):
    """Images that cannot be those of one cell."""


def _usual(sex):
    """How many copies of each class a normal cell of that sex has."""
    usual = np.full(len(records.CLASSES), 2)
    usual[[X, Y]] = sex
    return usual


USUAL = {"XX": _usual((2, 0)), "XY": _usual((1, 1))}
MOST = 46 + BEYOND * len(records.CLASSES)


def uneven(labels):
    """Classes with a copy too few, and with one too many, by the likelier sex."""
    copies = collections.Counter(labels)
    seen = np.array([copies[name] for name in records.CLASSES])
    usual = min(USUAL.values(), key=lambda one: np.abs(seen - one).sum())
    missing = np.repeat(records.CLASSES, np.maximum(usual - seen, 0))
    extra = np.repeat(records.CLASSES, np.maximum(seen - usual, 0))
    return missing.tolist(), extra.tolist()


def cell(probability, *, penalty, whole=None):
    """The class of each image of one cell, and what naming them so costs.

    `whole` is the chance of each to be one chromosome; what is taken for none has -1.
    """
    probability = np.asarray(probability, float)
    if not len(probability) <= MOST:
        raise CellError(
            f"{len(probability)} images of one cell, more than {MOST}; are several "
            "cells named alike?"
        )
    dear, out = -np.log(np.maximum(probability, LEAST)), None
    if whole is not None:
        odds = np.log(np.maximum(whole, LEAST) / np.maximum(1 - whole, LEAST))
        out = np.where(whole < KEPT, odds, NEVER)
    return min(
        (_filled(dear, usual, penalty, out) for usual in USUAL.values()),
        key=lambda named: named[1],
    )


def cells(predictions, *, penalty):
    """The predictions with `assigned`: the class of each image, its cell's others seen.

    The classes must be the 24.
    """
    return dataclasses.replace(
        predictions,
        assigned=named(
            predictions.group, predictions.cell, predictions.probability, penalty
        ),
    )


def choose_penalty(predictions):
    """The penalty under which most images are named rightly; of equals, the one in the
    middle. Of images that chose nothing else and test nothing."""
    right = []
    for penalty in PENALTIES:
        named = cells(predictions, penalty=penalty)
        right.append((named.assigned == named.truth).mean())
    best = np.flatnonzero(np.array(right) == max(right))
    return PENALTIES[best[len(best) // 2]]


def named(group, cells, probability, penalty):
    """(n,) the class of each image, cell by cell.

    What is called a cell and holds more images than any cell is named one by one.
    """
    assigned = np.empty(len(group), "<U2")
    for which in members(group, cells):
        classes = probability[which].argmax(1)
        if len(which) <= MOST:
            classes, _ = cell(probability[which], penalty=penalty)
        assigned[which] = np.array(records.CLASSES)[classes]
    return assigned


def confidence(probability, named, *, penalty):
    """The share of likelihood that the counts of an assigned cell have.

    Against them stand all counts with one copy moved from a class to another. Each of
    those has its own cheapest assignment: the shortest way through classes along which
    images give up their place to one another. As sure as the probabilities are right.
    """
    dear = -np.log(np.maximum(probability, LEAST))
    classes = np.arange(len(records.CLASSES))
    change = np.full((len(classes), len(classes)), np.inf)
    own = dear[np.arange(len(dear)), named]
    for k in np.unique(named):
        change[k] = (dear[named == k] - own[named == k, None]).min(0)
    for k in classes:  # Floyd and Warshall
        change = np.minimum(change, change[:, k, None] + change[k])
    counts = np.bincount(named, minlength=len(classes))
    moved = counts - np.eye(len(classes), dtype=int)[:, None] + np.eye(len(classes))
    change += _price(moved, penalty) - _price(counts, penalty)
    np.fill_diagonal(change, np.inf)
    return float(1 / (1 + np.exp(-change).sum()))


def _price(counts, penalty):
    """What counts of each class cost, by the sex that makes them cheaper."""
    return penalty * np.min(
        [np.abs(counts - usual).sum(-1) for usual in USUAL.values()], axis=0
    )


def members(group, cells):
    """The rows of each cell; cells of two groups are two, whatever their names."""
    names = np.stack([np.asarray(group, str), np.asarray(cells, str)], 1)
    _, which = np.unique(names, axis=0, return_inverse=True)
    order = np.argsort(which, kind="stable")
    return np.split(order, np.cumsum(np.bincount(which))[:-1])


def _filled(dear, usual, penalty, out=None):
    """The cheapest classes under one sex, and their cost with what stays empty.

    With `out`, the cost of each image outside the cell, class -1.
    """
    copies = usual + BEYOND
    of_class = np.repeat(np.arange(len(usual)), copies)
    number = np.arange(len(of_class)) - np.repeat(np.cumsum(copies) - copies, copies)
    price = np.where(number < usual[of_class], -penalty, penalty)
    cost = dear[:, of_class] + price
    if out is not None:
        own = np.where(np.eye(len(out), dtype=bool), out, NEVER)
        cost, of_class = np.hstack([cost, own]), np.append(of_class, [-1] * len(out))
    rows, places = optimize.linear_sum_assignment(cost)
    named = np.empty(len(dear), int)
    named[rows] = of_class[places]
    return named, float(cost[rows, places].sum() + penalty * usual.sum())
