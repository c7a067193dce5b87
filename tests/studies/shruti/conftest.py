"""A few drawn cells, and a run that only keeps what it is given."""

import dataclasses

import pytest

from chromolib import streams
from chromolib.studies.shruti import data
from chromolib.synth import lab, singles


@dataclasses.dataclass
class Run:
    """What the study asks of a run."""

    folder: object
    images: object = None
    values: dict = dataclasses.field(default_factory=lambda: {"seed": 0})
    predictions: list = dataclasses.field(default_factory=list)
    estimates: list = dataclasses.field(default_factory=list)
    external: object = None
    protocols = ("published", "clean")
    study = "shruti"

    def __post_init__(self):
        self.root, self.label = self.folder, {"study": self.study, "profile": "smoke"}

    def given(self, name):
        return self.values[name]

    def rng(self, purpose):
        return streams.stream(0, purpose)

    def record_predictions(self, predictions):
        self.predictions.extend(predictions)

    def record_all(self, estimates):
        estimates = list(estimates)
        self.estimates.extend(estimates)
        return estimates


@pytest.fixture(scope="package")
def make_run():
    return Run


@pytest.fixture
def run(tmp_path):
    return Run(tmp_path)


@pytest.fixture(scope="package")
def chromosomes():
    """Those of ten cells, drawn without any abnormality."""
    drawn = singles.images(lab.cells(10, look="q", seed=3))
    return data.prepared(drawn, upright=True, real=False)
