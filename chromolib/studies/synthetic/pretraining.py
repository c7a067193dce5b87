"""The trunk that is shipped: trained to classify synthetic chromosomes alone.

`pretrain(folder, cells=, epochs=, seed=)` -> Origin of the trunk written, with its card
"""

import keras
import numpy as np

from chromolib import records
from chromolib.data import splits
from chromolib.evidence import metrics
from chromolib.models import (
    augment,
    counter_rng,
    layers,
    pictures,
    small,
    store,
    trunks,
    weights,
)
from chromolib.models import train as training
from chromolib.runs import repository, results
from chromolib.studies.synthetic import data
from chromolib.synth import lab, singles

STUDY, UNIT, NAME = "pretraining", "chromosome", "trunk"
LOOK = "g"
PATIENTS = 503_000  # the lab's seed, plus one's own: patients that no other set holds
TEST, VALIDATION = 0.2, 0.1  # shares of the patients
BATCH = 64


class PretrainingError(ValueError):
    """A pretraining that cannot be done as requested."""


def pretrain(folder, *, cells, epochs, seed, log=lambda line: None):
    """Train the trunk on synthetic chromosomes and write it into a folder.

    Stopped and called again alike, it goes on after the last finished epoch.
    """
    if cells < 20 or epochs < 1:
        raise PretrainingError(
            f"{cells} cells and {epochs} epochs; 20 cells are the fewest whose "
            "patients can be divided, and 1 epoch"
        )
    train, validation, test = split(cells=cells, seed=seed)
    trunk, model = networks(seed=seed)
    small.ready(model, steps=epochs * -(-len(train) // BATCH))
    history = training.train(
        model,
        *arrays(train),
        epochs=epochs,
        seed=seed,
        batch=BATCH,
        validation=arrays(validation),
        checkpoint=folder / f".{weights.TRUNK}.checkpoint",
        log=log,
    )
    predictions = predict(model, test, seed=seed)
    rng = np.random.default_rng(seed)
    scores = [metrics.measure(predictions, "accuracy", rng=rng)["accuracy"]]
    facts = _facts(train, seed, scores)
    facts["epochs"] = int(history["best"].argmax() + 1)
    file = store.save(trunk, folder / f"{weights.TRUNK}{store.SUFFIX}", facts)
    return weights.resolve(file, folder)


def split(*, cells, seed):
    """Chromosomes to train on, to choose the epoch by, and to evaluate on.

    No two parts share a patient; all patients are normal.
    """
    images = singles.images(lab.cells(cells, look=LOOK, seed=PATIENTS + seed))
    images = images.take(np.isin(images.label, records.CLASSES))
    division = splits.divide(
        images, protocol="clean", test=TEST, validation=VALIDATION, seed=seed
    )
    parts = division.train, division.validation, division.test
    return [images.take(part) for part in parts]


def networks(*, seed, shape=(*pictures.CANVAS[UNIT], 1)):
    """The trunk, and around it a network that classifies into the 24 classes."""
    inputs, seeds = keras.Input(shape), counter_rng.Seeds(seed)
    flat = keras.layers.Flatten()(trunks.pairs(inputs, seeds=seeds))
    trunk = keras.Model(inputs, flat, name=NAME)
    entry = keras.Input(shape)
    mirrors = {"mirror": ("horizontal", "vertical")}
    settings = {layers.Orientation: mirrors, layers.Movement: augment.SMALL}
    x = trunk(augment.pipeline(settings, seed=seed)(entry))
    x = keras.layers.Dropout(0.3, seed=seed)(x)
    first = keras.initializers.GlorotUniform(seed)
    x = keras.layers.Dense(
        len(records.CLASSES), kernel_initializer=first, dtype="float32"
    )(x)
    return trunk, keras.Model(entry, x, name="classifier")


def arrays(images):
    """Pictures as the network sees them, and their classes one-hot."""
    classes = np.eye(len(records.CLASSES), dtype=np.float32)
    return pictures.of(images, UNIT), classes[data.class_index(images.label)]


def predict(model, images, *, seed):
    """The class of each image, as Predictions."""
    logits = model.predict(pictures.of(images, UNIT), batch_size=256, verbose=0)
    return records.Predictions(
        image=images.name,
        group=images.group,
        truth=images.label,
        label=np.array(records.CLASSES)[np.asarray(logits).argmax(1)],
        source=lab.SOURCE,
        study=STUDY,
        model=NAME,
        weights="none",
        protocol="clean",
        seed=seed,
        conditions={"look": LOOK, "part": "test"},
    )


def _facts(train, seed, scores):
    """What the trunk's card says."""
    commit = results.commit(repository.root())
    changed = " with changes" if commit["dirty"] else ""
    return {
        "study": STUDY,
        "unit": UNIT,
        "classes": records.CLASSES,
        "source": lab.SOURCE,
        "provenance": "synthetic",
        "n": len(train),
        "groups": len(set(train.group)),
        "seed": seed,
        "look": LOOK,
        "commit": f"{commit['commit'] or 'unknown'}{changed}",
        "scores": scores,
        "weights": weights.Origin("none").sentence,
    }
