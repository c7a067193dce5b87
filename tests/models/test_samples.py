"""Samples: columns of one length, chosen and joined together."""

import numpy as np
import pytest

from chromolib.models import samples


def made(labels, name="i"):
    names = np.array([f"{name}{i}" for i in range(len(labels))])
    x = np.arange(len(labels), dtype=np.float32)[:, None, None, None]
    return samples.Samples(x, np.array(labels), names, names, ("normal", "abnormal"))


def test_numbers_are_places_among_the_classes():
    some = made(["abnormal", "normal", "abnormal"])
    assert some.y.tolist() == [1, 0, 1]
    assert some.y.dtype == np.int32
    assert [each is some.x for each in some.xy] == [True, False]


@pytest.mark.parametrize("which", [[2, 0], np.array([True, False, True])])
def test_rows_are_taken_by_mask_or_index_in_every_column(which):
    some = made(["normal", "abnormal", "abnormal"])
    taken = some.take(which)
    assert taken.image.tolist() == some.image[which].tolist()
    assert taken.x[:, 0, 0, 0].tolist() == some.x[which][:, 0, 0, 0].tolist()
    assert taken.y.tolist() == some.y[which].tolist()
    assert taken.classes == some.classes


def test_joined_the_first_come_first():
    both = made(["normal"]).concatenate(made(["abnormal", "normal"], "j"))
    assert both.image.tolist() == ["i0", "j0", "j1"]
    assert both.y.tolist() == [0, 1, 0]
    assert len(both) == len(both.x) == 3


def test_columns_of_different_lengths_are_refused():
    some = made(["normal", "normal"])
    with pytest.raises(ValueError, match=r"differ in length: \[1, 2\]"):
        samples.Samples(some.x[:1], some.label, some.group, some.image, some.classes)
