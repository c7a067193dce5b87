"""The same measures for every source."""

import numpy as np
import pytest
import ribbon
from scipy import ndimage

from chromolib import records
from chromolib.imaging import axis, direction, measure, normalise


@pytest.fixture(scope="module")
def bow():
    return axis.straighten(ribbon.draw(ribbon.arc(1.0))[0])


@pytest.mark.parametrize("samples", [16, 64, 100])
def test_widths_have_mean_one(bow, samples):
    widths = measure.widths(bow, samples=samples)
    assert widths.shape == (samples,)
    assert widths.mean() == pytest.approx(1)


@pytest.mark.parametrize("dark", [1, 3, 6])
def test_bands_are_counted_dark_and_light_whatever_the_stain(dark):
    along = np.cos(np.linspace(0, 2 * np.pi * dark, 20 * dark + 8))
    ink = (0.5 - 0.3 * along)[:, None] * np.ones((1, 9), np.float32)
    nothing = {"axis": np.zeros((len(ink), 2)), "length": 1, "bend": 1, "flipped": 0}
    for stain in (1.0, 0.3):
        one = axis.Straight(stain * ink, np.ones(ink.shape, bool), **nothing)
        assert measure.bands(one) == 2 * dark
    even = axis.Straight(np.ones((3, 3)), np.ones((3, 3), bool), **nothing)
    assert measure.bands(even) == 1


def test_resampling_keeps_the_mean():
    values = np.random.default_rng(0).random(37)
    assert direction.resampled(values, 64).mean() == pytest.approx(values.mean())


@pytest.mark.parametrize("waist", [0.2, 0.3, 0.4, 0.5])
def test_the_waist_is_the_centromere(waist):
    image, _, _ = ribbon.draw(ribbon.arc(1.2), waist=waist)
    found = measure.waist(measure.widths(axis.straighten(image)))
    assert min(found, 1 - found) == pytest.approx(waist, abs=0.03)


def test_length_and_area_are_in_pixels_of_the_picture():
    image, length, _ = ribbon.draw(ribbon.arc(2.0), width=16)
    straight = axis.straighten(image)
    assert straight.length == pytest.approx(length, rel=0.03)
    assert straight.mask.sum() == pytest.approx((image < 255).sum(), rel=0.03)


def rows(image):
    """The twin without straightening: rows across the principal axis."""
    stain = normalise.ink(image)
    mask = normalise.foreground(stain)
    y, x = np.nonzero(mask)
    long = np.linalg.eigh(np.cov(x, y))[1][:, 1]
    angle = np.degrees(np.arctan2(*(long * np.sign(long[1] or 1))))
    turned = ndimage.rotate(mask.astype(np.float32), -angle, order=1) > 0.5
    ink = ndimage.rotate(stain * mask, -angle, order=1) * turned
    count = turned.sum(1)
    keep = np.flatnonzero(count > axis.TIP * np.median(count[count > 0]))
    cut = slice(keep[0], keep[-1] + 1)
    raw = direction.resampled((ink.sum(1) / np.maximum(count, 1))[cut], measure.SAMPLES)
    return (raw - raw.mean()) / raw.std()


def to_class_mean(profiles, label, half):
    """Correlation of each with the mean of its class in the other half of the cases."""
    found = np.full(len(profiles), np.nan)
    for name in np.unique(label):
        for side in (0, 1):
            one, other = (
                (label == name) & (half == side),
                (label == name) & (half != side),
            )
            if one.any() and other.any():
                mean = profiles[other].mean(0)
                mean = (mean - mean.mean()) / mean.std()
                found[one] = profiles[one] @ mean / len(mean)
    return found


@pytest.mark.realdata
def test_straightening_makes_real_profiles_of_a_class_more_alike(real):
    images = real("pki3")
    images = images.take(np.isin(images.label, records.CLASSES))
    images = images.take(np.random.default_rng(1).permutation(len(images))[:1200])
    found = axis.straighten_all(images.pixels, orient=False)
    kept = [i for i, one in enumerate(found) if isinstance(one, axis.Straight)]
    bend = np.array([found[i].bend for i in kept])
    half = np.unique(images.group[kept], return_inverse=True)[1] % 2
    straight = np.array([ribbon.profile(found[i]) for i in kept])
    raw = np.array([rows(images.pixels[i]) for i in kept])
    gain = to_class_mean(straight, images.label[kept], half) - to_class_mean(
        raw, images.label[kept], half
    )
    assert np.nanmean(gain) > 0
    assert np.nanmean(gain[bend >= np.quantile(bend, 0.9)]) > 0.02
