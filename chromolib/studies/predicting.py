"""A trained model asked about images: one row an image, known truth or not.

`shipped(root, study)` -> the model that the repository holds for a study
`trainable(study)` -> the room that trains that model
`scored(facts, anyway)` -> its scores in words; refuses a model no better than chance
`predict(model, facts, images)` -> Predictions, or a frame where no truth is known
`referred(said)` -> which images are no picture of what the model looks at, in words
`karyotypes(facts, said)` -> a row a cell, of a model that names 24 classes
`write(path, said)` -> the csv
"""

import importlib
import pathlib
import types
import zlib

import numpy as np
import pandas as pd
from scipy import spatial

from chromolib import files, records
from chromolib.cyto import assign, diagnose
from chromolib.data import adapters, compose
from chromolib.imaging import segment
from chromolib.models import inputs, pictures, store
from chromolib.models import predict as predicting
from chromolib.runs import parameters, results

SHORTEST = 8  # pixels of a side; the smallest in PKI-3 is 9
SLIMMEST = 20  # times as long as wide; the slimmest in PKI-3 is 9.6
NAMED = 5  # of the images that are referred
LOOKED = 50  # images: enough to tell karyograms from metaphases
PAIRED = 0.5  # of boxes: at least 0.96 in real and drawn karyograms, 0.17 in metaphases
SCORES = "accuracy", "balanced accuracy", "AUROC"  # that are told of a model
SHIPS = "shipping"  # the room of a study with a model to ship
FIRST = {"shruti": "chromosome"}  # of several shipped models, the one that is meant
SURE = 0.9  # below this confidence a person should look at a cell
STRAIGHT = "straight"  # the view of models that learned from chromosomes laid so
VIEWS = pictures.CANVAS | {STRAIGHT: inputs.FINE}
MANY = {
    "chromosome": "single chromosomes",
    "karyogram": "karyograms",
    "metaphase": "metaphases",
    "cell": "whole cells",
}


class PredictError(ValueError):
    """A model and images, or a place for the answers, that do not go together."""


def shipped(root, study, *, of="", suffix=store.SUFFIX, option="--model"):
    """The model of a study in data/models, of these images, if there is exactly one."""
    found = sorted((root / "data" / "models").glob(f"{study}-{of}*{suffix}"))
    if not found:
        raise PredictError(
            f"no model of {study} is shipped; make one with `chromolib run {study} "
            f"-p profile=full` and name the {suffix} file in its folder: {option} FILE"
        )
    if len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise PredictError(f"{study} has several models ({names}); name one: {option}")
    return found[0]


def trainable(study):
    """The room `shipping` of a study, where it trains a model to ship."""
    try:
        return importlib.import_module(f"chromolib.studies.{study}.{SHIPS}")
    except ModuleNotFoundError as missing:
        if not f"{missing.name}".startswith("chromolib."):
            raise
        raise PredictError(
            f"`chromolib train` is not for {study}; train its networks with `chromolib "
            f"run {study}`"
        ) from None


def scored(facts, *, anyway=False):
    """The main scores of a model's card, in words.

    Raises PredictError where chance lies in the interval of one, unless `anyway`.
    """
    lines = []
    for one in facts["scores"]:
        name = one["quantity"].partition(" of ")[0]
        if name not in SCORES:
            continue
        lines.append(store.score(one))
        chance = 0.5 if name == "AUROC" else 1 / len(facts["classes"])
        if name != SCORES[0] and one["low"] <= chance and not anyway:
            raise PredictError(
                f"the model is no better than chance ({records.digits(chance)}): "
                f"{lines[-1]}; train a better one, or ask it all the same: --anyway"
            )
    told = "".join(f"\n  {line}" for line in lines)
    return f"Its card says:{told or ' nothing of its accuracy.'}"


def vacant(path):
    """The path of a file to be written, tried before hours go into its rows."""
    path = pathlib.Path(path)
    try:
        if path.exists():
            raise PredictError(f"{path.name} exists; remove it or name another file")
        if not path.parent.is_dir():
            raise PredictError(f"{path.name}: its folder is not there; make it first")
        with files.replacing(path) as partial:
            partial.touch()
        path.unlink()
    except OSError as error:
        raise _unwritable(path, error) from None
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
    if not len(images):
        raise PredictError(f"{images.source} has no image; name another source")
    own = images.source == facts["source"].partition(" (")[0]  # edited ones as well
    shown = shows(images, facts["unit"], facts["classes"], own=own)
    canvas = VIEWS.get(facts.get("view", facts["unit"]))
    if canvas is None or model.input_shape != (None, *canvas, 1):
        raise PredictError(
            f"the model looks at {facts['unit']} pictures of {model.input_shape[1:]}, "
            f"which nothing here makes; train it with `chromolib run`"
        )
    named = own and images.source in adapters.NAMED  # a layout's name is anybody's
    asks = facts["unit"] == "karyogram" and shown != "karyogram" and not named
    odd = _no_karyograms(images) if asks else np.zeros(len(images), bool)
    shape = np.asarray(images.pixels.shape)
    with np.errstate(invalid="ignore"):  # what is no number is refused
        if facts.get("view") == STRAIGHT:
            x, sound = inputs.laid(images, canvas=canvas)
            probability = predicting.views(model, x, upright=False)
        else:
            x, sound = _pictures(images, facts, own), True
            probability = predicting.probabilities(model, x)
    if not np.isfinite(probability).all():
        raise PredictError("the model's answers are no numbers; take another model")
    columns = {
        "image": images.name,
        "group": images.group,
        "truth": truth(images, facts["classes"]),
        "probability": probability,
        "refer": doubtful(shape, x)
        | odd
        | ~np.broadcast_to(sound, len(x))
        | twice(images, x),
        "cell": images.cell,
    }
    if facts.get("penalty") and tuple(facts["classes"]) == records.CLASSES:
        cells = images.group, images.cell, probability, facts["penalty"]
        columns["assigned"] = assign.named(*cells)
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


def _pictures(images, facts, own):
    """Images as those that a model of pictures learned from."""
    if set(images.label) & set(records.CLASSES):
        images = compose.straightened(images, orient=False, keep=True)
    return pictures.of(images, facts["unit"], facts.get("scale") if own else None)


def shows(images, unit, classes, *, own=False):
    """What one image shows; refused where it says another unit than the model's.

    Images without boxes, labelled with the model's own classes, may show either. Of its
    own source a model of whole cells takes what it was given in training.
    """
    shown = _unit(images, classes)
    whole = shown == "cell" or (shown == "metaphase" and own)
    if shown in ("", unit) or (whole and unit != "chromosome"):
        return shown
    raise PredictError(
        f"{images.source} shows {MANY[shown]}, and the model looks at one {unit} an "
        "image; name a source of such images or another model"
    )


def _unit(images, classes):
    """What one image shows: by its boxes, else by the labels; "" if neither says."""
    if images.boxes is not None and sum(map(len, images.boxes)):
        if np.median([len(boxes) for boxes in images.boxes]) <= 1:
            return "chromosome"
        several = [boxes for boxes in images.boxes if len(boxes) > 1][:LOOKED]
        labels = {label for boxes in images.boxes for label in boxes.label}
        if not labels >= set(records.CLASSES[:22]):
            return "cell"
        paired = np.mean([_beside(boxes) for boxes in several]) > PAIRED
        return "karyogram" if paired else "metaphase"
    if set(images.label) & set(classes):
        return ""
    if set(images.label) & set(records.CLASSES):
        return "chromosome"
    return "cell" if set(images.extra.get("status", ())) - {""} else ""


def _no_karyograms(images):
    """(n,) bool: which pictures show none, by the pixels; refused if most do."""
    odd = [not segment.is_karyogram(images.pixels[i]) for i in range(len(images))]
    names = images.name[odd]
    if 2 * len(names) > len(images):
        raise PredictError(
            f"{images.source}: {len(names):,} of {len(images):,} images show no "
            f"karyogram, on which chromosomes stand upright: {_listed(names)}; arrange "
            "metaphases first (`chromolib karyotype`), or name another model: --model"
        )
    return np.array(odd)


def _listed(names):
    """The first of some names, and how many more there are."""
    more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
    return f"{', '.join(names[:NAMED])}{more}"


def _beside(boxes):
    """Share of boxes whose nearest neighbour is of their class, as homologues stand."""
    middle = (boxes.xyxy[:, :2] + boxes.xyxy[:, 2:]) / 2
    away = spatial.distance.cdist(middle, middle)
    np.fill_diagonal(away, np.inf)
    return (boxes.label[away.argmin(1)] == boxes.label).mean()


def doubtful(shape, x):
    """(n,) bool: nothing on the picture, or a shape that no chromosome has.

    A network answers these as surely as any other, and it means nothing.
    """
    low, high = np.sort(shape, axis=1).T
    return ~x.any((1, 2, 3)) | (low < SHORTEST) | (high > SLIMMEST * low)


def twice(images, x):
    """(n,) bool: the same picture as another before it in its cell."""
    keys = zip(images.group, images.cell, map(zlib.crc32, x), strict=True)
    return pd.Series(list(keys)).duplicated().to_numpy()


def referred(said):
    """How many answers are to be looked at by an expert and which; "" if none."""
    refer = np.asarray(_column(said, "refer"), bool)
    names = np.asarray(_column(said, "image"))[refer]
    if not len(names):
        return ""
    return (
        f"{len(names):,} of {len(said):,} images are referred (refer=True): nothing is "
        f"on them, they show no chromosome or no karyogram, or they are there twice: "
        f"{_listed(names)}"
    )


def truth(images, classes):
    """The class of each image as its source tells it, empty where it does not."""
    status = images.extra.get("status", images.label)
    told = np.where(np.isin(images.label, classes), images.label, status)
    return np.where(np.isin(told, classes), told, "")


def karyotypes(facts, said):
    """A row a cell: the karyotype that its chromosomes make up, and who should look."""
    if not facts.get("penalty"):
        raise PredictError(
            f"a model of {facts['study']} names no cells; name one of 24 classes"
        )
    if isinstance(said, pd.DataFrame):
        chance = said[[results.OF + name for name in records.CLASSES]].to_numpy()
        columns = {name: said[name].to_numpy() for name in ("group", "cell", "refer")}
        said = types.SimpleNamespace(probability=chance, **columns)
    sure = facts.get("sure", SURE)
    return diagnose.cells(said, penalty=facts["penalty"], sure=sure)


def write(path, said):
    """Write what `predict` gave."""
    try:
        if isinstance(said, records.Predictions):
            results.predictions(path, [said])
        else:
            results.table(path, said)
    except OSError as error:
        raise _unwritable(path, error) from None


def _unwritable(path, error):
    return PredictError(
        f"{path.name} cannot be written: {error.strerror}; name another file: --out"
    )


def _column(said, name):
    """Of Predictions or of a frame."""
    return said[name] if isinstance(said, pd.DataFrame) else getattr(said, name)


def _frame(columns, words, classes):
    """The rows of `results.predictions`, the truth empty where nobody knows it."""
    chance = columns.pop("probability")
    best = chance.max(1)
    label = np.array(classes)[chance.argmax(1)]
    told = columns | {"label": label, "probability": best, "uncertainty": 1 - best}
    words = results.flat(words) | {"classes": "|".join(classes)}
    frame = pd.DataFrame({"assigned": ""} | told).assign(**words)
    by_class = {results.OF + k: chance[:, i] for i, k in enumerate(classes)}
    return frame[list(results.ROW)].assign(**by_class)
