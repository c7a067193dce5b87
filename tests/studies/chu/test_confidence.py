import dataclasses

import numpy as np
import pytest

from chromolib import intervals, records
from chromolib.evidence import (
    calibration,
    conformal,
    metrics,
    referral,
    resample,
    uncertainty,
)
from chromolib.studies.chu import confidence

TIMES = 12
COUNTS = {"counts": (4, TIMES)}


def rng(seed=0):
    return np.random.default_rng(seed)


def drawn(name="test", seed=0, *, cases=14, skill=1.5, noise=3.0, hot=6.0, **words):
    """What an overconfident network says of four images of each case."""
    chance = rng(seed)
    group = np.repeat([f"{name} {i}" for i in range(cases)], 4)
    truth = chance.integers(2, size=len(group))
    logit = hot * (skill * (2 * truth - 1) + chance.normal(size=len(group)))
    times = logit + noise * chance.normal(size=(TIMES, len(group)))
    plain, draws = (1 / (1 + np.exp(-each)) for each in (logit, times))
    return told(draws, plain, truth, group, **words)


def told(draws, plain, truth, group, **words):
    named = {"source": "synthetic", "study": "chu", "model": "VGG16", "seed": 3}
    base = records.Predictions(
        image=[f"{one} {i}" for i, one in enumerate(group)],
        group=group,
        truth=np.array(confidence.CLASSES)[truth],
        label=np.array(confidence.CLASSES)[truth],  # of the base, which never counts
        classes=confidence.CLASSES,
        **named | words,
    )
    return confidence.Said(draws=draws, plain=plain, predictions=base)


@pytest.fixture(scope="module")
def test():
    return drawn()


@pytest.fixture(scope="module")
def held():
    return drawn("valid", 1)


@pytest.fixture(scope="module")
def members(test):
    """Five networks of the same images, the first of which is the one tested."""
    return [test] + [
        dataclasses.replace(
            test,
            draws=np.clip(
                test.draws + 0.1 * rng(i).normal(size=test.draws.shape), 0, 1
            ),
            plain=np.clip(test.plain + 0.1 * rng(i).normal(size=len(test.plain)), 0, 1),
        )
        for i in range(1, 5)
    ]


@pytest.fixture(scope="module")
def compared(test, held, members):
    return confidence.compared(test, held, members, rng=rng(), **COUNTS)


def pick(estimates, quantity, **conditions):
    (one,) = (
        e
        for e in estimates
        if e.quantity == quantity and conditions.items() <= e.conditions.items()
    )
    return one


# --- the methods ---------------------------------------------------------------------


def test_every_method_is_scored_and_the_control_comes_first(test, held, members):
    answers = confidence.methods(test, held, members, **COUNTS)
    assert list(answers)[:2] == [
        ("max-softmax", "mean probability"),
        ("temperature-scaled", "mean probability"),
    ]
    names = ["MC dropout, 4 draws", "MC dropout, 12 draws"]
    names += ["ensemble of 5", "ensembled MC dropout"]
    assert list(answers)[2:] == [(m, s) for m in names for s in uncertainty.SCORES]
    for (method, score), each in answers.items():
        assert each.conditions == {"method": method, "score": score}


def test_methods_are_made_of_the_draws_they_name(test, held, members):
    answers = confidence.methods(test, held, members, **COUNTS)

    def mean(method):
        return answers[method, "mean probability"].probability[:, 1]

    np.testing.assert_allclose(mean("max-softmax"), test.plain)
    np.testing.assert_allclose(mean("MC dropout, 4 draws"), test.draws[:4].mean(0))
    plain = np.mean([each.plain for each in members], 0)
    np.testing.assert_allclose(mean("ensemble of 5"), plain)
    draws = np.mean([each.draws for each in members], (0, 1))
    np.testing.assert_allclose(mean("ensembled MC dropout"), draws)


def test_a_temperature_cools_and_changes_no_order(test, held):
    answers = confidence.methods(test, held, **COUNTS)
    control, scaled = (
        answers[method, "mean probability"]
        for method in ("max-softmax", "temperature-scaled")
    )
    assert calibration.temperature(control) > 1
    assert (scaled.uncertainty >= control.uncertainty).all()
    order = np.argsort(control.uncertainty)
    assert (np.diff(scaled.uncertainty[order]) >= 0).all()
    np.testing.assert_array_equal(scaled.label, control.label)


def test_without_an_ensemble_there_are_no_rows_of_one(test, held):
    answers = confidence.methods(test, held, **COUNTS)
    assert not any("ensemble" in method for method, _ in answers)


def test_members_of_other_images_and_draws_that_are_not_there_are_refused(test, held):
    with pytest.raises(ValueError, match="a member of the ensemble predicts other im"):
        confidence.methods(test, held, [held], **COUNTS)
    with pytest.raises(ValueError, match="100 draws are asked for and there are 12"):
        confidence.methods(test, held, counts=(100,))
    with pytest.raises(ValueError, match=r"not \(times, 56\)"):
        dataclasses.replace(test, plain=test.plain[:3])


# --- what is compared ----------------------------------------------------------------


def test_each_row_holds_the_measures_of_its_predictions(compared, test, held, members):
    answers = confidence.methods(test, held, members, **COUNTS)
    for (method, score), each in answers.items():
        for name, own in metrics.measure(each, "AUGRC", "NLL", rng=rng()).items():
            row = pick(compared, name, method=method, score=score)
            assert row.value == own.value
            assert (row.source, row.seed) == ("synthetic", 3)
    rows = {(e.conditions["method"], e.conditions["score"]) for e in compared}
    assert rows == set(answers)


def test_equal_predictions_have_equal_rows(compared):
    rows = [
        pick(compared, "AUGRC", method="MC dropout, 12 draws", score=score)
        for score in ("mean probability", "entropy")  # one order
    ]
    assert str(rows[0]) == str(rows[1])


def test_a_difference_is_from_max_softmax_on_the_same_images(compared):
    for name in ("AUGRC", "accuracy"):
        own = {"method": "MC dropout, 12 draws", "score": "variance"}
        gap = pick(compared, f"difference in {name}", **own, against="max-softmax")
        control = pick(compared, name, method="max-softmax")
        assert gap.value == pytest.approx(
            pick(compared, name, **own).value - control.value
        )
        assert gap.model == "VGG16"


def test_few_draws_are_set_against_many(compared):
    few = [e for e in compared if e.conditions.get("against") == "MC dropout, 12 draws"]
    assert {e.conditions["method"] for e in few} == {"MC dropout, 4 draws"}
    assert {e.conditions["score"] for e in few} == set(uncertainty.SCORES)


def test_labels_that_are_all_right_leave_out_what_they_cannot_say(held):
    easy = drawn(skill=9)
    found = confidence.compared(easy, held, rng=rng(), **COUNTS)
    assert pick(found, "accuracy", method="max-softmax").value == 1
    assert "FPR95" not in {e.quantity for e in found}
    assert "AUGRC" in {e.quantity for e in found}


def test_an_overview_has_a_row_a_score_and_every_number(compared):
    table = confidence.overview(compared)
    assert len(table) == 26
    assert (table != "").to_numpy().sum() - 3 * len(table) == len(compared)
    assert set(table["n"]) == {max(one.n for one in compared)}
    assert table["accuracy"][0] == str(pick(compared, "accuracy", method="max-softmax"))
    assert table["difference in AUGRC from max-softmax"][0] == ""


# --- the rules -----------------------------------------------------------------------


def of_votes(*abnormal, truth=None):
    """Images of which so many of 100 votes, sure ones, say abnormal."""
    draws = np.array([[0.9] * k + [0.1] * (100 - k) for k in abnormal]).T
    truth = np.zeros(len(abnormal), int) if truth is None else np.array(truth)
    return told(draws, draws[0], truth, [f"case {i}" for i in range(len(abnormal))])


def test_votes_below_eighty_of_a_hundred_are_referred(held):
    marks = confidence.marked(of_votes(0, 20, 21, 50, 79, 80, 100), held)
    votes = marks["votes below 80 %"]
    assert votes.refer.tolist() == [False, False, True, True, True, False, False]
    names = [name[0] for name in votes.label]
    assert names == ["n", "n", "n", "n", "a", "a", "a"]


def test_the_other_rule_keeps_its_target_where_it_was_found(held):
    for target in (0.8, 0.95):
        own = confidence.marked(held, held, target=target)
        kept = own[f"probability, accuracy {target:g}"]
        kept = kept.take(~kept.refer)
        assert len(kept) > 0
        assert (kept.label == kept.truth).mean() >= target


def test_the_mark_is_where_the_mean_needs_a_person_at_any_temperature(test, held):
    *_, mark = confidence.marked(test, held, target=0.9).values()
    mean, valid = (
        uncertainty.said(each.draws, "mean probability", like=each.predictions)
        for each in (test, held)
    )
    limit = referral.threshold(valid, 0.9)
    assert 0 < mark.refer.mean() < 1
    np.testing.assert_array_equal(mark.refer, mean.uncertainty > limit)
    scaled = calibration.temperature_scaled(mean, calibration.temperature(valid))
    np.testing.assert_allclose(mark.probability, scaled.probability)


def test_a_target_that_nothing_reaches_refers_every_image(test):
    hopeless = drawn("valid", skill=-9)
    *_, mark = confidence.marked(test, hopeless).values()
    assert mark.refer.all()
    found = referral.outcome(mark, rng=rng())
    assert found["referred"].value == 1
    assert found["referred"].conditions["rule"] == "probability, accuracy 0.98"
    assert "accuracy of the kept" not in found


def test_screening_counts_what_nobody_looks_at(held):
    votes = of_votes(0, 0, 30, 100, 0, 40, 100, 100, truth=[0, 0, 0, 0, 1, 1, 1, 1])
    mark = confidence.marked(votes, held)["votes below 80 %"]
    found = {e.quantity: e for e in confidence.screening(mark, rng=rng())}
    assert {name: e.value for name, e in found.items()} == {
        "normals cleared": 2 / 4,
        "abnormals missed": 1 / 4,
        "left to look at": 5 / 8,
    }
    assert found["abnormals missed"].n == 4
    assert found["normals cleared"].conditions["rule"] == "votes below 80 %"


def test_what_is_all_referred_misses_and_clears_nothing(test):
    every = dataclasses.replace(test.predictions, refer=np.ones(56, bool))
    values = [e.value for e in confidence.screening(every, rng=rng())]
    assert values == [0, 0, 1]
    with pytest.raises(ValueError, match="use `marked` first"):
        confidence.screening(test.predictions, rng=rng())


# --- sets, shift, and what is neither class ------------------------------------------


def test_sets_are_calibrated_on_validation_groups(test, held):
    few = held.predictions.truth == "abnormal"
    few = ~few | (np.cumsum(few) <= 6)  # of the abnormal, so that the classes differ
    held = confidence.Said(
        draws=held.draws[:, few],
        plain=held.plain[few],
        predictions=held.predictions.take(few),
    )
    found = confidence.conformal_sets(test, held, 0.2, rng=rng())
    mean, valid = (
        uncertainty.said(each.draws, "mean probability", like=each.predictions)
        for each in (test, held)
    )
    for limits, by_class in (("of all", False), ("by class", True)):
        sets = conformal.sets(mean, calibration=valid, alpha=0.2, by_class=by_class)
        truth = resample.encode(mean).truth
        own = {"limits": limits, "alpha": "0.2"}
        covered = sets[np.arange(len(truth)), truth].mean()
        assert pick(found, "coverage", **own).value == pytest.approx(covered)
        assert pick(found, "set size", **own).value == pytest.approx(sets.sum(1).mean())
    sizes = [e.value for e in found if e.quantity == "set size"]
    assert sizes[0] != sizes[1]
    with pytest.raises(ValueError, match="both calibrates and is predicted"):
        confidence.conformal_sets(test, test, rng=rng())


def test_a_shift_is_measured_at_the_temperature_of_unchanged_images(test, held):
    blurred = drawn(skill=0.5)
    found = confidence.shifted({"none": test, "blur": blurred}, held, rng=rng())
    assert {e.conditions["shift"] for e in found} == {"none", "blur"}
    assert {e.quantity for e in found} == {"accuracy", "AUGRC", "ECE"}
    clear, worse = (
        pick(found, "AUGRC", shift=shift, method="max-softmax").value
        for shift in ("none", "blur")
    )
    assert worse > clear
    answers = confidence.methods(blurred, held, **COUNTS)
    scaled = answers["temperature-scaled", "mean probability"]
    ece = metrics.measure(scaled, "ECE", rng=rng())["ECE"].value
    own = {"shift": "blur", "method": "temperature-scaled"}
    assert pick(found, "ECE", **own).value == pytest.approx(ece)


def slowly(known, foreign):
    """The obvious twin: of all pairs, how often the foreign image is less certain."""
    pairs = np.subtract.outer(foreign, known)
    return (pairs > 0).mean() + (pairs == 0).mean() / 2


def test_foreign_images_are_told_by_each_score(test):
    foreign = drawn("photo", 5, skill=0, noise=9, source="photographs")
    found = confidence.out_of_distribution(test, {"photo": foreign}, rng=rng())
    assert len(found) == 1 + len(uncertainty.SCORES)
    for score, function in uncertainty.SCORES.items():
        own = {"score": score, "method": "MC dropout, 12 draws", "other": "photo"}
        area = pick(found, "AUROC of out-of-distribution", **own)
        both = (function(each.draws)[1] for each in (test, foreign))
        assert area.value == pytest.approx(slowly(*both))
        assert area.source == "synthetic, photographs"
        assert area.groups == 14


def test_the_same_images_are_not_told_from_themselves(test):
    for area in confidence.out_of_distribution(test, {"same": test}, rng=rng()):
        assert area.value == pytest.approx(0.5)
        assert (area.source, area.groups) == ("synthetic", 14)
        # both kinds of a case are drawn together, so that no resample tells them apart
        assert area.low == pytest.approx(intervals.binomial(0.5, 14)[0])


# --- the printed errors --------------------------------------------------------------


def test_the_printed_errors_are_read_from_the_tables(claims_folder):
    errors = confidence.thesis_errors(claims_folder)
    assert errors.groupby("network", sort=False).size().to_dict() == {
        "VGG16": 4,
        "InceptionV3": 8,
    }
    assert (errors["named"] != errors["truth"]).all()
    named = errors.groupby("network")["named"].unique().map(list).to_dict()
    assert named == {"VGG16": ["abnormal"], "InceptionV3": ["normal"]}
    assert errors["mean probability"].between(0.5, 1).all()
    assert errors["image"].is_unique


def test_the_votes_refer_one_printed_error_as_the_claim_says(claims_folder):
    table = confidence.would_refer(confidence.thesis_errors(claims_folder))
    table = table.set_index(["rule", "threshold"])["errors referred"]
    assert table["vote share", confidence.SHARE] == 1  # chu-referral: 1 of 12
    for rule in ("vote share", "mean probability"):
        assert table[rule].is_monotonic_increasing


def test_exactly_the_threshold_is_kept(claims_folder):
    errors = confidence.thesis_errors(claims_folder)
    at = errors["mean probability"].iloc[0]
    table = confidence.would_refer(errors, thresholds=(at, at + 0.01))
    below = int((errors["mean probability"] < at - 1e-6).sum())
    assert table["errors referred"].tolist()[2:] == [below, below + 1]
    assert (table["errors"] == len(errors)).all()
