"""What a change makes: abnormal chromosomes, as stretches of normal ones."""

import collections
import itertools

from chromolib import records
from chromolib.cyto import bands, cells

# Strategy: a break lies in the middle of its band. One break cuts a chromosome into the
# segment with the centromere and the one without; `_cut` gives both with the break as
# their last end, so that joining is one segment and then another, turned round.


def stock(clone):
    """Chromosome -> how many normal ones the cell holds; below nought cannot be.

    A changed or lost autosome is one less; a changed or lost sex chromosome already
    lacks its letter.
    """
    copies = collections.Counter(dict.fromkeys(records.CLASSES[:22], 2))
    copies.update(clone.sex)
    for change in clone.changes:
        if change.kind == "whole" and change.sign == "+":
            copies.update(change.chromosomes)
        else:
            copies.subtract(name for name in taken(change) if name not in cells.SEX)
    return copies


def number(clone):
    """How many chromosomes the cell has: the normal ones and what the changes make."""
    made = [
        len(change.chromosomes) if change.kind == "t" else int(change.kind != "whole")
        for change in clone.changes
    ]
    return sum(stock(clone).values()) + sum(made)


def taken(change):
    """The normal chromosomes that are no more: changed, or lost."""
    return () if change.sign == "+" else change.chromosomes


def sex_taken(changes):
    """The sex chromosomes that these changes took, one by one."""
    return [name for c in changes for name in taken(c) if name in cells.SEX]


def whole(name, drawn):
    """A normal chromosome."""
    return cells.Homologue(name, name, (cells.Segment(name, 0.0, drawn[name].length),))


def made(changes, drawn):
    """The abnormal chromosomes that these changes bring, on these ideograms.

    A fragment (`ace`) is what a dicentric or a ring left behind, its two ends joined;
    without one, it is the end of 1q. A marker is the middle of a chromosome 15, as the
    commonest small markers are.
    """
    scraps = [_scrap(c, drawn) for c in changes if c.kind in ("dic", "r")]
    homologues = []
    for change in changes:
        if change.kind == "ace":
            segments = scraps.pop(0) if scraps else (_cut("1", "q42", drawn)[1],)
            homologues.append(cells.Homologue("ace", "ace", segments, normal=False))
        elif change.kind == "t":
            homologues += _derivatives(change, drawn)
        elif change.within:
            derivatives = _derivatives(change.within, drawn)
            homologues += [d for d in derivatives if d.label == change.chromosomes[0]]
        elif change.kind != "whole":
            homologues.append(_abnormal(change, SEGMENTS[change.kind](change, drawn)))
    return homologues


def _abnormal(change, segments):
    name = str(change).lstrip("+")
    label = (*change.chromosomes, change.kind)[0]
    ring = change.kind == "r"
    return cells.Homologue(label, name, tuple(segments), ring, normal=False)


def _cut(name, band, drawn):
    """The segment with the centromere and the other, each ending at the break."""
    start, stop = bands.span(drawn[name], band)
    at, ends = (start + stop) / 2, (0.0, drawn[name].length)
    centric, acentric = ends if band[0] == "q" else ends[::-1]
    return cells.Segment(name, centric, at), cells.Segment(name, acentric, at)


def _cuts(change, drawn):
    names = change.chromosomes * (2 if change.kind == "r" else 1)
    breaks = itertools.chain(*change.bands)
    return [_cut(*pair, drawn) for pair in zip(names, breaks, strict=True)]


def _turned(*segments):
    """The same stretch from its other end."""
    return [cells.Segment(s.chromosome, s.stop, s.start) for s in reversed(segments)]


def _upright(band, *segments):
    """Segments that grow towards the broken arm, with the end of p first."""
    return segments if band[0] == "q" else _turned(*segments)


def _scrap(change, drawn):
    """What a dicentric or a ring leaves behind, joined at the breaks."""
    (_, first), (_, second) = _cuts(change, drawn)
    return (first, *_turned(second))


def _derivatives(change, drawn):
    """Each centromere with the end of the chromosome that stands before it."""
    cuts = _cuts(change, drawn)
    homologues = []
    for i, name in enumerate(change.chromosomes):
        joined = cuts[i][0], *_turned(cuts[i - 1][1])
        derivative = cells.Change("der", (name,), within=change)
        segments = _upright(change.bands[i][0], *joined)
        homologues.append(_abnormal(derivative, segments))
    return homologues


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


def _stretches(change, *pairs):
    """Segments of the one chromosome that is changed, from the end of p."""
    return [cells.Segment(change.chromosomes[0], *pair) for pair in pairs]


def _deletion(change, drawn):
    name, breaks = change.chromosomes[0], change.bands[0]
    if len(breaks) == 1:
        return _upright(breaks[0], _cut(name, breaks[0], drawn)[0])
    tip, low, high, end = _breaks(change, drawn)
    return _stretches(change, (tip, low), (high, end))


def _duplication(change, drawn):
    tip, low, high, end = _breaks(change, drawn)
    backwards = bands.order(change.chromosomes[0], *change.bands[0]) > 0
    again = (high, low) if backwards else (low, high)
    return _stretches(change, (tip, high), again, (high, end))


def _inversion(change, drawn):
    tip, low, high, end = _breaks(change, drawn)
    return _stretches(change, (tip, low), (high, low), (high, end))


def _ring(change, drawn):
    return _stretches(change, _breaks(change, drawn)[1:3])


def _arms(change, drawn):
    """Whole arms joined at their centromeres; an isochromosome has one arm twice."""
    names, faces = change.chromosomes, [breaks[0] for breaks in change.bands]
    if change.kind == "i":
        names, faces = names * 2, faces * 2
    arms = []
    for face, name in sorted(zip(faces, names, strict=True), key=lambda arm: arm[0]):
        tip = 0.0 if face[0] == "p" else drawn[name].length
        arms.append(cells.Segment(name, tip, drawn[name].centromere))
    return arms[0], *_turned(arms[1])


def _dicentric(change, drawn):
    (first, _), (second, _) = _cuts(change, drawn)
    return first, *_turned(second)


def _marker(_, drawn):
    start, stop = (bands.span(drawn["15"], band) for band in ("p11.2", "q11.2"))
    return [cells.Segment("15", start[0], stop[1])]


SEGMENTS = {  # kind -> the one chromosome that it makes
    "del": _deletion,
    "der": _arms,
    "dic": _dicentric,
    "dup": _duplication,
    "i": _arms,
    "inv": _inversion,
    "mar": _marker,
    "r": _ring,
    "rob": _arms,
}
