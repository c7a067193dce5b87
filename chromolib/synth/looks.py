"""What makes images of one laboratory alike, of one patient, and of one cell.

`LOOKS` name -> trait -> Trait; fitted to training cells, see the calibration page
`patient(look, seed, k)` -> the traits that all cells of a patient share
`cell(look, shared, rng)` -> the traits of one cell
`shape(style, count, rng)` -> bodies.Shape: what differs between its chromosomes
"""

import typing

import numpy as np

from chromolib.synth import bodies


class LookError(ValueError):
    """A look that nobody has drawn."""


class Trait(typing.NamedTuple):
    """A trait's middle, and how it varies between patients, cells and chromosomes.

    Spreads of a `relative` trait are of its logarithm.
    """

    middle: float
    patient: float = 0.0
    cell: float = 0.0
    chromosome: float = 0.0
    relative: bool = True


def _about(middle, patient=0.0, cell=0.0, chromosome=0.0):
    return Trait(middle, patient, cell, chromosome, relative=False)


LOOKS = {
    "g": {  # single chromosomes cut from G-banded karyograms: small, dark on white
        "unit": Trait(124, 0.04, 0.08, 0.04),
        "width": Trait(16.4, 0.12, 0.08, 0.06),
        "fill": Trait(1.15, 0.05, 0.06, 0.03),
        "gap": _about(1.1, 0.3, 0.35, 0.4),
        "flare": _about(0.005, 0.01, 0.01, 0.02),
        "waist": _about(0.45, 0.03, 0.05, 0.1),
        "tilt": _about(0, 0, 0, 0.05),
        "bend": _about(0, 0, 0, 0.35),
        "kink": _about(0, 0, 0, 0.3),
        "wave": Trait(0.08, 0.1, 0.1, 0.4),
        "flat": Trait(0.15, 0.1, 0.15, 0.1),
        "pale": _about(0.29, 0.01, 0.02, 0.02),
        "dark": _about(1.0, 0.02, 0.03, 0.03),
        "gain": Trait(1, 0, 0, 0.02),
        "smear": Trait(1.2, 0.2, 0.2, 0.05),
        "slant": _about(0, 0, 0, 2.0),
        "mottle": Trait(0.13, 0.1, 0.15, 0.2),
        "blotch": Trait(0.05, 0.1, 0.15, 0.2),
        "stretch": Trait(0.8, 0.1, 0.15, 0.2),
        "rough": Trait(0.06, 0.1, 0.15, 0.2),
        "blur": Trait(1.2, 0.12, 0.1),
        "grain": Trait(0.34, 0.15, 0.15),
        "sharp": Trait(1.45, 0.25, 0.2),
        "noise": Trait(0.002, 0.1, 0.2),
        "even": Trait(
            0.585, 0.01, 0.03
        ),  # mean ink, each chromosome stretched by itself
        "levels": _about(63),  # of grey that are left
        "floor": _about(0),
        "cut": _about(0.045),
    },
    "q": {  # single chromosomes cut from Q-banded karyograms: bright on black, soft
        "unit": Trait(87, 0, 0.21, 0.05),
        "width": Trait(13.4, 0, 0.15, 0.06),
        "fill": Trait(1.4, 0, 0.06, 0.03),
        "gap": _about(0.4, 0, 0.3, 0.3),
        "flare": _about(0.005, 0, 0.01, 0.015),
        "waist": _about(0.42, 0, 0.05, 0.1),
        "tilt": _about(0, 0, 0, 0.4),
        "bend": _about(0, 0, 0, 0.35),
        "kink": _about(0, 0, 0, 0.4),
        "wave": Trait(0.1, 0, 0.2, 0.4),
        "flat": Trait(0.5, 0, 0.1, 0.15),
        "pale": _about(0.17, 0, 0.02, 0.02),
        "dark": _about(0.93, 0, 0.04, 0.04),
        "gain": Trait(0.97, 0, 0.17, 0.12),
        "smear": Trait(2.0, 0, 0.15, 0.1),
        "slant": _about(0, 0, 0, 1.0),
        "mottle": Trait(0.1, 0, 0.2, 0.2),
        "blotch": Trait(0.1, 0, 0.2, 0.2),
        "stretch": Trait(1.0, 0, 0.2, 0.2),
        "rough": Trait(0.06, 0, 0.2, 0.2),
        "blur": Trait(1.1, 0, 0.14),
        "grain": Trait(0.1, 0, 0.2),
        "sharp": _about(0),
        "noise": Trait(0.004, 0, 0.2, 0),
        "even": _about(0),
        "levels": _about(0),
        "floor": _about(0.001, 0, 0.002),
        "cut": _about(0.015),
    },
    "field": {  # chromosomes as they lie in G-banded metaphases, long and bent
        "unit": Trait(194, 0.06, 0.10, 0.04),
        "width": Trait(18.0, 0.04, 0.06, 0.05),
        "fill": Trait(1.7, 0.02, 0.03, 0.02),
        "gap": _about(0.0),
        "flare": _about(0.0, 0, 0.004, 0.004),
        "waist": _about(0.16, 0.03, 0.04, 0.06),
        "tilt": _about(0),
        "bend": _about(0, 0, 0, 1.0),
        "kink": _about(0, 0, 0, 0.5),
        "wave": Trait(0.2, 0.1, 0.25, 0.3),
        "flat": Trait(0.12, 0.1, 0.2, 0),
        "pale": _about(0.28, 0.03, 0.02, 0.02),
        "dark": _about(0.71, 0.09, 0.04, 0.025),
        "smear": Trait(1.9, 0.1, 0.15, 0.05),
        "slant": _about(0, 0, 0, 2.0),
        "mottle": Trait(0.22, 0.1, 0.2, 0),
        "blur": Trait(1.2, 0.1, 0.1, 0),
        "gain": Trait(1, 0, 0.02, 0.03),
        "blotch": Trait(0.05, 0.1, 0.15, 0.2),
        "stretch": Trait(0.9, 0.1, 0.15, 0.2),
        "rough": Trait(0.13, 0.1, 0.15, 0.2),
        "grain": Trait(0.13, 0.1, 0.2),
        "sharp": Trait(0.15, 0.2, 0.2),
        "noise": Trait(0.0018, 0.2, 0.2, 0),
        "even": _about(0),
        "levels": _about(0),
        "floor": _about(0),
        "cut": _about(0.01),
    },
}
BANDS = {"g": "g", "q": "q", "field": "g"}  # whose stain and means it has
FITTED = ("g", "q")  # looks that have means of their own
DARK = {"g": True, "q": False, "field": True}  # chromosomes darker than the ground
LEVELS = (400, 550)  # of bands, in short cells and in long ones
SHORT = 0.9  # over the usual length
TAILED = ("bend", "kink")  # mostly slight, now and then strong
TAIL = 1.0  # sd of the logarithm
SHAPE = tuple(bodies.Shape.__dataclass_fields__)


def known(look):
    """Refuse a look that nobody has drawn."""
    if look not in LOOKS:
        raise LookError(f"look {look!r}; known: {', '.join(LOOKS)}")


def patient(look, rng):
    """Trait -> the middle that all cells of one patient share."""
    return {
        name: _moved(trait, trait.middle, trait.patient, rng.standard_normal())
        for name, trait in LOOKS[look].items()
    }


def cell(look, shared, rng):
    """Trait -> the middle that all chromosomes of one cell share."""
    style = {
        name: _moved(trait, shared[name], trait.cell, rng.standard_normal())
        for name, trait in LOOKS[look].items()
    }
    style["floor"] = max(style["floor"], 0)
    long = style["unit"] > SHORT * LOOKS[look]["unit"].middle
    return style | {"level": LEVELS[int(long)]}


def shape(look, style, count, rng):
    """How each chromosome of a cell lies and what it holds."""
    rows = {}
    for name in SHAPE:
        trait = LOOKS[look][name]
        chance = rng.standard_normal(count)
        if name in TAILED:
            chance *= np.exp(TAIL * rng.standard_normal(count))
        rows[name] = _moved(trait, style[name], trait.chromosome, chance)
    rows["gap"] = np.maximum(rows["gap"], 0)
    rows["flare"] = np.maximum(rows["flare"], 0)
    rows["waist"] = np.clip(rows["waist"], 0, 0.9)
    gain = _moved(
        LOOKS[look]["gain"],
        style["gain"],
        LOOKS[look]["gain"].chromosome,
        rng.standard_normal(count),
    )
    rows["pale"], rows["dark"] = rows["pale"] * gain, rows["dark"] * gain
    return bodies.Shape(**rows)


def _moved(trait, middle, spread, chance):
    if trait.relative:
        return middle * np.exp(spread * chance)
    return middle + spread * chance
