"""Measured figures, in seconds unless a row says else, and the ratios that matter.

`make bench` prints them; none is ever asserted.

Later work adds rows to ROWS. A ratio compares two figures of the same session, so a
slow machine does not change what it says.
"""

import argparse
import io
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

import PIL.Image

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = [sys.executable]
CHROMOLIB = [*PYTHON, "-m", "chromolib"]


def seconds(command, *, repeats=3):
    """Median wall time of a command that must succeed."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
        times.append(time.perf_counter() - started)
    return statistics.median(times)


def start_up(_):
    """The command line's help against a bare Python."""
    return seconds([*CHROMOLIB, "--help"]), seconds([*PYTHON, "-c", "pass"])


def audit(_):
    """All claims of all papers against the command line's start."""
    return seconds([*CHROMOLIB, "claims"]), seconds([*CHROMOLIB, "--help"])


def fresh_run(out):
    """A smoke run of one study against a start of Keras alone."""
    run = [
        *CHROMOLIB,
        "run",
        "chu",
        "--profile",
        "smoke",
        "--force",
        "-p",
        f"out={out}",
    ]
    return seconds(run), seconds([*PYTHON, "-c", "import keras"])


def reused_run(out):
    """The same run fresh against found complete."""
    run = [*CHROMOLIB, "run", "chu", "--profile", "smoke", "-p", f"out={out}"]
    return seconds([*run, "--force"]), seconds(run)


def read_bioimlab(_):
    """BioImLab from its zip into one array, against Pillow alone on the same bytes."""
    return reading("bioimlab")


def read_pki3(_):
    """The same for PKI-3's TIFFs."""
    return reading("pki3")


def read_tseng(_):
    """The same for Tseng's JPEGs; ours also reads and fits the boxes."""
    return reading("tseng2023")


def near_copies(_):
    """Near duplicates among BioImLab and PKI-3 together, against reading them."""
    from chromolib.data import duplicates, pixels

    sets = [timed(name) for name in ("bioimlab", "pki3")]
    read = sum(seconds for _, seconds in sets)
    together = pixels.pack([image for one, _ in sets for image in one.pixels])
    started = time.perf_counter()
    duplicates.near(duplicates.fingerprints(together))
    return time.perf_counter() - started, read


def straighten(_):
    """PKI-3 chromosomes straightened a second, against read a second."""
    from chromolib.imaging import axis

    images, read = timed("pki3")
    started = time.perf_counter()
    axis.straighten_all(images.pixels)
    return len(images) / (time.perf_counter() - started), len(images) / read


def compose_cells(_):
    """Karyograms composed of PKI-3 a second, against cells read a second."""
    from chromolib.data import compose

    images, read = timed("pki3")
    started = time.perf_counter()
    made = compose.cells(images)
    return len(made) / (time.perf_counter() - started), len(made) / read


def segment(_):
    """Seconds a megapixel to segment twenty of Tseng's fields, against to read all."""
    from chromolib.imaging import segment

    images, read = timed("tseng2023")
    fields = [images.pixels[i] for i in range(0, 740, 37)]
    started = time.perf_counter()
    for field in fields:
        segment.segment(field)
    took = time.perf_counter() - started
    size = sum(field.size for field in fields) / 1e6
    return took / size, read / (images.pixels.buffer.nbytes / 1e6)


def draw_singles(_):
    """Synthetic chromosomes drawn a second at 96 pixels, against saved as PNG."""
    from chromolib.synth import singles

    return drawing(lambda cell: list(singles.draw(cell, canvas=96)[0]), 20)


def draw_karyograms(_):
    """Synthetic karyograms drawn a second at 416 pixels, against saved as PNG."""
    from chromolib.synth import karyogram

    return drawing(lambda cell: [karyogram.draw(cell)[0]], 20)


def draw_metaphases(_):
    """Synthetic metaphases drawn a second at 768 pixels, against saved as PNG."""
    from chromolib.synth import metaphase

    return drawing(lambda cell: [metaphase.draw(cell)[0]], 12)


def drawing(draw, count):
    """Pictures drawn a second by one process, and saved a second by Pillow."""
    from chromolib.synth import lab

    made = list(lab.cells(count))
    draw(made[0])  # what is read and imported once is not drawing
    started = time.perf_counter()
    pictures = [picture for cell in made for picture in draw(cell)]
    drawn = time.perf_counter()
    for picture in pictures:
        PIL.Image.fromarray(picture).save(io.BytesIO(), "PNG")
    saved = time.perf_counter() - drawn
    return len(pictures) / (drawn - started), len(pictures) / saved


def timed(source):
    """A source's images, and the seconds that reading them took."""
    from chromolib.data import sources

    started = time.perf_counter()
    images = sources.load(source, data_root())
    return images, time.perf_counter() - started


def memory(_):
    """MiB that reading Tseng's images takes at its peak, against the MiB they are."""
    code = (
        "import pathlib, re, sys\n"
        "from chromolib.data import sources\n"
        "status = pathlib.Path('/proc/self/status')\n"  # getrusage adds the parent
        "peak = lambda: int(re.search(r'VmHWM:\\s+(\\d+)', status.read_text())[1])\n"
        "before = peak()\n"
        "images = sources.load('tseng2023', sys.argv[1])\n"
        "print((peak() - before) / 1024, images.pixels.buffer.nbytes / 2**20)\n"
    )
    if not pathlib.Path("/proc/self/status").exists():
        raise FileNotFoundError("only Linux says what a process took at its peak")
    done = subprocess.run(
        [*PYTHON, "-c", code, data_root()], capture_output=True, text=True, check=True
    )
    return tuple(map(float, done.stdout.split()))


def reading(source):
    """Seconds to read a source, and those of Pillow alone on the same files."""
    from chromolib.data import adapters, decode, store

    path = store.find(data_root(), adapters.NAMED[source][1])
    _, ours = timed(source)
    files = store.open_at(path)
    blobs = [files.read(name) for name in files.names if decode.is_image(name)]
    started = time.perf_counter()
    for blob in blobs:
        PIL.Image.open(io.BytesIO(blob)).convert("L")
    return ours, time.perf_counter() - started


def data_root():
    """The real images, or a row that says why it is not there."""
    root = os.environ.get("CHROMOLIB_DATA")
    if not root:
        raise FileNotFoundError("CHROMOLIB_DATA names no data root")
    return pathlib.Path(root)


def measure(_):
    """All metrics in 2,000 resamples of 100,000 predictions, against six of sklearn."""
    import numpy as np
    from sklearn import metrics as sk

    from chromolib import records
    from chromolib.evidence import metrics

    rng = np.random.default_rng(0)
    truth = rng.integers(24, size=100_000)
    logits = rng.normal(size=(len(truth), 24))
    logits[np.arange(len(truth)), truth] += (
        3 + rng.normal(size=2174).repeat(46)[:100_000]
    )
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    said = records.Predictions(
        image=np.arange(len(truth)),
        group=np.arange(len(truth)) // 46,
        truth=np.array(records.CLASSES)[truth],
        probability=probability,
        source="synthetic",
    )
    started = time.perf_counter()
    metrics.measure(said, rng=rng)
    ours, started = time.perf_counter() - started, time.perf_counter()
    label = probability.argmax(1)
    for score in (sk.accuracy_score, sk.balanced_accuracy_score):
        score(truth, label)
    sk.f1_score(truth, label, average="macro")
    sk.roc_auc_score(truth, probability, multi_class="ovr")
    sk.log_loss(truth, probability)
    sk.roc_auc_score(truth != label, said.uncertainty)
    return ours, time.perf_counter() - started


def describe(_):
    """Pictures described a second, against by scikit-image's HOG, LBP and GLCM only."""
    import numpy as np
    import skimage.feature

    from chromolib.models import features

    ink = np.zeros((640, 96, 32, 1), np.float32)
    ink[:, 8:88, 8:24] = np.random.default_rng(0).random((640, 80, 16, 1))
    grey = np.rint(ink[::10, ..., 0] * 255).astype(np.uint8)
    features.table(ink[:1])  # what is imported and built once is not describing
    started = time.perf_counter()
    features.table(ink)
    ours, started = time.perf_counter() - started, time.perf_counter()
    for picture in grey:
        skimage.feature.hog(picture, pixels_per_cell=(16, 16), cells_per_block=(2, 2))
        for radius in features.RADII:
            skimage.feature.local_binary_pattern(picture, 8, radius, "uniform")
        levels = (picture // 32).astype(np.uint8)
        many = skimage.feature.graycomatrix(levels, [1, 3], [0, np.pi / 2], 8)
        for name in ("contrast", "homogeneity", "energy", "correlation"):
            skimage.feature.graycoprops(many, name)
    theirs = time.perf_counter() - started
    return len(ink) / ours, len(grey) / theirs


def train_chromonet(_):
    """Three epochs of ChromoNet on 1,263 chromosomes, against one plain `model.fit`."""
    import numpy as np

    from chromolib.models import train
    from chromolib.studies.chromonet import network

    rng = np.random.default_rng(0)
    x = rng.random((1263, 96, 32, 1), np.float32)
    y = rng.integers(2, size=len(x)).astype(np.int32)
    held, usual = (x[:40], y[:40]), {"validation_data": (x[:40], y[:40]), "verbose": 0}
    ours, plain = (network.chromonet(x.shape[1:], seed=0) for _ in range(2))
    train.train(ours, x[:64], y[:64], epochs=1, seed=0, validation=held)
    plain.fit(x[:64], y[:64], **usual)  # compiled before the clock starts
    started = time.perf_counter()
    train.train(ours, x, y, epochs=3, seed=0, validation=held)
    took, started = time.perf_counter() - started, time.perf_counter()
    plain.fit(x, y, epochs=3, **usual)
    return took, time.perf_counter() - started


def study_quick(out):
    """The chromonet study at quick, against smoke."""
    took = []
    for profile in ("quick", "smoke"):
        started = time.perf_counter()
        words = ["run", "chromonet", "--profile", profile, "--force"]
        words += ["-p", f"out={out}-{profile}"]
        subprocess.run([sys.executable, "-m", "chromolib", *words], check=True)
        took.append(time.perf_counter() - started)
    return took


ROWS = (start_up, audit, fresh_run, reused_run)
ROWS += (read_bioimlab, read_pki3, read_tseng, near_copies, memory)
ROWS += (straighten, compose_cells, segment)
ROWS += (draw_singles, draw_karyograms, draw_metaphases)
ROWS += (
    train_chromonet,
    study_quick,
    measure,
)
ROWS += (describe,)


def main():
    """Print a row a benchmark: both figures and their ratio."""
    names = [row.__name__ for row in ROWS]
    parser = argparse.ArgumentParser(description="Measure; nothing is asserted.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(names))
    chosen = parser.parse_args().rows or names
    sys.stdout.write(f"{'row':<14}{'figure':>9}{'against':>9}{'ratio':>8}  what\n")
    with tempfile.TemporaryDirectory() as folder:
        for row in ROWS:
            if row.__name__ in chosen:
                try:
                    first, second = row(pathlib.Path(folder) / "run")
                except FileNotFoundError as error:
                    sys.stdout.write(f"{row.__name__:<14} left out: {error}\n")
                    continue
                line = f"{row.__name__:<14}{first:>9.2f}{second:>9.2f}"
                line += f"{first / second:>8.1f}"
                sys.stdout.write(f"{line}  {row.__doc__}\n")


if __name__ == "__main__":
    main()
