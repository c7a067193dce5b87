"""Each paper's own augmentation, by name, as layers inside the model.

What a paper says stands beside what we chose where it is silent. Nothing here decides
whether augmentation comes before or after the split: that is a study's protocol.
"""

import keras
import numpy as np

from chromolib import records, streams
from chromolib.models import checks, layers

# ChromoNet (section 4.2) names small rotations, both flips, low-level zoom and panning,
# mild shear and shift, and no number; it loads images with Keras' ImageDataGenerator
# (section 4.3), which makes all of them at once. Chosen: what leaves nearly
# every chromosome inside its picture.
SMALL = {"rotation": 10, "zoom": 0.1, "shear": 5, "shift": 0.05}  # degrees and shares

# Hamza (chapter 4) names turns by 90, 180 and random degrees, mirrors, brightness,
# noise and random crops, and no number. Chosen: all quarter turns alike, mirrors and
# each movement in every second image; brightness and noise as in Chu's thesis, which
# describes them in like words.
RANDOM = {"rotation": 180, "crop": 0.6}  # degrees; smallest side of the window kept
OFTEN = 0.5

# Chu (section 3.1.2) has numbers for brightness and noise and says there and later
# that only these and blur keep a karyogram in order. Blur has no number. Chosen: up to
# one pixel standard deviation at 416 x 416, where a band is some three pixels.
BRIGHTNESS, NOISY, BLUR = 0.25, 0.05, 1.0

SINGLE = {"rotation": 15, "zoom": 0.1, "shift": 0.05}  # ours, for later studies


@layers.register
class Augmentation(keras.layers.Pipeline):
    """Layers in a row that act in training only, on images or on images with boxes.

    Keras' own Pipeline acts whenever nobody says `training=False`.
    """

    def build(self, input_shape):
        """Look at the size, which JAX hides later; the layers have no weights."""
        both = isinstance(input_shape, dict)
        sides = input_shape.get("images") if both else input_shape
        checks.size(sides or ())  # plain arrays have no shape yet; the layers look
        self.built = True

    def call(self, inputs, training=False):
        """The images, changed in training and untouched otherwise."""
        return super().call(inputs, training=bool(training))


def _chromonet(make):
    flips = {"mirror": ("horizontal", "vertical")}
    return [make(layers.Orientation, **flips), make(layers.Movement, **SMALL)]


def _hamza(make):
    turns = {"turns": (0, 1, 2, 3), "mirror": ("horizontal",)}
    return [
        make(layers.Orientation, **turns),
        make(layers.Movement, **RANDOM, chance=OFTEN),
        make(layers.Brightness, most=BRIGHTNESS, chance=OFTEN),
        make(layers.Noise, most=NOISY, chance=OFTEN),
    ]


def _chu(make):
    return [
        make(layers.Brightness, most=BRIGHTNESS),
        make(layers.Blur, most=BLUR),  # before the noise, which it would smear
        make(layers.Noise, most=NOISY),
    ]


def _ordered(make):
    return [make(layers.Contrast, most=BRIGHTNESS), *_chu(make)]


def _single(make):
    return [
        make(layers.Contrast, most=0.2),
        make(layers.Brightness, most=0.2),
        # before the movement: XLA would move each image once for every tap of the blur
        make(layers.Blur, most=BLUR, chance=OFTEN),
        make(layers.Orientation, mirror=("horizontal", "vertical")),
        make(layers.Movement, **SINGLE),
        make(layers.Noise, most=0.02, chance=OFTEN),
    ]


AUGMENTATIONS = {
    "chromonet": _chromonet,
    "hamza": _hamza,
    "chu": _chu,
    "ordered": _ordered,  # whatever leaves every chromosome of a karyogram in its place
    "single": _single,  # images of one chromosome each
}


def build(name, *, seed, background="border"):
    """The named augmentation as one layer of a model.

    `background` fills what moves in from outside: "border" is the median along each
    image's own border, a number is a level in [0, 1].
    """
    if name not in AUGMENTATIONS:
        known = ", ".join(sorted(AUGMENTATIONS))
        raise ValueError(f"unknown augmentation {name!r}; known: {known}")

    def make(layer, **settings):
        own = streams.seed_of(seed, layer.__name__)
        return layer(seed=own, background=background, **settings)

    return Augmentation(AUGMENTATIONS[name](make), name=f"augment_{name}")


def check(images):
    """The images as float32, if they are what the layers take.

    The layers see shapes and types only; values are looked at here, once, at the door.
    """
    images = checks.shape(np.asarray(images))
    if not np.isfinite(images).all():
        raise ValueError("an image holds a value that is not a number")
    if images.min() < 0 or images.max() > 1:
        raise ValueError(
            f"images range from {images.min():g} to {images.max():g}; "
            "augmentation takes [0, 1]: divide 8-bit images by 255"
        )
    return images.astype(np.float32, copy=False)


def pad(boxes, *, classes, height, width, most=None):
    """Boxes and class numbers of a batch of images, filled up to `most` with label -1.

    Returns (n, most, 4) float32 and (n, most) int32; `most` is the largest number of
    boxes on one image unless given.
    """
    largest = max((len(one) for one in boxes), default=0)
    most = max(largest, 1) if most is None else most
    if largest > most:
        raise ValueError(f"an image has {largest} boxes; there is room for {most}")
    xyxy = np.zeros((len(boxes), most, 4), np.float32)
    labels = np.full((len(boxes), most), -1, np.int32)
    number = {label: i for i, label in enumerate(classes)}
    for i, one in enumerate(boxes):
        if unknown := set(one.label.tolist()) - set(number):
            raise ValueError(f"labels {sorted(unknown)} are not among the classes")
        if (one.xyxy < 0).any() or (one.xyxy > [width, height, width, height]).any():
            raise ValueError(
                f"image {i}: a box lies outside the image of {height} x {width}; "
                "clip it first"
            )
        xyxy[i, : len(one)] = one.xyxy
        labels[i, : len(one)] = [number[label] for label in one.label.tolist()]
    return xyxy, labels


def unpad(xyxy, labels, *, classes):
    """The boxes that are left on each image, as a tuple of records."""
    names, labels = np.asarray(classes, dtype=str), np.asarray(labels)
    pairs = zip(np.asarray(xyxy), labels, labels >= 0, strict=True)
    return tuple(records.Boxes(x[on], names[label[on]]) for x, label, on in pairs)
