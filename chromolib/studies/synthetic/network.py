"""The network of the experiment, and the two verbs it shares with the discriminator.

`classifier(shape, upright=, seed=)` -> network for the 24 classes
`train(model, images, labels, ...)` -> history; the compiled model has learned
`predict(model, images, upright=)` -> the most probable class of each image
"""

import numpy as np

from chromolib import records
from chromolib.models import predict as predicting
from chromolib.models import small
from chromolib.models import train as training


def classifier(shape, *, upright, seed):
    """The network; chromosomes that may stand upside down are mirrored that way too."""
    mirror = ("horizontal",) if upright else ("horizontal", "vertical")
    return small.cnn(shape, len(records.CLASSES), seed=seed, mirror=mirror)


def train(model, images, labels, *, steps, seed, batch):
    """The history of a compiled model trained for so many steps on class indices."""
    one_hot = np.eye(model.output_shape[-1], dtype=np.float32)[labels]
    return training.train(
        model, images, one_hot, epochs=1, steps=steps, batch=batch, seed=seed
    )


def predict(model, images, *, upright):
    """The most probable class of each image, over both orientations unless upright."""
    views = [images] if upright else [images, images[:, ::-1]]
    return sum(predicting.probabilities(model, view) for view in views).argmax(1)
