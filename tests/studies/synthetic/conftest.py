"""Synthetic cells that the laws of this study are tested on, drawn once."""

import dataclasses

import pytest

from chromolib.synth import lab, singles


@pytest.fixture(scope="package")
def real():
    """Twenty cells of ten patients that pass for a real source."""
    images = singles.images(list(lab.cells(20, look="g", seed=9)))
    return dataclasses.replace(images, source="pki3", provenance="real")


@pytest.fixture(scope="package")
def synthetic():
    return singles.images(list(lab.cells(16, look="g", seed=1)))
