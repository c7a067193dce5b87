"""The three verbs each on its own, and all of them in one grid."""

import dataclasses
import types

import keras
import numpy as np
import pytest

from chromolib.models import classical, store, weights
from chromolib.studies.chromonet import data, experiment, protocol

WORDS = {"source": "drawn", "weights": "none"}
MODELS = {experiment.CHROMONET, experiment.TRADITIONAL, *classical.MODELS}


@pytest.fixture(scope="module")
def toy(bars):
    """Images that a network can tell, smaller than any real ones."""
    return types.SimpleNamespace(
        unit="chromosome", source="drawn", pool=bars(80, "p"), unseen=bars(60, "unseen")
    )


@pytest.fixture(scope="module")
def trained(toy):
    """ChromoNet trained by the published protocol on what a network can tell."""
    sizes = experiment.Sizes(sources=40, share=0.2, epochs=6)
    split = experiment.divide(toy, "published", sizes, seed=0)
    return experiment.train(split, sizes, seed=0)


# train


def test_a_split_is_as_large_as_the_sizes_say(toy):
    sizes = experiment.Sizes(sources=20, share=0.1)
    split = experiment.divide(toy, "clean", sizes, seed=0, labels="random")
    assert (split.protocol, split.labels, split.drawn) == ("clean", "random", 20)
    assert split.counts["train"] == {"normal": 66, "abnormal": 60}


def test_a_training_has_a_history_in_the_words_of_keras(trained):
    names = ["epoch", "accuracy", "loss", "val_accuracy", "val_loss", "best"]
    assert trained.history.columns.tolist() == names
    assert len(trained.history) == 6
    best = trained.history.loc[trained.history["best"], "val_accuracy"].item()
    assert best == trained.history["val_accuracy"].max()


def test_the_network_has_the_weights_of_the_best_epoch(trained):
    validation = trained.split.validation
    _, accuracy = trained.network.evaluate(*validation.xy, verbose=0)
    best = trained.history.loc[trained.history["best"], "val_accuracy"].item()
    assert accuracy == pytest.approx(best)


# predict


def test_what_a_network_learned_it_predicts_of_groups_it_never_saw(trained, toy):
    tested, unseen = experiment.predict_with(trained, toy, WORDS)
    assert tested.image.tolist() == trained.split.test.image.tolist()
    assert unseen.image.tolist() == toy.unseen.image.tolist()
    assert (unseen.label == unseen.truth).mean() > 0.8
    usual = {"unit": "chromosome", "labels": "true"}
    assert tested.conditions == usual
    assert unseen.conditions == usual | {"tested": "unseen"}
    assert (tested.model, tested.protocol) == ("ChromoNet", "published")


def test_only_a_published_chromonet_has_unseen_groups_besides(trained, toy):
    clean = dataclasses.replace(trained.split, protocol="clean")
    for other in (
        dataclasses.replace(trained, model=experiment.TRADITIONAL),
        dataclasses.replace(trained, split=clean),
    ):
        assert len(experiment.predict_with(other, toy, WORDS)) == 1


# score


def test_scores_and_differences_carry_the_words_of_their_predictions(trained, toy):
    rng = np.random.default_rng(0)
    predictions = experiment.predict_with(trained, toy, WORDS)
    other = dataclasses.replace(predictions[0], model="SVM", weights="none")
    scores = experiment.score(predictions, rng=rng)
    assert {e.quantity for e in scores} <= set(experiment.SCORES)
    assert {tuple(e.conditions) for e in scores} == {
        ("unit", "labels"),
        ("unit", "labels", "tested"),
    }
    differences = experiment.differences(
        [*predictions, other], trained.split.protocol, rng=rng
    )
    assert {e.model for e in differences} == {"ChromoNet - SVM"}
    assert all(e.value == 0 for e in differences), "the same predictions twice"
    name = trained.split.protocol
    assert experiment.differences(predictions, name, rng=rng) == []


# the grid


def test_a_grid_has_every_model_by_every_protocol(ran):
    run, grid = ran
    trained = [(t.model, t.split.protocol, t.split.labels) for t in grid.trained]
    assert trained == [
        (model, name, labels)
        for name in ("published", "clean")
        for model, labels in (
            ("ChromoNet", "true"),
            ("traditional", "true"),
            ("ChromoNet", "random"),
        )
    ]
    made = {(p.model, p.protocol) for p in grid.predictions}
    assert made == {(m, name) for m in MODELS for name in protocol.SPLITS}
    keys = [
        (p.source, p.model, p.protocol, *p.conditions.values())
        for p in grid.predictions
    ]
    assert len(set(keys)) == len(keys), "no two predictions of one kind"
    assert (run.predictions, run.estimates) == (grid.predictions, grid.estimates)
    assert run.started_from == weights.NOWHERE.facts


def test_a_grid_gives_the_network_and_the_predictions_that_count(grid):
    assert grid.protocol == "clean"
    assert grid.chromonet() is grid.chromonet("clean") is grid.trained[3]
    assert grid.chromonet("published") is grid.trained[0]
    assert grid.unseen is grid.pick()
    assert grid.pick("published", tested="unseen").image.tolist() == (
        grid.unseen.image.tolist()
    )
    assert grid.pick(model="SVM").model == "SVM"


def test_an_external_source_is_predicted_under_its_own_name(grid):
    (external,) = (p for p in grid.predictions if p.source == "elsewhere")
    assert external.conditions["trained"] == "drawn"
    assert external.protocol == "clean"
    assert len(external) == len(grid.images.external)


def test_the_two_protocols_train_on_as_many_images(grid):
    counts = [t.split.counts["train"] for t in grid.trained]
    assert all(each == counts[0] for each in counts)


def test_the_network_that_counts_is_saved_with_its_facts(ran):
    run, grid = ran
    loaded, facts = store.load(run.folder / "chromosome.keras", study="chromonet")
    assert (facts["protocol"], facts["scale"], facts["n"]) == ("clean", 1.0, 19)
    assert {score["quantity"] for score in facts["scores"]} <= set(experiment.SCORES)
    x = grid.images.unseen.x[:4]
    np.testing.assert_allclose(
        loaded.predict(x, verbose=0),
        grid.chromonet().network.predict(x, verbose=0),
        atol=1e-5,
    )


def test_records_of_a_training_cannot_be_changed(grid):
    for one in (grid, grid.trained[0], grid.images, grid.trained[0].split):
        field = dataclasses.fields(one)[0].name
        with pytest.raises(dataclasses.FrozenInstanceError):
            setattr(one, field, None)
    assert isinstance(grid.chromonet().network, keras.Model)
    assert set(data.LABELS) == set(grid.pick().classes)
