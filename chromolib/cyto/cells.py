"""The nouns of a karyotype: as it is written, and as what a cell holds."""

import dataclasses

from chromolib import records
from chromolib.cyto import bands

SEX = ("X", "Y")
ORDER = (*SEX, *map(str, range(1, 23)), "mar", "ace")  # in which changes are written


@dataclasses.dataclass(frozen=True)
class Change:
    """One item after the sex chromosomes: "+21", "del(5)(p15.2)", "+mar", "ace".

    A change of several chromosomes starts with the first in `ORDER` and keeps their
    cycle, so that one change is written in one way.
    """

    kind: str  # "whole", "del", "t", ..., "mar", "ace"
    chromosomes: tuple[str, ...] = ()
    bands: tuple[tuple[str, ...], ...] = ()  # the breakpoints, chromosome by chromosome
    sign: str = ""  # "+", "-" or neither
    within: "Change | None" = None  # the translocation that made der(22)t(9;22)(...)

    def __post_init__(self):
        for name in self.chromosomes:
            if name not in records.CLASSES:
                raise bands.KaryotypeError(f"{name!r} is none of 1 to 22, X and Y")
        ranks = [ORDER.index(name) for name in self.chromosomes]
        if ranks and (first := ranks.index(min(ranks))):
            for field in ("chromosomes", "bands"):
                value = getattr(self, field)
                object.__setattr__(self, field, value[first:] + value[:first])

    def __str__(self):
        """As ISCN writes it."""
        if self.kind == "whole":
            return self.sign + self.chromosomes[0]
        if not self.chromosomes:
            return self.sign + self.kind
        made = f"{self.sign}{self.kind}({';'.join(self.chromosomes)})"
        if self.within:
            return f"{made}{self.within}"
        return f"{made}({';'.join(''.join(breaks) for breaks in self.bands)})"


@dataclasses.dataclass(frozen=True)
class Clone:
    """Cells of one karyotype; the changes are put in the order in which ISCN has them.

    That is X, Y, 1 to 22, markers, fragments; of one chromosome, whole ones first, then
    the kinds by the alphabet. `sex` holds normal sex chromosomes only.
    """

    count: int
    sex: str
    changes: tuple[Change, ...] = ()
    cells: int | None = None  # how many were seen

    def __post_init__(self):
        object.__setattr__(self, "changes", tuple(sorted(self.changes, key=_place)))

    def __str__(self):
        """As ISCN writes it."""
        items = [str(self.count), self.sex, *map(str, self.changes)]
        seen = "" if self.cells is None else f"[{self.cells}]"
        return ",".join(item for item in items if item) + seen


@dataclasses.dataclass(frozen=True)
class Karyotype:
    """The clones of one person or culture, in the order given."""

    clones: tuple[Clone, ...]
    mosaic: bool = False  # "mos": the clones come of one zygote


@dataclasses.dataclass(frozen=True)
class Segment:
    """A stretch of one normal chromosome, in the units of its ideogram.

    Where `start` is greater than `stop` it runs backwards: it is inverted.
    """

    chromosome: str
    start: float
    stop: float

    @property
    def length(self):
        """How long it is, in either direction."""
        return abs(self.stop - self.start)


@dataclasses.dataclass(frozen=True)
class Homologue:
    """One chromosome of a cell: the stretches it is made of, upright."""

    label: str  # filed under: the chromosome of its first centromere, or "mar", "ace"
    name: str  # "9", "der(9)t(9;22)(q34;q11.2)", "mar", ...
    segments: tuple[Segment, ...]  # from the end of p to the end of q
    ring: bool = False  # its two ends are joined
    normal: bool = True

    @property
    def length(self):
        """From end to end, or once around a ring."""
        return sum(segment.length for segment in self.segments)


def _place(change):
    where = ORDER.index((*change.chromosomes, change.kind)[0])
    return where, change.kind != "whole", change.kind, str(change)
