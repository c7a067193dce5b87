"""The rules by which a printed number follows from others: one short function each.

What kind of answer a rule gives is the section it stands in, and the dict that closes
the section; `recompute` applies them to printed text.
"""

import inspect
import itertools
import math

import numpy as np
from scipy import stats


def _rules(*earlier):
    """The public functions above, without those of the earlier dicts, by name."""
    return {
        name: rule
        for name, rule in globals().items()
        if inspect.isfunction(rule)
        and not name.startswith("_")
        and not any(name in kind for kind in earlier)
    }


# --- scores: (part, whole) of test images; whole numbers give an exact interval ------


def accuracy(tp, fp, tn, fn):
    """Share of all images that were labelled correctly."""
    return tp + tn, tp + fp + tn + fn


def precision(tp, fp):
    """Share of the positive calls that are right."""
    return tp, tp + fp


def recall(tp, fn):
    """Share of the positives that are found (sensitivity)."""
    return tp, tp + fn


def specificity(tn, fp):
    """Share of the negatives that are left alone."""
    return tn, tn + fp


def nearest_share(printed, whole):
    """The share k / whole that lies nearest to the printed one."""
    return round(printed * whole), whole


def matrix_accuracy(matrix):
    """Share of a square table of counts that lies on its diagonal."""
    return np.trace(matrix), np.sum(matrix)


def matrix_recall(matrix, row):
    """Diagonal over the sum of one row (rows are the truth), counted from zero."""
    return matrix[int(row)][int(row)], sum(matrix[int(row)])


def matrix_precision(matrix, column):
    """Diagonal over the sum of one column (columns are the calls)."""
    column = int(column)
    return matrix[column][column], sum(row[column] for row in matrix)


PROPORTIONS = _rules()

# --- numbers ------------------------------------------------------------------------


def f1(precision, recall):
    """Harmonic mean of precision and recall."""
    both = precision + recall
    return 2 * precision * recall / both if both else 0.0


def accuracy_of_rates(recall, specificity, positives, negatives):
    """Accuracy on a test set of known make-up, from the two rates."""
    right = recall * positives + specificity * negatives
    return right / (positives + negatives)


def implied_accuracy(precision, recall, positives, negatives):
    """Accuracy that precision and recall leave no choice about, given the test set."""
    tp = recall * positives
    fp = tp * (1 - precision) / precision
    return (tp + negatives - fp) / (positives + negatives)


def implied_accuracy_of_f1(precision, f1, positives, negatives):
    """The same with recall taken from precision and F1, which pin it to more digits."""
    spare = 2 * precision - f1
    if spare <= 0:
        raise ZeroDivisionError("no recall is high enough for such an F1")
    recall = f1 * precision / spare
    return implied_accuracy(precision, recall, positives, negatives)


def scaled(part, rest, whole):
    """How many of a whole a part stands for, when part and rest make up the whole."""
    return sum(part) / (sum(part) + sum(rest)) * whole


def training_share(train, test):
    """Share of all images that went to training."""
    return sum(train) / (sum(train) + sum(test))


def total(parts):
    """Sum."""
    return sum(parts)


def product(factors):
    """Product."""
    return math.prod(factors)


def weights(inputs, outputs):
    """Parameters of a layer: each output has a weight for every input, and a bias."""
    return (math.prod(inputs) + 1) * outputs


def pooled(side, times):
    """Side of an image after layers that each halve it and drop an odd pixel."""
    return side // 2**times


def ratio(part, whole):
    """How many times one number holds another; below 1, a share."""
    return part / whole


def difference(first, second):
    """First minus second."""
    return first - second


def power(base, exponent):
    """Chance that `exponent` independent trials all succeed."""
    return base**exponent


def mean(values):
    """Plain average."""
    return sum(values) / len(values)


def weighted_mean(values, weights):
    """Average with weights, such as a support per class."""
    pairs = zip(values, weights, strict=True)
    return sum(v * w for v, w in pairs) / sum(weights)


def largest(values):
    """The largest of several."""
    return max(values)


def smallest(values):
    """The smallest of several."""
    return min(values)


def elsewhere(value):
    """The same quantity as the paper prints it in another place."""
    return value


def distinct(values):
    """How many different values one thing is given."""
    return len(set(values))


def held_out(whole, share):
    """Images set aside by the usual split, which rounds the smaller part up."""
    return math.ceil(round(whole * share, 9))


def batches(images, batch):
    """Optimiser steps in one pass over the images."""
    return math.ceil(images / batch)


def convolution_parameters(channels_in, channels_out, side):
    """Weights and biases of a convolution with square filters."""
    return (channels_in * side * side + 1) * channels_out


def dense_parameters(inputs, outputs):
    """Weights and biases of a layer that joins every input to every output."""
    return (inputs + 1) * outputs


def smallest_whole(shares, decimals):
    """The fewest images that can give every one of the shares, as rounded in print."""
    shares, half = np.asarray(shares), 0.5 * 10.0**-decimals
    whole = 1
    while np.any(np.abs(np.rint(shares * whole) / whole - shares) > half + 1e-9):
        whole += 1
    return whole


def hours(passes, images, seconds):
    """Hours that so many passes over the images take, at so many seconds an image."""
    return passes * images * seconds / 3600


def reduction(before, after):
    """Share by which a number has fallen."""
    return 1 - after / before


def boxes_per_image(recall, precision, objects):
    """Boxes a detector must draw on an image to reach both scores."""
    return recall * objects / precision


def matrix_row(matrix, row):
    """Sum of one row of a table of counts."""
    return sum(matrix[int(row)])


def matrix_total(matrix):
    """Sum of a table of counts."""
    return np.sum(matrix)


def nearest_float32(target, least, most):
    """The value k / n, as a float32, nearest to the target for any n in the range."""
    n = np.arange(int(least), int(most) + 1)
    near = (np.rint(target * n) / n).astype(np.float32).astype(float)
    return float(near[np.argmin(np.abs(near - target))])


def repeats(first, second):
    """Epochs whose value in the first log is the second log's of the epoch before."""
    return sum(a == b for a, b in zip(first[1:], second[:-1], strict=True))


def last_step(values):
    """Size of the last step of a series, in units of its median step before."""
    steps = np.abs(np.diff(values))
    return float(steps[-1] / np.median(steps[:-1]))


def probability_of_loss(loss):
    """Geometric mean of the probability given to the true class (loss in nats)."""
    return math.exp(-loss)


def fisher(a, b, c, d):
    """Exact two-sided p value of the table ((a, b), (c, d))."""
    return float(stats.fisher_exact([[int(a), int(b)], [int(c), int(d)]])[1])


def origin_alone(here_positive, here_negative, there_positive, there_negative):
    """How far the origin of an image alone tells its label (Youden's J)."""
    sensitivity = here_positive / (here_positive + there_positive)
    return abs(sensitivity - here_negative / (here_negative + there_negative))


def best_mcnemar(fp_first, fn_first, fp_second, fn_second):
    """Smallest exact McNemar p that any pairing of two printed matrices allows.

    Only the margins are printed: a discordant pair needs an error by one model alone.
    The pairing is freest when, class by class, the errors overlap from none to all.
    """
    overlaps = itertools.product(
        range(int(min(fp_first, fp_second)) + 1),
        range(int(min(fn_first, fn_second)) + 1),
    )
    both = (fp + fn for fp, fn in overlaps)
    first, second = int(fp_first + fn_first), int(fp_second + fn_second)
    alone = ((first - n, first + second - 2 * n) for n in both)  # and both alone
    return min(stats.binomtest(k, n).pvalue if n else 1.0 for k, n in alone)


def best_auc(tp, fp, tn, fn):
    """Largest area under an ROC curve that passes through one confusion matrix.

    A curve only rises: it leaves out at least the corner above and left of its point.
    """
    return 1 - fp / (fp + tn) * fn / (tp + fn)


NUMBERS = _rules(PROPORTIONS)

# --- words --------------------------------------------------------------------------


def fact(known):
    """What the literature says, as a word to compare with the paper's."""
    return known


def restated(other):
    """What the paper itself says of the same thing in another place."""
    return other


def compare(first, second):
    """Whether the first number is higher than the second, lower, or equal."""
    return "equal" if first == second else "higher" if first > second else "lower"


def trend(values):
    """Whether a series is rising, falling, or neither."""
    steps = np.diff(values)
    falling = "falling" if (steps < 0).all() else "neither"
    return "rising" if (steps > 0).all() else falling


WORDS = _rules(PROPORTIONS, NUMBERS)

# --- leaks: how much, zero when there is none ---------------------------------------


def siblings(sources, images, train):
    """Share of test images with a copy of the same source image in training.

    Each source has images / sources copies and each copy goes to training with
    probability `train`, as when a set is split after it was augmented.
    """
    return 1 - (1 - train) ** (images / sources - 1)


def overlap(parts, whole):
    """Images that must lie in more than one part, when the parts exceed the whole."""
    return max(0, sum(parts) - whole)


def overlap_of_batches(train, test, batch, whole):
    """Images that must lie in both sets, when one pass over each takes so many batches.

    All batches but the last are full, and the last holds at least one image.
    """
    return overlap([(train - 1) * batch + 1, (test - 1) * batch + 1], whole)


def reuse(uses):
    """Choices made on the test images before they are reported, beyond the report."""
    return len(uses) - 1


LEAKS = _rules(PROPORTIONS, NUMBERS, WORDS)

RULES = PROPORTIONS | NUMBERS | WORDS | LEAKS
