"""What trunks, necks and heads of detectors are built of."""

import keras
import numpy as np

from chromolib.models import counter_rng, fused

RARE = 0.01  # of anchors show a chromosome: where a head's scores begin


class Normalised(fused.Fused):
    """Batch normalisation, by one operation where there is one.

    A step of SSD takes half the time; weights have one name whatever computes them.
    """

    def call(self, inputs, training=None, mask=None):
        """The maps normalised."""
        quick = keras.backend.backend() == "tensorflow"
        quick = quick and self.compute_dtype == "float32"
        call = super().call if quick else super(fused.Fused, self).call
        return call(inputs, training=training, mask=mask)


class Maker(counter_rng.Seeds):
    """Layers whose first weights depend on the seed and on their place only."""

    def conv(self, x, filters, size=3, *, strides=1):
        """A convolution, normalised and bent."""
        x = keras.layers.Conv2D(
            *(filters, size),
            strides=strides,
            padding="same",
            use_bias=False,
            kernel_initializer=keras.initializers.HeNormal(self()),
        )(x)
        x = Normalised(momentum=0.9)(x)
        return keras.layers.Activation("silu")(x)

    def bottleneck(self, x, width):
        """Two convolutions beside a way around them."""
        return keras.layers.Add()([x, self.conv(self.conv(x, width // 2, 1), width)])

    def csp(self, x, width, *, depth=1, around=True):
        """Half of the channels through `depth` blocks, half past them (CSPNet)."""
        half = width // 2
        inner = self.conv(x, half, 1)
        for _ in range(depth):
            two = self.conv(self.conv(inner, half, 1), half)
            inner = keras.layers.Add()([inner, two]) if around else two
        both = keras.layers.Concatenate()([inner, self.conv(x, half, 1)])
        return self.conv(both, width, 1)

    def pyramid_pool(self, x, width):
        """Maxima over three ranges beside each other (He et al. 2015), one by one."""
        ranges = [self.conv(x, width // 2, 1)]
        for _ in range(3):
            pool = keras.layers.MaxPooling2D(5, strides=1, padding="same")
            ranges.append(pool(ranges[-1]))
        return self.conv(keras.layers.Concatenate()(ranges), width, 1)

    def top_down(self, maps, width):
        """Finer maps that know of coarser ones (FPN, Lin et al. 2017), `width` each."""
        maps = [self.conv(x, width, 1) for x in maps]
        for i in reversed(range(len(maps) - 1)):
            maps[i] = keras.layers.Add()([maps[i], _upwards(maps[i], maps[i + 1])])
        return [self.conv(x, width) for x in maps]

    def both_ways(self, maps, depth=1):
        """Down to the finest map and up again (PANet, Liu et al. 2018)."""
        widths, maps = [x.shape[-1] for x in maps], list(maps)
        for i in reversed(range(len(maps) - 1)):
            maps[i + 1] = self.conv(maps[i + 1], widths[i], 1)
            joined = [maps[i], _upwards(maps[i], maps[i + 1])]
            joined = keras.layers.Concatenate()(joined)
            maps[i] = self.csp(joined, widths[i], depth=depth, around=False)
        for i in range(len(maps) - 1):
            down = self.conv(maps[i], widths[i], 3, strides=2)
            joined = keras.layers.Concatenate()([down, maps[i + 1]])
            maps[i + 1] = self.csp(joined, widths[i + 1], depth=depth, around=False)
        return maps

    def out(self, x, filters, *, size=1, bias=0.0):
        """A last convolution, in single precision, that begins near its `bias`."""
        bias = np.broadcast_to(np.asarray(bias, "f"), filters)
        return keras.layers.Conv2D(
            *(filters, size),
            padding="same",
            dtype="float32",
            kernel_initializer=keras.initializers.RandomNormal(
                stddev=0.01, seed=self()
            ),
            bias_initializer=keras.initializers.Constant(bias),
        )(x)

    def dense(self, x, units, *, spread=0.01, bias=0.0):
        """A last dense layer, in single precision."""
        return keras.layers.Dense(
            units,
            dtype="float32",
            kernel_initializer=keras.initializers.RandomNormal(
                stddev=spread, seed=self()
            ),
            bias_initializer=keras.initializers.Constant(bias),
        )(x)


def flat(maps, values):
    """Maps (n, H, W, k * values) in the order of anchors: (n, A, values)."""
    maps = [keras.layers.Reshape((-1, values), dtype="float32")(x) for x in maps]
    if len(maps) == 1:
        return maps[0]
    return keras.layers.Concatenate(axis=1, dtype="float32")(maps)


def prior(share=RARE):
    """The logit of a share."""
    return float(np.log(share / (1 - share)))


def _upwards(fine, coarse):
    factor = fine.shape[1] // coarse.shape[1]
    return keras.layers.UpSampling2D(factor)(coarse)
