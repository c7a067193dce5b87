"""Normal and abnormal images as ChromoNet's question needs them, drawn by the lab.

`chromosomes(count, seed)` -> straight single chromosomes, half of them rearranged
`karyograms(count, seed)` -> karyograms, half of them with a wrong number

Each image is of a patient of its own. A set's `boxes` say where the abnormality lies,
with its kind as label; normal images have none.
"""

import collections
import dataclasses
import hashlib
import itertools

import numpy as np

from chromolib import records
from chromolib.data import compose, pixels
from chromolib.imaging import axis
from chromolib.synth import banding, cases, lab, sets, singles

STRUCTURAL = ("del", "dup", "inv", "t", "der", "rob", "i", "r", "dic")
NUMERICAL = ("gain", "loss", "sex")
POINT = 0.05  # of the length, to either side of a breakpoint where nothing else shows
SIZE = 208  # pixels: a karyogram drawn at half the papers' size


@dataclasses.dataclass(frozen=True, eq=False)
class _One:
    """One chromosome chosen from a cell."""

    cell: lab.Cell
    homologue: object
    kind: str


def chromosomes(count, *, look="g", seed=0, start=0):
    """So many straight chromosomes of as many patients, every second one rearranged.

    A rearranged one and the normal one after it are filed under the same class, so that
    the class does not tell them apart. What cannot be straightened is left out.
    """
    chosen = [_chosen(patient, look, seed) for patient in range(start, start + count)]
    drawn = [_drawn(one) for one in chosen]
    straight = axis.straighten_all([image for image, _ in drawn], orient=False)
    rows = [
        (one, found.ink, _told(one, told, found))
        for one, (_, told), found in zip(chosen, drawn, straight, strict=True)
        if isinstance(found, axis.Straight)
    ]
    return _set([_words(one) for one, _, _ in rows], rows)


def karyograms(count, *, look="g", seed=0, start=0, size=SIZE):
    """So many karyograms of as many patients, every second one with a wrong number."""
    cells, kinds = [], []
    for patient in range(start, start + count):
        rng = np.random.default_rng([seed, patient, 11])
        kind = str(rng.choice(NUMERICAL)) if patient % 2 == 0 else "none"
        text = cases.KINDS[kind](rng, _sex(rng)) if kind != "none" else _normal(rng)
        cells.append(lab.cell(text, look=look, seed=seed, patient=patient))
        kinds.append(kind)
    drawn = sets.karyograms(cells, size=size, room=compose.ROOM)
    abnormal = drawn.extra["status"] != "normal"
    extra = {"kind": np.array(kinds), "sham": np.full(count, "no"), **drawn.extra}
    return dataclasses.replace(
        drawn,
        label=np.where(abnormal, "abnormal", "normal"),
        boxes=tuple(
            wrong_number(boxes, kind)
            for boxes, kind in zip(drawn.boxes, kinds, strict=True)
        ),
        extra=extra,
    )


def wrong_number(boxes, kind):
    """The box around all chromosomes of each class that there are too many or few of.

    Where none of a class is left its place is not known, and there is no box of it.
    """
    copies = collections.Counter(boxes.label.tolist())
    odd = [name for name in records.CLASSES[:22] if copies[name] != 2]
    if (copies["X"], copies["Y"]) not in ((2, 0), (1, 1)):
        odd += [name for name in ("X", "Y") if copies[name] != 1]
    found = [boxes.xyxy[boxes.label == name] for name in odd if copies[name]]
    hulls = [np.r_[box[:, :2].min(0), box[:, 2:].max(0)] for box in found]
    return records.Boxes(np.array(hulls).reshape(-1, 4), np.full(len(hulls), kind))


def stretch(homologue):
    """Where along a chromosome it is not as it should be: (first, last) from 0 to 1.

    What comes from another chromosome, runs backwards or is there again; a joint where
    something is lost is widened to a visible stretch. Of a normal chromosome, None.
    """
    if homologue.normal:
        return None
    if homologue.ring:
        return 0.0, 1.0
    ends = np.cumsum([0, *(one.length for one in homologue.segments)])
    total = ends[-1]
    found, reached = [], 0.0
    home = homologue.label
    for one, (low, high) in zip(
        homologue.segments, itertools.pairwise(ends), strict=True
    ):
        again = reached - min(one.start, one.stop)
        if one.chromosome != home or one.start > one.stop:
            found.append((low, high))
        elif abs(again) > 1e-9:
            found.append((low, low + max(0.0, min(again, high - low))))
        if one.chromosome == home:
            reached = max(reached, one.start, one.stop)
    if not found:  # the end of q is lost
        found = [(total, total)]
    low, high = min(a for a, _ in found) / total, max(b for _, b in found) / total
    wider = POINT * (high - low < 2 * POINT)
    return max(0.0, low - wider), min(1.0, high + wider)


def _chosen(patient, look, seed):
    """One chromosome of a patient: of an even one rearranged, of an odd one normal."""
    rng = np.random.default_rng([seed, patient // 2, 13])
    kind = str(rng.choice(STRUCTURAL))
    text = cases.KINDS[kind](rng, _sex(rng))
    abnormal = lab.cell(text, look=look, seed=seed, patient=patient - patient % 2)
    known = [
        one
        for one in abnormal.homologues
        if not one.normal and one.label in records.CLASSES
    ]
    odd = known[rng.integers(len(known))]
    if patient % 2 == 0:
        return _One(abnormal, odd, kind)
    normal = lab.cell(
        "46,XY" if odd.label == "Y" else _normal(rng),
        look=look,
        seed=seed,
        patient=patient,
    )
    same = [one for one in normal.homologues if one.label == odd.label]
    return _One(normal, same[rng.integers(len(same))], "none")


def _sex(rng):
    return "XX" if rng.random() < 0.5 else "XY"


def _normal(rng):
    return f"46,{_sex(rng)}"


def _drawn(one):
    """The picture of the chosen chromosome alone, and the truth about it."""
    index = one.cell.homologues.index(one.homologue)
    patterns = banding.Patterns(
        *(
            getattr(one.cell.patterns, field.name)[[index]]
            for field in dataclasses.fields(banding.Patterns)
        )
    )
    alone = dataclasses.replace(
        one.cell, homologues=(one.homologue,), patterns=patterns
    )
    packed, told = singles.draw(alone)
    return packed[0], told[0]


def _told(one, told, straight):
    """The box of the abnormal stretch on the straight picture."""
    where = stretch(one.homologue)
    if where is None:
        return records.Boxes(np.empty((0, 4)), np.empty(0, str))
    truth = told.axis[0]  # from the end of p
    near, far = (np.hypot(*(straight.axis[0] - end)) for end in truth[[0, -1]])
    low, high = where if near <= far else (1 - where[1], 1 - where[0])
    height, width = straight.ink.shape
    box = [0, np.floor(low * height), width, np.ceil(high * height)]
    return records.Boxes(np.array([box]), [one.kind])


def _words(one):
    return {
        "name": one.cell.name,
        "label": "normal" if one.kind == "none" else "abnormal",
        "group": one.cell.patient,
        "class": one.homologue.label,
        "kind": one.kind,
        "iscn": one.cell.karyotype,
        "sham": "no",
    }


def _set(words, rows):
    columns = {key: np.array([w[key] for w in words], dtype=str) for key in words[0]}
    own = {key: columns.pop(key) for key in ("name", "label", "group")}
    packed = pixels.pack([compose.rendered(ink) for _, ink, _ in rows])
    return records.ImageSet(
        source=lab.SOURCE,
        **own,
        unit="patient",
        pixels=packed,
        boxes=tuple(told for *_, told in rows),
        extra=columns,
        fingerprint=hashlib.sha256(packed.buffer).hexdigest(),
        provenance=lab.SOURCE,
    )
