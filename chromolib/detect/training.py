"""A detector that learns from fields, on a budget of images seen.

`learned(detector, train, validation, *, looks, rate, ...)` -> history

One that has learned before begins anew, from the weights it has, and TensorFlow needs
no second graph for it.
"""

import math

import keras
import pandas as pd

from chromolib.detect import coco
from chromolib.models import fused

BATCH = 8  # images a step
DECAY, CLIP = 1e-4, 10.0  # of the weights, and the largest step
WARM = 0.05  # share of all steps, in which the rate rises
WATCHED = 24  # validation images of which average precision is followed


class Watched(keras.callbacks.Callback):
    """Average precision and recall of validation images, epoch by epoch."""

    def __init__(self, validation):
        super().__init__()
        self.part = validation.take(slice(WATCHED))

    def on_epoch_end(self, epoch, logs=None):
        """What is found now, beside the losses."""
        truth, found = self.part.truth, self.model.predict(self.part.seen)
        now = coco.scores(coco.evaluate(truth, found, classes=self.model.classes))
        logs |= {"val_mAP": now["mAP"], "val_recall": now["recall50"]}


class Falling(keras.optimizers.schedules.CosineDecay):
    """A rate that rises and falls as Keras' own, by numbers that may be changed."""

    NAMES = "initial_learning_rate", "decay_steps", "warmup_target", "warmup_steps"

    def __init__(self, rate, steps):
        first, fall, target, rise = self.numbers(rate, steps)
        super().__init__(first, fall, warmup_target=target, warmup_steps=rise)
        for name in self.NAMES:
            setattr(self, name, keras.Variable(float(getattr(self, name))))

    @staticmethod
    def numbers(rate, steps):
        """Those of NAMES, for so many steps."""
        return rate / 10, steps, rate, math.ceil(WARM * steps)

    def begin(self, rate, steps):
        """Other numbers from now on."""
        for name, value in zip(self.NAMES, self.numbers(rate, steps), strict=True):
            getattr(self, name).assign(value)


def learned(
    detector, train, validation, *, looks, rate, batch=BATCH, watch=(), folder=None
):
    """The history of a detector that has seen so many fields, as it is afterwards.

    With a `folder` for its epochs a stopped training goes on, and its history begins
    there; the folder goes when it is done.
    """
    epochs = max(1, round(looks / len(train)))
    steps = epochs * math.ceil(len(train) / batch)
    _begin(detector, rate, steps)
    if folder is not None:
        watch = [*watch, keras.callbacks.BackupAndRestore(folder)]
    history = detector.fit(
        train.x,
        train.targets,
        validation_data=(validation.x, validation.targets),
        epochs=epochs,
        batch_size=batch,
        callbacks=list(watch),
        verbose=0,
    )
    return pd.DataFrame(history.history)


def _begin(detector, rate, steps):
    """A new optimizer; or the one it has, as if it were new."""
    if not detector.compiled or keras.backend.backend() != "tensorflow":
        falls = Falling(rate, steps)
        detector.compile(fused.adamw(falls, weight_decay=DECAY, clipnorm=CLIP))
        return
    detector.optimizer._learning_rate.begin(rate, steps)
    for variable in detector.optimizer.variables:
        variable.assign(keras.ops.zeros_like(variable))
