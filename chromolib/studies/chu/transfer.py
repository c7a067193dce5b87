"""Does transfer help: by how much, at how many images, and up to which layer?

`run(run, karyograms, *, sizes)` -> Estimates of a linear probe on frozen maps

# Strategy: maps of a layer are averaged over places, as the thesis' head does, and a
logistic regression learns from ever more source images. It costs a pass of the trunk
an image, so that layers, weights and numbers of images can all be crossed. Every
difference is on the same unseen images.
"""

import dataclasses

import numpy as np
import pandas as pd
from sklearn import linear_model, pipeline, preprocessing

from chromolib.evidence import between, metrics
from chromolib.models import predict
from chromolib.studies.chu import network

CUTS = {
    "vgg16": ("block3_pool", "block4_pool", "block5_pool"),
    "inceptionv3": ("mixed2", "mixed7", "mixed10"),
    "mobilenet": ("conv_pw_3_relu", "conv_pw_11_relu", "conv_pw_13_relu"),
    network.SMALL: ("trunk_end",),
}
SCORE = "AUROC of abnormal"
SOFT = 0.01  # inverse strength of the penalty: more numbers than images


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large the comparison is; nothing else may depend on the profile."""

    trunks: tuple = tuple(CUTS)
    images: tuple = (20, 50, 100, 200)  # as far as there are so many


def run(run, karyograms, *, sizes):
    """Each trunk with weights and without, at each layer and number of images."""
    estimates, rng = [], run.rng("transfer")
    for name in sizes.trunks:
        words = {network.SMALL: "domain"}.get(name, run.given("weights"))
        if words == "none":  # nothing to compare with
            continue
        said = {}
        for word in (words, "none"):
            said |= _probed(run, karyograms, name, word, sizes)
        estimates += [metrics.measure(p, SCORE, rng=rng)[SCORE] for p in said.values()]
        estimates += [
            _gain(said[words, *key], said["none", *key], rng)
            for word, *key in said
            if word == words
        ]
    return run.record_all(estimates)


def layers(maps):
    """(n, channels) mean of each map."""
    return maps.mean((1, 2))


def probe(train, labels, test, *, seed):
    """(n, 2) chances that a linear model of the training rows gives the test rows."""
    model = pipeline.make_pipeline(
        preprocessing.StandardScaler(),
        linear_model.LogisticRegression(C=SOFT, class_weight="balanced", max_iter=500),
    )
    return model.fit(train, labels).predict_proba(test)


def counts(pool, wanted):
    """How many images each probe learns from: those wanted, as far as there are any."""
    return sorted({min(count, len(pool)) for count in wanted})


def _probed(run, karyograms, name, word, sizes):
    """(word, layer, count) -> Predictions of the unseen images."""
    seed, pool, unseen = run.given("seed"), karyograms.pool, karyograms.unseen
    how = {"root": run.root, "data": str(run.data), "seed": seed}
    trunk = network.Trunk(name, word, half=True, **how)
    seen = trunk.maps({"pool": pool, "unseen": unseen}, CUTS[name])
    order = pd.Series(run.rng("transfer order").permutation(len(pool)))
    found = {}
    for cut in CUTS[name]:
        train, test = (layers(maps[cut]) for maps in seen.values())
        for count in counts(pool, sizes.images):
            rows = _some(pool, order, count)
            chance = probe(train[rows], pool.y[rows], test, seed=seed)
            words = run.label | {
                "source": karyograms.source,
                "model": f"linear probe of {name}",
                "weights": trunk.origin.word,
                "protocol": "clean",
                "conditions": {"layer": cut, "images": count},
            }
            found[word, cut, count] = predict.predictions(unseen, chance, **words)
    return found


def _some(pool, order, count):
    """So many images in a given order, as many of each label as in the whole, but one
    of each at least."""
    label = pool.label[order]
    taken = [
        order[label == name][: max(1, round(count * (label == name).mean()))]
        for name in pool.classes
    ]
    return np.concatenate(taken)


def _gain(first, second, rng):
    """By how much weights improve a probe, on the same images."""
    (one,) = between.paired(first, second, SCORE, rng=rng).values()
    conditions = one.conditions | {"gain of": "weights"}
    return dataclasses.replace(one, model=first.model, conditions=conditions)
