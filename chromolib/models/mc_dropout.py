"""Monte Carlo dropout: many answers of one network, whose dropout stays on.

`draws(model, images, *, times, seed)` -> answers, (times, n) or (times, n, outputs)
`split(model)` -> the network up to its first dropout, and the network from there on

Y. Gal and Z. Ghahramani, "Dropout as a Bayesian approximation" (2016), section 4.

# Strategy: up to the first dropout all draws are equal, so that is computed once. What
follows is computed for all draws of some images together. Its price is chance, not
arithmetic: VGG16's last maps of 16 images take 13 million random numbers for 100 draws.
Here these are hashes of counters, which XLA computes where they are used and never
writes to memory. On two CPU cores all draws then take 13 ms, without XLA 66, and with
Keras' own dropout 45 (159 with XLA); one pass of the network takes at least 410.
"""

import contextlib
import math
import warnings
import weakref

import keras
import numpy as np
from keras import ops

from chromolib import streams
from chromolib.models import counter_rng

BATCH = 32  # images at a time up to the first dropout
ROWS = 1600  # images times draws at a time from there on
SPATIAL = (
    keras.layers.SpatialDropout1D,
    keras.layers.SpatialDropout2D,
    keras.layers.SpatialDropout3D,
)
_made = weakref.WeakKeyDictionary()  # model -> networks made of it


def draws(model, images, *, times=100, seed):
    """Answers with dropout on: (times, n), or (times, n, outputs) of several outputs.

    On are all layers of Keras' Dropout and SpatialDropout; all else stays as it
    predicts: batch normalisation, noise, dropout inside recurrent or attention layers.
    Draws are independent over images and times, and equal for equal seeds on every
    backend.
    """
    trunk, head = split(model)
    starts = range(0, len(images), BATCH)
    features = np.concatenate(
        [trunk.predict_on_batch(images[first : first + BATCH]) for first in starts]
    )
    count, size = len(features), max(1, min(len(features), ROWS // times))
    network, dropped = _kept(head, _drawing, (size, *features.shape[1:]), times)
    rng, parts = streams.stream(seed, "dropout"), []
    for first in range(0, count, size):
        keys = rng.integers(2**32, size=(size, times, len(dropped), 2), dtype=np.uint32)
        for i, layer in enumerate(dropped):
            layer.keys.assign(keys[:, :, i].reshape(-1, 2))
        some = features[np.arange(first, first + size) % count]  # XLA knows one size
        parts.append(network.predict_on_batch(some))
    answers = np.moveaxis(np.concatenate(parts)[:count], 1, 0)
    return answers[..., 0] if answers.shape[2:] == (1,) else answers


def split(model):
    """The network up to its first dropout, and from there on, sharing its weights.

    A dropout in a branch counts from the last layer that everything passes through.
    """
    return _kept(model, _split)


def _kept(model, make, *facts):
    """What is made of a model, once as long as its layers and rates stay the same."""
    key = make, facts, *((id(one), getattr(one, "rate", 0)) for one in _layers(model))
    known = _made.setdefault(model, {})
    if key not in known:
        known[key] = make(model, *facts)
    return known[key]


def _split(model):
    """`split`, by a walk through the network until the first dropout."""
    cut, before = [], {}

    def call(layer, *args, **kwargs):
        x = next(filter(keras.backend.is_keras_tensor, keras.tree.flatten(args)))
        if not cut and _drops(layer):
            cut.append(x)
            if isinstance(layer, keras.Model) and len(layer.inputs) == 1:
                trunk, head = _split(layer)
                cut[0] = trunk(x)
                before[id(cut[0])] = x
                return head(cut[0])
        answer = layer(*args, **kwargs)
        before.update({id(one): x for one in keras.tree.flatten(answer)})
        return answer

    whole = _rewired(model, call)
    if not cut:
        raise ValueError(
            f"{model.name} has no dropout, so all its draws are equal; build it with "
            "keras.layers.Dropout"
        )
    at = cut[0]
    while at is not None:
        with contextlib.suppress(ValueError):  # a branch leads around it
            return keras.Model(whole.input, at), keras.Model(at, whole.output)
        at = before.get(id(at))
    raise ValueError(
        f"{model.name} has no layer before its first dropout that all of its inputs "
        "pass through; give it a single input"
    )


def _drawing(head, shape, times):
    """Network from features to (n, times, …), and its layers that drop."""
    dropped = []
    if len(head.outputs) != 1:
        raise ValueError(
            f"{head.name} has {len(head.outputs)} outputs; make a keras.Model of the "
            "one that is drawn"
        )

    def call(layer, *args, **kwargs):
        if isinstance(layer, keras.layers.Dropout):
            dropped.append(_Drawn(layer, shape[0] * times))
            return dropped[-1](args[0])
        if _drops(layer):
            return _rewired(layer, call)(_single(keras.tree.flatten(args)))
        return layer(*args, **kwargs)

    entry = keras.Input(batch_shape=shape, dtype=head.inputs[0].dtype)
    answer = _rewired(head, call)(ops.repeat(entry, times, axis=0))
    answer = ops.reshape(answer, (shape[0], times, *answer.shape[1:]))
    network = keras.Model(entry, answer)
    with warnings.catch_warnings():
        # where Keras knows that XLA is not to be had it warns, and does without
        warnings.filterwarnings("ignore", ".*jit_compile", UserWarning)
        network.compile(jit_compile=True)
    return network, dropped


class _Drawn(keras.layers.Layer):
    """The dropout of another layer, by two random words for each row."""

    def __init__(self, layer, rows):
        super().__init__(dtype=layer.dtype_policy)
        self.rate, self.noise = layer.rate, layer.noise_shape
        if isinstance(layer, SPATIAL):
            self.noise = _noise(layer)
        self.keys = self.add_weight(
            shape=(rows, 2), dtype="uint32", initializer="zeros", trainable=False
        )

    def call(self, inputs):
        """The inputs, some of them 0 and the others larger by as much."""
        shape = inputs.shape[1:]
        if self.noise:
            shape = [n or size for n, size in zip(self.noise[1:], shape, strict=True)]
        words = counter_rng.keyed(self.keys, math.prod(shape))
        stays = ops.reshape(counter_rng.unit(words) >= self.rate, (-1, *shape))
        return ops.where(stays, inputs / max(1 - self.rate, 1e-6), 0.0)

    def compute_output_shape(self, input_shape):
        """Sizes stay."""
        return input_shape


def _noise(layer):
    """What a spatial dropout drops together, a channel, in words of other dropouts."""
    rank = layer.input_spec.ndim
    first = getattr(layer, "data_format", "channels_last") == "channels_first"
    return [None if i in (0, 1 if first else rank - 1) else 1 for i in range(rank)]


def _rewired(model, call):
    """The same network on the same layers, each of them called by `call`."""
    try:
        graph = keras.Model(_single(model.inputs), _single(model.outputs))
    except AttributeError:
        raise ValueError(
            f"{model.name} does not say which layers it has in which order; build it "
            "as keras.Model(inputs, outputs), or as Sequential with an Input"
        ) from None
    return keras.models.clone_model(
        graph, clone_function=lambda layer: layer, call_function=call
    )


def _single(tensors):
    return tensors[0] if len(tensors) == 1 else tensors


def _layers(model):
    """All layers of a network and of those in it."""
    for layer in model.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)


def _drops(layer):
    """Whether a layer is a dropout, or a network with one."""
    inner = _layers(layer) if isinstance(layer, keras.Model) else [layer]
    return any(isinstance(one, keras.layers.Dropout) for one in inner)
