import io

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from chromolib.data import duplicates


def chromosome(seed, *, height=100, width=40, pad=8):
    """A banded rod, light on dark, bent and shaded by its seed."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width] / [[[height]], [[width]]]
    middle = 0.5 + rng.uniform(-0.15, 0.15) * np.cos(np.pi * y)
    rod = np.exp(-(((x - middle) / 0.22) ** 4))
    bands = ndimage.gaussian_filter1d(rng.uniform(0.2, 1, height), 2.5)
    image = 200 * rod * (bands / bands.max())[:, None]
    return np.pad(image, pad).astype(np.uint8)


def bytes_of(values):
    return np.clip(np.round(values), 0, 255).astype(np.uint8)


def noisy(image):
    rng = np.random.default_rng(0)
    return np.where(rng.random(image.shape) < 0.05, np.uint8(255), image)


def jpeg(image):
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", quality=60)
    return np.asarray(Image.open(file))


CHANGES = {  # name -> (what is done to a copy, least share found again)
    "brighter": (lambda image: bytes_of(image * 1.25), 1),
    "darker": (lambda image: bytes_of(image * 0.75), 1),
    "lifted": (lambda image: bytes_of(image * 1.0 + 40), 1),
    "flat": (lambda image: bytes_of(image * 0.6 + 50), 1),
    "inverted": (lambda image: 255 - image, 1),
    "salted": (noisy, 0.9),
    "blurred": (lambda image: ndimage.gaussian_filter(image, 0.7), 0.9),
    "shifted": (lambda image: np.roll(image, (2, -1), (0, 1)), 1),
    "padded": (lambda image: np.pad(image, ((9, 2), (1, 14))), 1),
    "jpeg": (jpeg, 1),
}


@pytest.fixture(scope="module")
def images():
    return [chromosome(seed) for seed in range(40)]


def near(images, other=None):
    """Copies within images, or between two sets of them."""
    other = None if other is None else duplicates.fingerprints(other)
    return duplicates.near(duplicates.fingerprints(images), other)


def found(pairs):
    return set(map(tuple, pairs.tolist()))


@pytest.mark.parametrize("change", CHANGES)
def test_a_changed_copy_is_found(images, change):
    alter, least = CHANGES[change]
    pairs = found(near(images, [alter(image) for image in images]))
    assert sum(i == j for i, j in pairs) >= least * len(images)
    assert all(i == j for i, j in pairs)


def test_different_chromosomes_are_no_copies(images):
    assert len(near(images)) == 0


def test_a_pair_is_named_once_the_first_image_first(images):
    pairs = near([images[0], images[1], images[0], images[0]])
    assert pairs.tolist() == [[0, 2], [0, 3], [2, 3]]


def test_order_does_not_matter(images):
    mixed = [*images[:8], *map(noisy, images[:4])]
    order = np.random.default_rng(3).permutation(len(mixed))
    straight = found(near(mixed))
    turned = found(near([mixed[i] for i in order]))
    assert {tuple(sorted((order[i], order[j]))) for i, j in turned} == straight
    assert straight


def test_blocks_find_what_one_table_finds(images, monkeypatch):
    prints = duplicates.fingerprints([*images, *map(jpeg, images)])
    whole = found(duplicates.near(prints, alike=0.5))
    monkeypatch.setattr(duplicates, "BLOCK", 7)
    assert found(duplicates.near(prints, alike=0.5)) == whole


def test_the_search_equals_the_obvious_one(images):
    prints = duplicates.fingerprints([*images, *map(jpeg, images)])
    slow = {
        (i, j)
        for view in (prints[:, 0], prints[:, 1])
        for j in range(len(view))
        for i in range(j)
        if (view[i] * view[j]).sum() >= 0.9
    }
    assert found(duplicates.near(prints, bits=64, alike=0.9)) == slow


def test_chosen_fingerprints_are_those_of_chosen_images(images):
    few = duplicates.fingerprints(images)[[3, 5]]
    np.testing.assert_array_equal(few, duplicates.fingerprints([images[3], images[5]]))


def test_empty_and_tiny_images_are_copies_of_nothing():
    blank = [np.full((9, 7), 255, np.uint8)] * 2 + [np.zeros((1, 1), np.uint8)] * 2
    assert len(near(blank)) == 0
    assert len(near([])) == 0


def test_exact_copies_have_the_same_pixels_in_the_same_shape():
    flat = np.arange(6, dtype=np.uint8)
    images = [flat.reshape(2, 3), flat.reshape(3, 2), flat.reshape(2, 3), flat[::-1]]
    images[3] = images[3].reshape(2, 3)
    assert duplicates.exact(images).tolist() == [0, 1, 0, 3]


def test_many_are_compared_by_their_main_components_first_and_no_copy_is_lost(
    monkeypatch,
):
    rng = np.random.default_rng(0)
    first = ndimage.gaussian_filter(rng.random((60, 32, 32)), (0, 1.5, 1.5))
    noisy = first + 0.01 * rng.standard_normal(first.shape)
    both = np.concatenate([first, noisy])
    grey = np.uint8(255 * (both - both.min()) / np.ptp(both))
    prints = duplicates.fingerprints(grey)
    whole = duplicates.near(prints)
    assert len(whole) > 20
    monkeypatch.setattr(duplicates, "SAMPLE", 40)
    np.testing.assert_array_equal(duplicates.near(prints), whole)
