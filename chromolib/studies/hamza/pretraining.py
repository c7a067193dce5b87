"""How many real fields does learning from drawn ones first save?

`run(run, fields, *, sizes)` -> Estimates by real fields, with and without drawn ones,
and what the last detector found on the unseen of these fields; its file is in the
run's folder

A detector of any chromosome learns from so many real metaphases, once as it is and once
after it has learned from drawn ones; all see as many looks at real fields, and the last
one many more.
"""

import dataclasses
import functools
import itertools

import numpy as np

from chromolib import streams
from chromolib.detect import augmentation, data, families, store, suppress, training
from chromolib.evidence import detections
from chromolib.runs import rows
from chromolib.studies.hamza import experiment, protocol

KIND = "metaphase"
FAMILY, MODEL = families.faster_rcnn, "Faster R-CNN, one class"
EPOCH = 200  # looks, at least
FIRST = {"nothing": False, "drawn metaphases": True}  # learned from before
USUAL = 320  # pixels of the fields that the families' anchors are for
SCALES = (14, 24, 40)
FILE = "finder.npz"
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
    trunk: str = "small"
    rate: float = 2e-3


def run(run, fields, *, sizes):
    """Detectors by what they learned from, on the same unseen fields."""
    how = {"seed": run.given("seed"), "sources": None, "copies": None}
    unnamed = data.unnamed(data.sized(fields, sizes.side))
    split = protocol.divide(unnamed, "clean", **how)
    made, drawn = [], _Drawn(run, sizes)
    ways = itertools.product(sizes.counts, FIRST, (sizes.looks,))
    for count, first, looks in [*ways, (None, list(FIRST)[-1], sizes.long)]:
        if count == 0 and not FIRST[first]:
            continue  # learned from nothing
        found, weights = _found(run, split, (count, first, looks), drawn, sizes)
        real = len(split.train) if count is None else count
        words = run.label | {
            "source": fields.source,
            "model": MODEL,
            "weights": "none",
            "protocol": "clean",
            "conditions": {"real fields": real, "before": first, "looks": looks},
        }
        how = {"group": split.test.group, "words": words, "once": found}
        how |= {"rng": run.rng(f"drawn first {count} {first} {looks}")}
        scores = detections.estimates(split.test.truth, found, **how)
        made += [scores[one] for one in SCORES]
    _keep(run, fields, split, weights, made[-len(SCORES) :], sizes)
    return run.record_all(made), data.scaled(found, fields.side / sizes.side)


class _Drawn:
    """The weights that drawn metaphases taught, learned when they are first needed."""

    def __init__(self, run, sizes):
        self.run, self.sizes = run, sizes

    @functools.cached_property
    def weights(self):
        """All weights of the detector."""
        seed, sizes = self.run.given("seed"), self.sizes
        fields = data.sized(data.drawn(KIND, sizes.drawn, seed=seed), sizes.side)
        how = {"seed": seed, "sources": None, "copies": None}
        split = protocol.divide(data.unnamed(fields), "clean", **how)
        model = _detector(sizes, seed)
        how = {"looks": sizes.drawn_looks, "rate": sizes.rate}
        training.learned(model, split.train, split.validation, **how)
        return model.get_weights()


def _found(run, split, way, drawn, sizes):
    """What such a detector finds on the test fields: kept, or learned now."""
    count, first, looks = way
    many = "all" if count is None else count
    name = f"{many}-real-{looks}-after-{first.replace(' ', '-')}.npz"
    file = run.folder / "rows" / name
    asked = {"test": split.test}
    kept = rows.read(file, asked)
    if kept is None:
        before = drawn.weights if FIRST[first] else None
        model = _learned(split, count, before, looks, sizes, run.given("seed"))
        found = model.predict(split.test.seen, **suppress.ONCE)
        kept = experiment.packed(found, "test")
        kept |= {f"w{i}": one for i, one in enumerate(model.get_weights())}
        rows.write(file, asked, kept)
    weights = [kept[f"w{i}"] for i in range(sum(name[0] == "w" for name in kept))]
    return experiment.unpacked(kept, "test"), weights


def _keep(run, fields, split, weights, scores, sizes):
    """Leave the last detector in the folder of the run, with a card."""
    seed = run.given("seed")
    model = _detector(sizes, seed)
    model.set_weights(weights)
    built = {"family": "faster_rcnn", "size": sizes.side, "trunk": sizes.trunk}
    facts = {
        "study": "hamza",
        "unit": KIND,
        "classes": data.UNNAMED,
        "source": fields.source,
        "provenance": "real" if fields.real else "synthetic",
        "n": len(split.train),
        "groups": len(set(split.train.group)),
        "seed": seed,
        "scores": scores,
        "weights": f"{sizes.drawn_looks:,} looks at drawn metaphases",
    }
    how = built | {"scales": _scales(sizes)}
    store.save(run.folder / FILE, model, how, facts)


def _scales(sizes):
    return [one * sizes.side / USUAL for one in SCALES]


def _detector(sizes, seed):
    """The detector of any chromosome, as it begins."""
    return FAMILY(
        data.UNNAMED,
        sizes.side,
        trunk=sizes.trunk,
        scales=_scales(sizes),
        seed=streams.seed_of(seed, MODEL),
        augmentation=augmentation.usual(seed=seed),
    )


def _learned(split, count, before, looks, sizes, seed):
    """A detector that began with these weights and saw so many of the real fields."""
    model = _detector(sizes, seed)
    if before is not None:
        model.set_weights(before)
    if count != 0:
        rng = streams.stream(seed, "real fields")
        order = rng.permutation(len(split.train))[:count]
        order = np.resize(order, max(len(order), EPOCH))
        few = slice(training.WATCHED)
        parts = split.train.take(order), split.validation.take(few)
        training.learned(model, *parts, looks=looks, rate=sizes.rate)
    return model
