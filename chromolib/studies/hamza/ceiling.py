"""What could have kept three detectors at 21 to 24 boxes an image?

`said(found, fields, *, words, rng)` -> Estimates of boxes an image, by what one does
with the boxes of a trained detector
`TRAINED` -> settings of a family that could do it, name -> pairs

The thesis prints that number and no cause. Each entry is one that is known to happen.
"""

import dataclasses

import numpy as np
import pandas as pd

from chromolib.evidence import detections

MODEL, KIND = "Faster R-CNN", "karyogram"  # of what is asked
VIEWER = 20  # boxes that a widely used viewer draws unless told otherwise
SCORES = (0.25, 0.5, 0.75)
QUANTITY = "boxes an image"
AS_IT_IS = f"as it is, scores from {detections.SCORE:g}"
TRAINED = {
    "32 proposals": (("proposals", 32),),
    "anchors from 64 pixels": (("scales", (64, 96, 128)),),
    "64 boxes a step, a quarter positive": (("rois", 64), ("positive_share", 0.25)),
    "fields of half the size": (("side", 160),),
}
USUAL = {f"as {MODEL} usually learns": ()}
PLAIN = {"fields": KIND, "learned from": "as in the thesis"}
PLAIN |= {"labels": "true", "tested": "test"}
PRINTED = 21, 24  # boxes an image, section 5.2


def said(found, fields, *, words, rng, only=None):
    """How many boxes there are an image, one Estimate a way of reading them; a box
    counts by the score of its likeliest label."""
    made, conditions = [], words.get("conditions", {})
    once = detections.sure(found, 0)
    ways = {AS_IT_IS: (once, detections.SCORE)}
    ways["one box a label"] = [_best(each) for each in once], detections.SCORE
    first = [_first(each) for each in once]
    ways[f"the first {VIEWER} alone"] = first, detections.SCORE
    for score in SCORES:
        if score != detections.SCORE:
            ways[f"scores from {score:g}"] = once, score
    for name, (boxes, score) in ways.items():
        if only not in (None, name):
            continue
        own = words | {"conditions": conditions | {"way": name}}
        how = {"group": fields.group, "words": own, "rng": rng, "score": score}
        made.append(detections.counted(fields.truth, boxes, **how)[QUANTITY])
    return made


def trained(estimates):
    """The same of what was trained for it, each named as in TRAINED, and before them
    of what was trained as usual."""
    made = []
    for name, settings in (USUAL | TRAINED).items():
        wanted = PLAIN | {key: str(value) for key, value in settings}
        wanted |= {"way": AS_IT_IS}
        for one in estimates:
            if (one.quantity, one.model, one.protocol) != (QUANTITY, MODEL, "clean"):
                continue
            if {k: v for k, v in one.conditions.items() if k != "seeds"} == wanted:
                conditions = one.conditions | {"way": name}
                made.append(dataclasses.replace(one, conditions=conditions))
    return made


def _best(boxes):
    """The best box of each label, as in a dictionary with the label as its key."""
    order = np.argsort(-boxes.score, kind="stable")
    return boxes.take(order[~pd.Series(boxes.label[order]).duplicated().to_numpy()])


def _first(boxes):
    return boxes.take(np.argsort(-boxes.score, kind="stable")[:VIEWER])
