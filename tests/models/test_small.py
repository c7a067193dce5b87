"""Laws of the small networks and of what they learn with."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from chromolib.models import inputs, small

HERE = pathlib.Path(__file__).resolve().parent
SHAPES = {"cnn": (*inputs.STRAIGHT, 1), "resnet": (*inputs.ASIS, 1)}
SHAPES |= {"bands": (*inputs.FINE, 1)}
NETS = {"cnn": small.cnn, "resnet": small.resnet, "bands": small.bands}
MOST = {"cnn": 120_000, "resnet": 200_000, "bands": 800_000}  # parameters


@pytest.fixture(params=sorted(NETS))
def name(request):
    return request.param


def bars(count=4):
    """A bar with two bands in the middle of a canvas."""
    images = np.zeros((count, 40, 12, 1), np.float32)
    images[:, 8:32, 3:9] = 0.3
    images[:, 12:16, 3:9] = images[:, 22:26, 3:9] = 0.8
    return images


def changed():
    """What both layers make of a bar: what the backends are compared on."""
    made = {}
    for layer in (
        small.Gamma(factor=0.5, seed=3),
        small.Stretch(zoom=0.1, shift=0.05, warp=0.05, seed=3),
    ):
        kind = type(layer).__name__
        made |= {
            f"{kind}-{i}": np.asarray(layer(bars(), training=True)) for i in (0, 1)
        }
    return made


def test_the_networks_are_small(name):
    assert NETS[name](SHAPES[name], 24, seed=0).count_params() < MOST[name]


def test_the_seed_decides_the_first_weights(name):
    one, same, other = (NETS[name]((40, 12, 1), 3, seed=s) for s in (1, 1, 2))
    for a, b in zip(one.get_weights(), same.get_weights(), strict=True):
        np.testing.assert_array_equal(a, b)
    images = bars()
    assert np.abs(np.asarray(one(images)) - np.asarray(other(images))).max() > 1e-3


def test_asked_twice_a_network_says_the_same(name):
    model = NETS[name]((40, 12, 1), 3, seed=0)
    np.testing.assert_array_equal(model(bars()), model(bars()))


# Keras hands TensorFlow's variables to NumPy 2 in a way that warns
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_a_network_is_saved_and_loaded_in_safe_mode(name, tmp_path):
    model = NETS[name]((40, 12, 1), 3, seed=0)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(loaded(bars()), model(bars()), atol=1e-6)


def test_gamma_leaves_background_and_full_stain():
    images = bars()
    images[:, 20, 5] = 1
    made = np.asarray(small.Gamma(factor=0.5, seed=1)(images, training=True))
    np.testing.assert_allclose(made[images == 0], 0, atol=1e-6)
    np.testing.assert_allclose(made[images == 1], 1, atol=0.02)
    assert np.abs(made - images).max() > 0.02


def test_a_stretch_of_nothing_is_nothing():
    still = small.Stretch(zoom=0, shift=0, warp=0, seed=1)
    np.testing.assert_allclose(still(bars(), training=True), bars(), atol=1e-6)


def test_a_zoom_makes_more_or_less_of_a_chromosome():
    images = bars(64)
    made = np.asarray(
        small.Stretch(zoom=0.1, shift=0, warp=0, seed=1)(images, training=True)
    )
    share = made.sum((1, 2, 3)) / images.sum((1, 2, 3))
    assert share.min() < 0.85
    assert share.max() > 1.2
    assert 0.6 < share.min() < share.max() < 1.6


def test_a_shift_keeps_all_ink():
    images = bars(16)
    made = np.asarray(
        small.Stretch(zoom=0, shift=0.05, warp=0, seed=1)(images, training=True)
    )
    np.testing.assert_allclose(made.sum((1, 2, 3)), images.sum((1, 2, 3)), rtol=1e-4)
    rows = (made.sum((2, 3)) * np.arange(40)).sum(1) / made.sum((1, 2, 3))
    assert 0.3 < rows.std() < 2


def test_backends_agree(tmp_path):
    out = tmp_path / "jax.npz"
    code = (
        "import sys, numpy, test_small; assert test_small.keras.config.backend() "
        "== 'jax'; numpy.savez(sys.argv[1], **test_small.changed()); "
        "images = test_small.bars(8); wanted = numpy.eye(2, dtype='f')[[0, 1] * 4]; "
        "model = test_small.small.cnn(images.shape[1:], 2, seed=0); "
        "test_small.small.ready(model, steps=2); from chromolib.models import train; "
        "train.train(model, images, wanted, epochs=1, seed=0, batch=4)"
    )
    paths = [HERE, HERE.parent, HERE.parent.parent]
    told = {"KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(map(str, paths))}
    subprocess.run([sys.executable, "-c", code, out], check=True, env=os.environ | told)
    there = np.load(out)
    for key, value in changed().items():
        np.testing.assert_allclose(value, there[key], atol=1e-4, err_msg=key)
