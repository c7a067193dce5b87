"""How much of metaphases came out right: found, named, counted, and who should look.

`row(truth, boxes, labels, wrong=)` -> what became of one field
`estimates(rows, group=, words=, rng=)` -> Estimates over many
`surest(rows)` -> those of the fields that nobody is asked to look at, and the others
"""

import collections

import numpy as np
import pandas as pd

from chromolib import intervals, records
from chromolib.cyto import assign, diagnose
from chromolib.detect import scores
from chromolib.evidence import resample

KEPT = 0.7  # of the fields, the surest ones, that nobody looks at
FOUND, RIGHT = "found", "found and named"
ALONE, CLOSE = "found, alone in its box", "found, others reach in"
EVERY, COUNT = "every box found", "count exact"  # none besides, whatever their names
RARE = "count exact where it is not 46"
MENDED = "corrections a karyogram"
WRONG_COPIES = "copies missing or extra"
EXACT, ODD = "exact karyotype", "exact karyotype, abnormal number"
SAID = "karyotype or a reason"
LOOKED = f"corrections, surest {KEPT:.0%}"
SPARED = f"fewer corrections, surest {KEPT:.0%}"


def row(truth, boxes, labels, *, wrong):
    """What became of one field; `wrong` is how many errors its answer expects.

    A person would move each chromosome with a wrong name, cut out each that is missing
    and remove each box that is of none: so many are its corrections.
    """
    labels, pairs = np.asarray(labels, str), scores.match(truth, boxes)
    right = int((truth.label[pairs.truth] == labels[pairs.found]).sum())
    found, (text, reason) = len(pairs.truth), diagnose.written(labels)
    true, ours = collections.Counter(truth.label), collections.Counter(labels)
    copies = sum(abs(true[name] - ours[name]) for name in records.CLASSES)
    shared = scores.box_iou(truth, truth)
    close = (shared * (1 - np.eye(len(truth)))).max(0, initial=0) > 0
    close_found = int(close[pairs.truth].sum())
    return {
        "true": len(truth),
        FOUND: found,
        RIGHT: right,
        CLOSE: close_found,
        ALONE: found - close_found,
        "close": int(close.sum()),
        EVERY: found == len(truth) == len(boxes),
        COUNT: len(boxes) == len(truth),
        MENDED: len(truth) + len(boxes) - found - right,
        WRONG_COPIES: copies,
        EXACT: copies == 0,
        "odd": any(assign.uneven(truth.label)),
        "rare": len(truth) != diagnose.WHOLE,
        SAID: bool(text or reason),
        "wrong": wrong,
    }


def surest(rows):
    """(n,) bool: the fields of which the fewest errors are expected."""
    wrong = np.array([one["wrong"] for one in rows])
    kept = np.zeros(len(rows), bool)
    kept[np.argsort(wrong, kind="stable")[: round(KEPT * len(rows))]] = True
    return kept


def estimates(rows, *, group, words, rng):
    """Every measure with its interval, over whole groups."""
    table, kept = pd.DataFrame(rows), surest(rows)
    group, names = pd.factorize(np.asarray(group))
    odd, rare = (table[name].to_numpy() for name in ("odd", "rare"))

    def sums(*columns):
        return np.stack([np.bincount(group, c, len(names)) for c in columns], 1)

    one = np.ones(len(table))
    table, mended = table.astype(float), table[MENDED].to_numpy(float)
    shares = resample.rates(
        (FOUND, RIGHT, CLOSE, ALONE, EVERY, COUNT, RARE, EXACT, SAID, ODD),
        sums(
            *(table[name] for name in (FOUND, RIGHT, CLOSE, ALONE, EVERY, COUNT)),
            *(table[COUNT] * rare, table[EXACT], table[SAID], table[EXACT] * odd),
        ),
        sums(
            *(table[name] for name in ("true", "true", "close")),
            *(table["true"] - table["close"], one, one, rare, one, one, odd),
        ),
    )
    means = resample.Tally(
        (MENDED, WRONG_COPIES, LOOKED, SPARED),
        sums(mended, table[WRONG_COPIES], mended * kept, one, kept),
        _means,
        sums(one, one, kept, kept),
        interval=_around,
    )
    return resample.estimates(words, [shares, means], rng=rng)


def _means(sums):
    """Means a field: of all, of the surest, and by how much these are fewer."""
    all_, copies, looked, n, kept = sums.T
    mean, surest_ = all_ / resample.nonzero(n), looked / resample.nonzero(kept)
    return np.stack([mean, copies / resample.nonzero(n), surest_, mean - surest_], 1)


def _around(value, drawn, groups, _):
    """The interval of a mean; of one that is never below 0, from there on."""
    drawn = drawn[np.isfinite(drawn)]
    reach = intervals.spread(drawn, groups)
    low = value - reach
    return max(low, 0.0) if drawn.min(initial=0) >= 0 else low, value + reach
