"""Edited chromosomes: what was done is there, and a sham has all but that."""

import dataclasses

import numpy as np
import pytest
import test_compose

from chromolib import records
from chromolib.data import compose, edits, leakage, pixels

LADDER = np.repeat(np.arange(1, 41)[:, None] / 40, 10, axis=1)  # each row its own grey


def rows(edit):
    """Which row of the ladder each row of the result was, away from the joins."""
    return np.round(edit.ink.mean(1) * 40).astype(int) - 1


def far(edit, seams):
    """Rows that no smoothing reached."""
    every = np.arange(len(edit.ink))
    near = [np.abs(every - seam + 0.5) < edits.REACH for seam in seams]
    return ~np.any(near, axis=0)


@pytest.mark.parametrize(
    ("kind", "expected", "seams"),
    [
        ("del", [*range(10), *range(20, 40)], [10, 20]),
        ("dup", [*range(20), *range(10, 40)], [20, 30]),
        ("inv", [*range(10), *range(19, 9, -1), *range(20, 40)], [10, 20]),
        ("rejoined", range(40), [10, 20]),
    ],
)
def test_an_edit_does_what_it_says(kind, expected, seams):
    edit = edits.EDITS[kind](LADDER, 10, 20, None)
    assert edit.kind == kind
    kept = far(edit, seams)
    np.testing.assert_array_equal(rows(edit)[kept], np.array(expected)[kept])


def test_an_exchange_takes_the_other_s_end_and_keeps_the_length():
    other = np.full((60, 14), 0.5)
    edit = edits.swap(LADDER, 15, 20, other)
    assert edit.ink.shape == (40, 10)
    assert (edit.first, edit.last) == (15, 40)
    np.testing.assert_allclose(edit.ink[20:], 0.5, atol=1e-6)
    np.testing.assert_allclose(edit.ink[:11], LADDER[:11], atol=1e-6)


def test_a_graft_of_oneself_changes_no_more_than_a_rejoin():
    one = edits.grafted(LADDER, 10, 20, LADDER)
    other = edits.rejoined(LADDER, 10, 20)
    np.testing.assert_allclose(one.ink, other.ink)


@pytest.mark.parametrize("kind", edits.EDITS)
def test_every_edit_and_every_sham_has_two_joins(kind, monkeypatch):
    joined, seen = edits._joined, []

    def spy(kind, parts, first, last):
        seen.append([len(part) for part in parts])
        return joined(kind, parts, first, last)

    monkeypatch.setattr(edits, "_joined", spy)
    edits.EDITS[kind](LADDER, 10, 20, LADDER)
    assert len(seen[0]) == 3
    assert min(seen[0]) >= 5


def test_a_join_of_nothing_new_changes_nothing():
    flat = np.ones((40, 10))
    for edit in edits.EDITS.values():
        np.testing.assert_allclose(edit(flat, 10, 20, flat).ink, 1, atol=1e-6)


def lab(count=12):
    """Cells of one lab: each a case of its own, all normal."""
    labels = [*test_compose.NORMAL, "X", "X"] * count
    groups = np.repeat([f"c{i}" for i in range(count)], 46)
    return test_compose.cell_of(labels, groups=groups)


def test_a_structural_set_is_thirds_and_keeps_every_group():
    images = lab()
    made = edits.structural(images, rng=np.random.default_rng(0))
    assert made.provenance == "real, edited"
    assert len(set(made.name)) == len(made)
    group = dict(zip(images.name, images.group, strict=True))
    assert all(group[n] == g for n, g in zip(made.name, made.group, strict=True))
    abnormal = made.label == "abnormal"
    sham = made.extra["sham"] == "yes"
    assert not (abnormal & sham).any()
    for share in (abnormal.mean(), sham.mean(), (~abnormal & ~sham).mean()):
        assert share == pytest.approx(1 / 3, abs=0.03)
    assert set(made.extra["kind"]) == {*edits.EDITS, edits.UNTOUCHED}


def test_what_is_too_short_to_edit_is_left_out():
    dots = test_compose.cell_of([*test_compose.NORMAL, "X", "X"])
    tiny = pixels.pack([image[:3] for image in dots.pixels])
    with pytest.raises(edits.EditError, match="long enough"):
        edits.structural(
            dataclasses.replace(dots, pixels=tiny).take([0, 1]),
            rng=np.random.default_rng(3),
        )


def test_one_seed_makes_one_set():
    images = lab(3)

    def made(seed):
        rng = np.random.default_rng(seed)
        return edits.structural(images, rng=rng)

    assert made(1).pixels.buffer.tobytes() == made(1).pixels.buffer.tobytes()
    assert made(1).pixels.buffer.tobytes() != made(2).pixels.buffer.tobytes()


def test_a_numerical_set_counts_what_it_says():
    made = edits.numerical(lab(), rng=np.random.default_rng(0))
    size = np.array([len(boxes) for boxes in made.boxes])
    gained = np.char.startswith(made.extra["change"], "+")
    lost = np.char.startswith(made.extra["change"], "-")
    np.testing.assert_array_equal(size, 46 + gained - lost.astype(int))
    assert (gained.sum(), lost.sum(), (made.extra["sham"] == "yes").sum()) == (3, 3, 3)
    assert set(made.extra["status"][gained | lost]) == {"numerical"}
    for boxes, change in zip(made.boxes, made.extra["change"], strict=True):
        if change:
            copies = (boxes.label == change[1:]).sum()
            assert copies == (3 if change[0] == "+" else 1)


def test_the_count_gives_a_numerical_set_away_and_its_card_says_so():
    made = edits.numerical(lab(60), rng=np.random.default_rng(0))
    rng = np.random.default_rng(1)
    leak = leakage.count_only(made, made.extra["status"], rng=rng)
    assert leak.leaks


def test_no_chromosome_crosses_from_one_group_to_another():
    """Every case has a grey of its own; no karyogram may hold two of them."""
    images = lab(6)
    case = {name: 40 + 30 * i for i, name in enumerate(sorted(set(images.group)))}
    flat = [
        np.full(image.shape, case[group], np.uint8)
        for image, group in zip(images.pixels, images.group, strict=True)
    ]
    images = dataclasses.replace(images, pixels=pixels.pack(flat))
    made = edits.numerical(images, rng=np.random.default_rng(0))
    for picture, group in zip(made.pixels, made.group, strict=True):
        assert set(np.unique(picture)) == {255, case[group]}


def test_only_whole_normal_cells_are_edited():
    labels = [*test_compose.NORMAL, "X", "X", "21"]
    with pytest.raises(compose.ComposeError, match="no complete cell"):
        edits.numerical(
            test_compose.cell_of(labels),
            rng=np.random.default_rng(0),
        )


def test_an_edited_cell_is_drawn_at_the_scale_of_the_whole_cell():
    """The widest class sets the scale; without it nothing else may grow."""
    images = test_compose.cell_of([*test_compose.NORMAL, "X", "X"])
    wide = [
        np.full((20, 30 if name == "5" else 8), 90, np.uint8) for name in images.label
    ]
    scale = compose.largest(wide, images.label, room=compose.ROOM)
    left = np.flatnonzero(images.label != "5")
    _, whole = compose.karyogram(wide, images.label, room=compose.ROOM)
    _, some = compose.karyogram(
        [wide[i] for i in left], images.label[left], scale=scale
    )
    np.testing.assert_array_equal(some.xyxy, whole.xyxy[whole.label != "5"])


def test_a_rearranged_cell_keeps_its_number_and_its_groups_and_says_what_it_is():
    images = lab(24)
    made = edits.rearranged(images, rng=np.random.default_rng(0))
    assert set(made.extra["kind"]) == {*edits.EDITS, edits.UNTOUCHED}
    assert all(len(boxes) == 46 for boxes in made.boxes)
    assert len(set(made.group)) == len(made) <= 24
    odd = np.isin(made.extra["kind"], [*edits.ABNORMAL])
    assert (made.label == np.where(odd, "abnormal", "normal")).all()
    assert (made.extra["sham"] == "yes").sum() == pytest.approx(len(made) / 3, abs=1)
    assert set(made.extra["class"]) <= set(records.CLASSES[:22])
    for text in made.extra["rows"]:
        first, last = map(float, text.split(":"))
        assert 0 <= first <= last <= 1


def test_only_the_edited_chromosome_of_a_cell_looks_different():
    """Compared where the edit left the scale of the cell as it was."""
    images, compared = lab(24), set()
    made = edits.rearranged(images, rng=np.random.default_rng(1))
    for k, cell in enumerate(made.cell):
        own = images.take(images.cell == cell)
        scale = compose.largest(own.pixels, own.label, room=compose.ROOM)
        plain, boxes = compose.karyogram(own.pixels, own.label, scale=scale)
        here, there = boxes.label == made.extra["class"][k], made.boxes[k]
        if not np.array_equal(boxes.xyxy[~here], there.xyxy[~here]):
            continue
        changed = plain != made.pixels[k]
        for x0, y0, x1, y1 in np.r_[boxes.xyxy[here], there.xyxy[here]].astype(int):
            changed[y0:y1, x0:x1] = False
        assert not changed.any()
        compared.add(made.extra["kind"][k])
    assert len(compared) > 4
