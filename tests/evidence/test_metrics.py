"""Each metric against a known library or an obvious twin, on data and on resamples."""

import dataclasses

import numpy as np
import pytest
from predicted import predictions
from scipy import stats
from sklearn import calibration as sk_calibration
from sklearn import metrics as sk

from chromolib import intervals, records
from chromolib.evidence import metrics, resample


def rng(seed=0):
    return np.random.default_rng(seed)


def whole_cells(said):
    right = said.truth == said.label
    return np.mean([right[said.group == cell].all() for cell in set(said.group)])


def by_class(score):
    """A twin for each class and one for their mean."""

    def of(said, kind):
        return score(said.truth == kind, said.label == kind)

    return {"macro": lambda s: np.mean([of(s, k) for k in np.unique(s.truth)])} | {
        kind: lambda s, kind=kind: of(s, kind) for kind in ("1", "2", "X")
    }


def ranked(score):
    def of(said, kind):
        column = said.probability[:, said.classes.index(kind)]
        return score(said.truth == kind, column)

    return {"macro": lambda s: np.mean([of(s, k) for k in np.unique(s.truth)])} | {
        kind: lambda s, kind=kind: of(s, kind) for kind in ("1", "2", "X")
    }


def specificity(truth, label):
    return sk.recall_score(~truth, ~label)


def risks(said, generalised):
    """Obvious AURC and AUGRC: errors among the k surest, ties in any order, all k."""
    wrong, unsure = said.truth != said.label, said.uncertainty
    areas, last = [], 0.0
    for k in range(1, len(wrong) + 1):
        edge = np.sort(unsure)[k - 1]
        sure, tied = unsure < edge, unsure == edge
        errors = wrong[sure].sum() + wrong[tied].mean() * (k - sure.sum())
        areas.append((last + errors) / 2 / len(wrong) if generalised else errors / k)
        last = errors
    return np.mean(areas)


def fpr95(said):
    wrong, right, _ = sk.roc_curve(
        said.truth == said.label, -said.uncertainty, drop_intermediate=False
    )
    return wrong[right >= 0.95 - 1e-9][0]


TWINS = {
    "accuracy": lambda s: sk.accuracy_score(s.truth, s.label),
    "balanced accuracy": lambda s: sk.balanced_accuracy_score(s.truth, s.label),
    "whole-cell accuracy": whole_cells,
    "NLL": lambda s: sk.log_loss(s.truth, s.probability, labels=s.classes),
    "Brier": lambda s: sk.brier_score_loss(
        s.truth, s.probability, labels=s.classes, scale_by_half=True
    ),
    "AURC": lambda s: risks(s, generalised=False),
    "AUGRC": lambda s: risks(s, generalised=True),
    "failure AUROC": lambda s: sk.roc_auc_score(s.truth != s.label, s.uncertainty),
    "FPR95": fpr95,
}
FAMILIES = {
    "precision": by_class(lambda t, p: sk.precision_score(t, p, zero_division=0)),
    "recall": by_class(sk.recall_score),
    "specificity": by_class(specificity),
    "F1": by_class(sk.f1_score),
    "AUROC": ranked(sk.roc_auc_score),
    "AUPRC": ranked(sk.average_precision_score),
}
for family, twins in FAMILIES.items():
    for kind, twin in twins.items():
        name = f"macro {family}" if kind == "macro" else f"{family} of {kind}"
        TWINS[name] = twin


@dataclasses.dataclass
class Resampled:
    """Images of drawn groups; a record would refuse one image twice."""

    truth: np.ndarray
    label: np.ndarray
    group: np.ndarray
    probability: np.ndarray
    uncertainty: np.ndarray
    classes: tuple


def resampled(said, picks):
    groups = list(dict.fromkeys(said.group))
    rows = [np.flatnonzero(said.group == groups[i]) for i in picks]
    index, copy = (
        np.concatenate(rows),
        np.repeat(range(len(rows)), list(map(len, rows))),
    )
    columns = (said.truth, said.label, copy, said.probability, said.uncertainty)
    return Resampled(*(c[index] if c is not copy else c for c in columns), said.classes)


@pytest.fixture(scope="module", params=["of their own", "often equal"])
def pair(request):
    """Predictions, and all quantities of the data and of 20 resamples of them."""
    said = predictions(3, skill=1.0)
    if request.param == "often equal":  # scores
        steps = np.exp(2 * np.round(np.log(said.probability) / 2))
        steps /= steps.sum(1, keepdims=True)
        said = dataclasses.replace(
            said, probability=steps, label=None, uncertainty=None
        )
        assert len(np.unique(said.uncertainty)) < len(said) / 3
    tallies = metrics.tallied(said)
    draws = resample.resampled(tallies, rng=rng(), draws=20)
    found = {
        name: (tally.value[i], values[:, i])
        for tally, values in zip(tallies, draws, strict=True)
        for i, name in enumerate(tally.names)
    }
    picks = rng().integers(12, size=(20, 12))
    return said, found, [resampled(said, each) for each in picks]


def test_every_metric_has_a_twin(pair):
    assert set(pair[1]) == set(TWINS) | {"ECE"}


@pytest.mark.parametrize("name", TWINS)
def test_a_metric_equals_its_twin_on_the_data_and_on_resamples(pair, name):
    said, found, drawn = pair
    value, draws = found[name]
    assert value == pytest.approx(TWINS[name](said))
    np.testing.assert_allclose(draws, [TWINS[name](each) for each in drawn], rtol=2e-5)


def test_a_class_that_was_not_drawn_counts_in_no_mean():
    """Called or not: its recall, precision and F1 are left out alike."""
    said = predictions(3, skill=0.5)
    rare = np.where(
        np.arange(72) < 6, "X", np.where(said.truth == "X", "1", said.truth)
    )
    said = dataclasses.replace(said, truth=rare)
    (tally, *_) = metrics.tallied(said, ["macro precision"])
    draws = resample.resampled([tally], rng=rng(), draws=20)[0]
    picks = rng().integers(12, size=(20, 12))
    kinds = [np.unique(resampled(said, each).truth) for each in picks]
    assert {len(each) for each in kinds} == {2, 3}
    for name in ("precision", "recall", "F1"):
        twins = [FAMILIES[name]["macro"](resampled(said, each)) for each in picks]
        found = draws[:, tally.names.index(f"macro {name}")]
        np.testing.assert_allclose(found, twins, rtol=2e-5)


@pytest.mark.parametrize(("groups", "rare"), [(60, 3), (100, 5)])
def test_a_mean_over_classes_holds_the_truth_though_one_is_rare(groups, rare):
    """By resamples alone it did in 77 and 68 of 100."""
    chance, held = rng(5), 0
    for _ in range(100):
        group = np.repeat(np.arange(groups), chance.integers(1, 5, groups))
        truth = (group < rare) * 1
        right = chance.random(len(group)) < np.where(truth == 1, 0.8, 0.98)
        words = np.array(["n", "a"])
        said = records.Predictions(
            image=np.arange(len(group)),
            group=group,
            truth=words[truth],
            label=words[np.where(right, truth, 1 - truth)],
            classes=("n", "a"),
            source="drawn",
        )
        name = "balanced accuracy"
        found = metrics.measure(said, name, rng=chance, draws=200)[name]
        held += found.low <= 0.89 <= found.high
    assert held >= 93


def test_adaptive_ece_equals_that_of_scikit_learns_curve(pair):
    said, found, _ = pair
    sure = said.probability.max(1)
    right, mean = sk_calibration.calibration_curve(
        said.truth == said.label, sure, n_bins=15, strategy="quantile"
    )
    edges = np.quantile(sure, np.linspace(0, 1, 16)[1:-1])
    size = np.bincount(np.searchsorted(edges, sure))
    size = size[size > 0]
    assert found["ECE"][0] == pytest.approx(
        (size * abs(right - mean)).sum() / len(said)
    )


@pytest.mark.parametrize("seed", range(4))
def test_augrc_is_what_accuracy_and_failure_auroc_make_it(seed):
    said = predictions(seed)
    found = metrics.measure(said, "accuracy", "failure AUROC", "AUGRC", rng=rng())
    right, auroc, augrc = (one.value for one in found.values())
    wrong = 1 - right  # Traub et al. (2024), equation 6
    assert augrc == pytest.approx((1 - auroc) * right * wrong + wrong**2 / 2)


def test_a_perfect_model_obeys_the_rule_of_three_and_ranks_no_failure():
    said = predictions(0, skill=50)
    found = metrics.measure(said, rng=rng())
    for name in ("accuracy", "macro F1", "AUROC of X", "whole-cell accuracy"):
        assert (found[name].value, found[name].high) == (1, 1)
        assert found[name].low == pytest.approx(0.05 ** (1 / found[name].groups))
    assert found["AURC"].value == found["AURC"].low == 0 < found["AURC"].high
    assert "failure AUROC" not in found


def test_estimates_carry_the_words_and_what_they_are_of():
    said = predictions(1, study="toy", model="vgg", conditions={"k": "1"}, seed=7)
    found = metrics.measure(said, rng=rng())
    recall = found["recall of X"]
    assert (recall.model, recall.conditions, recall.seed) == ("vgg", {"k": "1"}, 7)
    assert recall.n == (said.truth == "X").sum()
    assert recall.groups == len(set(said.group[said.truth == "X"]))
    assert found["F1 of X"].n == ((said.truth == "X") | (said.label == "X")).sum()


def test_what_is_asked_for_is_answered_in_that_order():
    found = metrics.measure(predictions(), "macro F1", "NLL", rng=rng())
    assert list(found) == ["macro F1", "NLL"]


def test_a_score_is_the_list_of_what_is_measured():
    said = predictions(1)
    measured = metrics.measure(said, "accuracy", "NLL", rng=rng(), draws=50)
    scored = metrics.score(said, "accuracy", "NLL", rng=rng(), draws=50)
    assert scored == list(measured.values())
    assert len(metrics.score(said, rng=rng(), draws=50)) == len(TWINS) + 1


def test_several_predictions_are_scored_in_their_order():
    models = [predictions(seed, model=f"m{seed}") for seed in range(3)]
    scored = metrics.score(models, "accuracy", "macro F1", rng=rng(), draws=50)
    names = [(one.model, one.quantity) for one in scored]
    assert names == [
        (model, name)
        for model in ("m0", "m1", "m2")
        for name in ("accuracy", "macro F1")
    ]
    one = metrics.score(models[:1], "accuracy", rng=rng(), draws=50)
    assert one == metrics.score(models[0], "accuracy", rng=rng(), draws=50)
    assert metrics.score([], "accuracy", rng=rng()) == []


def test_a_score_refuses_what_measure_refuses():
    with pytest.raises(ValueError, match="no value of 'accurracy'"):
        metrics.score([predictions()], "accurracy", rng=rng())


def test_names_may_be_of_cells_within_a_case():
    said = predictions(2, skill=3)
    said = dataclasses.replace(said, cell=np.arange(72) // 2 % 3)  # as in every case
    one = metrics.measure(said, "whole-cell accuracy", rng=rng())["whole-cell accuracy"]
    pairs = (said.truth == said.label).reshape(-1, 2).all(1)
    assert (one.value, one.n, one.groups) == (pairs.mean(), 36, 12)


def test_joined_steps_leave_the_interval_where_it_was(monkeypatch):
    said = predictions(4, cells=60, size=20, skill=2.5)
    names = ("macro AUROC", "macro AUPRC", "AUROC of X", "AURC", "AUGRC", "FPR95")
    exact = metrics.measure(said, *names, rng=rng())
    monkeypatch.setattr(resample, "MOST_BINS", 64)
    joined = metrics.measure(said, *names, rng=rng())
    for name in names:
        one, other = exact[name], joined[name]
        assert one.value == other.value
        width = one.high - one.low
        assert abs(one.low - other.low) + abs(one.high - other.high) < 0.1 * width


@pytest.mark.parametrize(
    ("change", "name", "complaint"),
    [
        ({"truth": ["X"] * 72}, "AUROC of X", "all images are of class 'X'; it needs"),
        ({"truth": ["X"] * 72}, "macro specificity", "all images are of class 'X'"),
        ({}, "recall of 9", "no image is of its class"),
        ({}, "accurracy", "no metric has this name"),
        ({"probability": None}, "NLL", "the model gave none; ask for others"),
        ({"probability": None, "uncertainty": None}, "AUGRC", "an uncertainty of each"),
        ({"label": ["X"] * 72, "truth": ["X"] * 72}, "FPR95", "all are of one kind"),
    ],
)
def test_what_has_no_value_says_why(change, name, complaint):
    said = dataclasses.replace(predictions(), **change)
    with pytest.raises(ValueError, match=f"{name}.*{complaint}"):
        metrics.measure(said, name, rng=rng())


@pytest.mark.parametrize("only", ["X", "1"])
def test_one_class_alone_still_has_what_it_can_have(only):
    said = dataclasses.replace(predictions(), truth=[only] * 72)
    found = metrics.measure(said, rng=rng())
    assert found["accuracy"].value == found[f"recall of {only}"].value
    assert not any("AUROC of" in name or "specificity" in name for name in found)


def test_confusions_equal_scikit_learns():
    said = predictions(skill=0.5)
    tables = metrics.confusions(said)
    for name, norm in (("counts", None), ("by row", "true"), ("by column", "pred")):
        twin = sk.confusion_matrix(
            said.truth, said.label, labels=said.classes, normalize=norm
        )
        np.testing.assert_allclose(tables[name], twin)
        assert list(tables[name].index) == list(said.classes)


def test_confusions_keep_classes_that_do_not_occur():
    said = dataclasses.replace(predictions(), truth=["1"] * 72, label=["2"] * 72)
    tables = metrics.confusions(said)
    assert tables["counts"].shape == (3, 3)
    assert tables["by row"].loc["X"].isna().all()


def test_the_interval_is_students_on_the_scale_of_log_odds():
    draws = rng().normal(0.9, 0.01, 500)
    low, high = intervals.interval(0.9, draws, 30)
    odds = np.log(np.array([low, 0.9, high]) / (1 - np.array([low, 0.9, high])))
    reach = stats.t.ppf(0.975, 29) * draws.std() * np.sqrt(30 / 29) / 0.09
    assert np.diff(odds) == pytest.approx([reach, reach])


def test_right_and_wrong_mirror_each_other():
    said = predictions(0)
    found = metrics.measure(said, "accuracy", rng=rng())["accuracy"]
    low, high = intervals.interval(
        1 - found.value,
        1 - resample.resampled(metrics.tallied(said, ["accuracy"]), rng=rng())[0][:, 0],
        12,
    )
    assert (1 - high, 1 - low) == pytest.approx((found.low, found.high))


def test_a_single_group_knows_nearly_nothing():
    found = metrics.measure(predictions(cells=1), "accuracy", "NLL", rng=rng())
    assert found["accuracy"].low < 0.1
    assert found["accuracy"].high > 0.95


NAMES = ("accuracy", "macro F1", "macro AUROC", "NLL", "ECE", "AUGRC", "recall of X")


def test_intervals_hold_the_truth_about_19_times_in_20():
    shape = {"size": 20, "skill": 2.0}
    truth = {
        name: value
        for tally in metrics.tallied(predictions(10**6, cells=20_000, **shape))
        for name, value in zip(tally.names, tally.value, strict=True)
    }
    held = dict.fromkeys(NAMES, 0)
    for seed in range(200):
        said = predictions(seed, cells=30, **shape)
        found = metrics.measure(said, *NAMES, rng=rng(seed), draws=200)
        for name in NAMES:
            held[name] += found[name].low <= truth[name] <= found[name].high
    assert all(0.9 <= held[name] / 200 <= 0.995 for name in NAMES), held
