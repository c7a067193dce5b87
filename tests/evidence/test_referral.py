import dataclasses

import numpy as np
import pytest
from predicted import predictions

from chromolib.evidence import metrics, referral


def rng(seed=0):
    return np.random.default_rng(seed)


@pytest.fixture(scope="module")
def said():
    return predictions(5, cells=30, size=10)


def test_a_curve_equals_its_slow_twin(said):
    curve = referral.curves(said, rng=rng(), draws=50)["uncertainty"]
    wrong = (said.truth != said.label)[np.argsort(said.uncertainty)]
    for kept, risk in zip(curve.kept, curve.risk, strict=True):
        assert risk == pytest.approx(wrong[: round(kept * len(wrong))].mean())


def test_all_orders_agree_where_every_image_is_kept(said):
    own = dataclasses.replace(said, uncertainty=rng().random(len(said)))
    ends = [c.iloc[-1] for c in referral.curves(own, rng=rng()).values()]
    assert len(ends) == 3
    for end in ends:
        assert end.risk == pytest.approx((said.truth != said.label).mean())


def test_no_control_is_drawn_of_a_curve_that_is_the_control_itself(said):
    assert set(referral.curves(said, rng=rng(), draws=20)) == {"uncertainty", "random"}


def test_random_is_flat_and_max_softmax_ignores_the_given_uncertainty(said):
    noisy = dataclasses.replace(said, uncertainty=rng().random(len(said)))
    curves = referral.curves(noisy, rng=rng(), draws=50)
    assert curves["random"].risk.nunique() == 1
    twin = referral.curves(said, rng=rng(), draws=50)["uncertainty"]
    np.testing.assert_allclose(curves["max-softmax"].risk, twin.risk)
    assert curves["uncertainty"].risk.mean() > 1.5 * twin.risk.mean()


def test_equal_uncertainties_know_no_more_than_chance(said):
    flat = dataclasses.replace(said, uncertainty=np.zeros(len(said)))
    curves = referral.curves(flat, rng=rng(), draws=50)
    np.testing.assert_allclose(curves["uncertainty"].risk, curves["random"].risk)


def slowly(said, target, of):
    """The obvious twin: refer one more until the rest reaches the target."""
    rate, _, kind = of.partition(" of ")
    side = said.label if rate == "precision" else said.truth
    order = np.argsort(said.uncertainty)
    for k in range(len(said), 0, -1):
        rest = order[:k]
        asked = rest[(side[rest] == kind) | (not kind)]
        if len(asked) and (said.truth == said.label)[asked].mean() >= target:
            return 1 - k / len(said)
    return 1.0


@pytest.mark.parametrize("of", ["accuracy", "recall of X", "precision of 1"])
@pytest.mark.parametrize("target", [0.5, 0.9, 0.99])
def test_a_threshold_refers_as_many_as_its_slow_twin(said, target, of):
    marked = referral.refer(said, referral.threshold(said, target, of=of, default=-1.0))
    assert marked.refer.mean() == pytest.approx(slowly(said, target, of))


def test_what_no_threshold_reaches_is_an_error():
    said = predictions(1)
    worst = dataclasses.replace(said, uncertainty=(said.truth == said.label) * 1.0)
    with pytest.raises(ValueError, match="no threshold gives accuracy of 1; lower"):
        referral.threshold(worst, 1)


@pytest.mark.parametrize("of", ["accuracy", "recall of X"])
def test_the_threshold_reaches_the_target_where_it_was_found(said, of):
    threshold = referral.threshold(said, 0.95, of=of)
    marked = referral.refer(said, threshold)
    kept = metrics.measure(marked.take(~marked.refer), of, rng=rng())[of]
    assert kept.value >= 0.95


def test_the_outcome_counts_what_was_referred_kept_and_caught(said):
    marked = referral.refer(said, np.quantile(said.uncertainty, 0.8))
    found = referral.outcome(marked, rng=rng())
    right, refer = marked.truth == marked.label, marked.refer
    values = {name: one.value for name, one in found.items()}
    assert values == pytest.approx(
        {
            "referred": refer.mean(),
            "accuracy of the kept": right[~refer].mean(),
            "wrong labels referred": refer[~right].mean(),
        }
    )
    assert found["accuracy of the kept"].n == (~refer).sum()


@pytest.mark.parametrize(
    ("ask", "complaint"),
    [
        (lambda s: referral.outcome(s, rng=rng()), "marked kept or referred; use"),
        (lambda s: referral.threshold(s, 0.9, of="F1 of X"), "'F1 of X' is not accur"),
        (
            lambda s: referral.threshold(s, 0.9, of="recall of 9"),
            "of class '9'; choose",
        ),
    ],
)
def test_what_cannot_be_asked_is_refused(said, ask, complaint):
    with pytest.raises(ValueError, match=complaint):
        ask(said)


def test_without_uncertainty_nothing_is_referred(said):
    bare = dataclasses.replace(said, probability=None, uncertainty=None)
    for ask in (referral.max_softmax, lambda s: referral.refer(s, 0.5)):
        with pytest.raises(ValueError, match=r"there (is|are) none"):
            ask(bare)
    with pytest.raises(ValueError, match="an uncertainty of each image"):
        referral.curves(bare, rng=rng())


def test_a_default_stands_for_a_threshold_that_nothing_reaches():
    said = predictions(1)
    worst = dataclasses.replace(said, uncertainty=(said.truth == said.label) * 1.0)
    threshold = referral.threshold(worst, 1, default=-1.0)
    assert referral.refer(worst, threshold).refer.all()
    assert referral.threshold(said, 0.5, default=-1.0) == referral.threshold(said, 0.5)
