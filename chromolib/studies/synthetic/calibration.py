"""The lab's chromosomes against real ones of training groups, measured alike.

`fit(root, images)`: fits a look of the lab to a source
`compare(root, images, folder)` -> a frame, one row a quantity and class
"""

import csv
import functools
import time

import numpy as np

from chromolib import files, records
from chromolib.cyto import bands
from chromolib.runs import results
from chromolib.studies.synthetic import data
from chromolib.synth import banding, calibrate, fitting, lab, looks, sets, singles

LOOK_OF = {"pki3": "g", "bioimlab": "q", "tseng2023": "field"}
CELLS = {"g": 60, "q": 60, "field": 24}  # synthetic, to compare with
SEED = 501  # of patients that no other set holds


class CalibrationError(ValueError):
    """A source that no look of the lab is drawn after."""


def look_of(source):
    """The look that is drawn after a source."""
    if source not in LOOK_OF:
        known = ", ".join(LOOK_OF)
        raise CalibrationError(f"no look is drawn after {source!r}; known: {known}")
    return LOOK_OF[source]


def fit(root, images, *, log):
    """Fit bands, breadth and length of a look to a source; `data/bands` keeps them."""
    look = look_of(images.source)
    if look not in looks.FITTED:
        raise CalibrationError(f"{look} has the bands of another look; nothing to fit")
    train, _ = data.train_test(images)
    target = fitting.means(train, upright=data.upright(root, images.source))
    _, errors = fitting.fit(look, target, use=functools.partial(_use, look))
    for k, (stain, breadth, length) in enumerate(errors):
        log(f"round {k}: ink off by {stain:.3f}, breadth {breadth:.3f}, {length:.3f} %")


def _use(look, *tables):
    """Write what the ideograms lack, and draw by it from now on."""
    path = bands.TABLES / f"fitted-{look}.csv"
    with files.replacing(path) as partial, partial.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        places = range(tables[0].shape[1])
        writer.writerow(["chromosome", "kind", *(f"t{k:02d}" for k in places)])
        for kind, table in zip(("stain", "breadth", "length"), tables, strict=True):
            for name, row in zip(records.CLASSES, table, strict=True):
                writer.writerow([name, kind, *(f"{value:.3f}" for value in row)])
    banding.fitted.cache_clear()
    banding.reference.cache_clear()


def compare(root, images, folder):
    """Real training cells against synthetic ones: tables and a manifest in a folder."""
    started, look = time.monotonic(), look_of(images.source)
    train, _ = data.train_test(images)
    cells = lab.cells(CELLS[look], look=look, seed=SEED)
    drawn = sets.metaphases(cells) if look == "field" else singles.images(cells)
    real = _measured(train, look, upright=data.upright(root, images.source))
    synthetic = _measured(drawn, look, upright=True)
    compared = calibrate.compare(real, synthetic)
    folder.mkdir(parents=True, exist_ok=True)
    for kind, frame in real.items():
        _write(folder / f"{kind}.csv", frame)
        _write(folder / f"synthetic_{kind}.csv", synthetic[kind])
    _write(folder / "compared.csv", compared)
    facts = {"split": {**data.SPLIT, "part": "train"}, "look": look}
    data.write_manifest(
        folder, root, "calibration", facts, images, drawn, started=started
    )
    return compared


def _measured(images, look, *, upright):
    """What `synth.calibrate` measures on images of that look, real or synthetic."""
    if look == "field":
        return calibrate.fields(images)
    return calibrate.singles(images, upright=upright)


def _write(path, frame):
    """Write a frame with five significant digits."""
    results.table(path, frame.map(_short))


def _short(value):
    return float(f"{value:.5g}") if isinstance(value, float | np.floating) else value
