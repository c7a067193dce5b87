"""Referral of a share of images to an expert, and what is gained by it."""

import dataclasses

import numpy as np
import pandas as pd

from chromolib import intervals
from chromolib.evidence import resample

KEPT = np.linspace(0.01, 1, 100)  # shares of images at which a curve is drawn


def curves(predictions, *, rng, draws=2000):
    """Share of wrong labels among the images kept, the surest first: name -> table.

    Beside the uncertainty stand its controls: "max-softmax", which needs no method (and
    is left out where it is the uncertainty), and "random", which knows nothing. A table
    has columns kept, risk, low, high; read as 1 - kept and 1 - risk it is the referral
    curve.
    """
    tables = {"uncertainty": _curve(predictions, rng, draws)}
    if predictions.probability is not None:
        control = max_softmax(predictions)
        if not np.allclose(control.uncertainty, predictions.uncertainty):
            tables["max-softmax"] = _curve(control, rng, draws)
    random = tables["uncertainty"].iloc[[-1] * len(KEPT)]  # as wrong as all, on average
    tables["random"] = random.assign(kept=KEPT).reset_index(drop=True)
    return tables


def max_softmax(predictions):
    """The same predictions with 1 - highest probability as uncertainty: the control."""
    if predictions.probability is None:
        raise ValueError("max-softmax needs probabilities; there are none")
    uncertainty = 1 - predictions.probability.max(1)
    return dataclasses.replace(predictions, uncertainty=uncertainty)


def _curve(predictions, rng, draws):
    whole, table = _by_uncertainty(predictions, "accuracy")
    tally = resample.Tally(
        ("risk",) * len(KEPT),
        table.reshape(len(table), -1),
        lambda sums: _risk_at(sums.reshape(len(sums), *table.shape[1:])),
        np.ones((len(table), len(KEPT))),
        _risk_at(whole[None])[0],
    )
    (values,) = resample.resampled([tally], rng=rng, draws=draws)
    surest = predictions.group[np.argsort(predictions.uncertainty, kind="stable")]
    rows = []
    for kept, value, drawn in zip(KEPT, tally.value, values.T, strict=True):
        groups = len(np.unique(surest[: np.ceil(kept * len(surest)).astype(int)]))
        rows.append((kept, value, *intervals.interval(value, drawn, groups)))
    return pd.DataFrame(rows, columns=["kept", "risk", "low", "high"])


def _risk_at(sums):
    """Share of wrong labels at each of KEPT; equal scores come in any order."""
    errors, kept = (
        np.pad(side.cumsum(1, dtype=float), ((0, 0), (1, 0)))
        for side in (sums[:, 0], sums[:, -1])
    )
    pairs = zip(errors, kept, strict=True)
    return np.array([np.interp(KEPT, k / k[-1], e / k[-1]) / KEPT for e, k in pairs])


def _by_uncertainty(predictions, of, bins=None):
    """Wrong, counted and all images at each threshold of uncertainty, the surest first.

    Counted are the images that `of` is about. Of the data (3, thresholds), and of
    groups (groups, 3, bins).
    """
    if predictions.uncertainty is None:
        raise ValueError("referral needs an uncertainty of each image; there is none")
    rate, _, kind = of.partition(" of ")
    if (rate, bool(kind)) not in (("accuracy", 0), ("recall", 1), ("precision", 1)):
        raise ValueError(f"{of!r} is not accuracy, 'recall of X' or 'precision of X'")
    side = predictions.label if rate == "precision" else predictions.truth
    everything = np.ones(len(side), bool)
    counted = side == kind if kind else everything
    if not counted.any():
        raise ValueError(f"{of}: no image is of class {kind!r}; choose another class")
    encoded = resample.encode(predictions)
    masks = encoded.wrong & counted, counted, everything
    return resample.by_threshold(encoded, predictions.uncertainty, masks, bins=bins)


def _last_kept(sums, target):
    """The last threshold up to which images may be kept, -1 where none may."""
    wrong, counted, _ = sums.cumsum(1)
    enough = (counted > 0) & (counted - wrong >= target * counted - 1e-9)
    return int(np.flatnonzero(enough).max(initial=-1))


def threshold(predictions, target, *, of="accuracy", default=None):
    """The highest uncertainty at which an image is kept, for the target to be reached.

    Find it on images that neither train nor test, then `refer` the test images by it;
    found on the test images themselves it would flatter. `default` stands for it where
    no threshold reaches the target; without one that is an error.
    """
    whole, _ = _by_uncertainty(predictions, of, bins=len(predictions))
    place = _last_kept(whole, target)
    if place < 0 and default is not None:
        return default
    if place < 0:
        raise ValueError(f"no threshold gives {of} of {target:g}; lower the target")
    return float(np.unique(predictions.uncertainty)[place])


def refer(predictions, threshold):
    """The same predictions with those above the threshold marked for an expert."""
    if predictions.uncertainty is None:
        raise ValueError("referral needs an uncertainty of each image; there is none")
    return dataclasses.replace(predictions, refer=predictions.uncertainty > threshold)


def outcome(predictions, *, rng, draws=2000):
    """What marking images for an expert did: share referred, accuracy of the rest, …

    … and the share of wrong labels that were referred: name -> Estimate.
    """
    if predictions.refer is None:
        raise ValueError("no image is marked kept or referred; use `refer` first")
    encoded = resample.encode(predictions)
    referred, wrong = predictions.refer, encoded.wrong
    tally = resample.rates(
        ("referred", "accuracy of the kept", "wrong labels referred"),
        encoded.totals(referred, ~referred & ~wrong, referred & wrong),
        encoded.totals(np.ones(len(wrong)), ~referred, wrong),
    )
    return resample.estimates(predictions.words, [tally], rng=rng, draws=draws)
