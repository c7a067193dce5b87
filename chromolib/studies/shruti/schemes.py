"""The 16 schemes of the base paper: eight heads on either end of a frozen trunk.

`seen(run, few, trunk)` -> what the trunk makes of each image, computed once
`labels(run, few, maps, origin=, epochs=)` -> the report's head, on types and on cells
`run(run, few, maps, sizes=, origin=, trunk=)` -> a row a scheme

# Strategy: the schemes are names in a table, and the two approaches figures that the
text lacks. An FC(n) is taken for a layer without activation, as its name says beside
FC + ReLU, and two layers for the 4,096 of VGG itself. What differs between the
approaches makes each of eight pairs alike faster; approach 1 is taken to see the maps
whole and approach 2 their means, the global average pooling that the text names.
"""

import dataclasses
import gc
import itertools
import time

import keras
import numpy as np
import pandas as pd

from chromolib.evidence import metrics
from chromolib.models import counter_rng, fused, predict
from chromolib.runs import rows
from chromolib.studies.shruti import data, network, protocol

WIDE, DROP = 4096, 0.5  # of VGG's own layers
HEADS = ("no FC", "FC(4096)", "2 (FC + ReLU + dropout)", "Conv + BN", "FC(2048)")
HEADS += ("2 (FC + BN + ReLU)", "FC(5000)", "FC(6000)")  # as many as a profile takes
APPROACHES = "maps", "means"  # 1, 2
REPORT = "VGG head"
BATCH, WIDER = 32, 64  # of the report; of the schemes, whose batch is not told


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How many heads, and how long each learns."""

    heads: int = len(HEADS)
    epochs: int = 8


def seen(run, few, trunk):
    """The images as the trunk sees them; a run that was stopped has them kept."""
    file, parts = run.folder / "folds" / f"{trunk.name}.npz", {"seen": few.samples}
    how = [(layer.name, layer.output.shape) for layer in trunk.layers]
    kept = rows.read(file, parts, how)
    if kept is None:
        maps = trunk.predict(few.samples.x, verbose=0).astype(np.float16)
        kept = {"maps": maps}
        rows.write(file, parts, kept, how)
    return dataclasses.replace(few.samples, x=kept["maps"].astype(np.float32))


def head(shape, classes, *, approach, scheme, seed):
    """One scheme: what learns on the maps of a trunk, as logits."""
    seeds = counter_rng.Seeds(seed)
    entry = x = keras.Input(shape)

    def dense(x, width):
        first = keras.initializers.GlorotUniform(seeds())
        return keras.layers.Dense(width, kernel_initializer=first)(x)

    if scheme == "Conv + BN":
        first = keras.initializers.GlorotUniform(seeds())
        how = {"padding": "same", "kernel_initializer": first}
        x = keras.layers.Conv2D(shape[-1], 3, **how)(x)
        x = keras.layers.BatchNormalization()(x)
    ends = {"maps": keras.layers.Flatten, "means": keras.layers.GlobalAveragePooling2D}
    x = ends[approach]()(x)
    if scheme.startswith("FC("):
        x = dense(x, int(scheme[3:-1]))
    for _ in range(2 if scheme.startswith("2 ") else 0):
        x = dense(x, WIDE)
        normal = "BN" in scheme
        x = keras.layers.BatchNormalization()(x) if normal else x
        x = keras.layers.ReLU()(x)
        x = x if normal else keras.layers.Dropout(DROP, seed=seeds())(x)
    model = keras.Model(entry, dense(x, classes), name="head")
    return network.learning(model)


def labels(run, few, maps, *, origin, epochs):
    """The report's head on the first fold of each protocol, by either label.

    Its classes are as many as the data set has cells. An image of a cell that was not
    learned from has no class to be named, so the clean protocol leaves it none right.
    """
    estimates, how = [], {"approach": "maps", "scheme": "no FC", "origin": origin}
    for what, part in {"types": maps, "cells": data.by_cell(maps)}.items():
        for name in run.protocols:
            words = {"model": REPORT, "conditions": {"labels": what}}
            how |= {"epochs": epochs, "batch": BATCH}
            said, *_ = _learned(run, few, part, name, words, **how)
            rng = run.rng(f"{REPORT} {what} {name}")
            estimates += metrics.measure(said, "accuracy", rng=rng).values()
    return run.record_all(estimates)


def run(run, few, maps, *, sizes, origin, trunk):
    """Each scheme on the first fold of the first protocol: scores, and what it costs.

    What seeing the cell before is worth, the report's head says.
    """
    each, name = _pace(trunk, few.samples.x), run.protocols[0]
    rows = []
    for approach, scheme in itertools.product(APPROACHES, HEADS[: sizes.heads]):
        how = {"approach": approach, "scheme": scheme, "origin": origin}
        model = f"{approach}, {scheme}"
        words = {"model": model, "conditions": {"labels": "types"}}
        how |= {"epochs": sizes.epochs, "batch": WIDER}
        said, head, took = _learned(run, few, maps, name, words, **how)
        rng = run.rng(f"{model} {name}")
        found = metrics.measure(said, "accuracy", "macro F1", rng=rng)
        run.record_all(found.values())
        row = {"approach": f"{APPROACHES.index(approach) + 1}: {approach}"}
        row |= {"scheme": scheme, "protocol": name, **found}
        row |= {"parameters": head.count_params(), "s to train": round(took, 1)}
        pace = each + _pace(head, maps.x)
        rows.append(row | {"ms an image": round(1e3 * pace, 2)})
    return pd.DataFrame(rows)


def _learned(run, few, part, name, words, *, approach, scheme, origin, epochs, batch):
    """What a head says of the first fold of a protocol, the head, and its seconds."""
    gc.collect()  # the head before: up to 3 GB, which refer to one another
    seed = run.given("seed")
    split = next(protocol.folds(few, protocol=name, seed=seed, part=part))
    shape, classes = part.x.shape[1:], len(part.classes)
    model = head(shape, classes, approach=approach, scheme=scheme, seed=seed)
    model = fused.fused(model)
    keras.utils.set_random_seed(seed)
    began = time.perf_counter()
    model.fit(*split.train.xy, batch_size=batch, epochs=epochs, verbose=0)
    took = time.perf_counter() - began
    words = run.label | words | {"source": few.images.origin, "protocol": name}
    said = predict.predict(model, split.test, **words, weights=origin.word)
    return said, model, took


def _pace(model, x):
    """Seconds an image, once what is compiled is compiled."""
    part = x[:WIDER]
    model.predict(part, batch_size=len(part), verbose=0)
    began = time.perf_counter()
    model.predict(part, batch_size=len(part), verbose=0)
    return (time.perf_counter() - began) / len(part)
