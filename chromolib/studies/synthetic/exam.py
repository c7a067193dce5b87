"""What the synthetic lab is worth: a network taught by it, by real cells, by both.

`sit(real, synthetic, *, upright)` -> [Estimate], the whole exam
`quick(real, synthetic, *, upright)` -> Quick, on cells that may be looked at often

Strategy: the source is cut once, between groups. The lab may be fitted to its train
part only, and k cells are drawn from there; the test part is looked at once, with
`final`. Without it, groups of the train part take its place and nothing else changes.
The network taught by synthetic cells goes on with the same k cells that another learns
from nothing; the latter has the larger budget, which it needs.
"""

import dataclasses
import zlib

import keras
import numpy as np

from chromolib import intervals, records, streams
from chromolib.data import splits
from chromolib.models import inputs, small, train

STUDY = "synthetic-exam"
TEST, SPLIT_SEED = 0.4, 0  # the division that the lab is fitted by
VALID, VALID_SEED = 0.3, 1  # within its train part
QUICK = 2500  # real chromosomes that are enough for a glance
WAYS = ("synthetic", "real", "both")
WEIGHTS = {"synthetic": "synthetic", "real": "none", "both": "synthetic"}


class ExamError(ValueError):
    """An exam that cannot be held with these images."""


@dataclasses.dataclass(frozen=True)
class Budget:
    """What each training may cost, chosen on groups held out of the train part."""

    taught: int = 1200  # steps on synthetic cells
    alone: int = 1200  # steps on k real cells, from nothing
    after: int = 300  # steps on k real cells, after synthetic ones
    rate: float = 2e-3  # of learning, from nothing
    gentle: float = 1e-4  # of learning, after synthetic ones, times k: one cell is
    most: float = 5e-4  # soon known by heart, and what was known before is lost
    batch: int = 128


@dataclasses.dataclass(frozen=True, eq=False)
class Sheet:
    """Chromosomes of the 24 classes as the network sees them."""

    images: np.ndarray  # (n, height, width, 1)
    label: np.ndarray  # (n,) index into CLASSES
    group: np.ndarray  # (n,)
    cell: np.ndarray  # (n,)

    def __len__(self):
        return len(self.label)

    def take(self, which):
        """The chosen chromosomes, by mask or by index."""
        columns = (getattr(self, one.name) for one in dataclasses.fields(self))
        return Sheet(*(column[which] for column in columns))


@dataclasses.dataclass(frozen=True, eq=False)
class Quick:
    """A glance: how the network taught by synthetic cells does on real ones."""

    accuracy: records.Estimate
    right: dict  # class -> share of its real chromosomes that are named right
    confusion: np.ndarray  # (24, 24) counts: real class, named class

    def __str__(self):
        """The accuracy, the classes from the worst, and what they are taken for."""
        lines = [f"accuracy {self.accuracy} of {self.accuracy.n:,}"]
        wrong = self.confusion * ~np.eye(len(self.confusion), dtype=bool)
        for name in sorted(self.right, key=self.right.get):
            row = wrong[records.CLASSES.index(name)]
            often = [i for i in np.argsort(-row, kind="stable")[:3] if row[i]]
            named = ", ".join(f"{records.CLASSES[i]} ({row[i]})" for i in often)
            lines.append(f"{name:>2}  {self.right[name]:.2f}  {named}")
        return "\n".join(lines)


def sheet(images, *, workers=1):
    """The chromosomes of the 24 classes, laid straight; markers are none of them."""
    images = images.take(np.isin(images.label, records.CLASSES))
    if not len(images):
        raise ExamError(f"{images.source} has no chromosome with a class")
    number = {name: i for i, name in enumerate(records.CLASSES)}
    label = np.array([number[name] for name in images.label])
    straight = inputs.straight(images, workers=workers)
    return Sheet(straight, label, images.group, images.cell)


def divided(real, *, final=False):
    """The images to draw cells from, and those to judge by; they share no group."""
    split = splits.divide(real, protocol="clean", test=TEST, seed=SPLIT_SEED)
    if final:
        return real.take(split.train), real.take(split.test)
    train = real.take(split.train)
    inner = splits.divide(train, protocol="clean", test=VALID, seed=VALID_SEED)
    return train.take(inner.train), train.take(inner.test)


def drawn(pool, k, *, seed):
    """The chromosomes of k cells, of as many groups as there can be.

    The cells for a smaller k are among them.
    """
    rng = streams.stream(seed, "cells")
    cells, first = np.unique(pool.cell, return_index=True)
    if k > len(cells):
        raise ExamError(f"{k} cells are asked for and there are {len(cells)}; ask less")
    mixed = rng.permutation(len(cells))
    group = pool.group[first][mixed]
    turn = np.zeros(len(cells), int)  # a group's second cell comes after all the first
    for name in np.unique(group):
        turn[group == name] = np.arange((group == name).sum())
    chosen = cells[mixed[np.argsort(turn, kind="stable")]][:k]
    return pool.take(np.isin(pool.cell, chosen))


def sit(
    real,
    synthetic,
    *,
    upright,
    ks=(1, 2, 5, 20),
    seeds=(0, 1, 2),
    final=False,
    budget=None,
    known=None,
    done=None,
    workers=1,
):
    """Accuracy on real cells after each way of learning, and what synthetic adds.

    `upright` says whether the source's chromosomes stand short arm up. `done(key,
    answers)` is called after each training, with (way, k, seed) and the classes named;
    what it kept comes back as `known`, and is not trained again.
    """
    pool, asked = (sheet(part, workers=workers) for part in divided(real, final=final))
    taught = sheet(synthetic, workers=workers)
    pupil = Pupil(pool, taught, asked, upright, budget or Budget())
    answers = dict(known or {})
    for seed in seeds:
        for way, k in (("synthetic", 0), *((w, k) for k in ks for w in WAYS[1:])):
            key = way, k, seed
            if len(answers.get(key, ())) != len(asked):
                answers[key] = pupil.answer(*key)
                if done:
                    done(key, answers[key])
    part = "test" if final else "valid"
    return _marks(answers, asked, ks, seeds, {"source": real.source}, part)


class Pupil:
    """The network that learns in each way; it keeps what one seed learned last."""

    def __init__(self, pool, taught, asked, upright, budget):
        self.pool, self.taught, self.asked = pool, taught, asked
        self.upright, self.budget, self.kept = upright, budget, (None, None)

    def answer(self, way, k, seed):
        """The class named for each chromosome that is asked about."""
        if way == "real":
            cells = drawn(self.pool, k, seed=seed)
            model = self._learned(cells, seed, self.budget.alone)
        elif k:
            cells, weights = drawn(self.pool, k, seed=seed), self._lessons(seed)
            rate = min(k * self.budget.gentle, self.budget.most)
            model = self._learned(cells, seed, self.budget.after, weights, rate)
        else:
            model = self._new(seed)
            model.set_weights(self._lessons(seed))
        return named(model, self.asked.images, upright=self.upright)

    def _new(self, seed):
        return network(self.asked.images.shape[1:], upright=self.upright, seed=seed)

    def _lessons(self, seed):
        """Weights after synthetic cells."""
        if self.kept[0] != seed:
            model = self._learned(self.taught, seed, self.budget.taught)
            self.kept = seed, model.get_weights()
        return self.kept[1]

    def _learned(self, lesson, seed, steps, weights=None, rate=None):
        model = small.ready(self._new(seed), steps=steps, rate=rate or self.budget.rate)
        if weights:
            model.set_weights(weights)
        return learned(model, lesson, steps=steps, seed=seed, batch=self.budget.batch)


def network(shape, *, upright, seed):
    """The exam's network; what does not stand upright is mirrored up and down too."""
    mirror = ("horizontal",) if upright else ("horizontal", "vertical")
    return small.cnn(shape, len(records.CLASSES), seed=seed, mirror=mirror)


def learned(model, lesson, *, steps, seed, batch=128):
    """The compiled model after so many steps on a sheet."""
    wanted = np.eye(len(records.CLASSES), dtype=np.float32)[lesson.label]
    once = {"epochs": 1, "steps": steps, "batch": batch}
    train.fit(model, lesson.images, wanted, seed=seed, **once)
    return model


def named(model, images, *, upright):
    """The likeliest class of each image; both ends are tried up unless upright."""
    views = [images] if upright else [images, images[:, ::-1]]
    logits = (model.predict(view, batch_size=512, verbose=0) for view in views)
    chance = sum(np.asarray(keras.ops.softmax(one)) for one in logits)
    return chance.argmax(1)


def _marks(answers, asked, ks, seeds, known, part):
    """Estimates of every way and every gain, the seeds pooled."""
    hits = {
        (way, k): np.array([answers[way, k, s] == asked.label for s in seeds])
        for way, k in dict.fromkeys((way, k) for way, k, _ in answers)
        if k in (0, *ks)
    }
    found = []
    for (way, k), right in hits.items():
        spread = right.mean(1)
        conditions = {"taught": way, "k": k, "part": part, "seeds": len(seeds)}
        conditions |= {
            "lowest": f"{spread.min():.4f}",
            "highest": f"{spread.max():.4f}",
        }
        found.append(
            estimate(
                "accuracy",
                right.mean(0),
                asked.group,
                weights=WEIGHTS[way],
                conditions=conditions,
                **known,
            )
        )
    for k in ks:
        gain = hits["both", k].mean(0) - hits["real", k].mean(0)
        found.append(
            estimate(
                "accuracy gained",
                gain,
                asked.group,
                least=-1.0,
                weights="synthetic",
                conditions={
                    "taught": "both against real",
                    "k": k,
                    "part": part,
                    "seeds": len(seeds),
                },
                **known,
            )
        )
    return found


def estimate(quantity, each, group, *, least=0.0, **words):
    """The mean of values from `least` to 1 with a 95 % interval over whole groups."""
    rng, span = np.random.default_rng(zlib.crc32(quantity.encode())), 1 - least
    # moved into [0, 1], where a share lives, and back
    number = intervals.share((np.asarray(each, float) - least) / span, group, rng=rng)
    value, low, high = (one * span + least for one in number)
    return records.Estimate(
        STUDY,
        quantity,
        value,
        low,
        high,
        n=len(each),
        groups=len(np.unique(group)),
        **{"protocol": "clean", "model": "small_cnn", **words},
    )


def quick(real, synthetic, *, upright, seed=0, steps=400, workers=1):
    """A glance at what synthetic cells teach, for those who draw them."""
    _, asked = divided(real)
    order = np.random.default_rng(0).permutation(np.unique(asked.cell))
    each = np.array([(asked.cell == cell).sum() for cell in order])
    asked = asked.take(np.isin(asked.cell, order[: 1 + (each.cumsum() < QUICK).sum()]))
    asked, taught = (sheet(one, workers=workers) for one in (asked, synthetic))
    model = network(asked.images.shape[1:], upright=upright, seed=seed)
    learned(small.ready(model, steps=steps), taught, steps=steps, seed=seed)
    answers = named(model, asked.images, upright=upright)
    confusion = np.zeros((len(records.CLASSES),) * 2, int)
    np.add.at(confusion, (asked.label, answers), 1)
    words = {"source": real.source, "weights": "synthetic", "seed": seed}
    conditions = {"taught": "synthetic", "k": 0, "part": "valid", "steps": steps}
    right = answers == asked.label
    mark = estimate("accuracy", right, asked.group, conditions=conditions, **words)
    share = np.diag(confusion) / np.maximum(confusion.sum(1), 1)
    there = np.flatnonzero(confusion.sum(1))
    return Quick(mark, {records.CLASSES[i]: float(share[i]) for i in there}, confusion)
