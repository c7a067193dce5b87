"""Karyograms, normal and abnormal, as the thesis had them: squares of 416 pixels.

`read(run, count)` -> Karyograms, divided by group
`sized(part, side)` -> the same as a network sees them, ink from 0 to 1
`counts(karyograms)` -> how many there are, by part, label and kind
"""

import dataclasses

import numpy as np
import pandas as pd

from chromolib import records
from chromolib.data import compose
from chromolib.detect import data as detecting
from chromolib.models import pictures, samples
from chromolib.synth import labelled

LABELS = labelled.LABELS
SIDE = compose.SIZE  # pixels, section 3.1.2
UNIT = "karyogram"


@dataclasses.dataclass(frozen=True, eq=False)
class Karyograms:
    """Karyograms of one source: ink, 0 to 255, with background 0."""

    source: str  # the word that every number of them carries
    real: bool  # whether any pixel ever was a chromosome
    pool: samples.Samples  # source images are drawn from these
    unseen: samples.Samples  # of other groups
    known: records.ImageSet  # `pool` with kind, sham and the box of what is wrong
    details: records.ImageSet  # `unseen` likewise
    natural: samples.Samples | None  # real cells with a copy too many, unedited
    external: samples.Samples | None  # of a second source, never trained on
    external_source: str = ""


def read(run, count):
    """The karyograms of a run's source; without a real one `count` are drawn."""
    how = {"count": count, "seed": run.given("seed"), "size": SIDE}
    images = labelled.labelled(run.images, UNIT, rng=run.rng(UNIT), **how)
    pool, unseen = labelled.divide(images, seed=run.given("seed"))
    natural = labelled.natural(run.images, set(pool.group))
    external = None
    if run.external is not None and not boxed(run.external):
        rng = run.rng("external")
        external = labelled.labelled(run.external, UNIT, count=0, rng=rng)
    return Karyograms(
        source=images.origin,
        real=run.images is not None,
        pool=as_samples(labelled.checked(pool)),
        unseen=as_samples(labelled.checked(unseen)),
        known=pool,
        details=unseen,
        natural=natural and as_samples(natural),
        external=external and as_samples(labelled.checked(external)),
        external_source=external.origin if external else "",
    )


def boxed(images):
    """Whether these are metaphases, which nobody has arranged yet."""
    return images is not None and detecting.shown(images) == "metaphase"


def as_samples(images):
    """A set as squares of SIDE pixels, in 8 bits: hundreds fit into memory."""
    x = np.rint(255 * pictures.of(images, UNIT, canvas=(SIDE, SIDE))).astype(np.uint8)
    return samples.Samples(x, images.label, images.group, images.name, LABELS)


def sized(part, side):
    """The same images at another size, as ink from 0 to 1."""
    x = np.empty((len(part), side, side, 1), np.float32)
    for i, image in enumerate(part.x[..., 0]):
        x[i, ..., 0] = compose.resized(image, side, side) / np.float32(255)
    return dataclasses.replace(part, x=x)


def counts(karyograms):
    """A row a kind of unseen karyogram, and how many there are of it."""
    kind = pd.Series(karyograms.details.extra["kind"], name="kind")
    label = pd.Series(karyograms.details.label, name="label")
    return kind.groupby([label, kind]).size().rename("unseen karyograms").reset_index()
