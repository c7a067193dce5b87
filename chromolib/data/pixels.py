"""Grey images of any sizes: packed in one array while they fit, on demand beyond."""

import dataclasses
import typing

import numpy as np


@dataclasses.dataclass(frozen=True, eq=False)
class Packed:
    """Images end to end in one uint8 array; indexing and `take` copy nothing."""

    buffer: np.ndarray  # (bytes,) uint8
    start: np.ndarray  # (n,) where each image begins
    shape: np.ndarray  # (n, 2) height, width

    def __len__(self):
        return len(self.start)

    def __getitem__(self, i):
        height, width = self.shape[i]
        first = self.start[i]
        return self.buffer[first : first + height * width].reshape(height, width)

    def take(self, index):
        """The chosen images over the same buffer."""
        return dataclasses.replace(
            self, start=self.start[index], shape=self.shape[index]
        )


def packed(buffer, shape):
    """Images of these shapes that lie end to end in a buffer of bytes."""
    ends = np.cumsum(shape.prod(1))
    return Packed(np.frombuffer(buffer, np.uint8), ends - shape.prod(1), shape)


def pack(images):
    """Images in memory as one packed array."""
    images = [np.asarray(image, np.uint8) for image in images]
    shape = np.array([image.shape for image in images], np.int64).reshape(-1, 2)
    flat = [image.ravel() for image in images] or [np.empty(0, np.uint8)]
    return packed(np.concatenate(flat), shape)


@dataclasses.dataclass(frozen=True, eq=False)
class OnDemand:
    """Images read from their store each time they are asked for."""

    read: typing.Callable  # name -> (height, width) uint8
    name: np.ndarray  # (n,)
    shape: np.ndarray  # (n, 2)

    def __len__(self):
        return len(self.name)

    def __getitem__(self, i):
        return self.read(self.name[i])

    def take(self, index):
        """The chosen images, still unread."""
        return dataclasses.replace(self, name=self.name[index], shape=self.shape[index])
