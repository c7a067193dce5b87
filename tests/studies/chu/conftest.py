"""Drawn karyograms, a run that only keeps what it is given, and one tiny grid."""

import dataclasses

import numpy as np
import pytest

from chromolib import records, streams
from chromolib.data import pixels
from chromolib.models import samples
from chromolib.studies.chu import data, experiment, network

ROW = "small trunk, frozen"
SIZES = experiment.Sizes(
    rows=(ROW,),
    larger=(),
    share=0.15,
    epochs=2,
    times=8,
    random=(ROW,),
    sure=(ROW,),
    members=2,
    drops=((0.0, 0.5),),
)


@dataclasses.dataclass
class Run:
    """What the study asks of a run, without a folder's bookkeeping."""

    root: object
    folder: object
    values: dict = dataclasses.field(default_factory=dict)
    images: records.ImageSet | None = None
    external: records.ImageSet | None = None
    data: str = ""
    protocols: tuple = ("published", "clean")
    label = {"study": "chu", "profile": "smoke", "seed": 0}  # noqa: RUF012

    def __post_init__(self):
        self.values = {"seed": 0, "weights": "none"} | self.values
        self.recorded, self.said = [], []

    def given(self, name):
        return self.values[name]

    def rng(self, purpose):
        return streams.stream(0, purpose)

    def record_all(self, estimates):
        self.recorded += estimates
        return estimates

    def record_predictions(self, predictions):
        self.said += predictions


@pytest.fixture(scope="package")
def karyograms():
    """Karyograms of grey blocks; abnormal ones have a block more."""

    def made(count, name):
        rng = np.random.default_rng(len(name))
        label = np.resize(np.array(data.LABELS), count)
        x = np.zeros((count, 96, 96, 1), np.uint8)
        for i, word in enumerate(label):
            for k in range(6 + 3 * (word == "abnormal")):
                row, column = 4 + 30 * (k // 3), 4 + 30 * (k % 3)
                x[i, row : row + 20, column : column + 8] = rng.integers(100, 250)
        names = np.array([f"{name}{i}" for i in range(count)])
        return samples.Samples(x, label, names, names, data.LABELS)

    def details(part):
        kind = np.where(part.label == "abnormal", "gain", "none")
        nowhere = records.Boxes(np.empty((0, 4)), np.empty(0, str))
        return records.ImageSet(
            source="drawn",
            name=part.image,
            label=part.label,
            group=part.group,
            unit="patient",
            pixels=pixels.pack([255 - x[..., 0] for x in part.x]),
            boxes=(nowhere,) * len(part),
            extra={"kind": kind, "sham": np.full(len(part), "no")},
        )

    pool, unseen = made(60, "pool"), made(24, "unseen")
    return data.Karyograms(
        source="drawn",
        real=False,
        pool=pool,
        unseen=unseen,
        known=details(pool),
        details=details(unseen),
        natural=made(4, "natural"),
        external=made(6, "elsewhere"),
        external_source="elsewhere",
    )


@pytest.fixture(scope="package")
def ran(root, karyograms, tmp_path_factory):
    """A run and its tiny grid, trained once for all tests."""
    run = Run(root, tmp_path_factory.mktemp("run"))
    return run, experiment.run(run, karyograms, sizes=SIZES)


@pytest.fixture
def grid(ran):
    return ran[1]


@pytest.fixture
def trunk(root):
    """Our own small trunk, random."""
    return network.Trunk(network.SMALL, "none", root=root, data="", seed=0)
