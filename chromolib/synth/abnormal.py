"""Images labelled normal and abnormal, with the kind of change and where it shows.

`chromosomes(count, seed)` -> straight single chromosomes, half of them rearranged
`karyograms(count, seed)` -> karyograms, half of them with a wrong number
`numbered(count, seed)` -> the cells of these

Each image is of a patient of its own. A set's `boxes` say where the abnormality lies,
with its kind as label; normal images have none.
"""

import collections
import dataclasses
import itertools
import operator

import numpy as np

from chromolib import records
from chromolib.data import compose
from chromolib.imaging import axis
from chromolib.synth import bodies, cases, lab, sets, singles

STRUCTURAL = ("del", "dup", "inv", "t", "der", "rob", "i", "r", "dic")
NUMERICAL = ("gain", "loss", "sex")
NUMBER, STRUCTURE = 11, 13  # purposes of a patient's chance
POINT = 0.05  # of the length, to either side of a breakpoint where nothing else shows
SIZE = 208  # pixels: a karyogram drawn at half the papers' size
COLUMNS = ("name", "label", "group", "class", "kind", "iscn", "sham")


def chromosomes(count, *, seed=0, start=0):
    """So many straight chromosomes of as many patients, every second one rearranged.

    A rearranged one and the normal one after it are filed under the same class, so that
    the class does not tell them apart. What cannot be straightened is left out.
    """
    chosen = [_chosen(patient, seed) for patient in range(start, start + count)]
    drawn = [singles.draw(cell) for cell, _ in chosen]
    straight = axis.straighten_all([packed[0] for packed, _ in drawn], orient=False)
    rows, images, boxes = [], [], []
    for (cell, kind), (_, (truth,)), chromosome in zip(
        chosen, drawn, straight, strict=True
    ):
        if isinstance(chromosome, axis.Straight):
            label = "normal" if kind == "none" else "abnormal"
            homologue, words = cell.homologues[0], (kind, cell.karyotype, "no")
            rows.append((cell.name, label, cell.patient, homologue.label, *words))
            images.append(compose.rendered(chromosome.ink))
            boxes.append(_box(homologue, kind, truth.axis[0], chromosome))
    return lab.image_set(COLUMNS, rows, images, boxes)


def karyograms(count, *, seed=0, size=SIZE):
    """So many karyograms of as many patients, every second one with a wrong number."""
    cells, kinds = numbered(count, seed=seed)
    drawn = sets.karyograms(cells, size=size, room=compose.ROOM)
    extra = {"kind": np.array(kinds), "sham": np.full(count, "no"), **drawn.extra}
    return dataclasses.replace(
        drawn,
        label=np.where(extra["status"] == "normal", "normal", "abnormal"),
        boxes=tuple(map(wrong_number, drawn.boxes, kinds)),
        extra=extra,
    )


def numbered(count, *, look="g", seed=0):
    """The cells of these patients, and which of `NUMERICAL` each has, or "none"."""
    made, kinds = [], []
    for patient in range(count):
        rng = np.random.default_rng([seed, patient, NUMBER])
        kind = str(rng.choice(NUMERICAL)) if patient % 2 == 0 else "none"
        karyotype = f"46,{_sex(rng)}" if kind == "none" else _case(kind, rng)
        made.append(lab.cell(karyotype, look=look, seed=seed, patient=patient))
        kinds.append(kind)
    return made, kinds


def wrong_number(boxes, kind):
    """The box around all chromosomes of each class that there are too many or few of.

    Where none of a class is left its place is not known, and there is no box of it.
    """
    copies = collections.Counter(boxes.label.tolist())
    odd = [name for name in records.CLASSES[:22] if copies[name] != 2]
    if (copies["X"], copies["Y"]) not in ((2, 0), (1, 1)):
        odd += [name for name in ("X", "Y") if copies[name] != 1]
    of_class = [boxes.xyxy[boxes.label == name] for name in odd if copies[name]]
    hulls = [np.r_[xyxy[:, :2].min(0), xyxy[:, 2:].max(0)] for xyxy in of_class]
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
    ends = np.cumsum([0, *(segment.length for segment in homologue.segments)])
    odd, reached = [], 0.0
    for segment, (low, high) in zip(
        homologue.segments, itertools.pairwise(ends), strict=True
    ):
        own = segment.chromosome == homologue.label
        again = reached - min(segment.start, segment.stop)
        if not own or segment.start > segment.stop:
            odd.append((low, high))
        elif abs(again) > 1e-9:
            odd.append((low, low + max(0.0, min(again, high - low))))
        if own:
            reached = max(reached, segment.start, segment.stop)
    odd = np.array(odd or [(ends[-1], ends[-1])])  # else the end of q is lost
    low, high = odd.min() / ends[-1], odd.max() / ends[-1]
    wider = POINT * (high - low < 2 * POINT)
    return max(0.0, low - wider), min(1.0, high + wider)


def _chosen(patient, seed):
    """A cell with one chromosome, and its kind: every second one is normal."""
    rng = np.random.default_rng([seed, patient // 2, STRUCTURE])
    kind = str(rng.choice(STRUCTURAL))
    cell = lab.cell(_case(kind, rng), seed=seed, patient=patient - patient % 2)
    rearranged = [
        i
        for i, homologue in enumerate(cell.homologues)
        if not homologue.normal and homologue.label in records.CLASSES
    ]
    which = rearranged[rng.integers(len(rearranged))]
    if patient % 2 == 0:
        return _alone(cell, which), kind
    label = cell.homologues[which].label
    karyotype = "46,XY" if label == "Y" else f"46,{_sex(rng)}"
    cell = lab.cell(karyotype, seed=seed, patient=patient)
    return _alone(cell, cell.label.tolist().index(label)), "none"


def _case(kind, rng):
    return cases.KINDS[kind](rng, _sex(rng))


def _sex(rng):
    return "XX" if rng.random() < 0.5 else "XY"


def _alone(cell, which):
    """The same cell with that chromosome only."""
    homologues, patterns = (
        (cell.homologues[which],),
        bodies.each(cell.patterns, operator.itemgetter([which])),
    )
    return dataclasses.replace(cell, homologues=homologues, patterns=patterns)


def _box(homologue, kind, line, straight):
    """The box of the abnormal stretch on the straight picture; none of a normal one."""
    where = stretch(homologue)
    if where is None:
        return records.Boxes(np.empty((0, 4)), np.empty(0, str))
    # The true axis runs from the end of p; the picture may stand on its head.
    near, far = (np.hypot(*(straight.axis[0] - end)) for end in line[[0, -1]])
    low, high = where if near <= far else (1 - where[1], 1 - where[0])
    height, width = straight.ink.shape
    box = [0, np.floor(low * height), width, np.ceil(high * height)]
    return records.Boxes(np.array([box]), [kind])
