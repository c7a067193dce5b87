"""The networks of the ChromoNet paper, as far as its text goes, and our choices beyond.

`chromonet(shape, *, seed, **reading)` -> the CNN, compiled, logits of the two labels
`traditional(shape, *, seed)` -> the shallow network it is compared with, compiled
`compiled(model)`, `logits(x, seeds)` -> how any network here learns, and ends

# Strategy: the paper names its parts (section 4.6: convolution, ReLU, batch
normalisation, max pooling, flattening, fully connected layers, softmax) and no number.
"CNN8Net" (section 2) we read as eight convolutions. The usual way to arrange them is
VGG's, which the paper cites among its models: pairs of 3 x 3, each pair followed by
pooling, twice the filters after each. Every choice that a reader may dispute has its
alternative in `READINGS`, which the study trains one by one.
"""

import keras

from chromolib.models import counter_rng, trunks
from chromolib.studies.chromonet import data

RATE = 3e-4  # of Adam; by its default, 1e-3, karyograms are often not learned at all
LAST = "trunk_relu8"  # the last maps before they are pooled

READINGS = {
    "as read": {},
    "four convolutions": {"pair": 1},
    "six convolutions": {"widths": trunks.WIDTHS[:3]},
    "twice the filters": {"widths": tuple(2 * width for width in trunks.WIDTHS)},
    "normalised after ReLU": {"after": True},
    "averaged, not flattened": {"flatten": False},
    "no dropout": {"dropout": 0.0},
}


def chromonet(
    shape,
    *,
    seed,
    widths=trunks.WIDTHS,
    pair=2,
    after=False,
    flatten=True,
    dropout=0.5,
    rate=RATE,
    classes=len(data.LABELS),
):
    """The CNN compiled, with the first weights that the seed gives.

    Without `flatten` positions are averaged away; the rest as in `trunks.pairs`.
    """
    seeds, inputs = counter_rng.Seeds(seed), keras.Input(shape)
    x = trunks.pairs(inputs, widths, seeds=seeds, pair=pair, after=after)
    pool = keras.layers.Flatten if flatten else keras.layers.GlobalAveragePooling2D
    x = _dense(64, seeds, activation="relu", name="head_dense")(pool()(x))
    x = keras.layers.Dropout(dropout, seed=seeds())(x)
    model = keras.Model(inputs, logits(x, seeds, classes), name="chromonet")
    return compiled(model, rate)


def traditional(shape, *, seed):
    """A shallow network: one convolution, one pooling, one fully connected layer.

    The paper does not say what its "traditional model" is, only that it is simpler, has
    epochs, and does without augmentation (section 5).
    """
    seeds, inputs = counter_rng.Seeds(seed), keras.Input(shape)
    first = keras.initializers.HeNormal(seeds())
    x = keras.layers.Conv2D(
        *(16, 5), padding="same", activation="relu", kernel_initializer=first
    )(inputs)
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D(4)(x))
    return compiled(keras.Model(inputs, logits(x, seeds), name="traditional"))


def compiled(model, rate=RATE):
    """The model ready to learn by Adam and cross-entropy."""
    model.compile(
        keras.optimizers.Adam(rate),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def logits(x, seeds, classes=len(data.LABELS)):
    """The last layer of any network: one number a class."""
    return _dense(classes, seeds, name="head_logits", dtype="float32")(x)


def _dense(units, seeds, **settings):
    first = keras.initializers.GlorotUniform(seeds())
    return keras.layers.Dense(units, kernel_initializer=first, **settings)
