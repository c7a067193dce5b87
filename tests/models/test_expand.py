"""A small set augmented once for all: exact counts, every copy of a known source."""

import numpy as np
import pytest

from chromolib import records
from chromolib.models import augment, expand, layers


def sources(*sizes):
    labels = np.repeat(["normal", "abnormal"], sizes)
    images = np.zeros((len(labels), 16, 16, 1), np.float32)
    images[:, 4:12, 5:9, 0] = np.linspace(0.5, 1, len(labels))[:, None, None]
    return images, labels


def small(seed):
    return augment.pipeline({layers.Movement: augment.SMALL}, seed=seed)


def copies(images, source, layer):
    """The copies as single numbers."""
    out = np.empty((len(source), *images.shape[1:]), np.float32)
    return expand.augmented(images, source, layer, out=out)


@pytest.mark.parametrize(
    ("sizes", "counts"),
    [
        ((120, 73), {"normal": 946, "abnormal": 857}),
        ((105, 41), 692),
        ((75, 0), 832),
        ((5, 3), 20),
    ],
)
def test_a_plan_counts_exactly(sizes, counts):
    _, labels = sources(*sizes)
    source, copy = expand.plan(labels, counts, seed=1)
    times = np.bincount(source, minlength=len(labels))
    pools = [labels == "normal", labels == "abnormal"]
    if isinstance(counts, dict):
        totals = [(labels[source] == label).sum() for label in counts]
        assert totals == list(counts.values())
    else:
        assert len(source) == counts
        pools = [labels != ""]
    assert all(np.ptp(times[pool]) <= 1 for pool in pools)
    assert (copy > 0).all()
    assert len(set(zip(source, copy, strict=True))) == len(source)


def test_augmenting_is_decided_by_the_seed_and_copies_differ():
    images, labels = sources(5, 3)
    counts = {"normal": 50, "abnormal": 20}
    first, again, other = (
        copies(images, expand.plan(labels, counts, seed=seed)[0], small(seed))
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len(np.unique(first.reshape(70, -1), axis=0)) > 60


def test_boxes_go_with_their_copies():
    images, none = sources(2, 1)[0], records.Boxes(np.zeros((0, 4)), [])
    box = records.Boxes([[5, 4, 9, 12]], ["21"])
    boxes = [box, none, box]
    source, _ = expand.plan(["k"] * 3, 40, seed=1)
    out = np.empty((40, *images.shape[1:]), np.float32)
    made, moved = expand.augmented_with_boxes(images, boxes, source, small(1), out=out)
    assert made is out
    for new, i in zip(moved, source, strict=True):
        assert len(new) <= len(boxes[i])
        assert set(new.label) <= {"21"}
    assert sum(map(len, moved)) > 20


def test_a_set_is_augmented_into_8_bit_images_elsewhere(tmp_path):
    images, labels = sources(5, 3)
    source, _ = expand.plan(labels, 40, seed=1)
    made = copies(images, source, small(1))
    out = np.memmap(tmp_path / "made", np.uint8, "w+", shape=made.shape)
    assert expand.augmented(images, source, small(1), out=out) is out
    np.testing.assert_allclose(out / 255, made, atol=0.5 / 255 + 1e-6)
    whole = np.rint(images * 255).astype(np.uint8)
    from_8_bit = copies(whole, source, small(1))
    np.testing.assert_allclose(from_8_bit, made, atol=0.01)


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        (0, "8 images cannot become 0"),
        ({"normal": 9}, "no count for the labels"),
        ({"normal": 9, "abnormal": 9, "odd": 9}, "0 images 'odd'"),
    ],
)
def test_a_plan_refuses_counts_that_cannot_be(counts, why):
    with pytest.raises(ValueError, match=why):
        expand.plan(sources(5, 3)[1], counts, seed=1)


def test_augmenting_refuses_what_the_door_refuses():
    with pytest.raises(ValueError, match="not a number"):
        copies(sources(5, 3)[0] + np.nan, np.zeros(20, int), small(1))
