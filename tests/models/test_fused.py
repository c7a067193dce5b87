"""The fused layer is Keras' own, but for the last digits and the time."""

import gc

import keras
import numpy as np
import pytest

from chromolib.models import fused, small, train

only_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="an operation of TensorFlow"
)


def network(nested=False, **settings):
    """Two normalised convolutions."""
    inputs = keras.Input((12, 8, 1))
    x = inputs
    for i in range(2):
        x = keras.layers.Conv2D(
            4, 3, padding="same", kernel_initializer=keras.initializers.HeNormal(i)
        )(x)
        x = keras.layers.BatchNormalization(momentum=0.8, name=f"norm{i}", **settings)(
            x
        )
    if nested:
        inner = keras.Model(inputs, x)
        inputs = keras.Input((12, 8, 1))
        x = inner(inputs)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dense(2, kernel_initializer=keras.initializers.GlorotUniform(3))(x)
    made = keras.Model(inputs, x)
    made.compile(
        keras.optimizers.Adam(0.01),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return made


def data(n=24):
    rng = np.random.default_rng(0)
    labels = np.arange(n) % 2
    images = rng.normal(size=(n, 12, 8, 1)) + 3 + labels[:, None, None, None]
    return images.astype(np.float32), labels


def kinds(model):
    layers = model._flatten_layers()
    return [type(x) for x in layers if isinstance(x, keras.layers.BatchNormalization)]


@only_tensorflow
@pytest.mark.parametrize("nested", [False, True])
def test_it_learns_what_keras_own_layer_learns(nested):
    plain, quick = network(nested), fused.fused(network(nested))
    assert kinds(quick) == [fused.Fused] * 2
    assert kinds(plain) == [keras.layers.BatchNormalization] * 2
    quick.set_weights(plain.get_weights())
    ways = [m.fit(*data(), epochs=3, shuffle=False, verbose=0) for m in (plain, quick)]
    np.testing.assert_allclose(*(w.history["loss"] for w in ways), rtol=1e-4)
    for one, other in zip(plain.weights, quick.weights, strict=True):
        assert one.path.split("/")[-1] == other.path.split("/")[-1]
        np.testing.assert_allclose(one.numpy(), other.numpy(), rtol=2e-3, atol=2e-3)


@only_tensorflow
def test_what_it_says_of_new_images_is_by_the_moving_statistics():
    plain, quick = network(), fused.fused(network())
    plain.fit(*data(), epochs=2, verbose=0)
    quick.set_weights(plain.get_weights())
    images = data()[0][:3]
    said = [m.predict(images, verbose=0) for m in (plain, quick)]
    np.testing.assert_allclose(*said, rtol=1e-4, atol=1e-5)
    alone = quick.predict(images[:1], verbose=0)
    np.testing.assert_allclose(alone, said[1][:1], rtol=1e-4, atol=1e-5)


@only_tensorflow
def test_a_frozen_layer_moves_no_statistics():
    made = network()
    made.get_layer("norm0").trainable = False
    quick = fused.fused(made)
    before = quick.get_layer("norm0").get_weights()
    quick.fit(*data(), epochs=1, verbose=0)
    pairs = zip(before, quick.get_layer("norm0").get_weights(), strict=True)
    assert all(np.array_equal(*pair) for pair in pairs)
    moved = quick.get_layer("norm1").get_weights()
    assert not np.array_equal(moved[2], np.zeros(4))


@pytest.mark.parametrize("settings", [{"scale": False}, {"axis": 1}, {"center": False}])
def test_other_layers_stay_as_they_are(settings):
    assert fused.Fused not in kinds(fused.fused(network(**settings)))


def test_a_network_that_was_trained_is_a_plain_one_of_keras():
    made = small.ready(small.resnet((16, 8, 1), 2, seed=0), steps=4)
    images = np.random.default_rng(0).random((8, 16, 8, 1), np.float32)
    labels = np.eye(2, dtype=np.float32)[np.arange(8) % 2]
    train.train(made, images, labels, epochs=1, seed=0, batch=4)
    assert set(kinds(made)) == {keras.layers.BatchNormalization}


@keras.saving.register_keras_serializable("tests")
class Counted(keras.optimizers.schedules.CosineDecay):
    """A falling rate that counts how often it is worked out."""

    asked = 0

    def __call__(self, step):
        type(self).asked += 1
        return super().__call__(step)


@only_tensorflow
@pytest.mark.parametrize("kind", fused.KINDS)
def test_adam_is_that_of_keras_and_works_its_rate_out_once(kind):
    """Rising and falling, with decay and clipping."""
    asked, learned = [], []
    for optimizer in (kind, fused.KINDS[kind]):
        Counted.asked = 0
        falls = Counted(1e-3, 6, warmup_target=2e-2, warmup_steps=2)
        made = network()
        made.compile(
            optimizer(falls, weight_decay=0.1, clipnorm=0.5),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        )
        made.optimizer.build(made.trainable_variables)
        how = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
        learned.append(made.fit(*data(), **how).history["loss"])
        asked.append(Counted.asked)
    np.testing.assert_allclose(*learned, rtol=1e-4)
    assert asked[1] < asked[0] / 4, "Keras asks once a variable"


@only_tensorflow
def test_what_was_trained_leaves_memory():
    def graphs():
        gc.collect()
        alive = (one for one in gc.get_objects() if type(one).__name__ == "FuncGraph")
        return sum(one.name == "one_step_on_data" for one in alive)

    before = graphs()
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    twin = fused.fused(model)
    twin.fit(np.zeros((8, 4)), np.zeros((8, 2)), verbose=0)
    assert graphs() > before
    del twin
    assert graphs() == before


def test_a_twin_learns_with_one_operation_a_variable_and_with_the_same_settings():
    made = network()
    falls = Counted(1e-3, 6)
    made.compile(keras.optimizers.AdamW(falls, weight_decay=0.1), "mse")
    twin = fused.fused(made)
    assert type(twin.optimizer) is fused.AdamW
    assert twin.optimizer.get_config() == made.optimizer.get_config()
    made.compile(keras.optimizers.SGD(0.1), "mse")
    assert type(fused.fused(made).optimizer) is keras.optimizers.SGD
