"""The thesis' networks: a trunk, frozen up to some layer, and its head of one output.

`ROWS` name in Table 5.1 -> Row: trunk, images and the layers that learn
`Trunk` -> a frozen trunk, from images to maps at any of its layers
`head(x, *, seed)` -> the output of the thesis' head on some maps
`compiled(model)` -> the same, ready to learn as the thesis trains it
"""

import dataclasses
import functools
import math

import keras
import numpy as np

from chromolib.models import counter_rng, pretrained, train, trunks, weights
from chromolib.studies.chu import data

SIDE = 150  # pixels of the network's input, figure 3.5
RATE, BATCH = 1e-3, 16  # section 3.2
GENTLE = 1e-4  # where layers of a large trunk learn: by 1e-3 they forget what they know
DROP = 0.3, 0.5  # of the two dropout layers; not printed
# What the word "tuned" means; MobileNet is as ImageNet left it.
TUNED = {"vgg16": "hed", "inceptionv3": "moderation", "mobilenet": "plain"}
SMALL = "small"  # our own trunk, whose weights are shipped
CANVAS = 96  # pixels that our own trunk takes


@dataclasses.dataclass(frozen=True)
class Row:
    """One row of Table 5.1."""

    trunk: str
    copies: str  # "original" or "processed"
    cut: str  # the last frozen layer; "" where all layers learn
    side: int = 0  # pixels of the input; 0: as in the thesis


ROWS = {
    "VGG16, original": Row("vgg16", "original", "block5_pool"),
    "InceptionV3, original": Row("inceptionv3", "original", "mixed10"),
    "VGG16, processed": Row("vgg16", "processed", "block5_pool"),
    "InceptionV3, processed": Row("inceptionv3", "processed", "mixed10"),
    "VGG16, one block": Row("vgg16", "processed", "block4_pool"),
    "VGG16, two blocks": Row("vgg16", "processed", "block3_pool"),
    "InceptionV3, entire": Row("inceptionv3", "processed", ""),
}
OWN = {  # what quick runs can train, and is small
    "small trunk, frozen": Row(SMALL, "processed", "trunk_end"),
    "small trunk, entire": Row(SMALL, "processed", ""),
}
LARGER = {
    f"{name}, {side} pixels": Row(trunk, "processed", cut, side)
    for side in (300, 416)
    for name, trunk, cut in (
        ("VGG16", "vgg16", "block5_pool"),
        ("InceptionV3", "inceptionv3", "mixed10"),
    )
}
# The augmentation that was given up; section 5.2.
FIRST = {"VGG16, first augmentation": Row("vgg16", "moved", "block5_pool")}
KNOWN = ROWS | OWN | LARGER | FIRST


class Trunk:
    """A trunk with its weights: maps of images at any layer, taken once.

    With `half` a large one computes in half precision where the CPU can.
    """

    def __init__(
        self, name, word, *, root, data, side=SIDE, canvas=CANVAS, seed=0, half=False
    ):
        self.name, self.side = name, canvas if name == SMALL else side
        policy = train.precision(large=half and name != SMALL).name
        how = {"root": root, "data": data, "side": self.side, "seed": seed}
        self.model, self.origin = build(name, word, policy=policy, **how)

    def maps(self, parts, cuts):
        """What each layer of `cuts` gives for the images of some parts, by one pass.

        `parts` is name -> Samples of any size; back comes name -> cut -> maps, and the
        images themselves for the cut "": there nothing is frozen.
        """
        if not parts:
            return {}
        x = np.concatenate([data.sized(part, self.side).x for part in parts.values()])
        frozen = sorted(filter(None, cuts))
        found = {"": x} if "" in cuts else {}
        if frozen:
            lower = _upto(self.model, tuple(frozen))
            maps = lower.predict(x, batch_size=32, verbose=0)
            found |= {cut: np.asarray(maps[cut], np.float32) for cut in frozen}
        ends = np.cumsum([len(part) for part in parts.values()])[:-1]
        divided = {cut: np.split(maps, ends) for cut, maps in found.items()}
        return {
            name: {cut: maps[i] for cut, maps in divided.items()}
            for i, name in enumerate(parts)
        }

    def below(self, cut):
        """How many numbers the frozen layers have."""
        if not cut:
            return 0
        return _upto(self.model, (cut,)).count_params()

    def rest(self, cut, *, seed, drop=DROP):
        """The network behind `cut`, ready to learn; the trunk itself stays as it is."""
        model = keras.models.clone_model(self.model)
        model.set_weights(self.model.get_weights())
        for layer in model.layers:
            layer.trainable = True
        output = head(model.output, seed=seed, drop=drop)
        whole = keras.Model(model.input, output, name=self.name)
        large = self.name != SMALL
        if not cut:
            return compiled(whole, gentle=large)
        maps = model.get_layer(cut).output
        behind = keras.Model(maps, whole.output, name=self.name)
        return compiled(behind, gentle=large and maps is not model.output)


@functools.lru_cache(maxsize=4)
def build(name, word, *, root, data, side, seed, policy="float32"):
    """A frozen trunk and the Origin of its weights; `word` is that of the run.

    Nothing changes a trunk, so the same one serves again: to compile takes longer.
    """
    if name != SMALL:
        word = TUNED[name] if word == "tuned" else word
        how = {"weights": word, "root": data, "seed": seed}
        with train.built(policy):
            return pretrained.trunk(name, (side, side, 1), **how)
    entry = keras.Input((side, side, 1))
    x = trunks.pairs(entry, seeds=counter_rng.Seeds(seed))
    x = keras.layers.Activation("linear", name="trunk_end")(x)
    model = keras.Model(entry, x, name=SMALL)
    origin = weights.resolve(word, root)
    weights.load_trunk(model, origin)
    model.trainable = False
    return model, origin


def head(x, *, seed, drop=DROP):
    """Probability of abnormal from maps: figure 3.5's last seven layers."""
    seeds = counter_rng.Seeds(seed)
    x = keras.layers.Dropout(drop[0], seed=seeds())(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    first = keras.initializers.GlorotUniform(seeds())
    x = keras.layers.Dense(256, activation="relu", kernel_initializer=first)(x)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(drop[1], seed=seeds())(x)
    first = keras.initializers.GlorotUniform(seeds())
    own = {"kernel_initializer": first, "dtype": "float32"}
    return keras.layers.Dense(1, activation="sigmoid", **own)(x)


def compiled(model, *, gentle=False, rate=None):
    """The model with loss and metrics of the thesis, sections 3.2 and 4.1.1.

    The optimiser is not printed; Adam is Keras' usual one.
    """
    model.compile(
        keras.optimizers.Adam(rate or (GENTLE if gentle else RATE)),
        "binary_crossentropy",
        metrics=[
            "accuracy",
            keras.metrics.AUC(name="AUC"),
            keras.metrics.Precision(name="precision"),
            keras.metrics.Recall(name="recall"),
        ],
    )
    return model


@functools.lru_cache(maxsize=4)
def _upto(model, cuts):
    """The network from images to the outputs of some layers, by name."""
    outputs = {cut: model.get_layer(cut).output for cut in cuts}
    return keras.Model(model.input, outputs)


def parameters(model):
    """How many numbers a network has, and how many of them learn."""
    return tuple(
        sum(math.prod(one.shape) for one in weights)
        for weights in (model.weights, model.trainable_weights)
    )
