import dataclasses
import math

import numpy as np
import pytest
from predicted import predictions

from chromolib import records
from chromolib.evidence import between, metrics


def rng(seed=0):
    return np.random.default_rng(seed)


def two(seed=0, **shape):
    """Two models on the same images, the second a little worse."""
    first = predictions(seed, cells=30, size=8, model="vgg", **shape)
    noise = np.exp(rng(seed + 99).normal(size=first.probability.shape))
    probability = first.probability * noise
    probability /= probability.sum(1, keepdims=True)
    return first, dataclasses.replace(
        first, probability=probability, label=None, uncertainty=None, model="knn"
    )


def test_equal_models_do_not_differ():
    first, _ = two()
    same = between.paired(first, first, "accuracy", "AUGRC", "NLL", rng=rng())
    for one in same.values():
        assert one.value == 0
        assert one.low < 0 < one.high


def test_the_order_of_images_changes_nothing():
    first, second = two()
    shuffled = second.take(rng().permutation(len(second)))
    one, other = (
        between.paired(first, each, "macro F1", rng=rng())
        for each in (second, shuffled)
    )
    assert one == other


def test_a_difference_is_that_of_the_estimates_and_turns_with_the_models():
    first, second = two()
    there = between.paired(first, second, rng=rng())
    back = between.paired(second, first, rng=rng())
    apart = [metrics.measure(each, rng=rng()) for each in (first, second)]
    for name in ("accuracy", "macro AUROC", "ECE", "FPR95", "F1 of X"):
        one = there[name]
        assert one.quantity == f"difference in {name}"
        assert one.value == pytest.approx(apart[0][name].value - apart[1][name].value)
        assert (-one.high, -one.low) == pytest.approx((back[name].low, back[name].high))
    assert there["NLL"].model == "vgg - knn"


def test_the_same_cells_make_a_difference_surer():
    first, second = two()
    paired = between.paired(first, second, "accuracy", rng=rng())["accuracy"]
    apart = [metrics.measure(e, "accuracy", rng=rng())["accuracy"] for e in two()]
    width = math.hypot(*(one.high - one.low for one in apart))
    assert paired.high - paired.low < 0.8 * width


def test_differences_hold_the_truth_about_19_times_in_20():
    names = ("accuracy", "NLL")
    truth = between.paired(*big(), *names, rng=rng(), draws=2)
    held = dict.fromkeys(names, 0)
    for seed in range(150):
        found = between.paired(*two(seed), *names, rng=rng(seed), draws=200)
        for name in names:
            held[name] += found[name].low <= truth[name].value <= found[name].high
    assert all(0.9 <= count / 150 <= 0.99 for count in held.values()), held


@pytest.mark.parametrize(("first", "second"), [(0.99, 0.95), (0.98, 0.96)])
def test_differences_near_the_ceiling_hold_the_truth(first, second):
    """On a plain scale the intervals held it in 90 of 100 only (60 and 100 groups)."""
    chance, held = np.random.default_rng(0), 0
    for _ in range(150):
        group = np.repeat(np.arange(80), chance.integers(1, 5, 80))
        truth = np.arange(len(group)) % 2
        common = chance.random(len(group))
        sides = []
        for rate in (first, second):
            own = np.where(chance.random(len(group)) < 0.5, common, 1 - common[::-1])
            label = np.where(own < rate, truth, 1 - truth)
            sides.append(named(truth, label, group))
        found = between.paired(*sides, "accuracy", rng=chance, draws=200)["accuracy"]
        held += found.low <= first - second <= found.high
    assert held >= 0.93 * 150


def named(truth, label, group):
    """Predictions of two classes by label alone."""
    words = np.array(["n", "a"])
    return records.Predictions(
        image=np.arange(len(truth)),
        group=group,
        truth=words[truth],
        label=words[label],
        classes=("n", "a"),
        source="drawn",
    )


def big():
    first, second = zip(*(two(10**6 + seed) for seed in range(60)), strict=True)
    return together(first), together(second)


def together(parts):
    """Many small sets as one, so that the truth is known better than a set tells."""
    columns = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("truth", "probability", "label", "uncertainty")
    }
    for name in ("image", "group"):
        columns[name] = [
            f"{i} {value}" for i, p in enumerate(parts) for value in getattr(p, name)
        ]
    return dataclasses.replace(parts[0], **columns, cell=None)


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"image": [f"{i}.tif" for i in range(240)]}, "240 of the first not among"),
        ({"truth": ["X"] * 240}, "image '.*.png' has another truth"),
        ({"group": ["g"] * 240}, "image '0.png' has another group"),
        ({"classes": ("X", "2", "1")}, "models of other classes"),
    ],
)
def test_models_are_compared_on_the_same_images_only(change, complaint):
    first, second = two()
    with pytest.raises(ValueError, match=complaint):
        between.paired(first, dataclasses.replace(second, **change), rng=rng())


def test_models_of_fewer_images_are_not_compared():
    first, second = two()
    with pytest.raises(ValueError, match="240 and 239 images"):
        between.paired(first, second.take(range(239)), rng=rng())


def seeds(*values, half=0.05, **words):
    known = {"study": "toy", "quantity": "accuracy", "source": "synthetic"}
    known |= {"protocol": "clean", "n": 90, "groups": 9} | words
    return [
        records.Estimate(value=v, low=v - half, high=v + half, seed=s, **known)
        for s, v in enumerate(values)
    ]


def test_equal_seeds_leave_what_the_cases_leave_open():
    pooled = between.pool(seeds(0.8, 0.8, 0.8))
    assert (pooled.low, pooled.high) == pytest.approx((0.75, 0.85))
    assert records.write_conditions(pooled.conditions) == "seeds=0 1 2"


def test_both_spreads_join_as_the_sides_of_a_right_angle():
    reach = 4.3027 * 0.02 / math.sqrt(3)  # Student's t with two degrees of freedom
    for half in (0.05, 0):
        pooled = between.pool(seeds(0.78, 0.8, 0.82, half=half))
        assert pooled.value == pytest.approx(0.8)
        ends = 0.8 - math.hypot(half, reach), 0.8 + math.hypot(half, reach)
        assert (pooled.low, pooled.high) == pytest.approx(ends, abs=1e-5)


def test_pooling_stays_within_what_can_be():
    assert between.pool(seeds(0.9, 1.0, half=0)).high == 1
    assert between.pool(seeds(0.9, 1.2, quantity="NLL")).high > 1.2
    assert between.pool(seeds(0.0, 0.1, quantity="difference in AUGRC")).low == -0.5
    hours = between.pool(seeds(9, 12, quantity="hours"), within=(0, math.inf))
    assert hours.high > 12


@pytest.mark.parametrize(
    ("estimates", "complaint"),
    [
        (seeds(0.8), "at least two seeds"),
        (seeds(0.8) * 2, "at least two seeds"),
        ([seeds(0.8)[0], seeds(0, 0.8, model="vgg")[1]], "seeds differ in model"),
        (
            seeds(0.8, 1.2),
            r"accuracy of 1.2 \[.*\] is not from 0 to 1; say in `within`",
        ),
    ],
)
def test_what_is_not_one_quantity_over_seeds_is_not_pooled(estimates, complaint):
    with pytest.raises(ValueError, match=complaint):
        between.pool(estimates)
