"""The three verbs of the study on drawn cells: folds, trainings, cells named whole."""

import dataclasses

import numpy as np
import pytest

from chromolib import records
from chromolib.models import inputs, predict, store
from chromolib.studies.shruti import data, experiment, network, protocol, shipping

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
    head = network.head(network.FEATURES, 119, seed=0)
    assert head.count_params() == 2_985_591  # of its printed summary


def test_every_way_to_look_counts_alike(chromosomes):
    split = next(protocol.folds(chromosomes, protocol="clean", seed=0))
    model = network.ours(split.train, steps=1, seed=0, upright=False)
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
    assert experiment.choose_penalty(said, split.validation) in experiment.PENALTIES
    sure = np.eye(24)[split.validation.y]
    middle = experiment.PENALTIES[len(experiment.PENALTIES) // 2]
    assert experiment.choose_penalty(sure, split.validation) == middle


def test_a_run_keeps_predictions_and_scores_of_both_protocols(run, chromosomes):
    found = experiment.run(run, chromosomes, sizes=SIZES)
    by_image, by_cell = run.predictions
    assert (by_image.protocol, by_cell.protocol) == ("published", "clean")
    assert by_image.assigned is None
    assert set(by_cell.assigned) <= set(records.CLASSES)
    kinds = {(e.quantity, e.protocol, e.conditions.get("named")) for e in run.estimates}
    assert ("whole-cell accuracy", "clean", "jointly") in kinds
    assert ("accuracy", "published", "one by one") in kinds
    assert set(found.penalty["clean"]) == {0, 1}


def test_a_stopped_run_goes_on_with_the_next_fold(run, chromosomes, monkeypatch):
    whole = experiment.run(run, chromosomes, sizes=SIZES)
    trained = []
    monkeypatch.setattr(experiment, "train", lambda *a, **k: trained.append(a))
    (run.folder / "folds" / "clean-1.npz").unlink()
    with pytest.raises(TypeError):  # that fold alone is trained again
        experiment.run(run, chromosomes, sizes=SIZES)
    assert len(trained) == 1
    assert trained[0][0].fold == 1
    monkeypatch.undo()
    again = experiment.run(run, chromosomes, sizes=SIZES)
    for one, other in zip(whole.predictions, again.predictions, strict=True):
        np.testing.assert_array_equal(one.probability, other.probability)


# the shipped model


def test_a_shipped_model_is_scored_on_cells_that_stayed_out(chromosomes, tmp_path):
    other = dataclasses.replace(
        chromosomes, images=dataclasses.replace(chromosomes.images, source="other")
    )
    file = shipping.ship(tmp_path / "shruti-small", [chromosomes, other], steps=2)
    model, facts = store.load(file, study="shruti", unit="chromosome")
    assert model.output_shape == (None, 24)
    assert facts["source"] == "synthetic and other"
    split = shipping.first(chromosomes, 0)
    assert facts["n"] == 2 * len(split.train)
    assert facts["penalty"] in experiment.PENALTIES
    scored = {(one["quantity"], one["n"]) for one in facts["scores"]}
    assert ("accuracy", len(split.test)) in scored
    assert file.stat().st_size < 3 << 20


def test_the_shipped_model_opens_and_says_what_it_is(root):
    file = root / "data" / "models" / "shruti-chromosome.keras"
    model, facts = store.load(file, study="shruti", unit="chromosome")
    assert file.stat().st_size < 3_000_000
    assert file.with_suffix(".LICENSE.txt").is_file()
    assert facts["classes"] == list(records.CLASSES)
    weights = [np.asarray(one) for one in model.get_weights()]
    assert all((one == one.astype(np.float16)).all() for one in weights), "rounded"
    scored = {(one["source"], one["quantity"]) for one in facts["scores"]}
    assert {("bioimlab", "accuracy"), ("pki3", "whole-cell accuracy")} <= scored
