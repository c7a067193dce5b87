"""Known abnormalities made of real chromosomes, and shams that hold all but these.

A network finds a seam before an abnormality. So whatever an edit leaves behind (a cut,
a join, its smoothing, the straightening before) a sham leaves as well: cut and rejoined
in place, or grafted with the same stretch of its own homologue.
"""

import dataclasses

import numpy as np
import scipy.ndimage

from chromolib import records
from chromolib.data import compose, pixels

SHARE = (0.15, 0.35)  # of a chromosome's length, that a segment may take
MARGIN = 0.08  # of its length, at either end, where nothing is cut
SEAM = 1.2  # rows: the Gaussian that every join is smoothed with
REACH = 3  # rows on either side that the smoothing reaches
UNTOUCHED = "none"


class EditError(ValueError):
    """Chromosomes that cannot be edited."""


@dataclasses.dataclass(frozen=True, eq=False)
class Edit:
    """An edited chromosome: upright ink, and the rows that are not as they were."""

    ink: np.ndarray  # (length, width), 0 is background
    kind: str
    first: int  # rows [first, last) of the result; empty where rows were lost
    last: int


def deletion(ink, first, last, partner=None):
    """The rows [first, last) lost, what is left joined."""
    return _joined("del", [ink[:first], *_halves(ink[last:])], first, first)


def duplication(ink, first, last, partner=None):
    """The rows [first, last) there twice, one after the other."""
    pieces = [ink[:last], ink[first:last], ink[last:]]
    return _joined("dup", pieces, first, 2 * last - first)


def inversion(ink, first, last, partner=None):
    """The rows [first, last) upside down in their place."""
    pieces = [ink[:first], ink[first:last][::-1], ink[last:]]
    return _joined("inv", pieces, first, last)


def swap(ink, first, last, partner):
    """What lies below `first`, exchanged for as much of another chromosome's end."""
    lost = len(ink) - first
    end = compose.resized(np.float32(partner), len(partner), ink.shape[1])[-lost:]
    return _joined("t", [ink[:first], *_halves(end)], first, first + len(end))


def _halves(ink):
    """A piece cut once more and rejoined: every edit and every sham has two joins."""
    return ink[: len(ink) // 2], ink[len(ink) // 2 :]


def rejoined(ink, first, last, partner=None):
    """A sham: cut at both ends of the rows and joined again, nothing changed."""
    pieces = [ink[:first], ink[first:last], ink[last:]]
    return _joined("rejoined", pieces, first, last)


def grafted(ink, first, last, partner):
    """A sham: the rows replaced by the same stretch of the homologue."""
    graft = compose.resized(np.float32(partner), *ink.shape)[first:last]
    return _joined("grafted", [ink[:first], graft, ink[last:]], first, last)


ABNORMAL = {"del": deletion, "dup": duplication, "inv": inversion, "t": swap}
SHAMS = {"rejoined": rejoined, "grafted": grafted}
EDITS = ABNORMAL | SHAMS


def structural(images, *, rng):
    """A third of a set edited, a third with shams, a third as it was, each image once.

    `images` are straight and dark on white, as `compose.straightened` leaves them.
    Labels become normal and abnormal; `extra` holds class, kind, sham and the edited
    rows. Whatever happens to an image, its group stays.
    """
    inks = [(255 - image) / np.float32(255) for image in images.pixels]
    kinds = _assigned(len(images), rng)
    edits = [_edited(images, inks, i, kind, rng) for i, kind in enumerate(kinds)]
    long_enough = [i for i, edit in enumerate(edits) if edit is not None]
    if not long_enough:
        raise EditError(f"{images.source}: no chromosome is long enough to edit")
    return _as_set(images.take(long_enough), [edits[i] for i in long_enough])


def _assigned(count, rng):
    """As many of each, in random order: abnormal kinds, shams, untouched."""
    third = [*ABNORMAL] * 2 + [*SHAMS] * 4 + [UNTOUCHED] * 8
    return rng.permutation(np.resize(np.array(third), count))


def _edited(images, inks, i, kind, rng):
    ink = inks[i]
    if kind == UNTOUCHED:
        return Edit(ink, kind, 0, 0)
    partner = _partner(images, inks, i, kind, rng)
    length, margin = len(ink), MARGIN * len(ink)
    rows = max(2, round(rng.uniform(*SHARE) * length))
    first = round(rng.uniform(margin, max(margin, length - margin - rows)))
    if partner is None and kind == "grafted":  # one X or Y: the other sham
        kind = "rejoined"
    if first < 1 or first + rows >= length or (kind == "t" and partner is None):
        return None
    return EDITS[kind](ink, first, first + rows, partner)


def _partner(images, inks, i, kind, rng):
    """The homologue for a graft, another class of the same cell for an exchange."""
    same_cell = images.cell == images.cell[i]
    same_class = images.label == images.label[i]
    wanted = same_cell & (same_class if kind == "grafted" else ~same_class)
    partners = [j for j in np.flatnonzero(wanted) if j != i]
    return inks[rng.choice(partners)] if partners else None


def rearranged(images, *, rng):
    """Karyograms of complete normal cells, in each one autosome edited as `structural`
    edits it, a sham, or none: the number is right in all of them.

    `extra` holds its class, kind, sham and the edited rows as shares of its length.
    Each cell is drawn at the scale at which it fits whatever becomes of it.
    """
    cells = compose.of_cells(images)
    normal = [w for w in cells if compose.composition(images.label[w]) == ""]
    made = []
    for which, kind in zip(normal, _assigned(len(normal), rng), strict=True):
        cell, labels = images.take(which), images.label[which]
        inks = [(255 - image) / np.float32(255) for image in cell.pixels]
        i = int(rng.choice(np.flatnonzero(np.isin(labels, records.CLASSES[:22]))))
        edit = _edited(cell, inks, i, kind, rng)
        if edit is None:
            continue
        crops = [*cell.pixels]
        both = [*crops, compose.rendered(edit.ink)], [*labels, labels[i]]
        scale = compose.largest(*both, room=compose.ROOM)
        crops[i] = both[0][-1]
        picture, boxes = compose.karyogram(crops, labels, scale=scale)
        rows = np.array([edit.first, edit.last]) / len(edit.ink)
        extra = {
            "class": labels[i],
            "kind": edit.kind,
            "rows": "{:.3f}:{:.3f}".format(*rows),
        }
        extra["sham"] = "yes" if edit.kind in SHAMS else "no"
        made.append((which[0], picture, boxes, extra))
    composed = compose.as_set(images, made)
    odd = np.isin(composed.extra["kind"], list(ABNORMAL))
    label = np.where(odd, "abnormal", "normal")
    return dataclasses.replace(composed, label=label, provenance="real, edited")


NUMERICAL = ("gain", "loss", "exchange", UNTOUCHED)  # exchange: the sham


def numerical(images, *, rng):
    """Karyograms of complete normal cells: a quarter each gain, loss, sham, untouched.

    What is added comes from another cell of the same group, or where there is none is
    the homologue in a mirror: no image ever crosses from one group to another. The sham
    exchanges one chromosome for such another and keeps the count. Every slot has room
    for one more, and each cell is drawn at the scale at which it and such another fit,
    whatever becomes of it: no edit changes the scale of a whole karyogram.
    """
    cells = compose.of_cells(images)
    normal = [w for w in cells if compose.composition(images.label[w]) == ""]
    kinds = rng.permutation(np.resize(np.array(NUMERICAL), len(normal)))
    made = []
    for which, kind in zip(normal, kinds, strict=True):
        name = str(rng.choice(records.CLASSES[:22]))
        crops = [images.pixels[i] for i in which]
        labels = list(images.label[which])
        donor = _donor(images, which, crops, name, rng)
        scale = compose.largest([*crops, donor], [*labels, name], room=compose.ROOM)
        _count(crops, labels, name, kind, donor)
        picture, boxes = compose.karyogram(crops, labels, scale=scale)
        change = {"gain": f"+{name}", "loss": f"-{name}"}.get(str(kind), "")
        extra = {"status": "numerical" if change else "normal", "change": change}
        extra["sham"] = "yes" if kind == "exchange" else "no"
        made.append((which[0], picture, boxes, extra))
    composed = compose.as_set(images, made)
    return dataclasses.replace(composed, provenance="real, edited")


def _count(crops, labels, name, kind, donor):
    """Make a cell's crops and labels one chromosome more, less, or another."""
    place = labels.index(name)
    if kind in ("loss", "exchange"):
        del crops[place], labels[place]
    if kind in ("gain", "exchange"):
        crops.insert(place, donor)
        labels.insert(place, name)


def _donor(images, which, crops, name, rng):
    """Another chromosome of that class and group, else the other homologue mirrored."""
    group, cell = images.group[which[0]], images.cell[which[0]]
    kin = (images.group == group) & (images.cell != cell) & (images.label == name)
    if kin.any():
        return images.pixels[rng.choice(np.flatnonzero(kin))]
    here = images.label[which].tolist()
    other = here.index(name, here.index(name) + 1)
    return np.ascontiguousarray(crops[other][:, ::-1])


def _as_set(images, made):
    kind = np.array([edit.kind for edit in made])
    rows = [f"{edit.first}:{edit.last}" for edit in made]
    abnormal = np.isin(kind, list(ABNORMAL))
    return dataclasses.replace(
        images,
        label=np.where(abnormal, "abnormal", "normal"),
        pixels=pixels.pack([compose.rendered(edit.ink) for edit in made]),
        boxes=None,
        extra={
            "class": images.label,
            "kind": kind,
            "sham": np.where(np.isin(kind, list(SHAMS)), "yes", "no"),
            "rows": np.array(rows, dtype=str),
        },
        provenance="real, edited",
    )


def _joined(kind, pieces, first, last):
    """Pieces end to end, every join smoothed alike."""
    pieces = [piece for piece in pieces if len(piece)]
    ink = np.concatenate(pieces).astype(np.float32)
    seams = np.cumsum([len(piece) for piece in pieces])[:-1]
    smooth = scipy.ndimage.gaussian_filter1d(ink, SEAM, axis=0, mode="nearest")
    far = np.abs(np.arange(len(ink))[:, None] - (seams - 0.5)[None, :]).min(1)
    weight = np.clip(1 - far / REACH, 0, 1)[:, None]
    return Edit(weight * smooth + (1 - weight) * ink, kind, int(first), int(last))
