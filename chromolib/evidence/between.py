"""Models against each other on the same images, and one model over several seeds."""

import dataclasses

import numpy as np
import pandas as pd
from scipy import stats

from chromolib import intervals, records
from chromolib.evidence import metrics, resample


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


def paired(first, second, *names, rng, draws=2000):
    """By how much the first model exceeds the second: name -> Estimate of it.

    Both are read from the same resamples of groups. Names as in `metrics.measure`.
    """
    second = aligned(first, second)
    sides = [metrics.tallied(each, names) for each in (first, second)]
    values = resample.resampled(sides[0] + sides[1], rng=rng, draws=draws)
    one = _columns(sides[0], values[: len(sides[0])])
    other = _columns(sides[1], values[len(sides[0]) :])
    words = first.words | {"model": f"{first.model} - {second.model}"}
    made = {}
    for name in names or [name for name in one if name in other]:
        (a, *_), (b, *_) = one[name], other[name]
        _, n, groups = min(one[name], other[name], key=lambda side: side[2])
        interval = float(a[0] - b[0]), *_joined(a, b, groups, name)
        quantity = f"difference in {name}"
        made[name] = resample.estimate(words, quantity, interval, n, groups)
    return made


def _columns(tallies, values):
    """The value and the draws of each defined metric, its n and its groups."""
    return {
        name: (np.r_[tally.value[i], drawn[:, i]], int(n), int(groups))
        for tally, drawn in zip(tallies, values, strict=True)
        for i, (name, n, groups) in enumerate(
            zip(tally.names, tally.n, tally.groups, strict=True)
        )
        if np.isfinite(tally.value[i])
    }


def _joined(a, b, groups, name):
    """The interval of a difference, from the intervals of both sides.

    `a` and `b` are the value and the draws of each. Near its ceiling a score can fall
    further than rise, and so can a difference (Zou, 2007: half-widths joined, less what
    the sides have in common; that correlation is of the resamples).
    """
    ceiling = resample.CEILING.get(name, 1.0)
    value, draws = float(a[0] - b[0]), a[1:] - b[1:]
    if intervals.spread(draws, groups) < 1e-6 * ceiling or groups < 2:
        return resample.difference_interval(value, draws, groups, ceiling)
    finite = np.isfinite(draws)
    with np.errstate(invalid="ignore", divide="ignore"):
        twice = 2 * np.nan_to_num(np.corrcoef(a[1:][finite], b[1:][finite]))[0, 1]
    (low_a, high_a), (low_b, high_b) = (
        intervals.interval(side[0], side[1:], groups, ceiling) for side in (a, b)
    )
    below_a, above_a, below_b, above_b = (
        a[0] - low_a,
        high_a - a[0],
        b[0] - low_b,
        high_b - b[0],
    )
    down = np.sqrt(max(0.0, below_a**2 + above_b**2 - twice * below_a * above_b))
    up = np.sqrt(max(0.0, above_a**2 + below_b**2 - twice * above_a * below_b))
    return max(-ceiling, value - float(down)), min(ceiling, value + float(up))


def pool(estimates, *, within=None):
    """The mean over seeds as one Estimate, its interval wide enough for both spreads.

    All seeds were tested on the same cases, so more seeds do not narrow what the cases
    leave open: the half-width over cases (the mean of the seeds' own) and the one over
    seeds (Student's t) are joined as independent ones. `within` are the lowest and
    highest values of a quantity that `metrics` does not know.
    """
    estimates = list(estimates)
    within = within or _limits(estimates[0].quantity)
    _check_poolable(estimates, within)
    values = np.array([each.value for each in estimates])
    value, count = float(values.mean()), len(values)
    below = value - np.mean([each.low for each in estimates])
    above = np.mean([each.high for each in estimates]) - value
    reach = stats.t.ppf(0.975, count - 1) * values.std(ddof=1) / np.sqrt(count)
    seeds = " ".join(str(each.seed) for each in estimates)
    return dataclasses.replace(
        estimates[0],
        value=value,
        low=max(within[0], float(value - np.hypot(below, reach))),
        high=min(within[1], float(value + np.hypot(above, reach))),
        conditions=estimates[0].conditions | {"seeds": seeds},
    )


def _limits(quantity):
    """The lowest and highest value of a quantity, or of a difference in one."""
    name = quantity.removeprefix("difference in ").removeprefix("difference from ")
    ceiling = resample.CEILING.get(name, 1.0)
    return (0.0 if name == quantity else -ceiling), ceiling


def _check_poolable(estimates, within):
    """Refuse what are no estimates of one quantity by several seeds."""
    if len({each.seed for each in estimates}) < max(2, len(estimates)):
        raise ValueError("pooling needs one estimate of each of at least two seeds")
    for name in ("quantity", *records.WORDS, "groups"):
        given = {str(getattr(each, name)) for each in estimates}
        if name != "seed" and len(given) > 1:
            raise ValueError(f"seeds differ in {name}: {sorted(given)}")
    for each in estimates:
        if not within[0] <= each.low <= each.high <= within[1]:
            raise ValueError(
                f"{each.quantity} of {each} is not from {within[0]:g} to "
                f"{within[1]:g}; say in `within` what it can be"
            )
