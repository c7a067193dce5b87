"""Equal terms: every family sees as much, and what it found is kept and measured."""

import dataclasses
import itertools

import keras
import numpy as np
import pytest

from chromolib import records, streams
from chromolib.detect import data, families, scores, training
from chromolib.studies.hamza import (
    ceiling,
    experiment,
    layout,
    naming,
    pretraining,
    questions,
)
from tests.studies.hamza import conftest

TINY = experiment.Sizes(
    families=("SSD", "Faster R-CNN"),
    trunk="tiny",
    side=64,
    looks=16,
    share=0.16,
    rates=(1e-3,),
    random=("SSD",),
    whole=0,
    ceiling=False,
    varied=False,
)


class Run(conftest.Run):
    """A run that keeps rows in a folder and notes estimates."""

    protocols = ("published", "clean")

    def __init__(self, folder):
        super().__init__()
        self.label = {"study": "hamza", "profile": "smoke", "seed": 0}
        self.folder, self.recorded = folder, []

    def rng(self, purpose):
        return streams.stream(0, purpose)

    def record_all(self, estimates):
        self.recorded += (made := list(estimates))
        return made


@pytest.mark.parametrize("model", TINY.families)
def test_a_detector_that_learned_before_begins_as_a_new_one(model):
    """Whatever it learned, for how long and at which rate, and what it was asked."""
    fields, task = conftest.blocks(16), experiment.Task(model, "karyogram", "clean")
    sizes = dataclasses.replace(TINY, side=fields.side)
    how = {"looks": 24, "rate": 1e-3}

    def learn(detector, **how):
        keras.utils.set_random_seed(0)  # the order of the images
        history = training.learned(detector, fields, fields.take(slice(4)), **how)
        return history, [one.xyxy for one in detector.predict(fields.seen)]

    new = learn(experiment.built(task, sizes, seed=0), **how)
    used = experiment._begun(task, sizes, seed=0)
    learn(used, looks=48, rate=1e-2)
    graph = used.train_function
    again = learn(experiment._begun(task, sizes, seed=0), **how)
    np.testing.assert_allclose(again[0], new[0], rtol=1e-4)
    for ours, theirs in zip(again[1], new[1], strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-2)
    if keras.backend.backend() == "tensorflow":
        assert used.train_function is graph


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    run = Run(tmp_path_factory.mktemp("run"))
    fields = {"karyogram": conftest.blocks(24)}
    sizes = dataclasses.replace(TINY, families=("SSD",))
    return run, fields, sizes, experiment.run(run, fields, sizes=sizes)


def test_every_training_of_the_grid_is_there_once():
    kinds, both = data.KINDS, ("published", "clean")
    planned = experiment.tasks(kinds, both, experiment.Sizes(), kinds[1:])
    assert len(set(planned)) == len(planned)
    plain = [one for one in planned if one.plain]
    assert len(plain) == 4 * 2 * 2
    whole = [one for one in planned if one.fields == experiment.ALL]
    assert {one.protocol for one in whole} == {"clean"}
    assert {one.kind for one in whole} == {"metaphase"}
    assert len(whole) == 4
    settled = {one.model: [] for one in planned}
    for one in planned:
        settled[one.model] += [one.settings] if one.settings else []
    assert settled[ceiling.MODEL] == list(ceiling.TRAINED.values())
    assert {len(one) for one in settled[experiment.VARIED]} == {1}
    assert {one[0][0] for one in settled[experiment.VARIED]} == {*experiment.TRAINING}
    splits = [experiment._split_of(one) for one in planned]
    starts = 1 + sum(a != b for a, b in itertools.pairwise(splits))
    assert starts == len(set(splits)), "a split is made once"


@pytest.mark.parametrize("settings", ceiling.TRAINED.values())
def test_what_might_cap_boxes_is_a_setting_of_the_family(settings):
    task = experiment.Task(ceiling.MODEL, "karyogram", "clean", settings=settings)
    if "side" in dict(settings):
        assert experiment._split_of(task)[-1] == dict(settings)["side"]
        return
    detector = experiment.built(task, TINY, seed=0)
    plain = experiment.built(dataclasses.replace(task, settings=()), TINY, seed=0)
    if "scales" in dict(settings):
        sides = np.sqrt(np.prod(detector.anchors[:, 2:] - detector.anchors[:, :2], 1))
        assert sides.min() >= 63
    else:
        assert dict(settings).items() <= detector.settings.items()
    assert detector.settings != plain.settings or "scales" in dict(settings)


@pytest.mark.parametrize(
    ("model", "last"),
    [("SSD", "block_13_expand_relu"), ("R-FCN", "conv4_block23_out")],
)  # of MobileNetV2, of ResNet101
def test_the_thesis_own_trunks_are_a_size(model, last):
    sizes = dataclasses.replace(TINY, trunk=experiment.THEIRS)
    task = experiment.Task(model, "karyogram", "clean")
    detector = experiment.built(task, sizes, seed=0)
    assert last in {layer.name for layer in detector.first.layers}
    empty = np.zeros((1, TINY.side, TINY.side, 1), "f")
    assert len(detector.predict(empty)) == 1, "it is asked as any other"


def test_each_training_is_measured_on_what_it_was_asked(ran):
    run, fields, _, grid = ran
    assert run.recorded == grid.estimates
    said = {(one.protocol, one.conditions["labels"]) for one in grid.estimates}
    assert said == set(itertools.product(run.protocols, ("true", "random")))
    tests = {one.conditions["tested"] for one in grid.estimates}
    usual = {"test", "unseen", "other places", "20 chromosomes", experiment.ODD}
    assert tests == usual
    key = "karyogram", "clean", experiment.THESIS, "true"
    split = experiment.divided(fields, *key, seed=0, sizes=TINY)
    varied = dataclasses.replace(TINY, varied=True)
    other = dataclasses.replace(fields["karyogram"], source="tseng2023")
    asked = set(experiment._tests(split, fields, varied, 0, other))
    usual = usual - {experiment.ODD, "unseen"} | {"karyograms of tseng2023"}
    assert asked == usual | set(experiment.OVERLAPS)
    (answer,) = grid.of("karyogram", "clean").values()
    test = grid.tests[answer.task]["test"]
    assert len(answer.found["test"]) == len(test)
    assert not set(test.group) & set(
        experiment.divided(
            *(fields, "karyogram", "clean", experiment.THESIS, "true"),
            seed=0,
            sizes=TINY,
        ).train.group
    )
    assert len(answer.history) == 1
    assert answer.history[["val_mAP", "val_recall"]].notna().to_numpy().all()
    for once in answer.once["test"]:
        over = np.triu(scores.box_iou(once, once), 1)
        assert over.max(initial=0) < 0.65, "a chromosome is there once"
    assert grid.of("metaphase", "clean") == {}


def test_a_stopped_run_goes_on_with_what_was_found(ran, monkeypatch):
    run, fields, sizes, grid = ran
    monkeypatch.setattr(experiment, "_trained", None)  # would be called
    again = experiment.run(run, fields, sizes=sizes)
    for one, other in zip(grid.answers, again.answers, strict=True):
        assert one.task == other.task
        for name, found in one.found.items():
            pairs = zip(found, other.found[name], strict=True)
            for a, b in pairs:
                np.testing.assert_allclose(a.xyxy, b.xyxy, atol=1e-3)
                assert a.label.tolist() == b.label.tolist()


def test_equal_budgets_are_equal_and_rates_are_chosen_by_validation(monkeypatch):
    fields = {"karyogram": conftest.blocks(24)}
    seen = []

    class Idle:
        compiled = False

        def compile(self, optimizer):
            self.rate = float(optimizer.learning_rate.numpy())

        def fit(self, x, _, *, epochs, batch_size, **__):
            seen.append(epochs * len(x))
            loss = {"val_loss": [2.0 if len(seen) % 2 else 1.0]}
            return type("History", (), {"history": loss})

    monkeypatch.setattr(experiment, "_begun", lambda *_, **__: Idle())
    split = experiment.divided(
        *(fields, "karyogram", "clean", experiment.THESIS, "true"), seed=0, sizes=TINY
    )
    sizes = dataclasses.replace(TINY, looks=400, rates=(1e-3, 3e-3), trial=0.5)
    task = experiment.Task("SSD", "karyogram", "clean")
    assert experiment._rate(task, split, sizes, 0) == 3e-3
    train = len(split.train)
    assert seen == [round(200 / train) * train] * 2
    training.learned(
        Idle(), split.train, split.validation, looks=400, batch=8, rate=1e-3
    )
    assert seen[-1] == round(400 / train) * train


def test_what_was_trained_for_the_ceiling_stands_beside_what_learned_as_usual():
    plain = experiment.Task(ceiling.MODEL, ceiling.KIND, "clean")
    ways = [(), *ceiling.TRAINED.values()]
    told = {"fields": plain.kind, "learned from": plain.fields, "labels": plain.labels}
    assert told | {"tested": "test"} == ceiling.PLAIN
    each = {"study": "hamza", "quantity": ceiling.QUANTITY, "low": 1, "high": 90}
    each |= {"n": 9, "groups": 9, "source": "drawn", "protocol": "clean"}
    estimates = [
        records.Estimate(
            value=20 + k,
            model=model,
            conditions=ceiling.PLAIN | dict(settings) | way,
            **each,
        )
        for model in (ceiling.MODEL, "SSD")
        for k, settings in enumerate(ways)
        for way in ({}, {"way": ceiling.AS_IT_IS})
    ]
    made = ceiling.trained(estimates)
    names = [*ceiling.USUAL, *ceiling.TRAINED]
    assert [one.conditions["way"] for one in made] == names
    assert [one.value for one in made] == [20 + k for k in range(len(ways))]


def test_with_another_setting_the_rate_stays(ran):
    run, fields, sizes, _ = ran
    rates = []

    task = experiment.Task("SSD", "karyogram", "clean")
    done = experiment.Answer(task, {}, {}, None, {"rate": 0.007})
    varied = dataclasses.replace(task, settings=(("batch", 4),))

    def answered(run, task, *_, rate=None):
        rates.append(rate)
        return dataclasses.replace(done, task=task)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(experiment, "tasks", lambda *_: [task, varied])
        patch.setattr(experiment, "_answer", answered)
        patch.setattr(experiment, "_measured", lambda *_: [])
        experiment.run(run, fields, sizes=sizes)
    assert rates == [None, 0.007]


def test_anchors_that_learn_overlap_their_chromosome_and_an_untaught_network_loses():
    fields = conftest.blocks(2)
    model = families.ssd(records.CLASSES, conftest.SIDE, trunk="tiny")
    shown = questions.learners(model, fields)
    anchors, truth = shown["right"], shown["missed"]
    assert len(truth) == 24
    overlap = scores.box_iou(truth, anchors)
    assert (overlap.max(1) > 0).all(), "each chromosome has one"
    good = overlap >= np.minimum(overlap.max(1, keepdims=True) - 1e-3, model.least)
    assert good.any(0).all(), "no anchor learns that fits nothing"
    lost = questions.untaught(model, fields)
    assert list(lost) == [*model.PARTS]
    assert (lost.astype(float) > 0).all(axis=None)


def test_boxes_are_capped_in_each_way():
    fields = conftest.blocks(4)
    every = [
        records.Boxes(
            np.concatenate([one.xyxy, one.xyxy + np.array([10, 0, 10, 0])]),
            np.concatenate([one.label, one.label]),
            np.r_[np.full(24, 0.9), np.full(24, 0.3)],
        )
        for one in fields.truth
    ]
    words = {"study": "hamza", "source": "drawn", "protocol": "clean", "model": "any"}
    made = ceiling.said(every, fields, words=words, rng=np.random.default_rng(0))
    value = {one.conditions["way"]: one.value for one in made}
    assert value[ceiling.AS_IT_IS] == value["one box a label"] == 24
    assert value["the first 20 alone"] == ceiling.VIEWER
    assert value["scores from 0.25"] == 48
    assert value["scores from 0.75"] == 24


def test_fewer_chromosomes_are_those_left_alone():
    fields = conftest.blocks(3)
    few = layout.fewer(fields, count=20, seed=1)
    assert few.present.sum(1).tolist() == [20] * 3
    assert few.kind == "20 chromosomes"
    for i in range(3):
        for k, box in enumerate(fields.boxes[i].astype(int)):
            x0, y0, x1, y1 = box
            there = few.x[i, y0:y1, x0:x1].any()
            assert there == few.present[i, k]
    again = layout.fewer(fields, count=20, seed=1)
    assert (again.labels == few.labels).all()
    with pytest.raises(data.FieldError, match="metaphases"):
        layout.fewer(dataclasses.replace(fields, kind="metaphase"), count=3, seed=0)


def test_tables_have_what_was_trained_and_nothing_else(ran):
    run, _, _, grid = ran
    plain = questions.plain(grid.estimates, questions.NAMED, "karyogram")
    assert sorted(one.protocol for one in plain) == ["clean", "published"]
    moved = questions.elsewhere(grid.estimates, "karyogram")
    assert {one.conditions["labels"] for one in moved} == {"true"}
    assert len(questions.costs(grid, TINY)) == len(grid.answers)
    assert questions.leads(run, grid, "karyogram", "clean") == [], "one family alone"
    answer = grid.of("karyogram", "clean")["SSD"]
    tests = grid.tests[answer.task]
    perfect = {name: fields.truth for name, fields in tests.items()}
    answers = [dataclasses.replace(answer, once=perfect)]
    sure = dataclasses.replace(grid, answers=answers)
    (whole, few) = questions.pictures(sure, "karyogram", "clean")
    assert (whole[0], few[0]) == ("SSD, karyogram", "SSD, 20 chromosomes")
    assert 0 < (few[1] > 0).sum() < (whole[1] > 0).sum(), "the same field"
    for (*_, told), name in ((whole, "test"), (few, f"{experiment.FEW} chromosomes")):
        assert len(told["right"]) == len(tests[name].truth[0]), "what the table counts"
        assert len(told["missed"]) + len(told["wrong"]) == 0


def estimate(quantity, value, model="SSD", **conditions):
    return records.Estimate(
        *("hamza", quantity, value, 0.0, 1.0, 9, 3),
        source="drawn",
        protocol="clean",
        model=model,
        conditions=conditions,
    )


def test_a_changed_setting_is_told_from_what_else_changed():
    plain = {"fields": "karyogram", "learned from": experiment.THESIS, "labels": "true"}
    found = [
        estimate("mAP", 0.5, **plain, tested="test"),
        estimate("mAP", 0.4, **plain, tested="unseen"),
        estimate("mAP", 0.6, **plain, tested="test", rate="0.01"),
        estimate("mAP", 0.7, **plain, tested="test, suppressed at 0.3"),
        estimate("mAP", 0.3, **plain | {"labels": "random"}, tested="test"),
        estimate("mAP", 0.2, "R-FCN", **plain, tested="test"),
    ]
    changed = questions.varied(found, "mAP")
    said = {one.conditions["setting"]: one.value for one in changed}
    assert said == {"as usual": 0.5, "rate 0.01": 0.6, "suppressed at 0.3": 0.7}


def test_a_finder_is_a_row_of_what_a_laboratory_asks():
    every = {"fields": "metaphase", "learned from": "all", "labels": "true"}
    wanted = estimate(questions.FOUND, 0.9, **every, tested="test")
    found = [
        wanted,
        estimate("count exact", 0.2, **every, tested=experiment.ODD),
        estimate("count exact", 0.8, **every, tested="test"),
        estimate(questions.FOUND, 0.1, **every | {"learned from": "as"}, tested="test"),
        estimate("mAP", 0.6, "bands", boxes="SSD", named=naming.JOINTLY),
        estimate(questions.FOUND, 0.97, pretraining.MODEL, looks="7320"),
        estimate(questions.FOUND, 0.5, pretraining.MODEL, looks="2400"),
    ]
    table = questions.aims(found).set_index("boxes of")
    assert table.index.tolist() == ["SSD", pretraining.MODEL]
    assert table.loc["SSD", "found, AP50"] == str(wanted)
    assert table.loc["SSD", questions.ODD].startswith("0.2")
    assert table.loc["SSD", "named jointly, mAP"].startswith("0.6")
    assert table.loc[pretraining.MODEL, "found, AP50"].startswith("0.97")
    assert not len(questions.aims([]))
