"""What a network says of images: a probability a class, rows in their order."""

import keras
import numpy as np
import pytest

from chromolib.models import predict, samples

CLASSES = ("normal", "abnormal")


def flat():
    """Logits of two classes: 0, and ten times the mean ink."""
    model = keras.Sequential([keras.Input((4, 4, 1)), keras.layers.Flatten()])
    model.add(keras.layers.Dense(2))
    kernel = np.stack([np.zeros(16), np.full(16, 10 / 16)], 1)
    model.set_weights([kernel, np.array([0, -5.0])])
    return model


def greys(count):
    level = np.linspace(0, 1, count, dtype=np.float32)
    x = np.broadcast_to(level[:, None, None, None], (count, 4, 4, 1))
    label = np.where(level > 0.5, "abnormal", "normal")
    name = np.array([f"i{i}" for i in range(count)])
    return samples.Samples(x, label, np.char.add("g", name), name, CLASSES)


def test_rows_are_softmax_and_in_the_order_of_the_images(monkeypatch):
    images = greys(20)
    probability = predict.probabilities(flat(), images.x)
    assert probability.shape == (20, 2)
    np.testing.assert_allclose(probability.sum(1), 1, atol=1e-6)
    odds = 10 * images.x.mean((1, 2, 3)) - 5
    np.testing.assert_allclose(probability[:, 1], 1 / (1 + np.exp(-odds)), atol=1e-5)
    monkeypatch.setattr(predict, "BATCH", 3)
    np.testing.assert_allclose(
        predict.probabilities(flat(), images.x), probability, atol=1e-6
    )


def test_a_sure_network_is_no_row_of_nan():
    model = flat()
    model.set_weights([1000 * weight for weight in model.get_weights()])
    probability = predict.probabilities(model, greys(4).x)
    np.testing.assert_allclose(probability, [[1, 0], [1, 0], [0, 1], [0, 1]])


def test_images_and_words_pass_into_the_predictions():
    images = greys(6)
    words = {"source": "drawn", "model": "flat", "conditions": {"unit": "chromosome"}}
    predictions = predict.predict(flat(), images, **words)
    assert predictions.image.tolist() == images.image.tolist()
    assert predictions.group.tolist() == images.group.tolist()
    assert predictions.truth.tolist() == predictions.label.tolist()
    assert predictions.classes == CLASSES
    assert words.items() <= predictions.words.items()
    with pytest.raises(ValueError, match="source"):
        predict.predict(flat(), images)
