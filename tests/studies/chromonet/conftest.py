"""Drawn images, a run that only keeps what it is given, and one tiny experiment."""

import dataclasses

import numpy as np
import pytest

from chromolib import records, streams
from chromolib.data import pixels
from chromolib.models import samples
from chromolib.studies.chromonet import data, experiment

SIZES = experiment.Sizes(sources=24, share=0.05, epochs=2)


@dataclasses.dataclass
class Run:
    """What the study asks of a run, without a folder's bookkeeping."""

    folder: object
    images: records.ImageSet | None = None
    external: records.ImageSet | None = None
    values: dict = dataclasses.field(default_factory=dict)
    predictions: list = dataclasses.field(default_factory=list)
    estimates: list = dataclasses.field(default_factory=list)
    study = "chromonet"
    protocols = ("published", "clean")

    def __post_init__(self):
        usual = {"seed": 0, "unit": "both", "weights": "none", "profile": "smoke"}
        self.values = usual | self.values
        self.root, self.label = self.folder, {"study": self.study, "profile": "smoke"}

    def given(self, name):
        return self.values[name]

    def rng(self, purpose):
        return streams.stream(0, purpose)

    def record_predictions(self, predictions):
        self.predictions.extend(predictions)

    def record_all(self, estimates):
        self.estimates.extend(estimates)
        return estimates


@pytest.fixture
def run(tmp_path):
    """Make a run: `run(images=..., unit=...)`."""

    def make(images=None, external=None, **values):
        return Run(tmp_path, images, external, values)

    return make


@pytest.fixture(scope="package")
def bars():
    """Make Samples of one bar each, thick when abnormal: a mirror changes nothing."""

    def make(count, name, shape=(24, 16)):
        rng = np.random.default_rng(len(name))
        label = np.resize(np.array(data.LABELS), count)
        x = 0.05 * rng.random((count, *shape, 1), np.float32)
        for i, word in enumerate(label):
            row = rng.integers(4, 10)
            x[i, row : row + (3 if word == "normal" else 9), 4:12] = 1
        image = np.array([f"{name}{i}" for i in range(count)])
        return samples.Samples(x, label, image, image, data.LABELS)

    return make


@pytest.fixture(scope="package")
def folder():
    """Make a set of grey pictures of a rod with these labels and groups."""

    def make(labels, groups=None, **words):
        names = np.array([f"i{i}" for i in range(len(labels))])
        rng = np.random.default_rng(0)
        drawn = [_rod(label, rng) for label in labels]
        return records.ImageSet(
            source=words.pop("source", "folder"),
            name=names,
            label=np.array(labels),
            group=names if groups is None else np.array(groups),
            unit="patient",
            pixels=pixels.pack(drawn),
            **words,
        )

    return make


def _rod(label, rng):
    """A rod of grain on white, with a dark band in the middle when abnormal."""
    picture = np.full((46, 20), 255, np.uint8)
    picture[4:42, 6:14] = rng.integers(100, 160, (38, 8))
    if label == "abnormal":
        picture[18:28, 6:14] = 20
    return picture


@pytest.fixture(scope="package")
def images(folder):
    """Images of chromosomes, the abnormality marked, a third of the normal ones shams.

    Natural and external ones are there as well.
    """

    def made(count, **words):
        labels = np.resize(data.LABELS, count)
        sham = np.where(np.arange(count) % 6 == 0, "yes", "no")
        kind = np.where(labels == "abnormal", "dup", np.where(sham == "yes", "s", "-"))
        box = {"abnormal": [[6, 18, 14, 28]], "normal": np.empty((0, 4))}
        boxes = tuple(
            records.Boxes(box[label], ["dup"] * len(box[label])) for label in labels
        )
        extra = {"kind": kind, "sham": sham}
        drawn = folder(labels, boxes=boxes, extra=extra, **words)
        word = drawn.source
        names = np.char.add(word, drawn.name)
        return dataclasses.replace(drawn, name=names, group=names)

    def shown(drawn):
        return data.as_samples(drawn, "chromosome", 1.0)

    unseen, natural = made(24, source="unseen"), shown(made(6, source="natural"))
    return data.Images(
        unit="chromosome",
        source="drawn",
        real=False,
        scale=1.0,
        pool=shown(made(40, source="pool")),
        unseen=shown(unseen),
        details=unseen,
        natural=natural.take(natural.label == "abnormal"),
        external=shown(made(8, source="external")),
        external_source="elsewhere",
    )


@pytest.fixture(scope="package")
def ran(images, tmp_path_factory):
    """A run and its tiny experiment, trained once for all tests."""
    run = Run(tmp_path_factory.mktemp("run"))
    return run, experiment.run(run, images, sizes=SIZES)


@pytest.fixture
def grid(ran):
    return ran[1]
