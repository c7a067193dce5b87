"""Patients by chance: which karyotype the next one has.

`karyotype(rng, abnormal)` -> ISCN string
`KINDS` kind -> a drawing of one karyotype of that kind
`irradiated(rng, sex, dicentrics, rings)` -> ISCN string of one cell
"""

import numpy as np

from chromolib.cyto import bands, cells, groups, iscn

LEVEL = 550
AUTOSOMES = tuple(map(str, range(1, 23)))
TWO_ARMED = tuple(name for name in AUTOSOMES if name not in groups.ACROCENTRIC)
WHOLE = ("13", "18", "21", "21", "21", "8", "9", "16", "22")  # 21 three times as often
NORMAL = ("46,XX", "46,XY")
SEXES = ("45,X", "47,XXY", "47,XXX", "47,XYY", "48,XXYY", "48,XXXX")
BREAKS = ("gneg", "gpos")  # stains of bands where breaks are seen
MOSAICS = (
    "mos 45,X[12]/46,XX[18]",
    "mos 47,XXY[20]/46,XY[10]",
    "mos 47,{sex},+21[15]/46,{sex}[15]",
)


def karyotype(rng, abnormal=0.0):
    """The karyotype of a patient; this share of patients is abnormal."""
    sex = "XX" if rng.random() < 0.5 else "XY"
    if rng.random() >= abnormal:
        return f"46,{sex}"
    kind = rng.choice(tuple(KINDS))
    return KINDS[kind](rng, sex)


def irradiated(rng, sex, dicentrics, rings):
    """A cell with so many dicentrics and rings, each with the fragment that it leaves.

    Long autosomes break more often, and no two of one class in the same cell.
    """
    if not (0 <= rings <= len(TWO_ARMED) and 0 <= 2 * dicentrics + rings <= 22):
        raise ValueError(
            f"{dicentrics} dicentrics and {rings} rings are more than 22 autosomes "
            "make; draw a lower dose"
        )
    closed = _broken(rng, TWO_ARMED, rings)
    left = [name for name in AUTOSOMES if name not in closed]
    joined = _broken(rng, left, 2 * dicentrics)
    changes = [
        cells.Change("r", (name,), ((_band(rng, name, "p"), _band(rng, name, "q")),))
        for name in closed
    ] + [
        cells.Change("dic", pair, tuple((_any(rng, name),) for name in pair))
        for pair in zip(joined[::2], joined[1::2], strict=True)
    ]
    changes += [cells.Change("ace")] * len(changes)
    clone = cells.Clone(46 + rings, sex, tuple(changes))
    return iscn.write(cells.Karyotype((clone,)))


def _gain(rng, sex):
    return f"47,{sex},+{rng.choice(WHOLE)}"


def _loss(rng, sex):
    return f"45,{sex},-{rng.choice(WHOLE)}"


def _sexes(rng, sex):
    return str(rng.choice(SEXES))


def _mosaic(rng, sex):
    return str(rng.choice(MOSAICS)).format(sex=sex)


def _deletion(rng, sex):
    name = rng.choice(AUTOSOMES)
    arm = _arm(rng, name)
    if rng.random() < 0.5:
        return f"46,{sex},del({name})({_band(rng, name, arm)})"
    near, far = _pair(rng, name, arm)
    return f"46,{sex},del({name})({near}{far})"


def _duplication(rng, sex):
    name = rng.choice(AUTOSOMES)
    near, far = _pair(rng, name, _arm(rng, name))
    if rng.random() < 0.3:
        near, far = far, near
    return f"46,{sex},dup({name})({near}{far})"


def _inversion(rng, sex):
    name = rng.choice(TWO_ARMED)
    if rng.random() < 0.6:
        return f"46,{sex},inv({name})({_band(rng, name, 'p')}{_band(rng, name, 'q')})"
    near, far = _pair(rng, name, _arm(rng, name))
    return f"46,{sex},inv({name})({near}{far})"


def _translocation(rng, sex):
    first, second = _two(rng, AUTOSOMES)
    return f"46,{sex},t({first};{second})({_any(rng, first)};{_any(rng, second)})"


def _unbalanced(rng, sex):
    first, second = _two(rng, AUTOSOMES)
    made = rng.choice((first, second))
    breaks = f"{_any(rng, first)};{_any(rng, second)}"
    return f"46,{sex},der({made})t({first};{second})({breaks})"


def _robertsonian(rng, sex):
    first, second = _two(rng, groups.ACROCENTRIC)
    return f"45,{sex},rob({first};{second})(q10;q10)"


def _isochromosome(rng, sex):
    if sex == "XX" and rng.random() < 0.5:
        return "46,X,i(X)(q10)"
    return f"46,{sex},i({rng.choice(('9', '12', '17', '18'))})(q10)"


def _ring(rng, sex):
    name = rng.choice(TWO_ARMED)
    return f"46,{sex},r({name})({_last(name, 'p')}{_last(name, 'q')})"


def _dicentric(rng, sex):
    first, second = _two(rng, AUTOSOMES[:12])
    breaks = f"{_last(first, 'q')};{_last(second, 'q')}"
    return f"46,{sex},dic({first};{second})({breaks}),ace"


def _marker(rng, sex):
    return f"47,{sex},+mar"


KINDS = {
    "gain": _gain,
    "loss": _loss,
    "sex": _sexes,
    "mosaic": _mosaic,
    "del": _deletion,
    "dup": _duplication,
    "inv": _inversion,
    "t": _translocation,
    "der": _unbalanced,
    "rob": _robertsonian,
    "i": _isochromosome,
    "r": _ring,
    "dic": _dicentric,
    "mar": _marker,
}


def _two(rng, names):
    """Two different ones of these, in their order."""
    first, second = sorted(rng.choice(len(names), 2, replace=False))
    return names[first], names[second]


def _broken(rng, names, count):
    """So many different ones of these, each as likely as it is long."""
    length = np.array([bands.read(LEVEL)[name].length for name in names])
    chosen = rng.choice(names, count, replace=False, p=length / length.sum())
    return [str(name) for name in chosen]


def _bands(name, arm):
    """The bands of an arm that may break, from the centromere outwards."""
    ideogram = bands.read(LEVEL)[name]
    kinds = zip(ideogram.bands, ideogram.stain, strict=True)
    names = [band for band, kind in kinds if band[0] == arm and kind in BREAKS]
    return names[::-1] if arm == "p" else names


def _arm(rng, name):
    return "q" if name in groups.ACROCENTRIC or rng.random() < 0.65 else "p"


def _band(rng, name, arm):
    return str(rng.choice(_bands(name, arm)))


def _any(rng, name):
    return _band(rng, name, _arm(rng, name))


def _pair(rng, name, arm):
    """Two bands of one arm, the one nearer the centromere first."""
    return _two(rng, _bands(name, arm))


def _last(name, arm):
    return _bands(name, arm)[-1]
