"""A trained detector as one file: how it is built, its weights, a card for readers.

`save(path, detector, built, facts)` -> the file, its card `.md` beside it
`load(path)` -> the detector and its facts, or an error that says why not

Weights are of half precision, where that holds them. A file holds numbers and words,
never code, and builds none but a family of ours.
"""

import json
import pathlib
import zipfile
import zlib

import numpy as np

from chromolib import files
from chromolib.detect import families
from chromolib.models import store

SUFFIX = ".npz"
WORDS = "built", "facts"
SETTINGS = {"family": str, "size": int, "trunk": str, "scales": list}
LARGEST = 1024  # pixels of the side that a detector sees
UNREADABLE = OSError, ValueError, KeyError, TypeError, EOFError, AttributeError
UNREADABLE += zipfile.BadZipFile, zlib.error


def save(path, detector, built, facts):
    """Write a detector; `built` as in SETTINGS, `facts` as in `models.store.save`."""
    file = pathlib.Path(path)
    if file.suffix != SUFFIX:
        raise store.ModelError(f"{file.name}: a detector is a {SUFFIX} file")
    size, weights = built["size"], detector.get_weights()
    own = {"input": [size, size, 1], "parameters": detector.count_params()}
    facts = store.described(facts, own, file)
    arrays = {f"w{i}": _half(one) for i, one in enumerate(weights)}
    words = zip(WORDS, (built, facts), strict=True)
    arrays |= {name: np.array(json.dumps(value)) for name, value in words}
    file.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(file) as partial, partial.open("wb") as opened:
        np.savez_compressed(opened, **arrays)
    text = store.card(file.name, facts, files.sha256(file))
    files.write_text(file.with_suffix(".md"), text)
    return file


def load(path):
    """Detector, ready to predict, and its facts with the file's `sha256`."""
    file = pathlib.Path(path)
    try:
        with np.load(file, allow_pickle=False) as archive:
            built, facts = (json.loads(str(archive[name])) for name in WORDS)
            weights = [archive[f"w{i}"] for i in range(len(archive.files) - len(WORDS))]
        detector = _built(built, facts["classes"])
        detector.set_weights([one.astype("f4") for one in weights])
    except UNREADABLE as error:
        raise store.ModelError(
            f"{file.name} is no detector, or damaged ({type(error).__name__}); get it "
            "again, or name one that `chromolib train` made"
        ) from error
    store.check(facts, file)
    return detector, facts | {"sha256": files.sha256(file)}


def _half(values):
    largest = np.abs(values).max(initial=0)
    return values if largest > np.finfo(np.float16).max else values.astype(np.float16)


def _built(built, classes):
    """An untrained detector of the family and settings that a file names."""
    if {name: type(value) for name, value in built.items()} != SETTINGS:
        raise ValueError("other settings than a detector has")
    if not 0 < built["size"] <= LARGEST:
        raise ValueError("too large")
    family = families.FAMILIES[built["family"]]
    settings = {name: built[name] for name in ("trunk", "scales")}
    return family(classes, built["size"], **settings)
