"""Which images a model should leave to an expert, and what is gained by it."""

import dataclasses

import numpy as np
import pandas as pd

from chromolib import intervals, records
from chromolib.evidence import resample

KEPT = np.linspace(0.01, 1, 100)  # shares of images at which a curve is drawn


def curves(predictions, *, rng, draws=2000):
    """Share of wrong labels among the images kept, the surest first: name -> table.

    Beside the uncertainty stand its controls: "max-softmax", which needs no method (and
    is left out where it is the uncertainty), and "random", which knows nothing. A table
    has columns kept, risk, low, high; read as 1 - kept and 1 - risk it is the referral
    curve.
    """
    found = {"uncertainty": _curve(predictions, rng, draws)}
    if predictions.probability is not None:
        plain = max_softmax(predictions)
        if not np.allclose(plain.uncertainty, predictions.uncertainty):
            found["max-softmax"] = _curve(plain, rng, draws)
    random = found["uncertainty"].iloc[[-1] * len(KEPT)]  # as wrong as all, on average
    found["random"] = random.assign(kept=KEPT).reset_index(drop=True)
    return found


def max_softmax(predictions):
    """The same predictions with 1 - highest probability as uncertainty: the control."""
    if predictions.probability is None:
        raise ValueError("max-softmax needs probabilities; there are none")
    unsure = 1 - predictions.probability.max(1)
    return dataclasses.replace(predictions, uncertainty=unsure)


def _curve(predictions, rng, draws):
    whole, table = _steps(predictions, "accuracy")
    tally = resample.tally(
        ["risk"] * len(KEPT),
        table.reshape(len(table), -1),
        lambda sums: _risk_at(sums.reshape(len(sums), *table.shape[1:])),
        np.ones((len(table), len(KEPT))),
        _risk_at(whole[None])[0],
    )
    values = resample.drawn([tally], rng=rng, draws=draws)[0].T
    surest = predictions.group[np.argsort(predictions.uncertainty, kind="stable")]
    rows = []
    for kept, value, draw in zip(KEPT, tally.value, values, strict=True):
        groups = len(np.unique(surest[: np.ceil(kept * len(surest)).astype(int)]))
        rows.append((kept, value, *intervals.interval(value, draw, groups)))
    return pd.DataFrame(rows, columns=["kept", "risk", "low", "high"])


def _risk_at(sums):
    """Share of wrong labels at each of KEPT; equal scores come in any order."""
    errors, kept = (
        np.pad(part.cumsum(1, dtype=float), ((0, 0), (1, 0)))
        for part in (sums[:, 0], sums[:, -1])
    )
    pairs = zip(errors, kept, strict=True)
    return np.array([np.interp(KEPT, k / k[-1], e / k[-1]) / KEPT for e, k in pairs])


def _steps(predictions, of):
    """Wrong, asked for and all images at each step of uncertainty, the surest first.

    Of the data (3, steps), and of groups (groups, 3, steps), where steps are joined.
    """
    numbered, masks = _asked(predictions, of)
    bins = resample.steps(numbered.groups)
    return resample.ladder(numbered, predictions.uncertainty, masks, bins=bins)


def _asked(predictions, of):
    """Numbers, and masks of what is wrong, what is asked for, and all images."""
    if predictions.uncertainty is None:
        raise ValueError("referral needs an uncertainty of each image; there is none")
    rate, _, kind = of.partition(" of ")
    if (rate, bool(kind)) not in (("accuracy", 0), ("recall", 1), ("precision", 1)):
        raise ValueError(f"{of!r} is not accuracy, 'recall of X' or 'precision of X'")
    side = predictions.label if rate == "precision" else predictions.truth
    asked = side == kind if kind else np.ones(len(side), bool)
    if not asked.any():
        raise ValueError(f"{of}: no image is of class {kind!r}; choose another class")
    numbered = resample.number(predictions)
    return numbered, (numbered.wrong & asked, asked, np.ones(len(side), bool))


def operating_point(predictions, target, *, of="accuracy", rng, draws=2000):
    """Share of images that must be referred for the rest to reach a target.

    `of` is accuracy, "recall of X" or "precision of X", among the images kept. It is 1
    where no number of images reaches the target. Its interval holds each share at which
    the interval of what is asked for holds the target: the share was chosen on the
    images that judge it, and its own resamples would flatter.
    """
    whole, table = _steps(predictions, of)
    value = 1 - float(_keep(whole[None], target)[0][0, 0])
    there = table[:, 1].cumsum(1)
    tally = resample.tally(
        [f"step {step}" for step in range(table.shape[2])],
        table.reshape(len(table), -1),
        lambda sums: _rates(sums.reshape(len(sums), *table.shape[1:])),
        there,
    )
    resampled = resample.drawn([tally], rng=rng, draws=draws)[0].T
    kept = table[:, 2].sum(0).cumsum() / len(predictions)
    shares = {"low": [], "high": [1.0]}
    for step in np.flatnonzero(np.isfinite(tally.value)):
        rate, groups = float(tally.value[step]), int(tally.groups[step])
        low, high = intervals.interval(rate, resampled[step], groups)
        shares["low"] += [1 - kept[step]] * (high >= target)
        shares["high"] += [1 - kept[step]] * (low >= target)
    return records.Estimate(
        quantity=f"referred for {of} of at least {target:g}",
        value=value,
        low=min(value, *shares["low"], 1.0),
        high=max(value, min(shares["high"])),
        n=int(there[:, -1].sum()),
        groups=int((there[:, -1] > 0).sum()),
        **predictions.words,
    )


def _rates(sums):
    """Share of right labels among those asked for, at each step kept."""
    wrong, asked, _ = sums.cumsum(2, dtype=float).swapaxes(0, 1)
    return 1 - wrong / resample.nonzero(asked)


def _keep(sums, target):
    """The largest share kept that reaches the target, (draws, 1), and its step."""
    wrong, asked, kept = sums.cumsum(2, dtype=float).swapaxes(0, 1)
    enough = (asked > 0) & (asked - wrong >= target * asked - 1e-9)
    last = enough.shape[1] - 1 - enough[:, ::-1].argmax(1)[:, None]
    share = np.take_along_axis(kept, last, 1) / kept[:, -1:]
    found = enough.any(1, keepdims=True)
    return np.where(found, share, 0), np.where(found, last, -1)


def threshold(predictions, target, *, of="accuracy"):
    """The highest uncertainty at which an image is kept, for the target to be reached.

    Find it on images that neither train nor test, then `refer` the test images by it;
    found on the test images themselves it would flatter.
    """
    numbered, masks = _asked(predictions, of)
    size = len(predictions)
    whole, _ = resample.ladder(numbered, predictions.uncertainty, masks, bins=size)
    last = int(_keep(whole[None], target)[1][0, 0])
    if last < 0:
        raise ValueError(f"no threshold gives {of} of {target:g}; lower the target")
    return float(np.unique(predictions.uncertainty)[last])


def refer(predictions, threshold):
    """The same predictions with those above the threshold marked for an expert."""
    if predictions.uncertainty is None:
        raise ValueError("referral needs an uncertainty of each image; there is none")
    return dataclasses.replace(predictions, refer=predictions.uncertainty > threshold)


def outcome(predictions, *, rng, draws=2000):
    """What marking images for an expert did: share referred, accuracy of the rest, …

    … and the share of wrong labels that were caught: name -> Estimate.
    """
    if predictions.refer is None:
        raise ValueError("no image is marked kept or referred; use `refer` first")
    numbered = resample.number(predictions)
    away, wrong = predictions.refer, numbered.wrong
    tally = resample.shares(
        ("referred", "accuracy of the kept", "wrong labels referred"),
        numbered.each(away, ~away & ~wrong, away & wrong),
        numbered.each(np.ones(len(away)), ~away, wrong),
    )
    return resample.estimates(predictions, [tally], rng=rng, draws=draws)
