"""Sets of classes that hold the truth as often as promised."""

import dataclasses

import numpy as np

from chromolib.evidence import resample


def sets(predictions, *, calibration, alpha=0.1, by_class=False):
    """The classes each image may be of, (n, classes) bool; misses a share `alpha`.

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
    if not 0 < alpha < 1:
        raise ValueError(f"alpha is {alpha:g}, not a share between 0 and 1")
    truth = resample.encode(calibration).truth
    scores = 1 - calibration.probability[np.arange(len(truth)), truth]
    of_class = [scores[truth == i] for i in range(len(calibration.classes))]
    limits = [_limit(own if by_class else scores, alpha) for own in of_class]
    return 1 - predictions.probability <= np.array(limits) + 1e-12


def _limit(scores, alpha):
    """The score up to which a class stays in the set; no limit if data are few."""
    place = int(np.ceil((len(scores) + 1) * (1 - alpha) - 1e-9))
    return np.sort(scores)[place - 1] if place <= len(scores) else np.inf


def coverage(predictions, chosen, *, rng, draws=2000):
    """How often a set holds the truth, of all and of each class; and how large it is.

    name -> Estimate: "coverage", "set size", "coverage of X". The interval is of the
    sets as they are: that other calibration images would give others is not in it.
    """
    encoded = resample.encode(predictions)
    n, size = len(predictions), len(predictions.classes)
    if chosen.shape != (n, size):
        raise ValueError(
            f"sets have shape {chosen.shape}, not ({n}, {size}); make them of these "
            "predictions"
        )
    covered = chosen[np.arange(n), encoded.truth] * 1.0
    present = np.unique(encoded.truth)
    of_class = encoded.sums(encoded.truth, size, covered)[:, present]
    hits = np.concatenate([encoded.totals(covered, chosen.mean(1)), of_class], 1)
    of_class = encoded.sums(encoded.truth, size)[:, present]
    support = np.concatenate([encoded.totals(*np.ones((2, n))), of_class], 1)
    names = [f"coverage of {predictions.classes[i]}" for i in present]
    tally = resample.rates(["coverage", "set size", *names], hits, support)
    made = resample.estimates(predictions.words, [tally], rng=rng, draws=draws)
    share = made["set size"]
    scaled = {name: size * getattr(share, name) for name in ("value", "low", "high")}
    return made | {"set size": dataclasses.replace(share, **scaled)}
