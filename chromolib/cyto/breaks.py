"""Which chromosomes and breakpoints each kind of change may have."""

from chromolib.cyto import bands, groups, pieces

FACES = ("p10", "q10")
SHAPES = {  # kind -> numbers of chromosomes, of breaks in each; whether at p10 or q10
    "del": ((1,), (1, 2), False),
    "der": ((2,), (1,), True),
    "dic": ((2,), (1,), False),
    "dup": ((1,), (2,), False),
    "i": ((1,), (1,), True),
    "inv": ((1,), (2,), False),
    "r": ((1,), (2,), False),
    "rob": ((2,), (1,), True),
    "t": ((2, 3), (1,), False),
}


def check(kind, names, breakpoints):
    """Raises where a change of this kind cannot have these chromosomes and breaks.

    All are pieces of the text; breakpoints come chromosome by chromosome.
    """
    chromosomes, breaks, faces = SHAPES[kind.text]
    if len(names) not in chromosomes:
        wanted = " or ".join(map(str, chromosomes))
        reason = f"{kind.text} takes {wanted} chromosomes, not {len(names)}"
        raise pieces.fault(kind, reason)
    for name, points in zip(names, breakpoints, strict=True):
        if len(points) not in breaks:
            wanted = " or ".join(map(str, breaks))
            reason = f"{kind.text} takes {wanted} breakpoints here, not {len(points)}"
            raise pieces.fault(name, reason)
        for band in points:
            if (band.text in FACES) != faces:
                raise pieces.fault(band, _face(kind.text, faces))
    if kind.text in RULES:
        RULES[kind.text](names, breakpoints)


def _face(kind, faces):
    if faces:
        return f"{kind} joins at the centromere; write p10 or q10"
    return "is the centromere itself; i, rob and der(A;B) break there, others beside it"


def _same_arm(first, second, remedy):
    if first.text[0] != second.text[0]:
        raise pieces.fault(second, f"is in the other arm than {first.text}; {remedy}")


def _outwards(name, first, second):
    """Raises unless the break nearer the centromere stands first."""
    if bands.order(name.text, first.text, second.text) > 0:
        reason = f"write the break nearer the centromere first: {second.text}"
        raise pieces.fault(first, reason + first.text)


def _deletion(names, breakpoints):
    if len(breakpoints[0]) == 2:
        both = "".join(band.text for band in breakpoints[0])
        remedy = f"a chromosome without both its ends is a ring, r(...)({both})"
        _same_arm(*breakpoints[0], remedy)
        _outwards(names[0], *breakpoints[0])


def _duplication(_, breakpoints):
    _same_arm(*breakpoints[0], "dup stays in one arm")


def _inversion(names, breakpoints):
    first, second = breakpoints[0]
    if first.text[0] == second.text[0]:
        _outwards(names[0], first, second)
    elif first.text[0] == "q":
        reason = f"write the break in p first: {second.text}{first.text}"
        raise pieces.fault(first, reason)


def _ring(_, breakpoints):
    first, second = breakpoints[0]
    if (first.text[0], second.text[0]) != ("p", "q"):
        reason = "a ring has a break in p and then one in q, like r(13)(p11q34)"
        raise pieces.fault(first, reason)


def _translocation(names, _):
    for name in names:
        if [other.text for other in names].count(name.text) > 1:
            raise pieces.fault(name, "t exchanges between different chromosomes")


def _robertsonian(names, breakpoints):
    for name, (face,) in zip(names, breakpoints, strict=True):
        if name.text not in groups.ACROCENTRIC:
            known = ", ".join(groups.ACROCENTRIC)
            raise pieces.fault(name, f"rob joins acrocentric chromosomes only: {known}")
        if face.text != "q10":
            raise pieces.fault(face, "rob keeps the long arms; write q10")


RULES = {  # what a kind asks beyond its shape
    "del": _deletion,
    "dup": _duplication,
    "inv": _inversion,
    "r": _ring,
    "rob": _robertsonian,
    "t": _translocation,
}
