"""The grid of trainings: the rows of Table 5.1, by both protocols.

`run(run, karyograms, *, sizes)` -> Grid, with every answer and its estimates

A frozen trunk sees each image once; what a row learns starts from its maps. What each
row says is kept in the run's folder as soon as it is done, so that a run that was
stopped goes on with the next.
"""

import dataclasses
import itertools
import json
import time

import numpy as np
import pandas as pd

from chromolib import streams
from chromolib.evidence import between, metrics
from chromolib.models import mc_dropout, predict
from chromolib.models import train as training
from chromolib.runs import rows
from chromolib.studies.chu import baselines, moved, network, protocol

KEPT = 4  # networks that stay compiled
_compiled = {}  # structure -> a network that has predicted
MONITOR, PATIENCE = "val_AUC", 6  # section 4.1.1; not printed
CHANCE = "VGG16, processed"  # the row that also learns labels dealt at random
DROPS = (0.0, 0.5), (0.3, 0.0), (0.1, 0.1), (0.5, 0.5)  # on the maps; in the head
PAIRS = (  # rows that the thesis compares
    ("InceptionV3, original", "VGG16, original"),
    ("VGG16, processed", "VGG16, original"),
    ("InceptionV3, processed", "InceptionV3, original"),
    ("VGG16, processed", "InceptionV3, processed"),
    ("VGG16, one block", "VGG16, processed"),
    ("VGG16, two blocks", "VGG16, processed"),
    ("VGG16, two blocks", "VGG16, one block"),
    ("InceptionV3, entire", "InceptionV3, processed"),
    ("VGG16, one block", "InceptionV3, entire"),
    ("small trunk, entire", "small trunk, frozen"),
)
SCORES = ("accuracy", "balanced accuracy", "precision of abnormal")
SCORES += ("recall of abnormal", "specificity of abnormal", "AUROC of abnormal")


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large an experiment is; nothing else may depend on the profile."""

    rows: tuple = (*network.ROWS, *network.FIRST, *network.OWN)
    larger: tuple = tuple(network.LARGER)  # by the clean protocol alone
    share: float = 1.0  # of the thesis' counts of images
    epochs: int = 30
    times: int = 100  # passes of MC dropout, section 3.4
    canvas: int = network.CANVAS  # pixels of our own trunk's input
    random: tuple = (CHANCE,)  # rows that also learn labels dealt at random
    sure: tuple = (CHANCE,)  # rows whose confidence is looked at
    members: int = 5  # of an ensemble, of these rows
    drops: tuple = DROPS  # shares of dropout tried, of these rows


@dataclasses.dataclass(frozen=True)
class Task:
    """One training: a row of the table, by a protocol, from some first weights."""

    row: str
    protocol: str
    word: str  # of the first weights
    labels: str = "true"
    member: int = 0  # of an ensemble: other first weights of the head, another order
    drop: tuple = network.DROP

    @property
    def plain(self):
        """Whether it is the one training that the table is about."""
        return self.member == 0 and self.drop == network.DROP

    @property
    def place(self):
        """The row as trunk, images and cut."""
        return network.KNOWN[self.row]


@dataclasses.dataclass(frozen=True, eq=False)
class Answer:
    """What a trained row says: one pass, and many with dropout on."""

    task: Task
    said: dict  # part -> records.Predictions
    draws: dict  # part -> (times, n) probability of abnormal
    history: pd.DataFrame
    facts: dict  # seconds, parameters, learned


@dataclasses.dataclass(frozen=True, eq=False)
class Grid:
    """All answers, and how right they and the baselines are."""

    answers: list  # of Answer
    estimates: list  # of records.Estimate

    def pick(self, row, name, **wanted):
        """The answer of a row by a protocol; further words as those of a Task."""
        wanted = {"labels": "true", "member": 0, "drop": network.DROP} | wanted
        wanted |= {"row": row, "protocol": name}
        for one in self.answers:
            if all(getattr(one.task, k) == v for k, v in wanted.items()):
                return one
        raise LookupError(f"this run has no answer of {wanted}")


def tasks(protocols, sizes, given):
    """Every training of the grid, those that share a split and a trunk together.

    `given` is the word of first weights. Our own trunk always has both kinds, so that
    transfer is seen where nothing else is at hand.
    """
    made = []
    for name in protocols:
        for row in sizes.rows + (sizes.larger if name == "clean" else ()):
            small = network.KNOWN[row].trunk == network.SMALL
            words = ("domain", "none") if small else (given,)
            made += [Task(row, name, word) for word in words]
        for row in sizes.random:
            made.append(Task(row, name, _word(row, given), "random"))
        for row in sizes.sure:
            own = [{"member": k} for k in range(1, sizes.members)]
            own += [{"drop": drop} for drop in sizes.drops]
            made += [Task(row, name, _word(row, given), **one) for one in own]
    return sorted(made, key=lambda task: (*_shared(task), task.row))


def _word(row, given):
    return "domain" if network.KNOWN[row].trunk == network.SMALL else given


def run(run, karyograms, *, sizes):
    """Train and test each row by each protocol of the run, and keep the numbers."""
    answers, beside = [], []
    planned = tasks(run.protocols, sizes, run.given("weights"))
    for (name, labels, copies), of_split in itertools.groupby(planned, _images):
        how = {"seed": run.given("seed"), "share": sizes.share, "labels": labels}
        split = protocol.divide(karyograms, name, copies, **how)
        for _, group in itertools.groupby(of_split, _shared):
            answers += _answers(run, karyograms, split, list(group), sizes)
        if (labels, copies) == ("true", "processed"):
            own = run.label | {"source": karyograms.source, "protocol": name}
            beside += baselines.said(split, **own)
    estimates = scores(answers, beside, rng=run.rng("scores"))
    estimates += differences(answers, beside, rng=run.rng("differences"))
    run.record_all(estimates)
    run.record_predictions(one.said["test"] for one in answers if one.task.plain)
    run.started_from = {a.task.word: a.facts["weights"] for a in answers}
    return Grid(answers, estimates)


def probability(model, maps):
    """(n, 2) of normal and abnormal, by one pass without dropout."""
    said = np.asarray(model.predict(maps, batch_size=64, verbose=0), np.float64)[:, 0]
    return np.column_stack([1 - said, said])


def scores(answers, beside, *, rng):
    """The scores of every answer on its test images and on unseen ones."""
    said = [
        one
        for answer in answers
        if answer.task.plain
        for part, one in answer.said.items()
        if part not in ("validation", *moved.OTHERS)
    ]
    found = (metrics.measure(one, rng=rng) for one in (*said, *beside))
    return [values[name] for values in found for name in SCORES if name in values]


def differences(answers, beside, *, rng):
    """By how much each row exceeds what needs no network, and rows each other."""
    said = {}
    for one in answers:
        if one.task.labels == "true" and one.task.plain:
            found = one.said["test"]
            said.setdefault((one.task.protocol, one.task.row), found)
    pairs = [
        (found, other, SCORES[-1:])
        for (name, _), found in said.items()
        for other in beside
        if other.protocol == name and set(other.image) == set(found.image)
    ]
    pairs += [
        (found, said[name, other], SCORES)
        for (name, row), found in said.items()
        for first, other in PAIRS
        if row == first and _same(found, said.get((name, other)))
    ]
    found = []
    for first, second, names in pairs:
        made = between.paired(first, second, rng=rng)  # few images lack some scores
        found += [made[name] for name in names if name in made]
    return found


def _same(first, second):
    """Whether two rows were tested on the same images."""
    return second is not None and set(first.image) == set(second.image)


def _images(task):
    """What trainings have in common that see the same images."""
    return task.protocol, task.labels, task.place.copies


def _shared(task):
    """What those have in common that see the same maps of them, too."""
    return *_images(task), task.place.trunk, task.place.side, task.word


def _answers(run, karyograms, split, group, sizes):
    """The answers of trainings on one split from one trunk."""
    first, seed = group[0], run.given("seed")
    parts = _parts(karyograms, split, first)
    trunk = network.Trunk(
        first.place.trunk,
        first.word,
        root=run.root,
        data=str(run.data),
        side=first.place.side or network.SIDE,
        canvas=sizes.canvas,
        seed=seed,
        half=True,
    )
    how = sizes.epochs, sizes.times, sizes.canvas
    todo = [task for task in group if rows.read(place(run, task), parts, how) is None]
    cuts = {task.place.cut for task in todo}
    seen = {"train": split.train} | parts if todo else {}
    maps = trunk.maps(seen, cuts)
    for task in todo:
        own = {name: found[task.place.cut] for name, found in maps.items()}
        labels = split.train.y, split.validation.y
        made = _trained(task, trunk, own, labels, run, sizes)
        rows.write(place(run, task), parts, made, how)
    return [_read(run, karyograms, task, parts, trunk.origin) for task in group]


def _parts(karyograms, split, task):
    """What a row is asked about: validation and test images, and others of use."""
    parts = {"validation": split.validation, "test": split.test}
    if task.protocol == "published":
        parts["unseen"] = split.unseen
    if task.labels == "true":
        parts["natural"], parts["external"] = karyograms.natural, karyograms.external
    if (task.labels, task.place.copies, task.place.side) == ("true", "processed", 0):
        parts |= moved.parts(split.test)
    return {name: part for name, part in parts.items() if part is not None}


def place(run, task):
    """Where a run keeps what a row said."""
    words = [task.row, task.protocol, task.word, task.labels]
    words += [] if task.plain else [task.member, *task.drop]
    name = "-".join(map(str, words)).replace(",", "").replace(" ", "-")
    return run.folder / "rows" / f"{name}.npz"


def _trained(task, trunk, maps, labels, run, sizes):
    """Arrays of what a row says of each part, and its history."""
    purpose = f"{task.row} {task.word} {task.member}"
    seed = streams.seed_of(run.given("seed"), purpose)
    model = trunk.rest(task.place.cut, seed=seed, drop=task.drop)
    train, validation = zip(
        (maps.pop("train"), maps["validation"]), labels, strict=True
    )
    started = time.monotonic()
    history = training.train(
        model,
        *train,
        validation=validation,
        monitor=MONITOR,
        epochs=sizes.epochs,
        patience=PATIENCE,
        batch=network.BATCH,
        seed=seed,
        checkpoint=place(run, task).with_suffix(""),
    )
    whole, learned = network.parameters(model)
    facts = {
        "seconds": time.monotonic() - started,
        "parameters": whole + trunk.below(task.place.cut),
        "learned": learned,
    }
    arrays = {"history": np.array(history.to_json())}
    arrays["facts"] = np.array(json.dumps(facts))
    images, alike = np.concatenate(list(maps.values())), _alike(model)
    once = probability(alike, images)
    draws = mc_dropout.draws(alike, images, times=sizes.times, seed=seed)
    ends = np.cumsum([len(part) for part in maps.values()])[:-1]
    parts = np.split(once, ends), np.split(draws.astype(np.float32), ends, axis=1)
    for name, one, many in zip(maps, *parts, strict=True):
        arrays |= {f"{name} once": one, f"{name} draws": many}
    return arrays


def _alike(model):
    """The model, as one that has predicted before: to compile again takes longer."""
    known = _compiled.setdefault(training.structure(model), model)
    if known is not model:
        known.set_weights(model.get_weights())
    if len(_compiled) > KEPT:
        _compiled.pop(next(iter(_compiled)))
    return known


def _read(run, karyograms, task, parts, origin):
    """The answer of a row, from what was kept of it."""
    with np.load(place(run, task), allow_pickle=False) as archive:
        arrays = {name: archive[name] for name in archive.files}
    words = run.label | {
        "source": karyograms.source,
        "model": task.row,
        "weights": origin.word,
        "protocol": task.protocol,
    }
    conditions = {"labels": task.labels}
    said, draws = {}, {}
    for name, part in parts.items():
        own = {"conditions": conditions | ({} if name == "test" else {"tested": name})}
        if name == "external":
            own["source"] = karyograms.external_source
        chance = arrays[f"{name} once"]
        said[name] = predict.predictions(part, chance, **words | own)
        draws[name] = arrays[f"{name} draws"]
    facts = json.loads(str(arrays["facts"])) | {"weights": origin.facts}
    history = pd.DataFrame(json.loads(str(arrays["history"])))
    return Answer(task, said, draws, history.reset_index(drop=True), facts)
