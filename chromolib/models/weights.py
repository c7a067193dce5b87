"""Where a network starts from: nothing, chromosomes of our own, photographs, a file.

`resolve(given, root)` -> Origin, what a run says of its first weights
`load_trunk(model, origin)` -> how many layers now have the origin's weights
`save_trunk(model, file, facts)` -> the weights of a trunk in half precision, with card

A trunk is the layers whose names start with `trunk_`; a head is learned anew.
"""

import dataclasses
import json
import os
import pathlib
import zipfile
import zlib

import numpy as np

from chromolib import files
from chromolib.models import store

WORDS = ("none", "domain", "imagenet")
TRUNK = "trunk-chromosome"  # of the word "domain"
SUFFIX = ".weights.npz"
PREFIX = "trunk_"
MOST = 2 << 20  # bytes of a trunk that is shipped


class WeightsError(ValueError):
    """First weights that are not there, not ours, or fit no layer."""


@dataclasses.dataclass(frozen=True)
class Origin:
    """The first weights of a network, as manifest, table and caption name them."""

    word: str  # one of WORDS, or a file's name
    file: pathlib.Path | None = None  # never shown: a path of this machine
    sha256: str = ""
    sentence: str = "random first weights"

    @property
    def facts(self):
        """What a manifest says."""
        return {"weights": self.word, "sha256": self.sha256, "about": self.sentence}


NOWHERE = Origin("none")


def resolve(given, root, *, imagenet=""):
    """The Origin that a word or a path means; the file is there and sound.

    `imagenet` is the name of the file in Keras' cache with the ImageNet weights of the
    network that asks; a network without one leaves it empty.
    """
    ways = {
        "none": lambda: Origin("none"),
        "domain": lambda: _domain(pathlib.Path(root)),
        "imagenet": lambda: _imagenet(imagenet),
    }
    return ways.get(given, lambda: _given(given))()


def load_trunk(model, origin):
    """How many trunk layers took over weights, each by its name and all its shapes.

    The origin "none" changes nothing. Raises WeightsError if no layer fits.
    """
    if origin.file is None:
        return 0
    there = _arrays(origin.file)
    loaded = 0
    for layer in _trunk(model):
        wanted = {f"{layer.name}/{one.name}": one for one in layer.weights}
        if all(k in there and there[k].shape == v.shape for k, v in wanted.items()):
            for name, variable in wanted.items():
                variable.assign(there[name].astype(variable.dtype))
            loaded += 1
    if not loaded:
        raise WeightsError(
            f"{origin.word}: no layer of {model.name} fits by name and shape; take "
            "weights of such a network, or weights='none'"
        )
    return loaded


def save_trunk(model, file, facts):
    """Write the trunk in half precision, its facts and its card; the Origin.

    `facts` are those of `store.save`.
    """
    file = pathlib.Path(file)
    if not file.name.endswith(SUFFIX):
        raise WeightsError(f"{file.name}: the file of a trunk ends in {SUFFIX}")
    facts = store.complete(model, facts, file)
    arrays = _half(model, file)
    file.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(file) as partial:
        with partial.open("wb") as out:
            np.savez_compressed(out, **arrays)
        if partial.stat().st_size > MOST:
            raise WeightsError(
                f"{file.name} has {partial.stat().st_size:,} bytes; a trunk that is "
                f"shipped has at most {MOST:,}: take fewer filters"
            )
        digest = files.sha256(partial)
    about = json.dumps(facts | {"sha256": digest}, indent=1)
    files.write_text(_beside(file, ".json"), about + "\n")
    files.write_text(_beside(file, ".md"), store.card(file.name, facts, digest))
    return Origin(file.name, file, digest, _about(facts))


def _half(model, file):
    """Name -> weights in half precision, if they have any and stay finite."""
    with np.errstate(over="ignore"):  # what is too large is named below
        arrays = {
            f"{layer.name}/{one.name}": np.float16(one.numpy())
            for layer in _trunk(model)
            for one in layer.weights
        }
    if not arrays:
        raise WeightsError(f"{file.name}: {model.name} has no layer named {PREFIX}...")
    wrong = [name for name, one in arrays.items() if not np.isfinite(one).all()]
    if wrong:
        raise WeightsError(
            f"{file.name}: {wrong[0]} is not finite in half precision; train again "
            "with a lower learning rate"
        )
    return arrays


def _trunk(model):
    return [one for one in model.layers if one.name.startswith(PREFIX) and one.weights]


def _domain(root):
    """The trunk that is shipped."""
    file = root / "data" / "models" / f"{TRUNK}{SUFFIX}"
    if not file.is_file():
        raise WeightsError(
            f"weights='domain': no {file.name} in data/models; `chromolib pretrain` "
            "makes one"
        )
    return dataclasses.replace(_own(file), word="domain")


def _own(file):
    """A trunk with its facts beside it, which say what bytes it has."""
    beside = _beside(file, ".json")
    try:
        facts = json.loads(beside.read_text(encoding="utf-8"))
        wanted, sentence = facts["sha256"], _about(facts)
    except (OSError, ValueError, KeyError, TypeError):
        raise WeightsError(
            f"{file.name}: {beside.name} beside it is missing or damaged; "
            "`chromolib pretrain` makes both"
        ) from None
    if files.sha256(file) != wanted:
        raise WeightsError(
            f"{file.name} is damaged: {beside.name} has another hash; get both again, "
            "or make them with `chromolib pretrain`"
        )
    return Origin(file.name, file, wanted, sentence)


def _about(facts):
    return (
        f"a trunk trained on {facts['n']:,} {facts['provenance']} {facts['unit']}s of "
        f"{facts['groups']:,} groups to tell {len(facts['classes'])} classes"
    )


def _imagenet(name):
    """Weights learned from photographs, out of Keras' cache and from nowhere else."""
    if not name:
        raise WeightsError(
            "weights='imagenet': this network is our own, nobody trained it on "
            "ImageNet; take 'none', 'domain' or a file"
        )
    home = pathlib.Path(os.environ.get("KERAS_HOME") or pathlib.Path.home() / ".keras")
    file = home / "models" / name
    if not file.is_file():
        raise WeightsError(
            f"weights='imagenet': {name} is not in Keras' cache, and nothing is "
            "downloaded while a study runs; fetch it once with keras.applications, or "
            "take another of: none, domain, a file"
        )
    sentence = f"weights learned from the photographs of ImageNet ({name})"
    return Origin("imagenet", file, files.sha256(file), sentence)


def _given(given):
    """Weights in a file of one's own: a trunk, or a model that this project saved."""
    file = pathlib.Path(given).expanduser()
    if not file.is_file():
        raise WeightsError(
            f"weights={file.name!r}: no such word and no such file; known: "
            f"{', '.join(WORDS)}, or a path to a {SUFFIX} or {store.SUFFIX} file"
        )
    if file.name.endswith(SUFFIX):
        return _own(file)
    if file.suffix != store.SUFFIX:
        raise WeightsError(
            f"{file.name} is neither a trunk ({SUFFIX}) nor a model ({store.SUFFIX})"
        )
    _, facts = store.load(file)
    return Origin(file.name, file, facts["sha256"], _about(facts))


def _arrays(file):
    """Name of layer and weight -> values."""
    if file.suffix == store.SUFFIX:
        model, _ = store.load(file)
        each = [(layer, one) for layer in _trunk(model) for one in layer.weights]
        return {f"{layer.name}/{one.name}": one.numpy() for layer, one in each}
    try:
        with np.load(file, allow_pickle=False) as found:
            return {name: found[name] for name in found.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error):
        raise WeightsError(
            f"{file.name} is damaged or no trunk; `chromolib pretrain` makes one"
        ) from None


def _beside(file, suffix):
    return file.with_name(file.name.removesuffix(SUFFIX) + suffix)
