"""Where a network starts from: nothing, chromosomes of our own, photographs, a file.

`resolve(given, root)` -> Origin, what a run says of its first weights
`load_trunk(model, origin)` -> how many layers now have the origin's weights

A trunk is the layers whose names start with `trunk_`; a head is learned anew. A trunk
that is shipped is a model like any other, see `store`.
"""

import dataclasses
import os
import pathlib

from chromolib import files
from chromolib.models import store, trunks

WORDS = ("none", "domain", "imagenet")
TRUNK = "trunk-chromosome"  # of the word "domain"


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
        "none": lambda: NOWHERE,
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
    source = {layer.name: layer for layer in _trunk(store.load(origin.file)[0])}
    loaded = 0
    for layer in _trunk(model):
        weights = source[layer.name].get_weights() if layer.name in source else []
        if [w.shape for w in weights] == [w.shape for w in layer.get_weights()]:
            layer.set_weights(weights)
            loaded += 1
    if not loaded:
        raise WeightsError(
            f"{origin.word}: no layer of {model.name} fits by name and shape; take "
            "weights of such a network, or weights='none'"
        )
    return loaded


def _trunk(model):
    return [
        one
        for one in model.layers
        if one.name.startswith(trunks.PREFIX) and one.weights
    ]


def _domain(root):
    """The trunk that is shipped."""
    file = root / "data" / "models" / f"{TRUNK}{store.SUFFIX}"
    if not file.is_file():
        raise WeightsError(
            f"weights='domain': no {file.name} in data/models; `chromolib pretrain` "
            "makes one"
        )
    return dataclasses.replace(_model(file), word="domain")


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
    """Weights in a file of one's own: a model that this project saved."""
    file = pathlib.Path(given).expanduser()
    if not file.is_file():
        raise WeightsError(
            f"weights={file.name!r}: no such word and no such file; known: "
            f"{', '.join(WORDS)}, or a path to a {store.SUFFIX} file"
        )
    if file.suffix != store.SUFFIX:
        raise WeightsError(f"{file.name} is no model ({store.SUFFIX})")
    return _model(file)


def _model(file):
    facts = store.load(file)[1]
    sentence = (
        f"a trunk trained on {facts['n']:,} {facts['provenance']} {facts['unit']}s of "
        f"{facts['groups']:,} groups to tell {len(facts['classes'])} classes"
    )
    return Origin(file.name, file, facts["sha256"], sentence)
