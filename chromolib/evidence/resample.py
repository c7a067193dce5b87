"""Numbers with 95 % intervals that resample whole groups, many numbers at once.

# Strategy: what a metric needs of a group are a few sums (how many images of a class,
# how many named rightly). They are taken once. A resample says how often each group was
# drawn, so all resamples of all sums are one matrix product, and a metric is read from
# the sums of a resample as it is read from those of the data. A metric of ranks needs
# the sums at each step of a ladder of scores. Where steps are too many, neighbours
# are joined for the resamples, whose spread is all that is used; the value is exact.
"""

import dataclasses
import typing

import numpy as np
import pandas as pd

from chromolib import intervals, records

BLOCK = 1 << 19  # numbers at a time; bounds the memory, not the result
TABLE = 1 << 20  # numbers in a table of sums, as a rule
FEWEST, MOST = 32, 1024  # steps of a ladder that are resampled
CEILING = {"AUGRC": 0.5, "NLL": -float(np.log(np.finfo(float).eps))}  # 1 where not said


@dataclasses.dataclass(frozen=True, eq=False)
class Tally:
    """Sums of each group, and how quantities are read from sums of any groups."""

    names: tuple  # (q,) of the quantities
    table: np.ndarray  # (groups, m)
    read: typing.Callable  # (draws, m) sums -> (draws, q); NaN where undefined
    value: np.ndarray  # (q,) of the data themselves
    n: np.ndarray  # (q,) how many images or cells each is of
    groups: np.ndarray  # (q,) in how many groups they are
    ends: typing.Callable | None = None  # in place of `interval`


@dataclasses.dataclass(frozen=True, eq=False)
class Numbered:
    """Predictions whose groups and classes are numbers, so that they can be summed."""

    said: records.Predictions
    which: np.ndarray  # (n,) the group of each image
    groups: int  # how many there are
    truth: np.ndarray  # (n,) place in said.classes
    label: np.ndarray  # (n,)
    wrong: np.ndarray  # (n,) bool

    def sums(self, column, width, values=None):
        """Sums by group and column: (groups, width)."""
        flat = np.bincount(self.which * width + column, values, self.groups * width)
        return flat.reshape(self.groups, width)

    def each(self, *values):
        """Sums by group of some values of the images: (groups, values)."""
        return np.concatenate([self.sums(0, 1, each * 1.0) for each in values], 1)


def number(predictions):
    """The predictions with numbers for groups, in order of appearance, and classes."""
    which, names = pd.factorize(predictions.group)
    classes = pd.Index(predictions.classes)
    sides = predictions.truth, predictions.label
    truth, label = (classes.get_indexer(side) for side in sides)
    return Numbered(predictions, which, len(names), truth, label, truth != label)


def tally(names, table, read, asked, value=None, ends=None):
    """A Tally; `asked` counts (groups, q) the images or cells that a quantity is of.

    The value is read from the whole table unless the table has joined steps.
    """
    if value is None:
        value = read(table.sum(0, keepdims=True))[0]
    n, groups = np.sum(asked, 0).astype(int), (np.asarray(asked) > 0).sum(0)
    return Tally(tuple(names), table, read, value, n, groups, ends)


def shares(names, hits, asked):
    """The Tally of shares, from what was hit and what was asked of each group."""

    def read(sums):
        return sums[:, : len(names)] / nonzero(sums[:, len(names) :])

    return tally(names, np.concatenate([hits, asked], 1), read, asked)


def nonzero(values):
    """The values, NaN instead of 0: what cannot be divided by has no answer."""
    return np.where(values == 0, np.nan, values)


def mean(values):
    """The mean of each row without its NaN; NaN where a row has nothing else."""
    known = np.isfinite(values)
    return np.where(known, values, 0).sum(1) / nonzero(known.sum(1))


def steps(groups, ladders=1):
    """How many steps of each ladder are resampled: the fewer, the larger the data."""
    return min(MOST, max(FEWEST, TABLE // (2 * groups * ladders)))


def ladder(numbered, score, columns, *, bins):
    """Sums at each step of a rising score: of the data (c, steps), of groups (g, c, b).

    `columns` are c masks over the images; no step is cut, so equal scores stay equal.
    """
    order = np.argsort(score)
    rising, marks = score[order], np.asarray(columns)[:, order]
    step = np.cumsum(np.r_[False, rising[1:] != rising[:-1]])
    whole = np.array([np.bincount(step, mark) for mark in marks])
    if whole.shape[1] > bins:
        step = _joined(whole, bins)[step]
    width = int(step[-1]) + 1
    place = numbered.which[order] * width + step
    size = numbered.groups * width
    table = [np.bincount(place[m], minlength=size).reshape(-1, width) for m in marks]
    return whole, np.stack(table, 1)


def _joined(whole, bins):
    """The bin of each step, so that what changes places in a resample stays apart.

    A run of steps with nothing of the first column, or with nothing else, can be one
    bin: no order is lost. Where more runs than bins remain, bins hold like shares of
    the runs, of the first column and of the rest.
    """
    first, rest = whole[0], whole[-1] - whole[0]
    mixed, kind = (first > 0) & (rest > 0), first > 0
    run = np.cumsum(np.r_[False, mixed[1:] | mixed[:-1] | (kind[1:] != kind[:-1])])
    if run[-1] < bins:
        return run
    mass = sum(part.cumsum() / max(part.sum(), 1) for part in (first, rest))
    mass += (run + 1) / (run[-1] + 1)
    return np.unique((mass * bins / 3.0001).astype(int), return_inverse=True)[1]


def drawn(tallies, *, rng, draws=2000):
    """All quantities of each tally in each resample: (draws, q) each.

    One resample serves all tallies, so quantities of the same groups can be compared.
    """
    groups = len(tallies[0].table)
    tables = [tally.table.astype(np.float32) for tally in tallies]
    widest = max(groups, *(table.shape[1] for table in tables))
    parts = [[] for _ in tallies]
    step = max(1, BLOCK // widest)
    for first in range(0, draws, step):
        weights = _weights(groups, min(step, draws - first), rng)
        for part, tally, table in zip(parts, tallies, tables, strict=True):
            part.append(tally.read(weights @ table))
    return [np.concatenate(part) for part in parts]


def _weights(groups, draws, rng):
    """How often each group is drawn in each resample, (draws, groups)."""
    picks = rng.integers(groups, size=(draws, groups))
    picks += np.arange(draws)[:, None] * groups
    counts = np.bincount(picks.ravel(), minlength=draws * groups)
    return counts.reshape(draws, groups).astype(np.float32)


def estimates(predictions, tallies, *, rng, draws=2000):
    """Every defined quantity of the tallies with its interval: name -> Estimate."""
    found = {}
    for tally, values in zip(
        tallies, drawn(tallies, rng=rng, draws=draws), strict=True
    ):
        for i in np.flatnonzero(np.isfinite(tally.value)):
            name, groups = tally.names[i], int(tally.groups[i])
            value = float(tally.value[i])
            ends = tally.ends or intervals.interval
            low, high = ends(value, values[:, i], groups, CEILING.get(name, 1.0))
            found[name] = records.Estimate(
                quantity=name,
                value=value,
                low=low,
                high=high,
                n=int(tally.n[i]),
                groups=groups,
                **predictions.words,
            )
    return found
