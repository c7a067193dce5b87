"""What makes images of one laboratory alike, of one patient, and of one cell.

`LOOKS` look -> trait -> Trait; fitted to training cells, see the calibration page
`patient(look, rng)` -> the traits that all cells of a patient share
`cell(look, shared, rng)` -> the traits of one cell
`shape(look, style, count, rng)` -> bodies.Shape: what differs between its chromosomes
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
    patient: float
    cell: float
    chromosome: float
    relative: bool

    def varied(self, middle, spread, chance):
        """The middle moved by chance as far as the spread says."""
        if self.relative:
            return middle * np.exp(spread * chance)
        return middle + spread * chance


# What the table is: middle, and spread between patients, cells and chromosomes, of
# `g`, single chromosomes cut from G-banded karyograms: small, dark on white
# `q`, single chromosomes cut from Q-banded karyograms: bright on black, soft
# `field`, chromosomes as they lie in G-banded metaphases: long and bent
# The traits are those of `bodies.Shape`, then of the camera: `even` is the mean ink to
# which each chromosome is stretched by itself, `levels` counts the greys that are left.
TABLE = """
unit       124  .04  .08  .04 |    87    0  .21  .05 |   194  .06   .1  .04
width     16.4  .12  .08  .06 |  13.4    0  .15  .06 |    18  .04  .06  .05
fill      1.15  .05  .06  .03 |   1.4    0  .06  .03 |   1.7  .02  .03  .02
gap        1.1   .3  .35   .4 |    .4    0   .3   .3 |     0    0    0    0
flare     .005  .01  .01  .02 |  .005    0  .01 .015 |     0    0 .004 .004
waist      .45  .03  .05   .1 |   .42    0  .05   .1 |   .16  .03  .04  .06
tilt         0    0    0  .05 |     0    0    0   .4 |     0    0    0    0
bend         0    0    0  .35 |     0    0    0  .35 |     0    0    0    1
kink         0    0    0   .3 |     0    0    0   .4 |     0    0    0   .5
wave       .08   .1   .1   .4 |    .1    0   .2   .4 |    .2   .1  .25   .3
flat       .15   .1  .15   .1 |    .5    0   .1  .15 |   .12   .1   .2    0
pale       .29  .01  .02  .02 |   .17    0  .02  .02 |   .28  .03  .02  .02
dark         1  .02  .03  .03 |   .93    0  .04  .04 |   .71  .09  .04 .025
gain         1    0    0  .02 |   .97    0  .17  .12 |     1    0  .02  .03
smear      1.2   .2   .2  .05 |     2    0  .15   .1 |   1.9   .1  .15  .05
slant        0    0    0    2 |     0    0    0    1 |     0    0    0    2
mottle     .13   .1  .15   .2 |    .1    0   .2   .2 |   .22   .1   .2    0
blotch     .05   .1  .15   .2 |    .1    0   .2   .2 |   .05   .1  .15   .2
stretch     .8   .1  .15   .2 |     1    0   .2   .2 |    .9   .1  .15   .2
rough      .06   .1  .15   .2 |   .06    0   .2   .2 |   .13   .1  .15   .2
blur       1.2  .12   .1    0 |   1.1    0  .14    0 |   1.2   .1   .1    0
grain      .34  .15  .15    0 |    .1    0   .2    0 |   .13   .1   .2    0
sharp     1.45  .25   .2    0 |     0    0    0    0 |   .15   .2   .2    0
noise     .002   .1   .2    0 |  .004    0   .2    0 | .0018   .2   .2    0
even      .585  .01  .03    0 |     0    0    0    0 |     0    0    0    0
levels      63    0    0    0 |     0    0    0    0 |     0    0    0    0
floor        0    0    0    0 |  .001    0 .002    0 |     0    0    0    0
cut       .045    0    0    0 |  .015    0    0    0 |   .01    0    0    0
"""
ABSOLUTE = ("gap", "flare", "waist", "tilt", "bend", "kink", "pale", "dark", "slant")
ABSOLUTE += ("levels", "floor", "cut")  # whose spreads are not of a logarithm
# In which chance moves the traits of a field; those of the others as in the table.
ORDER = """
unit width fill gap flare waist tilt bend kink wave flat pale dark smear slant
mottle blur gain blotch stretch rough grain sharp noise even levels floor cut
"""


def _looks():
    """Look -> trait -> Trait, in the order in which chance moves them."""
    made = {"g": {}, "q": {}, "field": {}}
    for line in TABLE.strip().splitlines():
        name, *numbers = line.replace("|", "").split()
        values = np.array(numbers, float).reshape(len(made), 4).tolist()
        for traits, row in zip(made.values(), values, strict=True):
            relative = name not in ABSOLUTE and row[0] != 0  # nought has no logarithm
            traits[name] = Trait(*row, relative)
    made["field"] = {name: made["field"][name] for name in ORDER.split()}
    return made


LOOKS = _looks()
BANDS = {"g": "g", "q": "q", "field": "g"}  # whose stain and means it has
FITTED = ("g", "q")  # looks that have means of their own
DARK = {"g": True, "q": False, "field": True}  # chromosomes darker than the ground
LEVELS = (400, 550)  # of bands, in short cells and in long ones
SHORT = 0.9  # over the usual length
TAILED = ("bend", "kink")  # mostly slight, now and then strong
TAIL = 1.0  # sd of the logarithm
SHAPE = tuple(bodies.Shape.__dataclass_fields__)


def check(look):
    """Refuse a look that nobody has drawn."""
    if look not in LOOKS:
        raise LookError(f"look {look!r}; known: {', '.join(LOOKS)}")


def patient(look, rng):
    """Trait -> the middle that all cells of one patient share."""
    return {
        name: trait.varied(trait.middle, trait.patient, rng.standard_normal())
        for name, trait in LOOKS[look].items()
    }


def cell(look, shared, rng):
    """Trait -> the middle that all chromosomes of one cell share."""
    style = {
        name: trait.varied(shared[name], trait.cell, rng.standard_normal())
        for name, trait in LOOKS[look].items()
    }
    style["floor"] = max(style["floor"], 0)
    long = style["unit"] > SHORT * LOOKS[look]["unit"].middle
    return style | {"level": LEVELS[int(long)]}


def shape(look, style, count, rng):
    """How each chromosome of a cell lies and what it holds."""
    rows = {}
    for name in (*SHAPE, "gain"):
        trait = LOOKS[look][name]
        chance = rng.standard_normal(count)
        if name in TAILED:
            chance *= np.exp(TAIL * rng.standard_normal(count))
        rows[name] = trait.varied(style[name], trait.chromosome, chance)
    rows["gap"] = np.maximum(rows["gap"], 0)
    rows["flare"] = np.maximum(rows["flare"], 0)
    rows["waist"] = np.clip(rows["waist"], 0, 0.9)
    gain = rows.pop("gain")
    rows["pale"], rows["dark"] = rows["pale"] * gain, rows["dark"] * gain
    return bodies.Shape(**rows)
