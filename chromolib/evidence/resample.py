"""Metrics with 95 % intervals that resample whole groups, many metrics at once.

# Strategy: what a metric needs of a group are a few sums (how many images of a class,
# how many labelled correctly). They are taken once. A resample says how often each
# group was drawn, so all resamples of all sums are one matrix product, and a metric is
# read from the sums of a resample as it is read from those of the data. A metric of
# ranks needs the sums at each threshold of a score. Where thresholds are too many,
# neighbours are joined for the resamples, whose spread is all that is used; the value
# is exact.
"""

import dataclasses
import typing

import numpy as np
import pandas as pd

from chromolib import intervals, records

BLOCK = 1 << 19  # numbers at a time; bounds the memory, not the result
TABLE = 1 << 20  # numbers in a table of sums, as a rule
FEWEST_BINS, MOST_BINS = 32, 1024  # of the thresholds that are resampled
CEILING = {"AUGRC": 0.5, "NLL": -float(np.log(np.finfo(float).eps))}  # else it is 1


@dataclasses.dataclass(frozen=True, eq=False)
class Tally:
    """Sums of each group, and how metrics are read from the sums of any groups."""

    names: tuple  # (q,) of the metrics
    table: np.ndarray  # (groups, m)
    read: typing.Callable  # (draws, m) sums -> (draws, q); NaN where undefined
    support: np.ndarray  # (groups, q) how many images or cells a metric is of
    value: np.ndarray | None = None  # (q,) of the data; read from the table if None
    groups: np.ndarray | None = None  # (q,) that a metric is of; by support if None
    interval: typing.Callable | None = None  # in place of `intervals.interval`

    def __post_init__(self):
        if self.value is None:
            value = self.read(self.table.sum(0, keepdims=True))[0]
            object.__setattr__(self, "value", value)
        if self.groups is None:
            object.__setattr__(self, "groups", (self.support > 0).sum(0))

    @property
    def n(self):
        """How many images or cells each metric is of."""
        return self.support.sum(0).astype(int)


@dataclasses.dataclass(frozen=True, eq=False)
class Encoded:
    """Predictions whose groups and classes are numbers, so that they can be summed."""

    predictions: records.Predictions
    group: np.ndarray  # (n,) in order of appearance
    groups: int  # how many there are
    truth: np.ndarray  # (n,) place in predictions.classes
    label: np.ndarray  # (n,)
    wrong: np.ndarray  # (n,) bool

    def sums(self, column, width, weights=None):
        """Sums by group and column: (groups, width)."""
        flat = np.bincount(self.group * width + column, weights, self.groups * width)
        return flat.reshape(self.groups, width)

    def totals(self, *values):
        """Sums by group of some values of the images: (groups, values)."""
        return np.concatenate([self.sums(0, 1, each * 1.0) for each in values], 1)


def encode(predictions):
    """The predictions with numbers for groups and classes."""
    group, names = pd.factorize(predictions.group)
    classes = pd.Index(predictions.classes)
    truth = classes.get_indexer(predictions.truth)
    label = classes.get_indexer(predictions.label)
    return Encoded(predictions, group, len(names), truth, label, truth != label)


def rates(names, hits, support):
    """The Tally of rates: hits over support, both (groups, q)."""

    def read(sums):
        return sums[:, : len(names)] / nonzero(sums[:, len(names) :])

    return Tally(tuple(names), np.concatenate([hits, support], 1), read, support)


def nonzero(values):
    """The values with NaN for 0: what cannot be divided by gives no value."""
    return np.where(values == 0, np.nan, values)


def mean(values):
    """The mean of each row without its NaN; NaN where a row has nothing else."""
    finite = np.isfinite(values)
    return np.where(finite, values, 0).sum(1) / nonzero(finite.sum(1))


def by_threshold(encoded, score, masks, *, bins=None, scores=1):
    """Sums at each threshold of a rising score: of all (c, t), of groups (g, c, bins).

    `masks` are c over the images, the last of all images; equal scores stay together.
    Of several scores in one table, each gets its share of the bins.
    """
    if bins is None:  # the fewer, the larger the data
        bins = TABLE // (2 * encoded.groups * scores)
        bins = min(MOST_BINS, max(FEWEST_BINS, bins))
    order = np.argsort(score)
    rising, masks = score[order], np.asarray(masks)[:, order]
    step = np.cumsum(np.r_[False, rising[1:] != rising[:-1]])
    whole = np.array([np.bincount(step, mask) for mask in masks])
    if whole.shape[1] > bins:
        step = _joined(whole, bins)[step]
    width = int(step[-1]) + 1
    place, size = encoded.group[order] * width + step, encoded.groups * width
    table = [np.bincount(place[m], minlength=size).reshape(-1, width) for m in masks]
    return whole, np.stack(table, 1)


def _joined(whole, bins):
    """The bin of each threshold, so that what changes places in a resample is not one.

    A run of thresholds with nothing of the first mask, or with nothing else, can be one
    bin: no order is lost. Where more runs than bins remain, bins hold equal shares of
    the runs, of the first mask and of the rest.
    """
    first, rest = whole[0], whole[-1] - whole[0]
    mixed, kind = (first > 0) & (rest > 0), first > 0
    run = np.cumsum(np.r_[False, mixed[1:] | mixed[:-1] | (kind[1:] != kind[:-1])])
    if run[-1] < bins:
        return run
    mass = sum(side.cumsum() / max(side.sum(), 1) for side in (first, rest))
    mass += (run + 1) / (run[-1] + 1)
    return np.unique((mass * bins / 3.0001).astype(int), return_inverse=True)[1]


def resampled(tallies, *, rng, draws=2000):
    """All metrics of each tally in each resample: (draws, q) each.

    One resample serves all tallies, so metrics of the same groups can be compared.
    """
    groups = len(tallies[0].table)
    tables = [tally.table.astype(np.float32) for tally in tallies]
    block = max(1, BLOCK // max(groups, *(table.shape[1] for table in tables)))
    rows = []
    for first in range(0, draws, block):
        times = _times_drawn(groups, min(block, draws - first), rng)
        pairs = zip(tallies, tables, strict=True)
        rows.append([tally.read(times @ table) for tally, table in pairs])
    return [np.concatenate(blocks) for blocks in zip(*rows, strict=True)]


def _times_drawn(groups, draws, rng):
    """How often each group is drawn in each resample, (draws, groups)."""
    picks = rng.integers(groups, size=(draws, groups))
    picks += np.arange(draws)[:, None] * groups
    counts = np.bincount(picks.ravel(), minlength=draws * groups)
    return counts.reshape(draws, groups).astype(np.float32)


def estimates(words, tallies, *, rng, draws=2000):
    """Every defined metric of the tallies with its interval: name -> Estimate.

    `words` are those of Predictions: source, study, model, …
    """
    made = {}
    values = resampled(tallies, rng=rng, draws=draws)
    for tally, drawn in zip(tallies, values, strict=True):
        sizes = tally.n
        for i in np.flatnonzero(np.isfinite(tally.value)):
            name, value = tally.names[i], float(tally.value[i])
            n, groups = int(sizes[i]), int(tally.groups[i])
            ends = tally.interval or intervals.interval
            low, high = ends(value, drawn[:, i], groups, CEILING.get(name, 1.0))
            made[name] = estimate(words, name, (value, low, high), n, groups)
    return made


def estimate(words, quantity, interval, n, groups):
    """One Estimate of (value, low, high), with the words of Predictions."""
    value, low, high = interval
    measured = {"value": value, "low": low, "high": high, "n": n, "groups": groups}
    return records.Estimate(quantity=quantity, **measured, **words)


def difference_interval(value, draws, groups, ceiling=1.0):
    """The interval of a difference; where no group differs, what one more could do."""
    reach = intervals.spread(draws, groups)
    if reach < 1e-6 * ceiling:
        reach = ceiling * intervals.binomial(0.0, groups)[1]
    return max(-ceiling, value - reach), min(ceiling, value + reach)
