"""Families of detectors: `family(classes, size=, trunk=, seed=, ...)` -> Detector.

`ssd`, `yolo_v5`, `yolo_v2`, `yolo_tiny`, `faster_rcnn`, `r_fcn`; FAMILIES by name

Anchors are settings, in pixels of the image given: `scales` (the side of a square of
the same area) by `ratios` (height / width), or `shapes` (width, height). The defaults
are for fields of 320 pixels, where a chromosome is 12 x 40 or so.
`trunk_settings` go to `taps.taps`.
"""

import keras
import numpy as np

from chromolib.detect import blocks, boxes, one_stage, taps, two_stage

RATIOS = (1 / 3, 1.0, 3.0)
SCALES = {4: (12,), 8: (14, 24), 16: (34, 48), 32: (64,)}  # by stride
SHAPES = {
    8: ((10, 28), (28, 10), (18, 18)),
    16: ((14, 46), (46, 14), (32, 32)),
    32: ((24, 80), (80, 24), (64, 64)),
}  # of YOLO, by stride: upright, lying and slanting chromosomes


def ssd(
    classes,
    size=320,
    trunk="small",
    seed=0,
    *,
    strides=(8, 16),
    scales=None,
    ratios=RATIOS,
    width=64,
    least=0.5,
    hard=3,
    oriented=False,
    augmentation=None,
    **trunk_settings,
):
    """SSD: anchors at several strides, the `hard`est negatives (Liu et al. 2016).

    With `oriented` boxes lie along their chromosomes, and targets need "oriented", see
    `oriented.pad`.
    """
    entry, maps = taps.taps(trunk, size, strides, seed=seed, **trunk_settings)
    make = blocks.Maker(seed + 1)
    sides = [boxes.shapes(one, ratios) for one in _scales(scales, strides)]
    anchors, _ = boxes.anchors(size, strides, sides)
    count, numbers = len(classes) + 1, 6 if oriented else 4
    bias = [*[0.0] * len(classes), -blocks.prior() + np.log(len(classes))]
    maps = [make.conv(x, width) for x in make.top_down(maps, width)]
    offsets = [
        make.out(x, len(s) * numbers, size=3) for x, s in zip(maps, sides, strict=True)
    ]
    logits = [
        make.out(x, len(s) * count, size=3, bias=np.tile(bias, len(s)))
        for x, s in zip(maps, sides, strict=True)
    ]
    out = {
        "offsets": blocks.flat(offsets, numbers),
        "logits": blocks.flat(logits, count),
    }
    return one_stage.Ranked(
        keras.Model(entry, out, name="network"),
        anchors=anchors,
        least=least,
        hard=hard,
        turned=oriented,
        **_shared("ssd", classes, size, seed, augmentation, (sides, oriented)),
    )


def yolo_v5(
    classes,
    size=320,
    trunk="csp",
    seed=0,
    *,
    strides=(8, 16, 32),
    shapes=None,
    depth=1,
    gains=(2.0, 1.0, 1.0),
    augmentation=None,
    **trunk_settings,
):
    """In the manner of YOLO v5, from papers: CSPNet, PANet, complete overlap."""
    entry, maps = taps.taps(trunk, size, strides, seed=seed, **trunk_settings)
    make = blocks.Maker(seed + 1)
    maps = make.both_ways(maps, depth)
    return _scored(
        ("yolo_v5", classes, size, seed, augmentation),
        *(entry, maps, strides, shapes, make),
        version=5,
        softmax=False,
        ignore=2.0,
        gains=gains,
    )


def yolo_v2(
    classes,
    size=320,
    trunk="resnet50",
    seed=0,
    *,
    layer="",
    strides=(16,),
    shapes=None,
    width=128,
    ignore=0.6,
    gains=(2.0, 1.0, 1.0),
    augmentation=None,
    **trunk_settings,
):
    """YOLO v2 on one map of a trunk, its layer `layer` (Redmon and Farhadi 2017).

    Without `layer` the last one at the stride is used.
    """
    entry, maps = taps.taps(
        trunk, size, strides, seed=seed, **trunk_settings, end=layer
    )
    make = blocks.Maker(seed + 1)
    maps = [make.conv(make.conv(x, width), width) for x in maps]
    return _scored(
        ("yolo_v2", classes, size, seed, augmentation),
        *(entry, maps, strides, shapes, make),
        version=2,
        softmax=len(classes) > 1,
        ignore=ignore,
        gains=gains,
    )


def yolo_tiny(
    classes,
    size=320,
    trunk="plain",
    seed=0,
    *,
    strides=(8, 16),
    shapes=None,
    width=64,
    ignore=0.6,
    gains=(2.0, 1.0, 1.0),
    augmentation=None,
    **trunk_settings,
):
    """In the manner of Tiny YOLO v3: two maps, the coarse one helps the fine one.

    The original's maps are at 16 and 32, on which two chromosomes share a cell.
    """
    entry, maps = taps.taps(trunk, size, strides, seed=seed, **trunk_settings)
    make = blocks.Maker(seed + 1)
    maps = make.top_down(maps, width)
    return _scored(
        ("yolo_tiny", classes, size, seed, augmentation),
        *(entry, maps, strides, shapes, make),
        version=3,
        softmax=False,
        ignore=ignore,
        gains=gains,
    )


def _scored(names, entry, maps, strides, shapes, make, **rule):
    """A YOLO of these maps."""
    name, classes, size, seed, augmentation = names
    sides = _per_stride(shapes, SHAPES, strides, "shapes")
    anchors, steps = boxes.anchors(size, strides, sides)
    each = 5 + len(classes)
    bias = [0.0] * 4 + [blocks.prior()]
    bias += [float(-np.log(max(len(classes) - 1, 1)))] * len(classes)
    out = [
        make.out(x, len(s) * each, bias=np.tile(bias, len(s)))
        for x, s in zip(maps, sides, strict=True)
    ]
    return one_stage.Scored(
        keras.Model(entry, blocks.flat(out, each), name="network"),
        anchors=anchors,
        strides=steps,
        **rule,
        **_shared(name, classes, size, seed, augmentation, sides),
    )


SETTINGS = {
    "positive": 0.5,
    "negative": 0.3,
    "sampled": 256,
    "anchor_share": 0.5,
    "candidates": 600,
    "alike": 0.7,
    "proposals": 300,
    "rois": 128,
    "positive_share": 0.5,
    "least": 0.5,
}  # of two stages, see `two_stage.TwoStage`; the paper: .7, .3, 64 of 25 % positive


def faster_rcnn(
    classes,
    size=320,
    trunk="small",
    seed=0,
    *,
    stride=8,
    context=16,
    scales=(14, 24, 40),
    ratios=RATIOS,
    width=64,
    bins=7,
    units=128,
    augmentation=None,
    **settings,
):
    """Faster R-CNN: a small network reads what ROI align cuts (Ren et al. 2015)."""
    make = blocks.Maker(seed + 1)

    def second(maps):
        flat = keras.Input((None, 4), dtype="float32", name="boxes")
        x = two_stage.Align(stride, bins)(maps, flat)
        x = keras.layers.Reshape((-1, bins * bins * maps.shape[-1]))(x)
        for _ in range(2):
            first = keras.initializers.HeNormal(make())
            x = keras.layers.Dense(units, kernel_initializer=first)(x)
            x = keras.layers.Activation("relu")(x)
        names = make.dense(x, len(classes) + 1)
        return flat, (names, make.dense(x, 4, spread=0.001))

    return _two_stage(
        ("faster_rcnn", classes, size, seed, augmentation),
        *(trunk, (stride, context), scales, ratios, width, make, second, settings),
    )


def r_fcn(
    classes,
    size=320,
    trunk="small",
    seed=0,
    *,
    stride=8,
    context=16,
    scales=(14, 24, 40),
    ratios=RATIOS,
    width=64,
    bins=3,
    augmentation=None,
    **settings,
):
    """R-FCN: each part of a proposal votes by maps of its own (Dai et al. 2016)."""
    make = blocks.Maker(seed + 1)

    def second(maps):
        flat = keras.Input((None, 4), dtype="float32", name="boxes")
        x = make.conv(maps, width)
        read = [
            two_stage.Vote(stride, bins)(make.out(x, bins**2 * count), flat)
            for count in (len(classes) + 1, 4)
        ]
        return flat, tuple(read)

    return _two_stage(
        ("r_fcn", classes, size, seed, augmentation),
        *(trunk, (stride, context), scales, ratios, width, make, second, settings),
    )


def _two_stage(names, trunk, strides, scales, ratios, width, make, second, settings):
    """Both networks: the finer map, which knows of the coarser, is what both read."""
    name, classes, size, seed, augmentation = names
    chosen = {key: settings.pop(key, value) for key, value in SETTINGS.items()}
    entry, maps = taps.taps(trunk, size, strides, seed=seed, **settings)
    maps = make.top_down(maps, width)[0]
    sides = boxes.shapes(scales, ratios)
    anchors, _ = boxes.anchors(size, strides[:1], [sides])
    x = make.conv(maps, width)
    out = {
        "offsets": blocks.flat([make.out(x, 4 * len(sides))], 4),
        "logits": keras.layers.Reshape((-1,), dtype="float32")(
            make.out(x, len(sides), bias=blocks.prior())
        ),
        "maps": maps,
    }
    inner = keras.Input(maps.shape[1:], dtype=maps.dtype, name="maps")
    flat, read = second(inner)
    return two_stage.TwoStage(
        keras.Model(entry, out, name="first"),
        keras.Model({"maps": inner, "boxes": flat}, read, name="second"),
        anchors=anchors,
        settings=chosen,
        **_shared(name, classes, size, seed, augmentation, sides),
    )


def _scales(scales, strides):
    return _per_stride(scales, SCALES, strides, "scales")


def _per_stride(given, usual, strides, what):
    """One entry a stride: what is given, or the usual."""
    if given is None and set(strides) <= set(usual):
        given = [usual[stride] for stride in strides]
    if given is None:
        raise ValueError(f"no usual {what} for strides {strides}; give one each")
    if len(given) != len(strides):
        raise ValueError(f"{len(given)} {what} for strides {strides}; give one each")
    return given


def _shared(name, classes, size, seed, augmentation, meaning):
    return {
        "name": name,
        "classes": classes,
        "size": size,
        "seed": seed,
        "augmentation": augmentation,
        "meaning": repr(meaning),
    }


FAMILIES = {
    "ssd": ssd,
    "yolo_v5": yolo_v5,
    "yolo_v2": yolo_v2,
    "yolo_tiny": yolo_tiny,
    "faster_rcnn": faster_rcnn,
    "r_fcn": r_fcn,
}
