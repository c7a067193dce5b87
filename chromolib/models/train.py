"""Training, and nothing around it.

`fit(model, images, labels, *, epochs, seed)` -> a frame with a row for each epoch
`precision()` -> the number format for layers: half where a GPU makes that pay

# Strategy of going on: after each epoch, weights, random states, optimizer, the rows so
far and the best weights are one file, replaced in one step. It carries a stamp of all
that a training depends on, and another training's file is refused. The order of images
is a function of seed and epoch and is drawn again.
"""

import contextlib
import json
import math
import pathlib
import zipfile
import zlib

import keras
import numpy as np
import pandas as pd

from chromolib import files

FILE = "training.npz"  # in the folder of checkpoints


class FitError(ValueError):
    """A training that cannot go on."""


class Batches(keras.utils.PyDataset):
    """Batches of one epoch, in an order of its own.

    All batches are of one size: where an epoch runs out of images it begins anew.
    """

    def __init__(self, images, labels, *, batch, steps, rng):
        super().__init__()
        self.images, self.labels = images, labels
        count, wanted = len(images), steps * batch
        rounds = [rng.permutation(count) for _ in range(-(-wanted // count))]
        self.order = np.concatenate(rounds)[:wanted].reshape(steps, batch)

    def __len__(self):
        return len(self.order)

    def __getitem__(self, step):
        chosen = self.order[step]
        return self.images[chosen], self.labels[chosen]


def fit(
    model,
    images,
    labels,
    *,
    epochs,
    seed,
    batch=128,
    steps=None,
    valid=None,
    patience=None,
    best_by="valid_loss",
    keep=None,
    say=None,
):
    """A frame with a row for each epoch; the compiled model has learned.

    Columns are epoch, loss, accuracy where the model measures it, valid_loss and
    valid_accuracy with `valid` = (images, labels), and `best`: the row whose weights
    the model has now: the best by valid_loss or by another column, and without `valid`
    the last.
    An epoch is so many `steps`, or one look at every image. Training ends early after
    `patience` epochs without a better one. A training with a folder `keep` goes on
    there when it is called again with the same arguments after a stop, and ends as if
    it had never been stopped. `say` gets a line an epoch.
    """
    _check(images, labels, valid, patience)
    steps = steps or math.ceil(len(images) / batch)
    rng = np.random.default_rng(seed)
    once = {"epochs": epochs, "seed": seed, "batch": batch, "steps": steps}
    once |= {"patience": patience, "best_by": best_by}
    file = pathlib.Path(keep) / FILE if keep else None
    stamp = _stamp(model, images, labels, valid, once, file)
    rows, best = _restored(model, file, stamp)
    if rows and say:
        say(f"goes on after epoch {len(rows)} of {epochs}")
    for epoch in range(epochs):
        batches = Batches(images, labels, batch=batch, steps=steps, rng=rng)
        if epoch < len(rows):  # learned before the stop
            continue
        if _tired(rows, patience, best_by):
            break
        row = _epoch(model, batches, valid, epoch, batch)
        _finite(row, epochs, file)
        rows.append(row)
        if valid and _best(rows, best_by) == epoch:
            best = model.get_weights()
        _kept(model, file, stamp, rows, best)
        if say:
            say(_line(row, epochs))
    if best:
        model.set_weights(best)
    _removed(file)
    frame = pd.DataFrame(rows)
    return frame.assign(best=frame.index == _best(rows, best_by))


def precision():
    """The number format for a network's layers: half precision under a GPU only.

    Weights stay single; a CPU computes half precision more slowly than single. The
    last layer of a network stays "float32".
    """
    gpu = any(name.startswith("gpu") for name in keras.distribution.list_devices())
    return keras.DTypePolicy("mixed_float16" if gpu else "float32")


def _check(images, labels, valid, patience):
    if not len(images) or len(images) != len(labels):
        raise FitError(
            f"{len(images)} images and {len(labels)} labels; "
            "training needs one label for each of at least one image"
        )
    if patience is not None and (valid is None or patience < 1):
        raise FitError(
            f"patience={patience}: early stopping takes 1 epoch or more and needs "
            "images that are not learned from: valid=(images, labels)"
        )
    if valid is not None and (not len(valid[0]) or len(valid[0]) != len(valid[1])):
        raise FitError(
            f"{len(valid[0])} images and {len(valid[1])} labels to validate by; "
            "leave valid away, or give one label for each of at least one image"
        )


def _epoch(model, batches, valid, epoch, batch):
    """The row of one epoch; one a call, so that a loss that is no number stops it."""
    past = model.fit(
        batches, epochs=epoch + 1, initial_epoch=epoch, shuffle=False, verbose=0
    )
    row = {"epoch": epoch + 1}
    row |= _measured({name: values[0] for name, values in past.history.items()}, "")
    if valid is not None:
        found = model.evaluate(*valid, batch_size=batch, verbose=0, return_dict=True)
        row |= _measured(found, "valid_")
    return row


def _measured(found, prefix):
    """Loss and accuracy under one name each, whatever kind of accuracy it is."""
    accuracy = [value for name, value in found.items() if name.endswith("accuracy")]
    values = {"loss": found["loss"]} | dict(zip(["accuracy"], accuracy, strict=False))
    return {prefix + name: float(value) for name, value in values.items()}


def _finite(row, epochs, file):
    """Stop where a loss is no number; what would go on there is removed."""
    for name in ("loss", "valid_loss"):
        if not np.isfinite(row.get(name, 0)):
            _removed(file)
            raise FitError(
                f"the {name} is {row[name]} in epoch {row['epoch']} of {epochs}; look "
                "for values that are not finite, or lower the learning rate"
            )


def _best(rows, best_by):
    """Index of the best row, the last of equals; without validation, of the last."""
    if not rows or best_by not in rows[0]:
        return len(rows) - 1
    sign = 1 if best_by.endswith("loss") else -1
    return max(range(len(rows)), key=lambda i: (-sign * rows[i][best_by], i))


def _tired(rows, patience, best_by):
    return bool(patience and rows) and len(rows) - 1 - _best(rows, best_by) >= patience


def _line(row, epochs):
    words = [f"{k.replace('_', ' ')} {v:.4g}" for k, v in row.items() if k != "epoch"]
    return f"epoch {row['epoch']} of {epochs}: {', '.join(words)}"


def _stamp(model, images, labels, valid, settings, file):
    """All that the result depends on, by name."""
    if file is None:
        return {}
    layers = [one for one in model.layers if not isinstance(one, keras.Model)]
    network = [[type(one).__name__, _nameless(one.get_config())] for one in layers]
    return settings | {
        "images": _digest([images]),
        "labels": _digest([labels]),
        "valid": _digest(valid or ()),
        "network": _checksum(network),
        "first weights": _digest(model.get_weights()),
        "learning": _checksum(_nameless(model.get_compile_config())),
        "backend": keras.backend.backend(),
    }


def _nameless(config):
    """Settings without names, which Keras counts up from one network to the next."""
    if isinstance(config, dict):
        return {k: _nameless(v) for k, v in config.items() if k != "name"}
    return [_nameless(v) for v in config] if isinstance(config, list) else config


def _checksum(settings):
    text = json.dumps(settings, default=lambda one: type(one).__name__)
    return f"{zlib.crc32(text.encode()):08x}"


def _digest(arrays):
    """Shapes, types and a checksum of arrays, as text."""
    check, shapes = 0, []
    for array in arrays:
        flat = np.ascontiguousarray(array).reshape(-1)
        check = zlib.crc32(flat.view(np.uint8), check)
        shapes.append(f"{np.shape(array)} {flat.dtype}")
    return f"{zlib.crc32(' '.join(shapes).encode()):08x}{check:08x}"


def _variables(model):
    """Weights with random states, then the optimizer's, all built."""
    if not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)
    return [*model.variables, *model.optimizer.variables]


def _kept(model, file, stamp, rows, best):
    """Write the state after an epoch in one step, so that a stop leaves old or new."""
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    state = [one.numpy() for one in _variables(model)]
    arrays = {f"v{i}": value for i, value in enumerate(state)}
    arrays |= {f"b{i}": value for i, value in enumerate(best or ())}
    text = json.dumps({"stamp": stamp, "rows": rows, "best": len(best or ())})
    with files.replacing(file) as partial, partial.open("wb") as out:
        np.savez(out, facts=np.array(text), **arrays)


def _restored(model, file, stamp):
    """Rows and best weights so far, the model set to them; or nothing to go on from."""
    if file is None or not file.exists():
        return [], None
    try:
        with np.load(file, allow_pickle=False) as found:
            arrays = {name: found[name] for name in found.files}
        facts = json.loads(str(arrays["facts"]))
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        raise FitError(
            f"{file.name} in {file.parent.name} cannot be read; remove it, and the "
            "training begins anew"
        ) from None
    other = [name for name in stamp if facts["stamp"].get(name) != stamp[name]]
    variables = _variables(model)
    if other or f"v{len(variables) - 1}" not in arrays:
        raise FitError(
            f"{file.name} in {file.parent.name} is of another training (other "
            f"{', '.join(other) or 'network'}); remove it, or keep this one elsewhere"
        )
    for i, variable in enumerate(variables):
        variable.assign(arrays[f"v{i}"])
    return facts["rows"], [arrays[f"b{i}"] for i in range(facts["best"])] or None


def _removed(file):
    """Remove what was kept, and its folder if that holds nothing else."""
    if file is not None:
        file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            file.parent.rmdir()
