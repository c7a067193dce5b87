"""What changes a field changes its boxes with it, exactly."""

import fields
import keras
import numpy as np
import pytest

from chromolib.detect import augmentation, oriented

EVERY = [
    ((turn,), mirror, rate)
    for turn in range(4)
    for mirror, rate in (((), 0.5), (("horizontal",), 1), (("vertical",), 1))
]


def ink_inside(image, box):
    """Share of a field's ink inside one oriented box."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]] + 0.5
    cos, sin = np.cos(box[4]), np.sin(box[4])
    u, v = (
        (x - box[0]) * cos + (y - box[1]) * sin,
        (x - box[0]) * sin - (y - box[1]) * cos,
    )
    inside = (np.abs(u) <= box[2] / 2 + 1) & (np.abs(v) <= box[3] / 2 + 1)
    return image[inside].sum() / image.sum()


@pytest.mark.parametrize(("turns", "mirror", "rate"), EVERY)
def test_boxes_of_both_kinds_go_where_their_things_go(turns, mirror, rate):
    images, targets, _ = fields.batch(("long",), slanting=True, most=2)
    layer = augmentation.Turned(turns=turns, mirror=mirror, rate=rate)
    out = layer({"images": images, **targets}, training=True)
    image = np.asarray(out["images"])[0, ..., 0]
    assert ink_inside(image, np.asarray(out["oriented"])[0, 0]) > 0.999
    upright = oriented.corners(np.asarray(out["oriented"])[0, 0])
    around = np.concatenate([upright.min(0), upright.max(0)])
    np.testing.assert_allclose(np.asarray(out["boxes"])[0, 0], around, atol=1e-3)
    assert 0 <= out["oriented"][0, 0, 4] < np.pi
    assert not np.asarray(out["oriented"])[0, 1].any()


def test_contrast_keeps_the_mean_and_spreads_levels():
    rng = np.random.default_rng(0)
    images = (0.4 + 0.2 * rng.random((6, 16, 16, 1))).astype("f")
    changed = np.asarray(augmentation.Contrast(factor=0.5)(images, training=True))
    np.testing.assert_allclose(
        changed.mean((1, 2, 3)), images.mean((1, 2, 3)), rtol=1e-3
    )
    ratio = changed.std((1, 2, 3)) / images.std((1, 2, 3))
    assert ratio.min() < 0.9
    assert ratio.max() > 1.1
    assert 0.5 <= ratio.min() < ratio.max() <= 1.5


def test_usual_changes_fields_in_training_only_and_by_seed():
    images, targets, _ = fields.batch(*fields.TWO)
    data = {"images": images, **targets}
    kept = augmentation.usual(seed=1)(data)
    np.testing.assert_array_equal(kept["images"], images)
    first, again, other = (
        augmentation.usual(seed=seed)(data, training=True) for seed in (1, 1, 2)
    )
    for key in data:
        np.testing.assert_array_equal(first[key], again[key])
    assert not np.array_equal(first["images"], other["images"])
    assert set(first) == {"images", "boxes", "labels", "oriented"}


def test_layers_are_loaded_as_they_were_saved():
    layer = augmentation.usual(seed=3)
    config = keras.saving.serialize_keras_object(layer)
    twin = keras.saving.deserialize_keras_object(config)
    images, targets, _ = fields.batch(("long", "short"))
    data = {"images": images, **targets}
    first, second = (each(data, training=True) for each in (layer, twin))
    np.testing.assert_array_equal(first["images"], second["images"])
