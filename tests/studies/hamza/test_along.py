"""Boxes along chromosomes: truth of drawn fields, what is asked of it, what is cut."""

import types

import numpy as np
import pytest

from chromolib import streams
from chromolib.detect import oriented
from chromolib.studies.hamza import along
from tests.studies.hamza.test_experiment import Run

SIDE = 256
WORDS = {"study": "hamza", "source": "drawn", "protocol": "clean"}


@pytest.fixture(scope="module")
def fields():
    return along.drawn(4, SIDE, seed=0)


def asked(fields, found):
    """Name -> value of what was found in some fields."""
    made = along._scored(fields, found, WORDS, streams.stream(0, "test"))
    return {one.quantity: one.value for one in made}


def test_a_true_box_lies_in_the_upright_box_of_its_chromosome(fields):
    assert fields.along.shape == (*fields.labels.shape, 5)
    for i, one in enumerate(fields.lying):
        outline = np.array(one.polygon)
        middle = (one.xyxy[:, :2] + one.xyxy[:, 2:]) / 2
        off = np.abs(outline.mean(1) - middle).max(1)
        sides = (one.xyxy[:, 2:] - one.xyxy[:, :2]).max(1)
        assert (off <= 0.25 * sides + 1).all()
        assert len(one) == fields.present[i].sum()
    few = fields.take([2])
    most = few.targets["labels"].shape[1]
    assert most == few.present.sum()
    assert (few.targets["oriented"] == fields.along[[2], :most]).all()


def test_truth_is_found_whole_and_turned_by_20_degrees_it_is_not(fields):
    told = asked(fields, fields.lying)
    assert told[along.LIES] == pytest.approx(1)
    assert told[along.DIRECTION] == 1
    wrong = []
    for one in fields.lying:
        turned = oriented.of(one)
        turned[:, 4] = (turned[:, 4] + np.pi / 9) % np.pi
        wrong.append(oriented.record(turned, one.label, one.score, SIDE))
    assert asked(fields, wrong)[along.DIRECTION] < 0.2


def test_upright_boxes_have_no_direction_and_seldom_the_ground_of_an_outline(fields):
    told = asked(fields, fields.truth)
    assert along.DIRECTION not in told
    assert told["AP50 of any chromosome"] == pytest.approx(1)
    assert told[along.LIES] < 0.9


def test_of_two_that_cross_each_has_its_own_direction(fields):
    cross = np.array([[80, 80, 60, 14, np.pi / 4], [80.1, 80, 60, 14, 3 * np.pi / 4]])
    names, score = np.full(2, "chromosome"), np.array([0.9, 0.8])
    true = oriented.record(cross, names, np.ones(2), SIDE)
    found = oriented.record(cross[::-1] + 0.1 * np.eye(5)[0], names, score, SIDE)
    test = fields.take([0])
    test = types.SimpleNamespace(lying=[true], group=test.group)
    kinds = along.told(along.Along(test, [found], []))
    assert [len(kinds[kind]) for kind in ("right", "wrong", "missed")] == [2, 0, 0]
    how = {"words": WORDS, "rng": streams.stream(0, "test")}
    (near,) = along._points(test, [found], how)
    assert near.value == 1


def test_both_ways_learn_and_the_surest_are_cut_out_upright(tmp_path):
    run = Run(tmp_path)
    sizes = along.Sizes(count=6, looks=8, side=160, trunk="tiny")
    made = along.run(run, sizes=sizes)
    assert {one.model for one in made.estimates} == set(along.WAYS)
    assert run.recorded == made.estimates
    assert len(made.found) == len(made.test)
    assert all(one.polygon or not len(one) for one in made.found)
    kinds = along.told(made, 0)
    assert len(kinds["right"]) + len(kinds["missed"]) <= made.test.present[0].sum()
    cut = along.upright(made, 3)
    assert cut.shape[1:] == along.CANVAS
    assert len(cut) == min(3, len(made.found[0]))
