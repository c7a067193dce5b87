"""Images labelled normal and abnormal, of any source, with where it shows.

`labelled(images, unit, *, count, rng, seed)` -> a set of normal and abnormal images
`divide(images, *, seed)` -> those that may train, and those of groups kept unseen
`extra_copies(images)` -> karyograms of real cells with a copy too many

A unit is what one image shows: a chromosome or a karyogram.
"""

import dataclasses
import functools

import numpy as np

from chromolib import records
from chromolib.data import compose, edits, splits
from chromolib.synth import abnormal, lab

LABELS = ("normal", "abnormal")
ODDS = 946 / 857  # of normal single chromosomes to abnormal ones
UNITS = ("chromosome", "karyogram")
STATUS = ("normal", "abnormal", "numerical", "structural")
UNSEEN = {"synthetic": 0.5, "real": 0.4}  # share of groups that no training sees


class UnitError(ValueError):
    """A source that does not hold such images."""


def labelled(images, unit, *, count, rng, seed=0, size=abnormal.SIZE):
    """Normal and abnormal images of a unit, with where the abnormality lies.

    `images` is what was read; None draws `count` synthetic ones, karyograms of so many
    pixels a side. A set labelled normal and abnormal is taken as it is; single
    chromosomes of whole cells are edited.
    """
    if images is None and unit == "chromosome":
        return abnormal.chromosomes(count, seed=seed)
    if images is None:
        return abnormal.karyograms(count, seed=seed, size=size)
    labels = set(images.label)
    if labels & set(LABELS):
        return _labelled(images, unit)
    if set(images.extra.get("status", ())) - {""}:
        return _by_status(images, unit)
    if not labels & set(records.CLASSES):
        raise UnitError(
            f"{images.source} says neither normal nor abnormal, nor which chromosome "
            "is shown; label its images normal and abnormal (see Your own images)"
        )
    return _edited(images, unit, rng)


def shown(images, given):
    """The units that images can show, or the one that was given."""
    if given != "both":
        return (given,)
    if images is None or set(images.label) & set(records.CLASSES):
        return UNITS
    if set(images.label) & set(LABELS):
        raise UnitError(
            f"{images.source} does not say what one image shows; "
            "set unit to 'chromosome' or 'karyogram'"
        )
    return ("karyogram",)


def checked(images):
    """The images, refused unless both labels are there."""
    missing = [label for label in LABELS if label not in set(images.label)]
    if missing:
        raise UnitError(
            f"{images.source} has no image labelled {missing[0]!r}; a network that "
            "tells normal from abnormal needs both: add images or name another source"
        )
    return images


def divide(images, *, seed):
    """The images that may train, and those of groups kept unseen."""
    share = UNSEEN["synthetic" if images.source == lab.SOURCE else "real"]
    words = {"protocol": "clean", "seed": seed, "stratify": images.label}
    split = splits.divide(images, test=share, **words)
    return images.take(split.train), images.take(split.test)


def natural(images, known):
    """Karyograms of real cells with a copy too many, of groups that do not train."""
    found = extra_copies(images)
    if found is None:
        return None
    found = found.take(~np.isin(found.group, list(known)))
    return found if len(found) else None


def _labelled(images, unit):
    odd = sorted(set(images.label) - set(LABELS))
    if odd:
        raise UnitError(
            f"{images.source}: label {str(odd[0])!r} beside normal and abnormal; "
            "use these two words only"
        )
    if unit == "karyogram":
        _one_label(images)
    return _plain(images, np.where(images.label == "abnormal", "abnormal", "none"))


def _one_label(images):
    """Refuse a patient who is normal and abnormal at once."""
    for group in np.unique(images.group):
        if len(set(images.label[images.group == group])) > 1:
            raise UnitError(
                f"{images.source}: {images.unit} {str(group)!r} has images of both "
                "labels; a karyotype is of a whole patient: correct labels or groups"
            )


def _by_status(images, unit):
    if unit != "karyogram":
        raise UnitError(
            f"{images.source} shows whole cells, no single chromosomes; "
            "its unit is karyogram"
        )
    images = _known(images)
    kind = np.where(images.extra["status"] == "normal", "none", images.extra["status"])
    label = np.where(kind == "none", "normal", "abnormal")
    return _plain(dataclasses.replace(images, label=label), kind)


def _known(images):
    """The images whose status is known; a word that says neither is refused."""
    status = images.extra["status"]
    odd = sorted(set(status) - {"", *STATUS})
    if odd:
        raise UnitError(
            f"{images.source}: status {str(odd[0])!r}; known: {', '.join(STATUS)}, or "
            "empty where nobody knows; correct images.csv"
        )
    known = images.take(status != "")
    left_out = tuple(
        records.Problem("repaired", "an image of unknown status", str(n), "left out")
        for n in images.name[status == ""]
    )
    return dataclasses.replace(known, problems=(*known.problems, *left_out))


def _plain(images, kind):
    """A set as it came: where the abnormality lies is not known."""
    nowhere = records.Boxes(np.empty((0, 4)), np.empty(0, str))
    sham = np.full(len(images), "no")
    return dataclasses.replace(
        images,
        boxes=(nowhere,) * len(images),
        extra=images.extra | {"kind": kind.astype(str), "sham": sham},
    )


def _edited(images, unit, rng):
    laid = straight(images)
    if unit == "chromosome":
        made = _thinned(edits.structural(laid, rng=rng), rng)
        rows = zip(
            made.extra["rows"], made.extra["kind"], made.pixels.shape, strict=True
        )
        return dataclasses.replace(made, boxes=tuple(_rows(*row) for row in rows))
    made = edits.numerical(laid, rng=rng)
    change = made.extra["change"]
    kind = np.where(np.char.startswith(change, "+"), "gain", "loss")
    kind = np.where(change == "", "none", kind)
    kind = np.where(made.extra["sham"] == "yes", "exchange", kind)
    label = np.where(change == "", "normal", "abnormal")
    boxes = tuple(map(abnormal.wrong_number, made.boxes, kind))
    extra = made.extra | {"kind": kind}
    return dataclasses.replace(made, label=label, boxes=boxes, extra=extra)


def extra_copies(images):
    """Karyograms of cells with a copy too many that nobody edited; None without any."""
    if images is None or not set(images.label) & set(records.CLASSES):
        return None
    cells = compose.cells(straight(images), room=compose.ROOM)
    gains = cells.take(cells.extra["status"] == "numerical")
    if not len(gains):
        return None
    gains = dataclasses.replace(gains, label=np.full(len(gains), "abnormal"))
    return _plain(gains, np.full(len(gains), "real gain"))


@functools.lru_cache(maxsize=2)  # a source and an external one
def straight(images):
    """The same for both units of a run: it takes longest."""
    return compose.straightened(images, orient=False)


def _thinned(made, rng):
    """Normal ones left out at random, until the labels are as even as ODDS.

    So that a share of right answers means the same for a paper, for its published
    protocol and for a clean one.
    """
    normal = np.flatnonzero(made.label == "normal")
    wanted = round(ODDS * (len(made) - len(normal)))
    left = rng.permutation(normal)[wanted:]
    return made.take(np.setdiff1d(np.arange(len(made)), left))


def _rows(rows, kind, shape):
    """The box of the rows that an edit changed; a joint is widened to be visible."""
    if kind == edits.UNTOUCHED:
        return records.Boxes(np.empty((0, 4)), np.empty(0, str))
    first, last = map(int, rows.split(":"))
    wider = abnormal.POINT * shape[0] * (last - first < 2 * abnormal.POINT * shape[0])
    low, high = max(0, first - wider), min(shape[0], last + wider)
    return records.Boxes(np.array([[0, low, shape[1], high]]), [str(kind)])
