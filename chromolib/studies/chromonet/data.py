"""What one image of a study shows, one chromosome or a whole karyogram, by its source.

`images(found, unit, count=..., seed=...)` -> ImageSet labelled normal and abnormal
`shown(found, given)` -> the units that a set's images can show
`apart(images, unit, seed)` -> those to draw sources from, those of unseen groups
`extra_copies(found)` -> karyograms of real cells with a copy too many, as they came
"""

import dataclasses
import functools

import numpy as np

from chromolib import records
from chromolib.data import compose, edits, splits
from chromolib.studies.chromonet import experiment, protocol
from chromolib.synth import abnormal

UNITS = ("chromosome", "karyogram")
STATUS = ("normal", "abnormal", "numerical", "structural")
UNSEEN = 0.4  # of a real set's groups, kept to judge by


class UnitError(ValueError):
    """A source that does not hold such images."""


def images(found, unit, *, count, rng, seed=0):
    """Normal and abnormal images of a unit, with where the abnormality lies.

    `found` is what was read; None draws `count` synthetic ones. A set labelled normal
    and abnormal is taken as it is; single chromosomes of whole cells are edited.
    """
    if found is None:
        draw = {"chromosome": abnormal.chromosomes, "karyogram": abnormal.karyograms}
        return draw[unit](count, seed=seed)
    labels = set(found.label)
    if labels & set(experiment.LABELS):
        return _labelled(found, unit)
    if set(found.extra.get("status", ())) - {""}:
        return _by_status(found, unit)
    if not labels & set(records.CLASSES):
        raise UnitError(
            f"{found.source} says neither normal nor abnormal, nor which chromosome is "
            "shown; label its images normal and abnormal (see Your own images)"
        )
    return _edited(found, unit, rng)


def shown(found, given):
    """The units that images can show, or the one that was given."""
    if given != "both":
        return (given,)
    if found is None or set(found.label) & set(records.CLASSES):
        return UNITS
    if set(found.label) & set(experiment.LABELS):
        raise UnitError(
            f"{found.source} does not say what one image shows; "
            "set unit to 'chromosome' or 'karyogram'"
        )
    return ("karyogram",)


def apart(found, *, seed):
    """The images that may train, and those of groups kept unseen."""
    split = splits.divide(
        found,
        protocol="clean",
        test=0.5 if found.source == abnormal.lab.SOURCE else UNSEEN,
        seed=seed,
        stratify=found.label,
    )
    return found.take(split.train), found.take(split.test)


def _labelled(found, unit):
    odd = sorted(set(found.label) - set(experiment.LABELS))
    if odd:
        raise UnitError(
            f"{found.source}: label {str(odd[0])!r} beside normal and abnormal; "
            "use these two words only"
        )
    if unit == "karyogram":
        _one_label(found)
    return _plain(found, np.where(found.label == "abnormal", "abnormal", "none"))


def _one_label(found):
    """Refuse a patient who is normal and abnormal at once."""
    for group in np.unique(found.group):
        if len(set(found.label[found.group == group])) > 1:
            raise UnitError(
                f"{found.source}: {found.unit} {str(group)!r} has images of both "
                "labels; a karyotype is of a whole patient: correct labels or groups"
            )


def _by_status(found, unit):
    if unit != "karyogram":
        raise UnitError(
            f"{found.source} shows whole cells, no single chromosomes; "
            "its unit is karyogram"
        )
    found = _known(found)
    kind = np.where(found.extra["status"] == "normal", "none", found.extra["status"])
    label = np.where(kind == "none", "normal", "abnormal")
    return _plain(dataclasses.replace(found, label=label), kind)


def _known(found):
    """The images whose status is known; a word that says neither is refused."""
    status = found.extra["status"]
    odd = sorted(set(status) - {"", *STATUS})
    if odd:
        raise UnitError(
            f"{found.source}: status {str(odd[0])!r}; known: {', '.join(STATUS)}, or "
            "empty where nobody knows; correct images.csv"
        )
    few = found.take(status != "")
    left = tuple(
        records.Problem("repaired", "an image of unknown status", str(n), "left out")
        for n in found.name[status == ""]
    )
    return dataclasses.replace(few, problems=(*few.problems, *left))


def _plain(found, kind):
    """A set as it came: where the abnormality lies is not known."""
    nowhere = records.Boxes(np.empty((0, 4)), np.empty(0, str))
    sham = np.full(len(found), "no")
    return dataclasses.replace(
        found,
        boxes=(nowhere,) * len(found),
        extra=found.extra | {"kind": kind.astype(str), "sham": sham},
    )


def _edited(found, unit, rng):
    straight = _straight(found)
    if unit == "chromosome":
        made = _thinned(edits.structural(straight, rng=rng), rng)
        return dataclasses.replace(made, boxes=tuple(map(_rows, *_sides(made))))
    made = edits.numerical(straight, rng=rng)
    change = made.extra["change"]
    kind = np.where(np.char.startswith(change, "+"), "gain", "loss")
    kind = np.where(change == "", "none", kind)
    kind = np.where(made.extra["sham"] == "yes", "exchange", kind)
    label = np.where(change == "", "normal", "abnormal")
    boxes = tuple(map(abnormal.wrong_number, made.boxes, kind))
    extra = made.extra | {"kind": kind}
    return dataclasses.replace(made, label=label, boxes=boxes, extra=extra)


def extra_copies(found):
    """Karyograms of cells with a copy too many that nobody edited; None without any."""
    if found is None or not set(found.label) & set(records.CLASSES):
        return None
    made = compose.cells(_straight(found), room=compose.ROOM)
    few = made.take(made.extra["status"] == "numerical")
    if not len(few):
        return None
    few = dataclasses.replace(few, label=np.full(len(few), "abnormal"))
    return _plain(few, np.full(len(few), "real gain"))


@functools.lru_cache(maxsize=2)  # a source and an external one
def _straight(found):
    """The same for both units of a run: it takes longest."""
    return compose.straightened(found, orient=False)


def _thinned(made, rng):
    """Normal ones left out at random, until the labels are as even as in the paper.

    So that a share of right answers means the same for the paper, for the published
    protocol and for the clean one.
    """
    odds = protocol.TOTAL["normal"] / protocol.TOTAL["abnormal"]
    normal = np.flatnonzero(made.label == "normal")
    wanted = round(odds * (len(made) - len(normal)))
    left = rng.permutation(normal)[wanted:]
    return made.take(np.setdiff1d(np.arange(len(made)), left))


def _sides(made):
    return made.extra["rows"], made.extra["kind"], made.pixels.shape


def _rows(rows, kind, shape):
    """The box of the rows that an edit changed; a joint is widened to be visible."""
    if kind == edits.UNTOUCHED:
        return records.Boxes(np.empty((0, 4)), np.empty(0, str))
    first, last = map(int, rows.split(":"))
    wider = abnormal.POINT * shape[0] * (last - first < 2 * abnormal.POINT * shape[0])
    low, high = max(0, first - wider), min(shape[0], last + wider)
    return records.Boxes(np.array([[0, low, shape[1], high]]), [str(kind)])
