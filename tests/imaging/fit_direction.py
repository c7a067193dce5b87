"""Fit the table of chromolib/imaging/direction.py and print how well it does.

    CHROMOLIB_DATA=... python tests/imaging/fit_direction.py

PKI-3 comes from karyograms, short arm up. Cases whose name has an even CRC-32 fit,
the others judge. Nothing is written: the table is copied by hand when it changes.
"""

import os
import sys
import zlib

import numpy as np
from scipy import special
from sklearn import linear_model

from chromolib import records
from chromolib.data import sources
from chromolib.imaging import axis, direction


def upright(images):
    """Straightened as they stand, with label, half of the cases and bend."""
    straight = axis.straighten_all(images.pixels, orient=False)
    kept = [i for i, one in enumerate(straight) if isinstance(one, axis.Straight)]
    half = [zlib.crc32(images.group[i].encode()) % 2 for i in kept]
    bend = [straight[i].bend for i in kept]
    return [straight[i] for i in kept], images.label[kept], *map(np.array, (half, bend))


def fitted(many):
    """Gate levels and weights from chromosomes that are known to stand upright."""
    even = np.array([direction.halves(one.ink, one.mask)[1] for one in many])
    direction.MIDDLE = even.mean(0).round(2)
    direction.SPREAD = even.std(0).round(2)
    rows = np.array([direction.numbers(one.ink, one.mask) for one in many])
    sign = np.random.default_rng(0).choice([-1, 1], len(rows))  # both ways up
    scale = rows.std(0)
    model = linear_model.LogisticRegression(fit_intercept=False, C=0.03, max_iter=5000)
    model.fit(rows / scale * sign[:, None], sign)
    return (model.coef_[0] / scale).round(1)


def main(root):
    """Fit on one half of the cases, print the table and the other half's accuracy."""
    images = sources.load("pki3", root, on_error="skip")
    images = images.take(np.isin(images.label, records.CLASSES))
    many, label, half, bend = upright(images)
    fit = np.flatnonzero((half == 0) & (bend < 1.2))
    weights = fitted([many[i] for i in fit])
    rows = np.array([direction.numbers(one.ink, one.mask) for one in many])
    right = special.expit(rows @ weights)[half == 1]
    label, bend = label[half == 1], bend[half == 1]
    say = sys.stdout.write
    say(f"MIDDLE = {tuple(direction.MIDDLE.tolist())}\n")
    say(f"SPREAD = {tuple(direction.SPREAD.tolist())}\n")
    for row in weights.reshape(direction.GATES + 1, -1):
        say(" ".join(f"{w:g}" for w in row) + "\n")
    say(f"other cases: {np.mean(right > 0.5):.4f} of {len(right)}\n")
    say(f"  bend < 1.2: {np.mean(right[bend < 1.2] > 0.5):.4f}\n")
    for name in records.CLASSES:
        say(f"  {name}: {np.mean(right[label == name] > 0.5):.3f}\n")
    sure = np.maximum(right, 1 - right)
    for low, high in ((0.5, 0.7), (0.7, 0.9), (0.9, 0.98), (0.98, 0.999), (0.999, 2)):
        some = (sure >= low) & (sure < high)
        say(f"  says {sure[some].mean():.3f}: {np.mean(right[some] > 0.5):.3f}")
        say(f" of {some.sum()}\n")


if __name__ == "__main__":
    main(os.environ["CHROMOLIB_DATA"])
