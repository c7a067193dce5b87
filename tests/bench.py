"""Measured figures, in seconds unless a row says else, and the ratios that matter.

`make bench` prints them; none is ever asserted.

Later work adds rows to ROWS. A ratio compares two figures of the same session, so a
slow machine does not change what it says; how slow this one is stands above the rows,
and beside each figure what it would be on the machine of the yardstick.
"""

import argparse
import io
import itertools
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np
import PIL.Image
from bench_scale import bootstrap_all, cluster_row, near_all, train_stored

import chromolib  # noqa: F401  before TensorFlow, whose settings it makes

ROOT = pathlib.Path(__file__).resolve().parent.parent
PYTHON = [sys.executable]
CHROMOLIB = [*PYTHON, "-m", "chromolib"]
HAMZA = [*CHROMOLIB, "run", "hamza", "--profile", "smoke"]  # the quickest study
YARDSTICK = 0.41  # seconds that VGG16 takes for 16 images of 150 pixels


def clock(work, *, repeats=1):
    """Median seconds that some work takes, and what it returned last."""
    times = []
    for _ in range(repeats):
        started = time.perf_counter()
        answer = work()
        times.append(time.perf_counter() - started)
    return statistics.median(times), answer


def seconds(command):
    """Median wall time of a command that must succeed."""

    def work():
        subprocess.run(command, cwd=ROOT, capture_output=True, check=True)

    return clock(work, repeats=3)[0]


def yardstick():
    """How many times slower than the yardstick's machine this one is."""
    import keras

    from chromolib.runs import backend

    backend.start()  # quietly
    network = keras.applications.VGG16(
        weights=None, include_top=False, input_shape=(150, 150, 3)
    )
    batch = np.random.default_rng(0).random((16, 150, 150, 3), np.float32)
    network.predict_on_batch(batch)  # compiles
    return clock(lambda: network.predict_on_batch(batch), repeats=7)[0] / YARDSTICK


def start_up(_):
    """The command line's help against a bare Python."""
    return seconds([*CHROMOLIB, "--help"]), seconds([*PYTHON, "-c", "pass"])


def audit(_):
    """All claims of all papers against the command line's start."""
    return seconds([*CHROMOLIB, "claims"]), seconds([*CHROMOLIB, "--help"])


def fresh_run(out):
    """A smoke run of one study against a start of Keras alone."""
    run = [*HAMZA, "--force", "-p", f"out={out}"]
    return seconds(run), seconds([*PYTHON, "-c", "import keras"])


def reused_run(out):
    """The same run fresh against found complete."""
    run = [*HAMZA, "-p", f"out={out}"]
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

    reads = [load(name) for name in ("bioimlab", "pki3")]
    together = pixels.pack([image for _, images in reads for image in images.pixels])
    took, _ = clock(lambda: duplicates.near(duplicates.fingerprints(together)))
    return took, sum(took for took, _ in reads)


def straighten(_):
    """PKI-3 chromosomes straightened a second, against read a second."""
    from chromolib.imaging import axis

    read, images = load("pki3")
    took, _ = clock(lambda: axis.straighten_all(images.pixels))
    return len(images) / took, len(images) / read


def compose_cells(_):
    """Karyograms composed of PKI-3 a second, against cells read a second."""
    from chromolib.data import compose

    read, images = load("pki3")
    took, cells = clock(lambda: compose.cells(images))
    return len(cells) / took, len(cells) / read


def segment(_):
    """Seconds a megapixel to segment twenty of Tseng's fields, against to read all."""
    from chromolib.imaging import segment

    read, images = load("tseng2023")
    fields = [images.pixels[i] for i in range(0, 740, 37)]
    took, _ = clock(lambda: [segment.segment(field) for field in fields])
    size = sum(field.size for field in fields)
    return took / size * 1e6, read / images.pixels.buffer.nbytes * 1e6


def karyotype(_):
    """Seconds a metaphase, from picture to karyogram, against segmented alone."""
    from chromolib.detect import store
    from chromolib.imaging import segment
    from chromolib.karyotype import fields, naming, results
    from chromolib.runs import repository
    from chromolib.studies import predicting
    from chromolib.synth import lab, sets

    root = repository.root()
    namer = naming.load(predicting.shipped(root, "shruti", of="metaphase"))
    file = predicting.shipped(root, "hamza", suffix=store.SUFFIX)
    finder = (*store.load(file), file.name)
    pictures = sets.metaphases(lab.cells(5, look="field", seed=1)).pixels

    def whole():
        for grey in pictures:
            results.karyotype(fields.made("a.png", grey), namer, finder=finder)

    def part():
        for grey in pictures:
            segment.segment(grey)

    return tuple(took / len(pictures) for took in in_turn(whole, part, rounds=2))


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

    cells = list(lab.cells(count))
    draw(cells[0])  # what is read and imported once is not drawing
    drawn, pictures = clock(lambda: list(itertools.chain(*map(draw, cells))))

    def save():
        for picture in pictures:
            PIL.Image.fromarray(picture).save(io.BytesIO(), "PNG")

    return len(pictures) / drawn, len(pictures) / clock(save)[0]


def load(source):
    """The seconds that reading a source takes, and its images."""
    from chromolib.data import sources

    return clock(lambda: sources.load(source, data_root()))


def reading(source):
    """Seconds to read a source, and those of Pillow alone on the same files."""
    from chromolib.data import adapters, decode, store

    files = store.open_at(store.find(data_root(), adapters.NAMED[source][1]))
    blobs = [files.read(name) for name in files.names if decode.is_image(name)]

    def pillow():
        for blob in blobs:
            PIL.Image.open(io.BytesIO(blob)).convert("L")

    return load(source)[0], clock(pillow)[0]


def data_root():
    """The real images, or a row that says why it is not there."""
    root = os.environ.get("CHROMOLIB_DATA")
    if not root:
        raise FileNotFoundError("CHROMOLIB_DATA names no data root")
    return pathlib.Path(root)


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


def measure(_):
    """All metrics in 2,000 resamples of 100,000 predictions, against six of sklearn."""
    from sklearn import metrics as sk

    from chromolib import records
    from chromolib.evidence import metrics

    rng = np.random.default_rng(0)
    truth = rng.integers(24, size=100_000)
    logits = rng.normal(size=(len(truth), 24))
    skill = rng.normal(size=2174).repeat(46)[: len(truth)]  # of a cell
    logits[np.arange(len(truth)), truth] += 3 + skill
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    label = probability.argmax(1)
    predictions = records.Predictions(
        image=np.arange(len(truth)),
        group=np.arange(len(truth)) // 46,
        truth=np.array(records.CLASSES)[truth],
        probability=probability,
        source="synthetic",
    )

    def theirs():
        sk.accuracy_score(truth, label)
        sk.balanced_accuracy_score(truth, label)
        sk.f1_score(truth, label, average="macro")
        sk.roc_auc_score(truth, probability, multi_class="ovr")
        sk.log_loss(truth, probability)
        sk.roc_auc_score(truth != label, predictions.uncertainty)

    ours, _ = clock(lambda: metrics.measure(predictions, rng=rng))
    return ours, clock(theirs)[0]


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


def mc_dropout(_):
    """100 draws of VGG16 for 16 images with dropout on, against one pass without."""
    import keras

    from chromolib.models import mc_dropout

    network, batch = dropping(keras.layers.Dropout)
    return in_turn(
        lambda: mc_dropout.draws(network, batch, times=100, seed=0),
        lambda: network.predict_on_batch(batch),
    )


def mc_dropout_loop(_):
    """The same draws, against the naive loop: three of its passes, times 100 / 3."""
    import keras

    from chromolib.models import mc_dropout

    network, batch = dropping(keras.layers.Dropout)

    class Always(keras.layers.Dropout):
        def call(self, inputs, training=None):
            return super().call(inputs, training=True)

    always, _ = dropping(Always)
    ours, three = in_turn(
        lambda: mc_dropout.draws(network, batch, times=100, seed=0),
        lambda: [always(batch) for _ in range(3)],
    )
    return ours, three * 100 / 3


def dropping(kind):
    """VGG16 for 150 pixels with a head that drops twice, and 16 images."""
    import keras

    from chromolib.models import pretrained

    trunk, _ = pretrained.trunk("vgg16", (150, 150, 1))
    x = keras.layers.GlobalAveragePooling2D()(kind(0.3)(trunk.output))
    x = keras.layers.Dense(256, activation="relu")(x)
    x = kind(0.5)(keras.layers.BatchNormalization()(x))
    network = keras.Model(trunk.input, keras.layers.Dense(1)(x))
    return network, np.random.default_rng(0).random((16, 150, 150, 1), np.float32)


def in_turn(*works, rounds=9):
    """Least seconds of each work, done in turn so that a busy spell meets them all."""
    for work in works:
        work()  # compiles
    times = [[clock(work)[0] for work in works] for _ in range(rounds)]
    return tuple(map(min, zip(*times, strict=True)))


def assign_cells(_):
    """1,000 cells of 46 images named together, against scipy's assignment alone."""
    from scipy import optimize

    from chromolib.cyto import assign

    chance = np.random.default_rng(0).dirichlet(np.full(24, 0.1), (1000, 46))
    dear = -np.log(np.maximum(chance, assign.LEAST)).repeat(4, 2)

    def ours():
        return [assign.cell(one, penalty=4.0) for one in chance]

    def alone():
        return [optimize.linear_sum_assignment(one) for one in dear for _ in "XY"]

    return clock(ours)[0], clock(alone)[0]


def classify(_):
    """Milliseconds to straighten and name a chromosome, against VGG19 at 224 pixels."""
    import keras

    from chromolib.karyotype import naming
    from chromolib.models import inputs, predict
    from chromolib.runs import repository
    from chromolib.studies import predicting
    from chromolib.synth import lab, singles

    file = predicting.shipped(repository.root(), "shruti", of="chromosome")
    network = naming.load(file).network
    images = singles.images(lab.cells(5, look="g", seed=1))
    trunk = keras.applications.VGG19(weights=None, include_top=False)
    pictures = np.zeros((8, 224, 224, 3), np.float32)

    def ours():
        x = inputs.straight(images, canvas=inputs.FINE)
        return predict.views(network, x, upright=False)

    def theirs():
        return trunk.predict(pictures, verbose=0)

    first, second = in_turn(ours, theirs, rounds=3)
    return first / len(images) * 1000, second / len(pictures) * 1000


def study_quick(out, study="chromonet"):
    """The chromonet study at quick, against smoke."""

    def run(profile):
        words = ["run", study, "--profile", profile, "--force"]
        words += ["-p", f"out={out}-{study}-{profile}"]
        return lambda: subprocess.run([*CHROMOLIB, *words], check=True)

    return clock(run("quick"))[0], clock(run("smoke"))[0]


def shruti_quick(out):
    """The shruti study at quick, against smoke."""
    return study_quick(out, "shruti")


def hamza_quick(out):
    """The hamza study at quick, against smoke."""
    return study_quick(out, "hamza")


def chu_quick(out):
    """The chu study at quick, against smoke."""
    return study_quick(out, "chu")


def suppress_boxes(_):
    """2,000 boxes of 24 classes, of which the 2,000 surest pairs of box and class are
    compared, against a loop over these in numpy."""
    from chromolib.detect import suppress

    rng = np.random.default_rng(0)
    corner = rng.random((2000, 2)) * 300
    boxes = np.concatenate([corner, corner + rng.uniform(8, 40, (2000, 2))], -1)
    boxes, scores = boxes.astype("f"), rng.random((2000, 24)).astype("f")

    def loop():
        overlap = np.asarray(suppress.geometry.iou(boxes, boxes)) > 0.5
        kept = []
        for pair in np.argsort(-scores.ravel())[:2000]:
            box, label = divmod(pair, scores.shape[1])
            if not any(label == own and overlap[box, k] for k, own in kept):
                kept.append((box, label))
        return kept

    def ours():
        return suppress.best(boxes[None], scores[None], before=2000)

    return in_turn(ours, loop)


def detect(name, **settings):
    """Milliseconds an image that a family of detectors learns from, and finds in."""
    import keras

    from chromolib import records
    from chromolib.detect import families

    rng = np.random.default_rng(0)
    images = rng.random((8, 320, 320, 1), np.float32)
    corner = rng.random((8, 46, 2)) * 280
    boxes = np.concatenate([corner, np.add(corner, (12, 40))], -1).astype("f")
    truth = {"boxes": boxes, "labels": rng.integers(24, size=(8, 46)).astype("int32")}
    detector = families.FAMILIES[name](records.CLASSES, **settings)
    detector.compile(keras.optimizers.AdamW(1e-3))
    learns, finds = in_turn(
        lambda: detector.fit(images, truth, batch_size=8, verbose=0),
        lambda: detector.predict(images),
        rounds=5,
    )
    return learns / 8 * 1000, finds / 8 * 1000


def detect_ssd(_):
    """SSD: milliseconds an image to learn, against to find."""
    return detect("ssd")


def detect_yolo_v5(_):
    """YOLO v5 in manner: the same."""
    return detect("yolo_v5")


def detect_yolo_v2(_):
    """YOLO v2 on the small trunk: the same."""
    return detect("yolo_v2", trunk="small")


def detect_yolo_tiny(_):
    """Tiny YOLO: the same."""
    return detect("yolo_tiny")


def detect_faster(_):
    """Faster R-CNN: the same."""
    return detect("faster_rcnn")


def detect_r_fcn(_):
    """R-FCN: the same."""
    return detect("r_fcn")


def first_step(_):
    """A small network's first step, traced, against one with Keras' own optimizer."""
    import keras

    from chromolib.models import fused, small

    took, x = [], np.zeros((8, 112, 32, 1), np.float32)
    for twin in (fused.fused, lambda model: model, fused.fused, lambda model: model):
        model = twin(small.ready(small.bands(x.shape[1:], 24, seed=0), steps=99))
        started = time.perf_counter()
        model.fit(x, keras.utils.to_categorical(range(8), 24), verbose=0)
        took.append(time.perf_counter() - started)
    return took[2:]  # what TensorFlow itself begins with is paid by the first two


def inspected(count):
    """A view of that many images of 96 by 96 pixels, as JupyterLab gets it."""
    from chromolib import records, widgets

    rng = np.random.default_rng(0)
    name = np.arange(count).astype(str)
    said = records.Predictions(
        image=name,
        group=np.char.add("cell ", (np.arange(count) // 50).astype(str)),
        truth=rng.choice(records.CLASSES, count),
        probability=rng.dirichlet(np.full(24, 0.2), count),
        source="synthetic",
    )
    ink = rng.random((count, 12, 12), np.float32).repeat(8, 1).repeat(8, 2)
    return widgets.inspect(said, ink, real=False)


def inspect_first(_):
    """Seconds until 10,000 images stand in a view with its page, against 1,000."""

    def first(count):
        view = inspected(count)
        json.dumps([view.state, view.answer("thumbs", list(range(40)))])
        return view.page()

    first(100)  # what is loaded once
    return tuple(clock(lambda n=n: first(n), repeats=3)[0] for n in (10_000, 1_000))


def inspect_next(_):
    """Milliseconds to the next of 10,000 images and its neighbours, against without."""
    view, rows = inspected(10_000), itertools.cycle(range(100, 9_000, 7))
    view.answer("near", 0)  # compares all of them once

    def following(*kinds):
        row = next(rows)
        return [view.answer(kind, row) for kind in kinds]

    all_, picture = in_turn(
        lambda: following("picture", "detail", "near"), lambda: following("picture")
    )
    return all_ * 1000, picture * 1000


def inspect_filter(folder):
    """Milliseconds that a browser takes to filter 10,000 images, against 1,000."""
    import conftest
    from playwright import sync_api

    script = """label => {
        const choice = document.querySelector(`select[aria-label="${label}"]`);
        const took = [];
        for (let k = 0; k < 40; k++) {
            choice.selectedIndex = 1 + k % 20;
            const start = performance.now();
            choice.dispatchEvent(new Event("change"));
            document.querySelector(".grid").getBoundingClientRect();
            took.push(performance.now() - start);
        }
        return took.sort((a, b) => a - b)[20];
    }"""
    took = []
    found = filter(None, map(shutil.which, conftest.BROWSERS))
    with sync_api.sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=next(found), args=["--no-sandbox"]
        )
        for count in (10_000, 1_000):
            view = inspected(count)
            view.paged, view.ahead = None, [("picture", row) for row in range(100)]
            page = folder.with_name(f"{count}.html")
            page.write_text(f'<meta charset="utf-8">{view.page()}', encoding="utf-8")
            tab = browser.new_page()
            tab.goto(page.as_uri())
            took.append(tab.evaluate(script, "Class"))
        browser.close()
    return tuple(took)


ROWS = (start_up, audit, fresh_run, reused_run)
ROWS += (read_bioimlab, read_pki3, read_tseng, near_copies, memory)
ROWS += (straighten, compose_cells, segment, karyotype)
ROWS += (draw_singles, draw_karyograms, draw_metaphases)
ROWS += (
    assign_cells,
    classify,
    train_chromonet,
    first_step,
    study_quick,
    shruti_quick,
    chu_quick,
    hamza_quick,
    measure,
    describe,
)
ROWS += (mc_dropout, mc_dropout_loop)
ROWS += (suppress_boxes, detect_ssd, detect_yolo_v5, detect_yolo_v2, detect_yolo_tiny)
ROWS += (detect_faster, detect_r_fcn)
ROWS += (inspect_first, inspect_next, inspect_filter)
ROWS += (cluster_row, near_all, bootstrap_all, train_stored)
PER_SECOND = (straighten, compose_cells, describe, train_stored)
PER_SECOND += (draw_singles, draw_karyograms, draw_metaphases)


def on_the_yardstick(row, figure, slower):
    """A figure as it would be on the machine of the yardstick."""
    if row is memory:
        return figure
    return figure * slower if row in PER_SECOND else figure / slower


def main():
    """Print a row a benchmark: both figures and their ratio, and the yardstick's."""
    names = [row.__name__ for row in ROWS]
    parser = argparse.ArgumentParser(description="Measure; nothing is asserted.")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(names))
    chosen, say = parser.parse_args().rows or names, sys.stdout.write
    slower = yardstick()
    say(f"This machine takes {slower:.2f} times the yardstick's {YARDSTICK} s: ")
    say("VGG16 on 16 images of 150 pixels.\n")
    say(f"{'row':<16}{'figure':>9}{'yardstick':>10}{'against':>9}{'ratio':>8}  what\n")
    with tempfile.TemporaryDirectory() as folder:
        for row in ROWS:
            if row.__name__ in chosen:
                try:
                    first, second = row(pathlib.Path(folder) / "run")
                except FileNotFoundError as error:
                    say(f"{row.__name__:<16} left out: {error}\n")
                    continue
                there = on_the_yardstick(row, first, slower)
                say(f"{row.__name__:<16}{first:>9.2f}{there:>10.2f}{second:>9.2f}")
                say(f"{first / second:>8.2f}  {row.__doc__}\n")


if __name__ == "__main__":
    main()
