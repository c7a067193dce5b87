"""What a change makes: abnormal chromosomes, as stretches of normal ones."""

import collections

from chromolib import records
from chromolib.cyto import bands, cells

# Strategy: a break lies in the middle of its band. One break cuts a chromosome into the
# piece with the centromere and the one without; `_cut` gives both with the break as
# their last end, so that joining is one piece and then another, turned round.


def stock(clone):
    """Chromosome -> how many normal ones the cell holds; below nought cannot be.

    A changed or lost autosome is one less; a changed or lost sex chromosome already
    lacks its letter.
    """
    held = collections.Counter(dict.fromkeys(records.CLASSES[:22], 2))
    held.update(clone.sex)
    for change in clone.changes:
        if change.kind == "whole" and change.sign == "+":
            held.update(change.chromosomes)
        else:
            held.subtract(name for name in taken(change) if name not in cells.SEX)
    return held


def number(clone):
    """How many chromosomes the cell has: the normal ones and what the changes make."""
    brought = [
        len(one.chromosomes) if one.kind == "t" else int(one.kind != "whole")
        for one in clone.changes
    ]
    return sum(stock(clone).values()) + sum(brought)


def taken(change):
    """The normal chromosomes that are no more: changed, or lost."""
    return () if change.sign == "+" else change.chromosomes


def whole(name, drawn):
    """A normal chromosome."""
    return cells.Homologue(name, name, (cells.Segment(name, 0.0, drawn[name].length),))


def made(changes, drawn):
    """The abnormal chromosomes that these changes bring, on these ideograms.

    A fragment (`ace`) is what a dicentric or a ring left behind, its two ends joined;
    without one, it is the end of 1q. A marker is the middle of a chromosome 15, as the
    commonest small markers are.
    """
    scraps = [_scrap(one, drawn) for one in changes if one.kind in ("dic", "r")]
    found = []
    for change in changes:
        if change.kind == "ace":
            segments = scraps.pop(0) if scraps else (_cut("1", "q42", drawn)[1],)
            found.append(cells.Homologue("ace", "ace", segments, normal=False))
        elif change.kind != "whole":
            found += MAKERS[change.kind](change, drawn)
    return found


def _abnormal(change, segments, **flags):
    name = str(change).lstrip("+")
    label = (*change.chromosomes, change.kind)[0]
    return cells.Homologue(label, name, tuple(segments), normal=False, **flags)


def _cut(name, band, drawn):
    """The piece with the centromere and the one without, each ending at the break."""
    start, stop = bands.span(drawn[name], band)
    at, ends = (start + stop) / 2, (0.0, drawn[name].length)
    centric, acentric = ends if band[0] == "q" else ends[::-1]
    return cells.Segment(name, centric, at), cells.Segment(name, acentric, at)


def _turned(*segments):
    """The same stretch from its other end."""
    return [cells.Segment(s.chromosome, s.stop, s.start) for s in reversed(segments)]


def _upright(band, *segments):
    """Segments that grow towards the broken arm, with the end of p first."""
    return segments if band[0] == "q" else _turned(*segments)


def _breaks(change, drawn):
    """Both ends of the chromosome, and its two breaks between them.

    Two breaks in what is one band at this level lie at a quarter and three quarters.
    """
    name = change.chromosomes[0]
    spans = [bands.span(drawn[name], band) for band in change.bands[0]]
    low, high = sorted((start + stop) / 2 for start, stop in spans)
    if low == high:
        start, stop = max(spans, key=lambda span: span[1] - span[0])
        low, high = (3 * start + stop) / 4, (start + 3 * stop) / 4
    return 0.0, low, high, drawn[name].length


def _deletion(change, drawn):
    name, lost = change.chromosomes[0], change.bands[0]
    if len(lost) == 1:
        return [_abnormal(change, _upright(lost[0], _cut(name, lost[0], drawn)[0]))]
    tip, low, high, end = _breaks(change, drawn)
    kept = (cells.Segment(name, tip, low), cells.Segment(name, high, end))
    return [_abnormal(change, kept)]


def _duplication(change, drawn):
    name, (first, second) = change.chromosomes[0], change.bands[0]
    tip, low, high, end = _breaks(change, drawn)
    twice = [cells.Segment(name, low, high)]
    if bands.order(name, first, second) > 0:
        twice = _turned(*twice)
    ends = (cells.Segment(name, tip, high), cells.Segment(name, high, end))
    return [_abnormal(change, (ends[0], *twice, ends[1]))]


def _inversion(change, drawn):
    name = change.chromosomes[0]
    tip, low, high, end = _breaks(change, drawn)
    ends = (tip, low), (high, low), (high, end)
    return [_abnormal(change, [cells.Segment(name, *pair) for pair in ends])]


def _ring(change, drawn):
    name = change.chromosomes[0]
    _, low, high, _ = _breaks(change, drawn)
    return [_abnormal(change, [cells.Segment(name, low, high)], ring=True)]


def _arms(change, drawn):
    """Whole arms joined at their centromeres; an isochromosome has one arm twice."""
    names, faces = change.chromosomes, [breaks[0] for breaks in change.bands]
    if change.kind == "i":
        names, faces = names * 2, faces * 2
    pieces = []
    for name, face in sorted(zip(names, faces, strict=True), key=lambda one: one[1]):
        tip = 0.0 if face[0] == "p" else drawn[name].length
        pieces.append(cells.Segment(name, tip, drawn[name].centromere))
    return [_abnormal(change, (pieces[0], *_turned(pieces[1])))]


def _dicentric(change, drawn):
    (first, _), (second, _) = _cuts(change, drawn)
    return [_abnormal(change, (first, *_turned(second)))]


def _scrap(change, drawn):
    """What a dicentric or a ring leaves behind, joined at the breaks."""
    (_, first), (_, second) = _cuts(change, drawn)
    return (first, *_turned(second))


def _cuts(change, drawn):
    names = change.chromosomes * (2 if change.kind == "r" else 1)
    flat = [band for breaks in change.bands for band in breaks]
    return [_cut(*pair, drawn) for pair in zip(names, flat, strict=True)]


def _translocation(change, drawn):
    """Each centromere with the end of the chromosome that stands before it."""
    pieces = _cuts(change, drawn)
    found = []
    for i, (name, (band,)) in enumerate(
        zip(change.chromosomes, change.bands, strict=True)
    ):
        alone = cells.Change("der", (name,), within=change)
        joined = _upright(band, pieces[i][0], *_turned(pieces[i - 1][1]))
        found.append(_abnormal(alone, joined))
    return found


def _derivative(change, drawn):
    if not change.within:
        return _arms(change, drawn)
    found = _translocation(change.within, drawn)
    return [one for one in found if one.label == change.chromosomes[0]]


def _marker(change, drawn):
    start, stop = (bands.span(drawn["15"], band) for band in ("p11.2", "q11.2"))
    return [_abnormal(change, [cells.Segment("15", start[0], stop[1])])]


MAKERS = {
    "del": _deletion,
    "der": _derivative,
    "dic": _dicentric,
    "dup": _duplication,
    "i": _arms,
    "inv": _inversion,
    "mar": _marker,
    "r": _ring,
    "rob": _arms,
    "t": _translocation,
}
