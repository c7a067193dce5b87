"""Images that do not fit into memory: rows of a file, read when they are asked for.

`Space(shape)` -> a file to fill, block by block; `Space.images` -> Stored

# Strategy: the file has no name, in the folder for temporary files (TMPDIR), and goes
# with its process. Numbers in it are of half precision: ink from 0 to 1 keeps more
# levels than a camera has. Reading in the order of the file, then sorting in memory, is
# what a disk likes.
"""

import tempfile

import numpy as np

PART = 4096  # images read at a time


class Stored:
    """Images of a file; indexing chooses, and reads nothing until numpy asks."""

    dtype = np.dtype(np.float32)

    def __init__(self, rows, index):
        self._rows, self._index = rows, index

    @property
    def shape(self):
        """(n, height, width, channels)."""
        return (len(self._index), *self._rows.shape[1:])

    @property
    def ndim(self):
        """How many axes there are."""
        return self._rows.ndim

    def __len__(self):
        return len(self._index)

    def __getitem__(self, which):
        chosen = self._index[which] if not isinstance(which, tuple) else None
        if chosen is None:
            return np.asarray(self)[which]
        if np.ndim(chosen) == 0:
            return self._rows[chosen].astype(self.dtype)
        return Stored(self._rows, chosen)

    def parts(self):
        """All images, some thousand at a time."""
        for first in range(0, len(self), PART):
            yield np.asarray(self[first : first + PART])

    def __array__(self, dtype=None, copy=None):
        order = np.argsort(self._index, kind="stable")
        out = np.empty(self.shape, dtype or self.dtype)
        out[order] = self._rows[self._index[order]]
        return out


class Space:
    """A file for so many images."""

    def __init__(self, shape):
        with tempfile.TemporaryFile(prefix="chromolib-") as file:
            self._rows = np.memmap(file, np.float16, "w+", shape=tuple(shape))

    def write(self, index, images):
        """Put images in their places."""
        self._rows[index] = images

    @property
    def images(self):
        """All of them."""
        return Stored(self._rows, np.arange(len(self._rows)))
