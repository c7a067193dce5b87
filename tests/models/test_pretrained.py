"""Trunks that the papers name: their sizes, their weights, and what is refused."""

import io
import os
import pathlib
import zipfile

import keras
import numpy as np
import pytest

from chromolib.data import store
from chromolib.models import pretrained, weights

SIDE = {"vgg16": 32, "vgg19": 32, "inceptionv3": 75, "mobilenet": 32}
PARAMETERS = {"vgg16": 14_714_688, "vgg19": 20_024_384, "inceptionv3": 21_802_784}
PARAMETERS |= {"mobilenet": 218_544}


def archived(name):
    """The data root with a trunk's archive, or a skip that says why."""
    root, archive = os.environ.get("CHROMOLIB_DATA", ""), pretrained.KINDS[name].archive
    if not root or store.find(pathlib.Path(root), archive) is None:
        pytest.skip(f"no {archive} under CHROMOLIB_DATA")
    return root


@pytest.mark.parametrize("name", SIDE)
def test_a_trunk_is_the_architecture_that_was_printed(name):
    model, origin = pretrained.trunk(name, (SIDE[name], SIDE[name], 1))
    assert model.count_params() == PARAMETERS[name]
    assert not model.trainable_weights
    assert origin == weights.NOWHERE


def test_the_report_has_so_many_features_an_image():
    model, _ = pretrained.trunk("vgg19", (224, 224, 1))
    assert np.prod(model.output_shape[1:]) == 25_088


def test_the_same_seed_gives_the_same_features_of_every_image():
    images = np.random.default_rng(0).random((3, 32, 32, 1), np.float32)
    one, two, other = (
        pretrained.trunk("vgg16", (32, 32, 1), end="block2_pool", seed=s)[0].predict(
            images, verbose=0
        )
        for s in (0, 0, 1)
    )
    np.testing.assert_array_equal(one, two)
    assert one.shape == (3, 8, 8, 128)
    assert not np.allclose(one, other)


def test_grey_ink_becomes_what_the_weights_expect():
    model, _ = pretrained.trunk("vgg16", (32, 32, 1), end="block1_conv1")
    before = keras.Model(model.input, model.get_layer("block1_conv1").input)
    images = np.ones((1, 32, 32, 1), np.float32)
    levels = before.predict(images, verbose=0)[0, 0, 0]
    np.testing.assert_allclose(levels, [151.061, 138.221, 131.32], atol=1e-3)


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("name", "word", "sentence"),
    [
        ("vgg16", "hed", "began on ImageNet and were tuned for edges"),
        ("inceptionv3", "moderation", "began on ImageNet and were tuned for the mod"),
        ("mobilenet", "plain", "weights of ImageNet (mobilenet_2_5"),
    ],
)
def test_every_layer_takes_its_archived_weights(name, word, sentence):
    root, shape = archived(name), (SIDE[name], SIDE[name], 1)
    plain = pretrained.trunk(name, shape)[0]
    model, origin = pretrained.trunk(name, shape, weights=word, root=root)
    assert origin.word == word
    assert sentence in origin.sentence
    pairs = zip(plain.weights, model.weights, strict=True)
    assert not any(np.array_equal(a.numpy(), b.numpy()) for a, b in pairs)
    images = np.random.default_rng(0).random((2, *shape), np.float32)
    found = model.predict(images, verbose=0)
    assert np.isfinite(found).all()
    assert found.std() > 0


def test_archived_weights_are_found_by_name_in_folder_or_zip(tmp_path):
    model, _ = pretrained.trunk("vgg16", (32, 32, 1))
    held, rng = io.BytesIO(), np.random.default_rng(0)
    arrays = {}
    for layer in model.layers:
        for one in layer.weights:
            values = rng.normal(size=one.shape).astype(np.float16)
            arrays[f"{layer.name}/{one.name}"] = values
    np.savez(held, **arrays)
    with zipfile.ZipFile(tmp_path / "weights-trunks.zip", "w") as archive:
        archive.writestr("weights/vgg16-hed.npz", held.getvalue())
        archive.writestr("weights/LICENSE.txt", "free")
    filled, _ = pretrained.trunk(
        "vgg16", (32, 32, 1), weights="hed", root=str(tmp_path)
    )
    for layer in filled.layers:
        for one in layer.weights:
            wanted = arrays[f"{layer.name}/{one.name}"].astype(np.float32)
            np.testing.assert_array_equal(one.numpy(), wanted)


@pytest.mark.parametrize(
    ("name", "word", "why"),
    [
        ("vgg19", "hed", "vgg19 has only: none, imagenet"),
        ("vgg16", "moderation", "vgg16 has only: none, imagenet, hed"),
        ("vgg16", "hed", "no folder or zip 'weights-trunks' under the data root; put"),
        ("vgg16", "imagenet", "not in Keras' cache, and nothing is downloaded"),
    ],
)
def test_weights_that_are_not_there_are_refused(name, word, why, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    with pytest.raises(weights.WeightsError, match=why):
        pretrained.trunk(name, (32, 32, 1), weights=word, root=str(tmp_path))


@pytest.mark.parametrize("name", ["vgg16", "mobilenet"])
@pytest.mark.parametrize("held", [b"no archive", b""])
def test_an_archive_that_does_not_fit_is_refused_by_name(name, held, tmp_path):
    kind = pretrained.KINDS[name]
    with zipfile.ZipFile(tmp_path / f"{kind.archive}.zip", "w") as archive:
        archive.writestr(kind.file if held else "other.npz", held)
    with pytest.raises(weights.WeightsError, match=rf"{kind.file}.*; get it again"):
        pretrained.trunk(name, (32, 32, 1), weights=kind.word, root=str(tmp_path))


# Keras asks NumPy for copies as NumPy 1 allowed.
SAVING = pytest.mark.filterwarnings(
    "ignore:__array__ implementation:DeprecationWarning"
)


@SAVING
@pytest.mark.parametrize("name", ["vgg16.weights.h5", "VGG_16.keras", "vgg16-mine.npz"])
def test_weights_of_one_s_own_are_read_in_either_format(name, tmp_path):
    model = keras.applications.VGG16(
        include_top=False, weights=None, input_shape=(32, 32, 3)
    )
    if name.endswith("npz"):
        pairs = [(layer, one) for layer in model.layers for one in layer.weights]
        arrays = {f"{layer.name}/{one.name}": one.numpy() for layer, one in pairs}
        np.savez(tmp_path / name, **arrays)
    elif name.endswith("h5"):
        model.save_weights(tmp_path / name)
    else:
        model.save(tmp_path / name)
    made, origin = pretrained.trunk("vgg16", (32, 32, 1), weights=str(tmp_path))
    got, wanted = (
        one.get_layer("block3_conv2").get_weights()[0] for one in (made, model)
    )
    np.testing.assert_array_equal(got, wanted)
    assert origin.word == name
    assert origin.sha256


@SAVING
def test_weights_of_another_network_or_damaged_are_refused_by_name(tmp_path):
    def refused(why):
        with pytest.raises(weights.WeightsError, match=why):
            pretrained.trunk("vgg16", (32, 32, 1), weights=str(tmp_path))

    refused("0 files in .* begin with 'vgg16'")
    (tmp_path / "vgg16.h5").write_bytes(b"no weights")
    refused(r"vgg16\.h5 does not fit vgg16 .*: it is damaged or of another")
    (tmp_path / "vgg16.h5").unlink()
    other = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    other.save(tmp_path / "vgg16.keras")
    refused(r"vgg16\.keras does not fit")
    (tmp_path / "vgg16.keras").unlink()
    np.savez(tmp_path / "vgg16.npz", **{"dense/kernel": np.zeros((4, 2))})
    refused(r"vgg16\.npz does not fit")
    np.savez(tmp_path / "vgg16-2.npz", **{"dense/kernel": np.zeros((4, 2))})
    refused("2 files in .*; keep one")
