"""Training, and nothing around it.

`fit(model, images, labels, *, epochs, seed)` -> the mean loss of each epoch
"""

import math

import keras
import numpy as np


class FitError(ValueError):
    """A training that cannot go on."""


class Batches(keras.utils.PyDataset):
    """Batches of one epoch after the other, each in an order of its own.

    All batches are of one size: where an epoch runs out of images it begins anew.
    """

    def __init__(self, images, labels, *, batch, steps, rng):
        super().__init__()
        self.images, self.labels = images, labels
        self.batch, self.steps, self.rng = batch, steps, rng
        self.on_epoch_end()

    def __len__(self):
        return self.steps

    def __getitem__(self, step):
        chosen = self.order[step]
        return self.images[chosen], self.labels[chosen]

    def on_epoch_end(self):
        """Draw the order of the next epoch."""
        count, wanted = len(self.images), self.steps * self.batch
        rounds = [self.rng.permutation(count) for _ in range(-(-wanted // count))]
        self.order = np.concatenate(rounds)[:wanted].reshape(self.steps, self.batch)


def fit(model, images, labels, *, epochs, seed, batch=128, steps=None):
    """The mean loss of each epoch of training; the compiled model has learned.

    An epoch is so many `steps`, or one look at every image.
    """
    if not len(images) or len(images) != len(labels):
        raise FitError(
            f"{len(images)} images and {len(labels)} labels; "
            "training needs one label for each of at least one image"
        )
    steps = steps or math.ceil(len(images) / batch)
    rng = np.random.default_rng(seed)
    batches = Batches(images, labels, batch=batch, steps=steps, rng=rng)
    losses = []
    for epoch in range(epochs):
        # one epoch a call, so that a loss that is no number stops at once
        past = model.fit(
            batches, epochs=epoch + 1, initial_epoch=epoch, shuffle=False, verbose=0
        )
        losses.append(float(past.history["loss"][0]))
        if not np.isfinite(losses[-1]):
            raise FitError(
                f"the loss is {losses[-1]} in epoch {epoch + 1} of {epochs}; look for "
                "values that are not finite, or lower the learning rate"
            )
    return losses
