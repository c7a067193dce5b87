"""Each family learns two drawn fields by heart, and what all of them promise."""

import json
import os
import pathlib
import subprocess
import sys

import fields
import keras
import numpy as np
import pytest

from chromolib.detect import augmentation, coco, families, scores, taps
from chromolib.models import train

HERE = pathlib.Path(__file__).resolve().parent
SMALL = {"trunk": "tiny", "width": 32}
YOLO = {"strides": (8, 16), "widths": (8, 16, 32, 48)}
TWICE = {"candidates": 150, "proposals": 50, "rois": 32}
STEPS = {
    "ssd": (SMALL, 60),
    "oriented": (SMALL | {"oriented": True}, 60),
    "yolo_v5": (YOLO, 100),
    "yolo_v2": (SMALL | {"strides": (8,)}, 60),
    "yolo_tiny": ({"width": 32}, 60),
    "faster_rcnn": (SMALL | TWICE | {"units": 64}, 80),
    "r_fcn": (SMALL | TWICE, 80),
}  # a family's settings, and steps


def build(name, **more):
    family = families.FAMILIES["ssd" if name == "oriented" else name]
    return family(fields.CLASSES, 96, **STEPS[name][0] | more)


def learned(name, steps=None):
    """A detector that saw the two fields so many times."""
    detector = build(name)
    detector.compile(keras.optimizers.Adam(4e-3))
    images, targets, _ = fields.batch(*fields.TWO, slanting=name == "oriented")
    many = [np.repeat(each, 20, 0) for each in (images, *targets.values())]
    order = np.tile([0, 1], 20)
    many = [each[order * 20] for each in many]
    truth = dict(zip(targets, many[1:], strict=True))
    steps = steps or STEPS[name][1]
    history = detector.fit(
        many[0], truth, batch_size=2, epochs=steps // 20, shuffle=False, verbose=0
    )
    return detector, history.history


@pytest.mark.parametrize("name", STEPS)
def test_a_family_learns_two_fields_by_heart(name, tmp_path):
    """All things found, with their names; nothing breaks where there is none."""
    detector, history = learned(name)
    images, targets, truth = fields.batch(*fields.TWO, slanting=name == "oriented")
    found = detector.predict(images)
    for wanted, boxes in zip(truth, found, strict=True):
        boxes = boxes.take(boxes.score >= 0.25)
        pairs = scores.match(wanted, boxes)
        assert len(pairs.truth) == len(wanted)
        assert (wanted.label[pairs.truth] == boxes.label[pairs.found]).all()
    judged = coco.evaluate(truth, found, classes=fields.CLASSES)
    assert coco.scores(judged)["AP50"] > 0.8
    parts = [key for key in history if key != "loss"]
    total = sum(history[key][-1] for key in parts)
    assert history["loss"][-1] == pytest.approx(total, rel=1e-3)
    assert history["loss"][-1] < history["loss"][0] / 3

    file = tmp_path / "some.weights.h5"
    detector.save_weights(file)
    twin = build(name, seed=5)
    twin.load_weights(file)
    np.testing.assert_allclose(
        twin(images)["boxes"], detector(images)["boxes"], atol=1e-2
    )

    empty = targets | {"labels": np.full_like(targets["labels"], -1)}
    empty["boxes"] = np.zeros_like(targets["boxes"])
    logs = detector.fit(images, empty, batch_size=2, verbose=0).history
    assert np.isfinite(list(logs.values())).all()
    assert all(np.isfinite(weight).all() for weight in detector.get_weights())


def loss(detector, images, targets, *, training=False):
    """The loss and what the networks said, without compiling."""
    out = detector({"images": images, **targets}, training=training)
    losses = detector.losses_of(out["raw"], out["targets"])
    return {key: float(value) for key, value in losses.items()}, out["raw"]


def crowd(count, *, size=96, classes=3):
    """Truth of so many boxes a field, in two fields."""
    rng = np.random.default_rng(0)
    corner = rng.random((2, count, 2)) * (size - 30)
    boxes = np.concatenate([corner, corner + rng.uniform(6, 30, (2, count, 2))], -1)
    middle, sides = (boxes[..., :2] + boxes[..., 2:]) / 2, boxes[..., 2:] - corner
    return {
        "boxes": boxes.astype("f"),
        "labels": rng.integers(classes, size=(2, count)).astype("int32"),
        "oriented": np.concatenate([middle, sides, sides[..., :1] * 0], -1).astype("f"),
    }


@pytest.mark.parametrize("name", STEPS)
def test_any_number_of_boxes_and_a_single_class(name):
    """Two hundred boxes, none, one class: every part of the loss is a number."""
    family = families.FAMILIES["ssd" if name == "oriented" else name]
    detector = family(("chromosome",), 96, **STEPS[name][0])
    images = np.random.default_rng(0).random((2, 96, 96, 1)).astype("f")
    many = crowd(200, classes=1)
    none = {key: np.zeros_like(value) for key, value in many.items()}
    none["labels"] = none["labels"] - 1
    with_many, _ = loss(detector, images, many)
    with_none, _ = loss(detector, images, none)
    assert set(with_many) == set(detector.PARTS)
    assert np.isfinite([*with_many.values(), *with_none.values()]).all()
    assert with_many["box_loss"] > 0
    assert with_none["box_loss"] == 0
    assert all(value < 100 for value in with_many.values())


def test_a_loss_does_not_grow_with_the_number_of_fields_or_of_boxes():
    images, targets, _ = fields.batch(*fields.TWO)
    detector = build("ssd")
    single, _ = loss(detector, images, targets)
    double, _ = loss(
        detector,
        np.repeat(images, 2, 0),
        {key: np.repeat(value, 2, 0) for key, value in targets.items()},
    )
    assert double == pytest.approx(single, rel=1e-3)


def test_equal_seeds_give_equal_networks_and_samples():
    images, targets, _ = fields.batch(*fields.TWO)
    first, again, other = (
        loss(build("faster_rcnn", seed=seed), images, targets, training=True)
        for seed in (1, 1, 2)
    )
    assert first[0] == again[0]
    np.testing.assert_array_equal(first[1]["boxes"], again[1]["boxes"])
    assert first[0] != other[0]


def test_sampling_is_drawn_anew_in_training_and_stays_in_testing():
    images, targets, _ = fields.batch(*fields.TWO)
    detector = build("faster_rcnn", proposals=60, rois=8)
    drawn = [
        np.asarray(loss(detector, images, targets, training=training)[1]["boxes"])
        for training in (True, True, False, False)
    ]
    assert not np.array_equal(drawn[0], drawn[1])
    np.testing.assert_array_equal(drawn[2], drawn[3])


def test_no_slope_passes_through_proposals():
    """The loss of the second stage alone leaves the first one's heads as they are."""
    tf = pytest.importorskip("tensorflow")
    images, targets, _ = fields.batch(*fields.TWO)
    detector = build("faster_rcnn")
    heads = detector.first.layers[-4:]
    weights = [
        each for layer in heads for each in layer.trainable_variables
        if layer.name.startswith("conv2d")
    ]  # fmt: skip
    with tf.GradientTape() as tape:
        out = detector({"images": images, **targets}, training=True)
        parts = detector.losses_of(out["raw"], out["targets"])
        second = parts["box_loss"] + parts["class_loss"]
    slopes = tape.gradient(second, [each.value for each in weights])
    assert weights
    assert all(slope is None or not np.asarray(slope).any() for slope in slopes)


def test_augmentation_moves_what_the_loss_sees():
    images, targets, _ = fields.batch(*fields.TWO)
    detector = build("ssd", augmentation=augmentation.usual(seed=0))
    data = {"images": images, **targets}
    moved = detector(data, training=True)["targets"]
    assert not np.array_equal(moved["boxes"], targets["boxes"])
    kept = detector(data, training=False)["targets"]
    np.testing.assert_array_equal(kept["boxes"], targets["boxes"])


def test_half_precision_ends_in_single():
    images, targets, _ = fields.batch(*fields.TWO)
    images = np.repeat(images[:1], 2, 0)
    with train.built(keras.DTypePolicy("mixed_bfloat16")):
        detectors = [build(name) for name in ("ssd", "faster_rcnn", "r_fcn")]
    for detector in detectors:
        parts, raw = loss(detector, images, targets)
        assert np.isfinite(list(parts.values())).all()
        kinds = {str(value.dtype) for value in keras.tree.flatten(raw)}
        assert not [kind for kind in kinds if "16" in kind], (detector.name, kinds)
        fraction = np.asarray(detector.predict(images, score=0)[0].xyxy) % 0.25
        assert (fraction > 0).any()  # half precision has no such places beyond 64


def test_thresholds_are_those_of_the_call():
    images, _, _ = fields.batch(*fields.TWO)
    detector = build("yolo_v2")
    all_of_it = detector.predict(images, score=0, by_class=True)
    assert len(detector.predict(images, score=0, most=5)[0]) == 5
    once = detector.predict(images, score=0, by_class=False, threshold=0.3)
    assert 5 < len(once[0]) < len(all_of_it[0])
    assert all(len(boxes) == 0 for boxes in detector.predict(images, score=0.999))


def test_weights_of_another_family_are_refused(tmp_path):
    file = tmp_path / "one.weights.h5"
    detector = build("yolo_v2")
    detector.save_weights(file)
    before = [build("yolo_tiny"), build("yolo_v2", shapes=[((9, 9), (5, 5), (7, 7))])]
    four = (*fields.CLASSES, "more")
    before.append(families.yolo_v2(four, 96, **STEPS["yolo_v2"][0]))
    for other in before:
        weights = other.get_weights()
        with pytest.raises(ValueError, match=f"holds no weights of {other.name}"):
            other.load_weights(file)
        for now, then in zip(other.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(now, then)
    with pytest.raises(ValueError, match="holds no weights"):
        detector.load_weights(tmp_path / "none.weights.h5")


@pytest.mark.parametrize("trunk", [*taps.OWN, "mobilenetv2small"])
def test_trunks_have_a_map_at_each_stride(trunk):
    entry, maps = taps.taps(trunk, 64, (8, 16, 32))
    assert entry.shape[1:] == (64, 64, 1)
    assert [each.shape[1] for each in maps] == [8, 4, 2]


def test_a_named_layer_is_the_map_of_yolo_v2():
    detector = families.yolo_v2(
        fields.CLASSES, 96, "mobilenetv2small", layer="block_9_add", width=16
    )
    assert "block_9_add" in [layer.name for layer in detector.first.layers]
    assert "block_10_expand" not in [layer.name for layer in detector.first.layers]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ValueError, match="take a size that does, 112"):
        taps.taps("small", 100, (8, 16))
    with pytest.raises(ValueError, match="unknown trunk 'big'; known: tiny"):
        taps.taps("big", 96, (8,))
    with pytest.raises(ValueError, match="small' has no map of 2 x 2"):
        taps.taps("mobilenetv2small", 128, (64,))
    with pytest.raises(ValueError, match="our own: 'none'"):
        taps.taps("small", 96, (8,), weights="imagenet")
    with pytest.raises(ValueError, match="no usual shapes for strides"):
        families.yolo_v5(("a",), 96, strides=(4, 8))
    with pytest.raises(ValueError, match="2 shapes for strides"):
        families.yolo_v5(("a",), 96, strides=(8, 16, 32), shapes=[(9, 9), (5, 5)])


def test_jax_takes_the_same_step(tmp_path):
    """Weights made here lose the same there, augmented and sampled by equal draws; and
    every family learns there."""
    images, targets, _ = fields.batch(*fields.TWO)
    detector = build("faster_rcnn", augmentation=augmentation.usual(seed=0))
    detector.save_weights(tmp_path / "first.weights.h5")
    here, _ = loss(detector, images, targets, training=True)
    code = (
        "import json, sys, test_families as t\n"
        "assert t.keras.config.backend() == 'jax'\n"
        "images, targets, _ = t.fields.batch(*t.fields.TWO)\n"
        "usual = t.augmentation.usual(seed=0)\n"
        "made = t.build('faster_rcnn', augmentation=usual, seed=9)\n"
        "made.load_weights(f'{sys.argv[1]}/first.weights.h5')\n"
        "made.compile('adam')\n"
        "history = made.fit(images, targets, shuffle=False, verbose=0).history\n"
        "assert len(made.predict(images, score=0)) == 2\n"
        "for name in t.families.FAMILIES:\n"
        "    other = t.build(name)\n"
        "    other.compile('adam')\n"
        "    [lost] = other.fit(images, targets, verbose=0).history['loss']\n"
        "    assert 0 < lost < 1000, name\n"
        "print(json.dumps({key: value[0] for key, value in history.items()}))\n"
    )
    paths = [HERE, HERE.parent, HERE.parent.parent]
    told = {"KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(map(str, paths))}
    told["XLA_FLAGS"] = (
        "--xla_backend_optimization_level=0"  # compiles in half the time
    )
    done = subprocess.run(
        [sys.executable, "-c", code, tmp_path],
        check=True,
        env=os.environ | told,
        stdout=subprocess.PIPE,
        text=True,
    )
    there = json.loads(done.stdout)
    assert there.pop("loss") == pytest.approx(sum(here.values()), rel=1e-2)
    assert there == pytest.approx(here, rel=1e-2, abs=1e-4)
