"""The networks of the study: the report's head on VGG19, and our own small one.

`head(width, classes, *, seed)` -> what the report trains on 25,088 features
`ours(train, *, steps, seed, upright)` -> a small network of straight chromosomes
"""

import keras

from chromolib.models import counter_rng, small

SIDE = 224  # pixels of the report's input
RATE = 1e-3  # of the report
FEATURES = 25_088  # of VGG19 at that size: 7 x 7 x 512


def head(width, classes, *, seed):
    """One dense layer with softmax, as the report's summary shows it, compiled."""
    first = keras.initializers.GlorotUniform(counter_rng.Seeds(seed)())
    model = keras.Sequential(
        [
            keras.Input((width,)),
            keras.layers.Dense(classes, kernel_initializer=first, name="logits"),
        ],
        name="vgg19_head",
    )
    model.compile(
        keras.optimizers.Adam(RATE),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def ours(train, *, steps, seed, upright):
    """The small network, ready to learn for so many steps."""
    model = small.bands(
        train.x.shape[1:],
        len(train.classes),
        seed=seed,
        mirror=("horizontal",) if upright else ("horizontal", "vertical"),
    )
    return small.ready(model, steps=steps)
