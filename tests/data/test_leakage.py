import numpy as np
import pytest

from chromolib.data import leakage
from chromolib.evidence import recompute

LABEL = {"study": "toy", "profile": "smoke", "seed": 0}


def drawn(protocol, **counts):
    rng = np.random.default_rng(0)
    return leakage.siblings(**counts, protocol=protocol, draws=2000, rng=rng, **LABEL)


@pytest.mark.parametrize(
    ("sources", "images", "train"), [(40, 120, 0.5), (75, 832, 0.7), (105, 376, 0.64)]
)
def test_simulation_meets_the_closed_form(sources, images, train):
    counts = {"sources": sources, "images": images, "train": train}
    found = drawn("published", **counts)
    assert found.value == pytest.approx(leakage_formula(counts), abs=0.015)


def leakage_formula(counts):
    return recompute.recompute(
        "siblings", {name: str(value) for name, value in counts.items()}
    ).value


def test_a_split_by_source_leaks_nothing():
    found = drawn("clean", sources=40, images=120, train=0.5)
    assert (found.value, found.low, found.high) == (0, 0, 0)


def test_a_source_without_copies_has_no_sibling():
    assert drawn("published", sources=50, images=50, train=0.8).value == 0


@pytest.mark.parametrize("split", leakage.SPLITS.values())
def test_a_split_keeps_its_share(split):
    owner = np.arange(200) % 50
    assert split(owner, 0.7, np.random.default_rng(1)).mean() == pytest.approx(0.7)


def test_the_same_seed_draws_the_same():
    counts = {"sources": 30, "images": 90, "train": 0.6}
    assert drawn("published", **counts) == drawn("published", **counts)
