"""A network that compares homologues place by place.

`learned(split, details, *, sizes, seed)` -> Compared: network, history
`Compared.scores(images)` -> (n,) how abnormal each karyogram is, as log-odds
`Compared.odd(images)` -> (n, 23) how likely each place is wrong
`network(*, seed)` -> the network, `wrong(images, details)` -> what it learns

Strategy: in a karyogram of the papers' layout it is known which class stands where. So
one small network looks at each of the 24 places, which are laid one below the other as
one tall picture; it learns from 22 pairs in every karyogram what a pair is. What is
learned of one class is added to the features of its place. X and Y are judged together,
for XX and XY are both usual. A karyogram is abnormal if any place is wrong.
"""

import dataclasses
import time

import keras
import numpy as np
import pandas as pd
from keras import ops
from scipy import special

from chromolib import records, streams
from chromolib.models import counter_rng, layers
from chromolib.models import train as training
from chromolib.studies.chu import layout

NAME = "homologues compared"
PLACES = len(records.CLASSES)
PAIRS = layout.PAIRS
ODD = PAIRS + 1  # what can be wrong: a pair, or X and Y together
UNKNOWN = -1  # whether a place is wrong
FEATURES = 32  # of a place
SHIFT = 12  # pixels: a place is 59 wide or more, 75 high or more
RATE, BATCH = 1e-3, 16
RARE = -4.0  # first log-odds of a wrong place: few are
MONITOR = "val_AUC"
CLIP = 1e-6  # probabilities nearer to 0 or 1 count as this


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How long it learns."""

    epochs: int = 16
    patience: int | None = None


@dataclasses.dataclass(frozen=True, eq=False)
class Compared:
    """A network that has learned to compare homologues."""

    model: keras.Model
    history: pd.DataFrame
    seconds: float

    @property
    def parameters(self):
        """How many numbers the network has."""
        return self.model.count_params()

    def scores(self, images):
        """(n,) log-odds of abnormal."""
        whole = self._probability(images)[:, -1]
        return special.logit(np.clip(whole, CLIP, 1 - CLIP))

    def odd(self, images):
        """(n, 23) probability that a pair, or X and Y, is wrong."""
        return self._probability(images)[:, :-1]

    def _probability(self, images):
        said = self.model.predict(strips(images), batch_size=BATCH, verbose=0)
        return np.asarray(said, np.float64)


def learned(split, details, *, sizes=None, seed, checkpoint=None):
    """A network trained on the training part of a split, the best epoch by validation.

    `details` are the source images with the box of what is wrong; None: only labels of
    whole karyograms are known.
    """
    layout.checked(split.sources)
    sizes = sizes or Sizes()
    details = None if split.labels == "random" else details  # boxes tell the truth
    model, started = network(seed=seed), time.monotonic()
    train = moved(split.train, rng=streams.stream(seed, "moved karyograms"))
    history = training.train(
        model,
        strips(train),
        wrong(train, details),
        validation=(strips(split.validation), wrong(split.validation, details)),
        monitor=MONITOR,
        epochs=sizes.epochs,
        patience=sizes.patience,
        batch=BATCH,
        seed=seed,
        checkpoint=checkpoint,
    )
    return Compared(model, history, time.monotonic() - started)


def moved(images, *, rng):
    """The same karyograms, each moved as a whole by up to SHIFT pixels.

    The copies of the thesis never move one. A network that learned from them alone
    takes one that stands 4 pixels aside for abnormal.
    """
    x, side = np.empty_like(images.x), images.x.shape[1]
    for i, (down, aside) in enumerate(rng.integers(2 * SHIFT + 1, size=(len(x), 2))):
        wide = np.pad(images.x[i], ((SHIFT, SHIFT), (SHIFT, SHIFT), (0, 0)))
        x[i] = wide[down : down + side, aside : aside + side]
    return dataclasses.replace(images, x=x)


def strips(images):
    """(n, 24 * height, width, 1): the places one below the other, ink from 0 to 1."""
    drawn = layout.places(images.x) / np.float32(255)
    return drawn.reshape(len(drawn), -1, drawn.shape[-1], 1)


def wrong(images, details=None):
    """(n, 24) of 0 and 1: which pair, or X and Y, is wrong, and at last whether any is.

    A normal karyogram has none. Of an abnormal one it is known where `details` have a
    box of it; else, as where a class has no copy left, it is UNKNOWN.
    """
    boxes = {} if details is None else _boxes(details)
    found = np.zeros((len(images), ODD + 1), np.float32)
    found[:, -1] = images.y
    for i in np.flatnonzero(images.y):
        place = boxes.get(str(images.image[i]).partition("#")[0], [])
        found[i, :-1] = 0 if len(place) else UNKNOWN
        found[i, np.minimum(place, ODD - 1).astype(int)] = 1
    return found


def _boxes(details):
    """Name of a source image -> places in which its boxes lie."""
    found = {}
    for name, boxes, shape in zip(
        details.name, details.boxes, details.pixels.shape, strict=True
    ):
        middle = (boxes.xyxy[:, :2] + boxes.xyxy[:, 2:]) / 2
        side = max(shape)  # a karyogram fills its canvas, the rest is even at both ends
        corner = (side - np.array(shape[::-1])) / 2
        found[str(name)] = layout.at(middle + corner, side)
    return found


@layers.register
class OfClass(keras.layers.Layer):
    """Adds to the features of each place what is learned of the class in it."""

    def build(self, shape):
        """A row of numbers for each place."""
        self.own = self.add_weight(shape=shape[1:], initializer="zeros", name="own")

    def call(self, features):
        """The features (batch, places, features), moved."""
        return features + self.own


@layers.register
class AnyPlace(keras.layers.Layer):
    """Probability of each place, then that any is wrong, from their log-odds."""

    def call(self, logits):
        """(batch, places + 1)."""
        right = -ops.sum(ops.softplus(logits), axis=1, keepdims=True)
        return ops.concatenate([ops.sigmoid(logits), -ops.expm1(right)], axis=1)


def network(*, seed, canvas=layout.CANVAS):
    """The network, compiled: strips -> probability of each place, and of any."""
    seeds = counter_rng.Seeds(seed)
    height, width = canvas
    entry = keras.Input((PLACES * height, width, 1))
    x = layers.Orientation(mirror=("horizontal",), seed=seeds())(entry)
    x = _conv(x, 12, 5, seeds, strides=2)
    for filters in (24, 32):
        x = keras.layers.MaxPooling2D(2)(_conv(x, filters, 3, seeds))
    whole = height // 8, width // 8  # of a place
    x = _conv(_conv(x, 16, 1, seeds), FEATURES, whole, seeds, strides=whole, act=False)
    x = OfClass()(keras.layers.Reshape((PLACES, FEATURES))(x))
    x = keras.layers.Dropout(0.3, seed=seeds())(keras.layers.ReLU()(x))
    pairs = keras.layers.Cropping1D((0, PLACES - PAIRS))(x)
    sex = keras.layers.Flatten()(keras.layers.Cropping1D((PAIRS, 0))(x))
    sex = keras.layers.Dense(16, "relu", kernel_initializer=_glorot(seeds))(sex)
    odds = keras.layers.Flatten()(_odds(seeds)(pairs)), _odds(seeds)(sex)
    said = AnyPlace()(keras.layers.Concatenate()(odds))
    model = keras.Model(entry, said, name="homologues")
    model.compile(
        keras.optimizers.Adam(RATE), of_places, metrics=[AnyPlaceAUC(name="AUC")]
    )
    return model


@layers.register
def of_places(truth, said):
    """Cross-entropy of any place being wrong, and of each place that is known."""
    known = ops.cast(truth != UNKNOWN, said.dtype)
    said = ops.clip(said, CLIP, 1 - CLIP)
    right = ops.where(truth > 0.5, said, 1 - said)
    return -ops.sum(known * ops.log(right), axis=-1)


@layers.register
class AnyPlaceAUC(keras.metrics.AUC):
    """The area under the ROC curve of whole karyograms."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Only the last column counts."""
        return super().update_state(y_true[:, -1], y_pred[:, -1], sample_weight)


def _conv(x, filters, size, seeds, *, strides=1, act=True):
    x = keras.layers.Conv2D(
        filters,
        size,
        strides=strides,
        padding="same" if isinstance(size, int) else "valid",
        use_bias=False,
        kernel_initializer=keras.initializers.HeNormal(seeds()),
    )(x)
    x = keras.layers.BatchNormalization(momentum=0.9)(x)
    return keras.layers.ReLU()(x) if act else x


def _glorot(seeds):
    return keras.initializers.GlorotUniform(seeds())


def _odds(seeds):
    """A layer of one output that starts where a wrong place is rare."""
    rare = keras.initializers.Constant(RARE)
    return keras.layers.Dense(
        1, kernel_initializer=_glorot(seeds), bias_initializer=rare
    )
