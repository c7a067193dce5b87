"""Small networks for single chromosomes, and how they learn.

`bands(shape, classes, *, seed, mirror)` -> residual classifier, under 800,000
`cnn(shape, classes, *, seed, mirror)` -> classifier, under 120,000 parameters
`resnet(shape, classes, *, seed)` -> residual network, under 200,000
`augmented(entry, *, seed, mirror)` -> what the networks learn from
`ready(model, *, steps, rate)` -> the same, compiled to learn for so many steps
`train(model, images, wanted, *, steps, seed)` -> history; the model has learned

Both give logits, take (batch, height, width, 1) in [0, 1] with background 0, and are
fully determined by the seed.
"""

import math

import keras
import numpy as np
from keras import ops

from chromolib import streams
from chromolib.models import augment, checks, counter_rng, layers
from chromolib.models import train as training

MIRROR = ("horizontal",)  # left for right: no chromosome has a left side
SMOOTHING = 0.1  # of labels
DECAY = 0.02  # of weights
WARM = 0.1  # of the steps, in which the learning rate rises
RATE, BATCH = 2e-3, 64  # of learning; images a step
EPOCH = 200  # steps, after which a training can be resumed


@layers.register
class Gamma(layers.Changing):
    """Bands paler or darker between background and full stain, which stay."""

    SETTINGS = ("factor",)

    def __init__(self, *, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = checks.within("factor", factor, 2)

    def change(self, images, amount):
        """The images to the power of exp(amount)."""
        power = ops.exp(amount * self.factor)[:, None, None, None]
        least = 1e-4  # the slope of a root at 0 has no end
        return ops.power(ops.maximum(images, least), power) - ops.power(least, power)


@layers.register
class Stretch(layers.Changing):
    """Longer or shorter, wider or narrower, and unevenly so along the chromosome.

    `zoom` in both directions alike and again along it, `shift` in each, and `warp`, a
    wave along it: shares, each drawn evenly from minus to plus its setting. Outside is
    background 0. Rows and columns are resampled by two small matrices an image.
    """

    WORDS, SETTINGS = 9, ("zoom", "shift", "warp")

    def __init__(self, *, zoom, shift, warp, **kwargs):
        super().__init__(**kwargs)
        self.zoom = checks.within("zoom", zoom, 0.4)
        self.shift = checks.within("shift", shift, 1)
        self.warp = checks.within("warp", warp, 0.15)

    def choose(self, words, _height, _width):
        """Per image: size, shift and wave along, then size and shift across."""
        number = counter_rng.unit(words)
        on = ops.cast(number[:, 0] < self.rate, "float32")
        both, along, down, wave, phase, across, aside = (
            on * (2 * number[:, i] - 1) for i in range(1, 8)
        )
        return (
            ((both + along) * self.zoom, down * self.shift, wave * self.warp, phase),
            ((both + across) * self.zoom, aside * self.shift, 0 * wave, phase),
        )

    def change(self, images, along, across):
        """The images resampled."""
        height, width = images.shape[1:3]
        images = ops.transpose(images, (0, 3, 1, 2))
        rows = _resampling(height, *along)[:, None]
        columns = ops.transpose(_resampling(width, *across), (0, 2, 1))[:, None]
        images = ops.matmul(ops.matmul(rows, images), columns)
        return ops.transpose(images, (0, 2, 3, 1))


def _resampling(count, size, shift, wave, phase):
    """Matrices (batch, count, count) that resample a line, linear between pixels."""
    at = np.arange(count, dtype=np.float32) - (count - 1) / 2
    turn = 2 * math.pi * at / count + math.pi * phase[:, None]
    read = at / (1 + size[:, None]) + count * (
        shift[:, None] + wave[:, None] * ops.sin(turn)
    )
    return ops.relu(1 - ops.abs(read[:, :, None] - at))


def augmented(entry, *, seed, mirror=MIRROR):
    """What a chromosome could as well have looked like, while a model learns."""

    settings = {
        layers.Orientation: {"mirror": mirror},
        Gamma: {"factor": 0.3},
        layers.Blur: {"factor": 1.0, "rate": 0.5},
        Stretch: {"zoom": 0.1, "shift": 0.04, "warp": 0.03},
    }
    return augment.pipeline(settings, seed=seed)(entry)


class _Maker(counter_rng.Seeds):
    """Layers whose first weights depend on the seed and on their place only."""

    def conv(self, x, filters, size, *, strides=1):
        """A convolution, normalised, not yet bent."""
        x = keras.layers.Conv2D(
            filters,
            size,
            strides=strides,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.HeNormal(self()),
        )(x)
        return keras.layers.BatchNormalization(momentum=0.95)(x)

    def head(self, x, classes, drop=0.3):
        """Logits."""
        first = keras.initializers.GlorotUniform(self())
        x = keras.layers.Dropout(drop, seed=self())(x)
        return keras.layers.Dense(
            classes, kernel_initializer=first, name="logits", dtype="float32"
        )(x)


def cnn(shape, classes, *, seed, mirror=MIRROR):
    """A classifier of straight chromosomes: four convolutions and every position.

    The place on the canvas is known to the head, because size is a chromosome's first
    mark and bands have their place.
    """
    make = _Maker(seed)
    entry = keras.Input(shape)
    x = augmented(entry, seed=seed, mirror=mirror)
    for filters, size, strides in ((16, 5, 2), (32, 3, 1), (64, 3, 1), (64, 3, 1)):
        if filters == 64:
            x = keras.layers.MaxPooling2D(2, padding="same")(x)
        x = keras.layers.ReLU()(make.conv(x, filters, size, strides=strides))
    x = keras.layers.Flatten()(x)
    return keras.Model(entry, make.head(x, classes), name="small_cnn")


def resnet(shape, classes, *, seed):
    """Six convolutions in three residual blocks, and no position.

    Learns from mirror images only: grain, edge and grey are what it is to judge.
    """
    make = _Maker(seed)
    entry = keras.Input(shape)
    mirror, own = ("horizontal", "vertical"), streams.seed_of(seed, "mirror")
    x = layers.Orientation(mirror=mirror, seed=own)(entry)
    x = keras.layers.ReLU()(make.conv(x, 16, 5, strides=2))
    for filters in (16, 32, 64):
        inner = keras.layers.ReLU()(make.conv(x, filters, 3, strides=2))
        inner = make.conv(inner, filters, 3)
        x = keras.layers.Add()([make.conv(x, filters, 1, strides=2), inner])
        x = keras.layers.ReLU()(x)
    most = keras.layers.GlobalMaxPooling2D()(x)
    mean = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Concatenate()([most, mean])
    return keras.Model(entry, make.head(x, classes), name="small_resnet")


def bands(shape, classes, *, seed, mirror=MIRROR, augment=True):
    """A residual classifier of straight chromosomes that keeps places along the axis.

    Across the chromosome maps are averaged, for bands have no side; along it they are
    not, for a band is known by its place, and size is a chromosome's first mark.
    """
    make = _Maker(seed)
    entry = x = keras.Input(shape)
    x = augmented(x, seed=seed, mirror=mirror) if augment else x
    x = keras.layers.ReLU()(make.conv(x, 24, 5, strides=2))
    for filters, strides in ((32, 1), (64, 2), (64, 1), (128, 2), (128, 1)):
        inner = keras.layers.ReLU()(make.conv(x, filters, 3, strides=strides))
        inner = make.conv(inner, filters, 3)
        if strides > 1 or x.shape[-1] != filters:
            x = make.conv(x, filters, 1, strides=strides)
        x = keras.layers.ReLU()(keras.layers.Add()([x, inner]))
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D((1, x.shape[2]))(x))
    return keras.Model(entry, make.head(x, classes, drop=0.4), name="bands")


def ready(model, *, steps, rate=RATE):
    """The model compiled: AdamW, a cosine over these steps, smoothed labels."""
    warm = max(1, round(WARM * steps))
    rise = {"warmup_target": rate, "warmup_steps": warm}
    pace = keras.optimizers.schedules.CosineDecay(
        rate / 20, max(1, steps - warm), alpha=0.01, **rise
    )
    model.compile(
        keras.optimizers.AdamW(pace, weight_decay=DECAY),
        keras.losses.CategoricalCrossentropy(
            from_logits=True, label_smoothing=SMOOTHING
        ),
    )
    return model


def train(model, images, wanted, *, steps, seed, rate=RATE, **how):
    """The history of a network that learns for so many steps, or a few more; `wanted`
    is the class of each image, or how probable each class is."""
    epochs = -(-steps // EPOCH)
    steps = -(-steps // epochs)
    if wanted.ndim == 1:
        wanted = np.eye(model.output_shape[-1], dtype=np.float32)[wanted]
    ready(model, steps=steps * epochs, rate=rate)
    how |= {"epochs": epochs, "steps": steps, "batch": BATCH, "seed": seed}
    return training.train(model, images, wanted, **how)
