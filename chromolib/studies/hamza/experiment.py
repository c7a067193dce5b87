"""The grid of trainings: each family on equal terms, on each kind, by each protocol.

`run(run, read, *, sizes)` -> Grid, with what each detector found and its estimates
`learned(detector, split, *, sizes, rate)` -> history

Every family sees as many images, in batches of the same size, at rates that it may
choose among by validation loss: equal budgets and equal tuning. What each found is kept
in the run's folder as soon as it is done.
"""

import dataclasses
import io
import itertools
import json
import math
import re
import time

import keras
import numpy as np
import pandas as pd

from chromolib import records, streams
from chromolib.detect import augmentation, families, taps
from chromolib.evidence import detections
from chromolib.runs import rows
from chromolib.studies.hamza import ceiling, data, layout, protocol

FAMILIES = {  # name of table 5.1 -> family, its own trunk, and the one of the thesis
    "YOLO v5": ("yolo_v5", "csp", "csp"),
    "Faster R-CNN": ("faster_rcnn", "inception", "inception"),
    "R-FCN": ("r_fcn", "", "resnet101"),
    "SSD": ("ssd", "", "mobilenetv2"),
}
THEIRS = "as in the thesis"  # the trunk size at which trunks are the thesis'
CHANCE = "Faster R-CNN"  # the family that also learns names dealt at random
DECAY, CLIP = 1e-4, 10.0  # of the weights, and the largest step
PACKED = "boxes", "labels", "scores"
FEW = 20  # chromosomes of the picture that the thesis tried, figure 5.5
WARM = 0.05  # of all steps, during which the rate rises


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large an experiment is; nothing else may depend on the profile."""

    families: tuple = tuple(FAMILIES)
    trunk: str = "small"  # of taps.WIDTHS, or THEIRS
    side: int = 320  # pixels; a multiple of 32
    looks: int = 9_600  # images that a training sees, copies and repetitions counted
    batch: int = 8
    rates: tuple = (1e-3, 3e-3)  # tried by each family for a share of the looks
    trial: float = 0.1
    share: float = 1.0  # of the thesis' counts of images
    random: tuple = (CHANCE,)
    whole: bool = True  # whether each also learns from all fields there are, turned
    ceiling: bool = True  # whether what might cap the boxes is trained for


@dataclasses.dataclass(frozen=True)
class Task:
    """One training."""

    model: str  # as in FAMILIES
    kind: str  # of the fields that train
    protocol: str
    fields: str = "as in the thesis"  # or "all"
    labels: str = "true"  # or "random": names dealt among the boxes of an image
    settings: tuple = ()  # further ones of the family, pairs

    @property
    def plain(self):
        """Whether it is one of the trainings that table 5.1 is about."""
        return (self.fields, self.labels, self.settings) == (THESIS, "true", ())


THESIS, ALL = THEIRS, "all"


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """What a trained detector found in each test set."""

    task: Task
    found: dict  # test set -> Boxes an image
    history: pd.DataFrame
    facts: dict  # rate, seconds, ms an image, parameters


@dataclasses.dataclass(frozen=True, eq=False)
class Grid:
    """All answers, the fields that they are about, and how right they are."""

    answers: list  # of Answer
    tests: dict  # Task -> test set -> Fields
    estimates: list

    def pick(self, model, kind, name, **wanted):
        """The answer of a family on a kind by a protocol."""
        wanted = Task(model, kind, name, **wanted)
        for one in self.answers:
            if one.task == wanted:
                return one
        raise LookupError(f"this run has no answer of {wanted}")


def tasks(kinds, protocols, sizes):
    """Every training of the grid, those of one split together."""
    made = []
    for kind, name in itertools.product(kinds, protocols):
        made += [Task(model, kind, name) for model in sizes.families]
        made += [Task(model, kind, name, labels="random") for model in sizes.random]
    if sizes.ceiling and ceiling.KIND in kinds and "clean" in protocols:
        first = Task(ceiling.MODEL, ceiling.KIND, "clean")
        ways = ceiling.TRAINED.values()
        made += [dataclasses.replace(first, settings=one) for one in ways]
    if sizes.whole and "clean" in protocols:
        made += [
            Task(model, kind, "clean", fields=ALL)
            for kind, model in itertools.product(kinds, sizes.families)
        ]
    return sorted(made, key=_split_of)


def run(run, read, *, sizes):
    """Train and test each family, and keep the numbers; `read` is kind -> Fields."""
    answers, tests, estimates = [], {}, []
    planned = tasks(read, run.protocols, sizes)
    for key, group in itertools.groupby(planned, _split_of):
        split = divided(read, *key, seed=run.given("seed"), sizes=sizes)
        asked = _tests(split, read, sizes, run.given("seed"))
        for task in group:
            answer = _answer(run, task, split, asked, sizes)
            answers.append(answer)
            tests[task] = asked
            estimates += _measured(run, answer, asked)
    return Grid(answers, tests, run.record_all(estimates))


def divided(read, kind, name, fields, labels, *, seed, sizes):
    """The Split of some trainings, at the side that detectors see."""
    how = {"seed": seed, "share": sizes.share, "labels": labels}
    if fields == ALL:
        how |= {"sources": None, "copies": None, "share": 1.0}
    return protocol.divide(data.sized(read[kind], sizes.side), name, **how)


def built(task, sizes, *, seed, classes=records.CLASSES):
    """The detector of a training, not yet compiled."""
    family, own, theirs = FAMILIES[task.model]
    how = dict(task.settings)
    if task.fields == ALL:
        how["augmentation"] = augmentation.usual(seed=seed)
    if sizes.trunk == THEIRS:
        how["trunk"] = theirs
    elif own:
        how |= {"trunk": own, "widths": taps.WIDTHS[sizes.trunk]}
    else:
        how["trunk"] = sizes.trunk
    seed = streams.seed_of(seed, task.model)
    return families.FAMILIES[family](classes, sizes.side, seed=seed, **how)


def learned(detector, split, *, sizes, rate, looks=None):
    """The history of a detector that has seen so many images, as it is afterwards."""
    train, looks = split.train, looks or sizes.looks
    epochs = max(1, round(looks / len(train)))
    steps = epochs * math.ceil(len(train) / sizes.batch)
    falls = keras.optimizers.schedules.CosineDecay(
        rate / 10, steps, warmup_target=rate, warmup_steps=math.ceil(WARM * steps)
    )
    detector.compile(keras.optimizers.AdamW(falls, weight_decay=DECAY, clipnorm=CLIP))
    history = detector.fit(
        seen(train),
        train.targets,
        validation_data=(seen(split.validation), split.validation.targets),
        epochs=epochs,
        batch_size=sizes.batch,
        verbose=0,
    )
    return pd.DataFrame(history.history)


def seen(fields):
    """Images as a detector takes them: ink from 0 to 1."""
    return fields.x.astype(np.float32) / 255


def _split_of(task):
    return task.kind, task.protocol, task.fields, task.labels


def _tests(split, read, sizes, seed):
    """Its own test images, unseen groups, other places, and fields of another kind."""
    asked = {"test": split.test}
    if split.protocol == "published":
        asked["unseen"] = split.unseen
    if split.labels == "true":
        if split.unseen.kind == data.KINDS[0]:
            asked["other places"] = layout.shuffled(split.unseen, seed=seed)
            few = layout.fewer(split.unseen, count=FEW, seed=seed)
            asked[few.kind] = few
        for kind, fields in read.items():
            if kind != split.unseen.kind:
                other = protocol.divide(fields, "clean", seed=seed).unseen
                asked[kind] = data.sized(other, sizes.side)
    return asked


def _answer(run, task, split, asked, sizes):
    """What a training found: from the folder, or learned now and kept."""
    file = place(run, task)
    kept = rows.read(file, asked)
    if kept is None:
        kept = _trained(task, split, asked, sizes, run.given("seed"))
        rows.write(file, asked, kept)
    found = {name: _unpacked(kept, name) for name in asked}
    history = pd.read_json(io.StringIO(str(kept["history"])))
    return Answer(task, found, history, json.loads(str(kept["facts"])))


def place(run, task):
    """Where a run keeps what a training found."""
    words = [task.model, task.kind, task.protocol]
    words += [] if task.plain else [task.fields, task.labels]
    words += [f"{name}-{value}" for name, value in task.settings]
    name = re.sub(r"[^\w.-]+", "-", " ".join(words))
    return run.folder / "rows" / f"{name}.npz"


def _trained(task, split, asked, sizes, seed):
    """Arrays of what a training finds, at the rate that validation chose."""
    rate = _rate(task, split, sizes, seed)
    detector = built(task, sizes, seed=seed)
    started = time.monotonic()
    history = learned(detector, split, sizes=sizes, rate=rate)
    facts = {"rate": rate, "seconds": time.monotonic() - started}
    facts |= {"parameters": detector.count_params()}
    arrays = {"history": np.array(history.to_json())}
    for name, fields in asked.items():
        detector.predict(seen(fields.take(slice(sizes.batch))))  # compiles
        started = time.monotonic()
        found = detector.predict(seen(fields), batch_size=sizes.batch)
        facts["ms an image"] = 1000 * (time.monotonic() - started) / len(fields)
        arrays |= _packed(found, name)
    return arrays | {"facts": np.array(json.dumps(facts))}


def _rate(task, split, sizes, seed):
    """The rate by which validation loss is least after a share of the looks."""
    if len(sizes.rates) == 1:
        return sizes.rates[0]
    lost = []
    for rate in sizes.rates:
        how = {"rate": rate, "looks": sizes.trial * sizes.looks}
        tried = learned(built(task, sizes, seed=seed), split, sizes=sizes, **how)
        lost.append(np.nan_to_num(tried["val_loss"].iloc[-1], nan=np.inf))
    return sizes.rates[int(np.argmin(lost))]


def _packed(found, name):
    """The boxes of all images below each other, and how many each has."""
    return {
        f"{name} many": np.array([len(each) for each in found]),
        f"{name} boxes": np.concatenate([each.xyxy for each in found]).astype("f4"),
        f"{name} labels": np.concatenate([each.label for each in found]),
        f"{name} scores": np.concatenate([each.score for each in found]).astype("f4"),
    }


def _unpacked(kept, name):
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
        made += detections.estimates(fields.truth, answer.found[name], **how).values()
    return made
