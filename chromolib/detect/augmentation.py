"""What a field could as well have looked like, while a detector learns.

`usual(seed=...)` -> one layer for images with boxes: turns, mirrors, brightness and
contrast; others of `models.layers` go into `models.augment.pipeline` likewise
"""

import math

from keras import ops

from chromolib.models import augment, checks, layers


@layers.register
class Turned(layers.Orientation):
    """Quarter turns and mirrors that take oriented boxes along, exactly."""

    def follow(self, data, swap, over, across):
        """Boxes where their chromosomes went, and oriented ones if there are any."""
        moved = super().follow(data, swap, over, across)
        if "oriented" not in data:
            return moved
        height, width = data["images"].shape[1:3]
        x, y, length, breadth, angle = ops.unstack(
            ops.cast(data["oriented"], "float32"), 5, axis=-1
        )
        swap, over, across = (each[:, None] for each in (swap, over, across))
        x, y = ops.where(swap, y, x), ops.where(swap, x, y)
        angle = ops.where(swap, math.pi / 2 - angle, angle)
        x = ops.where(over, width - x, x)
        y = ops.where(across, height - y, y)
        angle = ops.where(ops.logical_xor(over, across), -angle, angle)
        angle = angle - math.pi * ops.floor(angle / math.pi)
        turned = ops.stack([x, y, length, breadth, angle], -1)
        present = data["labels"][..., None] >= 0
        return moved | {"oriented": ops.where(present, turned, 0.0)}


@layers.register
class Contrast(layers.Changing):
    """More or less contrast: levels farther from the image's mean, or nearer."""

    SETTINGS = ("factor",)

    def __init__(self, *, factor, **kwargs):
        super().__init__(**kwargs)
        self.factor = checks.within("factor", factor, 1)

    def change(self, images, amount):
        """Every level's distance from the mean times 1 + amount."""
        mean = ops.mean(images, axis=(1, 2, 3), keepdims=True)
        scale = 1 + amount[:, None, None, None] * self.factor
        return mean + (images - mean) * scale


def usual(*, seed, factor=0.2):
    """Any quarter turn and mirror, brightness and contrast up to a `factor`."""
    settings = {
        Turned: {"turns": (0, 1, 2, 3), "mirror": ("horizontal", "vertical")},
        layers.Brightness: {"factor": factor},
        Contrast: {"factor": factor},
    }
    return augment.pipeline(settings, seed=seed)
