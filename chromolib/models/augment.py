"""Augmentation as one layer inside a model, and the door that its images pass.

`pipeline({layer: settings}, seed=...)` -> a Keras layer; `layers` has what goes in it.
Which layers a paper used, and whether they come before or after the split, is the
study's protocol. Images are ink: background 0, which is what moves in from outside.
"""

import keras
import numpy as np

from chromolib import records, streams
from chromolib.models import checks, layers

# Movements, in degrees and shares, that leave nearly every chromosome in its picture.
SMALL = {"rotation": 10, "zoom": 0.1, "shear": 5, "shift": 0.05}


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


def pipeline(settings, *, seed):
    """One layer of several; each draws from a stream of its own."""
    made = [
        layer(seed=streams.seed_of(seed, layer.__name__), **words)
        for layer, words in settings.items()
    ]
    return Augmentation(made, name="augmentation")


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
    largest = max((len(each) for each in boxes), default=0)
    most = max(largest, 1) if most is None else most
    if largest > most:
        raise ValueError(f"an image has {largest} boxes; there is room for {most}")
    xyxy = np.zeros((len(boxes), most, 4), np.float32)
    labels = np.full((len(boxes), most), -1, np.int32)
    number = {label: i for i, label in enumerate(classes)}
    for i, each in enumerate(boxes):
        if unknown := set(each.label.tolist()) - set(number):
            raise ValueError(f"labels {sorted(unknown)} are not among the classes")
        if (each.xyxy < 0).any() or (each.xyxy > [width, height, width, height]).any():
            raise ValueError(
                f"image {i}: a box lies outside the image of {height} x {width}; "
                "clip it first"
            )
        xyxy[i, : len(each)] = each.xyxy
        labels[i, : len(each)] = [number[label] for label in each.label.tolist()]
    return xyxy, labels


def unpad(xyxy, labels, *, classes):
    """The boxes that are left on each image, as a tuple of records."""
    names, labels = np.asarray(classes, dtype=str), np.asarray(labels)
    pairs = zip(np.asarray(xyxy), labels, labels >= 0, strict=True)
    return tuple(records.Boxes(x[on], names[label[on]]) for x, label, on in pairs)
