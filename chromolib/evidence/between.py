"""Models against each other on the same images, and one model over several seeds."""

import dataclasses

import numpy as np
import pandas as pd
from scipy import stats

from chromolib import intervals, records
from chromolib.evidence import metrics, resample


@dataclasses.dataclass(frozen=True)
class McNemar:
    """Images by which of two models named them rightly, and the exact p of the test."""

    both: int
    first: int  # the first model alone
    second: int
    neither: int
    p: float


def aligned(first, second):
    """The second predictions in the order of the first; refuses other images."""
    order = pd.Index(second.image).get_indexer(first.image)
    if len(first) != len(second) or (order < 0).any():
        raise ValueError(
            f"two models of {len(first)} and {len(second)} images, "
            f"{(order < 0).sum()} of the first not among the second; "
            "models are compared on the same images: predict them with both"
        )
    if first.classes != second.classes:
        raise ValueError("two models of other classes; give both the same, in order")
    second = second.take(order)
    for name in ("truth", "group"):
        differ = getattr(first, name) != getattr(second, name)
        if differ.any():
            image = str(first.image[differ.argmax()])
            raise ValueError(f"image {image!r} has another {name} for each model")
    return second


def mcnemar(first, second):
    """Whether one of two models is right more often, by McNemar's exact test.

    It takes images to be independent. Where several are of one group, give it
    `metrics.by_group` of both, or trust `paired` instead.
    """
    second = aligned(first, second)
    one, other = (each.truth == each.label for each in (first, second))
    alone = int((one & ~other).sum()), int((other & ~one).sum())
    p = stats.binomtest(alone[0], sum(alone)).pvalue if any(alone) else 1.0
    both, neither = int((one & other).sum()), int((~one & ~other).sum())
    return McNemar(both, *alone, neither, float(p))


def paired(first, second, *names, rng, draws=2000):
    """By how much the first model exceeds the second: name -> Estimate of it.

    Both are read from the same resamples of groups. Names as in `metrics.measure`.
    """
    second = aligned(first, second)
    sides = [metrics.tallied(each, names) for each in (first, second)]
    values = resample.drawn(sides[0] + sides[1], rng=rng, draws=draws)
    one = _columns(sides[0], values[: len(sides[0])])
    other = _columns(sides[1], values[len(sides[0]) :])
    words = first.words | {"model": f"{first.model} - {second.model}"}
    found = {}
    for name in names or [name for name in one if name in other]:
        (here, *_), (there, *_) = one[name], other[name]
        _, n, groups = min(one[name], other[name], key=lambda side: side[2])
        value = float(here[0] - there[0])
        low, high = _apart(here, there, groups, name)
        quantity = f"difference in {name}"
        found[name] = records.Estimate(
            quantity=quantity,
            value=value,
            low=low,
            high=high,
            n=n,
            groups=groups,
            **words,
        )
    return found


def _columns(tallies, values):
    """The value and the draws of each defined quantity, and what it is of."""
    return {
        name: (
            np.r_[tally.value[i], drawn[:, i]],
            int(tally.n[i]),
            int(tally.groups[i]),
        )
        for tally, drawn in zip(tallies, values, strict=True)
        for i, name in enumerate(tally.names)
        if np.isfinite(tally.value[i])
    }


def _apart(here, there, groups, name):
    """The interval of a difference, from the intervals of both sides.

    Near its ceiling a score can fall further than rise, and so can a difference
    (Zou, 2007: half-widths joined, less what the sides have in common; that
    correlation is of the resamples).
    """
    ceiling = resample.CEILING.get(name, 1.0)
    value, draws = float(here[0] - there[0]), here[1:] - there[1:]
    if intervals.spread(draws, groups) < 1e-6 * ceiling or groups < 2:
        return _difference(value, draws, groups, name)
    known = np.isfinite(here) & np.isfinite(there)
    with np.errstate(invalid="ignore", divide="ignore"):
        close = np.nan_to_num(np.corrcoef(here[1:][known[1:]], there[1:][known[1:]]))
    (low1, high1), (low2, high2) = (
        intervals.interval(side[0], side[1:], groups, ceiling) for side in (here, there)
    )
    below, above = here[0] - low1, high1 - here[0]
    under, over = there[0] - low2, high2 - there[0]
    twice = 2 * close[0, 1]
    down = np.sqrt(max(0.0, below**2 + over**2 - twice * below * over))
    up = np.sqrt(max(0.0, above**2 + under**2 - twice * above * under))
    return max(-ceiling, value - float(down)), min(ceiling, value + float(up))


def _difference(value, draws, groups, name):
    """The interval of a difference; where no group differs, what one more could do."""
    ceiling = resample.CEILING.get(name, 1.0)
    reach = intervals.spread(draws, groups)
    if reach < 1e-6 * ceiling:
        reach = ceiling * intervals._binomial(0.0, groups)[1]
    return max(-ceiling, value - reach), min(ceiling, value + reach)


@dataclasses.dataclass(frozen=True)
class Pooled:
    """One quantity over several seeds: both spreads apart, and together."""

    estimate: records.Estimate  # the mean over seeds, with the interval of both
    over_cases: tuple  # low, high of the mean, had every seed been tried
    over_seeds: tuple  # low, high of the mean, had every case been seen


def pool(estimates, *, within=None):
    """The mean over seeds, how sure it is for the cases, for the seeds, and for both.

    All seeds were tested on the same cases, so more seeds do not narrow what the cases
    leave open; the two half-widths are joined as independent ones. `within` are the
    lowest and highest values that a quantity can have which `metrics` does not know.
    """
    estimates = list(estimates)
    within = within or _limits(estimates[0].quantity)
    _poolable(estimates, within)
    values = np.array([each.value for each in estimates])
    value, count = float(values.mean()), len(values)
    below = value - np.mean([each.low for each in estimates])
    above = np.mean([each.high for each in estimates]) - value
    reach = stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / np.sqrt(count)

    def ends(low, high):
        return max(within[0], float(value - low)), min(within[1], float(value + high))

    low, high = ends(np.hypot(below, reach), np.hypot(above, reach))
    seeds = " ".join(str(each.seed) for each in estimates)
    conditions = estimates[0].conditions | {"seeds": seeds}
    pooled = dataclasses.replace(
        estimates[0], value=value, low=low, high=high, conditions=conditions
    )
    return Pooled(pooled, ends(below, above), ends(reach, reach))


def _limits(quantity):
    """The lowest and highest value of a quantity, or of a difference in one."""
    name = quantity.removeprefix("difference in ").removeprefix("difference from ")
    ceiling = resample.CEILING.get(name, 1.0)
    return (0.0 if name == quantity else -ceiling), ceiling


def _poolable(estimates, within):
    """Refuse what are no estimates of one quantity by several seeds."""
    if len({each.seed for each in estimates}) < max(2, len(estimates)):
        raise ValueError("pooling needs one estimate of each of at least two seeds")
    for name in ("quantity", *records.WORDS, "groups"):
        kinds = {str(getattr(each, name)) for each in estimates}
        if name != "seed" and len(kinds) > 1:
            raise ValueError(f"seeds differ in {name}: {sorted(kinds)}")
    for each in estimates:
        if not within[0] <= each.low <= each.high <= within[1]:
            raise ValueError(
                f"{each.quantity} of {each} is not from {within[0]:g} to "
                f"{within[1]:g}; say in `within` what it can be"
            )
