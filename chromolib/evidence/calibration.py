"""Whether a model is as sure as it is right: scores, the diagram, a temperature."""

import dataclasses

import numpy as np
import pandas as pd
from scipy import optimize, special

from chromolib import intervals
from chromolib.evidence import resample

BINS = 15
TINY = np.finfo(float).eps  # a probability of 0 would cost infinitely much


def scores(numbered):
    """NLL, Brier score and adaptive ECE, in this order.

    NLL: mean of -log of the probability given to the truth. Brier: half the sum of
    squares over the classes, which for two classes is the usual one. ECE: confidence
    against accuracy in bins of equal size (Nguyen and O'Connor, 2015).
    """
    given = numbered.said.probability
    if given is None:
        return
    right = given[np.arange(len(given)), numbered.truth]
    loss = -np.log(np.clip(right, TINY, 1))
    brier = ((given * given).sum(1) - 2 * right + 1) / 2
    images = numbered.sums(0, 1)
    pair = np.repeat(images, 2, 1)
    yield resample.shares(("NLL", "Brier"), numbered.each(loss, brier), pair)
    sure, which = _binned(numbered)
    yield _ece(numbered.sums(which, BINS, ~numbered.wrong - sure), images)


def _ece(gaps, images):
    """The Tally of the ECE, from what confidence lacks in each group and bin.

    Chance alone opens gaps, so the ECE is too high on average. By how much at most is
    known where the gaps within two standard errors are all chance (the mean of a folded
    normal); the low end is moved by that.
    """
    n = images.sum()
    gap = gaps.sum(0) / n
    noise = np.sqrt(((gaps - gap * images) ** 2).sum(0)) / n + TINY
    beyond = np.where(np.abs(gap) > 2 * noise, gap, 0) / noise
    folded = np.sqrt(2 / np.pi) * np.exp(-(beyond**2) / 2)
    folded += beyond * special.erf(beyond / np.sqrt(2))
    raised = (noise * (folded - np.abs(beyond))).sum()

    def ends(value, draws, groups, _):
        reach = min(1.0, intervals.spread(draws, groups))
        return max(0.0, value - raised - reach), min(1.0, value + reach)

    table = np.concatenate([gaps, images], 1)
    return resample.tally(["ECE"], table, _read_ece, images, ends=ends)


def _read_ece(sums):
    return np.abs(sums[:, :-1]).sum(1, keepdims=True) / sums[:, -1:]


def _binned(numbered):
    """The confidence in each label, and its bin; equal confidences share a bin."""
    sure = numbered.said.probability[np.arange(len(numbered.said)), numbered.label]
    edges = np.quantile(sure, np.linspace(0, 1, BINS + 1)[1:-1])
    return sure, np.searchsorted(edges, sure)


def reliability(predictions, *, rng, draws=2000):
    """Confidence against accuracy with its 95 % interval, a row a bin of equal size."""
    if predictions.probability is None:
        raise ValueError("a reliability diagram needs probabilities; there are none")
    numbered = resample.number(predictions)
    sure, which = _binned(numbered)
    which = np.unique(which, return_inverse=True)[1]
    size = int(which.max()) + 1
    bins = resample.shares(
        [f"accuracy of bin {i + 1}" for i in range(size)],
        numbered.sums(which, size, ~numbered.wrong * 1.0),
        numbered.sums(which, size),
    )
    found = resample.estimates(predictions, [bins], rng=rng, draws=draws).values()
    names = {"accuracy": "value"} | {n: n for n in ("low", "high", "n", "groups")}
    table = {name: [getattr(e, of) for e in found] for name, of in names.items()}
    mean = np.bincount(which, sure) / np.bincount(which)
    return pd.DataFrame({"confidence": mean} | table)


def temperature(predictions):
    """By how much to cool a model; above 1 it was too sure (Guo et al., 2017).

    Found on predictions of images that neither trained nor test it.
    """
    logits, truth = _logits(predictions), resample.number(predictions).truth
    rows = np.arange(len(truth))

    def loss(log_temperature):
        scaled = logits * np.exp(-log_temperature)
        return (special.logsumexp(scaled, axis=1) - scaled[rows, truth]).mean()

    found = optimize.minimize_scalar(loss, bounds=(-5, 5), method="bounded")
    return float(np.exp(found.x))


def cooled(predictions, temperature):
    """The same predictions with probabilities at this temperature; labels stay."""
    probability = special.softmax(_logits(predictions) / temperature, axis=1)
    return dataclasses.replace(
        predictions, probability=probability, uncertainty=1 - probability.max(1)
    )


def _logits(predictions):
    if predictions.probability is None:
        raise ValueError("a temperature scales probabilities; there are none")
    return np.log(np.clip(predictions.probability, TINY, 1))
