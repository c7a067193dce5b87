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
    found = [change(item) for item in items]
    made = cells.Clone(int(count.text), sex.text, tuple(found), cell_count)
    _sex_adds_up(sex, items, found)
    _adds_up(made, count, items, found)
    return made


def _cells(piece):
    """The text before "[12]", and 12; None where no number of cells is given."""
    if not re.search(r"[\[\]]", piece.text):
        return piece, None
    start = piece.text.find("[")
    seen = pieces.part(piece, start + 1, -1)
    if not (start >= 0 and piece.text.endswith("]") and NUMBER.fullmatch(seen.text)):
        wrong = pieces.part(piece, max(start, 0))
        reason = "a clone ends in its number of cells, like 46,XX[18]"
        raise pieces.fault(wrong, reason)
    return pieces.part(piece, 0, start), int(seen.text)


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


def change(piece):
    """One change: "+21", "del(5)(p15.2)", "+mar"."""
    sign = piece.text[:1] if piece.text[:1] in ("+", "-") else ""
    body = pieces.part(piece, len(sign))
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
    kind = pieces.part(body, 0, (body.text + "(").index("("))
    if kind.text not in breaks.RULES:
        known = ", ".join((*breaks.RULES, "mar", "ace"))
        raise pieces.fault(kind, f"no change is written so; the kinds are {known}")
    found, rest = pieces.brackets(pieces.part(body, len(kind.text)))
    if not found:
        example = f"{kind.text}(...)(...)"
        raise pieces.fault(body, f"which chromosome, and where? write {example}")
    names = pieces.cut(found[0], ";")
    for name in names:
        _known(name)
    if kind.text == "der" and len(names) == 1 == len(found):
        return _derived(body, names[0], rest, sign)
    if len(found) < 2:
        raise pieces.fault(body, "the breakpoints are missing, like del(5)(p15.2)")
    if len(found) > 2 or rest.text:
        after = rest if rest.text else found[2]
        raise pieces.fault(after, f"nothing may stand after a {kind.text}")
    written = breaks.Written(kind, tuple(names), _breakpoints(found[1], names))
    breaks.check(written)
    return _change(written, sign)


def _change(written, sign):
    return cells.Change(
        written.kind.text,
        tuple(name.text for name in written.chromosomes),
        tuple(tuple(band.text for band in some) for some in written.bands),
        sign,
    )


def _derived(body, name, rest, sign):
    """der(22)t(9;22)(q34;q11.2): the part of a translocation with this centromere."""
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
    found = [pieces.part(piece, *m.span()) for m in BAND.finditer(piece.text)]
    finest = bands.read(bands.LEVELS[-1])[name.text]
    for band in found:
        try:
            bands.span(finest, band.text)
        except bands.KaryotypeError as error:
            raise pieces.fault(band, str(error)) from None
    return tuple(found)


def _sex_adds_up(letters, items, found):
    """Raises where there was no X, where there were too many, or one was not lost."""
    total = list(letters.text)
    for one in found:
        total += [name for name in derive.taken(one) if name in cells.SEX]
    if "X" not in total:
        part = letters if letters.text else items[0]
        reason = "no cell lives without an X; one X alone is 45,X"
        raise pieces.fault(part, reason)
    if len(total) > SEX_MOST:
        reason = f"{len(total)} sex chromosomes; {SEX_MOST} are the most that are known"
        raise pieces.fault(letters, reason)
    for one, item in zip(found, items, strict=True):
        if one.sign == "-" and one.chromosomes[0] in cells.SEX and len(total) > 2:
            reason = "the letters are the sex chromosomes that are left, as in 45,X,-Y"
            raise pieces.fault(item, reason)


def _adds_up(made, count, items, found):
    """Raises where a change takes what is not there, or the count is another."""
    gained = [one.chromosomes for one in found if one.sign + one.kind == "+whole"]
    for one, item in zip(found, items, strict=True):
        if one.sign == "-" and one.chromosomes in gained:
            raise pieces.fault(item, "is gained and lost in one clone; write neither")
    short = [name for name, held in derive.stock(made).items() if held < 0]
    if short:
        takers = zip(found, items, strict=True)
        blamed = [item for one, item in takers if short[0] in derive.taken(one)][-1]
        reason = f"there is no chromosome {short[0]} left for this change"
        raise pieces.fault(
            blamed, f"{reason}; a cell has two, and one more for each gain"
        )
    number = derive.number(made)
    if number != made.count:
        reason = f"the sex chromosomes and changes of a diploid cell make {number}"
        taken = {name for one in found for name in derive.taken(one)}
        if taken & set(cells.SEX) and number > made.count:
            reason += ", since an abnormal X or Y stands for a letter: 46,X,del(X)(...)"
        raise pieces.fault(count, f"{reason}; write {number} or look at the changes")
