import dataclasses

import numpy as np
import pandas as pd
import pytest

from chromolib import records
from chromolib.data import leakage, pixels, probes
from chromolib.evidence import recompute

LABEL = {"study": "toy", "profile": "smoke", "seed": 0}


def drawn(protocol, **counts):
    rng = np.random.default_rng(0)
    return leakage.siblings(**counts, protocol=protocol, draws=2000, rng=rng, **LABEL)


@pytest.mark.parametrize(
    ("sources", "images", "train"), [(40, 120, 0.5), (75, 832, 0.7), (105, 376, 0.64)]
)
def test_simulation_meets_the_closed_form(sources, images, train):
    counts = {"sources": sources, "images": images, "train": train}
    found = drawn("published", **counts)
    assert found.value == pytest.approx(leakage_formula(counts), abs=0.015)


def leakage_formula(counts):
    return recompute.recompute(
        "siblings", {name: str(value) for name, value in counts.items()}
    ).value


def test_a_split_by_source_leaks_nothing():
    found = drawn("clean", sources=40, images=120, train=0.5)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_a_source_without_copies_has_no_sibling():
    assert drawn("published", sources=50, images=50, train=0.8).value == 0


@pytest.mark.parametrize("split", leakage.SPLITS.values())
def test_a_split_keeps_its_share(split):
    owner = np.arange(200) % 50
    assert split(owner, 0.7, np.random.default_rng(1)).mean() == pytest.approx(0.7)


def test_the_same_seed_draws_the_same():
    counts = {"sources": 30, "images": 90, "train": 0.6}
    assert drawn("published", **counts) == drawn("published", **counts)


# What follows probes drawn sets: `groups` cells of `each` chromosomes. A tinted cell
# has a grey of its own, as a slide has its staining.


def cells(groups=24, each=6, *, tinted=True, seed=0, **columns):
    rng = np.random.default_rng(seed)
    group = np.repeat([f"cell {g:02}" for g in range(groups)], each)
    level = np.repeat(rng.uniform(60, 250, groups), each)
    level = level if tinted else rng.permutation(level)
    images = [rod(rng, grey) for grey in level]
    return records.ImageSet(
        source="drawn",
        name=np.array([f"{g}/{i}" for i, g in enumerate(group)]),
        label=np.full(len(group), ""),
        group=group,
        unit="cell",
        pixels=pixels.pack(images),
        provenance="synthetic",
        **columns,
    )


def rod(rng, grey, height=30):
    """A banded chromosome on black: 10 wide, `height` high, no two alike."""
    bands = np.repeat(rng.uniform(0.6, 1, -(-height // 3)), 3)[:height]
    inside = grey * bands[:, None] * np.array([0.7, 1, 1, 1, 1, 1, 1, 1, 1, 0.7])
    noise = rng.normal(0, 4, inside.shape)
    return np.pad(np.clip(inside + noise, 0, 255), 5).astype(np.uint8)


def halves(images, *, by_group):
    """Every second image, or every second cell, is for testing."""
    _, which = np.unique(images.group, return_inverse=True)
    test = which % 2 == 1 if by_group else np.arange(len(images)) % 2 == 1
    return np.flatnonzero(~test), np.flatnonzero(test)


def stream(seed=0):
    return np.random.default_rng(seed)


def with_copies(images, alter=lambda image: image):
    """The last image, a test image in either split, is a copy of the first."""
    drawn_ones = [images.pixels[i] for i in range(len(images))]
    drawn_ones[-1] = alter(drawn_ones[0])
    return dataclasses.replace(images, pixels=pixels.pack(drawn_ones))


SPLIT_PROBES = [
    leakage.group_overlap,
    leakage.exact_copies,
    leakage.near_copies,
    leakage.random_labels,
]


@pytest.mark.parametrize("probe", SPLIT_PROBES)
def test_a_clean_split_leaks_nothing(probe):
    images = cells()
    leak = probe(images, *halves(images, by_group=True), rng=stream())
    assert not leak.leaks
    assert leak.estimate.low <= leak.chance <= leak.estimate.high
    assert (leak.estimate.n, leak.estimate.groups) == (72, 12)


@pytest.mark.parametrize("probe", [leakage.group_overlap, leakage.random_labels])
def test_a_split_by_image_leaks_groups(probe):
    images = cells()
    leak = probe(images, *halves(images, by_group=False), rng=stream())
    assert leak.leaks
    assert leak.estimate.value > leak.chance + 0.1


def test_one_copy_in_training_is_found():
    plain = cells()
    split = halves(plain, by_group=True)
    copied, lifted = with_copies(plain), with_copies(plain, lambda i: i // 2 + 40)
    assert leakage.exact_copies(copied, *split, rng=stream()).estimate.value == 1 / 72
    assert leakage.near_copies(copied, *split, rng=stream()).leaks
    assert not leakage.exact_copies(lifted, *split, rng=stream()).leaks
    assert leakage.near_copies(lifted, *split, rng=stream()).estimate.value == 1 / 72


@pytest.mark.parametrize("probe", SPLIT_PROBES)
def test_the_order_of_images_changes_nothing(probe):
    images = with_copies(cells())
    train, test = halves(images, by_group=False)
    order = stream(5).permutation(len(images))
    straight = probe(images, train, test, rng=stream())
    moved = (np.flatnonzero(np.isin(order, part)) for part in (train, test))
    shuffled = probe(images.take(order), *moved, rng=stream())
    assert shuffled.estimate.value == pytest.approx(straight.estimate.value)


def test_random_labels_stay_at_chance_in_19_of_20_clean_splits():
    above, values = 0, []
    for seed in range(40):
        images = cells(20, 4, seed=seed)
        split = halves(images, by_group=True)
        leak = leakage.random_labels(images, *split, rng=stream(seed), draws=25)
        above, values = above + leak.leaks, [*values, leak.estimate.value]
    assert above <= 4
    assert np.mean(values) == pytest.approx(0.5, abs=0.02)


def test_a_tinted_cell_is_recognised_and_a_plain_one_is_not():
    known = leakage.cell_identity(cells(), rng=stream())
    plain = leakage.cell_identity(cells(tinted=False), rng=stream())
    assert known.chance == pytest.approx(1 / 24)
    assert known.leaks
    assert known.estimate.value > 4 * known.chance
    assert not plain.leaks


def test_cells_of_one_image_cannot_be_told_apart():
    with pytest.raises(leakage.LeakageError, match="two cells with two images"):
        leakage.cell_identity(cells(6, 1), rng=stream())


def labelled(images, every=2):
    """One label a cell, in turn."""
    _, which = np.unique(images.group, return_inverse=True)
    return np.where(which % every == 0, "normal", "abnormal")


def redrawn(images, alter):
    """The set with `alter(image, label)` in place of each image."""
    names = labelled(images)
    new = [alter(images.pixels[i], names[i]) for i in range(len(images))]
    return dataclasses.replace(images, pixels=pixels.pack(new))


def framed(image, label):
    return np.pad(image, 2 if label == "normal" else 3)


def lifted(image, label):
    return image // 2 + (20 if label == "normal" else 22)


@pytest.mark.parametrize("alter", [framed, lifted])
def test_an_origin_gives_the_label_away(alter):
    images = cells(tinted=False)
    clean = leakage.source_only(images, labelled(images), rng=stream())
    mixed = redrawn(images, alter)
    leak = leakage.source_only(mixed, labelled(images), rng=stream())
    assert leak.leaks
    assert leak.estimate.value == 1
    assert (clean.chance, clean.leaks) == (0.5, False)


def test_a_file_format_gives_the_label_away():
    images = cells(tinted=False)
    formats = np.where(labelled(images) == "normal", "bmp", "jpeg")
    told = dataclasses.replace(images, extra={"format": formats})
    assert leakage.source_only(told, labelled(images), rng=stream()).leaks


def shorter(image, label):
    return image if label == "normal" else np.vstack([image[:15], 0 * image[15:]])


@pytest.mark.parametrize("ground", ["dark", "light"])
def test_the_area_of_ink_gives_the_label_away(ground):
    images = redrawn(cells(), shorter)
    if ground == "light":
        images = redrawn(images, lambda image, label: 255 - image)
    leak = leakage.ink_area(images, labelled(images), rng=stream())
    assert leak.estimate.value == 1
    assert not leakage.ink_area(cells(), labelled(images), rng=stream()).leaks


@pytest.mark.parametrize("light", [False, True])
def test_ink_is_what_was_drawn(light):
    image = np.full((20, 30), 30, np.uint8)
    image[5:15, 10:20] = 190
    seen = probes.greys([255 - image if light else image])
    np.testing.assert_allclose(probes.ink_features(seen), [[100 / 600, 100]])


def boxed(images, boxes_of):
    """The set with `boxes_of(i, label)` as the boxes of its image i."""
    names = labelled(images)
    found = tuple(boxes_of(i, names[i]) for i in range(len(images)))
    return dataclasses.replace(images, boxes=found)


def in_a_row(count, order):
    """`count` boxes side by side, their classes in the order given."""
    left = np.arange(count) * 20 / count
    xyxy = np.column_stack([left, left * 0, left + 20 / count, left * 0 + 40])
    return records.Boxes(xyxy, np.array(order).astype(str))


def test_a_fixed_layout_gives_classes_away_and_a_shuffled_one_does_not():
    split = halves(cells(), by_group=True)
    fixed = boxed(cells(), lambda i, label: in_a_row(5, range(5)))
    mixed = boxed(cells(), lambda i, label: in_a_row(5, stream(i).permutation(5)))
    told = leakage.position_only(fixed, *split, rng=stream())
    assert told.leaks
    assert told.estimate.value == 1
    assert (told.chance, told.estimate.n, told.estimate.groups) == (0.2, 360, 12)
    assert not leakage.position_only(mixed, *split, rng=stream()).leaks


def test_counting_boxes_tells_what_counts_differ_in():
    images = boxed(cells(), lambda i, k: count_of(46 if k == "normal" else 47))
    leak = leakage.count_only(images, labelled(images), rng=stream())
    assert leak.leaks
    always = leakage.always(images, rng=stream())
    assert (always.estimate.value, always.leaks) == (0.5, False)
    assert "46" in always.meaning
    same = boxed(cells(), lambda i, k: count_of(46))
    assert not leakage.count_only(same, labelled(images), rng=stream()).leaks


def count_of(count):
    return in_a_row(count, range(count))


LABEL_PROBES = [leakage.source_only, leakage.ink_area, leakage.count_only]


@pytest.mark.parametrize("probe", LABEL_PROBES)
@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (["a", "b"], "2 labels for 144 images"),
        (["a"] * 144, "one label"),
        (["a"] * 142 + ["b"] * 2, "fewer than 5 folds"),
    ],
)
def test_labels_that_cannot_be_probed_are_refused(probe, labels, reason):
    images = boxed(cells(), lambda i, k: count_of(3))
    with pytest.raises(leakage.LeakageError, match=reason):
        probe(images, labels, rng=stream())


def test_too_few_groups_for_folds_are_refused():
    images = cells(4, 10)
    with pytest.raises(leakage.LeakageError, match="4 groups cannot fill 5 folds"):
        leakage.ink_area(images, labelled(images), rng=stream())


def test_probes_of_boxes_need_boxes():
    images = cells(6)
    split = halves(images, by_group=True)
    with pytest.raises(leakage.LeakageError, match="drawn has no boxes"):
        leakage.position_only(images, *split, rng=stream())
    for probe in (leakage.always, lambda i, rng: leakage.count_only(i, [], rng=rng)):
        with pytest.raises(leakage.LeakageError, match="drawn has no boxes"):
            probe(images, rng=stream())


def test_a_frame_shows_one_row_a_probe():
    images = cells(8)
    split = halves(images, by_group=False)
    leaks = [probe(images, *split, rng=stream()) for probe in SPLIT_PROBES]
    shown = leakage.frame(leaks)
    assert shown["probe"].tolist() == [leak.probe for leak in leaks]
    assert shown["leaks"].eq("yes").tolist() == [leak.leaks for leak in leaks]
    assert list(leakage.frame([]).columns) == list(shown.columns)


def test_rows_of_the_split_that_came_with_the_images_are_told():
    table = pd.DataFrame({"condition": ["split=shipped", "test=0.2", "", "shipped"]})
    assert leakage.as_shipped(table).tolist() == [True, False, False, False]
    assert not len(leakage.as_shipped(table[:0]))


def test_an_estimate_carries_what_it_is_told():
    images = cells(8)
    split = halves(images, by_group=False)
    leak = leakage.group_overlap(images, *split, rng=stream(), protocol="x", **LABEL)
    assert (leak.estimate.study, leak.estimate.protocol) == ("toy", "x")
    assert leak.estimate.source == "drawn (synthetic)"
