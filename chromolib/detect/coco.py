"""Average precision as COCO defines it, by the library faster-coco-eval.

`evaluate(truth, found, ...)` -> Evaluated: what each image's boxes matched
`scores(evaluated)` -> mAP, AP50, AP75 and recall
`resampled(evaluated, times)` -> mAP, AP50 and AP75 of resamples of the images

# Strategy: the library compares images with their truth once. In a resample an image
# counts so many times, and so does each of its boxes in the sums that precision and
# recall are made of: all resamples at once, six times as fast as the library's own sum
# for each. Recall grows only where a right box is, so a curve is asked only there. Two
# detectors are compared on the same resamples.
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
    true: np.ndarray  # (classes, images) how many boxes there are
    ranked: list  # of each class the image of its boxes, best first, and where right


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
    true = np.zeros((len(classes), len(truth)), int)
    for one in right:
        true[one["category_id"] - 1, one["image_id"] - 1] += 1
    ranked = []
    for name, i in number.items():
        own = [one.take(one.label == name) if named else one for one in found]
        over = [judge.ious[k + 1, i] for k in range(len(own))]
        ranked.append(_ranked(own, over, true[i - 1], settings.iouThrs))
    return Evaluated(judge._evalImgs_cpp, copy.deepcopy(settings), true, ranked)


def _ranked(found, over, true, levels):
    """Of all boxes, best first, the images, and at which of the levels each is right
    (levels, boxes); `over` are an image's boxes, best first, with the true ones."""
    score = [-np.sort(-boxes.score)[:MOST] for boxes in found]
    many = [*map(len, score)]
    over = [
        np.reshape(each, sides) for *sides, each in zip(many, true, over, strict=True)
    ]
    right = np.concatenate([_right(each, levels) for each in over], 1)
    order = np.argsort(-np.concatenate(score), kind="stable")
    return np.repeat(range(len(many)), many)[order], right[:, order]


def _right(over, levels):
    """Which boxes, best first, are right at each level: (levels, boxes). Each takes the
    free true box that it overlaps most."""
    right = np.zeros((len(levels), len(over)), bool)
    free = np.ones((len(levels), over.shape[1]), bool)
    least, every = np.minimum(levels, 1 - 1e-10)[:, None], np.arange(len(levels))
    for k in np.flatnonzero(over.max(1, initial=0) >= least.min()):
        may = np.where(free & (over[k] >= least), over[k], -1)[:, ::-1]
        best = may.argmax(1)
        right[:, k] = may[every, best] >= 0
        free[right[:, k], over.shape[1] - 1 - best[right[:, k]]] = False
    return right


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


def scores(evaluated):
    """mAP, AP50, AP75, AR and recall at overlap .5: means over classes there are."""
    summed = faster_eval_api_cpp.COCOevalAccumulate(evaluated.settings, evaluated.kept)
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


def resampled(evaluated, times):
    """Name -> average precision where each image counts so many `times`, (draws,
    images): (draws,)."""
    curves = np.array(
        [
            _areas(true @ times.T, times[:, image], right, evaluated.settings.recThrs)
            for true, (image, right) in zip(
                evaluated.true, evaluated.ranked, strict=True
            )
        ]
    )  # (classes, levels, draws)
    there = evaluated.true @ times.T > 0
    count = there.sum(0)
    mean = np.where(there[:, None], curves, 0).sum(0) / np.maximum(count, 1)
    mean[:, count == 0] = np.nan  # as of fields without any box
    return {"mAP": mean.mean(0), "AP50": mean[0], "AP75": mean[5]}


def _areas(true, weight, right, recalls):
    """Average precision (levels, draws) of one class, where boxes weigh (draws, boxes)
    and there are `true` (draws,)."""
    seen, areas = np.maximum(weight.cumsum(1), 1), []
    for at in right:
        hits = weight[:, at].cumsum(1)
        precise = np.maximum.accumulate((hits / seen[:, at])[:, ::-1], 1)[:, ::-1]
        reached = np.searchsorted(recalls, hits / np.maximum(true, 1)[:, None], "right")
        reached *= hits > 0
        wide = np.diff(reached, axis=1, prepend=0)
        areas.append((precise * wide).sum(1) / len(recalls))
    return areas
