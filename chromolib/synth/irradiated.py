"""Cells of a person who received a known dose.

`counts(count, dose)` -> dicentrics and rings of each cell, (count, 2)
`cells(count, dose)` -> lab.Cell after lab.Cell with those dicentrics and rings

Dicentrics are Poisson with the yield of a published curve, rings with that of another
(`cyto.dose.RINGS`). Each leaves a fragment; fragments of other origin are not drawn.
"""

import numpy as np

from chromolib.cyto import dose as dosimetry
from chromolib.synth import cases, lab

DOSE, BREAKS = 17, 19  # purposes of a patient's chance


def counts(count, dose, *, share=1.0, seed=0, patient=0):
    """Dicentrics and rings of each cell, (count, 2), where this share was irradiated.

    The other cells have the dicentrics of the curve without radiation.
    """
    curve = dosimetry.CURVE
    if not (0 <= dose <= curve.top and 0 <= share <= 1):
        raise ValueError(
            f"{dose} Gy to a share {share}: the curve is of 0 to {curve.top:g} Gy"
        )
    rng = np.random.default_rng([seed, patient, DOSE])
    received = np.where(rng.random(count) < share, dose, 0.0)
    yields = {d: (curve.at(d), _rings(d)) for d in (0.0, float(dose))}
    return rng.poisson([yields[d] for d in received.tolist()])


def cells(count, dose, *, seed=0, patient=0):
    """So many cells of one person after this dose."""
    rng = np.random.default_rng([seed, patient, BREAKS])
    sex = "XX" if rng.random() < 0.5 else "XY"
    drawn = counts(count, dose, seed=seed, patient=patient)
    for number, (dicentrics, rings) in enumerate(drawn.tolist()):
        karyotype = cases.irradiated(rng, sex, dicentrics, rings)
        who = {"seed": seed, "patient": patient, "number": number}
        yield lab.cell(karyotype, **who)


def _rings(dose):
    c, alpha, beta = dosimetry.RINGS
    return max(0.0, c + alpha * dose + beta * dose * dose)
