"""A detector that learns from fields, on a budget of images seen.

`learned(detector, train, validation, *, looks, rate, ...)` -> history
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


def learned(
    detector, train, validation, *, looks, rate, batch=BATCH, watch=(), folder=None
):
    """The history of a detector that has seen so many fields, as it is afterwards.

    With a `folder` for its epochs a stopped training goes on, and its history begins
    there; the folder goes when it is done.
    """
    epochs = max(1, round(looks / len(train)))
    steps = epochs * math.ceil(len(train) / batch)
    falls = keras.optimizers.schedules.CosineDecay(
        rate / 10, steps, warmup_target=rate, warmup_steps=math.ceil(WARM * steps)
    )
    detector.compile(fused.adamw(falls, weight_decay=DECAY, clipnorm=CLIP))
    if folder is not None:
        watch = [*watch, keras.callbacks.BackupAndRestore(folder)]
    history = detector.fit(
        train.seen,
        train.targets,
        validation_data=(validation.seen, validation.targets),
        epochs=epochs,
        batch_size=batch,
        callbacks=list(watch),
        verbose=0,
    )
    return pd.DataFrame(history.history)
