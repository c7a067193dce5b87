"""Sets of synthetic cells: groups are patients, words are right, bytes are hashed."""

import numpy as np
import pytest

from chromolib.data import splits
from chromolib.synth import lab, sets


@pytest.fixture(scope="module")
def karyograms():
    return sets.karyograms(lab.cells(6, abnormal=0.5, seed=1), size=160)


def test_a_group_is_a_patient_and_has_its_cells(karyograms):
    assert karyograms.unit == "patient"
    assert len(np.unique(karyograms.group)) == 6 / lab.PER_PATIENT
    assert len(np.unique(karyograms.cell)) == len(karyograms) == 6
    pairs = zip(karyograms.cell, karyograms.group, strict=True)
    assert all(cell.startswith(group) for cell, group in pairs)


def test_it_says_that_it_is_synthetic(karyograms):
    assert karyograms.origin == karyograms.provenance == "synthetic"


def test_metaphases_come_with_boxes_of_all_chromosomes():
    cells = list(lab.cells(2, seed=1))
    images = sets.metaphases(cells, size=160)
    assert [len(b) for b in images.boxes] == [len(c.homologues) for c in cells]
    assert images.pixels[1].shape == (160, 160)
    assert images.extra["iscn"].tolist() == [c.karyotype for c in cells]


@pytest.mark.parametrize(
    ("karyotype", "word"),
    [
        ("46,XX", "normal"),
        ("46,XY", "normal"),
        ("47,XY,+21", "numerical"),
        ("45,X", "numerical"),
        ("47,XXY", "numerical"),
        ("46,XX,del(5)(p15.2)", "structural"),
        ("47,XX,+mar", "structural"),
        ("46,XY,t(9;22)(q34;q11.2)", "structural"),
    ],
)
def test_the_word_for_what_a_cell_holds(karyotype, word):
    assert sets.status(lab.cell(karyotype)) == word


def test_the_fingerprint_is_of_all_that_is_there(karyograms):
    again = sets.karyograms(lab.cells(6, abnormal=0.5, seed=1), size=160)
    other = sets.karyograms(lab.cells(6, abnormal=0.5, seed=2), size=160)
    assert again.fingerprint == karyograms.fingerprint != other.fingerprint


def test_patients_can_be_split(karyograms):
    found = splits.divide(karyograms, protocol="clean", test=0.4, seed=0)
    train, test = karyograms.group[found.train], karyograms.group[found.test]
    assert set(train)
    assert set(test)
    assert not set(train) & set(test)


def test_no_cell_is_an_empty_set():
    assert len(sets.metaphases([])) == 0
