"""What repeated predictions of two classes say: which class, and how sure it is.

`draws` are (times, n), the probability of the second class: a row for each prediction
with dropout left on, for each member of an ensemble, or for both stacked. Their order
does not matter. A draw votes for the second class where it is above one half.

With two classes several scores put images in one order: the entropy of the mean falls
as the mean probability of the named class rises, and so does the margin, which is twice
that probability less one and is therefore left out here.
"""

import dataclasses

import numpy as np
from scipy import special


def vote_share(draws):
    """The class that most draws name; 1 - its share of the votes, from 0 to 1/2.

    Where the votes are even the mean probability decides, and the uncertainty is 1/2.
    """
    second, agree = _votes(draws)
    return second, 1 - agree.mean(0)


def mean_probability(draws):
    """The class of the higher mean probability; 1 - that mean, from 0 to 1/2."""
    mean = draws.mean(0)
    return mean > 0.5, np.minimum(mean, 1 - mean)


def entropy(draws):
    """The class of the higher mean probability; entropy of the mean, from 0 to 1 bit.

    It holds both what the draws agree to be unsure of and what they disagree about.
    """
    mean = draws.mean(0)
    return mean > 0.5, _bits(mean)


def mutual_information(draws):
    """The class of the higher mean probability; how much the draws disagree, in bits.

    Entropy of the mean less the mean entropy of the draws, from 0 to 1 (BALD, Houlsby
    et al., 2011, eq. 2): 0 where all draws are equal, however unsure they are.
    """
    second, whole = entropy(draws)
    return second, _zero_if_equal(draws, whole - _bits(draws).mean(0))


def variance(draws):
    """The class of the higher mean probability; variance of the draws, up to 1/4."""
    return draws.mean(0) > 0.5, _zero_if_equal(draws, draws.var(0))


def votes_and_probability(draws):
    """The class that most draws name; 1 - its share of the votes times their mean
    probability of it, from 0 to 3/4.

    A vote counts as much as it is sure of itself, so votes near one half count half. It
    is never below the uncertainty by mean probability, and equal to it where all votes
    agree: it adds something only where they do not.
    """
    second, agree = _votes(draws)
    named = np.where(second, draws, 1 - draws)
    return second, 1 - (agree * named).mean(0)


SCORES = {  # name -> draws to (whether it is the second class, uncertainty), (n,) each
    "vote share": vote_share,
    "mean probability": mean_probability,
    "entropy": entropy,
    "mutual information": mutual_information,
    "variance": variance,
    "votes and probability": votes_and_probability,
}


def said(draws, score, *, like):
    """Predictions of the images of `like`, named and found unsure by a score.

    The probability is the mean of the draws, whatever the score.
    """
    if score not in SCORES:
        raise ValueError(f"unknown score {score!r}; known: {', '.join(SCORES)}")
    draws = checked(draws, like)
    second, uncertainty = SCORES[score](draws)
    mean = draws.mean(0)
    return dataclasses.replace(
        like,
        probability=np.column_stack([1 - mean, mean]),
        label=np.array(like.classes)[second.astype(int)],
        uncertainty=uncertainty,
        refer=None,
        conditions=like.conditions | {"score": score},
    )


def checked(draws, like):
    """Draws of the images of `like`, as float64; refuses what are none."""
    draws = np.asarray(draws, np.float64)
    if len(like.classes) != 2:
        raise ValueError(
            f"draws are of the second of two classes, and there are {len(like.classes)}"
        )
    if draws.ndim != 2 or not len(draws) or draws.shape[1] != len(like):
        raise ValueError(
            f"draws have shape {draws.shape}, not (times, {len(like)}): a row a "
            "prediction, a column an image"
        )
    if not ((draws >= 0) & (draws <= 1)).all():
        raise ValueError("a draw is no probability; give what comes out of the sigmoid")
    return draws


def _votes(draws):
    """Whether most draws name the second class, and which draws agree: (times, n)."""
    votes = draws > 0.5
    count = 2 * votes.sum(0)
    even = draws.mean(0) > 0.5
    second = np.where(count == len(draws), even, count > len(draws))
    return second, votes == second


def _zero_if_equal(draws, spread):
    """The spread of the draws; rounding must not rank images whose draws are equal."""
    return np.where(np.ptp(draws, axis=0) > 0, np.maximum(0, spread), 0)


def _bits(p):
    """Entropy of two classes in bits."""
    return (special.entr(p) + special.entr(1 - p)) / np.log(2)
