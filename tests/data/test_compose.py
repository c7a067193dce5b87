"""Karyograms of single chromosomes: every one in its place, nothing stretched."""

import drawn
import numpy as np
import pytest

from chromolib import records
from chromolib.data import compose, pixels

NORMAL = [*map(str, range(1, 23))] * 2


def cell_of(labels, *, groups=None, cells=None, source="pki3"):
    """A set of drawn chromosomes, longer the lower their number."""
    labels = np.array(labels, dtype=str)
    order = {name: i for i, name in enumerate(records.CLASSES)}
    pictures = [
        drawn.rod(90 - 3 * order.get(label, 0), 12, seed=i)
        for i, label in enumerate(labels)
    ]
    groups = np.array(["c1"] * len(labels) if groups is None else groups)
    return records.ImageSet(
        source=source,
        name=np.array([f"{i}.png" for i in range(len(labels))]),
        label=labels,
        group=groups,
        unit="case",
        cell=groups if cells is None else np.array(cells),
        pixels=pixels.pack(pictures),
    )


@pytest.mark.parametrize(
    ("labels", "change"),
    [
        ([*NORMAL, "X", "X"], ""),
        ([*NORMAL, "X", "Y"], ""),
        ([*NORMAL, "X", "Y", "21"], "+21"),
        ([*NORMAL, "X", "X", "Y"], "+X"),
        ([*NORMAL, "X", "Y", "Y"], "+Y"),
        ([*NORMAL, "X", "X", "X"], "+X"),
        ([*NORMAL, "X", "X", "13", "18"], "+13,+18"),
        ([*NORMAL, "X"], None),
        ([*NORMAL[1:], "X", "X"], None),
        ([*NORMAL, "Y", "Y"], None),
        ([], None),
    ],
)
def test_what_a_cell_has_too_many_of(labels, change):
    assert compose.composition(labels) == change


def test_every_chromosome_lies_in_its_box_and_nothing_outside():
    images = cell_of([*NORMAL, "X", "Y"])
    picture, boxes = compose.karyogram(list(images.pixels), images.label)
    assert picture.shape == (416, 416)
    assert len(boxes) == 46
    outside = np.ones(picture.shape, bool)
    for x0, y0, x1, y1 in boxes.xyxy.astype(int):
        inside = picture[y0:y1, x0:x1]
        assert (inside != 255).mean() > 0.5
        outside[y0:y1, x0:x1] = False
    assert (picture[outside] == 255).all()


def test_boxes_do_not_overlap_and_homologues_stand_side_by_side():
    images = cell_of([*NORMAL, "X", "X", "21"])
    _, boxes = compose.karyogram(list(images.pixels), images.label)
    canvas = np.zeros((416, 416), int)
    for x0, y0, x1, y1 in boxes.xyxy.astype(int):
        canvas[y0:y1, x0:x1] += 1
    assert canvas.max() == 1
    middles = boxes.xyxy[boxes.label == "21", 1::2].mean(1)
    assert np.ptp(middles) <= 1


def test_one_scale_keeps_what_is_long_long():
    images = cell_of([*NORMAL, "X", "X"])
    _, boxes = compose.karyogram(list(images.pixels), images.label)
    before = np.array([image.shape[0] for image in images.pixels], float)
    name = dict(zip(images.label, before, strict=True))
    tall = boxes.xyxy[:, 3] - boxes.xyxy[:, 1]
    ratio = tall / [name[label] for label in boxes.label]
    assert np.ptp(ratio) <= 1 / before.min() + 1e-9  # half a pixel of rounding each


def test_complete_cells_become_karyograms_and_incomplete_ones_are_said():
    labels = [*NORMAL, "X", "X", *NORMAL, "X", "Y", "21", *NORMAL, "X"]
    groups = ["a"] * 46 + ["b"] * 47 + ["c"] * 45
    composed = compose.cells(cell_of(labels, groups=groups))
    assert list(composed.group) == ["a", "b"]
    assert list(composed.extra["status"]) == ["normal", "numerical"]
    assert list(composed.extra["change"]) == ["", "+21"]
    assert [len(boxes) for boxes in composed.boxes] == [46, 47]
    assert [p.file for p in composed.problems] == ["c"]


def test_nothing_to_compose_is_an_error():
    with pytest.raises(compose.ComposeError, match="pki3 has no complete cell"):
        compose.cells(cell_of(["1", "2"]))
    with pytest.raises(compose.ComposeError, match="nothing to arrange"):
        compose.karyogram([drawn.rod(20, 8)], ["mar"])


@pytest.mark.parametrize("extra", ["8", "21", "X"])
def test_with_room_a_copy_more_changes_the_size_of_no_chromosome(extra):
    labels = [*NORMAL, "X", "X"]
    crops = [drawn.rod(60, 24, seed=i) for i in range(len(labels) + 1)]

    def sizes(some, room):
        _, boxes = compose.karyogram(crops[: len(some)], some, room=room)
        kept = np.isin(boxes.label, ["1", "14"])
        return np.ptp(boxes.xyxy.reshape(-1, 2, 2), axis=1)[kept]

    more = [*labels, extra]
    assert np.array_equal(sizes(labels, compose.ROOM), sizes(more, compose.ROOM))
    if extra == "8":  # of the row with most slots: without room all would shrink
        assert sizes(more, 1).sum() < sizes(labels, 1).sum()
