"""How many real fields does learning from drawn ones first save?

`run(run, fields, *, sizes)` -> Estimates by real fields, with and without drawn ones,
and what the last detector and the shipped one find on the unseen of these fields
`shipped(run, test)` -> what the shipped one finds, where it knows none of them
`divided(fields, sizes, seed)` -> their Split, at the side that the detector sees
`drawn(sizes, seed)` -> the weights that drawn metaphases taught
`learned(split, weights, ...)` -> the detector, after it went on from these

A detector of any chromosome learns from so many real metaphases, once as it is and once
after it has learned from drawn ones; all see as many looks at real fields, and the last
one many more.
"""

import dataclasses
import functools
import itertools

import numpy as np

from chromolib import streams
from chromolib.detect import (
    augmentation,
    data,
    families,
    scores,
    store,
    suppress,
    training,
    views,
)
from chromolib.evidence import detections
from chromolib.models import store as models
from chromolib.runs import rows
from chromolib.studies import predicting
from chromolib.studies.hamza import experiment, protocol

KIND = "metaphase"
FAMILY, MODEL = families.faster_rcnn, "Faster R-CNN, one class"
SEEN = f"{MODEL}, eight views"
MOVED = "{}, moved".format  # as those who drew boxes are used to: see `scores.beside`
EPOCH = 200  # looks, at least
FIRST = {"nothing": False, "drawn metaphases": True}  # learned from before
SCORES = f"AP50 {detections.ANY}", f"mAP {detections.ANY}", "every box found"


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large it is; nothing else may depend on the profile."""

    counts: tuple = (0, 10, 50, 200, None)  # real fields that train; None: all
    drawn: int = 400
    drawn_looks: int = 6_400
    looks: int = 2_400  # at real fields
    long: int = 7_320  # at all of them, after drawn ones
    side: int = 416
    scales: tuple = (18.2, 31.2, 52.0)  # of anchors, in pixels
    trunk: str = "small"
    rate: float = 2e-3


def run(run, fields, *, sizes):
    """Detectors by what they learned from, on the same unseen fields."""
    seed = run.given("seed")
    split = divided(fields, sizes, seed)
    first = functools.cache(lambda: drawn(sizes, seed))
    ways = [*itertools.product(sizes.counts, FIRST, (sizes.looks,))]
    ways = [way for way in ways if way[:2] != (0, "nothing")]
    made = []
    for way in [*ways, (None, [*FIRST][-1], sizes.long)]:
        found = _found(run, split, way, first, sizes)
        made += _scored(run, fields, split, way, found)
    larger = fields.side / sizes.side
    finders = {name: data.scaled(boxes, larger) for name, boxes in found.items()}
    del finders[MODEL]
    return run.record_all(made), finders | shipped(run, data.same(fields, split.test))


def divided(fields, sizes, seed):
    """The Split of fields of which only the boxes are asked."""
    unnamed = data.unnamed(data.sized(fields, sizes.side))
    return protocol.divide(unnamed, "clean", seed=seed, sources=None, copies=None)


def drawn(sizes, seed, **words):
    """All weights of a detector that has seen drawn metaphases alone."""
    split = divided(data.drawn(KIND, sizes.drawn, seed=seed), sizes, seed)
    model = detector(sizes, seed)
    how = {"looks": sizes.drawn_looks, "rate": sizes.rate, **words}
    training.learned(model, split.train, split.validation, **how)
    return model.get_weights()


def detector(sizes, seed):
    """The detector of any chromosome, as it begins."""
    return FAMILY(
        data.UNNAMED,
        sizes.side,
        trunk=sizes.trunk,
        scales=sizes.scales,
        seed=streams.seed_of(seed, MODEL),
        augmentation=augmentation.usual(seed=seed),
    )


def learned(split, weights, looks, *, sizes, seed, count=None, **words):
    """A detector that began with these weights, or none, and saw so many of the real
    fields; all of them without `count`."""
    model = detector(sizes, seed)
    if weights is not None:
        model.set_weights(weights)
    if count != 0:
        order = streams.stream(seed, "real fields").permutation(len(split.train))
        order = order[:count]
        order = np.resize(order, max(len(order), EPOCH))
        few = slice(training.WATCHED)
        parts = split.train.take(order), split.validation.take(few)
        training.learned(model, *parts, looks=looks, rate=sizes.rate, **words)
    return model


def _found(run, split, way, first, sizes):
    """What such a detector finds on the test fields, and the one with the most looks by
    eight views, as they are and moved: kept, or learned now."""
    count, before, looks = way
    many = "all" if count is None else count
    file = run.folder / "rows" / f"{many}-real-{looks}-after-{before}.npz"
    file = file.with_name(file.name.replace(" ", "-"))
    kept = rows.read(file, {"test": split.test}, sizes)
    if kept is None:
        weights = first() if FIRST[before] else None
        how = {"sizes": sizes, "seed": run.given("seed"), "count": count}
        model = learned(split, weights, looks, **how, folder=file.with_suffix(""))
        found = {MODEL: model.predict(split.test.seen, **suppress.ONCE)}
        if looks == sizes.long:
            by = beside(model, split.validation)
            found[SEEN] = views.predict(model, split.test.seen)
            found[MOVED(SEEN)] = data.moved(found[SEEN], by)
        kept = {}
        for name, boxes in found.items():
            kept |= experiment.packed(boxes, name)
        rows.write(file, {"test": split.test}, kept, sizes)
    names = MODEL, SEEN, MOVED(SEEN)
    names = names if looks == sizes.long else names[:1]
    return {name: experiment.unpacked(kept, name) for name in names}


def beside(model, validation):
    """How far the boxes of those who drew them lie from what eight views find."""
    return scores.beside(validation.truth, views.predict(model, validation.seen))


def shipped(run, test):
    """What the shipped detector finds on fields that it does not know, as it is and
    moved, by the names that its card gives it."""
    file = predicting.shipped(run.root, "hamza", suffix=store.SUFFIX)
    model, facts = store.load(file)
    if models.knows(facts, test.source, test.group, run.given("seed")):
        return {}
    boxes = views.predict(model, data.sized(test, model.size).seen)
    name, larger = facts["scores"][0]["model"], test.side / model.size
    found = {name: boxes, MOVED(name): data.moved(boxes, facts["beside"])}
    return {name: data.scaled(boxes, larger) for name, boxes in found.items()}


def _scored(run, fields, split, way, found):
    """Estimates of what a detector found on the test fields, by how it looked."""
    count, before, looks = way
    real = len(split.train) if count is None else count
    made = []
    words = run.label | {"source": fields.source}
    words["conditions"] = {"real fields": real, "before": before, "looks": looks}
    for model, boxes in found.items():
        rng = run.rng(f"drawn first {count} {before} {looks}")
        how = {"words": words | {"model": model}, "rng": rng}
        made += scored(split.test, boxes, **how)
    return made


def scored(test, found, *, words, rng):
    """The estimates of a detector of any chromosome."""
    words = words | {"weights": "none", "protocol": "clean"}
    how = {"group": test.group, "words": words, "rng": rng, "once": found}
    made = detections.estimates(test.truth, found, **how)
    rare = experiment.uncommon(test, found, words=words, rng=rng)
    return [made[one] for one in SCORES] + rare
