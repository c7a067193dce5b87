"""Chromosomes laid elsewhere: their boxes go along, and nothing else moves."""

import numpy as np
import pytest
from scipy import ndimage

from chromolib import records
from chromolib.detect import copy_paste, data
from tests.detect import fields as drawn

LABELS = ("long", "short", "ringed", "long", "short")
SIDE = 128


def fields(*labels, image=None):
    """Drawn fields as Fields; the ink of the first one may be another."""
    images, targets, _ = drawn.batch(*labels, size=SIDE)
    x = np.rint(255 * images).astype(np.uint8)
    if image is not None:
        x[0, ..., 0] = image
    names = np.array([f"f{i}" for i in range(len(x))])
    boxes = {"boxes": targets["boxes"], "labels": targets["labels"]}
    words = "drawn", False, "metaphase", "case"
    return data.Fields(*words, x, **boxes, group=names, image=names,
                       classes=drawn.CLASSES)  # fmt: skip


@pytest.fixture(scope="module")
def made():
    known = fields(LABELS, LABELS[:3])
    return known, copy_paste.pasted(known, 6, seed=0)


def test_each_field_is_there_so_many_times_and_stays_in_its_group(made):
    known, more = made
    assert len(more) == 12
    assert len(set(more.image)) == 12
    assert set(more.group) == set(known.group)
    assert all(
        g == name.split(",")[0] for g, name in zip(more.group, more.image, strict=True)
    )
    assert (more.source, more.classes, more.side) == ("drawn", drawn.CLASSES, SIDE)


def test_every_box_holds_its_chromosome_and_all_ink_is_in_a_box(made):
    _, more = made
    for x, boxes in zip(more.x[..., 0], more.truth, strict=True):
        left = x.copy()
        for x0, y0, x1, y1 in np.rint(boxes.xyxy).astype(int):
            assert (x[y0:y1, x0:x1] > 51).mean() > 0.2
            left[max(0, y0 - 4) : y1 + 4, max(0, x0 - 4) : x1 + 4] = 0
        assert not (left > 51).any()


def test_a_box_is_as_tight_as_those_of_its_field(made):
    """Of pieces of ink that only one box meets; drawn boxes have no gap."""
    _, more = made
    far = []
    for x, boxes in zip(more.x[..., 0], more.truth, strict=True):
        labels, _ = ndimage.label(x > 51, np.ones((3, 3)))
        for number, place in enumerate(ndimage.find_objects(labels), 1):
            y, x0 = place
            tight = np.array([x0.start, y.start, x0.stop, y.stop])
            meets = _meets(labels == number, boxes)
            if meets.sum() == 1:
                far.append(np.abs(boxes.xyxy[meets][0] - tight).max())
    assert len(far) > 8
    assert np.quantile(far, 0.9) < 3


def _meets(piece, boxes):
    corners = np.rint(boxes.xyxy).astype(int).tolist()
    return np.array([piece[y0:y1, x0:x1].any() for x0, y0, x1, y1 in corners])


def test_names_go_along(made):
    """What is ringed is darkest in its middle."""
    _, more = made
    dark = {name: [] for name in drawn.CLASSES}
    for x, boxes in zip(more.x[..., 0], more.truth, strict=True):
        corners = np.rint(boxes.xyxy).astype(int).tolist()
        for (x0, y0, x1, y1), label in zip(corners, boxes.label, strict=True):
            dark[label].append(np.quantile(x[y0:y1, x0:x1], 0.9))
    middle = {name: np.median(each) for name, each in dark.items()}
    assert middle["ringed"] > max(middle["long"], middle["short"])


def test_the_same_seed_gives_the_same_fields(made):
    known, more = made
    again, other = (copy_paste.pasted(known, 6, seed=seed) for seed in (0, 1))
    np.testing.assert_array_equal(more.x, again.x)
    np.testing.assert_array_equal(more.boxes, again.boxes)
    assert (more.x != other.x).any()


def test_light_passes_both():
    body, ink = np.full((8, 8), 0.5), np.zeros((64, 64))
    ink[20:44, 20:44] = 0.4
    rng, others = np.random.default_rng(0), [np.array([12.0, 12, 52, 52])]
    for _ in range(20):
        before = ink.copy()
        box = copy_paste._laid(body, ink, others, 0, rng)
        if box is not None and (before != 0)[ink != before].any():
            break
    changed = ink != before
    np.testing.assert_allclose(ink[changed], 1 - (1 - before[changed]) * 0.5)


def test_a_chromosome_that_grew_too_pale_is_not_laid():
    rng, others = np.random.default_rng(0), [np.array([12.0, 12, 52, 52])]
    pale, ink = np.full((8, 8), 0.19), np.zeros((64, 64))
    assert copy_paste._laid(pale, ink, others, 0, rng) is None
    assert not ink.any()


def test_what_touches_another_or_shares_a_piece_stays():
    """Two boxes on one piece of ink, and two pieces that meet in their soft edges."""
    ink = np.zeros((SIDE, SIDE))
    ink[20:60, 20:29] = ink[50:60, 20:60] = ink[80:90, 20:60] = ink[91:101, 20:60] = 0.6
    xyxy = [[20, 20, 29, 60], [20, 50, 60, 60], [20, 80, 60, 90], [20, 91, 60, 101]]
    boxes = records.Boxes(np.array(xyxy, float), np.full(4, "long"))
    assert not copy_paste._free(ink, boxes)
    free = copy_paste._free(
        ink * (np.arange(SIDE) < 91)[:, None], boxes.take([0, 1, 2])
    )
    assert [one.box for one in free] == [2]


def test_a_field_in_which_nothing_lies_free_gives_none():
    known = fields(LABELS, image=np.full((SIDE, SIDE), 200, np.uint8))
    assert not len(copy_paste.pasted(known, 2, seed=0))
    assert not len(copy_paste.pasted(known.take(slice(0)), 2, seed=0))


def test_fields_together_keep_every_box(made):
    known, more = made
    both = data.together(known, more)
    assert len(both) == len(known) + len(more)
    for ours, theirs in zip(both.truth, (*known.truth, *more.truth), strict=True):
        np.testing.assert_array_equal(ours.xyxy, theirs.xyxy)
        assert ours.label.tolist() == theirs.label.tolist()
