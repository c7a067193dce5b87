"""Trunks of detectors: an image in, maps at the strides that are asked for out.

`taps(trunk, size, strides, ...)` -> entry and one map a stride

Our own trunks, for two CPU cores, by name: "tiny", "small" and "medium" are residual;
"csp" splits each stage in two (CSPNet, Wang et al. 2020) as YOLO v5 does; "inception"
has parallel branches of the kind of Inception v2 (Ioffe and Szegedy 2015), which Keras
does not have, padded so that a map is exactly size / stride; "plain" is the
convolutions and poolings of Tiny YOLO. The others are those of keras.applications in
`models.pretrained`, with its weights. A tap is the last layer at each stride.
"""

import keras

from chromolib.detect import blocks
from chromolib.models import pretrained, trunks

WIDTHS = {
    "tiny": (8, 16, 32, 48, 64),
    "small": (16, 32, 64, 96, 128),
    "medium": (32, 64, 128, 192, 256),
}  # filters at strides 2, 4, 8, 16 and 32


def taps(trunk, size, strides, *, seed=0, weights="none", root="", end="", **settings):
    """The entry for grey images in [0, 1], and a map at each of `strides`.

    `end` names the last layer to use; `weights` and `root` are those of
    `models.pretrained`; `settings` are those of a trunk of our own.
    """
    deepest = max(strides)
    if size % deepest:
        raise ValueError(
            f"images of {size} pixels do not divide into cells of {deepest}; take a "
            f"size that does, {size - size % deepest + deepest} say"
        )
    if trunk in OWN:
        if weights != "none":
            raise ValueError(f"weights={weights!r}: trunk {trunk!r} is our own: 'none'")
        entry = keras.Input((size, size, 1), name="images")
        model = keras.Model(
            entry, OWN[trunk](entry, blocks.Maker(seed), deepest, **settings)
        )
    elif trunk in pretrained.KINDS:
        model, _ = pretrained.trunk(
            trunk, (size, size, 1), weights=weights, root=root, end=end, seed=seed
        )
        model.trainable = True
    else:
        known = ", ".join((*OWN, *pretrained.KINDS))
        raise ValueError(f"unknown trunk {trunk!r}; known: {known}")
    return model.input, [_last(model, size, stride, trunk) for stride in strides]


def _last(model, size, stride, trunk):
    """The last map that has exactly one place for each cell."""
    side = size // stride
    for layer in reversed(model.layers):
        shape = layer.output.shape
        if len(shape) == 4 and tuple(shape[1:3]) == (side, side):
            return layer.output
    raise ValueError(
        f"trunk {trunk!r} has no map of {side} x {side} for images of {size} pixels "
        f"at stride {stride}; take another trunk, size or stride"
    )


def _stages(deepest):
    """How many times a trunk halves its maps after the first."""
    return deepest.bit_length() - 2


def residual(entry, make, deepest, *, widths):
    """A stem and a residual block at each stride."""
    x = make.conv(entry, widths[0], 5, strides=2)
    for width in widths[1 : 1 + _stages(deepest)]:
        x = make.conv(x, width, 3, strides=2)
        x = make.bottleneck(x, width)
    return x


def csp(entry, make, deepest, *, widths=WIDTHS["small"], depth=1):
    """Stages split in two, and pooling at three ranges where maps are coarsest."""
    x = make.conv(entry, widths[0], 6, strides=2)
    for width in widths[1 : 1 + _stages(deepest)]:
        x = make.csp(make.conv(x, width, 3, strides=2), width, depth=depth)
    return make.pyramid_pool(x, x.shape[-1])


def inception(entry, make, deepest, *, widths=WIDTHS["small"]):
    """Branches of one, two and three convolutions and a pooling, side by side."""
    x = make.conv(entry, widths[0], 5, strides=2)
    for width in widths[1 : 1 + _stages(deepest)]:
        part = width // 4
        x = keras.layers.MaxPooling2D(3, strides=2, padding="same")(x)
        pooled = keras.layers.AveragePooling2D(3, strides=1, padding="same")(x)
        double = make.conv(make.conv(x, part, 1), part, 3)
        x = keras.layers.Concatenate()(
            [
                make.conv(x, part, 1),
                make.conv(make.conv(x, part, 1), part, 3),
                make.conv(double, part, 3),
                make.conv(pooled, part, 1),
            ]
        )
    return x


def plain(entry, make, deepest, *, widths=(8, 16, 32, 64, 128)):
    """A convolution and a pooling a stride."""
    return trunks.pairs(entry, widths[: 1 + _stages(deepest)], seeds=make, pair=1)


def _sized(name):
    return lambda entry, make, deepest: residual(
        entry, make, deepest, widths=WIDTHS[name]
    )


OWN = {name: _sized(name) for name in WIDTHS}
OWN |= {"csp": csp, "inception": inception, "plain": plain}
