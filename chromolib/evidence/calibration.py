"""Whether confidence agrees with accuracy: scores, the diagram, a temperature."""

import dataclasses

import numpy as np
import pandas as pd
from scipy import optimize, special

from chromolib import intervals
from chromolib.evidence import resample

BINS = 15
TINY = np.finfo(float).eps  # a probability of 0 would cost infinitely much


def scores(encoded):
    """NLL, Brier score and adaptive ECE, in this order.

    NLL: mean of -log of the probability given to the truth. Brier: half the sum of
    squares over the classes, which for two classes is the usual one. ECE: confidence
    against accuracy in bins of equal size (Nguyen and O'Connor, 2015).
    """
    probability = encoded.predictions.probability
    if probability is None:
        return
    right = probability[np.arange(len(probability)), encoded.truth]
    loss = -np.log(np.clip(right, TINY, 1))
    brier = ((probability * probability).sum(1) - 2 * right + 1) / 2
    images, losses = encoded.sums(0, 1), encoded.totals(loss, brier)
    yield resample.rates(("NLL", "Brier"), losses, np.repeat(images, 2, 1))
    confidence, bins = _binned(encoded)
    yield _ece(encoded.sums(bins, BINS, ~encoded.wrong - confidence), images)


def _ece(gaps, images):
    """The Tally of the ECE, from accuracy less confidence, summed by group and bin.

    Chance alone opens gaps, so the ECE is too high on average: by no more than if all
    gaps within two standard errors were chance (the mean of a folded normal). The low
    end is moved by that.
    """
    n = images.sum()
    gap = gaps.sum(0) / n
    noise = np.sqrt(((gaps - gap * images) ** 2).sum(0)) / n + TINY
    beyond = np.where(np.abs(gap) > 2 * noise, gap, 0) / noise
    folded = np.sqrt(2 / np.pi) * np.exp(-(beyond**2) / 2)
    folded += beyond * special.erf(beyond / np.sqrt(2))
    raised = (noise * (folded - np.abs(beyond))).sum()

    def interval(value, draws, groups, _):
        reach = min(1.0, intervals.spread(draws, groups))
        return max(0.0, value - raised - reach), min(1.0, value + reach)

    table = np.concatenate([gaps, images], 1)
    return resample.Tally(("ECE",), table, _read_ece, images, interval=interval)


def _read_ece(sums):
    return np.abs(sums[:, :-1]).sum(1, keepdims=True) / sums[:, -1:]


def _binned(encoded):
    """The confidence in each label, and its bin; equal confidences share a bin."""
    predictions = encoded.predictions
    confidence = predictions.probability[np.arange(len(predictions)), encoded.label]
    edges = np.quantile(confidence, np.linspace(0, 1, BINS + 1)[1:-1])
    return confidence, np.searchsorted(edges, confidence)


def reliability(predictions, *, rng, draws=2000):
    """Confidence against accuracy with its 95 % interval, a row a bin of equal size."""
    if predictions.probability is None:
        raise ValueError("a reliability diagram needs probabilities; there are none")
    encoded = resample.encode(predictions)
    confidence, bins = _binned(encoded)
    bins = np.unique(bins, return_inverse=True)[1]
    width = int(bins.max()) + 1
    right = encoded.sums(bins, width, ~encoded.wrong * 1.0)
    accuracy = resample.rates(range(width), right, encoded.sums(bins, width))
    made = resample.estimates(predictions.words, [accuracy], rng=rng, draws=draws)
    columns = ["value", "low", "high", "n", "groups"]
    table = pd.DataFrame(map(vars, made.values()))[columns]
    table.insert(0, "confidence", np.bincount(bins, confidence) / np.bincount(bins))
    return table.rename(columns={"value": "accuracy"})


def temperature(predictions):
    """The temperature that fits best; above 1 the model was too sure (Guo et al. 2017).

    Find it on predictions of images that neither train nor test the model.
    """
    logits, truth = _logits(predictions), resample.encode(predictions).truth
    rows = np.arange(len(truth))

    def loss(log_temperature):
        scaled = logits * np.exp(-log_temperature)
        return (special.logsumexp(scaled, axis=1) - scaled[rows, truth]).mean()

    return float(np.exp(optimize.minimize_scalar(loss, bounds=(-5, 5)).x))


def temperature_scaled(predictions, temperature):
    """The same predictions with probabilities at this temperature; labels stay."""
    probability = special.softmax(_logits(predictions) / temperature, axis=1)
    return dataclasses.replace(
        predictions, probability=probability, uncertainty=1 - probability.max(1)
    )


def _logits(predictions):
    if predictions.probability is None:
        raise ValueError("a temperature scales probabilities; there are none")
    return np.log(np.clip(predictions.probability, TINY, 1))
