"""The three verbs of the study on drawn cells: folds, trainings, cells named whole."""

import dataclasses
import os
import pathlib

import numpy as np
import pandas as pd
import pytest

from chromolib import records
from chromolib.cyto import assign
from chromolib.data import store as store_of_data
from chromolib.detect import store as detectors
from chromolib.models import inputs, predict, pretrained, store
from chromolib.studies.shruti import (
    ablation,
    abroad,
    cases,
    data,
    experiment,
    network,
    protocol,
    questions,
    schemes,
    shipping,
)

SIZES = experiment.Sizes(folds=2, steps=2)


# data


def test_chromosomes_are_laid_straight_each_with_its_cell(chromosomes):
    part = chromosomes.samples
    assert part.x.shape == (len(chromosomes.images), *inputs.FINE, 1)
    assert part.cell.tolist() == chromosomes.images.cell.tolist()
    assert len(set(part.cell)) == 10
    assert 0.02 < part.x.mean() < 0.5


def test_without_a_source_cells_are_drawn_some_of_them_abnormal(run):
    drawn = data.read(run, 4)
    assert (drawn.upright, drawn.real) == (True, False)
    assert set(drawn.samples.label) <= set(records.CLASSES)
    again = data.read(run, 4)
    np.testing.assert_array_equal(drawn.samples.x, again.samples.x)


def test_images_without_a_class_are_no_chromosomes(chromosomes):
    strange = dataclasses.replace(
        chromosomes.images, label=np.full(len(chromosomes.images), "mar")
    )
    with pytest.raises(data.ChromosomeError, match="no chromosome of a known class"):
        data.prepared(strange, upright=True, real=False)


def test_the_classes_of_the_report_are_the_cells(chromosomes):
    part = data.by_cell(chromosomes.samples)
    assert part.classes == tuple(sorted(set(chromosomes.images.cell)))
    assert part.label.tolist() == chromosomes.images.cell.tolist()


# protocol


@pytest.mark.parametrize("name", ["published", "clean"])
def test_folds_test_every_image_once_and_divide_what_they_say(chromosomes, name):
    splits = list(protocol.folds(chromosomes, protocol=name, seed=0))
    tested = np.concatenate([split.test.image for split in splits])
    assert sorted(tested) == sorted(chromosomes.samples.image)
    for split in splits:
        parts = split.train, split.validation, split.test
        assert sum(map(len, parts)) == len(chromosomes.samples)
        for one, other in ((0, 1), (0, 2), (1, 2)):
            assert not set(parts[one].image) & set(parts[other].image)
            shared = set(parts[one].group) & set(parts[other].group)
            assert bool(shared) == (name == "published")


def test_the_folds_are_the_same_for_either_label(chromosomes):
    part = data.by_cell(chromosomes.samples)
    of_types = protocol.folds(chromosomes, protocol="published", seed=1)
    of_cells = protocol.folds(chromosomes, protocol="published", seed=1, part=part)
    for one, other in zip(of_types, of_cells, strict=True):
        assert one.test.image.tolist() == other.test.image.tolist()


# network


def test_the_head_of_the_report_has_its_parameters():
    head = schemes.head((7, 7, 512), 119, approach="maps", scheme="no FC", seed=0)
    assert head.count_params() == 2_985_591  # of its printed summary


def test_what_was_measured_by_hand_names_drawn_chromosomes(chromosomes):
    split = next(protocol.folds(chromosomes, protocol="clean", seed=0))
    model = network.hand_made(split.train, seed=0, upright=False)
    said = network.by_hand(model, split.test.x, upright=False)
    np.testing.assert_allclose(said.sum(1), 1)
    assert (said.argmax(1) == split.test.y).mean() > 0.7
    turned = network.by_hand(model, split.test.x[:, ::-1], upright=False)
    np.testing.assert_allclose(said, turned, atol=1e-9)


def test_a_class_that_was_not_learned_is_never_named(chromosomes):
    split = next(protocol.folds(chromosomes, protocol="clean", seed=0))
    fewer = split.train.take(split.train.label != "Y")
    model = network.hand_made(fewer, seed=0, upright=True)
    said = network.by_hand(model, split.test.x[:5], upright=True)
    assert said.shape == (5, 24)
    assert not said[:, records.CLASSES.index("Y")].any()


def test_every_way_to_look_counts_alike(chromosomes):
    split = next(protocol.folds(chromosomes, protocol="clean", seed=0))
    model = network.ours(split.train, seed=0, upright=False)
    x = split.test.x[:5]
    said = predict.views(model, x, upright=False)
    turned = predict.views(model, x[:, ::-1, ::-1], upright=False)
    np.testing.assert_allclose(said, turned, atol=1e-6)
    alone = predict.views(model, x, upright=True)
    assert np.abs(alone - said).max() > 1e-6


# experiment


@pytest.fixture(scope="module")
def learned(chromosomes):
    """A network that has seen a fold of drawn cells for a while."""
    split = next(protocol.folds(chromosomes, protocol="clean", seed=0))
    sizes = experiment.Sizes(steps=60)
    return split, *experiment.train(split, sizes, seed=0, upright=True)


def test_drawn_chromosomes_can_be_learned(learned):
    split, model, history = learned
    assert history["loss"].iloc[-1] < 3
    said = predict.views(model, split.test.x, upright=True)
    assert (said.argmax(1) == split.test.y).mean() > 0.25


def test_the_penalty_is_chosen_by_whole_cells(learned):
    split, model, _ = learned
    said = predict.views(model, split.validation.x, upright=True)
    said = predict.predictions(split.validation, said, source="validation")
    assert assign.choose_penalty(said) in assign.PENALTIES
    sure = dataclasses.replace(said, probability=np.eye(24)[split.validation.y])
    middle = assign.PENALTIES[len(assign.PENALTIES) // 2]
    assert assign.choose_penalty(sure) == middle


@pytest.fixture(scope="module")
def ran(chromosomes, tmp_path_factory, make_run):
    """A run of both protocols, and what it found."""
    run = make_run(tmp_path_factory.mktemp("run"))
    return run, experiment.run(run, chromosomes, sizes=SIZES)


def test_a_run_keeps_predictions_and_scores_of_both_protocols(ran):
    run, found = ran
    names = {(one.model, one.protocol) for one in run.predictions}
    assert names == {
        (m, p) for m in experiment.LEARNERS for p in ("published", "clean")
    }
    for one in run.predictions:
        assert (one.assigned is not None) == (one.protocol == "clean")
    scored = {
        (e.quantity, e.protocol, e.conditions.get("named")) for e in run.estimates
    }
    assert ("whole-cell accuracy", "clean", "jointly") in scored
    assert ("accuracy", "published", None) in scored
    chosen = found.answers["bands", "clean"].chosen
    assert chosen["fold"].tolist() == [0, 1]
    assert set(chosen["penalty"]) <= set(assign.PENALTIES)


def test_what_a_step_adds_is_measured_on_the_same_images(ran):
    run, found = ran
    gains = {
        (one.conditions["gain of"], one.model, one.protocol): one
        for one in run.estimates
        if "gain of" in one.conditions
    }
    lead = gains["model", "bands - hand-made", "clean"]
    ours, theirs = (found.answers[name, "clean"].said for name in experiment.LEARNERS)
    rate = [(one.label == one.truth).mean() for one in (ours, theirs)]
    assert lead.value == pytest.approx(rate[0] - rate[1])
    joint = gains["named jointly", "hand-made - hand-made", "clean"]
    named = (theirs.assigned == theirs.truth).mean()
    assert joint.value == pytest.approx(named - rate[1])
    seen = gains["cell seen before", "hand-made - hand-made", "published"]
    both = found.answers["hand-made", "published"].said.image
    assert seen.n == len(set(both) & set(theirs.image))


def test_a_stopped_run_goes_on_with_the_next_fold(ran, chromosomes, monkeypatch):
    run, whole = ran
    trained = []
    monkeypatch.setattr(experiment, "train", lambda *a, **k: trained.append(a))
    experiment.place(run, "bands", "clean", 1).unlink()
    with pytest.raises(TypeError):  # that fold alone is trained again
        experiment.run(run, chromosomes, sizes=SIZES)
    assert len(trained) == 1
    assert trained[0][0].fold == 1
    monkeypatch.undo()
    again = experiment.run(run, chromosomes, sizes=SIZES)
    for name, answer in whole.answers.items():
        said = again.answers[name].said
        np.testing.assert_array_equal(answer.said.probability, said.probability)


def test_validation_images_choose_the_temperature(chromosomes):
    split = next(protocol.folds(chromosomes, protocol="clean", seed=0))

    def sure(part, share):
        """So sure, and wrong for every fourth image."""
        wrong = (part.y + (np.arange(len(part)) % 4 == 0)) % 24
        return share * np.eye(24)[wrong] + (1 - share) / 24

    parts = [sure(part, 0.99) for part in (split.validation, split.test)]
    said, row = experiment._settled(split, *parts, {"source": "synthetic"})
    assert row["temperature"] > 1.5
    assert said.probability.max(1).mean() == pytest.approx(0.75, abs=0.05)


def test_a_network_abroad_is_asked_before_and_after_a_few_cells(ran, chromosomes):
    run, found = ran
    other = dataclasses.replace(
        chromosomes,
        images=dataclasses.replace(chromosomes.images, source="other"),
        samples=dataclasses.replace(
            chromosomes.samples, group=chromosomes.samples.cell
        ),
    )
    answer = found.answers["bands", "clean"]
    made = abroad.asked(run, chromosomes, other, answer=answer, steps=3)
    tested = {one.conditions["learned there"]: one.n for one in made}
    assert list(tested) == ["0 cells", "5 cells"]
    assert len(set(tested.values())) == 1
    groups = len(set(other.samples.group)) - abroad.CELLS
    assert {one.groups for one in made if one.quantity == "accuracy"} == {groups}


STEPS = {"augmentation", "laying straight", "size within the cell", "several views"}


def test_each_step_is_left_out_once(make_run, chromosomes, tmp_path):
    run = make_run(tmp_path)
    sizes = ablation.Sizes(steps=2, cells=0, networks=1)
    made = ablation.run(run, chromosomes, sizes=sizes)
    assert {one.conditions["gain of"] for one in made} == STEPS
    values = [one.value for one in made]
    assert values == sorted(values, reverse=True)
    alike = ablation._same_size(chromosomes.samples).x
    area = (alike > 0).sum((1, 2, 3))
    assert area.std() < 0.25 * area.mean()
    own = (chromosomes.samples.x > 0).sum((1, 2, 3))
    assert own.std() > 0.35 * own.mean()


def test_first_weights_several_networks_and_one_taught_by_them_are_held_against_it(
    make_run, chromosomes, tmp_path, monkeypatch
):
    run, asked, real = make_run(tmp_path), [], experiment.train

    def train(split, sizes, **how):
        asked.append(how | {"n": len(split.train), "upright": None})
        return real(split, sizes, **how)

    monkeypatch.setattr(experiment, "train", train)
    sizes = ablation.Sizes(steps=2, cells=2, networks=2)
    made = ablation.run(run, chromosomes, sizes=sizes)
    more = {ablation.DRAWN, ablation.MEAN, ablation.DISTILLED}
    assert {one.conditions["gain of"] for one in made} == STEPS | more
    own = asked[0]["n"]
    assert [one["n"] for one in asked] == [own] * 4 + [92] + [own] * 3
    assert [one.get("first") is not None for one in asked].index(True) == 5
    assert len({one["seed"] for one in asked}) == 2
    assert asked[7]["wanted"].shape == (own, 24)
    assert np.allclose(asked[7]["wanted"].sum(1), 1, atol=1e-5)


# cases with a copy too many


def test_cases_are_called_by_what_most_of_their_cells_are():
    extra, normal = ["21"], []
    told = _answer({"a": [extra, extra], "b": [normal, normal, extra], "c": [normal]})
    frame = cases.table(told).set_index("case")
    assert frame["truth"].tolist() == ["47,XX,+21", "46,XX", "46,XX"]
    assert frame["named"].tolist() == frame["truth"].tolist()
    assert frame["extra truth"].tolist() == [True, False, False]
    assert frame.loc["b", ["cells", "agree"]].tolist() == [3, 2]
    assert frame.loc["c", "counted"] == "46,XX"  # as the other of 46 images
    assert frame.loc["a", "counted"] == ""  # no other case has 47
    scores = {
        (one.quantity, one.model): one
        for one in cases.scores(
            frame, {"study": "shruti", "source": "synthetic", "protocol": "clean"}
        )
    }
    assert scores["sensitivity", "bands"].value == 1
    assert scores["exact karyotype, extra copy", "count alone"].value == 0
    assert scores["specificity", "bands"].n == 2


@pytest.mark.parametrize("name", ["truth", "named", "alone"])
def test_a_trisomy_that_is_seen_clearly_is_kept(name):
    """Also where the count says nothing, as a chromosome of another class is lost."""
    extra = ["13", "18", "21", "X", "Y"]
    told = _answer({case: [[case], [case]] for case in extra} | {"normal": [[]]})
    frame = cases.table(told).set_index("case")
    assert frame[f"extra {name}"].to_dict() == {c: c != "normal" for c in frame.index}
    assert frame[name].tolist() == frame["truth"].tolist()


def test_alone_each_image_is_what_it_looks_most_like():
    """Two of 46 that look like a third 21 are so alone, and give way jointly."""
    told = _answer({"a": [[]], "b": [[], []]})
    chance = told.said.probability.copy()
    (which,) = np.nonzero((told.said.cell == "a0") & (told.said.truth == "22"))
    k = [records.CLASSES.index(name) for name in ("21", "22")]
    chance[which[0], k] = 0.55, 0.427
    said = dataclasses.replace(told.said, probability=chance, label=None)
    frame = cases.table(dataclasses.replace(told, said=said)).set_index("case")
    assert frame["named"].tolist() == frame["truth"].tolist() == ["46,XX"] * 2
    assert frame["alone"].tolist() == ["46,XX,+21,-22", "46,XX"]
    words = {"study": "shruti", "source": "synthetic", "protocol": "clean"}
    found = [one for one in cases.scores(frame, words) if one.model == "one by one"]
    assert {one.quantity: one.value for one in found} == {
        "specificity": 0.5,
        "exact karyotype, others": 0.5,
    }


@pytest.mark.parametrize("extra", [["21"], ["21", "-5", "-6"]])
@pytest.mark.parametrize("step", [1, -1])
def test_labels_that_tie_count_the_copy_that_was_seen(extra, step):
    """47,XX,+21 stands after 46,XX as text, and 45,XX,-5,-6,+21 before it."""
    told = _answer({"a": [extra, []][::step]})
    (row,) = cases.table(told).to_dict("records")
    assert "+21" in row["truth"]
    assert row["extra truth"]
    assert row["n"] == (47 if extra == ["21"] else 46), (
        "whatever the network makes of it"
    )
    outvoted = _answer({"a": [extra, [], []][::step]})
    assert cases.table(outvoted)["truth"].tolist() == ["46,XX"]


@pytest.mark.parametrize(
    ("karyotype", "extra"),
    [
        ("46,XX", False),
        ("45,X", False),
        ("47,XXY", True),
        ("46,XY,+3,-5", True),
        ("45,XX,-20", False),
        ("", False),
    ],
)
def test_a_copy_too_many_is_read_from_a_karyotype(karyotype, extra):
    assert cases._extra(karyotype) == extra


def _answer(given):
    """What a network that is right says of cases: case -> what each cell has beyond
    a normal one, or lacks ("-5")."""
    normal = [name for name in records.CLASSES[:22] for _ in range(2)] + ["X", "X"]
    rows = [
        (case, f"{case}{i}", label)
        for case, several in given.items()
        for i, changes in enumerate(several)
        for label in _changed(normal, changes)
    ]
    group, cell, truth = map(np.array, zip(*rows, strict=True))
    index = [records.CLASSES.index(label) for label in truth]
    said = records.Predictions(
        image=np.arange(len(rows)).astype(str),
        group=group,
        truth=truth,
        cell=cell,
        assigned=truth,
        probability=0.976 * np.eye(24)[index] + 0.001,
        source="synthetic",
    )
    chosen = pd.DataFrame({"fold": [0], "temperature": [1.0], "penalty": [2.0]})
    return experiment.Answer(said, np.zeros(len(said), int), chosen)


def _changed(labels, changes):
    """Labels without one of each class that is lost, "-5", and with each other one."""
    labels = list(labels)
    for change in changes:
        if change.startswith("-"):
            labels.remove(change[1:])
        else:
            labels.append(change)
    return labels


# the schemes of the base paper


def test_heads_are_those_of_the_table(chromosomes):
    def parameters(approach, scheme):
        return schemes.head(
            (7, 7, 16), 24, approach=approach, scheme=scheme, seed=0
        ).count_params()

    flat, mean, wide = 7 * 7 * 16, 16, schemes.WIDE
    dense = lambda n, m: (n + 1) * m  # noqa: E731
    assert parameters("maps", "no FC") == dense(flat, 24)
    assert parameters("means", "FC(2048)") == dense(mean, 2048) + dense(2048, 24)
    two = dense(wide, wide) + dense(wide, 24)
    assert parameters("means", "2 (FC + ReLU + dropout)") == dense(mean, wide) + two
    normal = parameters("means", "2 (FC + BN + ReLU)") - dense(mean, wide) - two
    assert normal == 2 * 4 * wide
    conv = dense(9 * 16, 16) + 4 * 16
    assert parameters("means", "Conv + BN") == conv + dense(mean, 24)


def test_a_frozen_trunk_serves_types_cells_and_schemes(make_run, chromosomes, tmp_path):
    run = make_run(tmp_path)
    few = data.some(chromosomes, 5, rng=np.random.default_rng(0))
    assert len(data.some(chromosomes, 2, rng=np.random.default_rng(0)).images) == 4 * 46
    shape = few.samples.x.shape[1:]
    trunk, origin = network.trunk(shape, weights="none", root="", side=32, seed=0)
    maps = schemes.seen(run, few, trunk)
    assert maps.x.shape == (len(few.samples), 1, 1, 512)
    again = schemes.seen(run, few, trunk)
    np.testing.assert_array_equal(maps.x, again.x)
    found = schemes.labels(run, few, maps, origin=origin, epochs=1)
    kinds = {(one.conditions["labels"], one.protocol): one.value for one in found}
    assert len(kinds) == 4
    assert kinds["cells", "clean"] == 0  # an unseen cell has no name to be given
    sizes = schemes.Sizes(heads=1, epochs=1)
    table = schemes.run(run, few, maps, sizes=sizes, origin=origin, trunk=trunk)
    assert table["approach"].tolist() == ["1: maps", "2: means"]
    assert (table["ms an image"] > 0).all()


@pytest.mark.realdata
def test_the_stand_in_sees_chromosomes_as_they_are(chromosomes):
    root = os.environ.get("CHROMOLIB_DATA", "")
    if not root or not store_of_data.find(pathlib.Path(root), pretrained.ARCHIVE):
        pytest.skip(f"no {pretrained.ARCHIVE} under CHROMOLIB_DATA")
    x = chromosomes.samples.x[:2]
    trunk, origin = network.trunk(
        x.shape[1:], weights="hed", root=root, side=224, seed=0
    )
    assert "edges of photographs" in origin.sentence
    assert trunk.predict(x, verbose=0).shape == (2, 7, 2, 512)


def test_full_runs_that_are_kept_are_scores_of_the_grid():
    def one(quantity, protocol="clean", **conditions):
        model = conditions.pop("model", "bands")
        words = {"study": "shruti", "source": "pki3", "model": model}
        given = {"n": 9, "groups": 3, "conditions": conditions, "protocol": protocol}
        return records.Estimate(
            quantity=quantity, value=0.5, low=0.4, high=0.6, **words, **given
        )

    alone, joint = one("accuracy"), one("accuracy", named="jointly")
    case, seen = one("sensitivity", unit="case"), one("accuracy", "published")
    other = [
        one("accuracy", model="means, no FC"),
        one("accuracy", **{"learned there": "0 cells"}),
        one("NLL"),
    ]
    kept = [alone, joint, case, seen, *other]
    assert questions.kept_bars(kept) == [alone, joint, seen]
    assert questions.kept_whole(kept) == [alone, joint, case]


# the shipped model


def test_a_shipped_model_is_scored_on_cells_that_stayed_out(chromosomes, tmp_path):
    other = dataclasses.replace(
        chromosomes, images=dataclasses.replace(chromosomes.images, source="other")
    )
    file = shipping.ship(tmp_path / "shruti-small", [chromosomes, other], steps=2)
    model, facts = store.load(file, study="shruti", unit="chromosome")
    assert model.output_shape == (None, 24)
    assert facts["source"] == "synthetic and other"
    split = shipping.fold(chromosomes, 0)
    assert facts["n"] == 2 * len(split.train)
    assert facts["penalty"] in assign.PENALTIES
    scored = {(one["quantity"], one["n"]) for one in facts["scores"]}
    assert ("accuracy", len(split.test)) in scored
    assert file.stat().st_size < 3 << 20


def test_what_finds_and_what_names_let_the_same_cases_stay_out(root):
    """Else the one has learned from what judges both."""
    models = root / "data" / "models"
    _, namer = store.load(models / "shruti-metaphase.keras")
    _, finder = detectors.load(models / "hamza-metaphase.npz")
    wanted = "whole-cell accuracy"
    (cells,) = (one for one in namer["scores"] if one["quantity"] == wanted)
    for name in ("source", "n", "groups"):
        assert {one[name] for one in finder["scores"]} == {cells[name]}
    for fact in ("seed", "groups"):
        assert namer[fact] == finder[fact]


@pytest.mark.parametrize(
    ("name", "sources"),
    [("chromosome", {"bioimlab", "pki3"}), ("metaphase", {"tseng2023"})],
)
def test_the_shipped_models_open_and_say_what_they_are(root, name, sources):
    file = root / "data" / "models" / f"shruti-{name}.keras"
    model, facts = store.load(file, study="shruti", unit="chromosome")
    assert file.stat().st_size < 3_000_000
    assert file.with_suffix(".LICENSE.txt").is_file()
    assert facts["classes"] == list(records.CLASSES)
    weights = [np.asarray(one) for one in model.get_weights()]
    assert all((one == one.astype(np.float16)).all() for one in weights), "rounded"
    scored = {(one["source"], one["quantity"]) for one in facts["scores"]}
    wanted = "accuracy", "whole-cell accuracy"
    assert {(source, one) for source in sources for one in wanted} <= scored
