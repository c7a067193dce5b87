"""What is asked of one tiny experiment: counts and words, not how good it is."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from chromolib.evidence import claims
from chromolib.models import weights
from chromolib.studies.chromonet import experiment, questions, variants

TRUE = {"unit": "chromosome", "labels": "true"}


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def audits(claims_folder):
    return claims.audit(claims.load(claims_folder, "chromonet"))


def told(estimates, name):
    """The values of one condition, in order."""
    return [estimate.conditions.get(name, "") for estimate in estimates]


def without_training(monkeypatch):
    def refuse(*_, **__):
        raise AssertionError("a training that nobody needs")

    monkeypatch.setattr(experiment, "train", refuse)


def test_each_kind_is_counted_among_unseen_images(grid, rng):
    estimates = questions.kinds([grid], rng=rng)
    assert told(estimates, "kind") == ["dup", "-", "s", "real gain"]
    names = [estimate.quantity for estimate in estimates]
    assert names == [questions.CALLED, *["false alarm"] * 2, questions.CALLED]
    assert [estimate.n for estimate in estimates] == [12, 8, 4, 3]
    called = grid.unseen.label[grid.images.kind == "dup"] == "abnormal"
    assert estimates[0].value == pytest.approx(called.mean())


def test_abnormal_images_are_told_from_shams_and_real_gains_from_normal_ones(grid, rng):
    estimates = questions.shams([grid], rng=rng)
    assert told(estimates, "against") == ["shams", "normal"]
    assert [estimate.n for estimate in estimates] == [4, 3], "of the rarer label"
    assert {e.quantity for e in estimates} == {"AUROC of abnormal"}


def test_without_shams_and_real_gains_nothing_is_said_of_them(grid, rng):
    extra = grid.images.details.extra
    details = dataclasses.replace(
        grid.images.details, extra=extra | {"sham": np.full(24, "no")}
    )
    images = dataclasses.replace(grid.images, details=details, natural=None)
    bare = dataclasses.replace(grid, images=images)
    assert questions.shams([bare], rng=rng) == []
    assert told(questions.kinds([bare], rng=rng), "kind") == ["dup", "-", "s"]


def test_confidence_is_mended_on_the_validation_part_of_the_clean_network(grid, rng):
    estimates = questions.confidence(grid, rng=rng)
    as_it_is, cooled = estimates[:2], estimates[2:4]
    for pair in (as_it_is, cooled):
        assert {e.quantity for e in pair} == {"NLL", "ECE"}
    assert {"cooled" in e.conditions for e in as_it_is} == {False}
    assert {"cooled" in e.conditions for e in cooled} == {True}
    assert all(e in grid.estimates for e in as_it_is), "measured once"
    assert {e.conditions["miss"] for e in estimates[4:]} == {"0.1"}
    published = dataclasses.replace(grid, trained=grid.trained[:3])
    assert questions.confidence(published, rng=rng) == []


def test_the_grid_s_own_number_of_sources_is_not_trained_again(grid, rng, monkeypatch):
    without_training(monkeypatch)
    estimates = variants.learning(grid, (24, 10_000), rng=rng)
    assert [e.model for e in estimates] == [experiment.CHROMONET, experiment.RIVAL]
    assert told(estimates, "sources") == ["24", "24"]
    usual = {
        e.model: e.value
        for e in grid.estimates
        if (e.quantity, e.protocol, e.conditions) == ("accuracy", "clean", TRUE)
    }
    assert [e.value for e in estimates] == [usual[e.model] for e in estimates]


def test_another_number_of_sources_and_another_reading_are_trained(grid, rng):
    tiny = dataclasses.replace(
        grid, sizes=dataclasses.replace(grid.sizes, epochs=1, share=0.01)
    )
    learning = variants.learning(tiny, (20,), rng=rng)
    assert [e.model for e in learning] == [experiment.CHROMONET, experiment.RIVAL]
    assert told(learning, "sources") == ["20", "20"]
    readings = variants.readings(tiny, ["six convolutions"], rng=rng)
    assert told(readings, "reading") == ["as read", "six convolutions"]
    assert {e.weights for e in readings} == {"none"}


def test_readings_beside_one_that_began_elsewhere_all_begin_with_none(
    grid, rng, monkeypatch
):
    begun = []
    monkeypatch.setattr(
        experiment, "train", lambda *_, **how: begun.append(how) or grid.chromonet()
    )
    variants.readings(grid, ["no dropout"], rng=rng)
    elsewhere = dataclasses.replace(grid, origin=weights.Origin("mine.keras"))
    variants.readings(elsewhere, ["no dropout"], rng=rng)
    alone = {"seed": grid.seed}
    assert begun == [alone | {"dropout": 0.0}, alone, alone | {"dropout": 0.0}]


def test_even_labels_and_a_searched_rate_are_trained_and_told_with_their_gain(
    grid, rng, monkeypatch
):
    asked = []

    def train(split, sizes, *, seed, **how):
        assert how.pop("origin") == grid.origin, "as the network of the grid began"
        asked.append((how, split.counts["train"]))
        return grid.chromonet(split.protocol)

    monkeypatch.setattr(experiment, "train", train)
    rows = {"validation loss": [0.7, 0.4], "learning rate": [1e-2, 1e-3]}
    trials = pd.DataFrame(rows | {"batch size": [8, 64]})
    found = variants.settings(grid, trials, rng=rng)
    (plain, even), (tuned, _) = asked
    assert plain == {}
    assert len(set(even.values())) == 1
    assert tuned == {"rate": 1e-3, "batch": 64}
    gains = [e for e in found if e.quantity.startswith("difference")]
    assert told(gains, "setting") == ["even labels", "tuned"]
    assert gains[1].value == 0, "the same network here"
    alone = [one for one in grid.trained if one.split.protocol == "published"]
    published = dataclasses.replace(grid, trained=alone)
    found = variants.settings(published, trials, rng=rng)
    gains = [e for e in found if e.quantity.startswith("difference")]
    assert told(gains, "setting") == ["tuned"], "other copies would make another test"


def test_bars_tell_protocols_labels_and_unseen_groups_apart(grid):
    bars = questions.scores([grid])
    keys = {
        (e.protocol, e.conditions["labels"], e.conditions.get("tested")) for e in bars
    }
    assert len(bars) == len(keys) == 5
    assert ("published", "true", "unseen") in keys
    pooled = [
        dataclasses.replace(e, conditions=e.conditions | {"seeds": "3"}) for e in bars
    ]
    pooled = [dataclasses.replace(e, quantity="balanced accuracy") for e in pooled]
    assert questions.kept_scores([*pooled, *bars]) == pooled
    drawn = [e.conditions for e in questions.drawn(bars)]
    assert {e["images"] for e in drawn} == {f"chromosome, {grid.source}"}
    assert {e["under"] for e in drawn} == {"", "unseen groups", "random labels"}


def test_counts_parts_and_curves_are_of_true_labels(grid):
    counts = questions.counts(grid)
    assert list(counts) == ["paper", "published", "clean"]
    assert counts["paper"].loc["train", "normal"] == 660
    assert counts["clean"].loc["test"].tolist() == [12, 12]
    parts = questions.parts(grid.chromonet().split)
    assert parts["images"].tolist() == [63, 5, 24]
    assert list(questions.curves(grid)) == [
        f"{model}, {name}"
        for name in ("published", "clean")
        for model in ("ChromoNet", "traditional")
    ]


def test_the_paper_s_tables_have_ours_in_further_columns(grid, audits):
    table = questions.paper_tables([grid], audits)
    assert table.columns.tolist() == [
        *("unit", "sources", "model", "score", "paper"),
        *("published", "published, unseen", "clean", "source"),
    ]
    assert table["score"].tolist() == [*questions.PRINTED.values()] * 2
    assert table["model"].unique().tolist() == ["ChromoNet", "traditional"]
    assert (table["published, unseen"] == "").tolist() == [False] * 4 + [True] * 4
    assert (table[["paper", "published", "clean"]] != "").all(axis=None)
    assert table["sources"].unique().tolist() == [24]


def test_maps_are_judged_where_the_abnormality_lies(grid, rng):
    figure, estimates = questions.look(grid, show=2, most=3, rng=rng)
    assert figure["images"].shape == (2, 96, 32, 1)
    assert figure["maps"].shape == (2, 96, 32)
    np.testing.assert_array_equal(figure["boxes"], [[12, 43, 20, 53]] * 2)
    assert set(told(estimates, "map")) == {"Grad-CAM", "occlusion"}
    assert {e.n for e in estimates} == {3}
    assert all("tested" not in e.conditions for e in estimates)
    alone = [one for one in grid.trained if one.split.protocol == "published"]
    published = dataclasses.replace(grid, trained=alone)
    _, estimates = questions.look(published, show=1, most=1, rng=rng)
    assert {e.conditions["tested"] for e in estimates} == {"unseen"}


def test_maps_of_unmarked_images_are_shown_and_not_judged(grid, rng):
    nowhere = tuple(boxes.take([]) for boxes in grid.images.details.boxes)
    details = dataclasses.replace(grid.images.details, boxes=nowhere)
    images = dataclasses.replace(grid.images, details=details)
    bare = dataclasses.replace(grid, images=images)
    figure, estimates = questions.look(bare, show=1, most=2, rng=rng)
    assert (figure["boxes"], estimates) == ([None], [])


def test_the_inspector_gets_what_belongs_to_each_unseen_image(grid):
    shown = questions.inspected(grid)
    predictions = shown["predictions"]
    assert {len(shown[name]) for name in ("images", "boxes")} == {len(predictions)}
    assert len(shown["facts"]["kind"]) == len(predictions)
    for box, label in zip(shown["boxes"], predictions.truth, strict=True):
        assert (box is None) == (label == "normal")
    assert shown["saliency"]([0, 1]).shape == shown["images"][:2, ..., 0].shape
    assert (shown["other"].image == predictions.image).all()


def test_the_surest_errors_come_first(grid):
    pictures, captions = questions.wrong(grid, 5)
    predictions = grid.pick()
    errors = predictions.uncertainty[predictions.label != predictions.truth]
    assert len(pictures) == len(captions) == min(5, len(errors))
    assert all(one["truth"] != one["predicted"] for one in captions)


def test_questions_add_nothing_to_what_they_are_asked_of(grid, audits, rng):
    lists = grid.trained, grid.predictions, grid.estimates, grid.words
    before = [list(one) for one in lists]
    for question in (questions.kinds, questions.shams):
        question([grid], rng=rng)
    questions.confidence(grid, rng=rng)
    variants.learning(grid, (24,), rng=rng)
    variants.readings(grid, [], rng=rng)
    questions.look(grid, show=1, most=1, rng=rng)
    questions.paper_tables([grid], audits)
    for question in (questions.counts, questions.curves):
        question(grid)
    questions.scores([grid]), questions.inspected(grid), questions.wrong(grid, 4)
    assert [list(one) for one in lists] == before


def test_bars_of_kept_results_are_the_network_s_own_and_each_once(grid):
    told = {"quantity": "balanced accuracy", "model": "ChromoNet"}
    pooled = [
        dataclasses.replace(e, conditions=e.conditions | {"seeds": "0 1 2"})
        for e in grid.estimates
    ]
    bars = questions.kept_scores(pooled)
    assert {getattr(e, name) == word for e in bars for name, word in told.items()} == {
        True
    }
    places = [(e.protocol, tuple(e.conditions.items())) for e in bars]
    assert len(set(places)) == len(places) == 5, "one is of unseen groups"


def test_the_four_scores_are_of_both_models_and_each_protocol(grid):
    four = questions.four(grid)
    assert {e.quantity for e in four} == {"score"}
    assert list(dict.fromkeys(told(four, "score"))) == [*questions.PRINTED.values()]
    assert {(e.model, e.protocol) for e in four} == {
        (model, name)
        for model in (experiment.CHROMONET, experiment.TRADITIONAL)
        for name in ("published", "clean")
    }
