"""Average precision as COCO defines it, by the library faster-coco-eval.

`evaluate(truth, found, ...)` -> Evaluated: what each image's boxes matched
`scores(evaluated, images)` -> mAP, AP50, AP75 and recall, of all images or of a choice

# Strategy: the library compares images with their truth once and keeps what it found an
# image and a class. A choice of images, with repetitions as a bootstrap has them, is a
# choice of these, and the library's own sum over them takes a millisecond. So two
# detectors are compared on the same resamples: `scores` of each with the same images.
"""

import copy
import dataclasses
import typing

import faster_coco_eval
import numpy as np
from faster_coco_eval import faster_eval_api_cpp

MOST = 300  # boxes of an image that count; COCO's usual 100 may cut crowded fields
EVERYWHERE = [[0.0, 1e10]]  # one range of areas: all


@dataclasses.dataclass(frozen=True, eq=False)
class Evaluated:
    """What the boxes of each image matched, for sums over images."""

    kept: list  # of the library: classes x images
    settings: typing.Any  # of the library
    classes: tuple

    def __len__(self):
        return len(self.kept) // len(self.classes)


def evaluate(truth, found, *, classes, named=True, outlines=False):
    """Boxes of images compared with the true ones, best `MOST` of each image.

    Without `named` every box is just a chromosome. With `outlines` their outlines are
    compared, not upright boxes; a box without one counts as its own outline.
    """
    if len(truth) != len(found) or not len(truth):
        raise ValueError(
            f"{len(truth)} images with truth, {len(found)} with boxes found; give both "
            "for each of at least one image"
        )
    classes = tuple(classes) if named else ("chromosome",)
    number = {name: i + 1 for i, name in enumerate(classes)}
    right, ours = (
        _annotations(each, number, named, outlines) for each in (truth, found)
    )
    ends = [boxes.xyxy.max(initial=1) for boxes in (*truth, *found)]
    side = int(np.ceil(max(ends)))  # of images that hold every box
    dataset = {
        "images": [
            {"id": i + 1, "height": side, "width": side} for i in range(len(truth))
        ],
        "categories": [{"id": i, "name": name} for name, i in number.items()],
        "annotations": right,
    }
    there = faster_coco_eval.COCO(dataset)
    judge = faster_coco_eval.COCOeval_faster(
        there,
        there.loadRes(ours),
        "segm" if outlines else "bbox",
        print_function=lambda *_: None,
        separate_eval=True,
    )
    settings = judge.params
    settings.maxDets, settings.areaRng, settings.areaRngLbl = (
        [MOST],
        EVERYWHERE,
        ["all"],
    )
    judge.evaluate()
    return Evaluated(judge._evalImgs_cpp, copy.deepcopy(settings), classes)


def _annotations(images, number, named, outlines):
    """New dicts, which the library may change."""
    made = []
    for i, boxes in enumerate(images):
        lines = boxes.polygon if outlines and boxes.polygon else [None] * len(boxes)
        for box, label, score, line in zip(
            boxes.xyxy, boxes.label, boxes.score, lines, strict=True
        ):
            x0, y0, x1, y1 = box.tolist()
            sides = [x0, y0, x1 - x0, y1 - y0]
            one = {"image_id": i + 1, "bbox": sides, "score": float(score)}
            one |= {"id": len(made) + 1, "iscrowd": 0, "area": sides[2] * sides[3]}
            one["category_id"] = number[label] if named else 1
            if line is None:
                line = np.array([[x0, y0], [x1, y0], [x1, y1], [x0, y1]])
            one["segmentation"] = [np.ravel(line).tolist()]
            made.append(one)
    return made


def scores(evaluated, images=None):
    """mAP, AP50, AP75, AR and recall at overlap .5: means over classes that are there.

    `images` are indices, as often as drawn; all once unless given.
    """
    count = len(evaluated)
    chosen = np.arange(count) if images is None else np.asarray(images)
    settings = copy.copy(evaluated.settings)
    settings.imgIds = list(range(1, len(chosen) + 1))
    kept = [
        evaluated.kept[label * count + image]
        for label in range(len(evaluated.classes))
        for image in chosen
    ]
    summed = faster_eval_api_cpp.COCOevalAccumulate(settings, kept)
    precision, recall = (
        np.where(value < 0, np.nan, value)  # -1 is the library's for none
        for value in (np.asarray(summed[key]) for key in ("precision", "recall"))
    )
    curve, recall = precision[..., 0, 0].mean(1), recall[..., 0, 0]
    by_class = {
        "mAP": curve.mean(0),
        "AP50": curve[0],
        "AP75": curve[5],
        "AR": recall.mean(0),
        "recall50": recall[0],
    }
    return {
        name: float(np.nanmean(values)) if np.isfinite(values).any() else float("nan")
        for name, values in by_class.items()
    }
