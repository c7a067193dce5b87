"""How right a model is, how well it ranks, and how well it knows when it errs.

`measure` gives every number at once; all of them come from the same resamples.
"""

import dataclasses

import numpy as np
import pandas as pd

from chromolib.evidence import calibration, ranking, resample

BY_CLASS = ("precision", "recall", "specificity", "F1")
PROBABLE = ("AUROC", "AUPRC", "NLL", "Brier", "ECE")
FAILING = ("AURC", "AUGRC", "failure AUROC", "FPR95")


def measure(predictions, *names, rng, draws=2000):
    """What is asked for with its 95 % interval over groups: name -> Estimate.

    Names: accuracy, balanced accuracy, whole-cell accuracy; precision, recall,
    specificity, F1, AUROC, AUPRC, each as in "recall of X" and "macro recall"; NLL,
    Brier, ECE; AURC, AUGRC, failure AUROC, FPR95. Without names: all that have a value.
    """
    tallies = tallied(predictions, names)
    found = resample.estimates(predictions, tallies, rng=rng, draws=draws)
    found = {name: _no_surer(one, found) for name, one in found.items()}
    return {name: found[name] for name in names or found}


def _no_surer(mean, found):
    """A mean over classes, as unsure at least as the intervals of its classes make it.

    Resamples of few groups of a class tell too little (Zou and Donner, 2008: the
    half-widths of independent parts, joined as the sides of a right angle).
    """
    name = "recall" if mean.quantity == "balanced accuracy" else mean.quantity
    name = name.removeprefix("macro ")
    parts = [e for n, e in found.items() if n.startswith(f"{name} of ")]
    if name == mean.quantity or not parts:
        return mean
    below = np.hypot.reduce([e.value - e.low for e in parts]) / len(parts)
    above = np.hypot.reduce([e.high - e.value for e in parts]) / len(parts)
    low = max(0.0, min(mean.low, mean.value - below))
    high = min(1.0, max(mean.high, mean.value + above))
    return dataclasses.replace(mean, low=float(low), high=float(high))


def tallied(predictions, names=()):
    """The sums from which the named quantities are read; refuses what has no value."""
    numbered = resample.number(predictions)
    made = [tally for family in FAMILIES for tally in family(numbered)]
    defined = {
        name: tally
        for tally in made
        for name, value in zip(tally.names, tally.value, strict=True)
        if np.isfinite(value)
    }
    for name in names:
        if name not in defined:
            raise ValueError(f"no value of {name!r}: {_reason(numbered, name)}")
    return list({id(defined[n]): defined[n] for n in names}.values()) or made


def _reason(numbered, name):
    """Why a quantity has no value, and what to do."""
    said, kinds = numbered.said, np.unique(numbered.truth)
    family = name.removeprefix("macro ").partition(" of ")[0]
    if family in PROBABLE and said.probability is None:
        return "it needs probabilities and the model gave none; ask for others by name"
    if family in FAILING and said.uncertainty is None:
        return "it needs an uncertainty of each image; there is none"
    if family in FAILING:
        return "it sets wrong labels against right ones, and all are of one kind"
    if len(kinds) < 2 and family in (*PROBABLE, *BY_CLASS):
        only = said.classes[kinds[0]]
        return f"all images are of class {only!r}; it needs images of another too"
    return "no image is of its class, or no quantity is called so; see `measure`"


def counts(numbered):
    """Accuracy, balanced accuracy; precision, recall, specificity, F1 by class, macro.

    The macro mean is over the classes that occur in the truth; a class that is never
    named has precision 0, as in scikit-learn.
    """
    there = np.unique(numbered.truth)
    size = len(numbered.said.classes)
    right = numbered.sums(numbered.truth, size, ~numbered.wrong * 1.0)[:, there]
    true = numbered.sums(numbered.truth, size)[:, there]
    called = numbered.sums(numbered.label, size)[:, there]
    images = true.sum(1, keepdims=True)
    asked = (np.where(called.any(0), called, true), true)
    asked += (images - true, true + called - right)
    names = ["accuracy", "balanced accuracy", *(f"macro {name}" for name in BY_CLASS)]
    classes = [numbered.said.classes[i] for i in there]
    names += [f"{name} of {one}" for name in BY_CLASS for one in classes]
    asked = np.concatenate([*[images] * (2 + len(BY_CLASS)), *asked], 1)
    table = np.concatenate([right, true, called], 1)
    yield resample.tally(names, table, _read_counts, asked)


def _read_counts(sums):
    right, true, called = np.moveaxis(sums.reshape(len(sums), 3, -1), 1, 0)
    images, drawn = true.sum(1), true > 0
    true = resample.nonzero(true)  # a class that was not drawn says nothing
    others = resample.nonzero(images[:, None] - true)
    precision = right / np.where(called > 0, called, true)
    recall, harmonic = right / true, 2 * right / (true + called)
    by_class = precision, recall, 1 - (called - right) / others, harmonic
    macro = [resample.mean(np.where(drawn, each, np.nan)) for each in by_class]
    return np.column_stack([right.sum(1) / images, macro[1], *macro, *by_class])


def cells(numbered):
    """Whole-cell accuracy: the share of cells whose images are all named rightly.

    Where cells are named as a whole, measure with `assigned` as label.
    """
    cell, names = pd.factorize(numbered.said.cell)
    cell = pd.factorize(numbered.which * len(names) + cell)[0]  # it lies in one group
    wrong = np.bincount(cell, numbered.wrong) > 0
    home = np.zeros(len(wrong), int)
    home[cell] = numbered.which
    size = np.bincount(home, minlength=numbered.groups)[:, None]
    right = np.bincount(home, ~wrong, numbered.groups)[:, None]
    yield resample.shares(["whole-cell accuracy"], right, size)


# Each yields its Tally, or nothing where the predictions lack what it needs.
FAMILIES = (counts, cells, ranking.classes, ranking.failures, calibration.scores)


def by_group(predictions):
    """Predictions with one row a group: the mean probability of its images.

    For a group, a case say, that is normal or abnormal as a whole.
    """
    which, groups = pd.factorize(predictions.group)
    truth = pd.Series(predictions.truth).groupby(which)
    kinds = truth.nunique().to_numpy()
    if kinds.max() > 1:
        raise ValueError(
            f"group {str(groups[kinds.argmax()])!r} has images of {kinds.max()} "
            "classes; a group is measured as a whole only where it has one of its own; "
            "measure the images, or mend the truth"
        )
    if predictions.probability is None:
        raise ValueError("a group is named by its mean probability; there is none")
    probability = pd.DataFrame(predictions.probability).groupby(which).mean()
    return dataclasses.replace(
        predictions,
        **dict.fromkeys(("label", "uncertainty", "refer", "assigned"), None),
        **dict.fromkeys(("image", "group", "cell"), groups),
        truth=truth.first().to_numpy(),
        probability=probability.to_numpy(),
    )


def confusions(predictions):
    """Truth (rows) against label (columns), as counts and as shares: name -> table.

    "by row": of the images of a class, how they were named (recall on the diagonal).
    "by column": of the images so named, what they are (precision on the diagonal).
    """
    truth, label = (
        pd.Categorical(values, categories=list(predictions.classes))
        for values in (predictions.truth, predictions.label)
    )
    counted = pd.crosstab(truth, label, dropna=False)
    counted = counted.rename_axis(index="truth", columns="label")
    return {
        "counts": counted,
        "by row": counted.div(counted.sum(axis=1), axis=0),
        "by column": counted / counted.sum(axis=0),
    }
