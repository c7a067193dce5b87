"""Reading: the text of a clone, and of a change, as records."""

import re

from chromolib import records
from chromolib.cyto import bands, breaks, cells, derive, pieces

NUMBER = re.compile(r"[1-9][0-9]{0,5}")
NAME = re.compile(r"[0-9]+|[A-Z]", re.ASCII)
BAND = re.compile(r"[pq][0-9.]*", re.ASCII)
SEX_MOST = 5  # 49,XXXXX and 49,XXXXY are the largest known


def clone(piece):
    """One clone, with a count that its sex chromosomes and changes add up to."""
    piece, cell_count = _cells(piece)
    count, *items = pieces.cut(piece, ",")
    if not NUMBER.fullmatch(count.text):
        reason = "a karyotype starts with its number of chromosomes, like 46,XX"
        raise pieces.fault(count, reason)
    if not items:
        reason = f"the sex chromosomes are missing; write {count.text},XX or XY"
        raise pieces.fault(count, reason)
    for item in items:
        if not item.text:
            raise pieces.fault(item, "nothing stands after this comma; take it away")
    sex, items = _sex(items)
    changes = [_change(item) for item in items]
    read = cells.Clone(int(count.text), sex.text, tuple(changes), cell_count)
    _sex_adds_up(sex, items, changes)
    _adds_up(read, count, items, changes)
    return read


def _cells(piece):
    """The text before "[12]", and 12; None where no number of cells is given."""
    if not re.search(r"[\[\]]", piece.text):
        return piece, None
    start = piece.text.find("[")
    seen = pieces.take(piece, start + 1, -1)
    if not (start >= 0 and piece.text.endswith("]") and NUMBER.fullmatch(seen.text)):
        wrong = pieces.take(piece, max(start, 0))
        reason = "a clone ends in its number of cells, like 46,XX[18]"
        raise pieces.fault(wrong, reason)
    return pieces.take(piece, 0, start), int(seen.text)


def _sex(items):
    """The letters of the normal sex chromosomes, and the other items.

    There are no letters where both are changed, as in 46,t(X;Y)(p22.3;q11.2).
    """
    first = items[0]
    if re.search(r"[-+(0-9]", first.text) or first.text in ("mar", "ace"):
        return pieces.Piece("", first.at), items
    if not re.fullmatch(r"X*Y*", first.text):
        reason = "sex chromosomes are X and Y, in capitals and X first, like XX or XY"
        raise pieces.fault(first, f"{reason}; one X alone is X")
    return first, items[1:]


def _change(piece):
    """One change: "+21", "del(5)(p15.2)", "+mar"."""
    sign = piece.text[:1] if piece.text[:1] in ("+", "-") else ""
    body = pieces.take(piece, len(sign))
    if not body.text:
        raise pieces.fault(piece, "a sign without a chromosome; write +21 or -7")
    if body.text in ("mar", "ace"):
        return _extra(piece, body.text, sign)
    if NAME.fullmatch(body.text):
        _known(body)
        if not sign:
            reason = f"a gain is +{body.text}, a loss -{body.text}"
            raise pieces.fault(piece, reason)
        return cells.Change("whole", (body.text,), sign=sign)
    if sign == "-":
        raise pieces.fault(piece, "only a whole chromosome is lost, like -7")
    return _structural(body, sign)


def _extra(piece, kind, sign):
    """A marker has a plus; a fragment is counted as a piece, with or without one."""
    if sign != "+" and (kind, sign) != ("ace", ""):
        raise pieces.fault(piece, "a piece of this kind is written +mar or ace")
    return cells.Change(kind, sign="+" if kind == "mar" else "")


def _known(name):
    if name.text not in records.CLASSES:
        reason = "there is no such chromosome; there are 1 to 22, X and Y"
        raise pieces.fault(name, reason)


def _structural(body, sign=""):
    kind = pieces.take(body, 0, (body.text + "(").index("("))
    if kind.text not in breaks.SHAPES:
        known = ", ".join((*breaks.SHAPES, "mar", "ace"))
        raise pieces.fault(kind, f"no change is written so; the kinds are {known}")
    inside, rest = pieces.brackets(pieces.take(body, len(kind.text)))
    if not inside:
        example = f"{kind.text}(...)(...)"
        raise pieces.fault(body, f"which chromosome, and where? write {example}")
    names = tuple(pieces.cut(inside[0], ";"))
    for name in names:
        _known(name)
    if kind.text == "der" and len(names) == 1 == len(inside):
        return _derived(body, names[0], rest, sign)
    if len(inside) < 2:
        raise pieces.fault(body, "the breakpoints are missing, like del(5)(p15.2)")
    if len(inside) > 2 or rest.text:
        after = rest if rest.text else inside[2]
        raise pieces.fault(after, f"nothing may stand after a {kind.text}")
    points = _breakpoints(inside[1], names)
    breaks.check(kind, names, points)
    plain = tuple(tuple(band.text for band in bands_of) for bands_of in points)
    return cells.Change(kind.text, tuple(name.text for name in names), plain, sign)


def _derived(body, name, rest, sign):
    """der(22)t(9;22)(q34;q11.2): what a translocation leaves with this centromere."""
    if not rest.text.startswith("t"):
        reason = "say what made it, like der(22)t(9;22)(q34;q11.2) or der(1;7)(q10;p10)"
        raise pieces.fault(body, reason)
    within = _structural(rest)
    if name.text not in within.chromosomes:
        raise pieces.fault(name, f"is not in {within}; name one that is")
    return cells.Change("der", (name.text,), sign=sign, within=within)


def _breakpoints(piece, names):
    """The bands between brackets, chromosome by chromosome, each one known."""
    groups = pieces.cut(piece, ";")
    if len(groups) != len(names):
        reason = f"has {len(groups)} sets of breakpoints for {len(names)} chromosomes"
        raise pieces.fault(piece, f"{reason}; ';' goes between sets")
    return tuple(map(_bands, groups, names))


def _bands(piece, name):
    if not piece.text or BAND.sub("", piece.text).strip():
        reason = "a breakpoint is an arm and a band, like p15.2 or q13q33"
        raise pieces.fault(piece, reason)
    breakpoints = [pieces.take(piece, *m.span()) for m in BAND.finditer(piece.text)]
    finest = bands.read(bands.LEVELS[-1])[name.text]
    for band in breakpoints:
        try:
            bands.span(finest, band.text)
        except bands.KaryotypeError as error:
            raise pieces.fault(band, str(error)) from None
    return tuple(breakpoints)


def _sex_adds_up(letters, items, changes):
    """Raises where there was no X, where there were too many, or one was not lost."""
    total = [*letters.text, *derive.sex_taken(changes)]
    if "X" not in total:
        reason = "no cell lives without an X; one X alone is 45,X"
        raise pieces.fault(letters if letters.text else items[0], reason)
    if len(total) > SEX_MOST:
        reason = f"{len(total)} sex chromosomes; {SEX_MOST} are the most that are known"
        raise pieces.fault(letters, reason)
    for change, item in zip(changes, items, strict=True):
        lost = change.sign == "-" and change.chromosomes[0] in cells.SEX
        if lost and len(total) > 2:
            reason = "the letters are the sex chromosomes that are left, as in 45,X,-Y"
            raise pieces.fault(item, reason)


def _adds_up(read, count, items, changes):
    """Raises where a change takes what is not there, or the count is another."""
    both = list(zip(changes, items, strict=True))
    gained = [c.chromosomes for c in changes if c.sign + c.kind == "+whole"]
    for change, item in both:
        if change.sign == "-" and change.chromosomes in gained:
            raise pieces.fault(item, "is gained and lost in one clone; write neither")
    short = [name for name, copies in derive.stock(read).items() if copies < 0]
    if short:
        blamed = [item for c, item in both if short[0] in derive.taken(c)][-1]
        reason = "left for this change; a cell has two, and one more for each gain"
        raise pieces.fault(blamed, f"there is no chromosome {short[0]} {reason}")
    number = derive.number(read)
    if number != read.count:
        reason = f"the sex chromosomes and changes of a diploid cell make {number}"
        if derive.sex_taken(changes) and number > read.count:
            reason += ", since an abnormal X or Y stands for a letter: 46,X,del(X)(...)"
        raise pieces.fault(count, f"{reason}; write {number} or look at the changes")
