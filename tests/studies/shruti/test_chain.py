"""From a metaphase to its karyotype: what a chain made, and what each stage lost."""

import dataclasses

import numpy as np
import pytest

from chromolib import records
from chromolib.detect import scores
from chromolib.karyotype import judged, naming
from chromolib.studies.shruti import chain, data, questions, shipping


@pytest.fixture(scope="module")
def fields(make_run, tmp_path_factory):
    run = make_run(tmp_path_factory.mktemp("fields"))
    return chain.metaphases(run, 8)


def test_no_case_is_in_two_parts(fields):
    parts = chain.divided(fields, seed=0)
    every = np.stack([parts.train, parts.validation, parts.test])
    assert (every.sum(0) == 1).all()
    groups = [set(fields.group[part]) for part in every]
    assert all(groups)
    assert not groups[0] & groups[1] | groups[0] & groups[2] | groups[1] & groups[2]


def test_metaphases_are_those_of_the_source_before_those_of_the_second(run, fields):
    few = fields.take(slice(2))
    run.images, run.external = dataclasses.replace(few, boxes=None), few
    assert chain.metaphases(run, 5) is few
    run.images = fields
    assert chain.metaphases(run, 5) is fields


def test_chromosomes_of_fields_are_cut_out_each_with_its_cell(fields):
    few = fields.take(slice(2))
    found = data.prepared(few, upright=False, real=False)
    assert len(found.samples) == sum(map(len, few.boxes))
    assert found.images.boxes is None
    assert set(found.samples.cell) == set(few.name)
    names = np.concatenate([boxes.label for boxes in few.boxes])
    assert found.samples.label.tolist() == names.tolist()


def test_boxes_beside_the_true_ones_are_learned_from_and_judge_nobody(fields):
    few = fields.take(slice(2))
    plain = data.prepared(few, upright=False, real=False)
    both = shipping.prepared(few, upright=False, real=False)
    assert len(both.samples) == 2 * len(plain.samples)
    true = data.boxed(both.samples)
    assert true.image.tolist() == plain.samples.image.tolist()
    assert sorted(both.samples.label) == sorted([*plain.samples.label] * 2)
    every = shipping.prepared(fields, upright=False, real=False)
    split, parts = shipping.fold(every, 0), chain.divided(fields, seed=0)
    boxes_ = np.array([len(one) for one in fields.boxes])
    assert len(split.train) == 2 * boxes_[parts.train].sum()
    assert len(split.validation) == boxes_[parts.validation].sum()
    assert set(split.test.cell) == set(fields.name[parts.test]), "as finders are judged"
    moved = data._beside(few.boxes[0], np.random.default_rng(0))[data.MOVED]
    shared = np.diag(scores.box_iou(few.boxes[0], moved))
    assert shared.min() > 0.5
    assert shared.max() < 1


def test_true_names_lose_what_was_not_found_and_true_boxes_nothing(
    run, fields, root, monkeypatch
):
    run.root = root
    monkeypatch.setattr(chain, "CHOOSING", 1)
    parts = chain.divided(fields, seed=0)
    sizes = chain.Sizes(
        steps=1, looks=1, side=64, trunk="tiny", painted=1, drawn=1, field=128, fields=1
    )
    made = chain.run(run, parts, sizes=sizes)
    said = {
        (one.model, one.conditions["named"], one.quantity): one.value
        for one in made.estimates
    }
    assert said[chain.TRUE, chain.ALONE, judged.FOUND] == 1
    for name in (chain.UNLEARNED, chain.PAINTED, chain.SHIPPED, *chain.FAMILIES):
        found = said[name, chain.TRULY, judged.FOUND]
        assert said[name, chain.TRULY, judged.RIGHT] == found
        jointly = said[name, chain.JOINTLY, judged.FOUND]
        assert said[name, chain.JOINTLY, judged.RIGHT] <= jointly
        assert said[name, chain.JOINTLY, judged.SAID] == 1, "a karyotype or a reason"
    assert 0.5 < said[chain.UNLEARNED, chain.TRULY, judged.FOUND] < 1
    assert made.namer.weights is not naming.WEIGHTS, "validation fields were asked"
    table = questions.stages(made.estimates)
    assert table["found by"].tolist()[:2] == [chain.TRUE, chain.UNLEARNED]
    chains = questions.chains(made.estimates).set_index("measure")
    assert set(chains) == {"source", *table["found by"]}
    assert chains.loc[judged.RIGHT, chain.UNLEARNED].model == chain.UNLEARNED
    _, truth, named = made.shown
    told = chain.told(truth, named)
    assert sum(map(len, told.values())) >= max(len(truth), len(named))
    monkeypatch.setattr(chain, "_made", None)  # would be called
    link = chain.report(run, made.shown[0], made.namer).data
    assert 'href="karyotypes/report.html"' in link
    assert "metaphase" in (run.folder / "karyotypes" / "report.html").read_text()
    again = chain.run(run, parts, sizes=sizes)
    assert [str(one) for one in again.estimates] == [str(one) for one in made.estimates]


def test_a_laboratory_s_classifier_knows_what_the_shipped_finder_boxes(
    fields, root, tmp_path
):
    cut = shipping.prepared(fields, upright=False, real=True)
    file = shipping.ship(tmp_path / "mine.keras", [cut], steps=1)
    namer = naming.load(file)
    assert namer.weights is not naming.WEIGHTS
    known = dataclasses.replace(fields, source="tseng2023")
    finder = shipping.finder(root)
    assert shipping.found([known], finder, 1, namer.network) == {}
    assert shipping.found([], finder, 0, namer.network) == {}


def test_no_shipped_file_is_asked_about_cases_that_it_knows(run, fields, root):
    run.root = root
    theirs = dataclasses.replace(fields, source="tseng2023")
    parts, quick = (
        chain.divided(theirs, seed=0),
        chain.Sizes(steps=0, looks=0, painted=0),
    )
    # The finder's card says its seed alone, the classifier's which cases judge.
    assert chain.SHIPPED in chain._finders(run, parts, quick)
    assert chain._namer(run, parts, quick).file == "shruti-chromosome.keras"
    run.values = {"seed": 1}
    assert chain.SHIPPED not in chain._finders(run, parts, quick)
    assert chain._namer(run, parts, quick).file == "shruti-chromosome.keras"


# how a field is judged


def boxes(labels, *, first=0):
    x = 20.0 * (first + np.arange(len(labels)))
    xyxy = np.stack([x, 0 * x, x + 10, 0 * x + 30], 1)
    return records.Boxes(xyxy, np.array(labels))


NORMAL = [name for name in records.CLASSES[:22] for _ in range(2)] + ["X", "Y"]


def test_a_field_that_is_right_wants_no_correction():
    truth = boxes(NORMAL)
    row = judged.row(truth, truth, truth.label, wrong=0)
    assert row[judged.MENDED] == row[judged.WRONG_COPIES] == 0
    assert row[judged.EXACT]
    assert row[judged.EVERY]
    assert row[judged.COUNT]
    assert not row["odd"]
    assert not row["rare"]


def test_each_error_is_a_correction():
    """Two names exchanged, one box lost, one of nothing."""
    truth = boxes(NORMAL)
    label = truth.label[1:].copy()
    label[[0, 2]] = label[[2, 0]]
    found = records.Boxes(
        np.concatenate([truth.xyxy[1:], [[5000, 0, 5010, 30]]]), [*label, "21"]
    )
    row = judged.row(truth, found, found.label, wrong=0)
    assert (row[judged.FOUND], row[judged.RIGHT]) == (45, 43)
    assert row[judged.MENDED] == 4
    assert row[judged.WRONG_COPIES] == 2, "a 1 too few, a 21 too many"
    assert not row[judged.EXACT]
    assert row[judged.COUNT]
    assert not row[judged.EVERY], "of 46 one is nothing"


def test_an_abnormal_number_is_odd_and_a_lone_field_has_no_interval():
    truth = boxes([*NORMAL, "21"])
    rows = [judged.row(truth, truth, truth.label, wrong=0)]
    words = {"study": "shruti", "source": "drawn", "model": "m", "protocol": "clean"}
    made = judged.estimates(rows, group=["a"], words=words, rng=np.random.default_rng())
    assert made[judged.ODD].value == 1
    assert made[judged.ODD].n == made[judged.RARE].n == 1


def test_counts_where_it_is_not_46_are_asked_of_these_fields_alone():
    more, usual = boxes([*NORMAL, "21"]), boxes(NORMAL)
    said = [(more, usual), (more, more), (usual, usual), (usual, more)]
    rows = [judged.row(true, one, one.label, wrong=0) for true, one in said]
    words = {"study": "shruti", "source": "drawn", "model": "m", "protocol": "clean"}
    how = {"group": np.arange(4), "words": words, "rng": np.random.default_rng(0)}
    made = judged.estimates(rows, **how)
    assert (made[judged.RARE].value, made[judged.RARE].n) == (0.5, 2)
    assert (made[judged.COUNT].value, made[judged.COUNT].n) == (0.5, 4)
    assert made[judged.EVERY].value == 0.5


def test_the_surest_fields_have_the_fewest_errors_where_the_chain_knows_them():
    truth, rows = boxes(NORMAL), []
    for wrong in np.repeat(np.arange(10), 6):
        label = truth.label.copy()
        label[:wrong] = "22"
        rows.append(judged.row(truth, truth, label, wrong=wrong + 0.5))
    assert judged.surest(rows).tolist() == [True] * 42 + [False] * 18
    words = {"study": "shruti", "source": "drawn", "model": "m", "protocol": "clean"}
    how = {"group": np.arange(60), "words": words, "rng": np.random.default_rng(0)}
    made = judged.estimates(rows, **how)
    assert made[judged.MENDED].value == 4.5
    assert made[judged.LOOKED].value == 3
    assert made[judged.SPARED].value == 1.5
    assert made[judged.SPARED].low > 0
