"""Ideograms at three levels of resolution, and where a band lies on one.

The tables stand in `data/bands`, beside the package. This is the one room that looks
there: band names are part of the language, as the letters of a karyotype are.
"""

import csv
import dataclasses
import functools
import pathlib
import re
import types

from chromolib import records

LEVELS = (400, 550, 850)
TABLES = pathlib.Path(__file__).resolve().parents[2] / "data" / "bands"
NAME = re.compile(r"[pq][1-4]\d(\.\d{1,3})?", re.ASCII)


class KaryotypeError(ValueError):
    """A karyotype, a chromosome or a band that cannot be."""


@dataclasses.dataclass(frozen=True)
class Ideogram:
    """One chromosome as drawn at a level, from the tip of p to the tip of q.

    Lengths are in the units of its table, in which chromosome 1 measures 15,100.
    """

    name: str
    level: int
    bands: tuple[str, ...]  # "p36.3", ...
    edges: tuple[float, ...]  # one more than bands
    stain: tuple[str, ...]  # gneg, gpos, gvar, acen or stalk
    density: tuple[int, ...]  # percent of the darkest where the stain is gpos, else 0
    centromere: float  # where p11 meets q11

    @property
    def length(self):
        """From tip to tip."""
        return self.edges[-1]


@functools.cache
def read(level):
    """Chromosome -> ideogram at this level, in the order 1 to 22, X, Y."""
    if level not in LEVELS:
        known = ", ".join(map(str, LEVELS))
        raise KaryotypeError(f"no ideogram has {level!r} bands; take one of {known}")
    rows = {name: [] for name in records.CLASSES}
    with (TABLES / f"bands-{level}.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            rows[row["chromosome"]].append(row)
    return types.MappingProxyType({n: _ideogram(n, level, r) for n, r in rows.items()})


def _ideogram(name, level, rows):
    edges = (0.0, *(float(row["iscn_stop"]) for row in rows))
    short = sum(row["arm"] == "p" for row in rows)
    return Ideogram(
        name=name,
        level=level,
        bands=tuple(row["arm"] + row["band"] for row in rows),
        edges=edges,
        stain=tuple(row["stain"] for row in rows),
        density=tuple(int(row["density"] or 0) for row in rows),
        centromere=edges[short],
    )


def span(ideogram, band):
    """Where a band starts and stops on its ideogram, the p end first.

    A band of a coarser level is all its subbands; one of a finer level is the band that
    holds it here. The two faces of the centromere (p10, q10), `cen`, `pter` and `qter`
    are points: they start where they stop.
    """
    points = dict.fromkeys(("p10", "q10", "cen"), ideogram.centromere)
    points |= {"pter": 0.0, "qter": ideogram.length}
    if band in points:
        return points[band], points[band]
    finest = read(LEVELS[-1])[ideogram.name]
    if not NAME.fullmatch(band) or not _subbands(finest, band):
        raise KaryotypeError(_unknown(ideogram, band))
    while not (indices := _subbands(ideogram, band)):
        band = band[:-1].rstrip(".")
    return ideogram.edges[indices[0]], ideogram.edges[indices[-1] + 1]


def order(chromosome, first, second):
    """-1 where the first band is nearer the centromere, 1 where farther, else 0.

    Nought means that they are the same band, or one a subband of the other. Both lie
    in one arm.
    """
    finest = read(LEVELS[-1])[chromosome]
    (start, stop), (start_2, stop_2) = span(finest, first), span(finest, second)
    if start < stop_2 and start_2 < stop:
        return 0
    return 1 if (start > start_2) == (first[0] == "q") else -1


def _subbands(ideogram, band):
    """Indices of the band, or of all bands that it is divided into at this level."""
    inside = band if "." in band else band + "."
    return [
        i
        for i, name in enumerate(ideogram.bands)
        if name == band or name.startswith(inside)
    ]


def _unknown(ideogram, band):
    text = f"chromosome {ideogram.name} has no band {band[:12]!r}"
    if not re.fullmatch(r"[pq]\d+(\.\d+)?", band, re.ASCII):
        return f"{text}; a band is an arm and a number, like {ideogram.bands[-1]}"
    same = [name for name in ideogram.bands if name[0] == band[0]]
    same.sort(key=lambda name: abs(float(name[1:]) - float(band[1:9])))
    return f"{text}; the nearest are {', '.join(same[:3])}"
