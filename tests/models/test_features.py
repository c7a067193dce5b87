"""Laws of the manual features, and each family against a slow twin."""

import drawn
import numpy as np
import pytest
import skimage.feature
import skimage.filters

from chromolib.imaging import direction
from chromolib.models import features

SHAPES = {"chromosome": (96, 32), "karyogram": (128, 128), "odd": (101, 47)}


def pictures(shape, count=5):
    """Grainy banded rods of several sizes, each in the middle of its canvas."""
    rng = np.random.default_rng(3)
    out = np.zeros((count, *shape, 1), np.float32)
    for k in range(count):
        height, width = shape[0] - 9 - 7 * k, shape[1] // 2 - k
        rod = drawn.rod(height, width, seed=k, background=0) / 255
        rod = np.clip(rod + rng.normal(0, 0.05, rod.shape), 0.1, 1)
        y, x = (shape[0] - height) // 2, (shape[1] - width) // 2
        out[k, y : y + height, x : x + width, 0] = np.round(255 * rod) / 255
    return out


@pytest.fixture(params=sorted(SHAPES))
def some(request):
    return pictures(SHAPES[request.param])


def family(name, images):
    """One family's columns of the table, without the prefix."""
    table = features.table(images)
    table = table[[c for c in table if c.startswith(f"{name}.")]]
    return table.rename(columns=lambda column: column.removeprefix(f"{name}."))


def columns(name, images, part):
    """The numbered columns of one part of a family."""
    return family(name, images).filter(regex=rf"^{part}\d+$").to_numpy()


def zone_means(picture):
    rows, cols = features.grid(picture[None])
    high, wide = picture.shape[0] // rows, picture.shape[1] // cols
    return [
        picture[i * high : (i + 1) * high, j * wide : (j + 1) * wide].mean()
        for i in range(rows)
        for j in range(cols)
    ]


def test_every_column_names_its_family_and_is_small(some):
    table = features.table(some)
    assert len(table) == len(some)
    assert table.columns.is_unique
    assert {c.split(".")[0] for c in table} == set(features.FAMILIES)
    assert (table.dtypes == np.float32).all()
    assert np.isfinite(table.to_numpy()).all()


def test_edges_are_sobels(some):
    for k, picture in enumerate(some[..., 0]):
        slope = skimage.filters.sobel(picture)
        found = columns("edge", some, "mean")[k]
        np.testing.assert_allclose(found, zone_means(slope), atol=1e-5)
        found, wanted = columns("edge", some, "steep")[k], slope > features.STEEP
        # one pixel that is exactly as steep as the limit may fall either way
        np.testing.assert_allclose(found, zone_means(wanted), atol=0.005)
        inside = np.minimum(slope[picture > features.GROUND], features.STEEPEST)
        bins = np.linspace(0, features.STEEPEST, features.BINS + 1)
        wanted = np.histogram(inside, bins)[0] / len(inside)
        level = columns("edge", some, "level")[k]
        np.testing.assert_allclose(level, wanted, atol=2 / len(inside))


def test_oriented_gradients_are_those_of_scikit_image(some):
    rows, cols = features.grid(some[..., 0])
    cell = some.shape[1] // rows, some.shape[2] // cols
    found = family("hog", some).to_numpy()
    for row, picture in zip(found, some[..., 0].astype(float), strict=True):
        wanted = skimage.feature.hog(
            picture,
            orientations=features.ORIENTATIONS,
            pixels_per_cell=cell,
            cells_per_block=(2, 2),
        )
        # gradients at the very end of a bin are rounded either way
        np.testing.assert_allclose(row, wanted, atol=2e-3)
        assert np.abs(row - wanted).mean() < 1e-3


@pytest.mark.parametrize("radius", features.RADII)
def test_binary_patterns_are_those_of_scikit_image(some, radius):
    grey = np.round(255 * some[..., 0]).astype(np.uint8)
    found = columns("lbp", some, f"ring{radius}_")
    for k, picture in enumerate(grey):
        wanted = skimage.feature.local_binary_pattern(picture, 8, radius, "uniform")
        made = features.patterns(grey[k : k + 1].astype(np.float32), radius)[0]
        # where neighbours are equal, its interpolation rounds them either way
        assert (made != wanted).mean() < 0.005
        inside = picture > 255 * features.GROUND
        many = np.bincount(made[inside], minlength=10)
        np.testing.assert_allclose(found[k], many / inside.sum(), atol=1e-6)


@pytest.mark.parametrize("name", features.OFFSETS)
def test_cooccurrences_are_those_of_scikit_image(some, name):
    far, angle = max(features.OFFSETS[name]), np.pi / 2 * name.startswith("down")
    found = family("glcm", some)
    for k, picture in enumerate(some[..., 0]):
        level = np.where(picture > features.GROUND, 1 + np.floor(8 * picture), 0)
        level = np.minimum(level, features.LEVELS).astype(np.uint8)
        many = skimage.feature.graycomatrix(level, [far], [angle], 9, symmetric=True)
        many = many.astype(float)
        many[0] = many[:, 0] = 0
        for key in ("contrast", "homogeneity", "energy", "correlation"):
            wanted = skimage.feature.graycoprops(many / many.sum(), key).item()
            assert found[f"{name}_{key}"][k] == pytest.approx(wanted, abs=1e-5)


def test_profiles_are_means_over_pieces_of_the_extent(some):
    for k, picture in enumerate(some[..., 0]):
        stain = np.where(picture > features.GROUND, picture, 0)
        y, x = np.nonzero(stain)
        stain = stain[y.min() : y.max() + 1, x.min() : x.max() + 1]
        wanted = {"down": (stain.sum(1), 48), "across": (stain.sum(0), 48)}
        wanted["width"] = ((stain > 0).sum(1), 24)
        del wanted["across" if some.shape[1] >= 2 * some.shape[2] else "width"]
        assert len(family("band", some).columns) == sum(n for _, n in wanted.values())
        for part, (values, samples) in wanted.items():
            raw = direction.resampled(values.astype(float), samples)
            found = columns("band", some, part)[k]
            np.testing.assert_allclose(found, raw / raw.mean(), atol=1e-4)


def test_sizes_are_counted(some):
    found = family("size", some)
    for k, picture in enumerate(some[..., 0]):
        inside = picture > features.GROUND
        length = inside.any(1).sum()
        wanted = [inside.sum(), length, inside.sum() / length]
        wanted += [picture[inside].mean(), picture[inside].std()]
        np.testing.assert_allclose(found.loc[k], wanted, rtol=1e-4)


@pytest.mark.parametrize("shape", sorted(SHAPES))
@pytest.mark.parametrize("level", [0, features.GROUND / 2, 1])
def test_a_picture_of_nothing_or_of_one_grey_has_finite_features(shape, level):
    blank = np.full((2, *SHAPES[shape], 1), level, np.float32)
    table = features.table(blank)
    assert np.isfinite(table.to_numpy()).all()
    assert table["size.area"][0] == (np.prod(SHAPES[shape]) if level == 1 else 0)


def test_no_picture_gives_no_row():
    table = features.table(np.zeros((0, 96, 32, 1)))
    assert table.shape == (0, len(features.table(np.zeros((1, 96, 32, 1))).columns))


def test_pictures_are_described_one_by_one(monkeypatch, some):
    together = features.table(some)
    alone = [features.table(one[None]).to_numpy() for one in some]
    np.testing.assert_array_equal(together, np.concatenate(alone))
    backwards = features.table(some[::-1]).to_numpy()
    np.testing.assert_array_equal(backwards[::-1], together)
    monkeypatch.setattr(features, "CHUNK", 2)
    np.testing.assert_array_equal(features.table(some), together)


@pytest.mark.parametrize("name", ["lbp", "glcm", "band", "size"])
def test_a_shift_on_the_canvas_changes_no_texture_and_no_profile(name):
    still = pictures((96, 32))
    moved = np.roll(still, (3, -2), (1, 2))
    np.testing.assert_allclose(family(name, still), family(name, moved), atol=1e-5)


def test_upside_down_the_profiles_are_reversed():
    upright = pictures((96, 32))
    for part in ("down", "width"):
        turned = columns("band", upright[:, ::-1], part)[:, ::-1]
        np.testing.assert_allclose(columns("band", upright, part), turned, atol=1e-4)


def test_a_missing_stretch_shows_in_the_length_and_the_profile():
    whole = pictures((96, 32), 1)
    short = np.concatenate([whole[:, :40], whole[:, 56:], 0 * whole[:, :16]], 1)
    assert np.subtract(*(family("size", p)["length"][0] for p in (whole, short))) == 16
    change = np.abs(columns("band", whole, "down") - columns("band", short, "down"))
    assert change.max() > 0.2


def test_bands_lie_across():
    stripes = np.zeros((1, 96, 32, 1), np.float32)
    stripes[:, 8:88, 8:24] = 0.2
    stripes[:, 8:88:2, 8:24] = 0.9
    found = family("glcm", stripes).iloc[0]
    assert found["down1_contrast"] > 20
    assert found["across1_contrast"] == 0
    assert found["down1_correlation"] < -0.9


@pytest.mark.parametrize(
    ("wrong", "remedy"),
    [
        (np.full((2, 96, 32, 1), 255), "ink, background 0"),
        (np.full((2, 96, 32, 1), np.nan), "NaN"),
        (np.zeros((96, 32)), r"\(n, height, width, 1\)"),
        (np.zeros((2, 8, 32, 1)), "no side below 16"),
        (np.zeros((2, 96, 32, 3)), r"\(n, height, width, 1\)"),
    ],
)
def test_what_is_no_picture_of_ink_is_refused(wrong, remedy):
    with pytest.raises(features.FeatureError, match=remedy):
        features.table(wrong)
