"""The measure of real against drawn: it sees what was changed and nothing else."""

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy import ndimage

from chromolib import records
from chromolib.data import pixels
from chromolib.synth import calibrate, measured, measured_fields

BANDS = np.array([0.3, 0.9, 0.5, 0.8, 0.3, 0.6, 1.0, 0.4, 0.4, 0.7])
WAIST = 0.3  # of the length, from the upper end


GROUND = 0.08  # stain of the paper, so that noise is not cut off at white


def rod(length=60, width=14, *, blur=1.0, gap=0.0, noise=0.0, seed=0, margin=8):
    """An upright chromosome with bands, a waist and maybe a pale middle, dark."""
    y, x = np.mgrid[: length + 2 * margin, : width + 2 * margin]
    along = (y - margin + 0.5) / length
    across = np.abs(x - margin - (width - 1) / 2)
    half = width / 2 * (1 - 0.35 * np.exp(-(((along - WAIST) * 20) ** 2)))
    stain = np.interp(along, (np.arange(len(BANDS)) + 0.5) / len(BANDS), BANDS)
    stain = stain * (across <= half) * (along > 0) * (along < 1)
    stain = stain * (1 - gap * (across < width / 8))
    stain = GROUND + ndimage.gaussian_filter(0.8 * stain, blur)
    stain = stain + noise * np.random.default_rng(seed).standard_normal(stain.shape)
    return np.clip(np.round(255 * (1 - stain)), 0, 255).astype(np.uint8)


def as_set(crops, label=None, cell=None):
    """Crops as a set of single chromosomes of these classes and cells."""
    n = len(crops)
    cell = np.array(cell if cell is not None else ["one"] * n, dtype=str)
    return records.ImageSet(
        "drawn",
        name=np.array([f"{k}" for k in range(n)]),
        label=np.array(label if label is not None else ["1"] * n, dtype=str),
        group=cell,
        unit="cell",
        pixels=pixels.pack(crops),
    )


def rows(*crops, upright=True):
    return measured.sample(as_set(crops), upright=upright).rows


def test_a_wider_drawing_measures_wider_and_no_longer():
    found = rows(rod(width=12), rod(width=18))
    assert found["width"][1] - found["width"][0] == pytest.approx(6, abs=1)
    assert found["length"][0] == pytest.approx(found["length"][1], abs=3)


def test_a_blurred_drawing_has_a_wider_edge():
    found = rows(*(rod(blur=blur) for blur in (0.5, 1, 2)))
    assert found["edge"].is_monotonic_increasing
    assert found["edge"][2] > 1.5 * found["edge"][0]


def test_polarity_does_not_matter():
    image = rod(noise=0.01)
    dark = measured.sample(as_set([image]), upright=True)
    light = measured.sample(as_set([255 - image]), upright=True)
    for name in dark.rows.columns[3:]:
        found = light.rows[name][0]
        assert found == pytest.approx(dark.rows[name][0], abs=1e-3), name
    np.testing.assert_allclose(dark.ink, light.ink, atol=1e-3)
    np.testing.assert_allclose(dark.inside, light.inside, atol=3)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_turned_chromosome_measures_the_same(quarters):
    crops = [rod(length=60 + 2 * k) for k in range(6)]
    turned = [np.rot90(one, quarters if k % 2 else 0) for k, one in enumerate(crops)]
    one = measured.sample(as_set(crops), upright=False)
    other = measured.sample(as_set(turned), upright=False)
    for ink, again in zip(one.ink, other.ink, strict=True):
        right, wrong = (np.corrcoef(ink, r)[0, 1] for r in (again, again[::-1]))
        assert right > 0.9 > 0.6 > wrong
    for name in ("length", "width", "edge", "contrast", "waist", "noise"):
        np.testing.assert_allclose(one.rows[name], other.rows[name], rtol=0.1)


def test_the_waist_is_where_it_was_drawn():
    found = measured.sample(as_set([rod(), rod(width=16)]), upright=True)
    np.testing.assert_allclose(found.rows["waist"], WAIST, atol=0.03)


def test_a_pale_middle_is_a_gap():
    whole, split = rows(rod(width=18), rod(width=18, gap=0.5))["gap"]
    assert whole < 0.02
    assert split > whole + 0.1


@pytest.mark.parametrize("sigma", [0.01, 0.05])
def test_noise_is_measured_where_there_are_no_bands(sigma):
    noise = sigma * np.random.default_rng(0).standard_normal((80, 80))
    slope = np.linspace(0, 1, 80) + np.zeros((80, 1))
    everywhere = np.ones_like(noise, bool)
    assert measured.noise(noise + slope, everywhere) == pytest.approx(sigma, rel=0.05)


def test_noise_in_a_picture_is_seen_inside_and_outside():
    found = rows(rod(noise=0.01), rod(noise=0.03))
    assert found["noise"][1] > 1.5 * found["noise"][0]
    assert found["noise_outside"][1] == pytest.approx(0.03, rel=0.4)


def test_every_pixel_is_counted_inside_or_outside():
    image = rod()
    found = measured.sample(as_set([image]), upright=True)
    assert found.inside.sum() + found.outside.sum() == image.size
    assert found.inside.sum() == found.rows["area"][0]


@pytest.fixture(scope="module")
def cells():
    """Three cells of two classes, each in a stain and focus of its own."""
    crops, label, cell = [], [], []
    for k in range(3):
        for name, length in (("1", 70), ("2", 50)):
            for copy in range(2):
                image = rod(length + 5 * k, blur=1 + 0.3 * k, noise=0.01, seed=copy)
                crops.append(image)
                label.append(name)
                cell.append(f"c{k}")
    return as_set(crops, label, cell)


def test_the_order_of_homologues_and_cells_does_not_matter(cells):
    one = calibrate.singles(cells, upright=True)["numbers"]
    order = np.random.default_rng(0).permutation(len(cells))
    other = calibrate.singles(cells.take(order), upright=True)["numbers"]
    assert list(one["quantity"]) == list(other["quantity"])
    np.testing.assert_allclose(one["value"], other["value"], rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(one["by_cell"], other["by_cell"], atol=1e-6)


def test_nothing_is_apart_from_itself(cells):
    frames = calibrate.singles(cells, upright=True)
    found = calibrate.compare(frames, frames).set_index("measure")["distance"]
    assert (found["sd"] == 0).all()
    assert (found["variation"] == 0).all()
    np.testing.assert_allclose(found["correlation"].dropna(), 1)


def test_what_is_wider_stands_apart_in_width(cells):
    wide = [ndimage.zoom(one, (1, 1.3), order=1) for one in cells.pixels]
    changed = dataclasses.replace(cells, pixels=pixels.pack(wide))
    frames = [calibrate.singles(each, upright=True) for each in (cells, changed)]
    found = calibrate.compare(*frames).set_index(["quantity", "class"])["distance"]
    assert found["width", "all"] > 3
    assert abs(found["relative_length", "1"]) < abs(found["width", "all"]) / 3


def test_a_cell_that_lacks_chromosomes_has_the_same_relative_lengths():
    label = np.array([*records.CLASSES[:22]] * 2)
    size = np.tile(np.arange(22, 0, -1.0), 2)
    cell = np.repeat(["a", "b"], 22)
    size[22:] *= 3
    kept = np.arange(44) != 30
    whole = calibrate.relative(size, label, cell)
    assert whole[:22].sum() == pytest.approx(100)
    np.testing.assert_allclose(whole[:22], whole[22:])
    part = calibrate.relative(size[kept], label[kept], cell[kept])
    np.testing.assert_allclose(part, whole[kept], rtol=1e-3)


def test_likeness_is_to_the_others_of_a_kind():
    curves = np.array([[0, 1, 2], [0, 2, 4], [3, 1, -1], [0.0, 1, 0]])
    found = calibrate.likeness(curves, np.array(["a", "a", "b", "c"]))
    np.testing.assert_allclose(found[:2], 1)
    assert np.isnan(found[2:]).all()


def test_the_ends_of_a_class_are_brought_to_agree():
    rng = np.random.default_rng(0)
    ink = np.linspace(0, 1, 32) ** 2 + 0.1 * rng.standard_normal((40, 32))
    width = np.ones((40, 32)) + 0.1 * rng.standard_normal((40, 32))
    turn = rng.random(40) < 0.5
    ink[turn] = ink[turn, ::-1]
    up = np.where(turn, 0.3, 0.7) + 0.3 * rng.standard_normal(40)
    found = measured.ends(ink, width, np.full(40, "1"), np.clip(up, 0, 1))
    assert (found == turn).all()


@pytest.mark.parametrize(
    ("cell", "rest", "expected"), [(1, 0, 1), (0, 1, 0), (1, 1, 0.5)]
)
def test_a_style_of_cells_shows_as_their_share(cell, rest, expected):
    rng = np.random.default_rng(0)
    which = np.repeat(np.arange(400), 10)
    value = cell * rng.standard_normal(400)[which] + rest * rng.standard_normal(4000)
    frame = pd.DataFrame({"v": value, "cell": which, "group": which // 2})
    found = calibrate.shares(frame, "v")
    assert found["by_cell"] == pytest.approx(expected, abs=0.1)
    assert found["by_group"] == pytest.approx(0, abs=0.1)


def test_intervals_are_of_groups_not_of_items():
    groups = np.repeat(np.arange(20), 50)
    value = np.random.default_rng(0).standard_normal(20)[groups]
    middle, low, high = calibrate.mean(value, groups)
    assert low < middle < high
    assert high - low > 3 / np.sqrt(20)
    assert np.isnan(calibrate.mean(value, np.zeros(1000))[1])


def field(places, *, shape=(260, 260)):
    """Rods on one ground, each at a row and column; boxes as people draw them."""
    image, xyxy = np.full(shape, rod()[0, 0]), []
    for row, column, turn in places:
        one = np.rot90(rod(), turn)
        height, width = one.shape
        part = image[row : row + height, column : column + width]
        np.minimum(part, one, out=part)
        box = (column + 5, row + 5, column + width - 5, row + height - 5)
        xyxy.append(box)
    label = np.array(["1"] * len(xyxy))
    given = dataclasses.replace(as_set([image]), label=np.array([""]))
    return dataclasses.replace(given, boxes=(records.Boxes(np.array(xyxy), label),))


APART = [(10, 10, 0), (10, 60, 0), (10, 110, 0), (150, 20, 1), (190, 140, 1)]


def test_what_lies_apart_neither_touches_nor_overlaps():
    numbers, boxes, alone = measured_fields.sample(field(APART))
    assert numbers["touching"][0] == numbers["overlap_0.05"][0] == 0
    assert len(boxes) == len(APART) == len(alone)
    assert set(alone.label) == {"1"}
    assert numbers["ground"][0] == pytest.approx(1 - GROUND, abs=0.01)


def test_a_crossing_touches_and_overlaps():
    numbers, _, alone = measured_fields.sample(field([*APART, (40, 88, 1)]))
    assert numbers["touching"][0] > 0.3
    assert numbers["overlap_0.05"][0] > 0
    assert len(alone) < len(APART)


def test_a_chromosome_alone_in_a_field_measures_as_in_a_crop():
    _, _, alone = measured_fields.sample(field(APART[:3]))
    found = measured.sample(alone, upright=True).rows
    single = rows(rod())
    for name in ("length", "width", "ink", "edge"):
        np.testing.assert_allclose(found[name], single[name][0], rtol=0.12)


def test_fields_are_compared_like_singles():
    frames = calibrate.fields(field(APART))
    quantities = set(frames["numbers"]["quantity"])
    assert {"touching", "relative_diagonal", "alone_edge"} <= quantities
    assert set(frames["numbers"]["source"]) == {"drawn"}
