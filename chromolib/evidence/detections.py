"""How well a detector finds and names, as Estimates that resample whole groups.

`estimates(truth, found, *, group, words, rng)` -> name -> Estimate
`counted(truth, once, …)` -> those of boxes that are sure enough alone, which is quick
`differences(truth, first, second, …)` -> likewise, of two detectors
`by_score(truth, once)` -> a row for each score from which boxes may count

A box is right where it overlaps a true one by half and has its name. Average precision
asks this at every score; recall, precision, F1 and counts ask it of boxes with a score
of at least `score`, one a chromosome. "every box found" is the share of images where
each true box is found and none besides, whatever their names.

Average precision with names wants a box for each name that a chromosome might have; all
else wants each chromosome `once`. A detector that was asked so gives these boxes too,
with how sure it is that there is any chromosome; else the surest of `found` are taken.
"""

import dataclasses

import numpy as np
import pandas as pd

from chromolib import intervals
from chromolib.detect import coco, scores
from chromolib.evidence import resample

SCORE = 0.5
LEVELS = np.arange(1, 20) / 20  # of the score
DRAWS = 300  # of average precision, which is no sum over images
COUNTED = ("recall", "precision", "F1", "count exact", "every box found")
AVERAGE = ("mAP", "AP50", "AP75")
ANY = "of any chromosome"  # names left out


def estimates(
    truth,
    found,
    *,
    group,
    words,
    rng,
    once=None,
    score=SCORE,
    draws=DRAWS,
    outlines=False,
):
    """All that is asked of one detector: average precision with names and without.

    With `outlines` average precision is of these, not of the upright boxes around them.
    """
    once = sure(found, 0) if once is None else once
    made = counted(truth, once, group=group, words=words, rng=rng, score=score)
    group, names = pd.factorize(np.asarray(group))
    times = _times(group, len(names), draws, rng)
    for name, (value, drawn) in _averages(
        truth, (found, once), times, outlines
    ).items():
        interval = _interval(value, drawn, len(names))
        made[name] = resample.estimate(words, name, interval, len(truth), len(names))
    return made


def counted(truth, once, *, group, words, rng, score=SCORE):
    """What is counted of boxes, one a chromosome, with a score of at least `score`."""
    group, names = pd.factorize(np.asarray(group))
    once = [each.take(each.score >= score) for each in once]
    rows = np.array([_row(*pair) for pair in zip(truth, once, strict=True)], float)
    table = np.zeros((len(names), rows.shape[1]))
    np.add.at(table, group, rows)
    both = table[:, 1] + table[:, 2]
    hits = np.column_stack([table[:, [0, 0]], 2 * table[:, 0], table[:, 3:5]])
    of = np.column_stack([table[:, 1:3], both, table[:, [5, 5]]])
    boxes = resample.rates(("boxes an image",), table[:, 2:3], table[:, 5:])
    boxes = dataclasses.replace(boxes, interval=_around)
    return resample.estimates(
        words, [resample.rates(COUNTED, hits, of), boxes], rng=rng
    )


def differences(truth, first, second, *, group, words, rng):
    """By how much the first detector's average precision exceeds the second's.

    Each is what it found, and the same with each chromosome once.
    """
    group, names = pd.factorize(np.asarray(group))
    times = _times(group, len(names), DRAWS, rng)
    both = [_averages(truth, pair, times) for pair in (first, second)]
    made = {}
    for name, (value, drawn) in both[0].items():
        other, others = both[1][name]
        gap, gaps = value - other, drawn - others
        low, high = resample.difference_interval(gap, gaps, len(names))
        quantity, size = f"difference in {name}", (len(truth), len(names))
        made[quantity] = resample.estimate(words, quantity, (gap, low, high), *size)
    return made


def sure(found, score=SCORE):
    """The boxes of each image that have at least this score, one a chromosome: of boxes
    that lie over each other the surest."""
    sure = [each.take(each.score >= score) for each in found]
    return [each.take(scores.once(each)) for each in sure]


def by_score(truth, once):
    """Precision, recall and F1 of boxes with at least a score, a row a score."""
    rows = []
    for level in LEVELS:
        left = (each.take(each.score >= level) for each in once)
        one = scores.detection(map(scores.named, truth, left))
        precision = one.precision if one.n_found else np.nan  # of no box at all
        rows.append({"precision": precision, "recall": one.recall, "F1": one.f1})
    return pd.DataFrame(rows, pd.Index(LEVELS, name="score"))


def _averages(truth, pair, times, outlines=False):
    """Name -> average precision, and that of each resample, which has each image so
    many times."""
    made = {}
    for found, named in zip(pair, (True, False), strict=True):
        classes = sorted({str(one) for each in (*truth, *found) for one in each.label})
        how = {"classes": classes, "named": named, "outlines": outlines}
        judged = coco.evaluate(truth, found, **how)
        whole, drawn = coco.scores(judged), coco.resampled(judged, times)
        for name in AVERAGE:
            quantity = name if named else f"{name} {ANY}"
            made[quantity] = whole[name], drawn[name]
    return made


def _around(value, drawn, groups, _):
    """The interval of a mean that no ceiling bounds."""
    reach = intervals.spread(drawn, groups)
    return max(0.0, value - reach), value + reach


def _row(truth, found):
    """Right, true and found boxes; whether the count is exact, and every box found."""
    right = len(scores.named(truth, found).truth)
    exact = len(truth) == len(found)
    every = exact and len(scores.match(truth, found).truth) == len(truth)
    return right, len(truth), len(found), exact, every, 1


def _times(group, groups, draws, rng):
    """How often each resample of groups has each image, (draws, images)."""
    drawn = [rng.integers(groups, size=groups) for _ in range(draws)]
    return np.array([np.bincount(one, minlength=groups)[group] for one in drawn])


def _interval(value, drawn, groups):
    low, high = intervals.interval(value, drawn[np.isfinite(drawn)], groups, 1.0)
    return value, low, high
