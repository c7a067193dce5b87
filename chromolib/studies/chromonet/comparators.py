"""The networks that the paper names as its forerunners, at the size of its own.

`lenet5`, `alexnet`, `googlenet`, `densenet` `(shape, *, seed)` -> compiled networks
`run(run, grid, names)` -> Compared: each by each protocol, with its estimates
`table(compared)` -> a row a network: parameters, seconds, scores by protocol

# Strategy: the paper names LeNet-5, AlexNet, VGG, GoogLeNet and ResNet (section 1) and
compares itself with none. Each has its own idea here, its order of layers, and the
width that two cores can train; VGG's idea is ChromoNet's as we read it. All learn from
the same images as long as ChromoNet does.
"""

import dataclasses

import keras
import pandas as pd

from chromolib.models import counter_rng
from chromolib.studies.chromonet import experiment, network

GROWTH, DEPTH = 8, 3  # maps that a layer of DenseNet adds; layers of a block
BLOCKS = (16, 24, 32)  # maps of each branch of GoogLeNet's blocks
SCORES = ("accuracy", "AUROC of abnormal")


class _Maker:
    """Layers whose first weights follow from one seed."""

    def __init__(self, seed):
        self.seeds = counter_rng.Seeds(seed)

    def conv(self, x, filters, size, *, strides=1, activation="relu"):
        """A convolution that keeps the size, but for its strides."""
        return keras.layers.Conv2D(
            *(filters, size, strides),
            padding="same",
            activation=activation,
            kernel_initializer=keras.initializers.HeNormal(self.seeds()),
        )(x)

    def dense(self, x, units, activation="relu"):
        """A fully connected layer."""
        first = keras.initializers.GlorotUniform(self.seeds())
        return keras.layers.Dense(units, activation, kernel_initializer=first)(x)

    def dropped(self, x, rate):
        """The same with a share left out while learning."""
        return keras.layers.Dropout(rate, seed=self.seeds())(x)

    def model(self, inputs, x, name):
        """The network that ends in the study's logits, compiled."""
        logits = network.logits(x, self.seeds)
        return network.compiled(keras.Model(inputs, logits, name=name))


def lenet5(shape, *, seed):
    """LeCun and others 1998: two convolutions, averages between them, tanh."""
    make, inputs = _Maker(seed), keras.Input(shape)
    x = make.conv(inputs, 6, 5, activation="tanh")
    x = make.conv(keras.layers.AveragePooling2D(2)(x), 16, 5, activation="tanh")
    x = keras.layers.Flatten()(keras.layers.AveragePooling2D(4)(x))
    x = make.dense(make.dense(x, 120, "tanh"), 84, "tanh")
    return make.model(inputs, x, "lenet5")


def alexnet(shape, *, seed):
    """Krizhevsky and others 2012, an eighth as wide: large first, then three in a row,
    two dropped layers at the end."""
    make, inputs = _Maker(seed), keras.Input(shape)
    x = keras.layers.MaxPooling2D(3, 2)(make.conv(inputs, 12, 11, strides=2))
    x = keras.layers.MaxPooling2D(3, 2)(make.conv(x, 32, 5))
    for filters in (48, 48, 32):
        x = make.conv(x, filters, 3)
    x = keras.layers.Flatten()(keras.layers.MaxPooling2D(3, 2)(x))
    for _ in range(2):
        x = make.dropped(make.dense(x, 64), 0.5)
    return make.model(inputs, x, "alexnet")


def googlenet(shape, *, seed):
    """Szegedy and others 2015, three of its nine blocks: windows of several sizes side
    by side, and a mean over places at the end."""
    make, inputs = _Maker(seed), keras.Input(shape)
    x = keras.layers.MaxPooling2D(2)(make.conv(inputs, 16, 7, strides=2))
    for width in BLOCKS:
        pooled = keras.layers.MaxPooling2D(3, 1, padding="same")(x)
        sides = [
            make.conv(x, width, 1),
            make.conv(make.conv(x, width // 2, 1), width, 3),
            make.conv(make.conv(x, width // 4, 1), width // 2, 5),
            make.conv(pooled, width // 2, 1),
        ]
        x = keras.layers.MaxPooling2D(2)(keras.layers.Concatenate()(sides))
    x = make.dropped(keras.layers.GlobalAveragePooling2D()(x), 0.4)
    return make.model(inputs, x, "googlenet")


def densenet(shape, *, seed):
    """Huang and others 2017, three blocks of three: each layer sees all before it."""
    make, inputs = _Maker(seed), keras.Input(shape)
    x = make.conv(inputs, 2 * GROWTH, 5, strides=2, activation=None)
    for block in range(3):
        for _ in range(DEPTH):
            own = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
            own = make.conv(own, GROWTH, 3, activation=None)
            x = keras.layers.Concatenate()([x, own])
        if block < 2:
            x = make.conv(x, x.shape[-1] // 2, 1, activation=None)
            x = keras.layers.AveragePooling2D(2)(x)
    x = keras.layers.ReLU()(keras.layers.BatchNormalization(momentum=0.9)(x))
    return make.model(inputs, keras.layers.GlobalAveragePooling2D()(x), "densenet")


NETWORKS = {
    "LeNet-5": lenet5,
    "AlexNet": alexnet,
    "GoogLeNet": googlenet,
    "DenseNet": densenet,
}


@dataclasses.dataclass(frozen=True, eq=False)
class Compared:
    """Networks that learned from the same images, and how right each is."""

    trained: list  # of experiment.Trained, ChromoNet first
    estimates: list


def run(run, grid, names):
    """Train the networks of these names by each protocol of the grid."""
    trained, predictions = [], []
    for protocol in run.protocols:
        first = grid.chromonet(protocol)
        predictions.append(grid.pick(protocol))
        trained.append(first)
        for name in names:
            model = NETWORKS[name](first.split.train.x.shape[1:], seed=grid.seed)
            how = first.split, first.split.train, grid.sizes, grid.seed
            one = experiment.fitted(name, model, *how)
            predictions += experiment.predict_with(one, grid.images, grid.words)
            trained.append(one)
    estimates = experiment.score(predictions, rng=run.rng("comparators"))
    rng = run.rng("against comparators")
    for protocol in run.protocols:
        estimates += experiment.differences(predictions, protocol, rng=rng)
    ours = [one for one in estimates if one.model != experiment.CHROMONET]
    run.record_all(ours)
    return Compared(trained, estimates)


def table(compared):
    """A row a network: parameters, seconds to learn, and its scores by protocol."""
    rows = {}
    for one in compared.trained:
        row = rows.setdefault(one.model, {"network": one.model})
        row["parameters"] = one.network.count_params()
        row[f"seconds, {one.split.protocol}"] = round(one.seconds, 1)
    for one in compared.estimates:
        if one.quantity in SCORES and "tested" not in one.conditions:
            rows[one.model][f"{one.quantity}, {one.protocol}"] = str(one)
    return pd.DataFrame(rows.values())
