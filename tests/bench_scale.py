"""Rows of `bench.py` about many runs and many images.

`python tests/bench_scale.py` prints curves over 1,000 to 126,453 chromosomes, as many
as ChromosomeNet has, all drawn by the synthetic lab (ten minutes): seconds and MiB of a
process of its own a size, and the slope of both over the last decade.
"""

import contextlib
import functools
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import time

import nbformat
import numpy as np
from nbformat import v4
from toys import CLOSE, LIGHT, RECORD

ROOT = pathlib.Path(__file__).resolve().parent.parent
TOY = {"profile": "smoke", "source": "synthetic", "data": "", "seed": 0, "out": ""}
ROWS = 4  # of a plan
ALL = 126_453  # chromosomes of ChromosomeNet
SIZES = 1_000, 3_981, 12_645, 40_000, ALL
STEPS, BATCH = 60, 64  # of a training that is timed


def cluster_row(_):
    """Seconds a row of nothing through Dask on loopback, against without Dask."""
    with tempfile.TemporaryDirectory() as folder, _cluster() as address:
        root = _repository(pathlib.Path(folder))

        def sweep(*words):
            shutil.rmtree(root / "data" / "runs", ignore_errors=True)
            command = [sys.executable, "-m", "chromolib", "sweep", "plan.csv", *words]
            started = time.perf_counter()
            subprocess.run(command, cwd=root, check=True, capture_output=True)
            return (time.perf_counter() - started) / ROWS

        sweep("--cluster", address)  # what a worker imports once is no overhead
        rounds = [(sweep("--cluster", address), sweep()) for _ in range(3)]
        return tuple(map(min, zip(*rounds, strict=True)))


def near_all(_):
    """Seconds to find near duplicates among 126,453 chromosomes, against 12,645."""
    return tuple(alone("near", n)[0] for n in (ALL, ALL // 10))


def bootstrap_all(_):
    """All metrics in 2,000 resamples of 126,453 predictions, against of 12,645."""
    return tuple(alone("bootstrap", n)[0] for n in (ALL, ALL // 10))


def train_stored(_):
    """Images a second that the small network learns from a file, against from memory.

    126,453 of them; what is drawn is 4,600, over and over with other grain, for drawing
    and straightening takes twenty minutes and learning does not heed what it sees.
    """
    rounds = [[alone(f"train_{kind}", ALL)[0] for kind in KINDS] for _ in range(2)]
    return tuple(STEPS * BATCH / min(times) for times in zip(*rounds, strict=True))


def near(n):
    """Seconds to find near duplicates among so many."""
    from chromolib.data import duplicates, pixels

    buffer, shape = (np.load(drawn() / f"{name}.npy") for name in ("buffer", "shape"))
    ends = shape.prod(1).cumsum()
    images = pixels.packed(buffer[: ends[n - 1]], shape[:n])
    started = time.perf_counter()
    duplicates.near(duplicates.fingerprints(images))
    return time.perf_counter() - started


def bootstrap(n):
    """Seconds to measure so many predictions of 24 classes, cells of 46 as groups."""
    from chromolib import records
    from chromolib.evidence import metrics

    rng = np.random.default_rng(0)
    truth = rng.integers(24, size=n)
    logits = rng.normal(size=(n, 24))
    logits[np.arange(n), truth] += 3 + rng.normal(size=n // 46 + 1).repeat(46)[:n]
    probability = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    predictions = records.Predictions(
        image=np.arange(n),
        group=np.arange(n) // 46,
        truth=np.array(records.CLASSES)[truth],
        probability=probability,
        source="synthetic",
    )
    started = time.perf_counter()
    metrics.measure(predictions, rng=rng)
    return time.perf_counter() - started


def train_stored_in_a_file(n):
    """Seconds of some steps on so many images in a file."""
    from chromolib.models import inputs, stored

    few, rng = np.load(drawn() / "straight.npy"), np.random.default_rng(0)
    space = stored.Space((n, *inputs.FINE, 1))
    for first in range(0, n, len(few)):
        part = few[: n - first]
        grain = np.float32(0.02) * rng.standard_normal(part.shape, np.float32)
        space.write(slice(first, first + len(part)), part + grain)
    return learn(space.images)


def train_held_in_memory(n):
    """The same on arrays in memory."""
    few = np.load(drawn() / "straight.npy")
    return learn(np.resize(few, (n, *few.shape[1:])))


def learn(x):
    """Seconds that the small network takes for some steps, compiled before."""
    from chromolib.models import small, train
    from chromolib.runs import backend

    backend.start()
    y = np.eye(24, dtype=np.float32)[np.random.default_rng(0).integers(24, size=len(x))]
    network = small.ready(small.bands(x.shape[1:], 24, seed=0), steps=STEPS)
    train.train(network, x, y, epochs=1, steps=3, batch=BATCH, seed=0)
    started = time.perf_counter()
    train.train(network, x, y, epochs=1, steps=STEPS, batch=BATCH, seed=0)
    return time.perf_counter() - started


KINDS = "stored_in_a_file", "held_in_memory"
ALONE = (near, bootstrap, train_stored_in_a_file, train_held_in_memory)


def alone(name, n):
    """Seconds that something takes with so many images, and the process' peak MiB."""
    drawn()
    command = [sys.executable, __file__, name, str(n)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return tuple(map(float, done.stdout.split()))


def peak():
    """MiB that this process has taken at most, pages of files too."""
    status = pathlib.Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+)", status)[1]) / 1024


@functools.cache
def drawn():
    """A folder with all chromosomes, and some laid straight; drawn once a machine."""
    from chromolib.data import pixels
    from chromolib.models import inputs
    from chromolib.synth import lab, singles

    folder = pathlib.Path(tempfile.gettempdir()) / "chromolib-bench"
    if not (folder / "straight.npy").exists():
        folder.mkdir(exist_ok=True)
        parts, cells = [], lab.cells(-(-ALL // 44), look="q", abnormal=0.1)
        while sum(len(part) for part in parts) < ALL:
            parts.append(singles.draw(next(cells))[0])
        packed = pixels.pack([image for part in parts for image in part][:ALL])
        np.save(folder / "buffer.npy", packed.buffer)
        np.save(folder / "shape.npy", packed.shape)
        few = singles.images(lab.cells(100, look="q"))
        np.save(folder / "straight.npy", inputs.straight(few, canvas=inputs.FINE))
    return folder


def slope(sizes, values):
    """The power of n by which values rise over the last decade."""
    last = np.array(sizes) >= max(sizes) / 11
    return np.polyfit(np.log(sizes)[last], np.log(values)[last], 1)[0]


def main():
    """Print the curves; with a name and a size, one point of one."""
    say = sys.stdout.write
    if len(sys.argv) > 1:
        work = {work.__name__: work for work in ALONE}[sys.argv[1]]
        say(f"{work(int(sys.argv[2])):.3f} {peak():.0f}\n")
        return
    for name in ("near", "bootstrap"):
        points = [alone(name, n) for n in SIZES]
        for n, (seconds, mib) in zip(SIZES, points, strict=True):
            say(f"{name:<12}{n:>8}{seconds:>10.2f} s{mib:>8.0f} MiB\n")
        slopes = [slope(SIZES, column) for column in zip(*points, strict=True)]
        say(f"{name:<12}slope: time {slopes[0]:.2f}, memory {slopes[1]:.2f}\n")
    for kind in KINDS:
        seconds, mib = alone(f"train_{kind}", ALL)
        say(f"train_{kind}: {STEPS * BATCH / seconds:.0f} images/s, {mib:.0f} MiB\n")


def _repository(root):
    """A repository with a study that records a number, and a plan of some rows."""
    for folder in ("notebooks", "data/claims"):
        (root / folder).mkdir(parents=True)
    (root / "chromolib").symlink_to(ROOT / "chromolib")
    shutil.copy(ROOT / "requirements.lock", root)
    source = "\n".join(f"{name} = {value!r}" for name, value in TOY.items())
    first = v4.new_code_cell(source, metadata={"tags": ["parameters"]})
    cells = [first, *map(v4.new_code_cell, (LIGHT, RECORD, CLOSE))]
    notebook = v4.new_notebook(cells=cells)
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata.kernelspec = kernel
    nbformat.write(notebook, root / "notebooks" / "toy.ipynb")
    lines = "".join(f"toy,{seed}\n" for seed in range(ROWS))
    (root / "plan.csv").write_text("study,seed\n" + lines)
    return root


@contextlib.contextmanager
def _cluster():
    """The address of a Dask scheduler with one worker."""
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"tcp://127.0.0.1:{found.getsockname()[1]}"
    worker = (address, "--nthreads", "1", "--no-nanny", "--no-dashboard")
    commands = [("scheduler", "--host", address, "--no-dashboard"), ("worker", *worker)]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{kind}", *words],
            cwd=ROOT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for kind, *words in commands
    ]
    try:
        yield address
    finally:
        for process in running:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
