"""Laws of augmentation, on drawn pictures, on two backends."""

import os
import pathlib
import subprocess
import sys

import drawn
import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import strategies as st

from chromolib import records
from chromolib.models import augment, expand, layers

HERE = pathlib.Path(__file__).resolve().parent
SIDE = 32
FLIPS = {"mirror": ("horizontal", "vertical")}
GREY = {
    layers.Brightness: {"factor": 0.25},
    layers.Blur: {"factor": 1.0},
    layers.Noise: {"factor": 0.05},
}
RECIPES = {
    "small": {layers.Orientation: FLIPS, layers.Movement: augment.SMALL},
    "grey": GREY,
    "everything": {
        layers.Orientation: FLIPS | {"turns": (0, 1, 2, 3)},
        layers.Movement: {"rotation": 180, "zoom": 0.1, "shift": 0.1, "crop": 0.8},
        **GREY,
    },
}


def pipeline(name, *, seed):
    return augment.pipeline(RECIPES[name], seed=seed)


def letters(count=4):
    """An F of ink, larger than life, off the centre."""
    images = np.zeros((count, SIDE, SIDE, 1), np.float32)
    shape = np.kron(drawn.LETTER_F > 0, np.ones((3, 3)))
    images[:, 4 : 4 + shape.shape[0], 6 : 6 + shape.shape[1], 0] = 0.8 * shape
    return images


def around(images):
    """The tight half-open box of the ink of each image, and room for a second."""
    boxes = []
    for picture in np.asarray(images)[..., 0]:
        y, x = np.nonzero(picture > 0.4)
        boxes.append([[x.min(), y.min(), x.max() + 1, y.max() + 1], [0, 0, 0, 0]])
    return np.array(boxes, np.float32)


def together(images, boxes=None):
    boxes = around(images) if boxes is None else boxes
    labels = np.tile(np.array([5, -1], np.int32), (len(images), 1))
    return {"images": images, "boxes": boxes, "labels": labels}


def on(layer, data):
    return keras.tree.map_structure(np.asarray, layer(data, training=True))


def everything():
    """Every recipe on images with boxes, twice: what the backends are compared on."""
    arrays = {}
    for name in RECIPES:
        layer = pipeline(name, seed=3)
        for step in range(2):
            made = on(layer, together(letters(6)))
            arrays |= {f"{name}-{step}-{key}": value for key, value in made.items()}
    maker = expand._Maker(pipeline("small", seed=3))  # compiled, not step by step
    return arrays | {"compiled": maker.predict_on_batch(letters(6))}


@pytest.fixture(params=sorted(RECIPES))
def name(request):
    return request.param


# when it acts


def test_nothing_changes_unless_a_model_is_trained(name):
    layer, images = pipeline(name, seed=1), letters()
    for data in (layer(images), layer(images, training=False)):
        np.testing.assert_array_equal(data, images)
    model = keras.Sequential([keras.Input(images.shape[1:]), layer])
    np.testing.assert_array_equal(model(images), images)
    np.testing.assert_array_equal(model.predict(images, verbose=0), images)


def test_the_seed_decides_and_images_and_steps_draw_anew(name):
    images, layer = letters(), pipeline(name, seed=1)
    first, second = on(layer, images), on(layer, images)
    np.testing.assert_array_equal(on(pipeline(name, seed=1), images), first)
    assert np.abs(on(pipeline(name, seed=2), images) - first).max() > 0.1
    for other in (second, images, np.roll(first, 1, 0)):
        assert np.abs(first - other).max() > 0.01


def test_a_model_learns_through_it(name):
    layer = pipeline(name, seed=1)
    flat = [keras.layers.Flatten(), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((SIDE, SIDE, 1)), layer, *flat])
    model.compile("sgd", "mse")
    model.fit(letters(5), np.zeros(5), batch_size=2, epochs=1, verbose=0)
    state = np.asarray(layer.layers[0].generator.state)
    assert int(state[1]) == 3  # one step a batch


def test_values_stay_between_nothing_and_full_ink_and_shapes_stay(name):
    rng = np.random.default_rng(0)
    for channels in (1, 3):
        images = rng.random((4, SIDE, SIDE, channels)).astype(np.float32)
        made = on(pipeline(name, seed=1), images)
        assert made.shape == images.shape
        assert made.dtype == np.float32
        assert 0 <= made.min() <= made.max() <= 1


def test_it_is_saved_and_loaded_in_safe_mode(name, tmp_path):
    layer = pipeline(name, seed=1)
    model = keras.Sequential([keras.Input((SIDE, SIDE, 1)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_array_equal(on(loaded, letters()), on(model, letters()))
    pairs = zip(loaded.layers[0].layers, layer.layers, strict=True)
    assert all(a.get_config() == b.get_config() for a, b in pairs)


def test_backends_agree(tmp_path):
    out = tmp_path / "jax.npz"
    code = (
        "import sys, numpy, test_augment; assert test_augment.keras.config.backend() "
        "== 'jax'; numpy.savez(sys.argv[1], **test_augment.everything())"
    )
    paths = [HERE, HERE.parent, HERE.parent.parent]
    more = {"KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(map(str, paths))}
    subprocess.run([sys.executable, "-c", code, out], check=True, env=os.environ | more)
    ours, jax = everything(), np.load(out)
    np.testing.assert_allclose(ours["compiled"], ours["small-0-images"], atol=1e-4)
    assert set(ours) == set(jax)
    for key, value in ours.items():
        np.testing.assert_allclose(value, jax[key], atol=1e-4, err_msg=key)


# where things go


@pytest.mark.parametrize("turn", range(4))
def test_quarter_turns_are_exact_and_boxes_follow_exactly(turn):
    images = letters()
    made = on(layers.Orientation(turns=(turn,)), together(images))
    np.testing.assert_array_equal(made["images"], np.rot90(images, turn, (1, 2)))
    np.testing.assert_array_equal(made["boxes"], around(made["images"]))


@pytest.mark.parametrize(("mirror", "axis"), [("horizontal", 2), ("vertical", 1)])
def test_mirrors_are_exact_and_boxes_follow_exactly(mirror, axis):
    images = letters()
    layer = layers.Orientation(mirror=(mirror,), rate=1)
    made = on(layer, together(images))
    np.testing.assert_array_equal(made["images"], np.flip(images, axis))
    np.testing.assert_array_equal(made["boxes"], around(made["images"]))


def test_a_random_orientation_is_one_of_eight():
    layer = layers.Orientation(turns=(0, 1, 2, 3), mirror=("horizontal",), seed=1)
    made = on(layer, together(letters(64)))
    np.testing.assert_array_equal(made["boxes"], around(made["images"]))
    assert len(np.unique(made["images"].reshape(64, -1), axis=0)) == 8


def test_flips_need_no_squares_and_quarter_turns_do():
    images = letters()[:, :20]
    layers.Orientation(turns=(0, 2), mirror=("vertical",))(images, training=True)
    with pytest.raises(ValueError, match="pad them to squares"):
        layers.Orientation(turns=(1,))(images, training=True)


MOVEMENTS = {
    "rotation": {"rotation": 180},
    "zoom": {"zoom": 0.3},
    "shear": {"shear": 20},
    "shift": {"shift": 0.2},
    "crop": {"crop": 0.5},
    "all": {"rotation": 180, "zoom": 0.3, "shear": 20, "shift": 0.2, "crop": 0.5},
}


@hypothesis.settings(max_examples=40, deadline=None)
@hypothesis.given(
    kind=st.sampled_from(sorted(MOVEMENTS)),
    seed=st.integers(0, 2**31 - 1),
    corner=st.tuples(st.integers(0, 24), st.integers(0, 24)),
    size=st.tuples(st.integers(3, 12), st.integers(3, 12)),
)
def test_what_was_in_a_box_stays_in_its_box(kind, seed, corner, size):
    x0, y0 = corner
    x1, y1 = min(x0 + size[0], SIDE), min(y0 + size[1], SIDE)
    images = np.zeros((4, SIDE, SIDE, 1), np.float32)
    images[:, y0:y1, x0:x1] = 1
    layer = layers.Movement(**MOVEMENTS[kind], seed=seed, remains=0)
    made = on(layer, together(images))
    for picture, box, label in zip(
        made["images"][..., 0], made["boxes"][:, 0], made["labels"][:, 0], strict=True
    ):
        y, x = np.nonzero(picture > 0.51)
        if label >= 0 and len(x):
            assert box[0] - 0.01 <= x.min() + 0.5 <= x.max() + 0.5 <= box[2] + 0.01
            assert box[1] - 0.01 <= y.min() + 0.5 <= y.max() + 0.5 <= box[3] + 0.01
        assert (box >= 0).all()
        assert (box <= SIDE).all()


@pytest.mark.parametrize("kind", ["zoom", "shift", "crop"])
def test_boxes_of_upright_movements_stay_tight(kind):
    images = np.zeros((16, 64, 64, 1), np.float32)
    images[:, 26:38, 24:40] = 0.8
    made = on(layers.Movement(**MOVEMENTS[kind], seed=5), together(images))
    left = made["labels"][:, 0] >= 0
    assert left.sum() > 8
    boxes, wanted = made["boxes"][left, 0], around(made["images"][left])[:, 0]
    np.testing.assert_allclose(boxes, wanted, atol=1)


def test_a_box_mostly_cut_off_is_dropped_and_a_rest_is_clipped():
    data = together(letters(64), np.tile([[[0, 0, 8, 8], [9, 9, 12, 12]]], (64, 1, 1)))
    data["labels"] = np.tile(np.array([1, -1], np.int32), (64, 1))
    half, all_ = (
        on(layers.Movement(shift=0.25, seed=1, remains=share), data)
        for share in (0.5, 0.01)
    )
    gone, left = half["labels"][:, 0] < 0, half["labels"][:, 0] >= 0
    assert gone.any()
    assert left.any()
    width, height = (
        half["boxes"][:, 0, i + 2] - half["boxes"][:, 0, i] for i in (0, 1)
    )
    assert (width * height)[left].min() >= 0.5 * 64 - 0.01
    assert (half["boxes"][gone] == 0).all()
    assert (half["labels"][:, 1] == -1).all()
    assert (all_["labels"][:, 0] >= 0).sum() > left.sum()


def test_nothing_comes_in_from_outside():
    images = np.zeros((4, SIDE, SIDE, 1), np.float32)
    layer = layers.Movement(**MOVEMENTS["all"], seed=1)
    np.testing.assert_array_equal(on(layer, images), images)
    images[:, 12:20, 12:] = 1  # touches the border, and is not mirrored there
    made = on(layers.Movement(shift=0.4, seed=1), images)
    assert (made.sum((1, 2, 3)) <= images.sum((1, 2, 3)) + 1e-3).all()
    full = np.ones((8, 9, 9, 1), np.float32)
    assert on(layers.Movement(shift=0.5, seed=1), full).min() == 0


# what leaves karyograms in order


def test_changes_of_grey_move_nothing():
    images = np.zeros((64, 60, 60, 1), np.float32)
    images[:, 6::12, 6::12] = images[:, 6::12, 7::12] = 0.9
    made = on(pipeline("grey", seed=2), together(images))
    np.testing.assert_array_equal(made["boxes"], around(images))
    mean = made["images"].mean(0)[..., 0].reshape(5, 12, 5, 12).swapaxes(1, 2)
    brightest = mean.reshape(25, 144).argmax(1)
    assert (np.abs(brightest // 12 - 6) <= 1).all()
    assert (np.abs(brightest % 12 - 6.5) <= 1).all()


def test_brightness_changes_every_pixel_by_a_quarter_at_most():
    images = np.random.default_rng(0).random((64, 8, 8, 1)).astype(np.float32) / 2
    ratio = on(layers.Brightness(factor=0.25, seed=1), images) / images
    assert 0.75 - 1e-5 <= ratio.min() < 0.78
    assert 1.22 < ratio.max() <= 1.25 + 1e-5


@pytest.mark.parametrize("side", [7, 20, 33])
def test_noise_touches_at_most_its_share_of_pixels(side):
    images = np.full((200, side, side, 3), 0.5, np.float32)
    made = on(layers.Noise(factor=0.05, seed=1), images)
    touched = (made != 0.5).any(-1)
    share = touched.mean((1, 2))
    assert share.max() <= 0.05
    assert share.max() > 0.035
    assert 0.02 < share.mean() < 0.03
    assert set(np.unique(made)) == {0, 0.5, 1}
    assert (made.min(-1) == made.max(-1)).all()  # grey stays grey
    in_runs = touched.reshape(200, -1)[:, : side * side // 20 * 20]
    assert in_runs.any(0).mean() > 0.9  # anywhere


def test_blur_keeps_the_mean_and_spreads_nothing_far():
    images = letters(16)
    made = on(layers.Blur(factor=1.0, seed=1), images)
    np.testing.assert_allclose(made.mean((1, 2)), images.mean((1, 2)), atol=1e-3)
    assert np.abs(made - images).max() > 0.1
    np.testing.assert_allclose(made[:, -6:], 0, atol=1e-6)
    still = on(layers.Blur(factor=1.0, rate=0), images)
    np.testing.assert_allclose(still, images, atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Movement(**MOVEMENTS["all"], rate=0),
        layers.Brightness(factor=1, rate=0),
        layers.Noise(factor=0.5, rate=0),
        layers.Noise(factor=0),
        layers.Orientation(mirror=("vertical",), rate=0),
    ],
)
def test_a_layer_at_rate_or_factor_zero_changes_nothing(layer):
    np.testing.assert_allclose(on(layer, letters()), letters(), atol=1e-5)


# what is refused


def apply(images):
    return pipeline("everything", seed=1)(images, training=True)


def padded(xyxy, label="1"):
    boxes = [records.Boxes(xyxy, [label] * len(xyxy))]
    return augment.pad(boxes, classes=["1", "2"], height=8, width=8, most=2)


SMALL = np.zeros((1, 8, 8, 1), np.float32)
TURNS = "turns .4,.: quarters, some of 0, 1, 2, 3"
REFUSED = {
    "100 percent": (lambda: layers.Brightness(factor=2), "factor 2: it lies between 0"),
    "no window": (lambda: layers.Movement(crop=0), "crop 0"),
    "negative rate": (lambda: layers.Movement(rate=-1), "rate -1"),
    "fifth quarter": (lambda: layers.Orientation(turns=(4,)), TURNS),
    "other mirror": (
        lambda: layers.Orientation(mirror=("left",)),
        "some of 'horizontal'",
    ),
    "size unknown": (lambda: apply(keras.Input((None, None, 1))), "are fixed"),
    "boxes alone": (lambda: apply({"boxes": SMALL[0]}), "also has images, labels"),
    "flat boxes": (lambda: apply(together(letters(), SMALL[0, 0])), "see augment.pad"),
    "more boxes than labels": (
        lambda: apply(together(letters(), np.zeros((4, 3, 4)))),
        "see augment.pad",
    ),
    "box to the right": (
        lambda: padded([[0, 0, 9, 4]]),
        "image 0: .* outside",
    ),
    "box to the left": (lambda: padded([[-1, 0, 3, 4]]), "outside the image"),
    "other label": (lambda: padded([[0, 0, 3, 4]], "7"), "not among the classes"),
    "too many boxes": (lambda: padded([[0, 0, 3, 4]] * 3), "room for 2"),
    "not a number": (lambda: augment.check(SMALL + np.nan), "not a number"),
    "infinite": (lambda: augment.check(SMALL + np.inf), "not a number"),
    "200": (lambda: augment.check(SMALL + 200), "divide 8-bit images by 255"),
    "negative": (lambda: augment.check(SMALL - 0.1), "range from -0.1"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_is_refused_with_its_reason(case):
    call, why = REFUSED[case]
    with pytest.raises(ValueError, match=why):
        call()


@pytest.mark.parametrize(
    ("images", "why"),
    [
        (SMALL[0], "batch, height, width, channels"),
        (SMALL[:0], "at least one image"),
        (SMALL.astype(np.uint8), "divide 8-bit images by 255"),
    ],
)
def test_layers_and_the_door_refuse_other_shapes_and_types(images, why, name):
    for training in (False, True):
        with pytest.raises(ValueError, match=why):
            pipeline(name, seed=1)(images, training=training)
    with pytest.raises(ValueError, match=why):
        augment.check(images)


def test_boxes_are_padded_and_come_back():
    boxes = [records.Boxes([[0, 0, 3, 4], [1, 1, 2, 2]], ["X", "1"])]
    boxes.append(records.Boxes(np.zeros((0, 4)), []))
    xyxy, labels = augment.pad(boxes, classes=["1", "X"], height=8, width=8, most=3)
    assert labels.tolist() == [[1, 0, -1], [-1, -1, -1]]
    back = augment.unpad(xyxy, labels, classes=["1", "X"])
    for new, old in zip(back, boxes, strict=True):
        np.testing.assert_array_equal(new.xyxy, old.xyxy)
        np.testing.assert_array_equal(new.label, old.label)
