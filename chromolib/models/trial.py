"""One question, normal or abnormal, asked by the paper's protocol and by a clean one.

`hold(images, unseen, unit=..., seed=..., sizes=..., words=...)` -> Trial

# Strategy: both protocols are the same two steps, in another order. Published: grow
# the sources to the paper's counts, then draw training and test images from all
# copies; the test images also choose the epoch (section 4.3 and figures 5 to 8 of the
# paper). Clean: divide the sources by group into training and validation, grow the
# training part alone, choose the epoch on validation, and test on images of groups
# never seen. Random labels, dealt to sources, show what a protocol gives for nothing.
"""

import dataclasses
import math

import numpy as np
import pandas as pd

from chromolib import records
from chromolib.models import (
    chromonet,
    classical,
    expand,
    features,
    fit,
    pictures,
    weights,
)

LABELS = chromonet.LABELS
PAPER = {  # images of section 4.5
    "train": {"normal": 660, "abnormal": 603},
    "test": {"normal": 286, "abnormal": 254},
}
SOURCES = 193  # of section 4.1
VALID = 0.2  # of the sources' groups, in a clean trial
BATCH = 32
NOWHERE = weights.Origin("none")


class TrialError(ValueError):
    """Images that this question cannot be asked of."""


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large a trial is; nothing else may depend on the profile."""

    sources: int = SOURCES
    share: float = 1.0  # of the paper's counts of images
    epochs: int = 20
    patience: int = 6
    start: weights.Origin = NOWHERE  # of ChromoNet as read


@dataclasses.dataclass(frozen=True, eq=False)
class Part:
    """Pictures with their labels; copies of one source have one group."""

    pictures: np.ndarray  # (n, height, width, 1)
    label: np.ndarray
    group: np.ndarray
    image: np.ndarray

    def __len__(self):
        return len(self.label)

    @property
    def target(self):
        """The labels as numbers."""
        return (self.label == LABELS[1]).astype(np.int32)

    def take(self, which):
        """The chosen pictures."""
        fields = dataclasses.fields(self)
        return Part(*(getattr(self, field.name)[which] for field in fields))

    def join(self, other):
        """These pictures, then the other's."""
        both = (
            (getattr(self, f.name), getattr(other, f.name))
            for f in dataclasses.fields(self)
        )
        return Part(*map(np.concatenate, both))


@dataclasses.dataclass(frozen=True, eq=False)
class Division:
    """Who learns, who chooses the epoch, and who judges."""

    protocol: str
    train: Part
    plain: Part  # the sources of the training images as they are
    valid: Part
    test: Part


@dataclasses.dataclass(frozen=True, eq=False)
class Trial:
    """Everything a study shows of one unit."""

    unit: str
    divisions: dict  # protocol -> Division, true labels
    predictions: list  # records.Predictions
    curves: dict  # (model, protocol) -> frame of epochs
    networks: dict  # protocol -> the trained ChromoNet

    def pick(self, model="ChromoNet", protocol="clean", condition=""):
        """The predictions of one model whose condition holds these words."""
        return next(
            one
            for one in self.predictions
            if (one.model, one.protocol) == (model, protocol)
            and one.condition == _condition(self.unit, condition)
        )


def part(images, unit, by=None):
    """A set's images as pictures of one size, scaled as `pictures.of` does."""
    check(images)
    shown = pictures.of(images, unit, by)
    return Part(shown, images.label, images.group, images.name)


def check(images):
    """Refuse a set without both labels."""
    missing = [word for word in LABELS if word not in set(images.label)]
    if missing:
        raise TrialError(
            f"{images.source} has no image labelled {missing[0]!r}; a network that "
            "tells normal from abnormal needs both: add images or name another source"
        )


def drawn(whole, count, *, seed):
    """So many of the images as sources, normal and abnormal as in the paper."""
    totals = {word: sum(counts[word] for counts in PAPER.values()) for word in LABELS}
    rng = np.random.default_rng([seed, 17])
    chosen = []
    for word in LABELS:
        wanted = round(count * totals[word] / sum(totals.values()))
        pool = np.flatnonzero(whole.label == word)
        if len(pool) < min(wanted, 10):
            raise TrialError(
                f"only {len(pool)} {word} images for {wanted} sources; take more "
                "images or a smaller profile"
            )
        chosen.append(rng.permutation(pool)[:wanted])
    return whole.take(np.sort(np.concatenate(chosen)))


def shuffled(one, *, seed):
    """The same pictures with labels dealt at random."""
    rng = np.random.default_rng([seed, 19])
    return dataclasses.replace(one, label=rng.permutation(one.label))


def published(sources, *, share, seed):
    """The paper's order: grow, then divide by image; the test part also validates."""
    counts = {
        word: sum(_share(PAPER[k][word], share) for k in PAPER) for word in LABELS
    }
    grown = _grown(sources, counts, seed)
    rng = np.random.default_rng([seed, 23])
    train = np.zeros(len(grown), bool)
    for word in LABELS:
        pool = rng.permutation(np.flatnonzero(grown.label == word))
        train[pool[: _share(PAPER["train"][word], share)]] = True
    test = grown.take(~train)
    return Division("published", grown.take(train), sources, test, test)


def clean(sources, unseen, *, share, seed):
    """Divide by group, grow the training part alone, judge by unseen groups."""
    both = set(sources.group) & set(unseen.group)
    if both:
        raise TrialError(f"group {str(min(both))!r} is among sources and unseen images")
    rng = np.random.default_rng([seed, 29])
    groups = rng.permutation(np.unique(sources.group))
    count = round(VALID * len(groups))
    valid = np.isin(sources.group, groups[:count])
    sides = [set(sources.label[mask]) for mask in (valid, ~valid)]
    if min(map(len, sides)) < 2:
        raise TrialError(
            f"{len(groups)} groups are too few to divide: a part lacks a label; "
            "add groups, or label images of more patients"
        )
    plain = sources.take(~valid)
    counts = {word: _share(PAPER["train"][word], share) for word in LABELS}
    counts = {word: max(counts[word], (plain.label == word).sum()) for word in LABELS}
    train = _grown(plain, counts, seed)
    return Division("clean", train, plain, sources.take(valid), unseen)


def hold(sources, unseen, *, unit, seed, sizes, protocols, words, say=None):
    """Train and test every model by each protocol, on true and on random labels."""
    trial = Trial(unit, {}, [], {}, {})
    chance = shuffled(sources, seed=seed), shuffled(unseen, seed=seed + 1)
    for protocol in protocols:
        division = _divided(protocol, sources, unseen, sizes, seed)
        trial.divisions[protocol] = division
        known = words | {"protocol": protocol}
        _networks(trial, division, unseen, known, sizes, seed, say)
        _features(trial, division, known, seed)
        random = _divided(protocol, *chance, sizes, seed)
        model, _ = learn(random, sizes=sizes, seed=seed, say=say)
        told = ask(model, random.test, known, unit, "labels=random")
        trial.predictions.append(told)
    return trial


def learn(division, *, sizes, seed, say=None, build=chromonet.network, **reading):
    """A network trained on a division, and its epochs."""
    model = build(division.train.pictures.shape[1:], seed=seed, **reading)
    if build is chromonet.network and not reading:
        weights.load_trunk(model, sizes.start)
    told = fit.fit(
        model,
        division.train.pictures,
        division.train.target,
        epochs=sizes.epochs,
        seed=seed,
        batch=BATCH,
        valid=(division.valid.pictures, division.valid.target),
        patience=sizes.patience,
        say=say,
    )
    return model, told


def ask(model, one, words, unit, *conditions, name="ChromoNet"):
    """What a network says of pictures."""
    logits = np.asarray(model.predict(one.pictures, batch_size=256, verbose=0))
    logits = logits.astype(np.float64)
    odds = np.exp(logits - logits.max(1, keepdims=True))
    probability = odds / odds.sum(1, keepdims=True)
    return _said(one, probability, words, unit, conditions, name)


def sweep(whole, unseen, counts, *, unit, seed, sizes, words, say=None):
    """The clean trial with ever more sources: Predictions, one a number of them."""
    found = []
    for count in counts:
        sources = drawn(whole, count, seed=seed)
        division = clean(sources, unseen, share=sizes.share, seed=seed)
        model, _ = learn(division, sizes=sizes, seed=seed, say=say)
        extra = f"sources={len(sources)}"
        found.append(ask(model, unseen, words, unit, "labels=true", extra))
    return found


def readings(division, names, *, unit, seed, sizes, words, say=None):
    """Other readings of the paper's network on a division: Predictions, one each."""
    found = []
    for name in names:
        model, _ = learn(
            division, sizes=sizes, seed=seed, say=say, **chromonet.READINGS[name]
        )
        extra = f"reading={name}"
        found.append(ask(model, division.test, words, unit, "labels=true", extra))
    return found


def _divided(protocol, sources, unseen, sizes, seed):
    if protocol == "published":
        return published(sources, share=sizes.share, seed=seed)
    return clean(sources, unseen, share=sizes.share, seed=seed)


def _networks(trial, division, unseen, words, sizes, seed, say):
    """ChromoNet and the traditional model, trained and asked."""
    unit, protocol = trial.unit, division.protocol
    model, told = learn(division, sizes=sizes, seed=seed, say=say)
    trial.networks[protocol] = model
    trial.curves["ChromoNet", protocol] = told
    trial.predictions.append(ask(model, division.test, words, unit, "labels=true"))
    if protocol == "published":  # the same network on patients it has not seen
        extra = ask(model, unseen, words, unit, "labels=true", "tested=unseen")
        trial.predictions.append(extra)
    plain = dataclasses.replace(division, train=division.plain)
    model, told = learn(
        plain, sizes=sizes, seed=seed, say=say, build=chromonet.traditional
    )
    trial.curves["traditional", protocol] = told
    trial.predictions.append(
        ask(model, division.test, words, unit, "labels=true", name="traditional")
    )


def _features(trial, division, words, seed):
    """The classical models, on hand-made features of the same pictures."""
    train, test = (
        features.table(one.pictures) for one in (division.train, division.test)
    )
    for name in classical.MODELS:
        model = classical.train(name, train, division.train.label, seed=seed)
        probability = classical.predict(model, test, classes=LABELS)
        trial.predictions.append(
            _said(division.test, probability, words, trial.unit, ("labels=true",), name)
        )


def _said(one, probability, words, unit, conditions, name):
    return records.Predictions(
        image=one.image,
        group=one.group,
        truth=one.label,
        probability=probability,
        classes=LABELS,
        model=name,
        condition=_condition(unit, *conditions),
        **words,
    )


def _condition(unit, *parts):
    return ";".join([f"unit={unit}", *filter(None, parts)])


def _share(count, share):
    return max(4, math.floor(count * share))


def _grown(sources, counts, seed):
    """The sources grown by the paper's augmentation to these counts."""
    made = expand.expand(
        sources.pictures,
        sources.label,
        sources.group,
        counts=counts,
        name="chromonet",
        seed=seed,
        background=0.0,
    )
    frame = pd.DataFrame({"name": sources.image[made.source], "copy": made.copy})
    names = frame["name"] + "#" + frame["copy"].astype(str)
    return Part(made.images, made.label, made.group, names.to_numpy(dtype=str))
