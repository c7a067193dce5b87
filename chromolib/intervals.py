"""95 % intervals that resample whole groups: what is not independent stays together."""

import numpy as np
from scipy import stats

BLOCK = 1 << 21  # groups drawn at a time; bounds the memory, not the result


def share(correct, groups, *, rng, draws=2000):
    """The mean of `correct` with a 95 % interval: (value, low, high), all in [0, 1].

    Whole groups are drawn with replacement (cluster bootstrap). The percentiles are
    those of Hesterberg (Am. Stat. 2015), wider where groups are few. Where all groups
    have one mean all draws would agree and the interval would vanish: the exact
    binomial interval over groups stands in, for 0 or 1 the rule of three.
    """
    correct, groups = np.asarray(correct, float), np.asarray(groups)
    if not len(correct) or correct.shape != groups.shape:
        raise ValueError("a share needs one group for each of at least one item")
    if not (correct.min() >= 0 and correct.max() <= 1):
        raise ValueError("a share is of values from 0 to 1")
    _, which = np.unique(groups, return_inverse=True)
    hits, size = np.bincount(which, weights=correct), np.bincount(which)
    value = float(min(1, hits.sum() / size.sum()))
    if np.ptp(hits / size) < 1e-9:
        return value, *_binomial(value, len(size))
    means = _resampled(hits, size, rng, draws)
    low, high = np.quantile(means, _tails(len(size)))
    return value, float(min(low, value)), float(min(1, max(high, value)))


def _tails(groups):
    """The expanded percentiles: 2.5 and 97.5 % for many groups, further out for few."""
    reach = np.sqrt(groups / (groups - 1)) * stats.t.ppf(0.975, groups - 1)
    return stats.norm.cdf([-reach, reach])


def _resampled(hits, size, rng, draws):
    step = max(1, BLOCK // len(size))
    parts = []
    for first in range(0, draws, step):
        shape = min(step, draws - first), len(size)
        picks = rng.integers(len(size), size=shape)
        parts.append(hits[picks].sum(1) / size[picks].sum(1))
    return np.concatenate(parts)


def _binomial(value, groups):
    """Clopper and Pearson's interval for `value` of `groups`; one-sided at an end."""
    right, wrong = value * groups, (1 - value) * groups
    tail = 0.025 if 0 < value < 1 else 0.05
    low = stats.beta.ppf(tail, right, wrong + 1) if value > 0 else 0.0
    high = stats.beta.ppf(1 - tail, right + 1, wrong) if value < 1 else 1.0
    return float(min(low, value)), float(max(high, value))
