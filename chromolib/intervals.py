"""95 % intervals: whole groups resampled where items hang together, or exact ones."""

import numpy as np
from scipy import special, stats

BLOCK = 1 << 21  # groups drawn at a time; bounds the memory, not the result


def share(correct, groups, *, rng, draws=2000):
    """The mean of `correct` with a 95 % interval: (value, low, high), all in [0, 1].

    Whole groups are drawn with replacement (cluster bootstrap); see `interval`.
    """
    correct, groups = np.asarray(correct, float), np.asarray(groups)
    if not len(correct) or correct.shape != groups.shape:
        raise ValueError("a share needs one group for each of at least one item")
    if not (correct.min() >= 0 and correct.max() <= 1):
        raise ValueError("a share is of values from 0 to 1")
    _, codes = np.unique(groups, return_inverse=True)
    hits, size = np.bincount(codes, weights=correct), np.bincount(codes)
    block, shares = max(1, BLOCK // len(size)), []
    for first in range(0, draws, block):
        picks = rng.integers(len(size), size=(min(block, draws - first), len(size)))
        shares.append(hits[picks].sum(1) / size[picks].sum(1))
    value = float(min(1, hits.sum() / size.sum()))
    return value, *interval(value, np.concatenate(shares), len(size))


def interval(value, draws, groups, ceiling=1.0):
    """The 95 % interval of a value from 0 to `ceiling`, from its resamples: low, high.

    The spread of the resamples, widened for few groups, on the scale of log-odds and
    with Student's t: near the ceiling, percentiles held the truth too seldom (see
    `test_metrics.py`). At an end, and where all groups agree, all resamples agree and
    the spread vanishes: the exact binomial interval over groups stands in, for 0 or 1
    the rule of three.
    """
    share = value / ceiling
    reach = spread(draws, groups) / ceiling
    if not 0 < share < 1 or not 1e-9 < reach < np.inf:
        low, high = binomial(min(1.0, share), groups)
    else:
        reach /= share * (1 - share)
        low, high = special.expit(special.logit(share) + np.array([-reach, reach]))
    return min(value, float(low) * ceiling), max(value, float(high) * ceiling)


def spread(draws, groups):
    """Half a 95 % interval as wide as resamples spread; infinite for a single group.

    A resample without what is measured (none of the class, say) is left out.
    """
    if groups < 2:
        return np.inf
    sd = draws[np.isfinite(draws)].std() * np.sqrt(groups / (groups - 1))
    return float(stats.t.ppf(0.975, groups - 1) * sd)


def binomial(share, groups):
    """Clopper and Pearson's interval of a share of groups; one-sided at an end.

    Scipy's takes whole numbers of successes only; a share of groups need not be one.
    """
    right, wrong = share * groups, (1 - share) * groups
    tail = 0.025 if 0 < share < 1 else 0.05
    low = stats.beta.ppf(tail, right, wrong + 1) if share > 0 else 0.0
    high = stats.beta.ppf(1 - tail, right + 1, wrong) if share < 1 else 1.0
    return float(min(low, share)), float(max(high, share))


def poisson(count, sure=0.95):
    """The exact interval of a Poisson mean, of which `count` were seen: low, high.

    Garwood's (1936). A plan may ask about a count that is not a whole number.
    """
    if not 0 <= count < np.inf:
        raise ValueError(f"a count is 0 or more, not {count}")
    tail = (1 - sure) / 2
    low = stats.chi2.ppf(tail, 2 * count) / 2 if count else 0.0
    return float(low), float(stats.chi2.ppf(1 - tail, 2 * count + 2) / 2)
