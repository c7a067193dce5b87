"""What learns in the study: the report's head on VGG19, our own small network, and a
classical model of what was measured before networks looked.

`trunk(shape, *, weights, root, side, seed)` -> VGG, frozen, from images to maps
`ours(train, *, steps, seed, upright)` -> a small network of straight chromosomes
`hand_made(train, *, seed, upright)` -> a classical model of sizes, bands and widths
`by_hand(model, x, *, upright)` -> what that says
"""

import keras
import numpy as np
import pandas as pd
from sklearn import kernel_approximation, linear_model, pipeline, preprocessing

from chromolib import records
from chromolib.models import features, pretrained, small

RATE = 1e-3  # of the report
LANDMARKS, SOFT = 600, 30.0  # of the kernel; inverse strength of the penalty
HED = "hed"  # weights of VGG16 for edges


def trunk(shape, *, weights, root, side, seed):
    """VGG19 from straight chromosomes to maps, frozen, and where its weights are from.

    They are drawn out to a square, as in the report. The trunk that can be had offline
    is VGG16 instead, tuned for the edges of photographs: it sees them as they are, and
    is cut where that later life has spoiled it least.
    """
    if weights == HED:
        return pretrained.trunk(
            "vgg16", shape, weights=weights, root=root, end="block4_pool"
        )
    vgg, origin = pretrained.trunk(
        "vgg19", (side, side, 1), weights=weights, root=root, seed=seed
    )
    layers = keras.Input(shape), keras.layers.Resizing(side, side), vgg
    return keras.Sequential(layers, name=vgg.name), origin


def learning(model):
    """The head compiled as the report trains it."""
    model.compile(
        keras.optimizers.Adam(RATE),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def ours(train, *, seed, upright, augment=True):
    """The small network."""
    return small.bands(
        train.x.shape[1:],
        len(train.classes),
        seed=seed,
        mirror=("horizontal",) if upright else ("horizontal", "vertical"),
        augment=augment,
    )


def hand_made(train, *, seed, upright):
    """Logistic regression under a Gaussian kernel on what used to be measured.

    Length and area, the density along the axis, and the width along it, whose waist is
    the centromere. What is not known to stand upright is measured from both ends.
    """
    measures = _measured(train.x)
    label = train.label
    if not upright:
        measures = pd.concat([measures, _measured(train.x[:, ::-1])])
        label = np.r_[label, label]
    kernel = kernel_approximation.Nystroem(
        gamma=1 / measures.shape[1],
        n_components=min(LANDMARKS, len(measures)),
        random_state=seed,
    )
    return pipeline.make_pipeline(
        preprocessing.StandardScaler(),
        kernel,
        linear_model.LogisticRegression(C=SOFT, max_iter=300),
    ).fit(measures, label)


def by_hand(model, x, *, upright):
    """(n, 24) mean probability over both ends up, unless that is known."""
    views = [x] if upright else [x, x[:, ::-1]]
    said = np.mean([model.predict_proba(_measured(view)) for view in views], axis=0)
    chance = np.zeros((len(x), len(records.CLASSES)))
    chance[:, pd.Index(records.CLASSES).get_indexer(model.classes_)] = said
    return chance


def _measured(x):
    table = features.table(x)
    return table[[name for name in table if name.startswith(("size", "band"))]].astype(
        float
    )
