"""Cells of known dose: what was drawn is what is scored, and gives the dose again."""

import numpy as np
import pytest

from chromolib.cyto import bands, dose, iscn
from chromolib.synth import cases, irradiated, metaphase


def scored(cells):
    """Dicentrics, rings and fragments of each cell, by its centromeres."""
    return np.array([score(cell.homologues, cell.style["level"]) for cell in cells])


def score(homologues, level):
    drawn, dicentrics = bands.read(level), 0
    for homologue in homologues:
        inside = [
            min(part.start, part.stop)
            < drawn[part.chromosome].centromere
            < max(part.start, part.stop)
            for part in homologue.segments
        ]
        dicentrics += max(0, sum(inside) - 1)
    rings = sum(homologue.ring for homologue in homologues)
    return dicentrics, rings, sum(each.label == "ace" for each in homologues)


def test_what_was_drawn_is_what_a_cell_has():
    drawn = irradiated.counts(60, 4, seed=1)
    found = scored(irradiated.cells(60, 4, seed=1))
    assert (found[:, :2] == drawn).all()
    assert (found[:, 2] == drawn.sum(1)).all(), "each leaves a fragment"
    assert drawn[:, 0].max() > 1
    assert drawn[:, 1].any()


def test_a_cell_is_written_as_iscn_has_it():
    for k in range(20):
        text = cases.irradiated(np.random.default_rng(k), "XY", k % 5, k % 3)
        assert iscn.write(iscn.parse(text)) == text
        assert text.startswith(f"{46 + k % 3},XY")


def test_the_same_seed_gives_the_same_cells_of_one_person():
    one, two = (list(irradiated.cells(5, 3, seed=7)) for _ in range(2))
    assert [c.karyotype for c in one] == [c.karyotype for c in two]
    assert len({c.patient for c in one}) == 1
    assert len({c.name for c in one}) == 5


def test_a_metaphase_of_an_irradiated_cell_can_be_drawn():
    cell = next(c for c in irradiated.cells(20, 4, seed=2) if "dic" in c.karyotype)
    image, boxes = metaphase.draw(cell)
    assert image.ndim == 2
    assert len(boxes) == len(cell.homologues)


@pytest.mark.parametrize("gy", [0.5, 1, 2, 3, 4])
def test_the_dose_is_within_its_interval_in_95_percent_of_draws(gy):
    held = []
    for patient in range(300):
        drawn = irradiated.counts(200, gy, seed=11, patient=patient)
        found = dose.estimate(int(drawn[:, 0].sum()), 200, method="exact")
        held.append(found.low <= gy <= found.high)
    assert 0.925 <= np.mean(held) <= 0.985


def test_a_part_of_the_body_gives_its_dose():
    held, shares = [], []
    for patient in range(200):
        drawn = irradiated.counts(500, 3, share=0.4, seed=5, patient=patient)[:, 0]
        found = dose.partial(drawn, method="exact")
        held.append(found.dose.low <= 3 <= found.dose.high)
        shares.append(found.low <= 0.4 <= found.high)
    assert np.mean(held) >= 0.9
    assert np.mean(shares) >= 0.9


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="6 Gy"):
        irradiated.counts(3, 6)
    with pytest.raises(ValueError, match="share 2"):
        irradiated.counts(3, 1, share=2)
    with pytest.raises(ValueError, match="12 dicentrics"):
        cases.irradiated(np.random.default_rng(0), "XX", 12, 0)
