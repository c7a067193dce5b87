"""What each training of a run said, kept as soon as it is done: an archive a training.

`write(file, parts, arrays, how)`, `read(file, parts, how)` -> arrays, or None
`weights(model)` -> arrays; `fill(model, kept)`, a network made as it was

A run that was stopped goes on with what was kept of the same images, made with the same
settings: those of a notebook may have changed since.
"""

import numpy as np

from chromolib import files


def write(file, parts, arrays, how=None):
    """Keep arrays with the names of the images that they are of, part -> images, and
    how they were made."""
    images = {f"{name} image": part.image for name, part in parts.items()}
    file.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(file) as partial:
        np.savez(partial, **images, **arrays, how=repr(how))


def read(file, parts, how=None):
    """What was kept, if it is of these very images and, where that is said, made so;
    else None."""
    if not file.exists():
        return None
    with np.load(file, allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    same = (
        np.array_equal(arrays.get(f"{name} image"), part.image)
        for name, part in parts.items()
    )
    made = how is None or str(arrays.get("how")) == repr(how)
    return arrays if made and all(same) else None


def weights(model):
    """What a network has learned, as arrays to keep."""
    return {f"w{i}": one for i, one in enumerate(model.get_weights())}


def fill(model, kept):
    """Give a network the weights that were kept."""
    model.set_weights([kept[name] for name in weights(model)])
