"""Trained models on disk, with what they are made of inside, and a card for readers.

`save(model, path, facts)` -> the `.keras` file written, its card `.md` beside it
`load(path, study, unit)` -> model and facts, or an error that says why not

# Strategy: the facts are one more member of the zip that a `.keras` file is, so that
they cannot be parted from the weights. They hold a hash of every other member. That
tells of damage and of mix-ups, not of malice. Against malice the facts are checked as
records are, no layer may bring code, and none gets more memory than its weights fill.
"""

import contextlib
import datetime
import hashlib
import json
import math
import pathlib
import warnings
import zipfile
import zlib

import keras
import numpy as np

from chromolib import files, records
from chromolib.models import (
    augment,
    factcheck,
    layers,
    predict,
    small,
    trunks,
)

SUFFIX, FACTS, JUDGED = ".keras", "facts.json", "judged by"
NEEDED = ("config.json", "metadata.json", "model.weights.h5")  # of a Keras archive
LARGEST = {"model.weights.h5": 1 << 30}  # bytes of a member, and of any other:
SMALL = 4 << 20
RATIO = 20  # no weights pack that well
BYTES = 2  # of a parameter, the fewest
WIDEST = 1 << 26  # numbers that one layer makes of one image
CODE = ("Lambda", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer")
CUSTOM = augment, layers, small  # imported, their layers are known to Keras
USE = (
    "Research and teaching: to repeat and question the study it belongs to. "
    "Not a medical device and not for diagnosis; no patient may depend on its answers."
)


class ModelError(ValueError):
    """A model that cannot be saved, loaded or used for what it was asked."""


@contextlib.contextmanager
def quiet():
    """Without the warnings of Keras' own way with numpy 2."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        yield


@quiet()
def save(model, path, facts):
    """Write the model without its optimizer, facts inside, and its card; the file.

    `facts` need `factcheck.REQUIRED`: `scores` are Estimates, `weights` a sentence on
    where the training started, `provenance` "real" or "synthetic"; texts and numbers
    may follow.
    """
    file = named(path)
    _safe(json.loads(model.to_json()), file)
    facts = complete(model, facts, file)
    file.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(file) as partial:
        _plain(model).save(partial)
        _pack(partial)
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
    if not _is_there(file):
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
        with warnings.catch_warnings(), _of_size(facts["parameters"]):
            warnings.simplefilter("error", UserWarning)  # such as of weights left out
            model = keras.saving.load_model(file, compile=False, safe_mode=True)
        wrong = _disagreement(model, facts, headless=study is None)
    except Exception as error:  # a stranger's network may fail in any way
        reason = error if isinstance(error, ModelError) else type(error).__name__
        raise ModelError(
            f"{file.name}: Keras {keras.__version__} cannot load it ({reason}); it was "
            f"saved by Keras {facts['keras']}"
        ) from error
    if wrong:
        raise ModelError(f"{file.name}: {wrong}; get or save the model again")
    return model, facts | {"sha256": files.sha256(file)}


def before(first, facts, tested, seed):
    """What a trained model is that goes on with sources, for its next card; `tested`
    is source -> the groups that stay out of it.

    Raises ModelError if it may have learned from these.
    """
    for source, groups in tested.items():
        if knows(facts, source, groups, seed):
            raise ModelError(
                f"{first.name} learned from cases of {source} that are to judge now; "
                f"give its seed, --seed {facts['seed']}, and its cases, or leave out "
                "--first"
            )
    sentence = f"{first.name} ({facts['sha256'][:12]}), of {facts['source']}"
    return {"weights": sentence, JUDGED: judged(tested, facts)}


def judged(tested, facts=None):
    """The groups of each source that judge a model, and whatever it went on from, as
    text: other cases or another seed make other ones."""
    sums = _judged(facts or {})
    for source, groups in tested.items():
        names = "\n".join(sorted(set(map(str, groups))))
        sums[source] = hashlib.sha256(names.encode()).hexdigest()[:12]
    return "; ".join(f"{source} {one}" for source, one in sums.items())


def knows(facts, source, groups, seed):
    """Whether a model may have learned from groups of a source that are to judge it.

    Cards of before say the source and the seed alone.
    """
    known = _judged(facts)
    if source in known:
        return known[source] != _judged({JUDGED: judged({source: groups})})[source]
    return source in facts["source"].split(" and ") and facts["seed"] != seed


def _judged(facts):
    text = facts.get(JUDGED, "")
    return dict(one.rsplit(" ", 1) for one in text.split("; ") if one)


def named(path, suffix=SUFFIX):
    """The file that a path means, with its suffix."""
    path = pathlib.Path(path)
    if not path.name:
        raise ModelError(f"{str(path)!r} names no file; name a {suffix} file")
    return path if path.suffix == suffix else path.with_name(path.name + suffix)


def _is_there(file):
    try:
        return file.is_file()
    except OSError:  # a name that no system takes
        return False


def card(name, facts, digest):
    """What a reader should know of a model, as Markdown."""
    shown = facts | {
        "classes": ", ".join(facts["classes"]),
        "input": " x ".join(map(str, facts["input"])),
        "trained on": taught_by(facts),
        "images": f"{facts['n']:,} of {facts['groups']:,} groups",
        "sha256": f"`{digest}`",
    }
    told = {"source", "provenance", "n", "groups", "scores", "members", JUDGED}
    told |= {"use", "limits", "licence"}
    rows = [f"| {k} | {v} |" for k, v in shown.items() if k not in told]
    lines = [f"# {name}", "", "| | |", "|---|---|", *rows, "", "## Scores", ""]
    lines += [f"- {score(one)}" for one in facts["scores"]] or ["None were measured."]
    for name in ("use", "limits", "licence"):
        if name in facts:
            lines += ["", f"## {name.title()}", "", facts[name]]
    return "\n".join(lines) + "\n"


def complete(model, facts, file):
    """The facts with what the model and the day add; refuses them if one is missing."""
    own = {"input": list(model.input_shape[1:]), "parameters": model.count_params()}
    facts = described(facts, own, file)
    if wrong := _disagreement(model, facts, headless=True):
        raise ModelError(f"{file.name}: {wrong}; correct its facts, or train it anew")
    return facts


def described(facts, own, file):
    """The facts with `own`, which the model adds, and the day; all must be there."""
    missing = [name for name in factcheck.REQUIRED if name not in facts]
    if missing:
        raise ModelError(f"{file.name}: a model's facts lack {', '.join(missing)}")
    if facts["provenance"] not in factcheck.LICENCE:
        raise ModelError(
            f"{file.name}: provenance {facts['provenance']!r}; "
            f"known: {', '.join(factcheck.LICENCE)}"
        )
    words = {
        "licence": factcheck.LICENCE[facts["provenance"]],
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "use": USE,
    }
    own |= {
        "classes": list(facts["classes"]),
        "scores": [vars(one) for one in facts["scores"]],
        "keras": keras.__version__,
    }
    facts = words | facts | own
    check(facts, file)
    return facts


def check(facts, file):
    """Refuse facts that cannot be relied on, by the name of their file."""
    try:
        factcheck.check(facts)
    except factcheck.FactsError as error:
        raise ModelError(f"{file.name}: {error}; get or save the model again") from None


def taught_by(facts):
    """The source a model was trained on, and whether it is real."""
    source, kind = facts["source"], facts["provenance"]
    return source if source == kind else f"{source} ({kind})"


def score(one):
    """An estimate as a line: the value with interval, n, groups and source."""
    found = records.Estimate(**one)
    words = [found.source, found.protocol]
    words.append(records.write_conditions(found.conditions))
    return (
        f"{found.quantity} {found} on {found.n:,} images of {found.groups:,} groups "
        f"({', '.join(filter(None, words))})"
    )


def _plain(model):
    """The model without optimizer and loss, which triple its file."""
    plain = type(model).from_config(model.get_config())
    plain.set_weights(model.get_weights())
    return plain


def _pack(file):
    """Deflate the members, which Keras only stores: rounded weights shrink by half."""
    with zipfile.ZipFile(file) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in members.items():
            emptied = len(zlib.compress(content)) * RATIO < 2 * len(content)
            method = zipfile.ZIP_STORED if emptied else zipfile.ZIP_DEFLATED
            archive.writestr(name, content, method)  # as `load` wants it


def _members(archive):
    """Name -> hash of everything in the zip but the facts."""
    hashes = {}
    for name in sorted(set(archive.namelist()) - {FACTS}):
        with archive.open(name) as member:
            hashes[name] = hashlib.file_digest(member, "sha256").hexdigest()
    return hashes


def _opened(file):
    """The facts of a file that is whole, ours, and brings no code."""
    try:
        with zipfile.ZipFile(file) as archive:
            _bounded(archive, file)
            size = archive.getinfo("model.weights.h5").file_size
            found = _members(archive)
            config = json.loads(archive.read("config.json"))
            facts = json.loads(archive.read(FACTS))
            _safe(config, file)
    except ModelError:
        raise
    except Exception:  # json, zlib, zipfile and deep nesting each have their own
        raise ModelError(
            f"{file.name} is damaged or no Keras model; get it again"
        ) from None
    ours = isinstance(facts, dict) and facts.pop("members", None) == found
    if not ours or set(found) != set(NEEDED):
        raise ModelError(
            f"{file.name} is not what was saved: its parts have other hashes than its "
            "facts say; get it again"
        )
    check(facts, file)
    if BYTES * facts["parameters"] > size:
        raise ModelError(
            f"{file.name} holds fewer parameters than its facts say; get it again"
        )
    return facts | {"members": found}


def _bounded(archive, file):
    """Refuse an archive with other members than ours, or that unpacks too far."""
    names, size = archive.namelist(), file.stat().st_size
    if not set(names).issuperset(NEEDED):
        raise ModelError(f"{file.name} is no Keras model; name a {SUFFIX} file")
    if FACTS not in names:
        raise ModelError(
            f"{file.name} does not say what it was trained on; only models "
            "that this project saved can be loaded"
        )
    sizes = {one.filename: one.file_size for one in archive.infolist()}
    large = [name for name in sizes if sizes[name] > LARGEST.get(name, SMALL)]
    if large or sum(sizes.values()) > max(RATIO * size, SMALL):
        raise ModelError(
            f"{file.name} unpacks to more than any model holds; get it again"
        )


def _safe(config, file):
    """Refuse a layer that is code, such as Lambda, wherever in the network it lies."""
    if isinstance(config, dict):
        if config.get("class_name") in CODE:
            raise ModelError(
                f"{file.name} has a {config['class_name']} layer, which runs code of "
                "whoever made the file; write it as a layer of chromolib.models"
            )
        config = list(config.values())
    if isinstance(config, list):
        for one in config:
            _safe(one, file)


@contextlib.contextmanager
def _of_size(parameters):
    """Refuse to make a network of more parameters than the facts say.

    Else a file of a few KiB asks for layers that fill the machine's memory.
    """
    add_weight, made = keras.layers.Layer.add_weight, [0]

    def counted(layer, shape=None, *args, **settings):
        made[0] += math.prod(np.atleast_1d(shape or ()).tolist())
        if made[0] > parameters:
            raise ModelError(f"it has more than {parameters:,} parameters")
        return add_weight(layer, shape, *args, **settings)

    keras.layers.Layer.add_weight = counted
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = add_weight


@quiet()
def _disagreement(model, facts, *, headless):
    """Where a network is not what its facts say, or cannot answer; "" if it is sound.

    With `headless` a trunk is sound too, which has no output a class.
    """
    outputs = (None, len(facts["classes"]))
    weighted = [layer.name for layer in model.layers if layer.weights]
    if headless and all(name.startswith(trunks.PREFIX) for name in weighted):
        outputs = model.output_shape
    if (model.input_shape, model.output_shape) != ((None, *facts["input"]), outputs):
        return "its input or output is not what its facts say"
    if model.count_params() != facts["parameters"]:
        return "it has other parameters than its facts say"
    if max(_widths(model)) > WIDEST:
        return "a layer makes more of an image than memory holds"
    if not all(np.isfinite(one).all() for one in model.get_weights()):
        return "a weight is not a number"
    empty = np.zeros((1, *facts["input"]), np.float32)
    if not np.isfinite(predict.probabilities(model, empty)).all():
        return "its answer to an empty picture is not a number"
    return ""


def _widths(model):
    """How many numbers each layer makes of one image."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from _widths(layer)
        for tensor in keras.tree.flatten(layer.output):
            yield math.prod(tensor.shape[1:])
