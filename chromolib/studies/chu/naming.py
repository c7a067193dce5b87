"""Classify and assign: each chromosome of a karyogram named, and the names counted.

`learned(split, *, steps, karyograms, seed)` -> Namer: network, temperature, penalty
`Namer.scores(images)` -> (n,) how abnormal the counts of each karyogram are
`Namer.reports(images)` -> a row a karyogram: its karyotype and how sure that is

Strategy: a karyogram says by its places which chromosome is which, so the pieces of
karyograms that train need no other label. On unseen ones each piece is named without
its place, then all pieces of a karyogram jointly (cyto.assign), and counted.
"""

import dataclasses
import functools
import time

import keras
import numpy as np
import pandas as pd
from sklearn import metrics

from chromolib import records
from chromolib.cyto import assign, diagnose, iscn
from chromolib.evidence import calibration
from chromolib.models import inputs, predict, samples, small
from chromolib.studies.chu import cutting, layout

NAME = "classify and assign"
UPRIGHT = True  # in a karyogram short arms are up
COLUMNS = ("image", "pieces", "karyotype", "name", "confidence", "changes")


@dataclasses.dataclass(frozen=True, eq=False)
class Namer:
    """A network that names chromosomes, and what validation karyograms chose."""

    model: keras.Model
    temperature: float
    penalty: float  # of a copy more or fewer than usual
    seconds: float

    @property
    def parameters(self):
        """How many numbers the network has."""
        return self.model.count_params()

    def named(self, images):
        """Predictions of each piece of some karyograms, truth being its place."""
        said = _said(self.model, single(images))
        return calibration.temperature_scaled(said, self.temperature)

    def reports(self, images):
        """A row a karyogram: what it holds by the names of its pieces."""
        return _reported(self, images)

    def scores(self, images):
        """(n,) copies more or fewer than usual, or how unsure it is that none are."""
        return _scores(self.reports(images))


def learned(split, *, steps, karyograms, seed):
    """A network that learned the pieces of so many training karyograms of a split."""
    started = time.monotonic()
    rng = np.random.default_rng(seed)
    chosen = rng.permutation(len(split.train))[:karyograms]
    layout.checked(split.sources)
    train = single(split.train.take(np.sort(chosen)))
    model = small.bands(train.x.shape[1:], len(train.classes), seed=seed)
    small.train(model, train.x, train.y, steps=steps, seed=seed)
    held = _said(model, single(split.validation))
    temperature = calibration.temperature(held)
    held = calibration.temperature_scaled(held, temperature)
    penalty = choose_penalty(split.validation, held)
    seconds = time.monotonic() - started
    return Namer(model, temperature, penalty, seconds)


def single(images):
    """The pieces of karyograms as straight chromosomes; label is where each stands."""
    pieces = cutting.pieces(images)
    if not len(pieces):
        raise layout.LayoutError("no chromosome in any karyogram; are they empty?")
    crops = cutting.crops(images, pieces)
    x, _ = inputs.laid(crops, canvas=inputs.STRAIGHT)  # 416 pixels show no more
    classes = np.array(records.CLASSES)
    label = classes[layout.standing(pieces, images.x.shape[1])]
    return samples.Samples(
        x, label, images.group[pieces.image], crops.name, records.CLASSES, crops.cell
    )


def choose_penalty(images, named):
    """The penalty by which validation karyograms are told apart best; of equals, the
    one in the middle."""
    right = []
    for penalty in assign.PENALTIES:
        scores = _scores(_reports(images, named, penalty))
        right.append(metrics.roc_auc_score(images.y, scores))
    best = np.flatnonzero(np.array(right) == max(right))
    return assign.PENALTIES[best[len(best) // 2]]


@functools.lru_cache(maxsize=8)  # of the same karyograms it is asked more than once
def _reported(namer, images):
    return _reports(images, namer.named(images), namer.penalty)


def _said(model, single):
    chance = predict.views(model, single.x, upright=UPRIGHT)
    return predict.predictions(single, chance, source="pieces")


def _reports(images, named, penalty):
    """A row a karyogram, also where nothing was found in it."""
    of_cell = {
        str(named.cell[which[0]]): named.probability[which]
        for which in assign.members(named.group, named.cell)
    }
    nothing = np.zeros((0, len(records.CLASSES)))
    rows = [
        (str(name), *_report(of_cell.get(str(name), nothing), penalty))
        for name in images.image
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _report(chance, penalty):
    """Pieces, karyotype, its name, confidence, and copies more or fewer than usual."""
    if not 0 < len(chance) <= assign.MOST:
        return len(chance), "", "", 1.0, abs(len(chance) - diagnose.WHOLE)
    classes, _ = assign.cell(chance, penalty=penalty)
    sure = assign.confidence(chance, classes, penalty=penalty)
    counts = np.bincount(classes, minlength=len(records.CLASSES))
    changes = min(int(abs(counts - usual).sum()) for usual in assign.USUAL.values())
    found = diagnose.karyotype(np.array(records.CLASSES)[classes])
    if found is None:
        return len(chance), "", "", sure, changes
    return len(chance), iscn.write(found), iscn.describe(found), sure, changes


def _scores(reports):
    """How many copies are off; of 46, the less sure the names, the nearer to 1.

    Other names make 46 pieces normal or abnormal, but no other number of them.
    """
    changes, unsure = reports["changes"], 1 - reports["confidence"]
    either = np.where(changes > 0, changes - unsure, unsure)
    return np.where(reports["pieces"] == diagnose.WHOLE, either, changes).astype(float)
