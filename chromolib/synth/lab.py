"""The synthetic lab: patients and their cells, drawn by chance or from an ISCN string.

`cell(karyotype, ...)` -> Cell, any karyotype that ISCN can write
`cells(count, ...)` -> Cells of patients, some of them abnormal, one after the other
`image_set(columns, rows, images, boxes)` -> ImageSet of what was drawn of cells
"""

import dataclasses
import functools
import hashlib
import types
import zlib

import numpy as np

from chromolib import records
from chromolib.cyto import iscn
from chromolib.data import pixels
from chromolib.synth import banding, cases, looks

SOURCE = "synthetic"
PER_PATIENT = 2  # cells
COPIES = 8  # of one class that have heterochromatin of their own
KARYOTYPE = 7  # purpose of a patient's chance
OWN = ("name", "label", "group", "cell")  # columns that every image set has


@dataclasses.dataclass(frozen=True, eq=False)
class Cell:
    """One cell before it is drawn: what it holds, and the style it is seen in."""

    name: str
    patient: str
    karyotype: str  # ISCN of the patient; a mosaic's cell is one of its clones
    look: str
    homologues: tuple  # cyto.iscn.Homologue
    patterns: banding.Patterns
    style: dict  # trait -> value, see looks
    key: tuple  # what chance in this cell depends on

    def rng(self, purpose):
        """Chance for one purpose, the same whenever and wherever it is drawn."""
        return np.random.default_rng([*self.key, zlib.crc32(purpose.encode())])

    @property
    def label(self):
        """The class of each chromosome, (n,)."""
        return np.array([homologue.label for homologue in self.homologues])


def cell(karyotype, *, look="g", seed=0, patient=0, number=0, fit=True):
    """One cell of this karyotype; the same patient and seed give the same stain.

    Without `fit` its bands are those of the ideogram alone.
    """
    looks.check(look)
    parsed = iscn.parse(karyotype)
    key = (seed, patient, number)
    rng = np.random.default_rng(key)
    shared = np.random.default_rng([seed, patient])
    style = looks.cell(look, looks.patient(look, shared), rng)
    sizes = banding.variants(shared, COPIES)
    clone = _clone(parsed, rng)
    homologues = _homologues(iscn.write(parsed), clone, style["level"])
    return Cell(
        name=f"s{seed}-p{patient:05d}-c{number}",
        patient=f"s{seed}-p{patient:05d}",
        karyotype=iscn.write(parsed),
        look=look,
        homologues=homologues,
        patterns=banding.patterns(
            homologues, looks.BANDS[look], sizes, level=style["level"], fit=fit
        ),
        style=types.MappingProxyType(style),
        key=key,
    )


def cells(count, *, look="g", abnormal=0.0, seed=0, start=0, fit=True):
    """Cells of as many patients as it takes, this share of them abnormal."""
    for k in range(start, start + count):
        patient, number = divmod(k, PER_PATIENT)
        rng = np.random.default_rng([seed, patient, KARYOTYPE])
        who = {"seed": seed, "patient": patient, "number": number}
        yield cell(cases.karyotype(rng, abnormal), look=look, fit=fit, **who)


def image_set(columns, rows, images, boxes, *, hashed=()):
    """Drawn images as a set, a row of words each; groups are patients.

    The fingerprint is of the pixels unless other bytes are to be `hashed`.
    """
    words = {
        name: np.array([row[k] for row in rows], dtype=str)
        for k, name in enumerate(columns)
    }
    packed = pixels.pack(images)
    fingerprint = hashlib.sha256()
    for data in hashed or [packed.buffer]:
        fingerprint.update(data)
    return records.ImageSet(
        SOURCE,
        **{name: words.pop(name) for name in OWN if name in words},
        unit="patient",
        pixels=packed,
        boxes=tuple(boxes),
        extra=words,
        fingerprint=fingerprint.hexdigest(),
        provenance=SOURCE,
    )


def _clone(karyotype, rng):
    """Which clone this cell is of: by the cells counted, or all alike."""
    counts = np.array([clone.cells or 1 for clone in karyotype.clones], float)
    return int(rng.choice(len(counts), p=counts / counts.sum()))


@functools.lru_cache(256)
def _homologues(text, clone, level):
    return iscn.chromosomes(iscn.parse(text).clones[clone], level)
