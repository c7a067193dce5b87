"""A bent striped ribbon laid straight gives its stripes and its length back."""

import numpy as np
import pytest
import ribbon
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from chromolib import records
from chromolib.imaging import axis, direction, measure, normalise

BENT = {
    "straight": ribbon.arc(0.0),
    "bow": ribbon.arc(1.0),
    "hook": ribbon.arc(2.0),
    "U": ribbon.arc(3.3),
    "C": ribbon.arc(3.8),
    "S": ribbon.wave(),
}
SHARE = 0.001  # of real images that may fail


def profile_of(image):
    return ribbon.profile(axis.straighten(image))


def alike(one, other):
    """Correlation of two profiles."""
    return np.corrcoef(one, other)[0, 1]


def either_way(one, other):
    return max(alike(one, other), alike(one, other[::-1]))


@pytest.mark.parametrize("shape", BENT)
def test_straightening_gives_stripes_and_length_back(shape):
    image, length, stripes = ribbon.draw(BENT[shape])
    one = axis.straighten(image)
    places = (np.arange(64) + 0.5) / 64 * len(stripes) - 0.5
    drawn = np.interp(places, np.arange(len(stripes)), stripes)
    assert either_way(drawn, ribbon.profile(one)) > 0.95
    assert one.length == pytest.approx(length, rel=0.03)


@pytest.mark.parametrize("shape", BENT)
def test_straightening_keeps_the_area(shape):
    image, _, _ = ribbon.draw(BENT[shape])
    assert axis.straighten(image).mask.sum() == pytest.approx(
        (image < 255).sum(), rel=0.03
    )


def test_the_axis_runs_through_the_middle_of_the_picture():
    image, _, _ = ribbon.draw(BENT["hook"])
    one = axis.straighten(image)
    inside = ndimage.distance_transform_edt(image < 255)
    x, y = one.axis[5:-5].T
    assert len(one.axis) == len(one.ink) == len(one.mask)
    assert ndimage.map_coordinates(inside, [y, x], order=1).min() > 3.5


def test_a_straight_one_is_left_nearly_unchanged():
    image, _, _ = ribbon.draw(BENT["straight"])
    one = axis.straighten(image, orient=False)
    stain = normalise.crop(normalise.ink(image), image < 255)
    assert abs(len(one.ink) - len(stain)) <= 1
    assert alike(direction.resampled(stain.mean(1), 64), ribbon.profile(one)) > 0.98
    assert one.bend == pytest.approx(1, abs=0.01)


@pytest.mark.parametrize("shape", ["bow", "U", "S"])
def test_a_rotated_picture_gives_the_same_profile(shape):
    image = 255.0 - ribbon.draw(BENT[shape])[0]
    first = profile_of(image)
    for angle in (17, 45, 90, 133, 180, 251):
        turned = ndimage.rotate(image, angle, order=1)
        assert alike(first, profile_of(turned)) > 0.9


@pytest.mark.parametrize("shape", ["bow", "hook", "S"])
def test_a_mirrored_picture_gives_the_same_profile(shape):
    image = ribbon.draw(BENT[shape])[0]
    assert alike(profile_of(image), profile_of(image[:, ::-1])) > 0.97


def test_inverting_and_padding_change_nothing():
    image = ribbon.draw(BENT["bow"])[0]
    same = axis.straighten(image)
    for other in (255 - image, np.pad(image, ((30, 9), (2, 55)), constant_values=255)):
        np.testing.assert_allclose(axis.straighten(other).ink, same.ink, atol=1e-4)


def test_turning_by_half_only_turns_the_verdict():
    image, _, _ = ribbon.draw(BENT["straight"], waist=0.25)
    one = axis.straighten(image)
    turned = axis.straighten(image[::-1, ::-1])
    assert one.flipped != turned.flipped
    assert 0.5 <= one.confidence == pytest.approx(turned.confidence, abs=0.05)
    numbers = direction.numbers(one.ink, one.mask)
    turned = direction.numbers(one.ink[::-1], one.mask[::-1])
    np.testing.assert_allclose(turned, -numbers, atol=1e-9)


def test_open_chromatids_keep_the_middle_axis():
    image = np.zeros((60, 40))
    for y in range(50):
        for side in (-1, 1):
            centre = 20 + side * (2 + abs(y - 18) * 0.15)
            image[y + 5, int(centre - 3) : int(centre + 4)] = 150
    one = axis.straighten(image)
    assert abs(one.axis[:, 0] - 20).max() < 2.5
    assert one.length == pytest.approx(50, abs=3)


def test_crossing_chromosomes_are_named():
    y, x = np.mgrid[-40:41, -40:41]
    arms = (abs(x - y) < 7) | (abs(x + y) < 7)
    with pytest.raises(normalise.ImagingError, match="no one long axis"):
        axis.straighten(200 * (arms & (np.hypot(x, y) < 38)))


def test_a_large_canvas_is_straightened_at_a_coarser_step():
    points = ribbon.arc(2.0, length=900)
    image, length, _ = ribbon.draw(points, width=90)
    assert axis.straighten(image).length == pytest.approx(length, rel=0.05)


def test_failures_keep_their_place():
    good, blank = ribbon.draw(BENT["bow"])[0], np.full((30, 30), 255, np.uint8)
    found = axis.straighten_all([good, blank, good])
    assert isinstance(found[0], axis.Straight)
    assert found[1].reason == "nothing but background"
    np.testing.assert_array_equal(found[0].ink, found[2].ink)


SIDES = st.tuples(st.integers(0, 24), st.integers(0, 24))


@settings(max_examples=150, deadline=None)
@given(arrays.arrays(np.uint8, SIDES, elements=st.sampled_from([0, 0, 0, 90, 255])))
def test_any_picture_gives_a_result_or_a_reason(image):
    one = axis.straighten_all([image])[0]
    if isinstance(one, axis.Straight):
        assert one.ink.shape == one.mask.shape
        assert np.isfinite([*one.ink.ravel(), *one.axis.ravel(), one.length]).all()
        widths = measure.widths(one)
        assert np.isfinite([*ribbon.profile(one), *widths, measure.waist(widths)]).all()
    else:
        assert one.reason
        assert one.remedy


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32), st.floats(0.1, 6))
def test_blobs_of_any_form_give_a_result_or_a_reason(seed, blur):
    noise = np.random.default_rng(seed).normal(size=(50, 60))
    one = axis.straighten_all([ndimage.gaussian_filter(noise, blur)])[0]
    assert isinstance(one, axis.Straight | normalise.Failure)


@pytest.fixture(scope="module")
def upright(real):
    """Some PKI-3 chromosomes of known class, straightened as they stand."""
    images = real("pki3")
    images = images.take(np.isin(images.label, records.CLASSES))
    images = images.take(np.random.default_rng(0).permutation(len(images))[:800])
    return images, axis.straighten_all(images.pixels, orient=False)


@pytest.mark.realdata
def test_real_chromosomes_rarely_fail(upright):
    failed = [one for one in upright[1] if not isinstance(one, axis.Straight)]
    assert len(failed) <= SHARE * len(upright[1]) + 1


@pytest.mark.realdata
def test_the_short_arm_is_found_on_real_karyograms(upright):
    sure = [one.confidence for one in upright[1] if isinstance(one, axis.Straight)]
    assert np.mean(np.array(sure) > 0.5) > 0.95
    assert np.mean([c > 0.5 for c in sure if abs(c - 0.5) > 0.48]) > 0.98
