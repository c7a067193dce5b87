"""The trunk that is shipped: trained to name synthetic chromosomes, and nothing else.

`pretrain(folder, ...)` -> Origin of the trunk written there, with facts and card
"""

import dataclasses

import keras
import numpy as np

from chromolib import records
from chromolib.data import splits
from chromolib.evidence import metrics
from chromolib.models import augment, pictures, small, train, weights
from chromolib.runs import repository, results
from chromolib.studies.chromonet import network as chromonet
from chromolib.synth import lab, singles

STUDY, UNIT, NAME = "pretraining", "chromosome", "trunk"
PATIENTS = 503_000  # the lab's seed, plus one's own: patients that no other set holds
TEST, VALID = 0.2, 0.1  # shares of the patients
BATCH = 64


class PretrainingError(ValueError):
    """A pretraining that cannot be done as asked."""


@dataclasses.dataclass(frozen=True)
class Lesson:
    """How much is learned."""

    cells: int = 400
    epochs: int = 12
    seed: int = 0
    look: str = "g"

    def __post_init__(self):
        if self.cells < 20 or self.epochs < 1:
            raise PretrainingError(
                f"{self.cells} cells and {self.epochs} epochs; 20 cells are the fewest "
                "whose patients can be divided, and 1 epoch"
            )


def pretrain(folder, lesson, *, say=None):
    """Train the trunk on synthetic chromosomes and write it into a folder.

    Stopped and called again alike, it goes on after the last finished epoch.
    """
    parts = divided(lesson)
    trunk, model = network(seed=lesson.seed)
    inside = [(pictures.of(part, UNIT), _wanted(part)) for part in parts]
    steps = -(-len(parts[0]) // BATCH)
    small.ready(model, steps=steps * lesson.epochs)
    told = train.fit(
        model,
        *inside[0],
        epochs=lesson.epochs,
        seed=lesson.seed,
        batch=BATCH,
        valid=inside[1],
        keep=folder / f".{weights.TRUNK}.kept",
        say=say,
    )
    score = _score(model, inside[2][0], parts[2], lesson)
    facts = _facts(parts[0], lesson, score) | {"epochs": int(told["best"].argmax() + 1)}
    return weights.save_trunk(trunk, folder / f"{weights.TRUNK}{weights.SUFFIX}", facts)


def divided(lesson):
    """Chromosomes to learn from, to choose the epoch by, and to judge by.

    No two parts share a patient; all patients are normal.
    """
    drawn = lab.cells(lesson.cells, look=lesson.look, seed=PATIENTS + lesson.seed)
    images = singles.images(drawn)
    images = images.take(np.isin(images.label, records.CLASSES))
    words = {"protocol": "clean", "test": TEST, "validation": VALID}
    split = splits.divide(images, **words, seed=lesson.seed)
    return [images.take(one) for one in (split.train, split.validation, split.test)]


def network(*, seed, shape=None):
    """ChromoNet's trunk, and around it a network that names the 24 classes."""
    shape = shape or (*pictures.CANVAS[UNIT], 1)
    whole = chromonet.network(shape, seed=seed)
    trunk = keras.Model(whole.input, whole.get_layer("head_dense").input, name=NAME)
    entry = keras.Input(shape)
    x = trunk(augment.build("chromonet", seed=seed, background=0.0)(entry))
    first = keras.initializers.GlorotUniform(seed)
    x = keras.layers.Dropout(0.3, seed=seed)(x)
    words = {"kernel_initializer": first, "dtype": "float32"}
    x = keras.layers.Dense(len(records.CLASSES), **words)(x)
    return trunk, keras.Model(entry, x, name="namer")


def _wanted(part):
    number = {name: i for i, name in enumerate(records.CLASSES)}
    which = [number[name] for name in part.label]
    return np.eye(len(records.CLASSES), dtype=np.float32)[which]


def _score(model, shown, part, lesson):
    """The accuracy on patients that were held out."""
    logits = model.predict(shown, batch_size=256, verbose=0)
    said = records.Predictions(
        image=part.name,
        group=part.group,
        truth=part.label,
        label=np.array(records.CLASSES)[np.asarray(logits).argmax(1)],
        source=lab.SOURCE,
        study=STUDY,
        model=NAME,
        weights="none",
        protocol="clean",
        seed=lesson.seed,
        conditions={"look": lesson.look, "part": "test"},
    )
    rng = np.random.default_rng(lesson.seed)
    return metrics.measure(said, "accuracy", rng=rng)["accuracy"]


def _facts(part, lesson, score):
    made = results.commit(repository.root())
    changed = " with changes" * bool(made["dirty"])
    return {
        "study": STUDY,
        "unit": UNIT,
        "classes": records.CLASSES,
        "source": lab.SOURCE,
        "provenance": "synthetic",
        "n": len(part),
        "groups": len(set(part.group)),
        "seed": lesson.seed,
        "look": lesson.look,
        "commit": f"{made['commit'] or 'unknown'}{changed}",
        "scores": [score],
        "weights": weights.Origin("none").sentence,
    }
