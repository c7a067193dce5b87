"""Laws of first weights: what they are is known, and what is missing is said."""

import drawn
import keras
import numpy as np
import pytest

from chromolib import files
from chromolib.models import store, weights
from chromolib.studies.chromonet import network

FACTS = drawn.CARD | {"study": "pretraining", "classes": ("1", "2")}


def model(seed=0, shape=(16, 8, 1), **reading):
    return network.chromonet(shape, seed=seed, **reading)


def trunk(made):
    return {
        f"{layer.name}/{one.name}": one.numpy()
        for layer in made.layers
        if layer.name.startswith("trunk_")
        for one in layer.weights
    }


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A repository with a trunk of its own, and the network it came from."""
    root = tmp_path_factory.mktemp("root")
    made = model(seed=7)
    file = root / "data" / "models" / f"{weights.TRUNK}{store.SUFFIX}"
    return root, made, store.save(made, file, FACTS)


def test_a_trunk_comes_back_and_the_head_is_left_alone(place):
    root, made, _ = place
    other = model(seed=1, shape=(24, 24, 1))
    head = other.get_layer("head_dense").get_weights()
    origin = weights.resolve("domain", root)
    assert weights.load_trunk(other, origin) == 16  # 8 convolutions, 8 normalisations
    for name, value in trunk(other).items():
        np.testing.assert_array_equal(value, trunk(made)[name])
    np.testing.assert_equal(other.get_layer("head_dense").get_weights(), head)


def test_an_origin_says_what_it_is(place):
    root, _, saved = place
    origin = weights.resolve("domain", root)
    assert origin.word == "domain"
    assert origin.sha256 == files.sha256(saved)
    assert origin.sentence == (
        "a trunk trained on 1,380 synthetic chromosomes of 30 groups to tell 2 classes"
    )
    assert str(root) not in str(origin.facts)
    card = saved.with_name("trunk-chromosome.md").read_text(encoding="utf-8")
    assert origin.sha256 in card
    assert "None were measured." in card


def test_nothing_is_loaded_from_nothing(tmp_path):
    made = model()
    before = trunk(made)
    origin = weights.resolve("none", tmp_path)
    assert (origin.word, origin.file) == ("none", None)
    assert weights.load_trunk(made, origin) == 0
    np.testing.assert_equal(trunk(made), before)


def test_only_layers_of_the_same_shape_are_loaded(place):
    root, _, _ = place
    origin = weights.resolve("domain", root)
    single = model(pair=1)
    assert weights.load_trunk(single, origin) == 2  # the first pair only
    halved = model(widths=(5, 7))
    with pytest.raises(weights.WeightsError, match="no layer of chromonet fits"):
        weights.load_trunk(halved, origin)
    stranger = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    with pytest.raises(weights.WeightsError, match="fits by name and shape"):
        weights.load_trunk(stranger, origin)


def test_a_model_that_was_saved_is_an_origin_too(place, tmp_path):
    _, made, saved = place
    file = store.save(made, tmp_path / "own", FACTS)
    for path in (file, saved):
        origin = weights.resolve(str(path), tmp_path)
        assert origin.word == path.name
        assert origin.sha256 == files.sha256(path)
        assert weights.load_trunk(model(), origin) == 16


def test_what_is_not_there_is_said_with_what_to_do(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    for given, words, reason in (
        ("domain", {}, "`chromolib pretrain` makes one"),
        ("imagenet", {}, "take 'none', 'domain' or a file"),
        ("imagenet", {"imagenet": "net.h5"}, "net.h5 is not in Keras' cache"),
        ("others", {}, "known: none, domain, imagenet, or a path"),
    ):
        with pytest.raises(weights.WeightsError, match=reason):
            weights.resolve(given, tmp_path, **words)
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "net.h5").write_bytes(b"weights")
    origin = weights.resolve("imagenet", tmp_path, imagenet="net.h5")
    assert "ImageNet" in origin.sentence
    assert origin.sha256 == files.sha256(tmp_path / "models" / "net.h5")


def test_a_file_that_is_no_sound_model_is_refused(place, tmp_path):
    file = tmp_path / f"t{store.SUFFIX}"
    file.write_bytes(place[2].read_bytes()[:-9])
    with pytest.raises(store.ModelError, match="damaged or no Keras model"):
        weights.resolve(str(file), tmp_path)
    (tmp_path / "t.txt").write_text("")
    with pytest.raises(weights.WeightsError, match=r"t\.txt is no model"):
        weights.resolve(str(tmp_path / "t.txt"), tmp_path)
