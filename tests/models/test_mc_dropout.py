"""Draws with dropout on: the same chances as a loop of passes, at another price."""

import gc
import os
import pathlib
import subprocess
import sys
import weakref

import keras
import numpy as np
import pytest
from scipy import stats

from chromolib.models import counter_rng, mc_dropout

HERE = pathlib.Path(__file__).resolve().parent
LAYERS = keras.layers
TIMES = 1000
ALPHA = 1e-4  # of each image; the seeds are fixed


def network(*, rates=(0.3, 0.5), kind=LAYERS.Dropout, outputs=1):
    """Dropout on maps and behind a batch normalisation that has seen something."""
    entry = keras.Input((6, 6, 1))
    x = LAYERS.Conv2D(4, 3, activation="relu")(entry)
    x = LAYERS.GlobalAveragePooling2D()(kind(rates[0])(x))
    x = LAYERS.BatchNormalization()(LAYERS.Dense(8, activation="relu")(x))
    x = LAYERS.Dense(outputs, activation="sigmoid")(kind(rates[1])(x))
    return seeded(keras.Model(entry, x))


def seeded(model):
    """The model with weights that are equal on every backend."""
    rng = np.random.default_rng(5)
    for variable in model.weights:
        value = rng.uniform(-1, 1, variable.shape)
        positive = variable.name in ("gamma", "moving_variance")
        variable.assign(abs(value) + 0.1 if positive else value)
    return model


def pictures(count=5):
    return np.random.default_rng(3).random((count, 6, 6, 1), np.float32)


class MCDropout(LAYERS.Dropout):
    """Dropout that stays on at prediction time, and nothing else does."""

    def call(self, inputs, training=None):
        return super().call(inputs, training=True)


def loop(model, images, times):
    """The naive twin: pass after pass of a model whose dropout is always on."""
    return np.stack([model.predict_on_batch(images)[:, 0] for _ in range(times)])


def loop_of(rates, *, seed=1):
    keras.utils.set_random_seed(seed)
    model = network(rates=rates, kind=MCDropout)
    return loop(model, pictures(), TIMES)


def differ(ours, theirs):
    """Whether each image's draws are of two distributions, by Kolmogorov-Smirnov."""
    return stats.ks_2samp(ours, theirs, axis=0).pvalue < ALPHA


@pytest.fixture(scope="module")
def model():
    return network()


@pytest.mark.parametrize("kind", [LAYERS.Dropout, MCDropout])
def test_draws_are_distributed_as_those_of_a_loop_of_passes(kind):
    ours = mc_dropout.draws(network(kind=kind), pictures(), times=TIMES, seed=0)
    theirs = loop_of((0.3, 0.5))
    assert ours.shape == theirs.shape == (TIMES, 5)
    error = np.sqrt((ours.var(0) + theirs.var(0)) / TIMES)
    assert (abs(ours.mean(0) - theirs.mean(0)) < 4 * error).all()
    np.testing.assert_allclose(ours.var(0), theirs.var(0), rtol=0.2)
    assert not differ(ours, theirs).any()


@pytest.mark.parametrize(
    ("rates", "others"), [((0.3, 0), (0.6, 0)), ((0, 0.5), (0, 0.25))]
)
def test_each_layer_drops_by_its_own_rate(rates, others):
    ours = mc_dropout.draws(network(rates=rates), pictures(), times=TIMES, seed=0)
    assert not differ(ours, loop_of(rates)).any()
    assert differ(ours, loop_of(others)).all()


def test_draws_of_equal_images_and_of_one_image_are_independent(model):
    same = np.repeat(pictures(1), 6, axis=0)
    ours = mc_dropout.draws(model, same, times=TIMES, seed=0)
    between = np.corrcoef(ours.T)[np.triu_indices(6, 1)]
    within = [np.corrcoef(one[1:], one[:-1])[0, 1] for one in ours.T]
    assert abs(np.r_[between, within]).max() < 4 / np.sqrt(TIMES)


def test_without_a_rate_all_draws_are_the_prediction_in_the_order_of_the_images(
    monkeypatch,
):
    monkeypatch.setattr(mc_dropout, "ROWS", 9)  # 3 images at a time, of 8
    monkeypatch.setattr(mc_dropout, "BATCH", 5)
    still, images = network(rates=(0, 0)), pictures(8)
    ours = mc_dropout.draws(still, images, times=3, seed=0)
    plain = still.predict(images, verbose=0)[:, 0]
    assert ours.shape == (3, 8)
    assert np.ptp(plain) > 1e-3
    np.testing.assert_allclose(ours, np.tile(plain, (3, 1)), atol=1e-5)


def test_a_rate_of_one_leaves_nothing():
    entry = keras.Input((3,))
    model = keras.Model(entry, LAYERS.Dropout(1.0)(entry))
    assert not mc_dropout.draws(model, np.ones((2, 3)), times=4, seed=0).any()


def test_a_seed_gives_the_same_draws_and_another_seed_others(model):
    first, again, other = (
        mc_dropout.draws(model, pictures(), times=7, seed=seed) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).all()


def test_draws_of_an_image_do_not_depend_on_how_many_come_with_it(model, monkeypatch):
    alone = mc_dropout.draws(model, pictures()[:2], times=7, seed=0)
    monkeypatch.setattr(mc_dropout, "ROWS", 21)
    among = mc_dropout.draws(model, pictures(), times=7, seed=0)
    np.testing.assert_allclose(among[:, :2], alone, atol=1e-6)


def test_nothing_in_the_model_changes(model):
    before = [one.numpy() for one in model.variables]  # random states too
    mc_dropout.draws(model, pictures(), times=5, seed=0)
    for was, variable in zip(before, model.variables, strict=True):
        np.testing.assert_array_equal(variable.numpy(), was)


def test_draws_follow_weights_and_rates_that_change():
    model, images = network(), pictures()
    mc_dropout.draws(model, images, times=3, seed=0)
    model.set_weights([0.9 * weight for weight in model.get_weights()])
    for layer in model.layers:
        if isinstance(layer, LAYERS.Dropout):
            layer.rate = 0
    ours = mc_dropout.draws(model, images, times=3, seed=0)
    plain = model.predict_on_batch(images)[:, 0]
    np.testing.assert_allclose(ours, np.tile(plain, (3, 1)), atol=1e-5)


def test_both_parts_in_turn_are_the_network(model):
    trunk, head = mc_dropout.split(model)
    kept = trunk.predict_on_batch(pictures())
    assert kept.shape == (5, 4, 4, 4)
    whole, plain = head.predict_on_batch(kept), model.predict_on_batch(pictures())
    np.testing.assert_allclose(whole, plain, atol=1e-6)


def test_several_outputs_are_the_last_axis():
    several = mc_dropout.draws(network(outputs=3), pictures(), times=7, seed=0)
    assert several.shape == (7, 5, 3)


def nested():
    """A network in a network, as transfer learning makes them, in another."""
    head = keras.Sequential([LAYERS.Dropout(0.5), LAYERS.Dense(1)])
    inner = [keras.Input((6,)), LAYERS.Dense(4, activation="relu"), head]
    return keras.Sequential(
        [keras.Input((3,)), LAYERS.Dense(6), keras.Sequential(inner)]
    )


def branched():
    """Dropout in one of two ways from a layer of 6 units on."""
    entry = keras.Input((3,))
    x = LAYERS.Dense(6)(LAYERS.Dense(5)(entry))
    aside = LAYERS.Dropout(0.5)(LAYERS.Dense(6, activation="relu")(x))
    return keras.Model(entry, LAYERS.Dense(1)(aside + x))


def nested_branch():
    """The same, with the way of the dropout a network of its own."""
    entry = keras.Input((3,))
    x = LAYERS.Dense(6)(entry)
    way = [keras.Input((6,)), LAYERS.Dense(6), LAYERS.Dropout(0.5), LAYERS.Dense(6)]
    return keras.Model(entry, LAYERS.Dense(1)(x + keras.Sequential(way)(x)))


@pytest.mark.parametrize(
    ("make", "width"), [(nested, 4), (branched, 6), (nested_branch, 6)]
)
def test_what_comes_before_the_first_dropout_is_found(make, width):
    model = seeded(make())
    images = np.random.default_rng(0).random((4, 3), np.float32)
    assert mc_dropout.split(model)[0].output.shape == (None, width)
    ours = mc_dropout.draws(model, images, times=TIMES, seed=0)
    error = ours.std(0) / np.sqrt(TIMES)
    assert (error > 0).all()
    plain = model.predict_on_batch(images)[:, 0]  # the mean, where all is linear
    assert (abs(ours.mean(0) - plain) < 4 * error).all()


def test_a_layer_that_is_used_twice_draws_twice():
    entry, drop = keras.Input((50,)), LAYERS.Dropout(0.5)
    model = keras.Model(entry, drop(entry) - drop(entry))
    difference = mc_dropout.draws(model, np.ones((1, 50)), times=200, seed=0)
    assert np.mean(difference == 0) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    "layer",
    [
        LAYERS.SpatialDropout2D(0.25),
        LAYERS.Dropout(0.25, noise_shape=(None, 1, 1, None)),
    ],
)
def test_what_is_dropped_together_stays_together(layer):
    entry = keras.Input((4, 4, 3))
    model = keras.Model(entry, layer(entry))
    ours = mc_dropout.draws(model, np.ones((2, 4, 4, 3)), times=1000, seed=0)
    assert ours.shape == (1000, 2, 4, 4, 3)
    assert not np.ptp(ours, axis=(2, 3)).any()
    np.testing.assert_allclose(np.unique(ours), [0, 4 / 3], atol=1e-6)
    assert np.mean(ours == 0) == pytest.approx(0.25, abs=0.03)


def test_what_cannot_be_drawn_is_refused(model):
    class Own(keras.Model):
        pass

    entry = keras.Input((6, 6, 1))
    plain = keras.Model(entry, LAYERS.Flatten()(entry))
    two = keras.Model(model.input, [model.output, model.output * 2])
    for wrong, told in (
        (plain, "no dropout"),
        (Own(), "Input"),
        (two, "2 outputs"),
    ):
        with pytest.raises(ValueError, match=told):
            mc_dropout.draws(wrong, pictures(), seed=0)
    left, right = keras.Input((3,)), keras.Input((3,))
    beside = keras.Model([left, right], LAYERS.Dropout(0.5)(left) + right)
    with pytest.raises(ValueError, match="single input"):
        mc_dropout.split(beside)


def test_a_model_that_is_gone_leaves_nothing():
    model = network()
    mc_dropout.draws(model, pictures(), times=2, seed=0)
    seen = weakref.ref(model)
    del model
    gc.collect()
    assert seen() is None


def test_words_of_neighbouring_keys_have_nothing_in_common():
    step = np.uint32(0x9E3779B9)  # a key ahead by one counter
    keys = np.array([[7, 1], [7 + step, 1], [7 + step, 2], [8, 1]], np.uint32)
    number = np.asarray(counter_rng.unit(counter_rng.keyed(keys, 100_000)))
    assert abs(number.mean(1) - 0.5).max() < 4 / np.sqrt(12 * 100_000)
    for row in number[[0, 2, 3]]:
        shifted = [np.corrcoef(row[lag:], row[: -lag or None])[0, 1] for lag in (1, 2)]
        assert abs(np.array(shifted)).max() < 4 / np.sqrt(100_000)
    for lag in range(3):
        for other in number[[2, 3]]:
            paired = np.corrcoef(number[0][lag:], other[: -lag or None])[0, 1]
            assert abs(paired) < 4 / np.sqrt(100_000)


def some():
    return mc_dropout.draws(network(), pictures(), times=20, seed=0)


def test_backends_agree(tmp_path):
    out = tmp_path / "jax.npy"
    code = (
        "import sys, numpy, test_mc_dropout as t; "
        "assert t.keras.config.backend() == 'jax'; numpy.save(sys.argv[1], t.some())"
    )
    paths = [HERE, HERE.parent.parent]
    more = {"KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(map(str, paths))}
    subprocess.run([sys.executable, "-c", code, out], check=True, env=os.environ | more)
    np.testing.assert_allclose(some(), np.load(out), atol=1e-5)
