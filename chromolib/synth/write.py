"""Synthetic images as files, with their boxes in three formats and their karyotypes.

`Order` what to draw; `write(out, order, workers)` -> Report on the folder `out`:
`images/`, `annotations/` (VOC), `labels/` and `data.yaml` (YOLO), `annotations*.json`
(COCO), `images.csv` (groups), `iscn.csv` (karyotypes) and `manifest.yaml`

Strategy: chance depends on the number of a cell alone, so any process may draw it.
Workers write the images, this process what is said of them, in order, so many cells at
a time, into a folder that takes its name only when all is there.
"""

import collections
import concurrent.futures
import contextlib
import dataclasses
import importlib.metadata
import itertools
import multiprocessing
import platform
import signal

import PIL.Image

import chromolib
from chromolib import records
from chromolib.data import fresh, store
from chromolib.synth import (
    cases,
    files,
    karyogram,
    lab,
    looks,
    metaphase,
    sets,
    singles,
)

MOST = 10**6  # cells
WORKERS = 256
BATCH = 100  # cells to a COCO file, which must stay below 16 MiB
AHEAD = 4  # cells a worker draws before their turn
SQUEEZE = 2  # of 9: what PNG gains beyond costs more than drawing
PACKAGES = ("numpy", "scipy", "scikit-image", "pillow")


class SynthError(ValueError):
    """Why nothing was written."""


@dataclasses.dataclass(frozen=True)
class Order:
    """What to draw; checked when it is made."""

    cells: int
    abnormal: float = 0.0  # share of patients
    seed: int = 0
    what: str = "metaphases"
    look: str = ""  # "" is the usual one
    size: int = 0  # pixels; 0 is the usual size, of singles their own

    def __post_init__(self):
        if self.what not in KINDS:
            raise SynthError(
                f"{self.what!r} cannot be drawn; known: {', '.join(KINDS)}"
            )
        _, look, size, least = KINDS[self.what]
        object.__setattr__(self, "look", self.look or look)
        object.__setattr__(self, "size", self.size or size)
        if not 0 < self.cells <= MOST:
            raise SynthError(f"{self.cells:,} cells; give 1 to {MOST:,}")
        if not 0 <= self.abnormal <= 1:
            raise SynthError(f"abnormal is {self.abnormal:g}; it is a share, 0 to 1")
        if not 0 <= self.seed < 2**63:
            raise SynthError(f"seed {self.seed}; it is a whole number, not negative")
        if self.size and not least <= self.size <= metaphase.LARGEST:
            raise SynthError(
                f"size {self.size:,}; {self.what} have {least} to "
                f"{metaphase.LARGEST:,} pixels on a side"
            )
        looks.check(self.look)


@dataclasses.dataclass(frozen=True)
class Report:
    """What was written."""

    images: int
    boxes: int
    cells: int
    patients: int
    status: dict  # word -> cells
    abnormal_patients: int

    def __str__(self):
        """The report in a sentence."""
        words = ", ".join(f"{n:,} {word}" for word, n in sorted(self.status.items()))
        changed = self.cells - self.status.get("normal", 0)
        return (
            f"{self.images:,} images with {self.boxes:,} boxes of {self.cells:,} cells "
            f"of {self.patients:,} patients: {words}. Abnormal are {changed:,} of "
            f"{self.cells:,} cells and {self.abnormal_patients:,} of "
            f"{self.patients:,} patients: chance draws it patient by patient."
        )


def _metaphase(cell, size):
    return [("", "", *metaphase.draw(cell, size=size))]


def _karyogram(cell, size):
    return [("", "", *karyogram.draw(cell, size=size))]


def _singles(cell, size):
    """What to add to the cell's name, label, picture and boxes of each chromosome."""
    drawn = zip(*singles.draw(cell, canvas=size or None), strict=True)
    return [
        (f"-{k:02d}", str(boxes.label[0]), picture, boxes)
        for k, (picture, boxes) in enumerate(drawn)
    ]


KINDS = {  # how, the usual look and size, the smallest size
    "metaphases": (_metaphase, "field", metaphase.SIZE, metaphase.SMALLEST),
    "karyograms": (_karyogram, "g", karyogram.SIZE, karyogram.SMALLEST),
    "singles": (_singles, "g", 0, 32),
}


def write(out, order, *, workers=1, progress=None):
    """The report on a new folder that holds what was ordered.

    The bytes depend on the order alone, not on the workers. `progress` is called with
    the number of cells written and of all.
    """
    if not 0 < workers <= WORKERS:
        raise SynthError(f"{workers} workers; give 1 to {WORKERS}")
    out = fresh.vacant(out, error=SynthError)
    try:
        with fresh.complete(out) as folder, _drawn(folder, order, workers) as cells:
            return _written(folder, order, cells, progress)
    except OSError as error:
        reason = f"{store.shown(out.name)} cannot be written: {error.strerror or error}"
        raise SynthError(f"{reason}; nothing is left of it") from None
    except concurrent.futures.BrokenExecutor:
        reason = "a worker was stopped, perhaps for want of memory; nothing was written"
        raise SynthError(f"{reason}, try fewer workers") from None


@contextlib.contextmanager
def _drawn(folder, order, workers):
    """All cells in order, drawn into the folder by so many processes."""
    images = folder / files.IMAGES
    images.mkdir()
    if workers == 1:
        yield (_cell(images, order, k) for k in range(order.cells))
        return
    pool = concurrent.futures.ProcessPoolExecutor(
        min(workers, order.cells),
        multiprocessing.get_context("spawn"),  # a fork may inherit locks and threads
        signal.signal,
        (signal.SIGINT, signal.SIG_IGN),  # one process says that it was interrupted
    )
    try:
        yield _ahead(pool, images, order, AHEAD * workers)
    finally:
        pool.shutdown(cancel_futures=True)


def _ahead(pool, images, order, most):
    """Cells in order; at most so many are drawn and not yet taken."""
    waiting = collections.deque()
    for k in range(order.cells):
        waiting.append(pool.submit(_cell, images, order, k))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _cell(folder, order, k):
    """Cell number k, its images drawn into the folder."""
    look = {"look": order.look, "abnormal": order.abnormal, "seed": order.seed}
    (cell,) = lab.cells(1, start=k, **look)
    images = []
    for suffix, label, picture, truth in KINDS[order.what][0](cell, order.size):
        name = f"{cell.name}{suffix}.png"
        PIL.Image.fromarray(picture).save(folder / name, compress_level=SQUEEZE)
        boxes = records.Boxes(truth.xyxy, truth.label, polygon=truth.polygon)
        images.append(files.Image(name, label, picture.shape[::-1], boxes))
    return files.Cell(
        name=cell.name,
        patient=cell.patient,
        karyotype=cell.karyotype,
        status=sets.status(cell),
        count=len(cell.homologues),
        images=tuple(images),
    )


def _written(folder, order, cells, progress):
    """Write what is said of the cells, batch by batch, then what holds for all."""
    images, boxes, status, karyotypes = 0, 0, collections.Counter(), {}
    for first in range(0, order.cells, BATCH):
        batch = []
        for cell in itertools.islice(cells, BATCH):
            batch.append(cell)
            images += len(cell.images)
            boxes += sum(len(image.boxes) for image in cell.images)
            status[cell.status] += 1
            karyotypes[cell.patient] = cell.karyotype
            if progress:
                progress(first + len(batch), order.cells)
        suffix = f"-{first // BATCH:04d}" if order.cells > BATCH else ""
        files.put(folder, suffix, batch)
    status = {word: status[word] for word in sets.STATUS if word in status}
    patients = len(karyotypes)
    changed = sum(one not in cases.NORMAL for one in karyotypes.values())
    report = Report(images, boxes, order.cells, patients, status, changed)
    versions = {name: importlib.metadata.version(name) for name in PACKAGES}
    versions |= {"python": platform.python_version()}
    ours = {"source": lab.SOURCE, "chromolib": chromolib.__version__}
    facts = ours | dataclasses.asdict(order) | dataclasses.asdict(report)
    files.manifest(folder, facts | {"versions": versions})
    return report
