"""A field of any shape as the square of ink that a detector sees.

`square(grey, side)` -> Square; `seen(ink)` -> what networks take
"""

import dataclasses

import numpy as np

from chromolib.data import compose
from chromolib.imaging import segment


@dataclasses.dataclass(frozen=True, eq=False)
class Square:
    """A field made to fit, in the middle of a square."""

    ink: np.ndarray  # (side, side) uint8, background 0
    scale: np.ndarray  # (2,) of x and y
    corner: np.ndarray  # (2,) x, y where the field begins

    def onto(self, xyxy):
        """Boxes of the field, on the square."""
        on = xyxy * np.tile(self.scale, 2) + np.tile(self.corner, 2)
        return np.clip(on, 0, len(self.ink))

    def back(self, xyxy):
        """Boxes of the square, on the field."""
        return (xyxy - np.tile(self.corner, 2)) / np.tile(self.scale, 2)


def square(grey, side):
    """A grey field as ink in a square; one that is blank has none."""
    shape = np.array(grey.shape)
    small = np.maximum(1, np.round(shape * side / shape.max())).astype(int)
    corner = (side - small) // 2
    grey, canvas = compose.resized(grey, *small), np.zeros((side, side), np.uint8)
    if np.ptp(grey):
        rows, columns = (slice(c, c + n) for c, n in zip(corner, small, strict=True))
        canvas[rows, columns] = np.rint(255 * np.clip(segment.stained(grey), 0, 1))
    return Square(canvas, (small / shape)[::-1], corner[::-1])


def seen(ink):
    """Images as a detector takes them: ink from 0 to 1."""
    return ink.astype(np.float32) / 255
