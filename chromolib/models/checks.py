"""What the layers refuse, in one line with the remedy."""

import keras
from keras import ops


def shape(images):
    """The images, if they are a batch of float images of one known size."""
    if len(images.shape) != 4:
        raise ValueError(
            f"images of shape {tuple(images.shape)}; "
            "augmentation takes (batch, height, width, channels)"
        )
    size(images.shape)
    if not keras.backend.is_float_dtype(images.dtype):
        raise ValueError(
            f"images are {images.dtype}; augmentation takes floats in [0, 1]: "
            "divide 8-bit images by 255"
        )
    return images


def size(sides):
    """Raise unless a batch of these sides holds images of one known size."""
    if 0 in sides or None in sides[1:]:
        raise ValueError(
            f"images of shape {tuple(sides)}: a batch holds at least one image, "
            "and height, width and channels are fixed"
        )


def boxes(data):
    """The boxes as floats and their labels, if they belong to the images."""
    if missing := {"images", "boxes", "labels"} - set(data):
        raise ValueError(f"a batch with boxes also has {', '.join(sorted(missing))}")
    xyxy, labels = data["boxes"], data["labels"]
    good = len(xyxy.shape) == 3 and xyxy.shape[2] == 4
    if not good or tuple(labels.shape[1:]) != tuple(xyxy.shape[1:2]):
        raise ValueError(
            f"boxes {tuple(xyxy.shape)}, labels {tuple(labels.shape)}; "
            "they are (batch, n, 4) and (batch, n): see augment.pad"
        )
    return {"boxes": ops.cast(xyxy, "float32"), "labels": labels}


def within(name, value, most, *, least=0):
    """The value, if it lies in its range."""
    if not least <= value <= most:
        raise ValueError(f"{name} {value}: it lies between {least} and {most}")
    return value
