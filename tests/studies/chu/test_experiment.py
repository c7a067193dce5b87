"""The grid: every row by both protocols, resumed, judged, and how far to trust it."""

import numpy as np
import pytest

from chromolib.evidence import claims
from chromolib.studies.chu import (
    active,
    experiment,
    network,
    questions,
    transfer,
    trust,
)
from tests.studies.chu.conftest import ROW, SIZES


def test_the_grid_holds_every_task_once(ran):
    run, grid = ran
    planned = experiment.tasks(run.protocols, SIZES, "none")
    assert [one.task for one in grid.answers] == planned
    assert len(set(planned)) == len(planned)
    assert {one.word for one in planned} == {"domain", "none"}


def test_an_answer_is_of_its_images_once_and_many_times(grid, karyograms):
    one = grid.pick(ROW, "clean", word="domain")
    assert (one.said["test"].image == karyograms.unseen.image).all()
    assert one.draws["test"].shape == (SIZES.times, len(karyograms.unseen))
    assert one.said["external"].source == "elsewhere"
    assert one.history["best"].sum() == 1
    assert experiment.MONITOR in one.history


def test_a_run_that_was_stopped_goes_on_with_the_next_row(ran, karyograms, monkeypatch):
    run, grid = ran
    lost = grid.pick(ROW, "clean", member=1)
    experiment.place(run, lost.task).unlink()
    trained, learn = [], experiment.training.train

    def counted(*args, **words):
        trained.append(words)
        return learn(*args, **words)

    monkeypatch.setattr(experiment.training, "train", counted)
    again = experiment.run(run, karyograms, sizes=SIZES)
    assert len(trained) == 1
    redone = again.pick(ROW, "clean", member=1)
    for part, said in redone.said.items():
        assert np.array_equal(said.probability, lost.said[part].probability)
        assert np.array_equal(redone.draws[part], lost.draws[part])


def test_estimates_say_row_weights_and_protocol(grid):
    areas = questions.bars(grid.estimates)
    found = {(one.model, one.weights, one.protocol) for one in areas}
    words, protocols = ("domain", "none"), ("published", "clean")
    assert found == {(ROW, word, name) for word in words for name in protocols}
    assert {one.source for one in grid.estimates} == {"drawn", "elsewhere"}


def test_random_labels_are_chance_on_unseen_groups(grid):
    areas = questions.of(grid.estimates, "AUROC of abnormal", labels="random")
    (clean,) = [one for one in areas if one.protocol == "clean"]
    assert clean.low <= 0.5 <= clean.high


def test_trust_compares_methods_marks_and_moves(ran):
    run, grid = ran
    found = trust.run(run, grid, row=ROW, protocol="clean", counts=(4, 8))
    methods = {method for method, _ in found.answers}
    assert methods == {
        "max-softmax",
        "temperature-scaled",
        "MC dropout, 4 draws",
        "MC dropout, 8 draws",
        "ensemble of 2",
        "ensembled MC dropout",
    }
    table = questions.ruled(found.estimates)
    assert len(table) == len(set(table["rule"])) == 2
    wanted = ["referred", "normals cleared", "abnormals missed"]
    assert (table[wanted] != "").all(axis=None)
    for key in ("shift", "other", "limits", "on the maps"):
        assert any(key in one.conditions for one in found.estimates), key
    assert found.estimates[-1] in run.recorded


def test_published_validation_shares_groups_and_calibrates_no_sets(ran):
    run, grid = ran
    found = trust.run(run, grid, row=ROW, protocol="published", counts=(4, 8))
    assert not [one for one in found.estimates if "limits" in one.conditions]


def test_the_table_has_four_columns_where_there_is_something(root, grid):
    audits = claims.audit(claims.load(root / "data" / "claims", "chu"))
    table = questions.table(audits, grid.estimates)
    assert list(table) == ["network", "score", "paper", "recomputed"]
    assert len(table) == len(network.ROWS) * len(questions.SCORES)


def test_what_a_training_cost_is_told_for_each_row(grid):
    costs = questions.costs(grid.answers)
    assert len(costs) == 4, "two first weights, two protocols"
    assert (costs["that learn"] < costs["parameters"]).all()
    assert (costs["epochs"] == SIZES.epochs).all()


def test_the_least_certain_image_is_the_one_with_divided_votes():
    draws = np.array([[0.9, 0.6, 0.1], [0.8, 0.4, 0.2], [0.9, 0.6, 0.1], [0.9, 0.4, 0]])
    chosen = questions.least_sure(draws)
    assert chosen["least certain"] == 1
    assert chosen["most certain"] in (0, 2)


def test_errors_are_listed_by_votes(grid):
    answer = grid.pick(ROW, "clean")
    wrong = questions.errors(answer)
    votes = (answer.draws["test"] > 0.5).mean(0) > 0.5
    truth = answer.said["test"].truth == "abnormal"
    assert len(wrong) == (votes != truth).sum()
    assert (wrong["votes"] >= 0.5).all()


def test_a_probe_learns_what_its_maps_show(ran, karyograms):
    run, _ = ran
    sizes = transfer.Sizes(trunks=(network.SMALL,), images=(10, 40))
    found = transfer.run(run, karyograms, sizes=sizes)
    best = questions.of(found, transfer.SCORE, images=40)
    assert max(one.value for one in best) > 0.8, "a block more is easily seen"
    gains = [one for one in found if one.conditions.get("gain of") == "weights"]
    assert len(gains) == 2


def test_more_labels_are_asked_for_in_both_ways(ran, karyograms):
    sizes = active.Sizes(trunk=network.SMALL, first=10, step=10, rounds=3)
    found = active.run(ran[0], karyograms, sizes=sizes)
    asked = [(one.conditions["asked"], one.conditions["labelled"]) for one in found]
    assert asked == [(way, str(n)) for way in active.WAYS for n in (10, 20, 30)]
    first = questions.of(found, transfer.SCORE, labelled=10)
    assert first[0].value == first[1].value, "both begin with the same images"


def test_what_draws_cost_is_told_in_passes(trunk, monkeypatch):
    monkeypatch.setattr(trust, "ROUNDS", 2)
    model = trunk.rest("", seed=0)
    images = np.random.default_rng(0).random((4, 96, 96, 1), np.float32)
    words = {"source": "drawn", "study": "chu", "protocol": "clean"}
    price = trust.cost(model, images, words=words)
    assert price.quantity == trust.COST
    assert 0 < price.low <= price.value <= price.high


def test_a_row_that_nobody_trained_is_not_found(grid):
    with pytest.raises(LookupError, match="no answer of"):
        grid.pick("VGG16, processed", "clean")
