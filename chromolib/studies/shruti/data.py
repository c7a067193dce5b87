"""Single chromosomes of the 24 classes, as networks see them, each with its cell.

`read(run, cells)` -> Chromosomes; without a real source so many cells are drawn
`other(run)` -> those of the second source
`some(chromosomes, groups, rng=)` -> those of so many groups
`whole(images)` -> whether they are fields; `cut(images)` -> the chromosomes in these
`boxed(samples)` -> without those that were cut from boxes beside the true ones
`by_cell(samples)` -> the same images under the classes of the report: their cells
"""

import dataclasses

import numpy as np

from chromolib import records
from chromolib.data import cards, pixels
from chromolib.karyotype import fields, finding
from chromolib.models import inputs, samples
from chromolib.synth import lab, singles

ABNORMAL = 0.1  # share of synthetic patients
ASIDE = 0.05  # of a side, that an edge lies beside the true one: as a finder's do
MOVED = "~"  # ends the name of a chromosome that was cut from such a box


class ChromosomeError(ValueError):
    """A source without chromosomes of known class."""


@dataclasses.dataclass(frozen=True, eq=False)
class Chromosomes:
    """Chromosomes of one source, as they are and laid straight."""

    images: records.ImageSet
    samples: samples.Samples  # straight ones, in the same order
    upright: bool  # whether the short arm is known to be up
    real: bool
    fields: records.ImageSet | None = None  # metaphases that they were cut from


def read(run, cells):
    """The chromosomes of the run's source; markers and the like have no class.

    Of a source of metaphases so many are cut up, drawn at random.
    """
    if run.images is None:
        drawn = lab.cells(cells, look="q", abnormal=ABNORMAL, seed=run.given("seed"))
        return prepared(singles.images(drawn), upright=True, real=False)
    images = run.images
    if whole(images):
        chosen = run.rng("fields").permutation(len(images))[:cells]
        images = images.take(np.sort(chosen))
    card = cards.read(run.root / "data" / "cards", images.source)
    return prepared(images, upright=bool(card.get("upright")), real=True)


def other(run):
    """The chromosomes of the run's second source."""
    card = cards.read(run.root / "data" / "cards", run.external.source)
    return prepared(run.external, upright=bool(card.get("upright")), real=True)


def prepared(images, *, upright, real, rng=None):
    """The chromosomes of the 24 classes among images, laid straight; see `cut`."""
    metaphases = images if whole(images) else None
    images = images if metaphases is None else cut(images, rng=rng)
    images = images.take(np.isin(images.label, records.CLASSES))
    if not len(images):
        raise ChromosomeError(
            f"{images.source} has no chromosome of a known class; name a source of "
            "single chromosomes, labelled 1 to 22, X and Y"
        )
    x = inputs.straight(images, canvas=inputs.FINE)
    columns = images.label, images.group, images.name, records.CLASSES, images.cell
    return Chromosomes(images, samples.Samples(x, *columns), upright, real, metaphases)


def whole(images):
    """Whether the images are fields of many chromosomes with a box each."""
    return images.boxes is not None and not any(images.label)


def cut(images, *, rng=None):
    """The chromosomes in the boxes of fields, each a picture of the cell it lay in.

    With `rng` each is cut once more, from a box beside the true one: a classifier that
    learned from both knows what it will be given by a finder.
    """
    crops, rows = [], []
    for number, (field, boxes) in enumerate(
        zip(fields.of(images), images.boxes, strict=True)
    ):
        for end, each in _beside(boxes, rng).items():
            crops += map(finding.crop, finding.cut_out(field, each)[0])
            rows += [(number, f"{k}{end}", one) for k, one in enumerate(each.label)]
    of, k, label = (np.array(column) for column in zip(*rows, strict=True))
    return dataclasses.replace(
        images,
        name=np.array([f"{images.name[i]}#{j}" for i, j in zip(of, k, strict=True)]),
        label=label,
        group=images.group[of],
        cell=images.name[of],
        pixels=pixels.pack(crops),
        boxes=None,
        extra={name: values[of] for name, values in images.extra.items()},
    )


def _beside(boxes, rng):
    """The end of a name -> the boxes as they are, and others beside them."""
    if rng is None:
        return {"": boxes}
    sides = np.tile(boxes.xyxy[:, 2:] - boxes.xyxy[:, :2], 2)
    moved = boxes.xyxy + rng.normal(0, ASIDE, sides.shape) * sides
    moved = np.concatenate(
        [moved[:, :2], np.maximum(moved[:, 2:], moved[:, :2] + 1)], 1
    )
    return {"": boxes, MOVED: records.Boxes(moved, boxes.label)}


def boxed(part):
    """Those that were cut from the true boxes alone."""
    return part.take(~np.char.endswith(part.image, MOVED))


def some(chromosomes, groups, *, rng):
    """The chromosomes of so many groups drawn at random, or of all."""
    names = rng.permutation(np.unique(chromosomes.images.group))[:groups]
    kept = np.isin(chromosomes.images.group, names)
    images, part = chromosomes.images.take(kept), chromosomes.samples.take(kept)
    return dataclasses.replace(chromosomes, images=images, samples=part)


def by_cell(part):
    """Each image labelled by the cell that it is of."""
    cells = tuple(sorted(set(part.cell)))
    return dataclasses.replace(part, label=part.cell, classes=cells)
