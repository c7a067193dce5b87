"""Which karyograms should be labelled next: the least certain, or any?

`run(run, karyograms, *, sizes)` -> Estimates by the number of labelled images

The thesis speaks of such queries (section 5.2) and makes none. A linear probe of the
trunk's maps learns from a few images of the pool, asks for more, and learns again.
"""

import dataclasses

import numpy as np

from chromolib.evidence import metrics
from chromolib.models import predict
from chromolib.studies.chu import network, transfer

WAYS = ("least certain", "at random")


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large the comparison is; nothing else may depend on the profile."""

    trunk: str = "vgg16"
    first: int = 20  # images labelled before the first question
    step: int = 20
    rounds: int = 6


def run(run, karyograms, *, sizes):
    """The score on unseen images after each round, by both ways of asking."""
    pool, unseen = karyograms.pool, karyograms.unseen
    word = run.given("weights") if sizes.trunk != network.SMALL else "domain"
    how = {"root": run.root, "data": str(run.data), "half": True}
    trunk = network.Trunk(sizes.trunk, word, seed=run.given("seed"), **how)
    cut = transfer.CUTS[sizes.trunk][-1]
    maps = trunk.maps({"pool": pool, "unseen": unseen}, {cut}).values()
    train, test = (transfer.layers(part[cut]) for part in maps)
    words = run.label | {"source": karyograms.source, "protocol": "clean"}
    words |= {"model": f"linear probe of {sizes.trunk}", "weights": trunk.origin.word}
    estimates = []
    for way in WAYS:
        for count, chance in _rounds(train, pool.y, test, way, sizes, run):
            conditions = {"asked": way, "labelled": count}
            said = predict.predictions(unseen, chance, **words, conditions=conditions)
            rng = run.rng("active scores")
            estimates += metrics.measure(said, transfer.SCORE, rng=rng).values()
    return run.record_all(estimates)


def _rounds(train, labels, test, way, sizes, run):
    """How many images are labelled, and what the probe then says of the test rows."""
    rng = run.rng("active")
    order = rng.permutation(len(train))
    known = list(_both(order, labels, sizes.first))
    for _ in range(sizes.rounds):
        rows = np.array(known)
        yield len(rows), transfer.probe(train[rows], labels[rows], test, seed=0)
        rest = np.setdiff1d(order, rows, assume_unique=True)
        if not len(rest):
            return
        known += list(_asked(way, train, labels, rows, rest, rng)[: sizes.step])


def _both(order, labels, count):
    """The first images, which must show both labels."""
    one = [order[labels[order] == label][0] for label in np.unique(labels)]
    others = [i for i in order if i not in one]
    return one + others[: max(0, count - len(one))]


def _asked(way, train, labels, rows, rest, rng):
    """The images left, those to be labelled next first."""
    if way == "at random":
        return rng.permutation(rest)
    chance = transfer.probe(train[rows], labels[rows], train[rest], seed=0)
    return rest[np.argsort(chance.max(1), kind="stable")]
