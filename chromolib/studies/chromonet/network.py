"""The networks of the ChromoNet paper, as far as its text goes, and our choices beyond.

`network(shape, *, seed, **reading)` -> the CNN, compiled, logits of (normal, abnormal)
`traditional(shape, *, seed)` -> the shallow network it is compared with, compiled

# Strategy: the paper names its parts (section 4.6: convolution, ReLU, batch
normalisation, max pooling, flattening, fully connected layers, softmax) and no number.
"CNN8Net" (section 2) we read as eight convolutions. The usual way to arrange them is
VGG's, which the paper cites among its models: pairs of 3 x 3, each pair followed by
pooling, twice the filters after each. Every choice that a reader may dispute has its
alternative in `READINGS`, which the study trains one by one.
"""

import keras

from chromolib.models import counter_rng

LABELS = ("normal", "abnormal")
WIDTHS = (8, 16, 32, 64)  # filters of each pair: what two CPU cores can train
RATE = 3e-4  # of Adam; by its default, 1e-3, karyograms are often not learned at all

READINGS = {
    "as read": {},
    "four convolutions": {"pair": 1},
    "six convolutions": {"widths": WIDTHS[:3]},
    "twice the filters": {"widths": tuple(2 * width for width in WIDTHS)},
    "normalised after ReLU": {"after": True},
    "averaged, not flattened": {"flat": False},
    "no dropout": {"drop": 0.0},
}


def network(
    shape,
    *,
    seed,
    widths=WIDTHS,
    pair=2,
    after=False,
    flat=True,
    drop=0.5,
    rate=RATE,
):
    """The CNN compiled: `pair` convolutions and a pooling for each of `widths`.

    `after` normalises behind the ReLU, not before it; without `flat` positions are
    averaged away; `drop` is the dropout before the last layer.
    """
    make = counter_rng.Seeds(seed)
    entry = x = keras.Input(shape)
    number = 0
    for width in widths:
        for _ in range(pair):
            number += 1
            x = _block(x, width, number, make, after=after)
        x = keras.layers.MaxPooling2D(2, padding="same")(x)
    squeeze = keras.layers.Flatten if flat else keras.layers.GlobalAveragePooling2D
    x = _dense(64, "head_dense", make, activation="relu")(squeeze()(x))
    x = keras.layers.Dropout(drop, seed=make())(x)
    x = _dense(len(LABELS), "head_logits", make, dtype="float32")(x)
    return compiled(keras.Model(entry, x, name="chromonet"), rate)


def traditional(shape, *, seed, rate=RATE):
    """A shallow network: one convolution, one pooling, one fully connected layer.

    The paper does not say what its "traditional model" is, only that it is simpler, has
    epochs, and does without augmentation (section 5).
    """
    make = counter_rng.Seeds(seed)
    entry = keras.Input(shape)
    x = _conv(16, 5, make, name="trunk_conv1", activation="relu", use_bias=True)(entry)
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D(4)(x))
    x = _dense(len(LABELS), "head_logits", make, dtype="float32")(x)
    return compiled(keras.Model(entry, x, name="traditional"), rate)


def compiled(model, rate=RATE):
    """The model ready to learn by Adam and cross-entropy."""
    model.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def _block(x, width, number, make, *, after):
    """Convolution, ReLU and normalisation in the order asked for."""
    x = _conv(width, 3, make, name=f"trunk_conv{number}", use_bias=False)(x)
    relu = keras.layers.ReLU(name=f"trunk_relu{number}")
    own = keras.layers.BatchNormalization(momentum=0.9, name=f"trunk_norm{number}")
    for layer in [relu, own] if after else [own, relu]:
        x = layer(x)
    return x


def _conv(filters, size, make, **words):
    first = keras.initializers.HeNormal(make())
    return keras.layers.Conv2D(
        filters, size, padding="same", kernel_initializer=first, **words
    )


def _dense(units, name, make, **words):
    first = keras.initializers.GlorotUniform(make())
    return keras.layers.Dense(units, name=name, kernel_initializer=first, **words)
