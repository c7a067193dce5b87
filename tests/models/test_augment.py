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


def letters(count=4, *, level=0.9, side=SIDE):
    """An F on a light ground, larger than life, off the centre."""
    images = np.full((count, side, side, 1), level, np.float32)
    shape = np.kron(drawn.LETTER_F > 0, np.ones((3, 3), bool))
    place = images[:, 4 : 4 + shape.shape[0], 6 : 6 + shape.shape[1], 0]
    place[:, shape] = 0.2
    return images


def around(images):
    """The tight half-open boxes of what is darker than its ground, padded."""
    found = []
    for picture in np.asarray(images)[..., 0]:
        y, x = np.nonzero(picture < 0.5)
        found.append([[x.min(), y.min(), x.max() + 1, y.max() + 1], [0, 0, 0, 0]])
    return np.array(found, np.float32)


def together(images, boxes=None):
    boxes = around(images) if boxes is None else boxes
    labels = np.tile(np.array([5, -1], np.int32), (len(images), 1))
    return {"images": images, "boxes": boxes, "labels": labels}


def on(layer, data):
    return keras.tree.map_structure(np.asarray, layer(data, training=True))


def everything():
    """Every set on images with boxes, twice: what the backends are compared on."""
    found = {}
    for name in augment.AUGMENTATIONS:
        layer = augment.build(name, seed=3)
        for step in range(2):
            made = on(layer, together(letters(6)))
            found |= {f"{name}-{step}-{key}": value for key, value in made.items()}
    maker = expand._Maker(augment.build("single", seed=3))  # compiled, not step by step
    return found | {"compiled": maker.predict_on_batch(letters(6))}


@pytest.fixture(params=sorted(augment.AUGMENTATIONS))
def name(request):
    return request.param


# when it acts


def test_nothing_changes_unless_a_model_is_trained(name):
    layer, images = augment.build(name, seed=1), letters()
    for data in (layer(images), layer(images, training=False)):
        np.testing.assert_array_equal(data, images)
    model = keras.Sequential([keras.Input(images.shape[1:]), layer])
    np.testing.assert_array_equal(model(images), images)
    np.testing.assert_array_equal(model.predict(images, verbose=0), images)


def test_one_seed_gives_one_result_and_another_seed_another(name):
    images = letters()
    first, again = (on(augment.build(name, seed=1), images) for _ in range(2))
    np.testing.assert_array_equal(first, again)
    assert np.abs(on(augment.build(name, seed=2), images) - first).max() > 0.1
    assert np.abs(first - images).max() > 0.01


def test_images_and_steps_draw_anew(name):
    layer = augment.build(name, seed=1)
    first, second = on(layer, letters()), on(layer, letters())
    assert np.abs(first - second).max() > 0.01
    assert np.abs(first[0] - first[1]).max() > 0.01


def test_a_model_learns_through_it(name):
    entry = keras.Input((SIDE, SIDE, 1))
    hidden = keras.layers.Flatten()(augment.build(name, seed=1)(entry))
    model = keras.Model(entry, keras.layers.Dense(1)(hidden))
    model.compile("sgd", "mse")
    model.fit(letters(5), np.zeros(5), batch_size=2, epochs=1, verbose=0)
    first = next(layer for layer in model.layers if "augment" in layer.name).layers[0]
    assert int(np.asarray(first.generator.state)[1]) == 3  # one step a batch


def test_values_stay_between_black_and_white_and_shapes_stay(name):
    rng = np.random.default_rng(0)
    for channels in (1, 3):
        images = rng.random((4, SIDE, SIDE, channels)).astype(np.float32)
        made = on(augment.build(name, seed=1), images)
        assert made.shape == images.shape
        assert made.dtype == np.float32
        assert 0 <= made.min() <= made.max() <= 1


def test_it_is_saved_and_loaded_in_safe_mode(name, tmp_path):
    layer = augment.build(name, seed=1, background=0.25)
    model = keras.Sequential([keras.Input((SIDE, SIDE, 1)), layer])
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    images = letters()
    np.testing.assert_array_equal(on(loaded, images), on(model, images))
    configs = zip(loaded.layers[0].layers, layer.layers, strict=True)
    assert all(one.get_config() == other.get_config() for one, other in configs)


def test_backends_agree(tmp_path):
    out = tmp_path / "jax.npz"
    code = (
        "import sys, numpy, test_augment; assert test_augment.keras.config.backend() "
        "== 'jax'; numpy.savez(sys.argv[1], **test_augment.everything())"
    )
    paths = [HERE, HERE.parent, HERE.parent.parent]
    told = {"KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(map(str, paths))}
    subprocess.run([sys.executable, "-c", code, out], check=True, env=os.environ | told)
    here, there = everything(), np.load(out)
    np.testing.assert_allclose(here["compiled"], here["single-0-images"], atol=1e-4)
    assert set(here) == set(there)
    for key, value in here.items():
        np.testing.assert_allclose(value, there[key], atol=1e-4, err_msg=key)


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
    layer = layers.Orientation(mirror=(mirror,), chance=1)
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
    images = np.ones((4, SIDE, SIDE, 1), np.float32)
    images[:, y0:y1, x0:x1] = 0
    layer = layers.Movement(**MOVEMENTS[kind], seed=seed, background=1.0, remains=0)
    made = on(layer, together(images))
    for picture, box, label in zip(
        made["images"][..., 0], made["boxes"][:, 0], made["labels"][:, 0], strict=True
    ):
        y, x = np.nonzero(picture < 0.49)
        if label >= 0 and len(x):
            assert box[0] - 0.01 <= x.min() + 0.5 <= x.max() + 0.5 <= box[2] + 0.01
            assert box[1] - 0.01 <= y.min() + 0.5 <= y.max() + 0.5 <= box[3] + 0.01
        assert (box >= 0).all()
        assert (box <= SIDE).all()


@pytest.mark.parametrize("kind", ["zoom", "shift", "crop"])
def test_boxes_of_upright_movements_stay_tight(kind):
    images = np.ones((16, 64, 64, 1), np.float32)
    images[:, 26:38, 24:40] = 0
    layer = layers.Movement(**MOVEMENTS[kind], seed=5, background=1.0)
    made = on(layer, together(images))
    kept = made["labels"][:, 0] >= 0
    assert kept.sum() > 8
    np.testing.assert_allclose(
        made["boxes"][kept, 0], around(made["images"][kept])[:, 0], atol=1
    )


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


def test_what_comes_in_from_outside_is_each_image_s_own_background():
    levels = np.array([0, 0.3, 0.95, 1], np.float32)[:, None, None, None]
    images = np.broadcast_to(levels, (4, SIDE, SIDE, 1)).copy()
    layer = layers.Movement(**MOVEMENTS["all"], seed=1)
    np.testing.assert_allclose(on(layer, images), images, atol=1e-6)
    images[:, 12:20, 12:] = 1 - levels  # touches the border, which stays background
    made = on(layers.Movement(shift=0.4, seed=1), images)
    was, now = (np.abs(x - levels).sum((1, 2, 3)) for x in (images, made))
    assert (now <= was + 1e-3).all()  # no second chromosome was mirrored in


def test_a_given_background_is_used():
    made = on(layers.Movement(shift=0.5, background=0.0, seed=1), np.ones((8, 9, 9, 1)))
    assert made.min() == 0


# what leaves karyograms in order


@pytest.mark.parametrize("kind", ["chu", "ordered"])
def test_order_preserving_sets_move_nothing(kind):
    images = np.full((64, 60, 60, 1), 0.95, np.float32)
    images[:, 6::12, 6::12] = images[:, 6::12, 7::12] = 0.1
    made = on(augment.build(kind, seed=2), together(images))
    np.testing.assert_array_equal(made["boxes"], around(images))
    mean = made["images"].mean(0)[..., 0].reshape(5, 12, 5, 12).swapaxes(1, 2)
    darkest = mean.reshape(25, 144).argmin(1)
    assert (np.abs(darkest // 12 - 6) <= 1).all()
    assert (np.abs(darkest % 12 - 6.5) <= 1).all()


def test_brightness_changes_every_pixel_by_a_quarter_at_most():
    images = np.random.default_rng(0).random((64, 8, 8, 1)).astype(np.float32) / 2
    ratio = on(layers.Brightness(most=0.25, seed=1), images) / images
    assert 0.75 - 1e-5 <= ratio.min() < 0.78
    assert 1.22 < ratio.max() <= 1.25 + 1e-5


def test_contrast_leaves_the_background():
    made = on(layers.Contrast(most=0.3, seed=1), letters(16))
    np.testing.assert_allclose(made[:, 0], 0.9, atol=1e-6)
    assert np.ptp(made.min((1, 2, 3))) > 0.1


@pytest.mark.parametrize("side", [7, 20, 33])
def test_noise_touches_at_most_its_share_of_pixels(side):
    images = np.full((200, side, side, 3), 0.5, np.float32)
    made = on(layers.Noise(most=0.05, seed=1), images)
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
    made = on(layers.Blur(most=1.0, seed=1), images)
    np.testing.assert_allclose(made.mean((1, 2)), images.mean((1, 2)), atol=1e-3)
    assert np.abs(made - images).max() > 0.1
    np.testing.assert_allclose(made[:, -6:], 0.9, atol=1e-6)
    still = on(layers.Blur(most=1.0, chance=0), images)
    np.testing.assert_allclose(still, images, atol=1e-6)


@pytest.mark.parametrize(
    "layer",
    [
        layers.Movement(**MOVEMENTS["all"], chance=0),
        layers.Brightness(most=1, chance=0),
        layers.Noise(most=0.5, chance=0),
        layers.Noise(most=0),
        layers.Orientation(mirror=("vertical",), chance=0),
    ],
)
def test_a_layer_without_a_chance_changes_nothing(layer):
    np.testing.assert_allclose(on(layer, letters()), letters(), atol=1e-5)


# growing a set


def sources(*sizes, side=8):
    labels = np.repeat(["normal", "abnormal"][: len(sizes)], sizes)
    images = np.full((len(labels), side, side, 1), 0.9, np.float32)
    images[:, 2:6, 2:4, 0] = np.linspace(0, 0.5, len(labels))[:, None, None]
    return images, labels, np.array([f"case{i // 2}" for i in range(len(labels))])


@pytest.mark.parametrize(
    ("paper", "sizes", "total"),
    [("chromonet", (120, 73), 1803), ("chu", (105, 41), 692), ("hamza", (75,), 832)],
)
def test_sets_grow_to_the_papers_counts(paper, sizes, total):
    images, labels, groups = sources(*sizes)
    counts = expand.COUNTS[paper]
    grown = expand.expand(images, labels, groups, counts=counts, name=paper, seed=1)
    assert len(grown) == len(grown.images) == total
    np.testing.assert_array_equal(grown.label, labels[grown.source])
    np.testing.assert_array_equal(grown.group, groups[grown.source])
    times = np.bincount(grown.source)
    for label in set(labels):
        assert np.ptp(times[labels == label]) <= 1
        if isinstance(counts, dict):
            assert (grown.label == label).sum() == counts[label]
    first = grown.copy == 0
    assert first.sum() == (len(images) if expand.ORIGINALS[paper] else 0)
    np.testing.assert_array_equal(grown.images[first], images[grown.source[first]])
    pairs = set(zip(grown.source.tolist(), grown.copy.tolist(), strict=True))
    assert len(pairs) == total


def test_growing_is_decided_by_the_seed_and_copies_differ():
    case = dict(zip(("images", "labels", "groups"), sources(5, 3), strict=True))
    told = {"counts": {"normal": 50, "abnormal": 20}, "name": "single"}
    one, same, other = (expand.expand(**case, **told, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.images, same.images)
    assert not np.array_equal(one.images, other.images)
    assert len(np.unique(one.images.reshape(70, -1), axis=0)) > 60


def test_boxes_grow_with_their_images():
    images, labels, groups = letters(3), ["k"] * 3, ["a", "b", "c"]
    box = records.Boxes(around(images)[0, :1], ["21"])
    boxes = [box, records.Boxes(np.zeros((0, 4)), []), box]
    told = {"counts": 40, "name": "hamza", "seed": 1, "originals": True}
    grown = expand.expand(images, labels, groups, boxes=boxes, **told)
    assert len(grown.boxes) == 40
    for one, source, copy in zip(grown.boxes, grown.source, grown.copy, strict=True):
        assert len(one) <= len(boxes[source])
        assert set(one.label) <= {"21"}
        if copy == 0:
            np.testing.assert_array_equal(one.xyxy, boxes[source].xyxy)
    assert sum(map(len, grown.boxes)) > 20


def test_a_set_grows_into_8_bit_images_elsewhere(tmp_path):
    images, labels, groups = sources(5, 3)
    told = {"counts": 40, "name": "chu", "seed": 1}
    grown = expand.expand(images, labels, groups, **told)
    place = np.memmap(tmp_path / "grown", np.uint8, "w+", shape=(40, 8, 8, 1))
    small = expand.expand(images, labels, groups, **told, out=place)
    assert small.images is place
    np.testing.assert_allclose(place / 255, grown.images, atol=0.5 / 255 + 1e-6)
    from_8_bit = expand.expand(
        np.rint(images * 255).astype(np.uint8), labels, groups, **told
    )
    np.testing.assert_allclose(from_8_bit.images, grown.images, atol=0.01)


# what is refused


NAN = np.full((1, 8, 8, 1), np.nan, np.float32)


@pytest.mark.parametrize(
    ("images", "why"),
    [
        (np.zeros((8, 8, 1), np.float32), "batch, height, width, channels"),
        (np.zeros((0, 8, 8, 1), np.float32), "at least one image"),
        (np.zeros((1, 8, 8, 1), np.uint8), "divide 8-bit images by 255"),
    ],
)
def test_layers_refuse_other_shapes_and_types(images, why, name):
    for training in (False, True):
        with pytest.raises(ValueError, match=why):
            augment.build(name, seed=1)(images, training=training)
    with pytest.raises(ValueError, match=why):
        augment.check(images)


@pytest.mark.parametrize(
    ("images", "why"),
    [
        (NAN, "not a number"),
        (NAN * 0 + np.inf, "not a number"),
        (np.full((1, 8, 8, 1), 200.0), "divide 8-bit images by 255"),
        (np.full((1, 8, 8, 1), -0.1), "range from -0.1"),
    ],
)
def test_the_door_refuses_other_values(images, why):
    with pytest.raises(ValueError, match=why):
        augment.check(images)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"images": NAN}, "1 images, 8 labels"),
        ({"counts": 7}, "cannot become 7"),
        ({"counts": {"normal": 9}}, "no count for the labels"),
        ({"counts": {"normal": 9, "abnormal": 9, "odd": 9}}, "0 images 'odd'"),
        ({"name": "mixup"}, "unknown augmentation 'mixup'; known: chromonet, chu"),
        ({"background": "white"}, "'border' or a level"),
        ({"out": np.zeros((3, 8, 8, 1))}, "20 images go there"),
    ],
)
def test_growing_refuses_what_cannot_be(change, why):
    case = dict(zip(("images", "labels", "groups"), sources(5, 3), strict=True))
    told = case | {"counts": 20, "name": "chu", "seed": 1} | change
    with pytest.raises(ValueError, match=why):
        expand.expand(**told)


@pytest.mark.parametrize(
    ("xyxy", "label", "why"),
    [
        ([[0, 0, 9, 4]], ["1"], "outside the image"),
        ([[-1, 0, 3, 4]], ["1"], "outside the image"),
        ([[0, 0, 3, 4]], ["7"], "not among the classes"),
        ([[0, 0, 3, 4]] * 3, ["1"] * 3, "room for 2"),
    ],
)
def test_boxes_outside_unknown_or_too_many_are_refused(xyxy, label, why):
    boxes = [records.Boxes(xyxy, label)]
    with pytest.raises(ValueError, match=why):
        augment.pad(boxes, classes=["1", "2"], height=8, width=8, most=2)


def test_boxes_are_padded_and_come_back():
    boxes = [records.Boxes([[0, 0, 3, 4], [1, 1, 2, 2]], ["X", "1"])]
    boxes.append(records.Boxes(np.zeros((0, 4)), []))
    xyxy, labels = augment.pad(boxes, classes=["1", "X"], height=8, width=8, most=3)
    assert labels.tolist() == [[1, 0, -1], [-1, -1, -1]]
    back = augment.unpad(xyxy, labels, classes=["1", "X"])
    for one, other in zip(back, boxes, strict=True):
        np.testing.assert_array_equal(one.xyxy, other.xyxy)
        np.testing.assert_array_equal(one.label, other.label)


@pytest.mark.parametrize(
    ("layer", "settings", "why"),
    [
        (layers.Brightness, {"most": 2}, "most 2: it lies between 0 and 1"),
        (layers.Movement, {"crop": 0}, "crop 0"),
        (layers.Movement, {"chance": -1}, "chance -1"),
        (layers.Movement, {"background": 200}, "a level in"),
        (layers.Orientation, {"turns": (4,)}, "some of 0, 1, 2, 3"),
        (layers.Orientation, {"mirror": ("left",)}, "some of 'horizontal'"),
    ],
)
def test_settings_out_of_range_are_refused(layer, settings, why):
    with pytest.raises(ValueError, match=why):
        layer(**settings)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"boxes": np.zeros((4, 4))}, "see augment.pad"),
        ({"labels": np.zeros((4, 3), int)}, "see augment.pad"),
    ],
)
def test_boxes_that_are_no_batch_are_refused(change, why):
    with pytest.raises(ValueError, match=why):
        augment.build("hamza", seed=1)(together(letters()) | change, training=True)


def test_a_batch_with_boxes_is_whole():
    with pytest.raises(ValueError, match="also has images, labels"):
        augment.build("hamza", seed=1)({"boxes": np.zeros((4, 1, 4))})


def test_images_of_unknown_size_are_refused():
    with pytest.raises(ValueError, match="are fixed"):
        augment.build("chu", seed=1)(keras.Input((None, None, 1)))
