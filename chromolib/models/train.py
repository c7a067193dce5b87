"""Training by Keras' own `fit`: the best epoch kept, a stop resumed exactly.

`train(model, images, labels, *, epochs, seed, ...)` -> history, a frame of epochs
`callbacks(monitor)` -> what a single `model.fit` needs to keep its best epoch
`precision()` -> the number format for layers: half where that pays
`built(policy)` -> a context in which layers get that format
`shared()` -> a context in which all devices share each batch

# Strategy: one call of `fit` an epoch, on arrays in an order that is a function of seed
# and epoch (a call costs less than 3 % of an epoch of 1,263 small images). Keras'
# BackupAndRestore knows neither the order of the images nor the best weights, so after
# each epoch these, the random states, the optimizer and the history are one file here,
# replaced in one step. It carries a fingerprint of all that the training depends on,
# and the file of another training is refused.
# Compiling a network takes Keras as long as some epochs of a small study. So trainings
# of equal networks share a compiled twin, which takes over weights and random states
# before and gives them back after.
"""

import collections
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
from chromolib.models import fused, stored

FILE = "training.npz"  # in the folder of checkpoints
UNREADABLE = OSError, ValueError, LookupError, TypeError, EOFError, zipfile.BadZipFile
CPU = pathlib.Path("/proc/cpuinfo")
HALF = {"avx512_bf16", "amx_bf16"}  # what a CPU needs for half precision
TWINS = 4  # networks that are kept compiled
_twins = collections.OrderedDict()  # what a network is -> its compiled twin


class TrainingError(ValueError):
    """A training that cannot go on."""


def train(
    model,
    images,
    labels,
    *,
    epochs,
    seed,
    batch=32,
    steps=None,
    validation=None,
    monitor="val_loss",
    patience=None,
    checkpoint=None,
    log=lambda line: None,
):
    """Train a compiled model: a frame with a row an epoch, in the names of Keras.

    The column `best` marks the epoch whose weights the model now has: the best by
    `monitor`, the last of equals; without `validation` = (images, labels) the last of
    all. An epoch is so many `steps`, or one look at every image; the optimizer starts
    anew. Training ends early after `patience` epochs without a better one. With a
    folder `checkpoint` a stopped training goes on there when it is called again with
    the same arguments, and ends as if it had never been stopped. `log` gets a line
    an epoch.
    """
    _check(images, labels, validation, patience)
    steps = steps or math.ceil(len(images) / batch)
    settings = {
        "epochs": epochs,
        "seed": seed,
        "batch": batch,
        "steps": steps,
        "patience": patience,
        "monitor": monitor,
    }
    file = pathlib.Path(checkpoint) / FILE if checkpoint else None
    stamp = file and _stamp(model, images, labels, validation, settings)
    twin = _twin(model)
    rows, best = _restored(twin, file, stamp)
    if rows:
        log(f"goes on after epoch {len(rows)} of {epochs}")
    orders = _orders(len(images), steps * batch, np.random.default_rng(seed))
    for epoch, order in zip(range(epochs), orders, strict=False):
        if epoch < len(rows):  # learned before the stop
            continue
        if patience and rows and epoch - 1 - _best(rows, monitor) >= patience:
            break
        part = np.asarray(images[order])  # read now, where they are stored
        row = _epoch(twin, part, labels[order], epoch, batch, validation)
        _finite(row, epochs, file)
        _monitored(row, monitor, validation)
        rows.append(row)
        if validation is not None and _best(rows, monitor) == epoch:
            best = twin.get_weights()
        _write(twin, file, stamp, rows, best)
        log(_line(row, epochs))
    _copy(twin, model)
    if best:
        model.set_weights(best)
    _remove(file)
    return pd.DataFrame(rows).assign(best=lambda h: h.index == _best(rows, monitor))


class BestWeights(keras.callbacks.Callback):
    """Gives a model the weights of its best epoch when training ends.

    Of equal epochs the last counts, for it has learned more; Keras' own callbacks take
    the first, and a validation set of some forty images has many equals.
    """

    def __init__(self, monitor):
        super().__init__()
        self.monitor, self.rows, self.weights = monitor, [], None

    def on_epoch_end(self, epoch, logs=None):
        """Remember the weights if no epoch was better."""
        _monitored(logs, self.monitor, validation=True)
        self.rows.append(dict(logs))
        if _best(self.rows, self.monitor) == len(self.rows) - 1:
            self.weights = self.model.get_weights()

    def on_train_end(self, logs=None):
        """Give them back."""
        self.model.set_weights(self.weights)


def callbacks(monitor="val_loss"):
    """Callbacks of one `model.fit`: stop at a loss that is no number, keep the best."""
    return [keras.callbacks.TerminateOnNaN(), BestWeights(monitor)]


def precision(*, large=False):
    """The number format for a network's layers: half precision where that pays.

    Under a GPU always; on a CPU that has instructions for it, for `large` networks only
    (VGG16 learns in half the time), as small ones gain nothing. Weights stay single.
    The last layer of a network stays "float32".
    """
    if any(name.startswith("gpu") for name in keras.distribution.list_devices()):
        return keras.DTypePolicy("mixed_float16")
    half = large and CPU.exists() and HALF & set(CPU.read_text().split())
    return keras.DTypePolicy("mixed_bfloat16" if half else "float32")


@contextlib.contextmanager
def built(policy):
    """Layers made meanwhile have this number format."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        yield
    finally:
        keras.config.set_dtype_policy(before)


@contextlib.contextmanager
def shared():
    """Networks made and trained meanwhile learn on all devices; each has all weights.

    With JAX only. Every batch is cut into equal parts, one a device, so the sizes of
    batches, the last one of validation too, must be multiples of their number.
    """
    before = keras.distribution.distribution()
    keras.distribution.set_distribution(keras.distribution.DataParallel())
    _twins.clear()  # each lies on one device, or on all
    try:
        yield
    finally:
        keras.distribution.set_distribution(before)
        _twins.clear()


def _check(images, labels, validation, patience):
    if not len(images) or len(images) != len(labels):
        raise TrainingError(
            f"{len(images)} images and {len(labels)} labels; "
            "training needs one label for each of at least one image"
        )
    if patience is not None and (validation is None or patience < 1):
        raise TrainingError(
            f"patience={patience}: early stopping takes 1 epoch or more and needs "
            "images that are not learned from: validation=(images, labels)"
        )
    if validation is None:
        return
    if not len(validation[0]) or len(validation[0]) != len(validation[1]):
        raise TrainingError(
            f"{len(validation[0])} images and {len(validation[1])} labels to validate "
            "by; omit validation, or give one label for each of at least one image"
        )


def _twin(model):
    """A compiled network equal to the model, with its weights and a new optimizer."""
    learning, plain_rate = _learning(model)
    key = structure(model), learning
    if key not in _twins:
        twin = fused.fused(model)
        first = [variable.numpy() for variable in twin.optimizer.variables]
        _twins[key] = twin, first
        if len(_twins) > TWINS:
            _twins.popitem(last=False)
    _twins.move_to_end(key)
    twin, first = _twins[key]
    _copy(model, twin)
    for variable, value in zip(twin.optimizer.variables, first, strict=True):
        variable.assign(value)
    if plain_rate:
        twin.optimizer.learning_rate = float(model.optimizer.learning_rate)
    return twin


def _copy(source, target):
    """Take over weights and random states."""
    for variable, value in zip(target.variables, source.variables, strict=True):
        variable.assign(value)


def structure(model):
    """What a network is made of, whatever Keras calls its layers."""
    text = _text(model.get_config())
    for i, layer in enumerate(model.layers):
        text = text.replace(f'"{layer.name}"', f'"#{i}"')
    return text


def _learning(model):
    """How it learns, but for a rate that is one number; and whether it is.

    Such a rate is a variable and needs no new graph.
    """
    settings = model.get_compile_config()  # made anew by each call
    optimizer = settings.get("optimizer")
    config = optimizer["config"] if isinstance(optimizer, dict) else {}
    plain_rate = isinstance(config.get("learning_rate"), float)
    if plain_rate:
        del config["learning_rate"]
    return _text(settings), plain_rate


def _text(config):
    """Settings without names, which Keras counts up, and seeds, which are variables."""

    def plain(value):
        if isinstance(value, dict):
            return {k: plain(v) for k, v in value.items() if k not in ("name", "seed")}
        return [plain(v) for v in value] if isinstance(value, list | tuple) else value

    return json.dumps(plain(config), default=lambda value: type(value).__name__)


def _orders(count, size, rng):
    """The images of each epoch, `size` of them: every image once before any again."""
    while True:
        rounds = [rng.permutation(count) for _ in range(-(-size // count))]
        yield np.concatenate(rounds)[:size]


def _epoch(model, images, labels, epoch, batch, validation):
    history = model.fit(
        images,
        labels,
        batch_size=batch,
        epochs=epoch + 1,
        initial_epoch=epoch,
        shuffle=False,
        validation_data=validation,
        verbose=0,
    ).history
    return {"epoch": epoch + 1} | {name: float(v[0]) for name, v in history.items()}


def _finite(row, epochs, file):
    """Stop where a loss is no number; what would go on there is removed."""
    for name in ("loss", "val_loss"):
        if not np.isfinite(row.get(name, 0)):
            _remove(file)
            raise TrainingError(
                f"the {name} is {row[name]} in epoch {row['epoch']} of {epochs}; look "
                "for values that are not finite, or lower the learning rate"
            )


def _monitored(row, monitor, validation):
    """Refuse to choose an epoch by a column that there is not."""
    if validation is not None and monitor not in row:
        columns = ", ".join(name for name in row if name != "epoch")
        raise TrainingError(
            f"no column {monitor!r} to choose the best epoch by; there are {columns}: "
            "take one of them, or compile the model with that metric"
        )


def _best(rows, monitor):
    """Index of the best row, the last of equals; without validation, of the last."""
    if not rows or monitor not in rows[0]:
        return len(rows) - 1
    sign = -1 if monitor.endswith("loss") else 1
    return max(range(len(rows)), key=lambda i: (sign * rows[i][monitor], i))


def _line(row, epochs):
    values = [f"{name} {v:.4g}" for name, v in row.items() if name != "epoch"]
    return f"epoch {row['epoch']} of {epochs}: {', '.join(values)}"


def _stamp(model, images, labels, validation, settings):
    """All that the result depends on, by name."""
    return settings | {
        "images": _checksum(images),
        "labels": _checksum(labels),
        "validation": [_checksum(array) for array in validation or ()],
        "network": zlib.crc32(structure(model).encode()),
        "learning": zlib.crc32(_text(model.get_compile_config()).encode()),
        "first weights": [_checksum(one.numpy()) for one in model.variables],
        "backend": keras.backend.backend(),
    }


def _checksum(array):
    total = 0
    for part in array.parts() if isinstance(array, stored.Stored) else [array]:
        total = zlib.crc32(np.ascontiguousarray(part), total)
    return f"{array.shape} {array.dtype} {total}"


def _variables(model):
    """Weights with random states, then the optimizer's."""
    return [*model.variables, *model.optimizer.variables]


def _write(model, file, stamp, rows, best):
    """Write the state after an epoch in one step, so that a stop leaves old or new."""
    if file is None:
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    arrays = {f"v{i}": one.numpy() for i, one in enumerate(_variables(model))}
    arrays |= {f"b{i}": value for i, value in enumerate(best or ())}
    text = json.dumps({"stamp": stamp, "rows": rows, "best": len(best or ())})
    with files.replacing(file) as partial:
        np.savez(partial, facts=np.array(text), **arrays)


def _restored(model, file, stamp):
    """History and best weights so far, the model set to them; or nothing to go on."""
    if file is None or not file.exists():
        return [], None
    try:
        with np.load(file, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        facts = json.loads(str(arrays["facts"]))
        there = facts["stamp"]
    except UNREADABLE:
        raise TrainingError(
            f"{file.name} in {file.parent.name} cannot be read; remove it, and the "
            "training begins anew"
        ) from None
    wanted = json.loads(json.dumps(stamp))
    other = [name for name in wanted if there.get(name) != wanted[name]]
    variables = _variables(model)
    if other or f"v{len(variables) - 1}" not in arrays:
        raise TrainingError(
            f"{file.name} in {file.parent.name} is of another training (other "
            f"{', '.join(other) or 'network'}); remove it, or use another folder"
        )
    for i, variable in enumerate(variables):
        variable.assign(arrays[f"v{i}"])
    return facts["rows"], [arrays[f"b{i}"] for i in range(facts["best"])] or None


def _remove(file):
    """Remove the checkpoint, and its folder if that holds nothing else."""
    if file is not None:
        file.unlink(missing_ok=True)
        with contextlib.suppress(OSError):
            file.parent.rmdir()
