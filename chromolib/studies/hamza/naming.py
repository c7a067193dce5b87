"""From boxes to names: each chromosome cut out, laid straight, named alone and jointly.

`straight(fields, boxes)` -> Samples of single chromosomes, those of a field a cell
`run(run, large, split, found, *, steps)` -> Estimates of names in true and found boxes

# Strategy: a detector sees a field small, where bands are lost. So its boxes are cut
from the field as large as it is, as `chromolib karyotype` does it, and laid straight
along their own axes, for a box says nothing of a direction.
"""

import dataclasses

import numpy as np

from chromolib import records
from chromolib.cyto import assign
from chromolib.detect import data
from chromolib.evidence import detections
from chromolib.karyotype import fields, finding, judged
from chromolib.karyotype import naming as cells
from chromolib.models import predict, samples, small

MODEL = "bands"  # the classifier
LEAST, MOST = 0.05, 100  # score of a box worth a name; how many a field, as COCO has it
TRUE = "true boxes"
ALONE, JOINTLY = "a box alone", "a cell jointly"
SCORES = ("mAP", "AP50", "recall", "precision", judged.RIGHT, judged.MENDED)


def pictures(part):
    """The fields as pictures, one after another."""
    for name, ink in zip(part.image, part.x[..., 0], strict=True):
        yield fields.made(str(name), 255 - ink)


def straight(part, boxes, seen=None):
    """The chromosome in each box of each field, laid straight, as Samples.

    Fields that were `seen` before are not segmented again.
    """
    x, rows, seen = [], [], pictures(part) if seen is None else seen
    for i, (field, each) in enumerate(zip(seen, boxes, strict=True)):
        inks, _, _ = finding.cut_out(field, each)
        sure = each.score >= detections.SCORE
        x.append(cells.straight([*map(finding.crop, inks)], sure)[0])
        rows += [(i, f"{part.image[i]}#{k}", one) for k, one in enumerate(each.label)]
    of, name, label = (np.array(column) for column in zip(*rows, strict=True))
    columns = label, part.group[of], name, records.CLASSES, part.image[of]
    return samples.Samples(np.concatenate(x), *columns)


def run(run, large, split, found, *, steps):
    """Names of the test fields of a split, in true boxes and in those of detectors.

    `large` are all fields as large as they are, `found` is the name of a detector ->
    its boxes on the test fields of these, each chromosome once. The classifier learns
    from the true boxes of the fields that train, and validation fields say what a
    missing copy costs. Boxes that score a half, each with its first name, make up a
    karyogram: what a person would have to mend in it is counted too.
    """
    train, held, test = (
        data.same(large, part) for part in (split.sources, split.validation, split.test)
    )
    model = _learned(run, straight(train, train.truth), steps)
    held = straight(held, held.truth)
    said = predict.predictions(held, _said(model, held), source=large.source)
    penalty, made, seen = assign.choose_penalty(said), [], list(pictures(test))
    for name, boxes in {TRUE: test.truth, **found}.items():
        boxes = [one.take(one.score >= LEAST).take(slice(MOST)) for one in boxes]
        chance = np.empty((0, len(records.CLASSES)))
        if any(map(len, boxes)):
            chance = _said(model, straight(test, boxes, seen))
        named = _named(boxes, chance, penalty)
        for way, (each, once) in named.items():
            words = run.label | {
                "source": large.source,
                "model": MODEL,
                "weights": "none",
                "protocol": split.protocol,
                "conditions": {"fields": large.kind, "boxes": name, "named": way},
            }
            how = {"group": test.group, "words": words}
            how |= {"rng": run.rng(f"names {name} {way}")}
            scores = detections.estimates(test.truth, each, once=once, **how)
            scores |= judged.estimates(_karyograms(test.truth, once), **how)
            made += [scores[one] for one in SCORES if one in scores]
    return run.record_all(made)


def _karyograms(truth, once):
    """What became of each field, arranged by the names of its sure boxes."""
    sure = [one.take(one.score >= detections.SCORE) for one in once]
    wrong = [float((1 - one.score).sum()) for one in sure]
    rows = zip(truth, sure, wrong, strict=True)
    return [judged.row(true, one, one.label, wrong=n) for true, one, n in rows]


def _learned(run, train, steps):
    """The small network of straight chromosomes, either end up."""
    seed, mirror = run.given("seed"), ("horizontal", "vertical")
    shape = train.x.shape[1:]
    model = small.bands(shape, len(train.classes), seed=seed, mirror=mirror)
    how = {"steps": steps, "seed": seed, "checkpoint": run.folder / "naming"}
    small.train(model, train.x, train.y, **how)
    return model


def _said(model, part):
    return predict.views(model, part.x, upright=False)


def _named(boxes, probability, penalty):
    """Way -> the boxes of each image with every name they may have, and with one.

    A box has each name with its own score times the name's probability. Jointly, the
    name that the cell gives comes first, and the others halfway behind.
    """
    ends = np.cumsum([len(one) for one in boxes])[:-1]
    made = {ALONE: ([], []), JOINTLY: ([], [])}
    for one, alone in zip(boxes, np.split(probability, ends), strict=True):
        sure, jointly = one.score >= detections.SCORE, alone.copy()
        if 0 < sure.sum() <= assign.MOST:
            chosen, _ = assign.cell(alone[sure], penalty=penalty)
            jointly[sure] = (alone[sure] + np.eye(len(alone[0]))[chosen]) / 2
        for (every, once), chance in zip(made.values(), (alone, jointly), strict=True):
            every.append(_worth(one, chance))
            label = np.array(records.CLASSES)[chance.argmax(1)]
            once.append(dataclasses.replace(one, label=label))
    return made


def _worth(one, chance):
    """Every name of every box that is worth a score."""
    score = one.score[:, None] * chance
    box, label = np.nonzero(score >= LEAST)
    names = np.array(records.CLASSES)[label]
    return records.Boxes(one.xyxy[box], names, score[box, label])
