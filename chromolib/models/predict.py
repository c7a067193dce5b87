"""What a network says of images: its probabilities, beside the truth."""

import numpy as np
from scipy import special

from chromolib import records

BATCH = 256


def predict(network, samples, /, **words):
    """Predictions of a network whose outputs are logits, one a class.

    `words` are those of every Estimate made of them: source, model, conditions, …
    """
    return predictions(samples, probabilities(network, samples.x), **words)


def probabilities(model, images):
    """(n, classes) float64, by softmax over the logits, in double precision on every
    backend (Keras' is single under JAX)."""
    parts = [images] if isinstance(images, np.ndarray) else images.parts()
    logits = [model.predict(part, batch_size=BATCH, verbose=0) for part in parts]
    return special.softmax(np.concatenate(logits).astype(np.float64), axis=1)


def views(model, images, *, upright):
    """Mean probability over mirrored views, and over both ends up unless that is known.

    Of a network that learned to take all of these for the same chromosome.
    """
    seen = [images, images[:, :, ::-1]]
    seen += [] if upright else [view[:, ::-1] for view in seen]
    said = probabilities(model, np.concatenate(seen))  # each call takes a while alone
    return said.reshape(len(seen), len(images), -1).mean(0)


def predictions(samples, probability, /, **words):
    """Predictions of any model that gives a probability of each class."""
    return records.Predictions(
        image=samples.image,
        group=samples.group,
        truth=samples.label,
        cell=samples.cell,
        probability=probability,
        classes=samples.classes,
        **words,
    )
