"""Laws of training, on numbers that a line separates."""

import keras
import numpy as np
import pytest

from chromolib.models import fit


def model(seed=0):
    first = keras.initializers.GlorotUniform(seed)
    made = keras.Sequential(
        [keras.Input((2,)), keras.layers.Dense(2, kernel_initializer=first)]
    )
    made.compile(
        keras.optimizers.Adam(0.05),
        keras.losses.CategoricalCrossentropy(from_logits=True),
    )
    return made


@pytest.fixture
def line():
    points = np.random.default_rng(0).normal(size=(40, 2)).astype(np.float32)
    return points, np.eye(2, dtype=np.float32)[(points[:, 0] > 0).astype(int)]


def test_what_can_be_learned_is_learned(line):
    losses = fit.fit(model(), *line, epochs=8, seed=0, batch=8)
    assert len(losses) == 8
    assert losses[-1] < losses[0] / 2


def test_one_seed_gives_one_result_and_another_another(line):
    ways = [fit.fit(model(), *line, epochs=2, seed=s, batch=8) for s in (1, 1, 2)]
    assert ways[0] == ways[1]
    assert ways[0] != ways[2]


def test_an_epoch_shows_every_image_once_before_any_again():
    rng = np.random.default_rng(0)
    batches = fit.Batches(np.arange(10), np.arange(10), batch=4, steps=5, rng=rng)
    seen = np.concatenate([batches[i][0] for i in range(len(batches))])
    assert np.bincount(seen).tolist() == [2] * 10
    np.testing.assert_array_equal(np.sort(seen[:10]), np.arange(10))
    before = batches.order.copy()
    batches.on_epoch_end()
    assert (batches.order != before).any()


def test_labels_go_with_their_images():
    rng = np.random.default_rng(0)
    batches = fit.Batches(np.arange(10), np.arange(10), batch=4, steps=3, rng=rng)
    for images, labels in (batches[i] for i in range(3)):
        np.testing.assert_array_equal(images, labels)


def test_a_loss_that_is_no_number_stops_the_training_at_once(line):
    points, labels = line
    points[3] = np.nan
    with pytest.raises(fit.FitError, match=r"nan in epoch 1 of 5; look for"):
        fit.fit(model(), points, labels, epochs=5, seed=0, batch=8)


def test_images_without_labels_are_refused(line):
    with pytest.raises(fit.FitError, match="40 images and 39 labels"):
        fit.fit(model(), line[0], line[1][1:], epochs=1, seed=0)
    with pytest.raises(fit.FitError, match="0 images"):
        fit.fit(model(), line[0][:0], line[1][:0], epochs=1, seed=0)
