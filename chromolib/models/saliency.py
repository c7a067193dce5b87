"""Where in a picture a network finds its answer: maps as large as the picture.

`grad_cam(model, pictures, target, *, layer)` -> (n, h, w), at least 0
`occlusion(model, pictures, target, *, patch, step)` -> (n, h, w), of either sign

Both explain the log-odds of a class: its logit less that of all others together. So
what speaks for it and what speaks against the others count alike, and with two classes
the map of one is the map of the other turned round.
"""

import itertools

import keras
import numpy as np
from keras import ops

INK = 0.05  # above it a pixel is of a chromosome
BATCH = 512  # pictures at a time


class SaliencyError(ValueError):
    """A map that cannot be made of this model or these pictures."""


def log_odds(logits, target):
    """Log-odds (n,) of a class in each row of logits, a tensor of the backend."""
    hot = ops.one_hot(target, logits.shape[1], dtype=logits.dtype)
    others = ops.logsumexp(logits - 1e9 * hot, axis=1)
    return ops.sum(logits * hot, axis=1) - others


def grad_cam(model, pictures, target, *, layer):
    """What a layer saw that speaks for the target (Selvaraju et al., 2017, eq. 1-2).

    Channels of the layer are weighed by the mean slope of the log-odds over all places,
    summed, and cut at 0; the map is as coarse as the layer and drawn out linearly.
    `target` is one class, or one of each picture.
    """
    pictures, target = _asked(model, pictures, target)
    front, back = _halves(model, layer)
    slope = SLOPES.get(keras.backend.backend(), _unknown)
    maps = []
    for first in range(0, len(pictures), BATCH):
        part = slice(first, first + BATCH)
        seen = front(ops.convert_to_tensor(pictures[part]), training=False)
        weight = ops.mean(slope(back, seen, target[part]), axis=(1, 2), keepdims=True)
        coarse = ops.relu(ops.sum(weight * seen, axis=3, keepdims=True))
        drawn = ops.image.resize(
            coarse, pictures.shape[1:3], data_format="channels_last"
        )
        maps.append(ops.convert_to_numpy(drawn)[..., 0])
    return np.concatenate(maps).astype(np.float32)


def _halves(model, layer):
    """The model up to a layer, and from it on."""
    maps = [one.name for one in model.layers if len(one.output.shape) == 4]
    if layer not in maps:
        raise SaliencyError(f"no layer {layer!r} with maps; known: {', '.join(maps)}")
    seen = model.get_layer(layer).output
    try:
        return keras.Model(model.inputs, seen), keras.Model(seen, model.outputs[0])
    except ValueError as error:
        raise SaliencyError(
            f"not all of the picture passes through {layer!r}; choose a layer that no "
            "branch leads around"
        ) from error


def _tensorflow(back, seen, target):
    """The slope of the log-odds at each place and channel of a layer."""
    import tensorflow

    with tensorflow.GradientTape() as tape:
        tape.watch(seen)
        odds = log_odds(back(seen, training=False), target)
    return tape.gradient(odds, seen)


def _jax(back, seen, target):
    """The same by JAX, of the sum: pictures do not touch each other."""
    import jax

    def odds(seen):
        return ops.sum(log_odds(back(seen, training=False), target))

    return jax.grad(odds)(seen)


def _unknown(*_):
    raise SaliencyError(
        f"no slopes by the backend {keras.backend.backend()!r}; set KERAS_BACKEND to "
        f"one of {', '.join(SLOPES)}, or use `occlusion`"
    )


SLOPES = {"tensorflow": _tensorflow, "jax": _jax}


def occlusion(model, pictures, target, *, patch=8, step=4):
    """How far the log-odds of the target fall where a patch is made plain.

    A pixel has the mean fall of the patches that hold it; above 0 it speaks for the
    target. Only ink is painted over, so that the outline stays: a hole, or ink beside a
    chromosome, would be an abnormality itself. The paint is the mean ink of all
    chromosome in the picture, which wipes out bands. What is told by the outline alone,
    a length say, is not found.
    """
    pictures, target = _asked(model, pictures, target)
    if not 0 < step <= patch <= min(pictures.shape[1:3]):
        raise SaliencyError(
            f"patches of {patch} every {step} pixels; give 0 < step <= patch <= "
            f"{min(pictures.shape[1:3])}, so that every pixel is covered"
        )
    mask = pictures > INK
    ink = (pictures * mask).sum((1, 2), keepdims=True)
    mean = ink / np.maximum(mask.sum((1, 2), keepdims=True), 1)
    paint = np.where(mask, mean, pictures).astype(np.float32)
    places = [
        np.s_[y : y + patch, x : x + patch]
        for y, x in itertools.product(
            *(_starts(size, patch, step) for size in pictures.shape[1:3])
        )
    ]
    jobs = [
        (i, place)
        for i in range(len(pictures))
        for place in places
        if mask[i][place].any()
    ]
    return _falls(model, pictures, paint, target, places, jobs)


def _starts(size, patch, step):
    """Where patches begin; the last one ends at the edge."""
    return sorted({*range(0, size - patch + 1, step), size - patch})


def _falls(model, pictures, paint, target, places, jobs):
    """The mean fall of each pixel; a patch without ink changes nothing, unasked."""
    whole = _odds(model, pictures, target)
    fall, count = np.zeros(pictures.shape[:3]), np.zeros(pictures.shape[1:3])
    for place in places:
        count[place] += 1
    for first in range(0, len(jobs), BATCH):
        block = jobs[first : first + BATCH]
        which = [i for i, _ in block]
        painted = pictures[which]
        for one, (i, place) in zip(painted, block, strict=True):
            one[place] = paint[i][place]
        fallen = whole[which] - _odds(model, painted, target[which])
        for (i, place), value in zip(block, fallen, strict=True):
            fall[i][place] += value
    return (fall / count).astype(np.float32)


def _odds(model, pictures, target):
    logits = model.predict(pictures, batch_size=BATCH, verbose=0)
    return ops.convert_to_numpy(log_odds(ops.convert_to_tensor(logits), target))


def _asked(model, pictures, target):
    """Pictures as float32 and a class of each; refuses what the model cannot see."""
    pictures = np.asarray(pictures, np.float32)
    shape, outputs = model.input_shape, model.output_shape
    if pictures.ndim != 4 or not len(pictures) or pictures.shape[3] != 1:
        raise SaliencyError(f"pictures are {pictures.shape}, not (n, h, w, 1)")
    if any(
        want not in (None, got)
        for want, got in zip(shape[1:], pictures.shape[1:], strict=True)
    ):
        raise SaliencyError(
            f"pictures are {pictures.shape[1:]}, the model sees {shape[1:]}"
        )
    if len(outputs) != 2 or outputs[1] < 2:
        raise SaliencyError(f"the model gives {outputs}, not a logit of each class")
    target = np.broadcast_to(np.asarray(target, np.int32), len(pictures))
    if not ((target >= 0) & (target < outputs[1])).all():
        raise SaliencyError(
            f"target {target.min()} to {target.max()}; classes are 0 to "
            f"{outputs[1] - 1}"
        )
    return pictures, target
