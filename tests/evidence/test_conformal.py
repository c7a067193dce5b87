import dataclasses
import math

import numpy as np
import pytest
from predicted import predictions

from chromolib.evidence import conformal


def rng(seed=0):
    return np.random.default_rng(seed)


def halves(seed=0, **shape):
    """Predictions to make sets of, and others, of other cells, to calibrate on."""
    said = predictions(seed, **shape)
    first = np.isin(said.group, list(dict.fromkeys(said.group))[::2])
    return said.take(first), said.take(~first)


def slowly(said, calibration, alpha, by_class):
    """The obvious twin: a class stays if it is no stranger than most truths were."""
    rows = []
    for image in said.probability:
        row = []
        for i, kind in enumerate(said.classes):
            mine = calibration.truth == kind if by_class else calibration.truth != ""
            truths = [
                1 - p[said.classes.index(t)]
                for p, t in zip(
                    calibration.probability[mine], calibration.truth[mine], strict=True
                )
            ]
            stranger = 1 + sum(1 - image[i] <= strange for strange in truths)
            row.append(stranger / (len(truths) + 1) > alpha)
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize("by_class", [False, True])
@pytest.mark.parametrize("alpha", [0.02, 0.1, 0.4])
def test_sets_equal_their_slow_twin(alpha, by_class):
    said, others = halves(1)
    chosen = conformal.sets(said, calibration=others, alpha=alpha, by_class=by_class)
    np.testing.assert_array_equal(chosen, slowly(said, others, alpha, by_class))


@pytest.mark.parametrize("by_class", [False, True])
def test_sets_hold_the_truth_as_often_as_promised(by_class):
    held = []
    for seed in range(60):
        said, others = halves(seed, cells=200, size=1)
        chosen = conformal.sets(said, calibration=others, alpha=0.1, by_class=by_class)
        found = conformal.coverage(said, chosen, rng=rng(), draws=20)
        held.append(found["coverage"].value)
    spread = np.std(held) / math.sqrt(60)
    assert 0.9 - 3 * spread <= np.mean(held) <= 0.9 + 3 * spread + 1 / 30


def test_coverage_and_size_are_estimates_of_what_they_say():
    said, others = halves(2, cells=40)
    chosen = conformal.sets(said, calibration=others)
    found = conformal.coverage(said, chosen, rng=rng())
    truth = np.array([said.classes.index(kind) for kind in said.truth])
    hold = chosen[np.arange(len(said)), truth]
    assert found["coverage"].value == pytest.approx(hold.mean())
    assert found["coverage"].groups == 20
    size = found["set size"]
    assert size.value == pytest.approx(chosen.sum(1).mean())
    assert size.low <= size.value <= size.high <= 3
    only = said.truth == "X"
    assert found["coverage of X"].value == pytest.approx(hold[only].mean())
    assert found["coverage of X"].n == only.sum()


def test_too_few_to_calibrate_leave_every_class_in():
    said, others = halves(0)
    assert conformal.sets(said, calibration=others.take(range(8))).all()


def test_one_group_does_not_do_both():
    said = predictions()
    with pytest.raises(
        ValueError, match=r"'cell 0' both.*\(12 such\); calibrate on oth"
    ):
        conformal.sets(said, calibration=said)


@pytest.mark.parametrize(
    ("change", "words", "complaint"),
    [
        ({}, {"alpha": 5}, "alpha is 5, not a share"),
        ({"classes": ("X", "2", "1")}, {}, "calibrated on other classes"),
        ({"probability": None}, {}, "need probabilities; there are none"),
    ],
)
def test_what_makes_no_sets_is_refused(change, words, complaint):
    said, others = halves()
    with pytest.raises(ValueError, match=complaint):
        conformal.sets(dataclasses.replace(said, **change), calibration=others, **words)


def test_sets_of_other_images_are_refused():
    said, others = halves()
    chosen = conformal.sets(said, calibration=others)
    with pytest.raises(ValueError, match="make them of these predictions"):
        conformal.coverage(said, chosen[:5], rng=rng())
