"""From boxes to names: what is cut out, what a cell adds, what drawn fields save."""

import dataclasses

import numpy as np
import pytest

from chromolib import records
from chromolib.detect import store
from chromolib.karyotype import judged
from chromolib.studies.hamza import experiment, naming, pretraining, protocol
from tests.studies.hamza import conftest
from tests.studies.hamza.test_experiment import Run


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


def test_each_box_of_each_field_is_a_chromosome_of_its_cell():
    part = conftest.blocks(2)
    found = naming.straight(part, part.truth)
    assert found.label.tolist() == [*part.classes] * 2
    assert found.cell.tolist() == ["field0"] * 24 + ["field1"] * 24
    assert len(set(found.image)) == 48
    assert (found.x.max((1, 2, 3)) > 0.3).all(), "none is empty"


def test_a_cell_gives_each_of_a_pair_its_place():
    """Three boxes say 1, one of them almost says 2, and no other box does."""
    chance = np.full((46, 24), 1e-4)
    usual = np.r_[np.repeat(np.arange(22), 2), 22, 22]
    chance[np.arange(46), usual] = 0.9
    chance[2], chance[2, 0], chance[2, 1] = 1e-4, 0.5, 0.45
    corner = np.arange(46)[:, None] * np.array([20.0, 0.0])
    boxes = records.Boxes(
        np.c_[corner, corner + 10], np.full(46, "1"), np.full(46, 0.8)
    )
    named = naming._named([boxes], chance, penalty=3.0)
    (alone,), (jointly,) = (named[way][1] for way in (naming.ALONE, naming.JOINTLY))
    assert alone.label[2] == "1"
    assert jointly.label[2] == "2"
    (every,) = named[naming.ALONE][0]
    assert sorted(every.label[every.xyxy[:, 0] == 40]) == ["1", "2"]
    assert every.score.max() == pytest.approx(0.8 * 0.9)
    unsure = dataclasses.replace(boxes, score=np.full(46, 0.2))
    assert (
        naming._named([unsure], chance, penalty=3.0)[naming.JOINTLY][1][0].label[2]
        == "1"
    )


def test_true_boxes_bound_what_found_ones_reach(run):
    fields = conftest.blocks(24)
    split = protocol.divide(fields, "clean", seed=0, sources=None, copies=None)
    half = [one.take(slice(12)) for one in split.test.truth]
    none = [one.take([]) for one in split.test.truth]
    made = naming.run(run, fields, split, {"half": half, "none": none}, steps=2)
    recall = {
        one.conditions["boxes"]: one.value
        for one in made
        if one.quantity == "recall" and one.conditions["named"] == naming.ALONE
    }
    assert recall["none"] == 0 <= recall["half"] <= recall[naming.TRUE]
    mended, right = (
        {
            one.conditions["boxes"]: one.value
            for one in made
            if one.quantity == what and one.conditions["named"] == naming.ALONE
        }
        for what in (judged.MENDED, judged.RIGHT)
    )
    assert mended[naming.TRUE] == pytest.approx(24 * (1 - right[naming.TRUE]))
    assert mended["half"] == pytest.approx(24 - 24 * right["half"])
    assert right["half"] <= 0.5
    assert {one.conditions["named"] for one in made} == {naming.ALONE, naming.JOINTLY}
    assert run.recorded == made


def test_only_the_surest_boxes_of_a_field_are_named(run, monkeypatch):
    """A right one behind so many better ones is none."""
    monkeypatch.setattr(naming, "MOST", 12)
    fields, known = conftest.blocks(24), {}
    split = protocol.divide(fields, "clean", seed=0, sources=None, copies=None)
    for name, many in {"few": 12, "more": 24}.items():
        known[name] = [one.take(slice(many)) for one in split.test.truth]
    made = naming.run(run, fields, split, known, steps=2)
    few, more = (
        {
            (one.quantity, one.conditions["named"]): one.value
            for one in made
            if one.conditions["boxes"] == name
        }
        for name in known
    )
    assert few == more


def test_fields_are_learned_from_by_number_and_what_was_found_is_kept(
    run, root, monkeypatch
):
    run.root = root
    fields = dataclasses.replace(conftest.blocks(12), kind="metaphase", real=True)
    sizes = pretraining.Sizes((0, 3), 6, 8, 8, 16, side=128, trunk="tiny")
    monkeypatch.setattr(pretraining, "EPOCH", 4)
    whole, found = pretraining.run(run, fields, sizes=sizes)
    made = [one for one in whole if "tested" not in one.conditions]
    rare = [one for one in whole if one.conditions.get("tested") == experiment.ODD]
    assert len(made) + len(rare) == len(whole)
    assert {one.quantity for one in rare} == {"count exact"}
    assert len(rare) * len(pretraining.SCORES) == len(made), "blocks are no 46"
    said = {tuple(one.conditions.values()) for one in made}
    plain, drawn = ("nothing", "8"), ("drawn metaphases", "8")
    every = len(
        protocol.divide(fields, "clean", seed=0, sources=None, copies=None).train
    )
    long = (str(every), "drawn metaphases", "16")
    seen = [one for one in made if one.model == pretraining.SEEN]
    moved = pretraining.MOVED(pretraining.SEEN)
    assert len([one for one in made if one.model == moved]) == len(seen)
    assert {tuple(one.conditions.values()) for one in seen} == {long}
    assert len(seen) == len(pretraining.SCORES)
    assert said == {("3", *plain), ("0", *drawn), ("3", *drawn), long}
    assert not [one for one in run.folder.rglob("*") if one.name.endswith(".h5")]
    monkeypatch.setattr(pretraining, "learned", None)  # would be called
    again, once_more = pretraining.run(run, fields, sizes=sizes)
    assert [len(one) for one in once_more.values()] == [made[0].n] * 4
    assert set(once_more) == set(found) > {pretraining.SEEN, moved}
    assert [one.value for one in again] == [one.value for one in whole]


def test_no_shipped_finder_is_asked_about_cases_that_it_knows(run, root, monkeypatch):
    run.root = root
    test = dataclasses.replace(conftest.blocks(2), kind="metaphase", real=True)
    card, moved = pretraining.shipped(run, test)
    assert card.startswith(pretraining.SEEN), "one row with what its card says"
    assert moved == pretraining.MOVED(card)
    _, facts = store.load(root / "data" / "models" / "hamza-metaphase.npz")
    theirs = dataclasses.replace(test, source=facts["source"])
    monkeypatch.setattr(run, "given", lambda name: facts["seed"] + 1)
    assert not pretraining.shipped(run, theirs)
