"""Images that do not fit into memory: rows of a file, read when they are asked for.

`Space(shape)` -> a file to fill, part by part; `Space.images` -> Stored

# Strategy: the file has no name, in the folder for temporary files (TMPDIR), and goes
# with its process. Numbers in it are of half precision: ink from 0 to 1 keeps more
# levels than a camera has. It is read row by row and in its own order, not mapped into
# memory: each page that a mapping touches counts as memory, and its neighbours with it.
"""

import errno
import os
import pathlib
import tempfile
import weakref

import numpy as np

PART = 4096  # images read at a time
KIND = np.dtype(np.float16)  # of the numbers in the file


class Stored:
    """Images of a file; indexing chooses, and reads nothing until numpy asks."""

    dtype = np.dtype(np.float32)

    def __init__(self, space, index):
        self._space, self._index = space, index

    @property
    def shape(self):
        """(n, height, width, channels)."""
        return (len(self._index), *self._space.shape[1:])

    @property
    def ndim(self):
        """How many axes there are."""
        return len(self._space.shape)

    def __len__(self):
        return len(self._index)

    def __getitem__(self, which):
        if isinstance(which, tuple):
            return np.asarray(self)[which]
        chosen = self._index[which]
        if np.ndim(chosen) == 0:
            return self._space.read([chosen])[0].astype(self.dtype)
        return Stored(self._space, chosen)

    def parts(self):
        """All images, some thousand at a time."""
        for first in range(0, len(self), PART):
            yield np.asarray(self[first : first + PART])

    def __array__(self, dtype=None, copy=None):
        return self._space.read(self._index).astype(dtype or self.dtype)


class Space:
    """A file for so many images."""

    def __init__(self, shape):
        self.shape = tuple(map(int, shape))
        self._file, name = tempfile.mkstemp(prefix="chromolib-")
        pathlib.Path(name).unlink()
        weakref.finalize(self, os.close, self._file)
        self._row = KIND.itemsize * int(np.prod(self.shape[1:]))  # bytes

    def write(self, index, images):
        """Put images in their places."""
        places = np.arange(len(self))[index]
        for place, image in zip(places, np.asarray(images, KIND), strict=True):
            row = np.ascontiguousarray(image)
            if os.pwrite(self._file, row, place * self._row) < self._row:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def read(self, index):
        """The images of these places, in half precision."""
        out = np.empty((len(index), *self.shape[1:]), KIND)
        for i in np.argsort(index, kind="stable"):
            os.preadv(self._file, [out[i]], index[i] * self._row)
        return out

    @property
    def images(self):
        """All of them."""
        return Stored(self, np.arange(len(self)))

    def __len__(self):
        return self.shape[0]
