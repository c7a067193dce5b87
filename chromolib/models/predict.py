"""What a network says of images: its probabilities, beside the truth."""

import keras
import numpy as np

from chromolib import records

BATCH = 256


def predict(network, samples, /, **words):
    """Predictions of a network whose outputs are logits, one a class.

    `words` are those of every Estimate made of them: source, model, conditions, …
    """
    return predictions(samples, probabilities(network, samples.x), **words)


def probabilities(model, images):
    """(n, classes) float64, by Keras' softmax over the logits."""
    logits = np.asarray(model.predict(images, batch_size=BATCH, verbose=0), np.float64)
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


def predictions(samples, probability, /, **words):
    """Predictions of any model that gives a probability of each class."""
    return records.Predictions(
        image=samples.image,
        group=samples.group,
        truth=samples.label,
        probability=probability,
        classes=samples.classes,
        **words,
    )
