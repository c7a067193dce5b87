"""What one image shows, a chromosome or a karyogram, and which images may train.

`units(run)` -> the units that a run asks about
`read(run, unit, count)` -> Images of a unit, divided by group
"""

import dataclasses

from chromolib import records
from chromolib.models import pictures, samples
from chromolib.synth import labelled

LABELS = labelled.LABELS


@dataclasses.dataclass(frozen=True, eq=False)
class Images:
    """Normal and abnormal images of one unit, as a network sees them."""

    unit: str
    source: str  # the word that every number of them carries
    real: bool  # whether any pixel ever was a chromosome
    scale: float  # by which all pictures were resized
    pool: samples.Samples  # source images are drawn from these
    unseen: samples.Samples  # of other groups
    details: records.ImageSet  # `unseen` with kind, sham and place of the abnormality
    natural: samples.Samples | None  # real cells with a copy too many, unedited
    external: samples.Samples | None  # of a second source, never trained on
    external_source: str = ""

    @property
    def kind(self):
        """The kind of abnormality of each unseen image; "none" where untouched."""
        return self.details.extra["kind"]

    @property
    def boxes(self):
        """Where the abnormality lies on each unseen picture."""
        return pictures.boxes(self.details, self.unit, self.scale)


def units(run):
    """The units that the run's images can show, or the one that was asked for."""
    return labelled.shown(run.images, run.given("unit"))


def read(run, unit, count):
    """Images of a unit, divided by group; without a real source `count` are drawn."""
    seed = run.given("seed")
    images = labelled.labelled(
        run.images, unit, count=count, rng=run.rng(unit), seed=seed
    )
    pool, unseen = labelled.divide(images, seed=seed)
    scale = pictures.scale(pool)
    natural = None
    if unit == "karyogram":
        natural = labelled.natural(run.images, set(pool.group))
    external = None
    if run.external is not None and unit in labelled.shown(
        run.external, run.given("unit")
    ):
        rng = run.rng("external")
        external = labelled.labelled(run.external, unit, count=0, rng=rng)
    return Images(
        unit=unit,
        source=images.origin,
        real=run.images is not None,
        scale=scale,
        pool=as_samples(pool, unit, scale),
        unseen=as_samples(unseen, unit, scale),
        details=unseen,
        natural=natural and _samples(natural, unit, scale),
        external=external and as_samples(external, unit, pictures.scale(external)),
        external_source=external.origin if external else "",
    )


def as_samples(images, unit, scale):
    """A set with both labels as pictures of one size."""
    return _samples(labelled.checked(images), unit, scale)


def _samples(images, unit, scale):
    x = pictures.of(images, unit, scale)
    return samples.Samples(x, images.label, images.group, images.name, LABELS)
