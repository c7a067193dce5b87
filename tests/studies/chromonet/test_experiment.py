"""The two protocols: who learns from what, and who judges."""

import dataclasses

import keras
import numpy as np
import pytest

from chromolib import records
from chromolib.models import train
from chromolib.studies.chromonet import experiment, network, protocol


def made(count, *, name, shape=(24, 16)):
    """Pictures of one bar each, thick when abnormal: a mirror changes nothing."""
    rng = np.random.default_rng(len(name))
    label = np.resize(np.array(["normal", "abnormal"]), count)
    shown = 0.05 * rng.random((count, *shape, 1), np.float32)
    for i, word in enumerate(label):
        row = rng.integers(4, 10)
        shown[i, row : row + (3 if word == "normal" else 9), 4:12] = 1
    image = np.array([f"{name}{i}" for i in range(count)])
    return protocol.Part(shown, label, image, image)


@pytest.fixture(scope="module")
def sources():
    return made(40, name="s")


@pytest.fixture(scope="module")
def unseen():
    return made(60, name="unseen")


def test_the_paper_trains_on_copies_of_what_it_tests(sources):
    division = protocol.published(sources, share=0.2, seed=0)
    assert len(division.train) == 252
    assert len(division.test) == 107
    assert set(division.test.group) <= set(division.train.group) | set(sources.group)
    shared = set(division.test.group) & set(division.train.group)
    assert len(shared) > 35
    assert division.valid is division.test


def test_the_paper_s_counts_are_met_exactly(sources):
    division = protocol.published(sources, share=1.0, seed=0)
    for part, counts in (("train", division.train), ("test", division.test)):
        for word, count in protocol.PAPER[part].items():
            assert (counts.label == word).sum() == count


def test_a_clean_division_shares_no_group(sources, unseen):
    division = protocol.clean(sources, unseen, share=0.2, seed=0)
    sides = [set(p.group) for p in (division.train, division.valid, division.test)]
    assert not sides[0] & sides[1]
    assert not (sides[0] | sides[1]) & sides[2]
    assert set(division.plain.image) <= set(sources.image)
    assert division.test is unseen


def test_a_clean_division_refuses_unseen_images_that_were_seen(sources):
    with pytest.raises(protocol.PartError, match="among sources and unseen"):
        protocol.clean(sources, sources.take([0, 1]), share=0.2, seed=0)


def test_too_few_groups_are_refused_in_words(unseen):
    few = made(4, name="f")
    few = dataclasses.replace(few, group=np.array(["a", "b", "a", "b"]))
    with pytest.raises(protocol.PartError, match="too few to divide"):
        protocol.clean(few, unseen, share=0.1, seed=0)


@pytest.mark.parametrize("patients", [4, 6, 10])
@pytest.mark.parametrize("seed", range(5))
def test_patients_of_one_label_each_are_divided_whatever_the_seed(
    unseen, patients, seed
):
    lab = made(5 * patients, name="lab")
    group = np.array([f"p{i % patients}" for i in range(len(lab))])
    division = protocol.clean(
        dataclasses.replace(lab, group=group), unseen, share=0.1, seed=seed
    )
    assert (
        set(division.valid.label) == set(division.plain.label) == set(experiment.LABELS)
    )
    assert not set(division.valid.group) & set(division.train.group)


def test_random_labels_keep_their_numbers_and_forget_their_pictures(sources):
    mixed = protocol.shuffled(sources, seed=1)
    assert sorted(mixed.label) == sorted(sources.label)
    assert 0.2 < (mixed.label == sources.label).mean() < 0.8
    assert (mixed.image == sources.image).all()


def test_sources_are_drawn_as_the_paper_has_them():
    drawn = protocol.drawn(made(800, name="w"), protocol.SOURCES, seed=0)
    assert len(drawn) == protocol.SOURCES
    assert (drawn.label == "abnormal").sum() == 92


def test_a_network_learns_what_is_there_and_says_so(sources, unseen):
    division = protocol.clean(sources, unseen, share=0.2, seed=0)
    model, told = experiment.learn(division, sizes=experiment.Sizes(epochs=6), seed=0)
    said = experiment.ask(
        model, unseen, {"source": "drawn"}, "chromosome", "labels=true"
    )
    assert (said.label == said.truth).mean() > 0.8
    assert records.write_conditions(said.conditions) == "unit=chromosome;labels=true"
    assert told["best"].sum() == 1


@pytest.mark.parametrize("name", network.READINGS)
def test_every_reading_is_a_network_that_the_seed_decides(name):
    words = network.READINGS[name]
    one, two, other = (
        network.network((96, 32, 1), seed=seed, **words) for seed in (3, 3, 4)
    )
    pairs = list(zip(one.get_weights(), two.get_weights(), strict=True))
    assert all((a == b).all() for a, b in pairs)
    assert any(
        (a != b).any()
        for a, b in zip(one.get_weights(), other.get_weights(), strict=True)
    )
    convolutions = [layer for layer in one.layers if "trunk_conv" in layer.name]
    expected = {"four convolutions": 4, "six convolutions": 6}
    assert len(convolutions) == expected.get(name, 8)


def test_a_network_learns_in_half_precision_and_answers_in_single(sources):
    kept = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = network.network((24, 16, 1), seed=0, widths=(8, 8))
        told = train.fit(
            model, sources.pictures, sources.target, epochs=12, seed=0, batch=8
        )
    finally:
        keras.config.set_dtype_policy(kept)
    assert model.get_layer("trunk_conv2").compute_dtype == "float16"
    assert all(weight.dtype == "float32" for weight in model.trainable_weights)
    assert model.predict(sources.pictures, verbose=0).dtype == np.float32
    assert told["loss"].iloc[-1] < told["loss"].iloc[0]
    assert told["accuracy"].iloc[-1] > 0.8
