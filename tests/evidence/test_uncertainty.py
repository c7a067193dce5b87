import dataclasses

import numpy as np
import pytest
from predicted import predictions
from scipy import stats

from chromolib.evidence import metrics, uncertainty

MOST = {
    "vote share": 1 / 2,
    "mean probability": 1 / 2,
    "entropy": 1,
    "mutual information": 1,
    "variance": 1 / 4,
    "votes and probability": 3 / 4,
}
DISAGREEMENT = ("mutual information", "variance")


def repeated(times=7, n=300, seed=0):
    """Draws of every kind: certain, undecided, agreeing, disagreeing."""
    rng = np.random.default_rng(seed)
    logits = 4 * rng.normal(size=n) + 3 * rng.random(n) * rng.normal(size=(times, n))
    return 1 / (1 + np.exp(-logits))


def unsure(score, *columns):
    """The uncertainty of images, each given as its draws."""
    return uncertainty.SCORES[score](np.array(columns, float).T)[1]


def named(score, *columns):
    return uncertainty.SCORES[score](np.array(columns, float).T)[0].tolist()


@pytest.fixture(params=uncertainty.SCORES)
def score(request):
    return request.param


def test_every_score_keeps_its_bounds_and_reaches_them(score):
    values = uncertainty.SCORES[score](repeated(times=6))[1]
    assert values.min() >= 0
    assert values.max() <= MOST[score] + 1e-12
    sure, torn = unsure(score, [1, 1, 1, 1], [0, 0, 1, 1])
    assert sure == 0
    wanted = MOST[score] if score != "votes and probability" else 1 / 2
    assert torn == pytest.approx(wanted)


def test_the_most_unsure_vote_is_one_of_two_that_hardly_decide():
    assert unsure("votes and probability", [0.5 + 1e-9, 0.5]) == pytest.approx(0.75)


def test_the_order_of_the_draws_does_not_matter(score):
    draws = repeated()
    mixed = np.random.default_rng(1).permutation(draws)
    second, values = uncertainty.SCORES[score](draws)
    again, others = uncertainty.SCORES[score](mixed)
    np.testing.assert_array_equal(second, again)
    np.testing.assert_allclose(values, others, atol=1e-12)


def test_draws_seen_twice_say_the_same(score):
    draws = repeated()
    second, values = uncertainty.SCORES[score](draws)
    again, others = uncertainty.SCORES[score](np.concatenate([draws, draws]))
    np.testing.assert_array_equal(second, again)
    np.testing.assert_allclose(values, others, atol=1e-12)


def test_exchanged_classes_exchange_the_names_and_leave_the_uncertainty(score):
    draws = repeated(times=6)
    second, values = uncertainty.SCORES[score](draws)
    other, others = uncertainty.SCORES[score](1 - draws)
    np.testing.assert_array_equal(second, ~other)
    np.testing.assert_allclose(values, others, atol=1e-12)


def test_equal_draws_disagree_about_nothing():
    draws = np.tile(repeated(times=1), (5, 1))
    for score in (*DISAGREEMENT, "vote share"):
        assert not uncertainty.SCORES[score](draws)[1].any()
    both = uncertainty.votes_and_probability(draws)[1]
    np.testing.assert_allclose(both, uncertainty.mean_probability(draws)[1])


def test_disagreement_is_a_part_of_the_entropy():
    draws = repeated()
    whole = uncertainty.entropy(draws)[1]
    part = uncertainty.mutual_information(draws)[1]
    assert (part <= whole).all()
    unsure_alike, torn = np.full(4, 0.5), [0, 0, 1, 1]
    assert unsure("entropy", unsure_alike, torn).tolist() == [1, 1]
    assert unsure("mutual information", unsure_alike, torn).tolist() == [0, 1]


def test_mutual_information_equals_its_slow_twin():
    draws = repeated(n=20)

    def bits(p):
        return stats.entropy([p, 1 - p], base=2)

    slow = [bits(d.mean()) - np.mean([bits(p) for p in d]) for d in draws.T]
    np.testing.assert_allclose(uncertainty.mutual_information(draws)[1], slow)


def test_entropy_orders_images_as_the_mean_probability_does():
    draws = repeated()
    orders = [
        uncertainty.SCORES[name](draws)[1].argsort()
        for name in ("entropy", "mean probability")
    ]
    np.testing.assert_array_equal(*orders)


def test_even_votes_are_decided_by_the_mean_and_are_as_unsure_as_can_be():
    low, high = [0.1, 0.1, 0.6, 0.6], [0.9, 0.9, 0.4, 0.4]
    for score in ("vote share", "votes and probability"):
        assert named(score, low, high) == [False, True]
    assert unsure("vote share", low, high).tolist() == [0.5, 0.5]
    assert named("vote share", [0.5, 0.5]) == [False]  # half is no vote for the second


def test_votes_near_one_half_are_sure_by_votes_alone():
    near, far = [0.51, 0.52, 0.53], [0.97, 0.98, 0.99]
    assert unsure("vote share", near, far).tolist() == [0, 0]
    assert unsure("votes and probability", near, far) == pytest.approx([0.48, 0.02])


def test_votes_and_probability_is_never_surer_than_the_mean_probability():
    draws = repeated()
    both, mean = (
        uncertainty.SCORES[name](draws)[1]
        for name in ("votes and probability", "mean probability")
    )
    assert (both >= mean - 1e-12).all()
    agreed = uncertainty.vote_share(draws)[1] == 0
    assert 0 < agreed.mean() < 1
    np.testing.assert_allclose(both[agreed], mean[agreed])
    assert (both > mean + 1e-12)[~agreed].all()


@pytest.fixture(scope="module")
def base():
    return predictions(2, classes=("n", "a"), protocol="clean", conditions={"m": "mc"})


def test_predictions_carry_the_mean_the_name_the_score_and_the_words(base, score):
    draws = repeated(n=len(base))
    said = uncertainty.said(draws, score, like=base)
    second, values = uncertainty.SCORES[score](draws)
    np.testing.assert_allclose(said.probability[:, 1], draws.mean(0))
    np.testing.assert_array_equal(said.label == "a", second)
    np.testing.assert_array_equal(said.uncertainty, values)
    assert said.conditions == {"m": "mc", "score": score}
    assert said.words == base.words | {"conditions": said.conditions}
    np.testing.assert_array_equal(said.truth, base.truth)


def test_a_mark_for_an_expert_does_not_outlive_its_uncertainty(base):
    marked = dataclasses.replace(base, refer=np.ones(len(base), bool))
    draws = repeated(n=len(base))
    assert uncertainty.said(draws, "variance", like=marked).refer is None


def test_one_draw_ranks_as_max_softmax(base):
    one = uncertainty.said(base.probability[None, :, 1], "mean probability", like=base)
    values = [
        metrics.measure(each, "AUGRC", rng=np.random.default_rng(0))["AUGRC"].value
        for each in (one, base)
    ]
    assert values[0] == pytest.approx(values[1])


def test_what_are_no_draws_is_refused(base):
    draws = repeated(n=len(base))
    with pytest.raises(ValueError, match="unknown score 'margin'; known: vote share"):
        uncertainty.said(draws, "margin", like=base)
    for wrong in (draws[0], draws.T, draws[:0]):
        with pytest.raises(ValueError, match=r"not \(times, 72\)"):
            uncertainty.said(wrong, "variance", like=base)
    for odd in (draws * 4, draws * np.nan):
        with pytest.raises(ValueError, match="no probability; give what comes out"):
            uncertainty.said(odd, "variance", like=base)
    with pytest.raises(ValueError, match="second of two classes, and there are 3"):
        uncertainty.said(draws, "variance", like=predictions(2))
