"""Chromosomes broken by radiation: seen one by one, counted by cell, read as a dose.

`run(run, sizes=)` -> Damage: the estimates, and a row a dose

# Strategy: nearly all chromosomes are whole even after a high dose, so that a network
that is wrong once in a hundred finds a dicentric in every second cell of anybody. It
learns from cells that were broken much; how sure it must be is chosen on other cells,
so that it finds as many dicentrics as there are.
"""

import dataclasses

import numpy as np
import pandas as pd

from chromolib import streams
from chromolib.cyto import dose
from chromolib.evidence import resample
from chromolib.models import inputs, predict, samples, small
from chromolib.synth import cases, irradiated, lab, singles

KINDS = ("undamaged", "dicentric", "ring", "fragment")
MARKS = {"dic(": "dicentric", "r(": "ring", "ace": "fragment"}  # of a name
BROKEN = (4, 3)  # dicentrics and rings of a cell that is learned from
MODEL = "bands"


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large it is; nothing else may depend on the profile."""

    broken: int = 120  # cells that are learned from
    steps: int = 800
    doses: tuple = (0, 1, 2, 3, 4)  # Gy
    cells: int = 60  # of each dose, that choose, and as many that test


@dataclasses.dataclass(frozen=True, eq=False)
class Damage:
    """How well each kind is told, and what doses that comes to."""

    estimates: list
    doses: pd.DataFrame


def run(run, *, sizes):
    """A network of damage, trained and asked about people of known dose."""
    seed = run.given("seed")
    train = _samples(_broken(sizes.broken, seed))
    model = small.bands(
        train.x.shape[1:], len(KINDS), seed=seed, mirror=("horizontal", "vertical")
    )
    small.train(model, train.x, train.y, steps=sizes.steps, seed=seed)
    held, test = (_people(sizes, seed, first) for first in (0, len(sizes.doses)))
    level = _level(_chance(model, held), held.y == 1)
    chance = _chance(model, test)
    others = np.array([0, 2, 3])  # places of the kinds that are no dicentric
    found = others[chance[:, others].argmax(1)]
    found = np.where(chance[:, 1] > level, 1, found)
    words = run.label | {"source": lab.SOURCE, "model": MODEL, "weights": "none"}
    words |= {"protocol": "clean", "conditions": {"labels": "damage"}}
    made = resample.estimates(words, [_told(test, found)], rng=run.rng("damage"))
    return Damage(run.record_all(made.values()), _doses(test, found, sizes))


def _broken(count, seed):
    """Cells that were broken much, of as many people."""
    rng = streams.stream(seed, "broken cells")
    for k in range(count):
        karyotype = cases.irradiated(rng, rng.choice(["XX", "XY"]), *BROKEN)
        yield lab.cell(karyotype, look="g", seed=seed, patient=k)


def _people(sizes, seed, first):
    """The chromosomes of people of each dose; a person's dose is its group."""
    parts = [
        _samples(irradiated.cells(sizes.cells, gray, seed=seed + 1, patient=first + k))
        for k, gray in enumerate(sizes.doses)
    ]
    named = [
        dataclasses.replace(part, group=np.full(len(part), f"{gray} Gy"))
        for part, gray in zip(parts, sizes.doses, strict=True)
    ]
    whole = named[0]
    for part in named[1:]:
        whole = whole.concatenate(part)
    return whole


def _samples(cells):
    """The chromosomes of cells, laid straight, by what radiation made of them."""
    images = singles.images(cells)
    label = [
        next((kind for mark, kind in MARKS.items() if name.startswith(mark)), KINDS[0])
        for name in images.extra["made"]
    ]
    x = inputs.straight(images, canvas=inputs.FINE)
    columns = np.array(label), images.group, images.name, KINDS, images.cell
    return samples.Samples(x, *columns)


def _chance(model, part):
    return predict.views(model, part.x, upright=False)


def _level(chance, true):
    """How sure it must be that as many dicentrics are found as there are."""
    rising = np.sort(chance[:, 1])[::-1]
    return rising[min(int(true.sum()), len(rising) - 1)]


def _told(part, found):
    """The share of each kind that is told, and of the undamaged that are not."""
    cell, names = pd.factorize(np.char.add(part.group, part.cell))
    kind = part.y[:, None] == np.arange(len(KINDS))
    right = kind & (found == part.y)[:, None]
    sums = [
        np.stack([np.bincount(cell, column, len(names)) for column in both.T], 1)
        for both in (right, kind)
    ]
    return resample.rates([f"share told, {one}" for one in KINDS], *sums)


def _doses(part, found, sizes):
    """A row a dose: what was drawn, what was counted, and either read as a dose."""
    rows = []
    for gray in sizes.doses:
        own = part.group == f"{gray} Gy"
        cells = len(set(part.cell[own]))
        drawn, counted = (int((one[own] == 1).sum()) for one in (part.y, found))
        read = {
            f"dose by {name}": str(dose.estimate(count, cells, method="exact"))
            for name, count in (("those drawn", drawn), ("those counted", counted))
        }
        rows.append(
            {"drawn, Gy": gray, "cells": cells, "dicentrics": drawn, "counted": counted}
            | read
            | {"cells for half a Gy": dose.cells_needed(gray) if gray else ""}
        )
    return pd.DataFrame(rows)
