"""Which run this is: a hash of all that can change its result, and of nothing else."""

import hashlib
import json
import pathlib

from chromolib import files
from chromolib.runs import imports, inputs, parameters, repository

SCRIPTS = "*.js", "*.css"
LENGTH = 12  # hex digits: 48 bits, no clash among millions of runs


def of(root, study, values, *, cells=None, images=None):
    """Identity of a study with these parameters.

    The study's cells, its parameters, the modules of chromolib that it imports, the
    lock file, first weights and the data count; the commit and every path do not.
    `cells` replaces the notebook's own when somebody ran edited ones; `images` are
    fingerprints, where they are known already.
    """
    if images is None:
        images = inputs.fingerprints(inputs.read(root, values, keep=0))
    weights, named = values.get("weights", "none"), parameters.named(values)
    counted = {
        "cells": cells or sources(repository.notebook(root, study)),
        "parameters": {k: v for k, v in named.items() if k not in parameters.PATHS},
        "weights": files.digest(_weights(root, weights)),
        "library": modules(root, study, cells or ()),
        "lock": files.digest([root / "requirements.lock"]),
        "data": fingerprint(root, study, values.get("profile")),
        "images": images,
    }
    text = json.dumps(counted, sort_keys=True).encode()
    return hashlib.sha256(text).hexdigest()[:LENGTH]


def modules(root, study, cells=()):
    """Module of chromolib -> checksum, of those that a study imports, also indirectly.

    The notebook counts, further cells that were run, and the study's own package,
    which `parameters` imports by name; and the scripts that lie beside a module, since
    a page holds them.
    """
    texts = [*code(repository.notebook(root, study)), *cells]
    package = f"{imports.PACKAGE}.studies.{study}"
    paths = imports.modules(root, texts, also=[package])
    for folder in {path.parent for path in paths.values()}:
        beside = (file for kind in SCRIPTS for file in folder.glob(kind))
        paths |= {file.relative_to(root).as_posix(): file for file in beside}
    return {name: files.sha256(path) for name, path in paths.items()}


def _weights(root, weights):
    """The files that a network starts from."""
    if weights == "domain":
        return sorted((root / "data" / "models").glob("trunk-*"))
    if weights in parameters.WORDS:
        return []
    given = pathlib.Path(weights)
    if not given.is_dir():
        return [given]
    return sorted(file for file in given.iterdir() if file.is_file())


def sources(path):
    """The text of every cell of a notebook but its parameters."""
    return [cell["source"] for cell in _cells(path)]


def code(path):
    """The same, code only."""
    return [cell["source"] for cell in _cells(path) if cell["cell_type"] == "code"]


def _cells(path):
    cells = repository.cells(path)
    return [cell for cell in cells if not parameters.is_parameters(cell)]


def fingerprint(root, name, profile):
    """Hash of the data in the repository that a notebook reads.

    That is the claims of its paper, the models that are shipped, and the results kept
    under its name, which a page shows; a full run makes these, and they may change
    without it. A page of the book also reads the cards of the sources.
    """
    data, page = root / "data", name in repository.pages(root)
    paths = [*(data / "claims").glob(f"{name}*"), *(data / "models").glob("*")]
    if page or profile != "full":
        paths += (data / "results" / name).rglob("*")
    if page:
        paths += (data / "cards").rglob("*")
    return files.digest(sorted(path for path in paths if path.is_file()))
