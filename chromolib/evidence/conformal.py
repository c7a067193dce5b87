"""Sets of classes that hold the truth as often as promised."""

import dataclasses

import numpy as np

from chromolib.evidence import resample


def sets(predictions, *, calibration, miss=0.1, by_class=False):
    """Which classes each image may be of, (n, classes) bool; misses the truth rarely.

    Split conformal prediction by the probability of the truth (Sadinle, Lei and
    Wasserman, 2019), with `by_class` for each class on its own. The promise holds for
    images like those of `calibration`, from other groups and not used in training.
    """
    for each in (predictions, calibration):
        if each.probability is None:
            raise ValueError("conformal sets need probabilities; there are none")
        if each.classes != predictions.classes:
            raise ValueError(
                "calibrated on other classes; give both the same, in order"
            )
    both = set(predictions.group) & set(calibration.group)
    if both:
        raise ValueError(
            f"group {str(min(both))!r} both calibrates and is predicted "
            f"({len(both)} such); calibrate on other groups"
        )
    if not 0 < miss < 1:
        raise ValueError(f"miss is {miss:g}, not a share between 0 and 1")
    truth = resample.number(calibration).truth
    strange = 1 - calibration.probability[np.arange(len(truth)), truth]
    classes = range(len(calibration.classes))
    limits = [
        _limit(strange[truth == i] if by_class else strange, miss) for i in classes
    ]
    return 1 - predictions.probability <= np.array(limits) + 1e-12


def _limit(strange, miss):
    """How strange a class may be to stay in the set; without bound if data are few."""
    place = int(np.ceil((len(strange) + 1) * (1 - miss) - 1e-9))
    return np.sort(strange)[place - 1] if place <= len(strange) else np.inf


def coverage(predictions, chosen, *, rng, draws=2000):
    """How often a set holds the truth, of all and of each class; and how large it is.

    name -> Estimate: "coverage", "set size", "coverage of X". The interval is of the
    sets as they are: that others would come of other calibration images is not in it.
    """
    numbered = resample.number(predictions)
    size = len(predictions.classes)
    if chosen.shape != (len(predictions), size):
        raise ValueError(
            f"sets have shape {chosen.shape}, not ({len(predictions)}, {size}); make "
            "them of these predictions"
        )
    hold = chosen[np.arange(len(chosen)), numbered.truth] * 1.0
    there = np.unique(numbered.truth)
    names = ["coverage", "set size"]
    names += [f"coverage of {predictions.classes[i]}" for i in there]
    hits = (
        numbered.each(hold, chosen.mean(1)),
        numbered.sums(numbered.truth, size, hold),
    )
    asked = (
        numbered.sums(0, 1),
        numbered.sums(0, 1),
        numbered.sums(numbered.truth, size),
    )
    tally = resample.shares(
        names,
        np.concatenate([hits[0], hits[1][:, there]], 1),
        np.concatenate([*asked[:2], asked[2][:, there]], 1),
    )
    found = resample.estimates(predictions, [tally], rng=rng, draws=draws)
    share = found["set size"]
    scaled = {name: size * getattr(share, name) for name in ("value", "low", "high")}
    return found | {"set size": dataclasses.replace(share, **scaled)}
