"""How right a model is, how well it ranks, and how well it knows when it errs.

`score(predictions, *names, rng)` -> [Estimate], `measure` -> name -> Estimate; all
numbers of one call come from the same resamples.
"""

import dataclasses

import numpy as np
import pandas as pd

from chromolib import records
from chromolib.evidence import calibration, ranking, resample

BY_CLASS = ("precision", "recall", "specificity", "F1")
PROBABILISTIC = ("AUROC", "AUPRC", "NLL", "Brier", "ECE")
FAILURE = ("AURC", "AUGRC", "failure AUROC", "FPR95")


def score(predictions, *names, rng, draws=2000):
    """What `measure` gives as a list; of several Predictions, one after another."""
    if isinstance(predictions, records.Predictions):
        predictions = [predictions]
    measured = (measure(each, *names, rng=rng, draws=draws) for each in predictions)
    return [estimate for estimates in measured for estimate in estimates.values()]


def measure(predictions, *names, rng, draws=2000):
    """Metrics with their 95 % intervals over groups: name -> Estimate.

    Names: accuracy, balanced accuracy, whole-cell accuracy; precision, recall,
    specificity, F1, AUROC, AUPRC, each as in "recall of X" and "macro recall"; NLL,
    Brier, ECE; AURC, AUGRC, failure AUROC, FPR95. Without names: all that have a value.
    """
    tallies = tallied(predictions, names)
    made = resample.estimates(predictions.words, tallies, rng=rng, draws=draws)
    made = {name: _widened(estimate, made) for name, estimate in made.items()}
    return {name: made[name] for name in names or made}


def _widened(mean, estimates):
    """A mean over classes, with an interval no narrower than its classes make it.

    Resamples of few groups of a class tell too little (Zou and Donner, 2008: the
    half-widths of independent parts, joined as the sides of a right angle).
    """
    name = "recall" if mean.quantity == "balanced accuracy" else mean.quantity
    name = name.removeprefix("macro ")
    classes = [e for n, e in estimates.items() if n.startswith(f"{name} of ")]
    if name == mean.quantity or not classes:
        return mean
    below = np.hypot.reduce([e.value - e.low for e in classes]) / len(classes)
    above = np.hypot.reduce([e.high - e.value for e in classes]) / len(classes)
    low = max(0.0, min(mean.low, mean.value - below))
    high = min(1.0, max(mean.high, mean.value + above))
    return dataclasses.replace(mean, low=float(low), high=float(high))


def tallied(predictions, names=()):
    """The sums from which the named metrics are read; refuses what has no value."""
    encoded = resample.encode(predictions)
    tallies = [tally for family in FAMILIES for tally in family(encoded)]
    defined = {
        name: tally
        for tally in tallies
        for name, value in zip(tally.names, tally.value, strict=True)
        if np.isfinite(value)
    }
    for name in names:
        if name not in defined:
            raise ValueError(f"no value of {name!r}: {_reason(encoded, name)}")
    return list({id(defined[n]): defined[n] for n in names}.values()) or tallies


def _reason(encoded, name):
    """Why a metric has no value, and what to do."""
    predictions, classes = encoded.predictions, np.unique(encoded.truth)
    family = name.removeprefix("macro ").partition(" of ")[0]
    if family in PROBABILISTIC and predictions.probability is None:
        return "it needs probabilities and the model gave none; ask for others by name"
    if family in FAILURE and predictions.uncertainty is None:
        return "it needs an uncertainty of each image; there is none"
    if family in FAILURE:
        return "it sets wrong labels against right ones, and all are of one kind"
    if len(classes) < 2 and family in (*PROBABILISTIC, *BY_CLASS):
        only = predictions.classes[classes[0]]
        return f"all images are of class {only!r}; it needs images of another too"
    return "no image is of its class, or no metric has this name; see `measure`"


def counts(encoded):
    """Accuracy, balanced accuracy; precision, recall, specificity, F1 by class, macro.

    The macro mean is over the classes that occur in the truth; a class that is never
    predicted has precision 0, as in scikit-learn.
    """
    present, size = np.unique(encoded.truth), len(encoded.predictions.classes)
    right = encoded.sums(encoded.truth, size, ~encoded.wrong * 1.0)[:, present]
    true = encoded.sums(encoded.truth, size)[:, present]
    predicted = encoded.sums(encoded.label, size)[:, present]
    images = true.sum(1, keepdims=True)
    support = [images] * (2 + len(BY_CLASS))
    support += [np.where(predicted.any(0), predicted, true), true]
    support += [images - true, true + predicted - right]
    names = ["accuracy", "balanced accuracy", *(f"macro {name}" for name in BY_CLASS)]
    classes = [encoded.predictions.classes[i] for i in present]
    names += [f"{name} of {each}" for name in BY_CLASS for each in classes]
    table = np.concatenate([right, true, predicted], 1)
    support = np.concatenate(support, 1)
    yield resample.Tally(tuple(names), table, _read_counts, support)


def _read_counts(sums):
    right, true, predicted = np.moveaxis(sums.reshape(len(sums), 3, -1), 1, 0)
    images, drawn = true.sum(1), true > 0
    true = resample.nonzero(true)  # a class that was not drawn has no recall
    others = resample.nonzero(images[:, None] - true)
    precision = right / np.where(predicted > 0, predicted, true)
    recall, f1 = right / true, 2 * right / (true + predicted)
    by_class = precision, recall, 1 - (predicted - right) / others, f1
    macro = [resample.mean(np.where(drawn, each, np.nan)) for each in by_class]
    return np.column_stack([right.sum(1) / images, macro[1], *macro, *by_class])


def cells(encoded):
    """Whole-cell accuracy: the share of cells whose images are all labelled correctly.

    Where cells are labelled as a whole, measure with `assigned` as label.
    """
    cell, names = pd.factorize(encoded.predictions.cell)
    cell = pd.factorize(encoded.group * len(names) + cell)[0]  # it lies in one group
    wrong = np.bincount(cell, encoded.wrong) > 0
    group = np.zeros(len(wrong), int)
    group[cell] = encoded.group
    size = np.bincount(group, minlength=encoded.groups)[:, None]
    right = np.bincount(group, ~wrong, encoded.groups)[:, None]
    yield resample.rates(["whole-cell accuracy"], right, size)


# Each yields its Tally, or nothing where the predictions lack what it needs.
FAMILIES = (counts, cells, ranking.classes, ranking.failures, calibration.scores)


def confusions(predictions):
    """Truth (rows) against label (columns), as counts and as shares: name -> table.

    "by row": of the images of a class, how they were labelled (the diagonal is recall).
    "by column": of the images so labelled, what they are (it is precision).
    """
    truth, label = (
        pd.Categorical(values, categories=list(predictions.classes))
        for values in (predictions.truth, predictions.label)
    )
    table = pd.crosstab(truth, label, dropna=False)
    table = table.rename_axis(index="truth", columns="label")
    by_row = table.div(table.sum(axis=1), axis=0)
    return {"counts": table, "by row": by_row, "by column": table / table.sum(axis=0)}
