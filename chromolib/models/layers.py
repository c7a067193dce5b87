"""Keras layers that change images, and their boxes with them, while a model learns.

Keras has layers of these names. Ours differ where chromosomes ask for it: the draws are
equal on every backend, one resampling does all movements (Keras' four layers in a row
take four, and blur four times), noise touches a bounded share of pixels, and plain
`model(x)` changes nothing (Keras' random layers change images unless told not to).

All take float images in [0, 1], background 0, (batch, height, width, channels), or a
dict of `images`, `boxes` (batch, n, 4) and `labels` (batch, n), as `augment.pad` makes
them: detectors learn with their boxes.
"""

import math

import keras
import numpy as np
from keras import ops

from chromolib.models import affine, checks, counter_rng

REMAINS = 0.5  # a box is dropped when less than this share of it is left in the image


def register(layer):
    """The layer, known to Keras' safe loading as `chromolib>Name`."""
    return keras.saving.register_keras_serializable("chromolib")(layer)


class Changing(keras.layers.Layer):
    """What the layers share: when they act, what they draw, how they are saved.

    A subclass says in `choose` what random words mean for each image, and in `change`
    and `follow` what becomes of images and boxes, without any chance left.
    """

    WORDS = 2  # random words an image needs
    SETTINGS = ()  # constructor arguments, for saving

    def __init__(self, *, rate=1.0, seed=0, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})
        self.rate = checks.within("rate", rate, 1)
        self.seed = seed
        self.generator = keras.random.SeedGenerator(seed)

    def call(self, data, training=False):
        """The data, changed in training and untouched otherwise."""
        boxes = checks.boxes(data) if isinstance(data, dict) else {}
        images = checks.shape(data["images"] if boxes else data)
        if not training:
            return data
        height, width = images.shape[1:3]
        words = counter_rng.bits(
            self.generator, ops.shape(images)[0], self.words(height, width)
        )
        chosen = self.choose(words, height, width)
        changed = ops.clip(self.change(images, *chosen), 0.0, 1.0)
        if not boxes:
            return changed
        followed = self.follow({**data, **boxes}, *chosen)
        return {**data, **boxes, **followed, "images": changed}

    def words(self, _height, _width):
        """Random words needed for one image."""
        return self.WORDS

    def choose(self, words, _height, _width):
        """One amount in [-1, 1) for each image; 0 where the rate leaves it as it is."""
        amount = 2 * counter_rng.unit(words[:, 1]) - 1
        return (ops.where(counter_rng.unit(words[:, 0]) < self.rate, amount, 0.0),)

    def change(self, images, *chosen):
        """The images after what was chosen."""
        raise NotImplementedError

    def follow(self, _data, *_chosen):
        """Boxes and labels where they change; nothing moves unless a layer says so."""
        return {}

    def compute_output_shape(self, input_shape):
        """Sizes stay."""
        return input_shape

    def get_config(self):
        """What rebuilds the layer."""
        names = ("rate", "seed", *self.SETTINGS)
        return super().get_config() | {name: getattr(self, name) for name in names}


@register
class Orientation(Changing):
    """Quarter turns and mirrors: exact, no pixel is computed.

    `turns` are counter-clockwise quarters to choose from; `mirror` holds "horizontal"
    (left becomes right), "vertical", both or none, each made with probability `rate`.
    """

    WORDS, SETTINGS = 3, ("turns", "mirror")

    def __init__(self, *, turns=(0,), mirror=(), rate=0.5, **kwargs):
        super().__init__(rate=rate, **kwargs)
        if not turns or set(turns) - {0, 1, 2, 3}:
            raise ValueError(f"turns {turns}: quarters, some of 0, 1, 2, 3")
        if set(mirror) - {"horizontal", "vertical"}:
            raise ValueError(f"mirror {mirror}: some of 'horizontal', 'vertical'")
        self.turns, self.mirror = tuple(turns), tuple(mirror)

    def choose(self, words, height, width):
        """Per image: swap the axes, then mirror left-right, then mirror up-down."""
        if height != width and {1, 3} & set(self.turns):
            raise ValueError(
                f"images of {height} x {width} cannot turn by 90 degrees in a batch; "
                "pad them to squares first"
            )
        number = counter_rng.unit(words)
        pick = ops.cast(number[:, 0] * len(self.turns), "int32")
        turn = ops.take(np.array(self.turns, np.int32), pick)
        over, across = (
            ops.logical_and(number[:, i] < self.rate, name in self.mirror)
            for i, name in ((1, "horizontal"), (2, "vertical"))
        )
        over = ops.logical_xor(over, turn >= 2)
        across = ops.logical_xor(across, ops.logical_or(turn == 1, turn == 2))
        return turn % 2 == 1, over, across

    def change(self, images, swap, over, across):
        """The images turned and mirrored."""
        if {1, 3} & set(self.turns):
            turned = ops.transpose(images, (0, 2, 1, 3))
            images = ops.where(_each(swap), turned, images)
        images = ops.where(_each(over), ops.flip(images, axis=2), images)
        return ops.where(_each(across), ops.flip(images, axis=1), images)

    def follow(self, data, swap, over, across):
        """The boxes, exactly where their chromosomes went."""
        height, width = data["images"].shape[1:3]
        boxes, swap, over, across = data["boxes"], *map(_row, (swap, over, across))
        boxes = ops.where(swap, ops.take(boxes, [1, 0, 3, 2], axis=2), boxes)
        boxes = ops.where(over, affine.mirrored(boxes, width, 0), boxes)
        boxes = ops.where(across, affine.mirrored(boxes, height, 1), boxes)
        present = data["labels"][..., None] >= 0
        return {"boxes": ops.where(present, boxes, 0.0)}


@register
class Movement(Changing):
    """Rotation, zoom, shear, shift and crop in one resampling.

    Degrees for `rotation` and `shear`, shares for `zoom` and `shift`; each is drawn
    evenly from minus to plus its setting. `crop` is the smallest side of the window
    that is kept, as a share; 1 keeps all. Zoom keeps proportions, so that arm ratios
    stay. Each movement is made with probability `rate`, independently.
    """

    WORDS = 13
    SETTINGS = ("rotation", "zoom", "shear", "shift", "crop", "remains")

    def __init__(
        self, *, rotation=0, zoom=0, shear=0, shift=0, crop=1, remains=REMAINS, **kwargs
    ):
        super().__init__(**kwargs)
        self.rotation = checks.within("rotation", rotation, 180)
        self.shear = checks.within("shear", shear, 45)
        self.zoom = checks.within("zoom", zoom, 0.9)
        self.shift = checks.within("shift", shift, 1)
        self.crop = checks.within("crop", crop, 1, least=0.05)
        self.remains = checks.within("remains", remains, 1)

    def choose(self, words, height, width):
        """Per image: the movement of its points, about its centre."""
        number = counter_rng.unit(words)
        spin, lean, size, to_x, to_y, part, at_x, at_y = ops.unstack(
            number[:, :8], 8, axis=1
        )
        on = ops.cast(number[:, 8:] < self.rate, "float32")
        angle = on[:, 0] * (2 * spin - 1) * math.radians(self.rotation)
        slope = ops.tan(on[:, 1] * (2 * lean - 1) * math.radians(self.shear))
        window = 1 - on[:, 4] * part * (1 - self.crop)
        scale = (1 + on[:, 2] * (2 * size - 1) * self.zoom) / window
        shift = on[:, 3] * self.shift / window
        travel = tuple(
            side * (shift * (2 * to - 1) + (at - 0.5) * (1 - 1 / window))
            for side, to, at in ((width, to_x, at_x), (height, to_y, at_y))
        )
        return angle, slope, scale, travel

    def change(self, images, angle, slope, scale, travel):
        """The images moved; what comes from outside is background."""
        return affine.sample(images, affine.backward(angle, slope, scale), travel)

    def follow(self, data, angle, slope, scale, travel):
        """The boxes around the moved boxes; those mostly gone are dropped."""
        height, width = data["images"].shape[1:3]
        forward = affine.forward(angle, slope, scale)
        moved = affine.boxes(data["boxes"], forward, travel, height, width)
        return affine.clipped(moved, data["labels"], height, width, self.remains)


@register
class Brightness(Changing):
    """Brighter or darker by up to a share of each pixel's own value."""

    SETTINGS = ("factor",)

    def __init__(self, *, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = checks.within("factor", factor, 1)

    def change(self, images, amount):
        """The images times 1 + amount."""
        return images * _each(1 + amount * self.factor)


@register
class Blur(Changing):
    """Gaussian blur, standard deviation up to `factor` pixels; outside is 0."""

    SETTINGS = ("factor",)

    def __init__(self, *, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = checks.within("factor", factor, 10)

    def change(self, images, amount):
        """The images blurred by |amount| times the factor."""
        radius = math.ceil(3 * self.factor)
        sigma = ops.maximum(ops.abs(amount) * self.factor, 1e-3)[:, None]
        taps = ops.exp(-0.5 * (np.arange(radius + 1, dtype=np.float32) / sigma) ** 2)
        taps = taps / (2 * ops.sum(taps, axis=1, keepdims=True) - taps[:, :1])
        return affine.smooth(affine.smooth(images, taps, 1), taps, 2)


@register
class Noise(Changing):
    """Salt and pepper on up to a share of the pixels, in all channels alike.

    The share is a bound, not an expectation: a run of 1 / factor pixels holds at most
    one that is touched, at a random place of the run.
    """

    SETTINGS = ("factor",)

    def __init__(self, *, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = checks.within("factor", factor, 0.5)

    @property
    def run(self):
        """Length of the runs that hold at most one touched pixel."""
        return math.ceil(1 / self.factor - 1e-9) if self.factor else 2**31 - 1

    def words(self, height, width):
        """Two for the share, one for each run of pixels."""
        return 2 + height * width // self.run

    def choose(self, words, _height, _width):
        """Per image: the share of runs touched; per run, the word that says how."""
        number = counter_rng.unit(words[:, :2])
        return ops.where(number[:, 0] < self.rate, number[:, 1], 0.0), words[:, 2:]

    def change(self, images, share, words):
        """The images with white and black pixels."""
        count = words.shape[1]
        if not count:
            return images
        hit = ops.cast(counter_rng.upper(words, 16), "float32") < share[:, None] * 2**16
        place = counter_rng.lower(words, 12) * self.run // 2**12
        becomes = ops.where(hit, 1 + counter_rng.lower(words, 13) // 2**12, 0)[
            ..., None
        ]
        touched = place[..., None] == np.arange(self.run, dtype=np.int32)
        picture = affine.as_image(ops.where(touched, becomes, 0), images)
        value = ops.cast(picture - 1, images.dtype)
        return ops.where(picture > 0, value, images)


def _each(values):
    return values[:, None, None, None]


def _row(values):
    return values[:, None, None]
