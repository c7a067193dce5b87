"""What all detectors share: plain `compile` and `fit`, and Boxes out of `predict`.

`Detector` -> a Keras model; a family says what it computes, loses and decodes

# Strategy: Keras gives a model images first and truth later. A two-stage detector
samples the boxes it learns from by truth, and augmentation moves boxes with images. So
a step packs truth beside the images before Keras calls the model: packing draws nothing
and keeps no state, which is why one line serves TensorFlow and JAX alike.
"""

import pathlib
import warnings
import zlib

import keras
import numpy as np
from keras import ops

from chromolib import records, streams
from chromolib.detect import suppress
from chromolib.models import checks, counter_rng, store

LEAST = 0.01  # score of a box that `predict` gives, unless told otherwise


class Detector(keras.Model):
    """Finds boxes of `classes` in grey images (n, size, size, 1), ink in [0, 1].

    `fit(images, {"boxes": (n, K, 4), "labels": (n, K)})`: pixels, label -1 for no box,
    see `models.augment.pad`; ink may be uint8 there, up to 255. `augmentation` is a
    layer of images with boxes. A subclass has `first` and perhaps `second` network, and
    three methods: `raw(images, targets, training=)`, what the networks say;
    `losses_of(raw, targets)`, by name; and `decode(raw)`, boxes (n, A, 4) and scores
    (n, A, classes).
    """

    PARTS = ()  # names of the losses

    def __init__(self, first, *, classes, size, seed, name, augmentation, meaning):
        super().__init__(name=name)
        self.first, self.classes, self.size = first, tuple(classes), size
        self.augmentation = augmentation
        self.generator = keras.random.SeedGenerator(streams.seed_of(seed, "sampling"))
        self.parts = [keras.metrics.Mean(name=part) for part in self.PARTS]
        stamp = zlib.crc32(repr((name, self.classes, meaning)).encode()) % 2**24
        self.stamp = self.add_weight(
            shape=(1,), initializer=keras.initializers.Constant(stamp), trainable=False
        )
        self.finding, self.finders = {}, {}  # and what was traced for each way
        self.built = True

    def compile(self, optimizer, **words):
        """As Keras does, and build the optimizer, or the first step is traced twice."""
        super().compile(optimizer, **words)
        self.optimizer.build(self.trainable_variables)

    def overlap(self, a, b):
        """How much boxes overlap, for suppression."""
        return suppress.geometry.iou(a, b)

    def call(self, data, training=False):
        """Kept boxes of images; of images with truth what a loss needs."""
        if not isinstance(data, dict):
            boxes, scores = self.decode(self.raw(data, None, training=False))
            finding = {"overlap": self.overlap, **self.finding}
            return suppress.best(boxes, scores, **finding)
        if training and self.augmentation is not None:
            data = self.augmentation(data, training=True)
        raw = self.raw(data["images"], data, training=training)
        targets = {name: data[name] for name in data if name != "images"}
        return {"raw": raw, "targets": targets}

    def compute_loss(self, x=None, y=None, y_pred=None, *_, **__):
        """The sum of the parts, each also a metric of its own."""
        losses = self.losses_of(y_pred["raw"], y_pred["targets"])
        for metric in self.parts:
            metric.update_state(losses[metric.name])
        return sum(losses.values())

    def train_step(self, *args):
        """One step of Keras' own; JAX gives a state before the data."""
        return super().train_step(*args[:-1], _packed(args[-1]))

    def test_step(self, *args):
        """The same without learning."""
        return super().test_step(*args[:-1], _packed(args[-1]))

    def draw(self, batch, count, *, training):
        """Numbers (batch, count) in [0, 1) to sample by; in testing always the same."""
        if training:
            return counter_rng.unit(counter_rng.bits(self.generator, batch, count))
        keys = ops.cast(ops.arange(batch), "uint32")
        return counter_rng.unit(counter_rng.keyed(ops.stack([keys, keys], 1), count))

    def predict(self, images, *, batch_size=8, score=LEAST, **finding):
        """One Boxes an image, best first, of those with at least this score.

        `threshold` is the overlap at which two boxes are one chromosome, `most` the
        largest number of boxes of an image, `before` that of those compared;
        `by_class=False` counts a chromosome once whatever its labels: see
        `suppress.best`.
        """
        checks.shape(images)
        if finding != self.finding:
            self.finders[str(self.finding)] = self.predict_function
            self.finding = finding
            self.predict_function = self.finders.get(str(finding))
        found = super().predict(images, batch_size=batch_size, verbose=0)
        names = np.array(self.classes)
        return tuple(
            self.record(boxes[on], names[label[on]], value[on])
            for boxes, label, value in zip(
                *(found[key] for key in ("boxes", "labels", "scores")), strict=True
            )
            for on in [(label >= 0) & (value >= score)]
        )

    def record(self, boxes, names, scores):
        """The boxes of one image."""
        return records.Boxes(np.clip(boxes, 0, self.size), names, scores)

    def summary(self, **words):
        """The layers of the networks inside, one by one."""
        super().summary(**{"expand_nested": True, **words})

    @store.quiet()
    def save_weights(self, filepath, **words):
        """Weights as a file of Keras' own, `.weights.h5`."""
        super().save_weights(filepath, **words)

    @store.quiet()
    def load_weights(self, filepath, **words):
        """Weights of the same family with the same classes and anchors only."""
        before, stamp = self.get_weights(), self.stamp.numpy()
        failure = None
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("error", UserWarning)  # of layers left out
                super().load_weights(filepath, **words)
        except (ValueError, KeyError, OSError, UserWarning) as error:
            failure = error
        if failure or (self.stamp.numpy() != stamp).any():
            self.set_weights(before)
            raise ValueError(
                f"{pathlib.Path(filepath).name} holds no weights of {self.name} with "
                f"{len(self.classes)} classes and this trunk and these anchors; build "
                "the family that was saved, with the same settings"
            ) from failure


def _packed(data):
    """Images with truth as one input, and a loss that looks there."""
    images, truth, _ = keras.utils.unpack_x_y_sample_weight(data)
    if keras.backend.standardize_dtype(images.dtype) == "uint8":
        images = ops.cast(images, "float32") / 255
    if not isinstance(truth, dict):
        raise ValueError(
            'a detector learns from {"boxes": (n, K, 4), "labels": (n, K)}; see '
            "models.augment.pad"
        )
    return ({"images": images, **truth},)


def normalised(total, positive):
    """A sum over anchors for each positive one; an image without any counts as one."""
    count = ops.sum(ops.cast(positive, "float32"), 1)
    return ops.sum(total) / ops.sum(ops.maximum(count, 1.0))


def cross_entropy(labels, logits):
    """Of softmax, (n, A); labels without a class count as the first."""
    labels = ops.maximum(labels, 0)
    return ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)


def binary(target, logits):
    """Of sigmoid, stable for any logit."""
    relu = ops.maximum(logits, 0.0)
    return relu - logits * target + ops.log1p(ops.exp(-ops.abs(logits)))


def smooth(difference, beta=1.0):
    """Half the square of small differences, the size of large ones; summed over one's
    coordinates (Girshick 2015)."""
    size = ops.abs(difference)
    small = 0.5 * ops.square(size) / beta
    return ops.sum(ops.where(size < beta, small, size - 0.5 * beta), -1)
