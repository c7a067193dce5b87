"""Which chromosomes and breakpoints each kind of change may have."""

import dataclasses

from chromolib.cyto import bands, groups, pieces

FACES = ("p10", "q10")


@dataclasses.dataclass(frozen=True)
class Written:
    """A change as it stands in the text: del(5)(p15.2), its parts as pieces."""

    kind: pieces.Piece
    chromosomes: tuple[pieces.Piece, ...]
    bands: tuple[tuple[pieces.Piece, ...], ...]  # chromosome by chromosome


def _shape(written, chromosomes, breaks, *, faces=False):
    """Raises where the numbers of chromosomes and breaks are not among these."""
    kind, found = written.kind.text, len(written.chromosomes)
    if found not in chromosomes:
        wanted = " or ".join(map(str, chromosomes))
        reason = f"{kind} takes {wanted} chromosomes, not {found}"
        raise pieces.fault(written.kind, reason)
    for name, bands_of in zip(written.chromosomes, written.bands, strict=True):
        if len(bands_of) not in breaks:
            wanted = " or ".join(map(str, breaks))
            reason = f"{kind} takes {wanted} breakpoints here, not {len(bands_of)}"
            raise pieces.fault(name, reason)
        for band in bands_of:
            if (band.text in FACES) != faces:
                raise pieces.fault(band, _face(kind, faces))


def _face(kind, faces):
    if faces:
        return f"{kind} joins at the centromere; write p10 or q10"
    return "is the centromere itself; i, rob and der(A;B) break there, others beside it"


def _outwards(written, *, remedy):
    """Raises unless two breaks lie in one arm, the one nearer the centromere first."""
    (name,), ((first, second),) = written.chromosomes, written.bands
    if first.text[0] != second.text[0]:
        raise pieces.fault(second, f"is in the other arm than {first.text}; {remedy}")
    if bands.order(name.text, first.text, second.text) > 0:
        reason = f"write the break nearer the centromere first: {second.text}"
        raise pieces.fault(first, reason + first.text)


def _deletion(written):
    _shape(written, (1,), (1, 2))
    if len(written.bands[0]) == 2:
        both = "".join(band.text for band in written.bands[0])
        remedy = f"a chromosome without both its ends is a ring, r(...)({both})"
        _outwards(written, remedy=remedy)


def _duplication(written):
    _shape(written, (1,), (2,))
    first, second = written.bands[0]
    if first.text[0] != second.text[0]:
        reason = f"is in the other arm than {first.text}; dup stays in one arm"
        raise pieces.fault(second, reason)


def _inversion(written):
    _shape(written, (1,), (2,))
    first, second = written.bands[0]
    if first.text[0] == second.text[0]:
        _outwards(written, remedy="")
    elif first.text[0] == "q":
        reason = f"write the break in p first: {second.text}{first.text}"
        raise pieces.fault(first, reason)


def _ring(written):
    _shape(written, (1,), (2,))
    first, second = written.bands[0]
    if (first.text[0], second.text[0]) != ("p", "q"):
        reason = "a ring has a break in p and then one in q, like r(13)(p11q34)"
        raise pieces.fault(first, reason)


def _isochromosome(written):
    _shape(written, (1,), (1,), faces=True)


def _translocation(written):
    _shape(written, (2, 3), (1,))
    names = [name.text for name in written.chromosomes]
    for name in written.chromosomes:
        if names.count(name.text) > 1:
            raise pieces.fault(name, "t exchanges between different chromosomes")


def _robertsonian(written):
    _shape(written, (2,), (1,), faces=True)
    for name, (face,) in zip(written.chromosomes, written.bands, strict=True):
        if name.text not in groups.ACROCENTRIC:
            known = ", ".join(groups.ACROCENTRIC)
            raise pieces.fault(name, f"rob joins acrocentric chromosomes only: {known}")
        if face.text != "q10":
            raise pieces.fault(face, "rob keeps the long arms; write q10")


def _dicentric(written):
    _shape(written, (2,), (1,))


def _derivative(written):
    _shape(written, (2,), (1,), faces=True)


RULES = {
    "del": _deletion,
    "der": _derivative,
    "dic": _dicentric,
    "dup": _duplication,
    "i": _isochromosome,
    "inv": _inversion,
    "r": _ring,
    "rob": _robertsonian,
    "t": _translocation,
}


def check(written):
    """Raises where a change of its kind cannot have these chromosomes and breaks."""
    RULES[written.kind.text](written)
