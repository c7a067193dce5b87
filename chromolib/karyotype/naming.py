"""What each chromosome of a field is, and which karyotype they make up.

`load(file)` -> Namer, a classifier of straight chromosomes with its card
`straight(crops)` -> the chromosomes of a cell as it sees them
`name(namer, found)` -> Named, of those found that it takes for chromosomes
`seen(namer, found)` -> what it says of each of them
`whole(score, chance, weights)` -> how likely each of them is one
`weighed(score, chance, right)` -> the weights of that, by objects that are known
`known(namer, images, find)` -> what it says of what a finder finds on known fields
`fitted(fields)` -> the weights by these, and the price of a copy more or fewer
`diagnosis(named)` -> karyotype, name, confidence, refer
"""

import contextlib
import dataclasses
import itertools
import types

import numpy as np
from scipy import optimize, special

from chromolib import records
from chromolib.cyto import assign, diagnose, iscn
from chromolib.data import compose, pixels
from chromolib.detect import scores
from chromolib.karyotype import fields, finding
from chromolib.models import inputs, predict, store

SURE = 0.9  # below this confidence a person should look
DOUBT = 0.5  # a name less probable than this is doubtful
WRONG = 3.0  # errors a cell may expect, where the card of a classifier does not say
LEAST = 1e-6  # nothing is impossible, nor certain
WHOLE = 0.6  # below this score an object may be no whole chromosome
# What an object's surest name weighs beside its finder's score, both as log odds, and
# what is left where both are even: where the card of a classifier does not say.
WEIGHTS = 0.4, -0.5


@dataclasses.dataclass(frozen=True, eq=False)
class Namer:
    """A classifier, and what its card says."""

    network: object
    facts: dict
    file: str

    @property
    def penalty(self):
        """What a copy more or fewer costs where a cell is named jointly."""
        return self.facts["penalty"]

    @property
    def most(self):
        """The errors that a cell may expect before a person should look at it."""
        return self.facts.get("most wrong", WRONG)

    @property
    def weights(self):
        """Of its names, beside a finder's score: see `whole`."""
        return self.facts.get("whole", WEIGHTS)


@dataclasses.dataclass(frozen=True, eq=False)
class Named:
    """The chromosomes of one field with their names."""

    found: finding.Found  # those that have a name
    label: np.ndarray  # (n,) of records.CLASSES
    probability: np.ndarray  # (n, 24) of the classifier, each seen alone
    sound: np.ndarray  # (n,) bool: has one long axis
    score: np.ndarray  # (n,) how likely it is one whole chromosome, see `whole`
    upright: tuple  # (n,) grey, straight, short arm up
    given: np.ndarray  # (n,) bool: the name is the laboratory's
    left: int = 0  # out, of those that the finder alone would take

    def __len__(self):
        return len(self.label)

    @property
    def own(self):
        """(n,) the probability of each name."""
        index = [records.CLASSES.index(label) for label in self.label]
        return self.probability[np.arange(len(self)), index]

    @property
    def wrong(self):
        """How many errors to expect: names, and places left empty or filled twice."""
        doubt = np.where(self.given, 0, 1 - self.own)
        return float(doubt.sum()) + sum(map(len, assign.uneven(self.label)))

    @property
    def doubtful(self):
        """(n,) bool: the classifier alone would hardly have said so."""
        return self.own < DOUBT


def load(file):
    """The classifier in a file, if it is one that names straight chromosomes."""
    network, facts = store.load(file, unit="chromosome")
    wrong = tuple(facts["classes"]) != records.CLASSES or not facts.get("penalty")
    if wrong or network.input_shape != (None, *inputs.FINE, 1):
        raise store.ModelError(
            f"{store.named(file).name} names no straight chromosomes of a whole cell; "
            "make one with `chromolib train`, or name another: --model"
        )
    return Namer(network, facts, store.named(file).name)


def name(namer, found, *, rename=False):
    """Every chromosome named, the cell as a whole; names that were given are kept
    unless `rename`. What the finder is not sure of is taken where the cell lacks it."""
    chance, sound = seen(namer, found)
    given = np.isin(found.boxes.label, records.CLASSES) & (not rename)
    kept = np.where(given, found.boxes.label, records.CLASSES[0])
    held = _one_hot([records.CLASSES.index(label) for label in kept])
    taken_as = np.where(given[:, None], held, chance)
    score, doubted = found.boxes.score, None
    if found.least:
        score = whole(score, chance, namer.weights)
        doubted = np.where(given, 1, score)
    named, _ = assign.cell(taken_as, penalty=namer.penalty, whole=doubted)
    named = np.where(given, held.argmax(1), named)
    upright = (
        compose.rendered(one.ink) if ok else crop
        for one, ok, crop in zip(found.straight, sound, found.crops, strict=True)
    )
    taken = named >= 0
    label = np.array(records.CLASSES)[named[taken]]
    columns = chance, sound, score
    columns = (each[taken] for each in columns)
    upright = tuple(itertools.compress(upright, taken))
    left = len(found.alone) - len(found.take(taken).alone)
    return Named(found.take(taken), label, *columns, upright, given[taken], left)


def seen(namer, found):
    """(n, 24) what the classifier says of each, and (n,) whether it has an axis."""
    x, sound = inputs.laid(
        _images(found.crops), canvas=inputs.FINE, known=found.straight
    )
    return predict.views(namer.network, x, upright=False), sound


def whole(score, chance, weights=WEIGHTS):
    """How likely each is one whole chromosome, by its finder and its classifier.

    What is cut amiss, a piece or two at once, looks like none of the classes.
    """
    return special.expit(_odds(score, chance, weights))


def _odds(score, chance, weights):
    finder, name = (
        special.logit(np.clip(p, LEAST, 1 - LEAST)) for p in (score, chance.max(1))
    )
    return finder + weights[0] * name + weights[1]


def weighed(score, chance, right):
    """The weights of `whole` that make likeliest which objects are `right`; few objects
    change the usual ones little."""

    def lost(weights):
        odds = _odds(score, chance, weights)
        unlikely = np.logaddexp(0, odds) - right * odds
        return unlikely.sum() + np.square(weights - np.array(WEIGHTS)).sum()

    return optimize.minimize(lost, WEIGHTS).x


def known(namer, images, find):
    """Of each field with true boxes the score, probabilities and true name of every
    object that is found, what is no chromosome has none; and all true names."""
    for field, truth in zip(fields.of(images), images.boxes, strict=True):
        with contextlib.suppress(fields.Refused):
            found = find(field)
            both = scores.match(truth, found.boxes)
            name = np.full(len(found), "", "<U2")
            name[both.found] = truth.label[both.truth]
            yield found.boxes.score, seen(namer, found)[0], name, truth.label


def fitted(cells):
    """What the card of a classifier says of cells that a finder found, as in `known`:
    the weights of `whole`, and the price of a copy more or fewer.

    Under it most cells have the true number of each class, and of such prices most
    objects their name: names alone hardly differ between prices that make a tenth of
    all cells abnormal and those that do not.
    """
    score, chance, name, _ = map(np.concatenate, zip(*cells, strict=True))
    weights = weighed(score, chance, name != "").round(2)

    def right(penalty):
        copies = names = 0
        for score, chance, name, true in cells:
            likely = whole(score, chance, weights)
            taken, _ = assign.cell(chance, penalty=penalty, whole=likely)
            label = np.append(records.CLASSES, "none")[taken]
            copies += sorted(label[taken >= 0]) == sorted(true)
            names += (label == name).sum()
        return copies, names

    return {"whole": weights.tolist(), "penalty": max(assign.PENALTIES, key=right)}


def straight(crops, sure=None):
    """The crops of a cell as classifiers see them, and which of them have an axis.

    Where only some are `sure` to be chromosomes, these say how large all are seen.
    """
    return inputs.laid(_images(crops), canvas=inputs.FINE, sure=sure)


def _images(crops):
    """The crops as single chromosomes of one cell."""
    n = len(crops)
    return records.ImageSet(
        source="metaphase",
        name=np.arange(n).astype(str),
        label=np.full(n, ""),
        group=np.full(n, "cell"),
        unit="cell",
        pixels=pixels.pack(crops),
    )


def _one_hot(index):
    return np.eye(len(records.CLASSES))[index]


def diagnosis(named, *, penalty, sure=SURE, most=WRONG):
    """The karyotype of the cell, or why there is none; and whether to look at it.

    The confidence is that the number of each class is right, if each object is one
    whole chromosome. Names that the laboratory gave are taken as right.
    """
    index = [records.CLASSES.index(label) for label in named.label]
    chance = np.where(named.given[:, None], _one_hot(index), named.probability)
    cell = types.SimpleNamespace(
        group=np.full(len(named), "cell"),
        cell=np.full(len(named), "cell"),
        probability=chance,
        refer=~named.sound & ~named.given,
    )
    (row,) = diagnose.cells(cell, penalty=penalty, sure=sure).to_dict("records")
    found, wrong = diagnose.written(named.label)
    whole = len(named) >= diagnose.WHOLE  # a missing one may be lost
    parts = int((named.score < WHOLE).sum())
    doubt = [f"{parts} objects may be no whole chromosome"] if parts else []
    if named.left:
        doubt.append(f"{named.left} objects left out that may be chromosomes")
    if named.wrong > most:
        doubt.append(f"about {named.wrong:.0f} names or places may be wrong")
    reasons = [reason for reason in (wrong, row["reason"], *doubt) if reason]
    return {
        "karyotype": found,
        "name": iscn.describe(iscn.parse(found)) if found and whole else "",
        "confidence": round(row["confidence"], 4),
        "refer": bool(reasons),
        "reason": "; ".join(dict.fromkeys(reasons)),
    }
