"""Laws of first weights: what they are is known, and what is missing is said."""

import drawn
import keras
import numpy as np
import pytest

from chromolib import files
from chromolib.models import store, weights
from chromolib.studies.chromonet import network

FACTS = drawn.CARD | {"study": "pretraining", "classes": ("1", "2", "X")}


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
    file = root / "data" / "models" / f"{weights.TRUNK}{weights.SUFFIX}"
    return root, made, weights.save_trunk(made, file, FACTS)


def test_a_trunk_comes_back_in_half_precision_and_the_head_is_left_alone(place):
    root, made, _ = place
    other = model(seed=1, shape=(24, 24, 1))
    head = other.get_layer("head_dense").get_weights()
    origin = weights.resolve("domain", root)
    assert weights.load_trunk(other, origin) == 16  # 8 convolutions, 8 normalisations
    for name, value in trunk(other).items():
        np.testing.assert_array_equal(value, np.float32(np.float16(trunk(made)[name])))
    np.testing.assert_equal(other.get_layer("head_dense").get_weights(), head)


def test_an_origin_says_what_it_is(place):
    root, _, saved = place
    origin = weights.resolve("domain", root)
    assert origin.word == "domain"
    assert origin.sha256 == saved.sha256 == files.sha256(saved.file)
    assert origin.sentence == (
        "a trunk trained on 1,380 synthetic chromosomes of 30 groups to tell 3 classes"
    )
    assert str(root) not in str(origin.facts)
    card = saved.file.with_name("trunk-chromosome.md").read_text(encoding="utf-8")
    assert origin.sha256 in card
    assert "None were measured." in card


def test_the_same_weights_make_the_same_file(place, tmp_path):
    again = weights.save_trunk(place[1], tmp_path / f"t{weights.SUFFIX}", FACTS)
    assert again.sha256 == place[2].sha256


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
    for path in (file, saved.file):
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


def test_a_trunk_that_is_not_what_its_facts_say_is_refused(place, tmp_path):
    file = tmp_path / f"t{weights.SUFFIX}"
    weights.save_trunk(place[1], file, FACTS)
    file.write_bytes(file.read_bytes()[:-9])
    with pytest.raises(weights.WeightsError, match="another hash"):
        weights.resolve(str(file), tmp_path)
    with pytest.raises(weights.WeightsError, match="damaged or no trunk"):
        weights.load_trunk(model(), weights.Origin("t", file))
    file.with_name("t.json").write_text("{}")
    with pytest.raises(weights.WeightsError, match=r"t\.json beside it is missing"):
        weights.resolve(str(file), tmp_path)
    (tmp_path / "t.txt").write_text("")
    with pytest.raises(weights.WeightsError, match="neither a trunk"):
        weights.resolve(str(tmp_path / "t.txt"), tmp_path)


def test_weights_that_half_precision_cannot_hold_are_not_saved(tmp_path):
    made = model()
    variable = made.get_layer("trunk_norm1").moving_variance
    variable.assign(variable + 1e6)
    with pytest.raises(
        weights.WeightsError, match="trunk_norm1/moving_variance is not"
    ):
        weights.save_trunk(made, tmp_path / f"t{weights.SUFFIX}", FACTS)
    assert not list(tmp_path.iterdir())
