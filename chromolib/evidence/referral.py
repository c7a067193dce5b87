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
    whole, table = _by_uncertainty(predictions)
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


def _by_uncertainty(predictions, bins=None):
    """Wrong and all images at each threshold of uncertainty, the surest first.

    Of the data (2, thresholds), and of groups (groups, 2, bins).
    """
    if predictions.uncertainty is None:
        raise ValueError("referral needs an uncertainty of each image; there is none")
    encoded = resample.encode(predictions)
    masks = encoded.wrong, np.ones(len(predictions), bool)
    return resample.by_threshold(encoded, predictions.uncertainty, masks, bins=bins)


def threshold(predictions, target):
    """The highest uncertainty at which an image is kept, for this accuracy of the kept.

    Find it on images that neither train nor test, then `refer` the test images by it;
    found on the test images themselves it would flatter. -inf, by which every image is
    referred, where no threshold reaches the target.
    """
    whole, _ = _by_uncertainty(predictions, bins=len(predictions))
    wrong, kept = whole.cumsum(1)
    enough = np.flatnonzero(kept - wrong >= target * kept - 1e-9)
    if not len(enough):
        return -np.inf
    return float(np.unique(predictions.uncertainty)[enough[-1]])


def refer(predictions, threshold):
    """The same predictions with those above the threshold marked for an expert."""
    if predictions.uncertainty is None:
        raise ValueError("referral needs an uncertainty of each image; there is none")
    return dataclasses.replace(predictions, refer=predictions.uncertainty > threshold)


def outcome(predictions, *, rng):
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
    return resample.estimates(predictions.words, [tally], rng=rng)
