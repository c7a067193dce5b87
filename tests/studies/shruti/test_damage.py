"""Broken chromosomes: told apart, counted, and read as a dose."""

import numpy as np

from chromolib.studies.shruti import damage

SIZES = damage.Sizes(broken=2, steps=1, doses=(0, 4), cells=2)


def test_cells_that_were_broken_have_every_kind_of_damage():
    part = damage._samples(damage._broken(2, seed=0))
    dicentrics, rings = damage.BROKEN
    count = dict(zip(*np.unique(part.label, return_counts=True), strict=True))
    assert count["dicentric"] == 2 * dicentrics
    assert count["ring"] == 2 * rings
    assert count["fragment"] == 2 * (dicentrics + rings)
    assert set(count) == set(damage.KINDS)


def test_people_who_choose_are_not_those_who_test():
    first, second = (damage._people(SIZES, 0, k) for k in (0, 2))
    assert set(first.group) == set(second.group) == {"0 Gy", "4 Gy"}
    assert not set(first.image) & set(second.image)


def test_the_level_finds_as_many_as_there_are():
    chance = np.stack([1 - np.linspace(0, 0.9, 10), np.linspace(0, 0.9, 10)], 1)
    true = np.arange(10) >= 8
    level = damage._level(chance, true)
    assert (chance[:, 1] > level).sum() == 2


def test_a_dose_is_read_from_what_was_counted(run):
    found = damage.run(run, sizes=SIZES)
    assert found.doses["drawn, Gy"].tolist() == [0, 4]
    assert found.doses["cells"].tolist() == [2, 2]
    assert found.doses["dicentrics"].iloc[0] == 0
    told = {one.quantity: one for one in run.estimates}
    assert told["share told, undamaged"].n > 150
    assert {one.source for one in run.estimates} == {"synthetic"}
