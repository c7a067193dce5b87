"""The lab's chromosomes beside real ones of training groups, measured and written."""

import csv
import functools
import time

import numpy as np

from chromolib import records
from chromolib.cyto import bands
from chromolib.data import cards, splits
from chromolib.runs import inputs, results
from chromolib.synth import banding, calibrate, fitting, lab, looks, sets, singles

LOOK_OF = {"pki3": "g", "bioimlab": "q", "tseng2023": "field"}
SPLIT = {"protocol": "clean", "test": 0.4, "seed": 0}  # the exam judges by the rest
CELLS = {"g": 60, "q": 60, "field": 24}  # synthetic, to compare with
SEED = 501  # of patients that no other set holds


class CalibrationError(ValueError):
    """A source that no look of the lab is drawn after."""


def training(images):
    """The part of a source that the lab may be fitted to."""
    return images.take(splits.divide(images, **SPLIT).train)


def look_of(source):
    """The look that is drawn after a source."""
    if source not in LOOK_OF:
        known = ", ".join(LOOK_OF)
        raise CalibrationError(f"no look is drawn after {source!r}; known: {known}")
    return LOOK_OF[source]


def fit(root, images, *, say):
    """Fit bands, breadth and length of a look to a source; `data/bands` keeps them."""
    look = look_of(images.source)
    if look not in looks.FITTED:
        raise CalibrationError(f"{look} has the bands of another look; nothing to fit")
    upright = _upright(root, images.source)
    wanted = fitting.means(training(images), upright=upright)
    _, errors = fitting.fit(look, wanted, use=functools.partial(_use, look))
    for k, (stain, breadth, length) in enumerate(errors):
        say(f"round {k}: ink off by {stain:.3f}, breadth {breadth:.3f}, {length:.3f} %")


def _use(look, *tables):
    """Write what the ideograms lack, and draw by it from now on."""
    kinds = ("stain", "breadth", "length")
    with (bands.TABLES / f"fitted-{look}.csv").open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        places = range(tables[0].shape[1])
        writer.writerow(["chromosome", "kind", *(f"t{k:02d}" for k in places)])
        for kind, rows in zip(kinds, tables, strict=True):
            for name, row in zip(records.CLASSES, rows, strict=True):
                writer.writerow([name, kind, *(f"{value:.3f}" for value in row)])
    banding.fitted.cache_clear()
    banding.reference.cache_clear()


def compare(root, images, folder, *, started):
    """Real training cells against synthetic ones: tables and a manifest in a folder."""
    look = look_of(images.source)
    upright = _upright(root, images.source)
    real = measured(training(images), look, upright=upright)
    drawn = lab.cells(CELLS[look], look=look, seed=SEED)
    made = sets.metaphases(drawn) if look == "field" else singles.images(drawn)
    synthetic = measured(made, look, upright=True)
    folder.mkdir(parents=True, exist_ok=True)
    for kind, frame in real.items():
        results.table(folder / f"{kind}.csv", frame.map(_short))
        ours = synthetic[kind].map(_short)
        results.table(folder / f"synthetic_{kind}.csv", ours)
    found = calibrate.compare(real, synthetic)
    results.table(folder / "compared.csv", found.map(_short))
    facts = {
        "study": "calibration",
        "finished": results.now(),
        "seconds": round(time.monotonic() - started, 1),
        "peak_memory_mib": results.peak_memory(),
        **results.commit(root),
        "versions": results.versions(),
        "split": {**SPLIT, "part": "train"},
        "look": look,
        "images": inputs.facts({"source": images, "synthetic": made}),
    }
    results.manifest(folder, facts)
    return found


def measured(images, look, *, upright):
    """What `synth.calibrate` measures on images of that look, real or synthetic."""
    if look == "field":
        return calibrate.fields(images)
    return calibrate.singles(images, upright=upright)


def _upright(root, source):
    card = cards.read(root / "data" / "cards", source)
    return bool(card.get("upright"))


def _short(value):
    return float(f"{value:.5g}") if isinstance(value, float | np.floating) else value
