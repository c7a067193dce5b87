import dataclasses

import numpy as np
import pytest
from predicted import predictions
from scipy import special
from sklearn import calibration as sk
from sklearn import frozen, linear_model

from chromolib import intervals
from chromolib.evidence import calibration, metrics


def rng(seed=0):
    return np.random.default_rng(seed)


def test_the_diagram_holds_every_image_once_and_gives_the_ece():
    said = predictions(2)
    table = calibration.reliability(said, rng=rng())
    assert table.n.sum() == len(said)
    assert (table.low <= table.accuracy).all()
    assert (table.accuracy <= table.high).all()
    gap = (table.n * abs(table.accuracy - table.confidence)).sum() / len(said)
    assert gap == pytest.approx(metrics.measure(said, "ECE", rng=rng())["ECE"].value)


def test_equal_confidences_share_a_bin():
    sure = dataclasses.replace(
        predictions(), probability=np.eye(3)[np.arange(72) % 3], label=None
    )
    assert len(calibration.reliability(sure, rng=rng())) == 1


def test_the_ece_of_a_calibrated_model_may_be_0():
    lows = []
    for seed in range(40):
        said = predictions(seed, cells=40)
        draw = rng(seed).random((len(said), 1)) > said.probability.cumsum(1)[:, :-1]
        said = dataclasses.replace(said, truth=np.array(said.classes)[draw.sum(1)])
        lows.append(metrics.measure(said, "ECE", rng=rng(), draws=200)["ECE"].low)
    assert np.mean(np.array(lows) == 0) > 0.9


def by_scikit_learn(said):
    """Its calibrator wants a classifier: one whose decision is what it is given."""
    logits = np.log(said.probability)
    truth = np.array([said.classes.index(kind) for kind in said.truth])
    head = linear_model.LogisticRegression()
    head.classes_, head.n_features_in_ = np.arange(3), 3
    head.coef_, head.intercept_ = np.eye(3), np.zeros(3)
    fitted = sk.CalibratedClassifierCV(
        frozen.FrozenEstimator(head), method="temperature"
    )
    fitted.fit(logits, truth)
    return fitted.predict_proba(logits)


@pytest.mark.parametrize("seed", range(3))
def test_temperature_scaling_equals_scikit_learns(seed):
    said = predictions(seed, cells=40)
    cooled = calibration.temperature_scaled(said, calibration.temperature(said))
    np.testing.assert_allclose(cooled.probability, by_scikit_learn(said), atol=1e-4)


def test_a_temperature_undoes_itself():
    said = predictions(0, cells=40)
    right = calibration.temperature(said)
    sharp = calibration.temperature_scaled(said, 0.25)
    assert calibration.temperature(sharp) == pytest.approx(4 * right, rel=1e-3)


def test_cooling_keeps_labels_and_moves_the_uncertainty():
    said = predictions()
    cooled = calibration.temperature_scaled(said, 3.0)
    assert (cooled.label == said.label).all()
    assert (cooled.uncertainty > said.uncertainty).all()
    twin = special.softmax(np.log(said.probability) / 3, axis=1)
    np.testing.assert_allclose(cooled.probability, twin)


@pytest.mark.parametrize("ask", [calibration.temperature, calibration.reliability])
def test_without_probabilities_there_is_nothing_to_calibrate(ask):
    said = dataclasses.replace(predictions(), probability=None)
    with pytest.raises(ValueError, match="probabilities; there are none"):
        ask(said, **{"rng": rng()} if ask is calibration.reliability else {})


def test_the_folded_mean_is_how_far_chance_raises_the_ece():
    gaps, images = rng(1).normal(size=(400, 15)), np.full((400, 1), 6)
    tally = calibration._ece(gaps, images)  # no gap but by chance
    low, _ = tally.interval(tally.value[0], np.zeros(9), 400, 1)
    assert low == pytest.approx(0, abs=0.25 * tally.value[0])
    assert intervals.interval(tally.value[0], np.zeros(9), 400)[0] > low
