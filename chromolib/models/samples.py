"""Images as a network sees them: arrays of one size, each with its label and group."""

import dataclasses

import numpy as np
import pandas as pd

COLUMNS = ("x", "label", "group", "image", "cell")


@dataclasses.dataclass(frozen=True, eq=False)
class Samples:
    """One row an image; copies of one source image share its group."""

    x: np.ndarray  # (n, height, width, channels)
    label: np.ndarray  # (n,) one of `classes`
    group: np.ndarray  # (n,) the unit of independence
    image: np.ndarray  # (n,) unique names
    classes: tuple
    cell: np.ndarray | None = None  # (n,) within its group; the group unless given

    def __post_init__(self):
        if self.cell is None:
            object.__setattr__(self, "cell", self.group)
        lengths = {len(values) for values in self._columns().values()}
        if len(lengths) > 1:
            raise ValueError(f"samples differ in length: {sorted(lengths)}")

    def __len__(self):
        return len(self.label)

    @property
    def y(self):
        """The labels as numbers, places in `classes`."""
        return pd.Index(self.classes).get_indexer(self.label).astype(np.int32)

    @property
    def xy(self):
        """Images and numbers, as `fit` takes them."""
        return self.x, self.y

    def take(self, which):
        """The chosen rows, by mask or by index."""
        columns = {name: values[which] for name, values in self._columns().items()}
        return dataclasses.replace(self, **columns)

    def concatenate(self, other):
        """These rows, then the other's."""
        columns = {
            name: np.concatenate([values, getattr(other, name)])
            for name, values in self._columns().items()
        }
        return dataclasses.replace(self, **columns)

    def _columns(self):
        return {name: getattr(self, name) for name in COLUMNS}
