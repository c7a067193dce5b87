"""Bands and breadth of the lab's chromosomes, fitted to the means of real ones.

`fit(look, wanted, use=)` -> (stain, breadth), what the ideograms lack, and their error

The means are numbers along the axis, measured on training cells by `measured.sample`.
Drawn cells are measured in the same way, and what they lack is added, a few times over.
What a mean has lost by averaging, the ideogram still has: its bands stay sharp.
"""

import numpy as np

from chromolib import records
from chromolib.synth import calibrate, lab, looks, measured, singles

ROUNDS = 4
CELLS = 40  # drawn in each round
GAIN = 0.8  # of what is lacking, added in a round
SEED = 990  # of patients that no other set holds


def fit(look, wanted, *, use):
    """What ideograms lack to meet these means, and the error left after each round.

    `wanted` and what is lacking are (stain, breadth, length), as `means` gives them;
    `use` puts a trial to work. Errors are root mean squares.
    """
    middle = looks.LOOKS[look]
    depth = middle["dark"].middle - middle["pale"].middle
    scales = (depth, np.maximum(wanted[1], 0.3), wanted[2])
    lacking = [np.zeros_like(mean) for mean in wanted]
    errors = []
    for _ in range(ROUNDS):
        use(*lacking)
        cells = [
            lab.cell(("46,XX", "46,XY")[k % 2], look=look, seed=SEED, patient=k)
            for k in range(CELLS)
        ]
        drawn = means(singles.images(cells), upright=True)
        rest = [want - have for want, have in zip(wanted, drawn, strict=True)]
        errors.append([float(np.sqrt((more**2).mean())) for more in rest])
        lacking = [
            before + GAIN * more / scale
            for before, more, scale in zip(lacking, rest, scales, strict=True)
        ]
    use(*lacking)
    return lacking, errors


def means(images, *, upright):
    """Of each class: mean ink along its axis, in shares of the grey range; breadth over
    the mean; and length in percent of the autosomes', (24, places) each."""
    sample = measured.sample(images, upright=upright)
    level = sample.rows["ink"].to_numpy()[:, None] * sample.ink
    length = calibrate.derived(sample)[["relative_length"]].to_numpy()
    label = sample.rows["label"].to_numpy()
    of_class = [label == name for name in records.CLASSES]
    return tuple(
        np.array([values[which].mean(0) for which in of_class])
        for values in (level, sample.width, length)
    )
