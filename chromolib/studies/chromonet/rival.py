"""The rival that knows the normal: a chromosome beside what its class should look like.

`read(run, images, count)` -> Chromosomes: straight ones of whole cells; None without
`run(run, chromosomes, *, sizes)` -> Rival: what it says of unseen ones, how rightly

# Strategy: bands are compared as sequences are, in a dot plot: every row of the
chromosome against every row of a reference, bright where the bands around both agree.
A normal one is a diagonal; a deletion breaks it, a duplication doubles it, an inversion
crosses it, and an exchange ends it. References are the mean profile of the class, of
training cells, and the homologue of the same cell, at the scale of their cell, so that
length counts. Nothing in a plot says which class it is of, so all classes teach one
small network, from fresh edits and shams of the training groups. The class is the one
that the source names: a reader has named the chromosome.
"""

import dataclasses
import itertools

import keras
import numpy as np
from scipy import ndimage

from chromolib import records
from chromolib.data import edits
from chromolib.evidence import metrics
from chromolib.models import counter_rng, predict, samples
from chromolib.models import train as training
from chromolib.studies.chromonet import data
from chromolib.synth import lab, labelled, singles

MODEL = "expected and homologue"
SIDE = 96  # rows of a plot; the longest class has most of them
FILL = 0.78
WINDOWS = (3, 8)  # rows on either side that are compared
FAINT = 0.05  # of stain: a window that varies less agrees with nothing
GROUND = 0.12  # of stain: what is darker is chromosome
HELD = 6  # every sixth training group chooses the epoch
PLAIN = 0.3  # share of untouched training chromosomes: the others teach more
FILTERS = (12, 24, 32, 48)
RATE, BATCH = 2e-3, 64
LENGTHS = (0, 5, 10, 15, 20, 30, 200)  # thousandths of a haploid set that are changed
BETTER = "AUROC of abnormal"
CLASSES = set(records.CLASSES)


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How long it learns."""

    epochs: int = 6
    shares: tuple = ()  # of the training groups, from which it learns again
    blurs: tuple = ()  # thousandths of a haploid set: how coarse bands are made


@dataclasses.dataclass(frozen=True, eq=False)
class Chromosomes:
    """Straight chromosomes of whole cells, and edited ones of groups never seen."""

    source: str
    straight: records.ImageSet  # as they are, of all groups
    train: np.ndarray  # (n,) bool: of groups that train
    test: records.ImageSet  # edited, with class, kind and sham


@dataclasses.dataclass(frozen=True, eq=False)
class Rival:
    """What it says of unseen chromosomes, and how right that is."""

    predictions: records.Predictions
    shown: dict  # kind -> dot plot against the class, of an unseen chromosome
    estimates: list


def read(run, images, count):
    """The run's own unseen edited chromosomes; without a source, drawn and edited.

    `images` are those of each unit. None where no single chromosome is asked about, or
    where nobody says of which class it is.
    """
    own = [one for one in images if one.unit == "chromosome"]
    if not own or (run.images is not None and not set(run.images.label) & CLASSES):
        return None
    if run.images is not None:
        straight = _known(labelled.straight(run.images))
        train = np.isin(straight.group, list(set(own[0].pool.group)))
        test = own[0].details
        test = test.take(np.isin(test.extra["class"], list(CLASSES)))
        return Chromosomes(own[0].source, straight, train, test)
    seed = run.given("seed")
    drawn = singles.images(lab.cells(count, look="g", seed=seed))
    straight = _known(labelled.straight(drawn))
    made = edits.structural(straight, rng=run.rng("rival edits"))
    _, test = labelled.divide(made, seed=seed)
    train = ~np.isin(straight.group, list(set(test.group)))
    return Chromosomes(f"{lab.SOURCE} (edited)", straight, train, test)


def _known(images):
    return images.take(np.isin(images.label, list(CLASSES)))


def run(run, chromosomes, *, sizes):
    """Learn from edits of the training groups, and ask of the unseen ones."""
    predictions, test = _asked(run, chromosomes, sizes)
    estimates = scores(predictions, chromosomes, rng=run.rng("rival"))
    kinds = chromosomes.test.extra["kind"]
    first = {kind: int(np.argmax(kinds == kind)) for kind in dict.fromkeys(kinds)}
    shown = {kind: test.x[i, ..., 0].astype(np.float32) for kind, i in first.items()}
    needed = needs(run, chromosomes, sizes)
    return Rival(predictions, shown, run.record_all(estimates + needed))


def needs(run, chromosomes, sizes):
    """What it would be with fewer images, and with coarser bands: Estimates."""
    ways = [({"share of groups": share}, {"share": share}) for share in sizes.shares]
    ways += [({"blurred over": blur}, {"blur": blur}) for blur in sizes.blurs]
    odd = chromosomes.test.label == data.LABELS[1]
    which = odd | (chromosomes.test.extra["sham"] == "yes")
    made = []
    for words, way in ways:
        predictions, _ = _asked(run, chromosomes, sizes, **way)
        how = words | {"against": "shams"}
        made += _measured(predictions.take(which), run.rng("rival"), **how)
    return made


def _asked(run, chromosomes, sizes, *, share=1, blur=0):
    """Predictions of unseen chromosomes, and their plots, of a network taught here."""
    seed = run.given("seed")
    if share < 1:
        groups = np.unique(chromosomes.straight.group[chromosomes.train])
        some = np.random.default_rng([seed, 41]).permutation(groups)
        some = some[: max(HELD, round(share * len(groups)))]
        known = chromosomes.train & np.isin(chromosomes.straight.group, some)
        chromosomes = dataclasses.replace(chromosomes, train=known)
    expected = Expected(chromosomes, blur=blur)
    train, held = _edited(chromosomes, expected, seed)
    test = _samples(expected, chromosomes.test)
    model = network(seed=seed)
    training.train(
        model,
        *train.xy,
        validation=held.xy,
        monitor="val_loss",
        epochs=sizes.epochs,
        batch=BATCH,
        seed=seed,
    )
    words = run.label | {"source": chromosomes.source, "model": MODEL}
    words |= {"weights": "none", "protocol": "clean"}
    words |= {"conditions": {"unit": "chromosome", "labels": "true"}}
    return predict.predict(model, test, **words), test


class Expected:
    """What each class looks like in training cells, and the scale of every cell."""

    def __init__(self, chromosomes, *, blur=0):
        images, train = chromosomes.straight, chromosomes.train
        self.blur = blur
        self.label, self.row = images.label, {n: i for i, n in enumerate(images.name)}
        raw = [_profile(one) for one in images.pixels]
        length = np.array([len(one) for one in raw], float)
        _, self.cell = np.unique(
            np.stack([images.group, images.cell]).astype(str),
            axis=1,
            return_inverse=True,
        )
        usual, scale = self._usual(length, train), None
        for _ in range(3):  # a cell's scale and a class's length, each by the other
            scale = _medians(length / usual, self.cell)
            usual = self._usual(length / scale[self.cell], train)
        unit = FILL * SIDE / usual.max()
        self.scale, self.length = scale / unit, length
        self.width = _medians(
            np.array([np.median(one[:, 1]) for one in raw]), self.cell
        )
        self.profiles = [
            self.sized(one, k) for one, k in zip(raw, self.cell, strict=True)
        ]
        self.mean = {
            name: np.mean(
                [_rows(self.profiles[i], round(unit * usual[own[0]])) for i in own], 0
            )
            for name in np.unique(images.label[train])
            if len(own := np.flatnonzero(train & (images.label == name)))
        }
        pairs = {}
        for i, key in enumerate(zip(self.cell, self.label, strict=True)):
            pairs.setdefault(key, []).append(i)
        self.homologue = {
            i: own[(own.index(i) + 1) % len(own)]
            for own in pairs.values()
            for i in own
            if len(own) > 1
        }

    def _usual(self, length, train):
        """(n,) the median length of each chromosome's class among those that train."""
        usual = np.full(len(length), np.median(length))
        for name in np.unique(self.label):
            own = self.label == name
            if (own & train).any():
                usual[own] = np.median(length[own & train])
        return usual

    def sized(self, profile, cell):
        """A profile in rows of the cell's scale, its width in that of the cell."""
        count = np.clip(round(len(profile) / self.scale[cell]), 2, SIDE)
        sized = _rows(profile, int(count)) / [1, self.width[cell]]
        if self.blur:  # a row is a thousandth, nearly: the longest class has 80
            how = {"sigma": self.blur / 2, "mode": "nearest"}
            sized[:, 0] = ndimage.gaussian_filter1d(sized[:, 0], **how)
        return sized

    def plots(self, picture, i):
        """(side, side, 2 * channels) of a picture of chromosome i, edited or not."""
        own = self.sized(_profile(picture), self.cell[i])
        others = [self.mean.get(self.label[i])]
        others.append(self.profiles[j] if (j := self.homologue.get(i)) else None)
        return np.concatenate([dots(own, other) for other in others], -1)


def _medians(values, of):
    """(k,) the median of each cell's values."""
    order = np.argsort(of, kind="stable")
    ends = np.cumsum(np.bincount(of))[:-1]
    return np.array([np.median(each) for each in np.split(values[order], ends)])


def _profile(picture):
    """(rows, 2): mean stain across, and width, of a straight chromosome."""
    ink = (255 - np.asarray(picture, np.float32)) / 255
    rows = np.flatnonzero((ink > GROUND).any(1))
    ink = ink[rows[0] : rows[-1] + 1] if len(rows) else ink
    width = np.maximum((ink > GROUND).sum(1), 1)
    return np.stack([ink.sum(1) / width, width], 1)


def _rows(profile, count):
    """The profile in so many rows."""
    at = np.linspace(0, len(profile) - 1, count)
    known = np.arange(len(profile))
    return np.stack([np.interp(at, known, column) for column in profile.T], 1)


def dots(own, other):
    """Every row of one against every row of the other: two windows, and the width."""
    plot = np.zeros((SIDE, SIDE, len(WINDOWS) + 1), np.float16)
    if other is None:
        return plot
    own, other = own[:SIDE], other[:SIDE]
    for k, reach in enumerate(WINDOWS):
        alike = _around(own[:, 0], reach) @ _around(other[:, 0], reach).T
        plot[: len(own), : len(other), k] = alike
    plot[: len(own), : len(other), -1] = 1 - abs(own[:, None, 1] - other[None, :, 1])
    return plot


def _around(line, reach):
    """(n, 2 * reach + 1) the bands around each row, of length one where there are."""
    padded = np.pad(line, reach, mode="edge")
    seen = np.lib.stride_tricks.sliding_window_view(padded, 2 * reach + 1)
    seen = seen - seen.mean(1, keepdims=True)
    return seen / np.maximum(np.linalg.norm(seen, axis=1, keepdims=True), FAINT)


def _samples(expected, edited):
    """The plots of edited chromosomes, as Samples."""
    plots = [
        expected.plots(picture, expected.row[name])
        for name, picture in zip(edited.name, edited.pixels, strict=True)
    ]
    columns = edited.label, edited.group, edited.name, data.LABELS
    return samples.Samples(np.array(plots), *columns)


def _edited(chromosomes, expected, seed):
    """Fresh edits of the training groups: those that train, those that choose."""
    straight = chromosomes.straight.take(np.flatnonzero(chromosomes.train))
    rng = np.random.default_rng([seed, 37])
    made = edits.structural(straight, rng=rng)
    plain = made.extra["kind"] == edits.UNTOUCHED
    made = made.take(np.flatnonzero(~plain | (rng.random(len(made)) < PLAIN)))
    every = _samples(expected, made)
    held = rng.permutation(np.unique(every.group))[::HELD]
    chooses = np.isin(every.group, held)
    return every.take(~chooses), every.take(chooses)


def network(*, seed):
    """A small network over dot plots, compiled: logits of normal and abnormal."""
    seeds = counter_rng.Seeds(seed)
    inputs = x = keras.Input((SIDE, SIDE, 2 * (len(WINDOWS) + 1)))
    for k, filters in enumerate(FILTERS):
        for strides in (2, 1)[: 1 + (k > 0)]:
            x = keras.layers.Conv2D(
                *(filters, 3 if k else 5, strides),
                padding="same",
                use_bias=False,
                kernel_initializer=keras.initializers.HeNormal(seeds()),
            )(x)
            x = keras.layers.BatchNormalization(momentum=0.9)(x)
            x = keras.layers.ReLU()(x)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(0.3, seed=seeds())(x)
    first = keras.initializers.GlorotUniform(seeds())
    x = keras.layers.Dense(2, kernel_initializer=first, dtype="float32")(x)
    model = keras.Model(inputs, x, name="rival")
    model.compile(
        keras.optimizers.AdamW(RATE),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True),
        metrics=["accuracy"],
    )
    return model


def scores(predictions, chromosomes, *, rng):
    """AUROC against shams, in all, by kind and by how much is changed; and a control:
    shams against untouched ones, which no seam may give away."""
    test = chromosomes.test
    sham, kind = test.extra["sham"] == "yes", test.extra["kind"]
    odd = predictions.truth == data.LABELS[1]
    share = changed(chromosomes)
    bins = {
        f"{low} to {high}": odd & (share >= low) & (share < high)
        for low, high in itertools.pairwise(LENGTHS)
    }
    parts = [
        ({"against": "shams"}, odd | sham),
        ({"against": "all normal"}, odd | True),
    ]
    parts += [
        ({"against": "shams", "kind": k}, (kind == k) | sham) for k in edits.ABNORMAL
    ]
    parts += [
        ({"against": "shams", "changed": name}, own | sham)
        for name, own in bins.items()
    ]
    made = []
    for words, which in parts:
        part = predictions.take(which)
        if len(set(part.truth)) == len(data.LABELS):
            made += _measured(part, rng, **words)
    control = predictions.take(~odd)
    label = np.where(sham[~odd], *data.LABELS[::-1])
    control = dataclasses.replace(control, truth=label)
    return made + _measured(control, rng, against="untouched", kind="shams")


def _measured(predictions, rng, **words):
    conditions = predictions.conditions | words
    one = dataclasses.replace(predictions, conditions=conditions)
    return list(metrics.measure(one, BETTER, rng=rng).values())


def changed(chromosomes):
    """(n,) thousandths of a haploid set of chromosomes that each edit changed."""
    straight, test = chromosomes.straight, chromosomes.test
    length = dict(
        zip(straight.name, (len(one) for one in straight.pixels), strict=True)
    )
    of_class = {
        name: np.mean([length[n] for n in straight.name[straight.label == name]])
        for name in np.unique(straight.label)
    }
    whole = sum(of_class.values()) / 1000
    shares = []
    for i, name in enumerate(test.name):
        first, last = map(int, test.extra["rows"][i].split(":"))
        before, after = length[name], len(test.pixels[i])
        kind = test.extra["kind"][i]
        rows = abs(before - after) if kind in ("del", "dup") else last - first
        shares.append(rows / before * of_class[test.extra["class"][i]] / whole)
    return np.array(shares)
