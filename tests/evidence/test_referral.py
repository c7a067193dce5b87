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


def slowly(said, target):
    """The obvious twin: refer one more until the rest reaches the target."""
    order = np.argsort(said.uncertainty)
    for k in range(len(said), 0, -1):
        if (said.truth == said.label)[order[:k]].mean() >= target:
            return 1 - k / len(said)
    return 1.0


@pytest.mark.parametrize("target", [0.5, 0.9, 0.99])
def test_a_threshold_refers_as_many_as_its_slow_twin(said, target):
    marked = referral.refer(said, referral.threshold(said, target))
    assert marked.refer.mean() == pytest.approx(slowly(said, target))


def test_the_threshold_reaches_the_target_where_it_was_found(said):
    marked = referral.refer(said, referral.threshold(said, 0.95))
    kept = metrics.score(marked.take(~marked.refer), "accuracy", rng=rng())
    assert kept[0].value >= 0.95


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


def test_what_is_not_marked_has_no_outcome(said):
    with pytest.raises(ValueError, match="marked kept or referred; use"):
        referral.outcome(said, rng=rng())


def test_without_uncertainty_nothing_is_referred(said):
    bare = dataclasses.replace(said, probability=None, uncertainty=None)
    for ask in (referral.max_softmax, lambda s: referral.refer(s, 0.5)):
        with pytest.raises(ValueError, match=r"there (is|are) none"):
            ask(bare)
    with pytest.raises(ValueError, match="an uncertainty of each image"):
        referral.curves(bare, rng=rng())


def test_a_target_that_no_threshold_reaches_refers_every_image():
    said = predictions(1)
    worst = dataclasses.replace(said, uncertainty=(said.truth == said.label) * 1.0)
    assert referral.refer(worst, referral.threshold(worst, 1)).refer.all()
