"""Laws of the images: who may be evaluated on, and what the networks see."""

import dataclasses

import numpy as np
import pytest

from chromolib.data import pixels
from chromolib.models import inputs
from chromolib.studies.synthetic import data


def test_cells_are_drawn_from_groups_that_are_not_evaluated(real):
    for final in (False, True):
        pool, test = data.split(real, final=final)
        assert not set(pool.group) & set(test.group)
        for seed in range(3):
            drawn = data.sample_cells(pool, 2, seed=seed)
            assert set(drawn.group) <= set(pool.group)


def test_final_evaluates_the_test_part_and_nothing_else_does(real):
    _, test = data.split(real, final=True)
    pool, valid = data.split(real)
    assert not set(test.group) & (set(pool.group) | set(valid.group))
    assert set(test.group) | set(pool.group) | set(valid.group) == set(real.group)


def test_fewer_cells_are_among_more_and_come_from_different_groups(real):
    pool, _ = data.split(real, final=True)
    some = [set(data.sample_cells(pool, k, seed=4).cell) for k in (1, 2, 4)]
    assert some[0] < some[1] < some[2]
    assert [len(cells) for cells in some] == [1, 2, 4]
    assert len(set(data.sample_cells(pool, 4, seed=4).group)) == 4
    with pytest.raises(data.ExamError, match="99 cells were requested"):
        data.sample_cells(pool, 99, seed=0)


def test_what_cannot_be_straightened_is_evaluated_all_the_same(real):
    few = real.take(np.arange(46))
    pictures = [few.pixels[i] for i in range(45)] + [np.full((20, 10), 255, np.uint8)]
    spoiled = dataclasses.replace(few, pixels=pixels.pack(pictures))
    made = data.dataset(spoiled)
    assert len(made) == 46
    assert made.images[:45].any((1, 2, 3)).all()
    assert not made.images[45].any()


def test_a_source_without_classes_is_refused(real):
    unknown = dataclasses.replace(real, label=np.full(len(real), "mar"))
    with pytest.raises(data.ExamError, match="no chromosome with a class"):
        data.dataset(unknown)


def test_inputs_do_not_depend_on_the_scale_of_the_cell(real):
    few = real.take(np.arange(46))
    large = [np.kron(few.pixels[i], np.ones((2, 2), np.uint8)) for i in range(46)]
    twice = dataclasses.replace(few, pixels=pixels.pack(large))
    small, double = inputs.straight(few), inputs.straight(twice)
    assert small.shape == (46, *inputs.STRAIGHT, 1)
    np.testing.assert_allclose(double.sum((1, 2, 3)), small.sum((1, 2, 3)), rtol=0.2)
    assert np.corrcoef(small.ravel(), double.ravel())[0, 1] > 0.9


def test_polarity_does_not_change_what_the_discriminator_sees(real):
    few = real.take(np.arange(5))
    light = [255 - np.asarray(few.pixels[i]) for i in range(5)]
    light = dataclasses.replace(few, pixels=pixels.pack(light))
    np.testing.assert_allclose(inputs.asis(few), inputs.asis(light), atol=1e-6)
