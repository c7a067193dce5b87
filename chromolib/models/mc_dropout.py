"""Many predictions of a network whose dropout stays on.

`draws(model, images, *, times, seed)` -> (times, n) of what the network says
"""

import keras
import numpy as np

from chromolib.models import layers

BATCH = 16  # images, each repeated so many times as there are draws


@layers.register
class MCDropout(keras.layers.Dropout):
    """Dropout that stays on at prediction time, and nothing else does."""

    def call(self, inputs, training=None):
        """The inputs, thinned."""
        return super().call(inputs, training=True)


def draws(model, images, *, times, seed):
    """What a network of one output says of images, so many times: (times, n).

    All before the first dropout layer is computed once an image, the rest repeated.
    """
    twin = keras.models.clone_model(model, clone_function=_on)
    twin.set_weights(model.get_weights())
    first = next((x for x in twin.layers if isinstance(x, MCDropout)), None)
    if first is None:
        raise ValueError(f"{model.name} has no dropout layer; add one, as MCDropout")
    keras.utils.set_random_seed(seed)
    below = keras.Model(twin.input, first.input)
    head = keras.Model(first.input, twin.output)
    found = []
    for start in range(0, len(images), BATCH):
        maps = below.predict(images[start : start + BATCH], verbose=0)
        repeated = np.tile(maps, (times,) + (1,) * (maps.ndim - 1))
        said = head.predict_on_batch(repeated)
        found.append(np.asarray(said).reshape(times, len(maps)))
    return np.concatenate(found, 1)


def _on(layer):
    if isinstance(layer, keras.layers.Dropout):
        return MCDropout(layer.rate)
    return type(layer).from_config(layer.get_config())
