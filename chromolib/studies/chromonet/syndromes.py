"""Several syndromes as classes: which number of chromosomes does a karyogram show?

`run(run, *, count, epochs)` -> Named: what ChromoNet says of unseen drawn patients

The paper speaks of Down and Turner syndrome, and learns normal against abnormal. Here
the same network has a class for each syndrome that a number of chromosomes makes, and
one for none of them. All karyograms are drawn, each of a patient of its own.
"""

import dataclasses

import numpy as np
import pandas as pd

from chromolib import records
from chromolib.data import compose
from chromolib.evidence import metrics
from chromolib.models import pictures, predict, protocols, samples
from chromolib.studies.chromonet import experiment, network
from chromolib.synth import abnormal, lab, sets

UNIT = "karyogram"
SYNDROMES = {  # the karyotypes of women and men
    "none": ("46,XX", "46,XY"),
    "Down": ("47,XX,+21", "47,XY,+21"),
    "Edwards": ("47,XX,+18", "47,XY,+18"),
    "Patau": ("47,XX,+13", "47,XY,+13"),
    "Turner": ("45,X",),
    "Klinefelter": ("47,XXY",),
}
PARTS = 0.5, 0.6  # of the patients: up to where they train, and choose the epoch
PURPOSE = 31  # of a patient's chance
SCORES = ("accuracy", "balanced accuracy")


@dataclasses.dataclass(frozen=True, eq=False)
class Named:
    """What the network says of the patients that test, and how right that is."""

    predictions: records.Predictions
    history: pd.DataFrame
    estimates: list


def run(run, *, count, epochs):
    """Train on so many drawn patients, and test on others."""
    seed, split = run.given("seed"), _split(drawn(count, seed=run.given("seed")))
    shape, classes = split.train.x.shape[1:], len(SYNDROMES)
    model = network.chromonet(shape, seed=seed, classes=classes)
    how = split, split.train, experiment.Sizes(epochs=epochs), seed
    trained = experiment.fitted(experiment.CHROMONET, model, *how)
    words = run.label | {"source": lab.SOURCE, "model": experiment.CHROMONET}
    words |= {"weights": "none", "protocol": "clean"}
    words |= {"conditions": {"unit": UNIT, "classes": "syndromes"}}
    predictions = predict.predict(trained.network, split.test, **words)
    names = (*SCORES, *(f"recall of {name}" for name in SYNDROMES))
    scores = metrics.measure(predictions, *names, rng=run.rng("syndromes"))
    return Named(predictions, trained.history, run.record_all(list(scores.values())))


def drawn(count, *, seed):
    """Karyograms of so many patients, each syndrome in turn, as Samples."""
    cells, names = [], list(SYNDROMES)
    label = np.array([names[k % len(names)] for k in range(count)])
    for patient, name in enumerate(label):
        rng = np.random.default_rng([seed, patient, PURPOSE])
        karyotype = str(rng.choice(SYNDROMES[name]))
        cells.append(lab.cell(karyotype, seed=seed + PURPOSE, patient=patient))
    images = sets.karyograms(cells, size=abnormal.SIZE, room=compose.ROOM)
    x = pictures.of(images, UNIT)
    return samples.Samples(x, label, images.group, images.name, tuple(names))


def _split(every):
    """Patients in the order they were drawn, which is no order of anything."""
    ends = [round(len(every) * share) for share in PARTS]
    parts = np.split(np.arange(len(every)), ends)
    train, validation, test = (every.take(part) for part in parts)
    return protocols.Split("clean", train, train, validation, test, test)
