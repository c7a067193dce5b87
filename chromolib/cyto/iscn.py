"""Karyotypes as ISCN writes them: read, written, put into words, taken apart.

Read are whole gains and losses, del, dup, inv, t of two or three chromosomes, rob, i,
r, dic, der of a translocation or of two whole arms, mar, ace, and clones with their
number of cells. The rest of ISCN (other ploidies, `idem`, `dn`, "?", "c", ins, trp,
FISH, arrays) is not: an error says where it stands.
"""

from chromolib import records
from chromolib.cyto import bands, cells, derive, grammar, pieces

LONGEST = 1000  # characters
FILED = (*records.CLASSES, "mar", "ace")


def parse(text):
    """The karyotype that the text says; an error names the piece that is wrong.

    Counts add up, chromosomes and bands exist, and breakpoints stand in ISCN's order.
    Any order of the changes is read; spaces between the parts do not matter.
    """
    if not isinstance(text, str):
        reason = f"a karyotype is text, like '46,XX', and no {type(text).__name__}"
        raise bands.KaryotypeError(reason)
    if len(text) > LONGEST:
        reason = f"{len(text):,} characters; a karyotype has {LONGEST:,} at most"
        raise bands.KaryotypeError(reason)
    body = pieces.take(pieces.Piece(text, 0), 0)
    mosaic = body.text.split()[:1] == ["mos"]
    body = pieces.take(body, len("mos") if mosaic else 0)
    written = pieces.cut(body, "/")
    clones = [grammar.clone(piece) for piece in written]
    _check(clones, written, body, mosaic)
    return cells.Karyotype(tuple(clones), mosaic)


def _check(clones, written, body, mosaic):
    """Raises where clones are one and the same, or only some have a cell number."""
    if mosaic and len(clones) == 1:
        raise pieces.fault(body, "a mosaic has several clones, like 45,X[12]/46,XX[18]")
    seen = set()
    for clone, piece in zip(clones, written, strict=True):
        if (clone.cells is None) != (clones[0].cells is None):
            reason = "either every clone has its number of cells in [] or none has"
            raise pieces.fault(piece, reason)
        if (clone.sex, clone.changes) in seen:
            raise pieces.fault(piece, "is the same as a clone before; add their cells")
        seen.add((clone.sex, clone.changes))


def write(karyotype):
    """The text of a karyotype, in ISCN's order, as `parse` reads it back."""
    clones = "/".join(map(str, karyotype.clones))
    return f"mos {clones}" if karyotype.mosaic else clones


def chromosomes(clone, level=550):
    """Every chromosome of a cell, as stretches of ideograms, in karyogram order.

    That is 1 to 22, X, Y, markers, fragments; in a pair, the abnormal one stands on the
    right.
    """
    drawn = bands.read(level)
    copies = derive.stock(clone)
    if min(copies.values()) < 0 or derive.number(clone) != clone.count:
        raise bands.KaryotypeError(f"{clone} does not add up; parse(...) says where")
    homologues = [derive.whole(name, drawn) for name in copies.elements()]
    homologues += derive.made(clone.changes, drawn)
    homologues.sort(key=lambda h: (FILED.index(h.label), not h.normal, h.name))
    return tuple(homologues)


PEOPLE = {
    "X": "monosomy X (Turner syndrome)",
    "XX": "female",
    "XY": "male",
    "XXX": "trisomy X",
    "XXY": "XXY (Klinefelter syndrome)",
    "XYY": "XYY (Jacobs syndrome)",
}
COPIES = {0: "nullisomy", 1: "monosomy", 3: "trisomy", 4: "tetrasomy"}
TRISOMIES = {"13": "Patau", "18": "Edwards", "21": "Down"}
KINDS = {
    "ace": "acentric fragment",
    "del": "deletion in {arms}",
    "der": "derivative of {arms}",
    "dic": "dicentric of {names}",
    "dup": "duplication in {arms}",
    "i": "isochromosome of {arms}",
    "inv": "inversion of {names}",
    "mar": "marker chromosome",
    "r": "ring chromosome {names}",
    "rob": "Robertsonian translocation of {names}",
    "t": "balanced translocation between {names}",
}
KNOWN = {  # how the text of a change starts -> what it is known as
    "del(4)(p16": "Wolf-Hirschhorn syndrome",
    "del(5)(p13)": "cri du chat syndrome",
    "del(5)(p14)": "cri du chat syndrome",
    "del(5)(p15.2)": "cri du chat syndrome",
    "del(7)(q11.23q11.23)": "Williams syndrome",
    "del(15)(q11": "Prader-Willi or Angelman syndrome",
    "del(22)(q11.2": "DiGeorge syndrome",
    "der(22)t(9;22)(q34": "Philadelphia",
    "der(22)t(11;22)(q23": "Emanuel syndrome",
    "i(12)(p10)": "Pallister-Killian syndrome",
    "i(X)(q10)": "Turner syndrome",
    "inv(9)(p1": "a common variant",
    "t(8;14)(q24": "Burkitt lymphoma",
    "t(9;22)(q34": "Philadelphia",
    "t(15;17)(q2": "acute promyelocytic leukaemia",
}


def describe(karyotype):
    """A karyotype in short medical words, with the names of well-known syndromes."""
    clones = "; ".join(map(_clone_in_words, karyotype.clones))
    return f"mosaic: {clones}" if karyotype.mosaic else clones


def _clone_in_words(clone):
    sex = "".join(sorted([*clone.sex, *derive.sex_taken(clone.changes)]))
    person = PEOPLE.get(sex, f"sex chromosomes {sex}")
    if sex in ("XX", "XY") and not clone.changes:
        person = f"normal {person}"
    words = [
        _copies(c.chromosomes[0], clone) if c.kind == "whole" else _in_words(c)
        for c in clone.changes
    ]
    seen = "" if clone.cells is None else f"{clone.cells} cells: "
    return seen + ", ".join(dict.fromkeys([person, *words]))


def _copies(name, clone):
    """How many copies of a whole one; only the gain where a derivative holds some."""
    signs = [c.sign for c in clone.changes if c.chromosomes == (name,)]
    gained = signs.count("+") - signs.count("-")
    derived = [c.chromosomes for c in clone.changes if c.kind in ("der", "dic")]
    if name in cells.SEX or any(name in names for names in derived):
        return f"{'gain' if gained > 0 else 'loss'} of {name}"
    text = f"{COPIES.get(2 + gained, f'{2 + gained} copies of')} {name}"
    known = name in TRISOMIES and gained == 1
    return f"{text} ({TRISOMIES[name]} syndrome)" if known else text


def _in_words(change):
    made = change.within or change
    arms = {
        f"{name}{band[0]}": None
        for name, breaks in zip(made.chromosomes, made.bands, strict=True)
        for band in breaks
    }
    names = " and ".join(made.chromosomes).replace(" and ", ", ", len(made.bands) - 2)
    text = KINDS[change.kind].format(names=names, arms=" and ".join(arms))
    if change.within:
        text = f"derivative {change.chromosomes[0]} of a translocation between {names}"
    plain = str(change).lstrip("+")
    known = [word for start, word in KNOWN.items() if plain.startswith(start)]
    extra = "additional " if change.sign == "+" and change.kind != "mar" else ""
    return extra + text + (f" ({known[0]})" if known else "")
