"""A network that compares homologues place by place.

`learned(split, details, *, epochs, seed)` -> Compared: a network
`Compared.scores(images)` -> (n,) how abnormal each karyogram is, as log-odds
`Compared.odd(images)` -> (n, 23) how likely each pair, or X and Y, is wrong
`network(*, steps, seed)` -> the network, `truth(images, details)` -> what it learns

Strategy: in a karyogram of the papers' layout it is known which class stands where. So
one small network looks at each of the 24 places, which it lays one below the other as
one tall picture, and says what stands there: nothing, one chromosome, two alike, or
anything else. From 22 pairs a karyogram it learns what a pair is; what is learned of
one class is added to the features of its place. A pair is right where two alike stand,
X and Y as XX or as XY. A karyogram is abnormal if any is wrong.
"""

import dataclasses
import time

import keras
import numpy as np
from keras import ops
from scipy import special

from chromolib import records, streams
from chromolib.models import augment, counter_rng, layers
from chromolib.models import train as training
from chromolib.studies.chu import layout

NAME = "homologues compared"
PLACES = len(records.CLASSES)
PAIRS = layout.PAIRS
ODD = PAIRS + 1  # what can be wrong: a pair, or X and Y together
NOTHING, ONE, TWO, ELSE = range(4)  # what can stand in a place
OUTCOMES = {"gain": ELSE, "loss": ONE}  # by the kind of a box; others are ELSE
SEXES = ((TWO, NOTHING), (ONE, ONE))  # of X and Y
UNKNOWN = -1  # what stands in a place, or whether X and Y are wrong
FEATURES = 32  # of a place
SHIFT = 12  # pixels: a place is 59 wide or more, 75 high or more
RATE, BATCH = 3e-3, 16
PAIRED = [0.0, 0.0, 4.0, 0.0]  # first log-odds of what stands in a place: mostly TWO
MOVED = {  # all places of a karyogram alike; homologues have no order
    layers.Orientation: {"mirror": ("horizontal",)},
    layers.Movement: {"rotation": 4, "zoom": 0.1, "shift": 0.06},
}
MONITOR = "val_loss"  # of 23 places each; AUC of some 25 images tells no epochs apart
CLIP, TINY = 1e-6, 1e-12  # probabilities nearer to 1, and nearer to 0, count as this


@dataclasses.dataclass(frozen=True, eq=False)
class Compared:
    """A network that has learned to compare homologues."""

    model: keras.Model
    seconds: float

    @property
    def parameters(self):
        """How many numbers the network has."""
        return self.model.count_params()

    def scores(self, images):
        """(n,) log-odds of abnormal."""
        whole = np.asarray(any_of(ops.convert_to_tensor(self.odd(images))))
        return special.logit(np.clip(whole, TINY, 1 - CLIP))

    def odd(self, images):
        """(n, 23) probability that a pair, or X and Y, is wrong."""
        return np.asarray(wrong(ops.convert_to_tensor(self.outcomes(images))))

    def outcomes(self, images):
        """(n, 24, 4) probability of what stands in each place."""
        said = self.model.predict(channels(images), batch_size=BATCH, verbose=0)
        return np.asarray(said, np.float64)


def learned(split, details, *, epochs, seed):
    """A network trained on the training part of a split, the best epoch by validation.

    `details` are the source images with the box of what is wrong; None: only labels of
    whole karyograms are known.
    """
    layout.checked(split.sources)
    details = None if split.labels == "random" else details  # boxes tell the truth
    started = time.monotonic()
    steps = epochs * -(-len(split.train) // BATCH)
    model = network(steps=steps, seed=seed)
    train = moved(split.train, rng=streams.stream(seed, "moved karyograms"))
    training.train(
        model,
        channels(train),
        truth(train, details),
        validation=(channels(split.validation), truth(split.validation, details)),
        monitor=MONITOR,
        epochs=epochs,
        batch=BATCH,
        seed=seed,
    )
    return Compared(model, time.monotonic() - started)


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


def channels(images):
    """(n, height, width, 24): a channel for each place, ink from 0 to 1."""
    drawn = layout.places(images.x) / np.float32(255)
    return np.ascontiguousarray(drawn.transpose(0, 2, 3, 1))


def truth(images, details=None):
    """(n, 24): what stands at each pair, whether X and Y are wrong, whether any is.

    At all pairs of a normal karyogram there are TWO. Of an abnormal one it is known
    where `details` have a box of what is wrong; else, as where a class has no copy
    left, it is UNKNOWN.
    """
    boxes = {} if details is None else _boxes(details)
    found = np.zeros((len(images), ODD + 1), np.float32)
    found[:, :PAIRS], found[:, -1] = TWO, images.y
    for i in np.flatnonzero(images.y):
        place, kinds = boxes.get(str(images.image[i]).partition("#")[0], ([], []))
        if not len(place):
            found[i, :-1] = UNKNOWN
        for k, kind in zip(place, kinds, strict=True):
            odd = OUTCOMES.get(str(kind), ELSE) if k < PAIRS else 1
            found[i, min(k, PAIRS)] = odd
    return found


def _boxes(details):
    """Name of a source image -> places in which its boxes lie, and their kinds."""
    found = {}
    for name, boxes, shape in zip(
        details.name, details.boxes, details.pixels.shape, strict=True
    ):
        middle = (boxes.xyxy[:, :2] + boxes.xyxy[:, 2:]) / 2
        side = max(shape)  # a karyogram fills its canvas, the rest is even at both ends
        corner = (side - np.array(shape[::-1])) / 2
        found[str(name)] = layout.at(middle + corner, side), boxes.label
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


def wrong(outcomes):
    """(n, 23) how likely each pair, then X and Y together, is wrong.

    Of `outcomes` (n, 24, 4); sums of what is wrong, which stay exact where it is rare.
    """
    not_two = ops.cast(np.arange(4) != TWO, outcomes.dtype)
    neither = np.ones((4, 4))
    neither[tuple(zip(*SEXES, strict=True))] = 0
    x, y = outcomes[:, PAIRS, :, None], outcomes[:, PAIRS + 1, None, :]
    sex = ops.sum(x * y * ops.cast(neither, outcomes.dtype), axis=(1, 2))
    pairs = ops.sum(outcomes[:, :PAIRS] * not_two, axis=-1)
    return ops.concatenate([pairs, sex[:, None]], axis=1)


def any_of(odd):
    """(n,) how likely any is wrong."""
    return -ops.expm1(ops.sum(ops.log1p(-ops.minimum(odd, 1 - CLIP)), axis=1))


def network(*, steps, seed):
    """The network, compiled: channels -> (24, 4) probability of what stands where."""
    seeds = counter_rng.Seeds(seed)
    height, width = layout.CANVAS
    entry = keras.Input((height, width, PLACES))
    x = augment.pipeline(MOVED, seed=seeds())(entry)
    x = keras.layers.Permute((3, 1, 2))(x)
    x = keras.layers.Reshape((PLACES * height, width, 1))(x)
    x = _conv(x, 12, 5, seeds, strides=2)
    for filters in (24, 32):
        x = keras.layers.MaxPooling2D(2)(_conv(x, filters, 3, seeds))
    whole = height // 8, width // 8  # of a place
    x = _conv(_conv(x, 16, 1, seeds), FEATURES, whole, seeds, strides=whole, act=False)
    x = OfClass()(keras.layers.Reshape((PLACES, FEATURES))(x))
    x = keras.layers.Dropout(0.3, seed=seeds())(keras.layers.ReLU()(x))
    first = keras.initializers.GlorotUniform(seeds())
    paired = keras.initializers.Constant(PAIRED)
    said = keras.layers.Dense(
        4, "softmax", kernel_initializer=first, bias_initializer=paired
    )(x)
    model = keras.Model(entry, said, name="homologues")
    pace = keras.optimizers.schedules.CosineDecay(RATE, steps, alpha=0.01)
    metrics = [AnyWrongAUC(name="AUC")]
    model.compile(keras.optimizers.Adam(pace), surprise, metrics=metrics)
    return model


@layers.register
def surprise(y_true, y_pred):
    """Cross-entropy of what stands at each pair, of X and Y, and of any being wrong."""
    known = ops.cast(y_true[:, :PAIRS] != UNKNOWN, y_pred.dtype)
    outcome = ops.one_hot(ops.cast(ops.maximum(y_true[:, :PAIRS], 0), "int32"), 4)
    right = ops.sum(outcome * y_pred[:, :PAIRS], axis=-1)
    odd = wrong(y_pred)
    return (
        -ops.sum(known * ops.log(ops.maximum(right, CLIP)), axis=-1)
        + _entropy(y_true[:, -2], odd[:, -1])
        + _entropy(y_true[:, -1], any_of(odd))
    )


def _entropy(wanted, said):
    """Of a probability (n,) where it is known whether."""
    right = ops.where(wanted > 0, said, 1 - said)
    known = ops.cast(wanted != UNKNOWN, said.dtype)
    return -known * ops.log(ops.clip(right, CLIP, 1))


@layers.register
class AnyWrongAUC(keras.metrics.AUC):
    """The area under the ROC curve of whole karyograms."""

    def update_state(self, y_true, y_pred, sample_weight=None):
        """Any place being wrong counts."""
        return super().update_state(y_true[:, -1], any_of(wrong(y_pred)), sample_weight)


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
