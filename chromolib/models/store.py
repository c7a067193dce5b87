"""Trained models on disk, with what they are made of inside, and a card for readers.

`save(model, path, facts)` -> the `.keras` file written, its card `.md` beside it
`load(path, study, unit)` -> model and facts, or an error that says why not

# Strategy: the facts are one more member of the zip that a `.keras` file is, so that
they cannot be parted from the weights. They hold a hash of every other member. That
tells of damage and of mix-ups, not of malice; against malice nothing that is loaded
may bring code, which Keras' safe mode sees to.
"""

import datetime
import hashlib
import json
import pathlib
import warnings
import zipfile
import zlib

import keras

from chromolib import files, records
from chromolib.models import augment, layers, small

SUFFIX, FACTS = ".keras", "facts.json"
NEEDED = ("config.json", "metadata.json", "model.weights.h5")  # of a Keras archive
REQUIRED = ("study", "unit", "classes", "source", "provenance", "n", "groups")
REQUIRED += ("seed", "scores", "weights")
CUSTOM = augment, layers, small  # imported, their layers are known to Keras
USE = (
    "Research and teaching: to repeat and question the study it belongs to. "
    "Not a medical device and not for diagnosis; no patient may depend on its answers."
)
LICENCE = {
    "synthetic": "Learned from synthetic images only; the licence of this repository.",
    "real": "Learned from real images: their owner's terms bind this file too. "
    "Ask before passing it on.",
}


class ModelError(ValueError):
    """A model that cannot be saved, loaded or used for what it was asked."""


def save(model, path, facts):
    """Write the model without its optimizer, facts inside, and its card; the file.

    `facts` need `REQUIRED`: `scores` are Estimates, `weights` a sentence on where the
    training started, `provenance` "real" or "synthetic"; anything else may follow.
    """
    file = named(path)
    facts = complete(model, facts, file)
    file.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(file) as partial:
        with warnings.catch_warnings():  # of Keras' own way with numpy 2
            warnings.simplefilter("ignore", DeprecationWarning)
            _plain(model, file).save(partial)
        with zipfile.ZipFile(partial, "a", zipfile.ZIP_DEFLATED) as archive:
            facts["members"] = _members(archive)
            archive.writestr(FACTS, json.dumps(facts, indent=1))
        digest = files.sha256(partial)
    files.write_text(file.with_suffix(".md"), card(file.name, facts, digest))
    return file


def load(path, *, study=None, unit=None):
    """Model, ready to predict, and its facts with the file's `sha256`.

    Raises ModelError for whatever is no sound model of this study and unit.
    """
    file = named(path)
    if not file.is_file():
        raise ModelError(
            f"{file.name}: no such model; `chromolib run STUDY -p profile=full` leaves "
            "one in its folder"
        )
    facts = _opened(file)
    for what, wanted in (("study", study), ("unit", unit)):
        if wanted is not None and facts[what] != wanted:
            raise ModelError(
                f"{file.name} is a model of {what} {facts[what]!r}, not {wanted!r}; "
                "name another model"
            )
    try:
        model = keras.saving.load_model(file, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError, AttributeError) as error:
        raise ModelError(
            f"{file.name}: Keras {keras.__version__} cannot load it "
            f"({type(error).__name__}); it was saved by Keras {facts['keras']}"
        ) from error
    return model, facts | {"sha256": files.sha256(file)}


def named(path):
    """The file that a path means, with its suffix."""
    path = pathlib.Path(path)
    return path if path.suffix == SUFFIX else path.with_name(path.name + SUFFIX)


def card(name, facts, digest):
    """What a reader should know of a model, as Markdown."""
    shown = facts | {
        "classes": ", ".join(facts["classes"]),
        "input": " x ".join(map(str, facts["input"])),
        "trained on": taught_by(facts),
        "images": f"{facts['n']:,} of {facts['groups']:,} groups",
        "sha256": f"`{digest}`",
    }
    told = {"source", "provenance", "n", "groups", "scores", "members"}
    told |= {"use", "licence"}
    rows = [f"| {k} | {v} |" for k, v in shown.items() if k not in told]
    lines = [f"# {name}", "", "| | |", "|---|---|", *rows, "", "## Scores", ""]
    lines += [f"- {_score(one)}" for one in facts["scores"]] or ["None were measured."]
    lines += ["", "## Use", "", facts["use"], "", "## Licence", "", facts["licence"]]
    return "\n".join(lines) + "\n"


def complete(model, facts, file):
    """The facts with what the model and the day add; refuses them if one is missing."""
    missing = [name for name in REQUIRED if name not in facts]
    if missing:
        raise ModelError(f"{file.name}: a model's facts lack {', '.join(missing)}")
    if facts["provenance"] not in LICENCE:
        raise ModelError(
            f"{file.name}: provenance {facts['provenance']!r}; "
            f"known: {', '.join(LICENCE)}"
        )
    scores = [vars(one) for one in facts["scores"]]
    known = {
        "licence": LICENCE[facts["provenance"]],
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "use": USE,
    }
    own = {
        "classes": list(facts["classes"]),
        "scores": scores,
        "input": list(model.input_shape[1:]),
        "parameters": model.count_params(),
        "keras": keras.__version__,
    }
    return known | facts | own


def taught_by(facts):
    """The source a model was trained on, and whether it is real."""
    source, kind = facts["source"], facts["provenance"]
    return source if source == kind else f"{source} ({kind})"


def _score(one):
    """An estimate as a line: the value with interval, n, groups and source."""
    found = records.Estimate(**one)
    words = [found.source, found.protocol]
    words.append(records.write_conditions(found.conditions))
    return (
        f"{found.quantity} {found} on {found.n:,} images of {found.groups:,} groups "
        f"({', '.join(filter(None, words))})"
    )


def _plain(model, file):
    """The model without optimizer and loss, which triple its file."""
    _safe(json.loads(model.to_json()), file)
    plain = type(model).from_config(model.get_config())
    plain.set_weights(model.get_weights())
    return plain


def _members(archive):
    """Name -> hash of everything in the zip but the facts."""
    names = sorted(set(archive.namelist()) - {FACTS})
    return {name: hashlib.sha256(archive.read(name)).hexdigest() for name in names}


def _opened(file):
    """The facts of a file that is whole, ours, and brings no code."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = set(archive.namelist())
            if not names.issuperset(NEEDED):
                raise ModelError(f"{file.name} is no Keras model; name a .keras file")
            if FACTS not in names:
                raise ModelError(
                    f"{file.name} does not say what it was trained on; only models "
                    "that this project saved can be loaded"
                )
            found = _members(archive)
            config = json.loads(archive.read("config.json"))
            facts = json.loads(archive.read(FACTS))
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, zlib.error) as error:
        if isinstance(error, ModelError):
            raise
        raise ModelError(
            f"{file.name} is damaged or no Keras model; get it again"
        ) from None
    if not isinstance(facts, dict) or facts.get("members") != found:
        raise ModelError(
            f"{file.name} is not what was saved: its parts have other hashes than its "
            "facts say; get it again"
        )
    _safe(config, file)
    return facts


def _safe(config, file):
    """Refuse a Lambda layer, which is code, wherever in the network it lies."""
    if isinstance(config, dict):
        if config.get("class_name") == "Lambda":
            raise ModelError(
                f"{file.name} has a Lambda layer, which runs code of whoever made the "
                "file; write it as a layer of chromolib.models"
            )
        config = list(config.values())
    if isinstance(config, list):
        for one in config:
            _safe(one, file)
