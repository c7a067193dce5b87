"""Ink is the same whatever the polarity; the mask is the one chromosome."""

import numpy as np
import pytest
import ribbon

from chromolib.imaging import normalise
from chromolib.imaging.normalise import ImagingError


@pytest.fixture
def picture():
    return ribbon.draw(ribbon.arc(1.0))[0]


def blot(*boxes, size=60):
    """A black picture with bright boxes (y0, y1, x0, x1)."""
    image = np.zeros((size, size))
    for y0, y1, x0, x1 in boxes:
        image[y0:y1, x0:x1] = 200
    return image


def test_polarity_is_read_from_border_and_levels(picture):
    assert normalise.polarity(picture) == "dark"
    assert normalise.polarity(255 - picture) == "light"
    assert normalise.polarity(60 + picture // 2) == "dark"


def test_inverting_a_picture_leaves_its_ink(picture):
    same = normalise.ink(picture)
    np.testing.assert_allclose(normalise.ink(255 - picture), same, atol=1e-6)
    np.testing.assert_allclose(normalise.ink(picture * 0.3 + 9), same, atol=1e-5)


def test_a_tight_crop_keeps_its_background(picture):
    mask = picture < 255
    tight = normalise.crop(picture, mask)
    stain = normalise.crop(normalise.ink(picture), mask)
    np.testing.assert_allclose(normalise.ink(tight), stain, atol=1e-6)


def test_noise_on_grey_is_not_chromosome(picture):
    rng = np.random.default_rng(0)
    grey = 90 + picture * 0.4 + rng.normal(0, 3, picture.shape)
    mask = normalise.foreground(normalise.ink(grey))
    assert np.mean(mask == (picture < 255)) > 0.98


def test_a_hole_is_filled_a_speck_is_not_chromosome():
    image = blot((10, 50, 20, 32), (55, 56, 50, 51))
    image[28:31, 25:27] = 0
    mask = normalise.foreground(normalise.ink(image))
    np.testing.assert_array_equal(mask, blot((10, 50, 20, 32)) > 0)


def test_a_satellite_over_a_pale_band_is_kept():
    image = blot((10, 14, 20, 32), (16, 50, 20, 32))
    mask = normalise.foreground(normalise.ink(image))
    assert mask[10:14, 20:32].all()


@pytest.mark.parametrize(
    ("image", "reason"),
    [
        (np.zeros((0, 0)), "not a grey picture"),
        (np.zeros((9, 9, 3)), "not a grey picture"),
        (np.zeros((1, 1)), "too small"),
        (np.full((40, 40), 7), "nothing but background"),
        (np.full((40, 40), 255, np.uint8), "nothing but background"),
        (np.full((9, 9), np.nan), "not numbers"),
        (blot((30, 31, 30, 31)), "nothing but background"),
        (blot((30, 32, 30, 33)), "too small"),
        (blot((5, 55, 10, 18), (5, 55, 40, 48)), "two chromosomes in one crop"),
    ],
)
def test_what_holds_no_chromosome_is_named(image, reason):
    with pytest.raises(ImagingError, match=reason) as caught:
        normalise.foreground(normalise.ink(image))
    assert caught.value.failure.remedy


def test_a_ring_is_named():
    y, x = np.mgrid[:60, :60]
    away = np.hypot(x - 30, y - 30)
    with pytest.raises(ImagingError, match="a ring has no two ends"):
        normalise.foreground(((away > 14) & (away < 22)).astype(np.float32))


def test_a_long_canvas_is_only_longer(picture):
    far = np.full((4000, 300), 255, np.uint8)
    far[: picture.shape[0], : picture.shape[1]] = picture
    assert normalise.foreground(normalise.ink(far)).sum() == (picture < 255).sum()


def test_resizing_at_one_scale_keeps_proportions():
    tall, small = (normalise.resize(np.ones(n), 0.75) for n in ((80, 20), (40, 10)))
    assert tall.shape == (60, 15)
    np.testing.assert_allclose(np.divide(tall.shape, small.shape), 2, rtol=0.1)


def test_padding_adds_only_background(picture):
    wide = normalise.pad(picture, (200, 201), value=255)
    assert wide.shape == (200, 201)
    assert (255 - wide.astype(int)).sum() == (255 - picture.astype(int)).sum()
    with pytest.raises(ValueError, match="resize first"):
        normalise.pad(picture, (5, 5))
