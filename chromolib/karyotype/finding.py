"""The chromosomes of a field, each as a crop of its own.

`find(field)` -> Found, by segmentation without learning
`painted(field, network)` -> Found, by a segmentation that has learned
`searched(field, finder)` -> Found, by a detector that has learned
`drawn(field, boxes)` -> Found, in boxes that a person or a detector gave
`cut_out(field, boxes)` -> the ink of each box that is the chromosome's, and where
`quality(found)` -> what a technician chooses by; `ranked(qualities)` -> best first
"""

import contextlib
import dataclasses
import functools
import itertools

import numpy as np
from scipy import ndimage, optimize
from skimage import segmentation

from chromolib import records
from chromolib.cyto import assign
from chromolib.detect import boxes as pairs
from chromolib.detect import squares, unet, views
from chromolib.imaging import axis, cut, measure, normalise, segment
from chromolib.karyotype import fields

BLUR = 2  # pixels of a chromosome's soft edge that a crop keeps
MARGIN = 2  # pixels of ground around it
AROUND = 0.006  # of a side: between masks of a learned segmentation and drawn boxes
SURE = 0.5  # score from which a detector's box is taken
DOUBTFUL = 0.08  # and from which it may be, where its cell lacks one: see `cyto.assign`
SAME = 0.7  # overlap from which a box and an object are one
WHOLE, HAPLOID = 46, 23
STEEP = 0.95  # quantile of the gradient that an edge has
GIVEN = "boxes"  # how: somebody drew them
ANOTHER = "another field; or draw its boxes and give them: --boxes"
GIVE = "draw a box around each chromosome, or leave out --boxes"


@dataclasses.dataclass(frozen=True, eq=False)
class Found:
    """The chromosomes of one field, and what else lies there."""

    boxes: records.Boxes  # with outlines; label is "" where nobody named it
    kind: np.ndarray  # (n,) "chromosome", "touching" or "overlap"
    crops: tuple  # (n,) grey, dark on white, nothing but the one chromosome
    how: str  # what found them
    debris: int = 0
    nuclei: int = 0
    least: float = 0.0  # score from which the finder is sure; others may be none

    def __len__(self):
        return len(self.boxes)

    @property
    def alone(self):
        """What the finder takes by itself, none of it in doubt."""
        return self.take(self.boxes.score >= self.least, least=0.0)

    def take(self, which, **changed):
        """Some of them, by mask."""
        crops = tuple(itertools.compress(self.crops, which))
        columns = {"boxes": self.boxes.take(which), "kind": self.kind[which]}
        made = dataclasses.replace(self, crops=crops, **columns, **changed)
        if "straight" in self.__dict__:  # straightened already
            made.__dict__["straight"] = [*itertools.compress(self.straight, which)]
        return made

    @functools.cached_property
    def straight(self):
        """(n,) each as axis.Straight, short arm up, or why it cannot be laid so."""
        return axis.straighten_all(self.crops)


def find(field):
    """What segmentation finds; refuses a field without chromosomes or with too many."""
    try:
        found = field.segmented
    except normalise.ImagingError as error:
        raise fields.Refused(field.item.key, *error.args) from None
    nuclei, debris = (int((found.kind == name).sum()) for name in ("nucleus", "debris"))
    chosen = np.flatnonzero(np.isin(found.kind, segment.COUNTED))
    _refuse(field, len(chosen), nuclei)
    crops, outlines = _taken(field, found.labels, chosen)
    boxes = dataclasses.replace(found.boxes.take(chosen), polygon=outlines)
    return Found(boxes, found.kind[chosen], crops, "segmentation", debris, nuclei)


def painted(field, network):
    """What a network finds that says of each pixel whether it is inside one."""
    made = squares.square(field.grey, network.input_shape[1])
    labels, score = unet.instances(network, made.ink)
    _refuse(field, len(score))
    sides = zip(field.grey.shape, made.scale[::-1], made.corner[::-1], strict=True)
    on = [((np.arange(n) + 0.5) * by + first).astype(int) for n, by, first in sides]
    places = ndimage.find_objects(labels)
    corners = [[[side.start, side.stop] for side in place[::-1]] for place in places]
    xyxy = np.array(corners, float).transpose(0, 2, 1)
    xyxy += AROUND * network.input_shape[1] * np.array([[-1], [1]])
    xyxy = np.clip(made.back(xyxy.reshape(-1, 4)), 0, [*field.grey.shape[::-1]] * 2)
    crops, outlines = _taken(field, labels[np.ix_(*on)], range(len(score)))
    boxes = records.Boxes(xyxy, np.full(len(xyxy), ""), score, polygon=outlines)
    kind = np.full(len(xyxy), "chromosome", "<U10")
    return Found(boxes, kind, crops, "learned segmentation")


def _taken(field, labels, chosen):
    """The crops and the outlines of some numbered parts of a field."""
    labels = segmentation.expand_labels(labels, BLUR)
    places, ink = ndimage.find_objects(labels), _levels(field.ink)
    crops, outlines = [], []
    for k in chosen:
        mask = labels[places[k]] == k + 1
        crops.append(crop(ink[places[k]] * mask))
        outlines.append(cut.outline(mask, _corner(places[k])))
    return tuple(crops), tuple(outlines)


def searched(field, finder, *, sure=SURE):
    """What a detector finds in eight views: its model, facts and the file's name.

    What is not `sure` is there too if it may be one; who names the cell decides.
    """
    model, facts, file = finder
    made = squares.square(field.grey, model.size)
    seen = squares.seen(made.ink)[None, ..., None]
    (found,) = views.predict(model, seen, score=min(sure, DOUBTFUL))
    xyxy = np.clip(made.back(found.xyxy), 0, [*field.grey.shape[::-1]] * 2)
    whole = (xyxy[:, 2:] - xyxy[:, :2]).min(1, initial=np.inf) >= 1
    label = np.full(len(found), "")
    boxes = records.Boxes(xyxy, label, found.score).take(whole)
    _refuse(field, int((boxes.score >= sure).sum()))
    boxes = boxes.take(slice(assign.MOST))  # the surest
    made = drawn(field, boxes, how=f"{file} ({facts['sha256'][:12]})")
    return dataclasses.replace(made, least=sure)


def drawn(field, boxes, *, how=GIVEN):
    """The chromosome in each box.

    Neighbours reach into a box. So where segmentation sees the object of a box, that is
    cut out; from each other box these are taken away, and what another one of them has
    nearer to its middle.
    """
    _refuse(field, len(boxes), remedy=GIVE if how == GIVEN else ANOTHER)
    inks, corners, kind = cut_out(field, boxes)
    known = boxes.polygon or [None] * len(boxes)
    outlines = tuple(
        _outline(ink, corner) if outline is None else outline
        for outline, ink, corner in zip(known, inks, corners, strict=True)
    )
    boxes = dataclasses.replace(boxes, polygon=outlines)
    return Found(boxes, kind, tuple(map(crop, inks)), how)


def cut_out(field, boxes):
    """The ink of the chromosome in each box, its corner and its kind.

    A box below `SURE` takes nothing from another: it may show the same object.
    """
    ink, kind = _levels(field.ink), np.full(len(boxes), "chromosome", "<U10")
    labels, part = np.zeros(ink.shape, int), np.full(len(boxes), -1)
    with contextlib.suppress(normalise.ImagingError):
        seen = field.segmented.chromosomes
        labels = segmentation.expand_labels(seen.labels, BLUR)
        part = _same(boxes, seen.boxes)
        kind[part >= 0] = seen.kind[part[part >= 0]]
        part = _undivided(ink, labels, boxes, part)
    sure, places = boxes.score >= SURE, ndimage.find_objects(labels)
    rest = ink * ~np.isin(labels, 1 + part[sure & (part >= 0)])
    alone = part < 0
    corners = np.floor(np.maximum(boxes.xyxy, 0)).astype(int)[:, :2]
    inks = cut.own(rest, boxes.xyxy[alone], sure[alone])
    inks = dict(zip(np.flatnonzero(alone), inks, strict=True))
    for k in np.flatnonzero(~alone):
        place = places[part[k]]
        inks[k] = ink[place] * (labels[place] == part[k] + 1)
        corners[k] = _corner(place)
    return [inks[k] for k in range(len(boxes))], corners, kind


def _same(boxes, others):
    """Which other one bounds the same object as each box, -1 for none.

    Of those that are `SURE` no two are the same one.
    """
    part, sure = np.full(len(boxes), -1), boxes.score >= SURE
    if not len(boxes) or not len(others):
        return part
    shared = np.asarray(pairs.iou(boxes.xyxy, others.xyxy))
    first, second = optimize.linear_sum_assignment(-shared[sure])
    part[~sure] = shared[~sure].argmax(1)
    part[np.flatnonzero(sure)[first]] = second
    same = shared[np.arange(len(boxes)), part] >= SAME
    return np.where(same, part, -1)


def _undivided(ink, labels, boxes, part):
    """The same, less the objects in which another sure box has most of its ink too."""
    part = part.copy()
    for k in np.flatnonzero(boxes.score >= SURE):
        x0, y0, x1, y1 = np.maximum(np.rint(boxes.xyxy[k]), 0).astype(int)
        place = np.s_[y0:y1, x0:x1]
        seen = labels[place][ink[place] > cut.DARK]
        most = np.bincount(seen, minlength=2).argmax()
        if most != part[k] + 1 and 2 * (seen == most).sum() > len(seen):
            part[part == most - 1] = -1
    return part


def _corner(place):
    """The x and y where a crop begins."""
    return place[1].start, place[0].start


def _refuse(field, count, nuclei=0, remedy=ANOTHER):
    if not count:
        seen = f"{nuclei} nuclei and no chromosome" if nuclei else "no chromosome"
        raise fields.Refused(field.item.key, f"{seen} found", remedy)
    if count > assign.MOST:
        reason = (
            f"{count} chromosomes, more than the {assign.MOST} a cell may have here"
        )
        raise fields.Refused(field.item.key, reason, "cut out one metaphase")


def _levels(ink):
    return (255 * ink).astype(np.uint8)


def crop(ink):
    """Ink as a picture, dark on white."""
    return 255 - np.pad(ink, MARGIN)


def _outline(ink, corner):
    """The outline of the chromosome in a crop; of the box where none is to be seen."""
    try:
        mask = normalise.foreground(normalise.ink(255 - ink))
    except normalise.ImagingError:
        mask = np.ones(ink.shape, bool)
    return cut.outline(mask, corner)


def quality(found):
    """What a technician chooses metaphases by: count, overlaps, contacts, bands seen.

    Sharpness is how steeply the edges rise, in full stain a width of chromosome. Bands
    are those of a haploid set, as the level of an ideogram counts them.
    """
    areas = np.array([(crop < 128).sum() for crop in found.crops])
    spans = np.hypot(*(found.boxes.xyxy[:, 2:] - found.boxes.xyxy[:, :2]).T)
    width = np.median(areas / np.maximum(spans, 1))
    steep = [
        np.quantile(ndimage.gaussian_gradient_magnitude(crop.astype(float), 1), STEEP)
        for crop in found.crops
    ]
    laid = (one for one in found.straight if isinstance(one, axis.Straight))
    bands = [measure.bands(one) for one in laid]
    return {
        "count": len(found),
        "overlap": int((found.kind == "overlap").sum()),
        "touching": int((found.kind == "touching").sum()),
        "sharpness": round(float(np.median(steep) * width / 255), 2),
        "bands": round(HAPLOID * float(np.mean(bands or [0]))),
    }


def ranked(qualities):
    """The order from the best metaphase to the worst: complete ones first, of these the
    ones with the fewest overlaps and contacts, then those that show most bands, then
    the sharpest."""

    def key(i):
        one = qualities[i]
        met = one["overlap"], one["touching"]
        return (abs(one["count"] - WHOLE), *met, -one["bands"], -one["sharpness"])

    return sorted(range(len(qualities)), key=key)
