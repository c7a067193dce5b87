"""What a chromosome looks like along its length, read off its ideogram.

`patterns(homologues, look, sizes, level)` -> Patterns: stain and breadth, tip to tip
`variants(rng, copies)` -> how long each copy's heterochromatin is
"""

import collections
import csv
import dataclasses
import functools
import itertools

import numpy as np

from chromolib import records
from chromolib.cyto import bands, groups

SAMPLES = 256  # places along a chromosome
FINE = 1024  # places along the ideogram of each reference chromosome
WAIST = 0.022  # of chromosome 1: how far a centromere narrows it, to either side
STALK = 0.5  # breadth of a satellite's stalk
# Stain by ideogram: pale bands, dark ones by their density, and what varies. G bands
# darken what Q bands brighten, but for heterochromatin, where quinacrine is choosy.
STAINS = {
    "g": {"gneg": 0.06, "gpos": 1.0, "acen": 0.62, "gvar": 0.62, "stalk": 0.1},
    "q": {"gneg": 0.12, "gpos": 1.0, "acen": 0.45, "gvar": 0.3, "stalk": 0.08},
}
# Quinacrine: brilliant Yq12, bright centromeres of 3 and often 13, satellites; dull
# 1q12, 9q12, 16q11. Giemsa: 9q12 pale, 1q12, 16q11 and Yq12 dark (ISCN's own figures).
HETERO = {
    "g": {"1": 0.85, "9": 0.3, "16": 0.85, "Y": 0.75},
    "q": {"1": 0.2, "9": 0.15, "16": 0.2, "Y": 2.4},
}
VARIABLE = ("1", "9", "16", "Y")  # whose long heterochromatin varies most
LONG, SHORT = 0.25, 0.2  # sd of the logarithm of its length, there and in satellites


@dataclasses.dataclass(frozen=True, eq=False)
class Patterns:
    """Chromosomes, a row each, sampled from the p end (t = 0) to the q end (t = 1)."""

    length: np.ndarray  # (n,) over that of a normal chromosome 1
    stain: np.ndarray  # (n, SAMPLES) 0 is no stain, 1 the darkest band
    breadth: np.ndarray  # (n, SAMPLES) over the full breadth of a chromatid pair
    away: np.ndarray  # (n, SAMPLES) from the nearest centromere, in lengths of 1
    ring: np.ndarray  # (n,) bool


@functools.cache
def fitted(look):
    """What real chromosomes of a class have more than their ideogram, along the axis.

    Stain, breadth and length, (classes, places) each, as `fitting` found them on
    training cells.
    """
    tables = {"stain": [], "breadth": [], "length": []}  # rows in order of the classes
    with (bands.TABLES / f"fitted-{look}.csv").open(newline="") as file:
        for _, kind, *values in itertools.islice(csv.reader(file), 1, None):
            tables[kind].append([float(value) for value in values if value])
    return tuple(map(np.array, tables.values()))


@functools.cache
def reference(look, level, fit):
    """Stain and breadth of all ideograms, one after the other on one line."""
    ideograms = bands.read(level)
    stain, breadth = [], []
    for ideogram in ideograms.values():
        at = (np.arange(FINE) + 0.5) / FINE * ideogram.length
        which = np.searchsorted(ideogram.edges, at, side="right") - 1
        values = [_of_band(look, ideogram, k) for k in range(len(ideogram.bands))]
        stain.append(np.array(values)[which])
        away = np.abs(at - ideogram.centromere) / ideograms["1"].length
        breadth.append(_breadth(away, np.array(ideogram.stain)[which]))
    stain, breadth = np.array(stain), np.array(breadth)
    if fit:
        more, wider, _ = fitted(look)
        stain, breadth = stain + _fine(more), breadth * (1 + _fine(wider))
    return np.maximum(stain, 0).ravel(), np.maximum(breadth, 0.05).ravel()


def _fine(rows):
    """The rows at every place of a reference chromosome."""
    at = (np.arange(FINE) + 0.5) / FINE * rows.shape[1] - 0.5
    return np.array([np.interp(at, np.arange(rows.shape[1]), row) for row in rows])


def _of_band(look, ideogram, k):
    table, kind = STAINS[look], ideogram.stain[k]
    if kind == "gpos":
        depth = table["gpos"] - table["gneg"]
        return table["gneg"] + depth * ideogram.density[k] / 100
    if kind == "gvar" and ideogram.name in HETERO[look]:
        return HETERO[look][ideogram.name]
    return table[kind]


def _breadth(away, kind):
    """Full along the arms, narrow at the centromere and at a satellite's stalk."""
    breadth = 1 - np.exp(-0.5 * (away / WAIST) ** 2)
    return np.minimum(breadth, np.where(kind == "stalk", STALK, 1))


def patterns(homologues, look, sizes, *, level, fit=True):
    """The patterns of these chromosomes; `sizes` is what `variants` made."""
    stain, breadth = reference(look, level, fit)
    rows = [
        _along(
            *(homologue.segments, level, look if fit else None),
            factor if _varies(homologue.segments, level) else 1.0,
        )
        for homologue, factor in zip(homologues, _sizes(homologues, sizes), strict=True)
    ]
    length, at, away = (np.array(column) for column in zip(*rows, strict=True))
    where = np.clip(at, 0, len(stain) - 1).astype(np.intp)
    ring = np.array([homologue.ring for homologue in homologues])
    return Patterns(length, stain[where], breadth[where], away, ring)


def variants(rng, copies):
    """How long the heterochromatin of each copy of each class is, over the usual.

    It is a patient's own, the same in all cells: (classes, copies).
    """
    names = records.CLASSES
    spread = [
        LONG if name in VARIABLE else SHORT * (name in groups.ACROCENTRIC)
        for name in names
    ]
    chance = rng.standard_normal((len(names), copies))
    return np.exp(np.array(spread)[:, None] * chance)


def _sizes(homologues, sizes):
    """That of each chromosome, by its class and by which copy it is."""
    seen = collections.Counter()
    for label in (homologue.label for homologue in homologues):
        copy = seen[label] % sizes.shape[1]
        seen[label] += 1
        known = label in records.CLASSES
        yield sizes[records.CLASSES.index(label), copy] if known else 1.0


@functools.lru_cache(1024)
def _varies(segments, level):
    """Whether any of them holds heterochromatin that is longer in some patients."""
    ideograms = bands.read(level)
    return any(
        (_growth(ideogram, _knots(ideogram, one.start, one.stop), 2.0) > 1).any()
        for one in segments
        for ideogram in [ideograms[one.chromosome]]
    )


@functools.lru_cache(1024)
def _along(segments, level, look, factor):
    """Length, places on the line of references, and distance from a centromere.

    Most chromosomes of most cells are alike in this, so it is computed once of them.
    """
    ideograms = bands.read(level)
    longer = 1 + fitted(look)[2].ravel() if look else np.ones(len(records.CLASSES))
    real, line, centres, total = [], [], [], 0.0
    unit = ideograms["1"].length
    for segment in segments:
        ideogram = ideograms[segment.chromosome]
        knots = _knots(ideogram, segment.start, segment.stop)
        which = records.CLASSES.index(segment.chromosome)
        grown = np.abs(np.diff(knots)) * _growth(ideogram, knots, factor)
        places = total + np.concatenate([[0], np.cumsum(grown)]) * longer[which]
        real.append(places)
        line.append(which * FINE + np.clip(knots / ideogram.length, 0, 1 - 1e-6) * FINE)
        low, high = sorted((segment.start, segment.stop))
        if low <= ideogram.centromere <= high:
            order = np.argsort(knots)
            centres.append(np.interp(ideogram.centromere, knots[order], places[order]))
        total = places[-1]
    t = (np.arange(SAMPLES) + 0.5) / SAMPLES * total
    at = np.interp(t, np.concatenate(real), np.concatenate(line))
    away = np.abs(t[:, None] - np.array(centres or [-unit])).min(1)
    return total / unit, at, away / unit


def _knots(ideogram, start, stop):
    """Where the stretch starts and stops, and the edges of what varies in between."""
    low, high = sorted((start, stop))
    edges = [
        edge
        for k, kind in enumerate(ideogram.stain)
        if kind == "gvar"
        for edge in ideogram.edges[k : k + 2]
        if low < edge < high
    ]
    knots = np.unique([low, *edges, high])
    return knots if start <= stop else knots[::-1]


def _growth(ideogram, knots, factor):
    """How much longer each piece is than in the ideogram."""
    middle = (knots[:-1] + knots[1:]) / 2
    which = np.searchsorted(ideogram.edges, middle, side="right") - 1
    varies = np.array(ideogram.stain)[np.clip(which, 0, len(ideogram.stain) - 1)]
    return np.where(varies == "gvar", factor, 1.0)
