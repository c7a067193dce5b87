"""The grid of trainings: each family on equal terms, on each kind, by each protocol.

`run(run, read, *, sizes)` -> Grid, with what each detector found and its estimates

Every family sees as many images, in batches of the same size, at rates that it may
choose among by validation loss: equal budgets and equal tuning. What each found is kept
in the run's folder as soon as it is done.
"""

import collections
import dataclasses
import io
import itertools
import json
import re
import time

import numpy as np
import pandas as pd

from chromolib import records, streams
from chromolib.detect import (
    augmentation,
    data,
    families,
    suppress,
    taps,
    training,
)
from chromolib.evidence import detections
from chromolib.runs import rows
from chromolib.studies.hamza import ceiling, layout, protocol

FAMILIES = {  # name of table 5.1 -> family, its own trunk, and the one of the thesis
    "YOLO v5": ("yolo_v5", "csp", "csp"),
    "Faster R-CNN": ("faster_rcnn", "inception", "inception"),
    "R-FCN": ("r_fcn", "", "resnet101"),
    "SSD": ("ssd", "", "mobilenetv2"),
}
THEIRS = "as in the thesis"  # the trunk size at which trunks are the thesis'
THESIS, ALL = THEIRS, "all"  # the fields that a training learns from
CHANCE = "Faster R-CNN"  # the family that also learns names dealt at random
PACKED, ONCE = ("boxes", "labels", "scores"), ", once"
TRAINING = "rate", "batch", "looks"  # settings of a training; all others of a family
VARIED = "SSD"  # the family that learns with one of these changed
RATES, BATCHES, BUDGETS = (3e-4, 1e-2), (4, 16), (0.5, 2)
OVERLAPS = {f"test, suppressed at {t:g}": t for t in np.arange(3, 8) / 10}
USUAL, ODD = 46, "test, not 46 chromosomes"
FEW = 20  # chromosomes of the picture that the thesis tried, figure 5.5
TRACED = 4  # detectors that are kept as TensorFlow has traced them
_traced = collections.OrderedDict()  # settings -> a detector, its variables at first


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large an experiment is; nothing else may depend on the profile."""

    families: tuple = tuple(FAMILIES)
    trunk: str = "small"  # of taps.WIDTHS, or THEIRS
    side: int = 320  # pixels; a multiple of 32
    looks: int = 2_332  # images that a training sees, copies and repetitions counted
    whole: int = 7_320  # of one on all fields of a source that has many more; or 0
    batch: int = training.BATCH
    rates: tuple = (1e-3, 3e-3)  # tried by each family for a share of the looks
    trial: float = 0.25
    share: float = 1.0  # of the thesis' counts of images
    random: tuple = (CHANCE,)
    ceiling: bool = True  # whether what might cap the boxes is trained for
    varied: bool = True  # whether a training is changed in one setting at a time


@dataclasses.dataclass(frozen=True)
class Task:
    """One training."""

    model: str  # as in FAMILIES
    kind: str  # of the fields that train
    protocol: str
    fields: str = THESIS  # or ALL
    labels: str = "true"  # or "random": names dealt among the boxes of an image
    settings: tuple = ()  # others than usual, of the training or the family, pairs

    @property
    def plain(self):
        """Whether it is one of the trainings that table 5.1 is about."""
        return (self.fields, self.labels, self.settings) == (THESIS, "true", ())


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """What a trained detector found in each test set."""

    task: Task
    found: dict  # test set -> Boxes an image
    once: dict  # the same with each chromosome once, whatever its name
    history: pd.DataFrame
    facts: dict  # rate, seconds, ms an image, parameters


@dataclasses.dataclass(frozen=True, eq=False)
class Grid:
    """All answers, the fields that they are about, and how right they are."""

    answers: list  # of Answer
    tests: dict  # Task -> test set -> Fields
    estimates: list

    def of(self, kind, name, fields=THESIS):
        """Family -> its answer on a kind by a protocol, learned as usual."""
        wanted = {model: Task(model, kind, name, fields) for model in FAMILIES}
        answers = {one.task: one for one in self.answers}
        return {m: answers[task] for m, task in wanted.items() if task in answers}


def tasks(kinds, protocols, sizes, many=()):
    """Every training of the grid, those of one split together; `many` are the kinds
    with many more fields than the thesis had."""
    made = []
    for kind, name in itertools.product(kinds, protocols):
        made += [Task(model, kind, name) for model in sizes.families]
        made += [Task(model, kind, name, labels="random") for model in sizes.random]
    if sizes.ceiling and ceiling.KIND in kinds and "clean" in protocols:
        first = Task(ceiling.MODEL, ceiling.KIND, "clean")
        ways = ceiling.TRAINED.values()
        made += [dataclasses.replace(first, settings=one) for one in ways]
    if sizes.varied and ceiling.KIND in kinds and "clean" in protocols:
        first = Task(VARIED, ceiling.KIND, "clean")
        ways = [("rate", one) for one in RATES]
        ways += [("batch", one) for one in BATCHES]
        ways += [("looks", round(one * sizes.looks)) for one in BUDGETS]
        made += [dataclasses.replace(first, settings=(one,)) for one in ways]
    if sizes.whole and "clean" in protocols:
        made += [
            Task(model, kind, "clean", fields=ALL)
            for kind, model in itertools.product(many, sizes.families)
        ]
    return sorted(made, key=_split_of)


def run(run, read, *, sizes, other=None):
    """Train and test each family, and keep the numbers; `read` is kind -> Fields, and
    `other` are those of a second source, which only test."""
    answers, tests, estimates = [], {}, []
    planned = tasks(read, run.protocols, sizes, many(read))
    for (*key, side), group in itertools.groupby(planned, _split_of):
        own = dataclasses.replace(sizes, side=side or sizes.side)
        split = divided(read, *key, seed=run.given("seed"), sizes=own)
        asked = _tests(split, read, own, run.given("seed"), other)
        for task in group:
            plain = dataclasses.replace(task, settings=())
            usual = (one.facts["rate"] for one in answers if one.task == plain)
            answer = _answer(run, task, split, asked, own, rate=next(usual, None))
            answers.append(answer)
            tests[task] = asked
            estimates += _measured(run, answer, asked)
    return Grid(answers, tests, run.record_all(estimates))


def many(read):
    """The kinds of which a source has more than twice the fields of the thesis."""
    least = 2 * protocol.SOURCES
    return [k for k, each in read.items() if len(protocol.originals(each)) > least]


def divided(read, kind, name, fields, labels, *, seed, sizes):
    """The Split of some trainings, at the side that detectors see."""
    how = {"seed": seed, "share": sizes.share, "labels": labels}
    if fields == ALL:
        how |= {"sources": None, "copies": None, "share": 1.0}
    return protocol.divide(data.sized(read[kind], sizes.side), name, **how)


def trunk(model, sizes):
    """What the trunk of a family is called."""
    _, own, theirs = FAMILIES[model]
    if sizes.trunk == THEIRS:
        return theirs
    return f"{own}, {sizes.trunk}" if own else sizes.trunk


def built(task, sizes, *, seed, classes=records.CLASSES):
    """The detector of a training, not yet compiled."""
    family, own, _ = FAMILIES[task.model]
    ours = *TRAINING, "side"
    how = {name: value for name, value in task.settings if name not in ours}
    if task.fields == ALL:
        how["augmentation"] = augmentation.usual(seed=seed)
    if sizes.trunk == THEIRS:
        how["trunk"] = trunk(task.model, sizes)
    elif own:
        how |= {"trunk": own, "widths": taps.WIDTHS[sizes.trunk]}
    else:
        how["trunk"] = sizes.trunk
    seed = streams.seed_of(seed, task.model)
    return families.FAMILIES[family](classes, sizes.side, seed=seed, **how)


def _begun(task, sizes, *, seed):
    """The same, as one of the same settings that has learned before: tracing it again
    would take longer than a small training."""
    settings = tuple(one for one in task.settings if one[0] not in TRAINING)
    key = task.model, task.fields == ALL, settings, sizes.side, sizes.trunk, seed
    if key not in _traced:
        model = built(task, sizes, seed=seed)
        _traced[key] = model, [(each, each.numpy()) for each in model.variables]
    _traced.move_to_end(key)
    if len(_traced) > TRACED:
        _traced.popitem(last=False)
    model, first = _traced[key]
    for variable, value in first:
        variable.assign(value)
    return model


def _split_of(task):
    side = dict(task.settings).get("side", 0)
    return task.kind, task.protocol, task.fields, task.labels, side


def _tests(split, read, sizes, seed, other):
    """Its own test images, unseen groups, other places, and fields of another kind or
    source."""
    asked = {"test": split.test}
    if split.protocol == "published":
        asked["unseen"] = split.unseen
    if split.labels == "true":
        if split.protocol == "clean" and sizes.varied:
            asked |= dict.fromkeys(OVERLAPS, split.test)
        if split.unseen.kind == data.KINDS[0]:
            asked["other places"] = layout.shuffled(split.unseen, seed=seed)
            few = layout.fewer(split.unseen, count=FEW, seed=seed)
            asked[few.kind] = few
        strange = {
            kind: protocol.divide(fields, "clean", seed=seed).unseen
            for kind, fields in read.items()
            if kind != split.unseen.kind
        }
        if other:
            strange[f"{other.kind}s of {other.source}"] = protocol.originals(other)
        for name, fields in strange.items():
            asked[name] = data.sized(fields, sizes.side)
    return asked


def _answer(run, task, split, asked, sizes, *, rate=None):
    """What a training found: from the folder, or learned now and kept.

    One with another setting learns at the `rate` of the one without, if that was
    trained: else two things would differ.
    """
    file = place(run, task)
    kept = rows.read(file, asked, sizes)
    if kept is None:
        how = {"seed": run.given("seed"), "folder": file.with_suffix(""), "rate": rate}
        kept = _trained(task, split, asked, sizes, **how)
        rows.write(file, asked, kept, sizes)
    found, once = (
        {name: unpacked(kept, f"{name}{how}") for name in asked} for how in ("", ONCE)
    )
    history = pd.read_json(io.StringIO(str(kept["history"])))
    return Answer(task, found, once, history, json.loads(str(kept["facts"])))


def place(run, task):
    """Where a run keeps what a training found."""
    words = [task.model, task.kind, task.protocol]
    words += [] if task.plain else [task.fields, task.labels]
    words += [f"{name}-{value}" for name, value in task.settings]
    name = re.sub(r"[^\w.-]+", "-", " ".join(words))
    return run.folder / "rows" / f"{name}.npz"


def _trained(task, split, asked, sizes, *, seed, folder, rate=None):
    """Arrays of what a training finds, at this rate or the one that validation
    chooses."""
    how = {"looks": sizes.whole if task.fields == ALL else sizes.looks}
    how |= {"batch": sizes.batch} | dict(task.settings)
    how = {name: how[name] for name in TRAINING if name in how}
    if "rate" not in how:
        how["rate"] = rate or _rate(task, split, sizes, seed)
    detector = _begun(task, sizes, seed=seed)
    started, watch = time.monotonic(), [training.Watched(split.validation)]
    history = training.learned(
        detector, split.train, split.validation, **how, watch=watch, folder=folder
    )
    facts = how | {"seconds": time.monotonic() - started}
    facts |= {"parameters": detector.count_params()}
    arrays = {"history": np.array(history.to_json())}
    for mark, way in {"": {}, ONCE: suppress.ONCE}.items():
        for name, fields in asked.items():
            finding = {"batch_size": sizes.batch, **way}
            finding |= {"threshold": OVERLAPS[name]} if name in OVERLAPS else {}
            if name == "test":
                detector.predict(fields.take(slice(sizes.batch)).seen, **finding)
                started = time.monotonic()
            found = detector.predict(fields.seen, **finding)
            if name == "test":
                took = time.monotonic() - started
                facts["ms an image"] = 1000 * took / len(fields)
            arrays |= packed(found, f"{name}{mark}")
    return arrays | {"facts": np.array(json.dumps(facts))}


def _rate(task, split, sizes, seed):
    """The rate by which validation loss is least after a share of the looks."""
    if len(sizes.rates) == 1:
        return sizes.rates[0]
    lost, how = [], {"looks": sizes.trial * sizes.looks, "batch": sizes.batch}
    for rate in sizes.rates:
        tried = training.learned(
            _begun(task, sizes, seed=seed),
            *(split.train, split.validation),
            rate=rate,
            **how,
        )
        lost.append(np.nan_to_num(tried["val_loss"].iloc[-1], nan=np.inf))
    return sizes.rates[int(np.argmin(lost))]


def packed(found, name):
    """The boxes of all images below each other, and how many each has."""
    return {
        f"{name} many": np.array([len(each) for each in found]),
        f"{name} boxes": np.concatenate([each.xyxy for each in found]).astype("f4"),
        f"{name} labels": np.concatenate([each.label for each in found]),
        f"{name} scores": np.concatenate([each.score for each in found]).astype("f4"),
    }


def unpacked(kept, name):
    """The Boxes of each image again."""
    ends = np.cumsum(kept[f"{name} many"])[:-1]
    columns = (np.split(kept[f"{name} {one}"], ends) for one in PACKED)
    return [records.Boxes(*each) for each in zip(*columns, strict=True)]


def _measured(run, answer, asked):
    """The estimates of what a training found in each test set."""
    task, made = answer.task, []
    for name, fields in asked.items():
        conditions = {"fields": task.kind, "learned from": task.fields}
        conditions |= {"labels": task.labels, "tested": name} | dict(task.settings)
        words = run.label | {
            "source": fields.source,
            "model": task.model,
            "weights": "none",
            "protocol": task.protocol,
            "conditions": conditions,
        }
        how = {"group": fields.group, "words": words, "rng": run.rng(f"{task} {name}")}
        once = answer.once[name]
        found = answer.found[name]
        made += detections.estimates(fields.truth, found, once=once, **how).values()
        if name == "test":
            made += uncommon(fields, once, words=words, rng=run.rng(f"{task} odd"))
        if name == "test" and task.model == ceiling.MODEL:
            how = {"words": words, "rng": run.rng(f"{task} ceiling")}
            made += ceiling.said(found, fields, only=ceiling.AS_IT_IS, **how)
    return made


def uncommon(fields, once, *, words, rng):
    """How often the count is exact in those fields alone that have other than 46."""
    odd = np.array([len(one) != USUAL for one in fields.truth])
    if not odd.any():
        return []
    conditions = words.get("conditions", {}) | {"tested": ODD}
    how = {"group": fields.group[odd], "words": words | {"conditions": conditions}}
    truth, once = (list(itertools.compress(each, odd)) for each in (fields.truth, once))
    return [detections.counted(truth, once, rng=rng, **how)["count exact"]]
