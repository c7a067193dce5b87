import numpy as np
import pytest
from scipy import stats

from chromolib import intervals


def stream(seed=0):
    return np.random.default_rng(seed)


def slowly(correct, groups, rng, draws):
    """The obvious twin: draw whole groups, pool their items, take the mean."""
    rows = [np.array(correct)[np.array(groups) == g] for g in sorted(set(groups))]
    means = [
        np.concatenate(
            [rows[i] for i in rng.integers(len(rows), size=len(rows))]
        ).mean()
        for _ in range(draws)
    ]
    value, sd = np.mean(correct), np.std(means) * np.sqrt(len(rows) / (len(rows) - 1))
    reach = stats.t.ppf(0.975, len(rows) - 1) * sd / (value * (1 - value))
    odds = np.log(value / (1 - value)) + np.array([-reach, reach])
    return 1 / (1 + np.exp(-odds))


@pytest.fixture
def drawn():
    groups = np.repeat(np.arange(12), np.arange(1, 13))
    return stream(1).random(len(groups)) < 0.7, groups


def test_the_fast_share_equals_the_slow_one(drawn):
    value, *bounds = intervals.share(*drawn, rng=stream(), draws=300)
    assert value == pytest.approx(drawn[0].mean())
    np.testing.assert_allclose(bounds, slowly(*drawn, stream(), 300))


def test_small_blocks_change_nothing(drawn, monkeypatch):
    whole = intervals.share(*drawn, rng=stream())
    monkeypatch.setattr(intervals, "BLOCK", 30)
    assert intervals.share(*drawn, rng=stream()) == pytest.approx(whole, abs=0.02)


@pytest.mark.parametrize("seed", range(20))
def test_the_interval_holds_the_value_and_stays_between_0_and_1(seed):
    rng = stream(seed)
    groups = rng.integers(1 + seed, size=40)
    value, low, high = intervals.share(rng.random(40) < 0.9, groups, rng=rng, draws=200)
    assert 0 <= low <= value <= high <= 1


@pytest.mark.parametrize("groups", [3, 30, 300])
def test_nothing_wrong_in_all_groups_obeys_the_rule_of_three(groups):
    _, low, high = intervals.share(
        np.ones(2 * groups), np.arange(2 * groups) % groups, rng=stream()
    )
    assert high == 1
    assert low == pytest.approx(0.05 ** (1 / groups))
    assert low >= 1 - 3 / groups


def test_right_and_wrong_mirror_each_other_at_the_ends():
    ones = intervals.share(np.ones(9), np.arange(9), rng=stream())
    zeros = intervals.share(np.zeros(9), np.arange(9), rng=stream())
    assert zeros == pytest.approx((1 - ones[0], 1 - ones[2], 1 - ones[1]))


def test_one_group_knows_nearly_nothing():
    _, low, high = intervals.share([1, 0, 1, 1], ["a"] * 4, rng=stream())
    assert low < 0.1
    assert high > 0.95


def test_groups_that_agree_widen_the_interval():
    right = np.repeat(stream(2).random(20) < 0.5, 10)
    alone = intervals.share(right, np.arange(200), rng=stream())
    together = intervals.share(right, np.arange(200) // 10, rng=stream())
    assert together[2] - together[1] > 2 * (alone[2] - alone[1])


@pytest.mark.parametrize(
    ("groups", "size", "odds"),
    [(8, 10, (4, 2)), (40, 10, (4, 2)), (30, 46, (48.9, 1.1)), (30, 20, (19, 1))],
)
def test_the_interval_holds_the_truth_about_19_times_in_20(groups, size, odds):
    truth, held = odds[0] / sum(odds), 0
    for seed in range(300):
        rng = stream(seed)
        rate = rng.beta(*odds, groups)  # near 1 as well as in the middle
        right = rng.random((groups, size)) < rate[:, None]
        which = np.repeat(np.arange(groups), size)
        _, low, high = intervals.share(right.ravel(), which, rng=rng, draws=400)
        held += low <= truth <= high
    assert 0.92 <= held / 300 <= 0.99


def test_right_and_wrong_mirror_each_other_in_the_middle(drawn):
    right = intervals.share(*drawn, rng=stream())
    wrong = intervals.share(~drawn[0], drawn[1], rng=stream())
    assert wrong == pytest.approx((1 - right[0], 1 - right[2], 1 - right[1]))


@pytest.mark.parametrize(
    ("correct", "groups"), [([], []), ([1, 0], ["a"]), ([2], ["a"]), ([np.nan], ["a"])]
)
def test_what_is_no_share_is_refused(correct, groups):
    with pytest.raises(ValueError, match="share"):
        intervals.share(correct, groups, rng=stream())
