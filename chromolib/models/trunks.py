"""Trunks: the layers of a network before its head, which may start from weights.

Their layers are named `trunk_…`, which is how `weights` finds them again.
"""

import keras

PREFIX = "trunk_"
WIDTHS = (8, 16, 32, 64)  # filters of each pair: what two CPU cores can train


def pairs(x, widths=WIDTHS, *, seeds, pair=2, after=False):
    """For each of `widths`, `pair` convolutions with ReLU and batch norm, then pooling.

    `seeds` gives each layer its own, see `counter_rng.Seeds`; `after` normalises behind
    the ReLU, not before it.
    """
    number = 0
    for width in widths:
        for _ in range(pair):
            number += 1
            x = keras.layers.Conv2D(
                *(width, 3),
                padding="same",
                use_bias=False,
                kernel_initializer=keras.initializers.HeNormal(seeds()),
                name=f"trunk_conv{number}",
            )(x)
            norm = keras.layers.BatchNormalization(
                momentum=0.9, name=f"trunk_norm{number}"
            )
            relu = keras.layers.ReLU(name=f"trunk_relu{number}")
            for layer in (relu, norm) if after else (norm, relu):
                x = layer(x)
        x = keras.layers.MaxPooling2D(2, padding="same")(x)
    return x
