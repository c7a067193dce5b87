"""Boxes that lie along their chromosomes, and the chromosomes cut out upright by them.

`run(run, *, sizes)` -> Along: what SSD found in unseen drawn metaphases, and estimates
`told(along)` -> what became of the boxes of the first field
`upright(along, count)` -> its surest chromosomes, laid vertical

Only drawn metaphases have outlines, around which such a box can be laid. The same
network with upright boxes sees the same fields as often.
"""

import dataclasses

import numpy as np

from chromolib.detect import (
    augmentation,
    data,
    families,
    oriented,
    scores,
    suppress,
    training,
)
from chromolib.evidence import detections, resample
from chromolib.studies.hamza import protocol
from chromolib.synth import lab, sets

KIND = "metaphase"
WAYS = {"SSD, upright boxes": False, "SSD, boxes along": True}
LIES = "AP50 of outlines"  # the overlap is that of boxes laid along
NEAR = np.pi / 18  # an axis that is less than 10 degrees off
DIRECTION = "direction within 10 degrees"
SCORES = f"AP50 {detections.ANY}", "recall", "precision"
CANVAS = 80, 24  # pixels of a chromosome cut out


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large it is; nothing else may depend on the profile."""

    count: int = 400  # drawn fields, of two cells a patient
    looks: int = 6_400
    side: int = 320
    trunk: str = "small"
    rate: float = 2e-3


@dataclasses.dataclass(frozen=True, eq=False)
class Outlined(data.Fields):
    """Fields whose boxes are known as they lie, too."""

    along: np.ndarray | None = None  # (n, most, 5), see `oriented`

    @property
    def targets(self):
        """What a detector learns beside the images."""
        usual = super().targets
        return usual | {"oriented": self.along[:, : usual["labels"].shape[1]]}

    @property
    def lying(self):
        """The true boxes with what lies around each chromosome as its outline."""
        pairs = zip(self.truth, self.along, self.present, strict=True)
        return [
            dataclasses.replace(one, polygon=tuple(oriented.corners(along[on])))
            for one, along, on in pairs
        ]

    def take(self, which):
        """The chosen images, by mask or by index."""
        return dataclasses.replace(super().take(which), along=self.along[which])


@dataclasses.dataclass(frozen=True, eq=False)
class Along:
    """Unseen fields, and the boxes along that were found in each."""

    test: Outlined
    found: list
    estimates: list


def run(run, *, sizes):
    """Learn both ways, and ask how well each finds, and where a chromosome points."""
    seed, estimates, found = run.given("seed"), [], {}
    fields = drawn(sizes.count, sizes.side, seed=seed)
    how = {"seed": seed, "sources": None, "copies": None}
    split = protocol.divide(fields, "clean", **how)
    for name, turned in WAYS.items():
        how = {"seed": seed, "augmentation": augmentation.usual(seed=seed)}
        how |= {"trunk": sizes.trunk, "oriented": turned}
        model = families.ssd(data.UNNAMED, sizes.side, **how)
        how = {"looks": sizes.looks, "rate": sizes.rate}
        training.learned(model, split.train, split.validation, **how)
        found[name] = model.predict(split.test.seen, **suppress.ONCE)
        words = run.label | {"source": fields.source, "protocol": "clean"}
        words |= {"model": name, "weights": "none", "conditions": {"fields": KIND}}
        estimates += _scored(split.test, found[name], words, run.rng(name))
    return Along(split.test, found[name], run.record_all(estimates))


def drawn(count, side, *, seed):
    """Metaphases of the lab with both kinds of boxes, all of one class."""
    images = sets.metaphases(lab.cells(count, seed=seed), size=side)
    fields = data.unnamed(data.fields(images, KIND, side=side))
    along = oriented.pad(images.boxes, most=fields.labels.shape[1])
    columns = {f.name: getattr(fields, f.name) for f in dataclasses.fields(fields)}
    return Outlined(**columns, along=along)


def told(along, sure=0.3):
    """What became of the boxes of the first field that are sure enough, for a figure
    that writes no names."""
    true, found = along.test.lying[0], along.found[0]
    found = found.take(found.score >= sure)
    pairs = _pairs(true, found)
    kinds = {
        "right": found.take(pairs.found),
        "wrong": found.take(np.setdiff1d(np.arange(len(found)), pairs.found)),
        "missed": true.take(np.setdiff1d(np.arange(len(true)), pairs.truth)),
    }
    blank = {kind: np.full(len(one), "") for kind, one in kinds.items()}
    return {k: dataclasses.replace(one, label=blank[k]) for k, one in kinds.items()}


def upright(along, count):
    """The surest (count, height, width) of the first field, cut out along their boxes;
    each fills the canvas."""
    boxes = along.found[0].take(slice(count))
    lying = oriented.of(boxes)[None]
    scale = lying[..., 2].max(initial=1) / CANVAS[0]
    cut = oriented.upright(along.test.seen[:1], lying, canvas=CANVAS, scale=scale)
    return np.asarray(cut)[0, ..., 0]


def _scored(test, found, words, rng):
    """Estimates of one way, on upright boxes and on what lies along."""
    how = {"group": test.group, "words": words, "rng": rng}
    made = detections.estimates(test.truth, found, once=found, **how)
    lies = detections.estimates(test.lying, found, once=found, outlines=True, **how)
    lies = dataclasses.replace(lies[SCORES[0]], quantity=LIES)
    return [
        *(made[one] for one in SCORES if one in made),
        lies,
        *_points(test, found, how),
    ]


def _pairs(true, found):
    """Whose upright boxes overlap by half; where several do, whose directions agree."""
    alike = oriented.alike(oriented.of(true)[None], oriented.of(found)[None])
    allowed = scores.box_iou(true, found) >= scores.LEAST
    return scores.pair(np.where(allowed, np.asarray(alike)[0], -1), least=0)


def _points(test, found, how):
    """The share of found chromosomes whose axis is known to 10 degrees."""
    if not any(one.polygon for one in found):
        return []
    names, group = np.unique(test.group, return_inverse=True)
    near, many = np.zeros((len(names), 1)), np.zeros((len(names), 1))
    for i, true, one in zip(group, test.lying, found, strict=True):
        one = one.take(one.score >= detections.SCORE)
        pairs = _pairs(true, one)
        off = oriented.of(true)[pairs.truth, 4] - oriented.of(one)[pairs.found, 4]
        off = np.abs((off + np.pi / 2) % np.pi - np.pi / 2)
        near[i] += (off < NEAR).sum()
        many[i] += len(off)
    rng, words = how["rng"], how["words"]
    made = resample.estimates(
        words, [resample.rates((DIRECTION,), near, many)], rng=rng
    )
    return made.values()
