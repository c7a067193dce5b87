"""Laws of the exam, on synthetic cells that sit for real ones."""

import dataclasses

import numpy as np
import pytest

from chromolib import records
from chromolib.data import pixels
from chromolib.models import inputs
from chromolib.studies.synthetic import discriminator, exam
from chromolib.synth import lab, singles

SHORT = exam.Budget(taught=20, alone=8, after=8, batch=32)


@pytest.fixture(scope="module")
def posing():
    """Twenty cells of ten patients that pass for a real source."""
    made = singles.images(list(lab.cells(20, look="g", seed=9)))
    return dataclasses.replace(made, source="pki3", provenance="real")


@pytest.fixture(scope="module")
def synthetic():
    return singles.images(list(lab.cells(16, look="g", seed=1)))


def shuffled(images):
    """The same images, none of which says what it is."""
    label = np.random.default_rng(0).permutation(images.label)
    return dataclasses.replace(images, label=label)


def test_true_labels_teach_and_shuffled_ones_do_not(posing, synthetic):
    told = {"upright": True, "steps": 60}
    taught = exam.quick(posing, synthetic, **told)
    fooled = exam.quick(posing, shuffled(synthetic), **told)
    assert taught.accuracy.low > 0.3
    assert fooled.accuracy.value < 0.15  # of 24 classes
    assert taught.confusion.sum() == taught.accuracy.n
    assert "taken" not in str(taught)
    assert str(taught).startswith("accuracy 0.")


def test_cells_are_drawn_from_groups_that_are_not_judged(posing):
    for final in (False, True):
        pool, asked = exam.divided(posing, final=final)
        assert not set(pool.group) & set(asked.group)
        for seed in range(3):
            assert set(exam.drawn(pool, 2, seed=seed).group) <= set(pool.group)


def test_final_judges_the_test_part_and_nothing_else_does(posing):
    _, asked = exam.divided(posing, final=True)
    pool, valid = exam.divided(posing)
    assert not set(asked.group) & (set(pool.group) | set(valid.group))
    assert set(asked.group) | set(pool.group) | set(valid.group) == set(posing.group)


def test_fewer_cells_are_among_more_and_come_from_different_groups(posing):
    pool, _ = exam.divided(posing, final=True)
    some = [set(exam.drawn(pool, k, seed=4).cell) for k in (1, 2, 4)]
    assert some[0] < some[1] < some[2]
    assert [len(one) for one in some] == [1, 2, 4]
    assert len(set(exam.drawn(pool, 4, seed=4).group)) == 4
    with pytest.raises(exam.ExamError, match="99 cells are asked for"):
        exam.drawn(pool, 99, seed=0)


def test_one_seed_gives_one_result_and_what_is_known_is_not_trained(posing, synthetic):
    few = posing.take(np.isin(posing.group, np.unique(posing.group)[:6]))
    told = {"upright": True, "ks": (1,), "seeds": (0,), "budget": SHORT}
    kept = {}
    first = exam.sit(few, synthetic, done=kept.__setitem__, **told)
    assert set(kept) == {("synthetic", 0, 0), ("real", 1, 0), ("both", 1, 0)}
    lost, trained = {**kept}, {}
    del lost["both", 1, 0]  # asks for the synthetic lessons as well
    again = exam.sit(few, synthetic, known=lost, done=trained.__setitem__, **told)
    assert again == first
    assert set(trained) == {("both", 1, 0)}


def test_the_gain_is_the_difference_of_both_ways(posing, synthetic):
    _, asked = exam.divided(posing)
    truth = exam.sheet(asked).label
    missed = np.random.default_rng(0).random(len(truth)) < 0.25
    wrong = np.where(missed, (truth + 1) % 24, truth)
    known = {("synthetic", 0, 0): wrong, ("real", 1, 0): wrong, ("both", 1, 0): truth}
    told = {"upright": True, "ks": (1,), "seeds": (0,), "known": known}
    found = exam.sit(posing, synthetic, **told)
    values = [one.value for one in found]
    share = (wrong == truth).mean()
    np.testing.assert_allclose(values, [share, share, 1, 1 - share], atol=1e-9)
    gain = found[-1]
    assert gain.quantity == "accuracy gained"
    assert gain.low < gain.value < gain.high
    assert {one.source for one in found} == {"pki3"}
    assert [one.weights for one in found] == ["synthetic", "none", *["synthetic"] * 2]


def test_what_cannot_be_straightened_is_judged_all_the_same(posing):
    few = posing.take(np.arange(46))
    pictures = [few.pixels[i] for i in range(45)] + [np.full((20, 10), 255, np.uint8)]
    spoiled = dataclasses.replace(few, pixels=pixels.pack(pictures))
    made = exam.sheet(spoiled)
    assert len(made) == 46
    assert made.images[:45].any((1, 2, 3)).all()
    assert not made.images[45].any()


def test_inputs_do_not_depend_on_the_scale_of_the_cell(posing):
    few = posing.take(np.arange(46))
    large = [np.kron(few.pixels[i], np.ones((2, 2), np.uint8)) for i in range(46)]
    twice = dataclasses.replace(few, pixels=pixels.pack(large))
    one, two = inputs.straight(few), inputs.straight(twice)
    assert one.shape == (46, *inputs.STRAIGHT, 1)
    ink = one.sum((1, 2, 3)), two.sum((1, 2, 3))
    np.testing.assert_allclose(ink[1], ink[0], rtol=0.2)
    assert np.corrcoef(one.ravel(), two.ravel())[0, 1] > 0.9


def test_polarity_does_not_change_what_the_judge_sees(posing):
    few = posing.take(np.arange(5))
    light = [255 - np.asarray(few.pixels[i]) for i in range(5)]
    light = dataclasses.replace(few, pixels=pixels.pack(light))
    np.testing.assert_allclose(inputs.asis(few), inputs.asis(light), atol=1e-6)


def test_a_source_without_classes_is_refused(posing):
    unknown = dataclasses.replace(posing, label=np.full(len(posing), "mar"))
    with pytest.raises(exam.ExamError, match="no chromosome with a class"):
        exam.sheet(unknown)


def test_grain_gives_a_copy_away_and_the_same_lab_does_not(
    posing, synthetic, monkeypatch
):
    for name, value in {"STEPS": 5, "EACH": (8, 5), "TREES": 50, "DRAWS": 40}.items():
        monkeypatch.setattr(discriminator, name, value)
    rng = np.random.default_rng(0)
    grainy = [
        np.clip(one + rng.normal(0, 60, one.shape) * (one < 240), 0, 255)
        for one in (synthetic.pixels[i] for i in range(len(synthetic)))
    ]
    same = discriminator.tell(posing, synthetic)
    noisy = dataclasses.replace(synthetic, pixels=pixels.pack(grainy))
    noisy = discriminator.tell(posing, noisy)
    assert same.estimates[1].value < 0.75
    assert noisy.estimates[1].value > same.estimates[1].value + 0.1
    area = {one.model: one.value for one in noisy.estimates if one.quantity == "AUC"}
    assert area["fine detail"] > 0.9
    assert sum(noisy.weight.values()) == pytest.approx(1)
    assert set(noisy.right) <= set(records.CLASSES)
    assert "fine detail" in str(noisy)


def test_the_area_under_the_curve_is_one_half_one_or_its_mirror():
    column, truth = np.arange(40.0), np.repeat([0, 1], 20)
    group = np.repeat(np.arange(10), 4)
    assert discriminator._auc(column, truth, group)[0] == 1
    assert discriminator._auc(-column, truth, group)[0] == 0
    assert discriminator._auc(np.zeros(40), truth, group)[0] == 0.5
