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


@pytest.mark.parametrize(
    ("sizes", "counts", "originals"),
    [
        ((120, 73), {"normal": 946, "abnormal": 857}, False),
        ((105, 41), 692, True),
        ((75, 0), 832, True),
        ((5, 3), 20, False),
    ],
)
def test_a_plan_counts_exactly(sizes, counts, originals):
    _, labels = sources(*sizes)
    source, copy = expand.plan(labels, counts, originals=originals, seed=1)
    times = np.bincount(source, minlength=len(labels))
    pools = [labels == "normal", labels == "abnormal"]
    if isinstance(counts, dict):
        totals = [(labels[source] == label).sum() for label in counts]
        assert totals == list(counts.values())
    else:
        assert len(source) == counts
        pools = [labels != ""]
    assert all(np.ptp(times[pool]) <= 1 for pool in pools)
    assert (copy == 0).sum() == (len(labels) if originals else 0)
    assert len(set(zip(source, copy, strict=True))) == len(source)


def test_augmenting_is_decided_by_the_seed_and_copies_differ():
    images, labels = sources(5, 3)
    counts = {"normal": 50, "abnormal": 20}
    first, again, other = (
        expand.augmented(
            images,
            *expand.plan(labels, counts, originals=False, seed=seed),
            small(seed),
        )
        for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first, other)
    assert len(np.unique(first.reshape(70, -1), axis=0)) > 60


def test_boxes_go_with_their_copies_and_originals_stay():
    images, none = sources(2, 1)[0], records.Boxes(np.zeros((0, 4)), [])
    box = records.Boxes([[5, 4, 9, 12]], ["21"])
    boxes = [box, none, box]
    source, copy = expand.plan(["k"] * 3, 40, originals=True, seed=1)
    made, moved = expand.augmented_with_boxes(images, boxes, source, copy, small(1))
    first = copy == 0
    np.testing.assert_array_equal(made[first], images[source[first]])
    for new, i, number in zip(moved, source, copy, strict=True):
        assert len(new) <= len(boxes[i])
        assert set(new.label) <= {"21"}
        if number == 0:
            np.testing.assert_array_equal(new.xyxy, boxes[i].xyxy)
    assert sum(map(len, moved)) > 20


def test_a_set_is_augmented_into_8_bit_images_elsewhere(tmp_path):
    images, labels = sources(5, 3)
    plan = expand.plan(labels, 40, originals=True, seed=1)
    made = expand.augmented(images, *plan, small(1))
    out = np.memmap(tmp_path / "made", np.uint8, "w+", shape=made.shape)
    assert expand.augmented(images, *plan, small(1), out=out) is out
    np.testing.assert_allclose(out / 255, made, atol=0.5 / 255 + 1e-6)
    whole = np.rint(images * 255).astype(np.uint8)
    from_8_bit = expand.augmented(whole, *plan, small(1))
    np.testing.assert_allclose(from_8_bit, made, atol=0.01)


@pytest.mark.parametrize(
    ("counts", "why"),
    [
        (7, "8 images cannot become 7"),
        ({"normal": 9}, "no count for the labels"),
        ({"normal": 9, "abnormal": 9, "odd": 9}, "0 images 'odd'"),
    ],
)
def test_a_plan_refuses_counts_that_cannot_be(counts, why):
    with pytest.raises(ValueError, match=why):
        expand.plan(sources(5, 3)[1], counts, originals=True, seed=1)


def test_augmenting_refuses_room_of_another_size_and_what_the_door_refuses():
    images, plan = sources(5, 3)[0], (np.zeros(20, int), np.ones(20, int))
    with pytest.raises(ValueError, match="20 images go there"):
        expand.augmented(images, *plan, small(1), out=images)
    with pytest.raises(ValueError, match="not a number"):
        expand.augmented(images + np.nan, *plan, small(1))
