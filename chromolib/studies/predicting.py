"""A trained model asked about images: one row an image, known truth or not.

`shipped(root, study)` -> the model that the repository holds for a study
`predict(model, facts, images)` -> Predictions, or a frame where no truth is known
`write(path, said)` -> the csv
"""

import pathlib

import numpy as np
import pandas as pd

from chromolib import records
from chromolib.data import adapters, compose
from chromolib.models import pictures, store
from chromolib.models import predict as predicting
from chromolib.runs import parameters, results


class PredictError(ValueError):
    """A model and images, or a place for the answers, that do not go together."""


def shipped(root, study):
    """The model of a study in data/models, if there is exactly one."""
    found = sorted((root / "data" / "models").glob(f"{study}-*{store.SUFFIX}"))
    if not found:
        raise PredictError(
            f"no model of {study} is shipped; make one with `chromolib run {study} "
            "-p profile=full` and name the .keras file in its folder: --model FILE"
        )
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise PredictError(f"{study} has several models ({names}); name one: --model")
    return found[0]


def vacant(path):
    """The path of a file to be written, or an error where something lies there."""
    path = pathlib.Path(path)
    if path.exists():
        raise PredictError(f"{path.name} exists; remove it or name another file")
    if not path.parent.is_dir():
        raise PredictError(f"{path.name}: its folder is not there; make it first")
    return path


def asked(source, data, on_error):
    """The parameters that `inputs.read` takes, checked; only real sources are read."""
    values = {"source": source, "data": data or "", "on_error": on_error}
    if source not in adapters.SOURCES:
        known = ", ".join(adapters.SOURCES)
        raise PredictError(f"no source {source!r}; known: {known}")
    if on_error not in parameters.CHOICES["on_error"]:
        raise PredictError(f"on_error={on_error!r}; known: refuse, skip")
    return values


def predict(model, facts, images):
    """What the model says of each image, with the words that tell where it is from.

    Predictions where every image has one of the model's classes for its truth; else a
    frame with the same first columns and the truth empty where it is unknown.
    """
    shows(images, facts["unit"], facts["classes"])
    if not len(images):
        raise PredictError(f"{images.source} has no image; name another source")
    own = images.source == facts["source"].partition(" (")[0]  # edited ones as well
    if set(images.label) & set(records.CLASSES):  # as those it learned from
        images = compose.straightened(images, orient=False, keep=True)
    x = pictures.of(images, facts["unit"], facts.get("scale") if own else None)
    columns = {
        "image": images.name,
        "group": images.group,
        "truth": truth(images, facts["classes"]),
        "probability": predicting.probabilities(model, x),
        "cell": images.cell,
    }
    words = {
        "source": images.origin,
        "study": facts["study"],
        "model": facts.get("model", ""),
        "weights": facts["weights"],
        "protocol": facts.get("protocol", ""),
        "profile": facts.get("profile", ""),
        "seed": facts["seed"],
        "conditions": {"unit": facts["unit"], "trained": facts["source"]},
    }
    classes = tuple(facts["classes"])
    if (columns["truth"] != "").all():
        return records.Predictions(**columns, **words, classes=classes)
    return _frame(columns, words, classes)


def shows(images, unit, classes):
    """Refuse images of another unit than the model was trained on, where they say.

    Images labelled with the model's own classes may show either.
    """
    if set(images.label) & set(classes):
        return
    single = set(images.label) & set(records.CLASSES)
    if single and unit != "chromosome":
        raise PredictError(
            f"{images.source} shows single chromosomes, and the model looks at one "
            f"{unit} an image; name a source of such images or another model"
        )
    if set(images.extra.get("status", ())) - {""} and unit == "chromosome":
        raise PredictError(
            f"{images.source} shows whole cells, and the model looks at single "
            "chromosomes; name a source of such images or another model"
        )


def truth(images, classes):
    """The class of each image as its source tells it, empty where it does not."""
    status = images.extra.get("status", images.label)
    told = np.where(np.isin(images.label, classes), images.label, status)
    return np.where(np.isin(told, classes), told, "")


def write(path, said):
    """Write what `predict` gave."""
    if isinstance(said, records.Predictions):
        results.predictions(path, [said])
    else:
        results.table(path, said)


def _frame(columns, words, classes):
    """The rows of `results.predictions`, the truth empty where nobody knows it."""
    chance = columns.pop("probability")
    best = chance.max(1)
    label = np.array(classes)[chance.argmax(1)]
    told = columns | {"label": label, "probability": best, "uncertainty": 1 - best}
    empty = {"refer": "", "assigned": ""}
    words = results.flat(words) | {"classes": "|".join(classes)}
    frame = pd.DataFrame(told).assign(**empty, **words)
    by_class = {results.OF + k: chance[:, i] for i, k in enumerate(classes)}
    return frame[list(results.ROW)].assign(**by_class)
