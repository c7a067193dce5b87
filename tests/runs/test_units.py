"""What one image shows: edited, drawn or labelled, and refused in words."""

import dataclasses

import numpy as np
import pytest

from chromolib import records
from chromolib.data import pixels
from chromolib.models import parts, pictures
from chromolib.runs import units
from chromolib.synth import lab, singles


def labelled(labels, groups):
    """A folder of a lab's own, one grey picture each."""
    count = len(labels)
    picture = np.full((40, 20), 255, np.uint8)
    picture[5:35, 7:13] = 60
    return records.ImageSet(
        source="folder",
        name=np.array([f"i{i}" for i in range(count)]),
        label=np.array(labels),
        group=np.array(groups),
        unit="patient",
        pixels=pixels.pack([picture] * count),
    )


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def cells():
    """Three cells as if they were a real source of single chromosomes."""
    drawn = singles.images(lab.cells(6, seed=9))
    return dataclasses.replace(drawn, source="pki3", provenance="real")


def test_single_chromosomes_are_edited_and_say_so(cells, rng):
    made = units.images(cells, "chromosome", count=0, rng=rng)
    assert made.origin == "pki3 (real, edited)"
    assert set(made.label) == {"normal", "abnormal"}
    assert set(made.extra["sham"]) == {"yes", "no"}
    boxed = np.array([len(boxes) for boxes in made.boxes])
    assert (boxed == (made.extra["kind"] != "none")).all()


def test_karyograms_are_put_together_with_too_many_or_too_few(cells, rng):
    made = units.images(cells, "karyogram", count=0, rng=rng)
    assert set(made.extra["kind"]) <= {"gain", "loss", "exchange", "none"}
    wrong = made.label == "abnormal"
    assert (wrong == np.isin(made.extra["kind"], ["gain", "loss"])).all()
    assert [len(boxes) for boxes in made.boxes] == wrong.astype(int).tolist()


def test_no_group_is_on_both_sides(rng):
    made = units.images(None, "chromosome", count=20, rng=rng)
    pool, kept = units.apart(made, seed=0)
    assert not set(pool.group) & set(kept.group)
    assert len(pool) + len(kept) == len(made)


def test_a_folder_of_normal_and_abnormal_is_taken_as_it_is(rng):
    given = labelled(["normal", "abnormal"], ["a", "b"])
    made = units.images(given, "karyogram", count=0, rng=rng)
    assert made.label.tolist() == ["normal", "abnormal"]
    assert made.origin == "folder"


def test_a_patient_with_two_labels_is_refused_by_name(rng):
    given = labelled(["normal", "abnormal"], ["anna", "anna"])
    with pytest.raises(units.UnitError, match="'anna' has images of both labels"):
        units.images(given, "karyogram", count=0, rng=rng)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (["normal", "odd"], "label 'odd' beside normal and abnormal"),
        (["cat", "dog"], "says neither normal nor abnormal"),
    ],
)
def test_other_labels_are_refused(labels, reason, rng):
    with pytest.raises(units.UnitError, match=reason):
        units.images(labelled(labels, ["a", "b"]), "karyogram", count=0, rng=rng)


def test_a_set_of_one_label_is_refused(rng):
    given = labelled(["normal", "normal"], ["a", "b"])
    made = units.images(given, "karyogram", count=0, rng=rng)
    with pytest.raises(parts.PartError, match="no image labelled 'abnormal'"):
        parts.part(made, "karyogram")


def test_pictures_keep_sizes_to_each_other_and_boxes_go_with_them(rng):
    made = units.images(None, "chromosome", count=16, rng=rng)
    shown, boxes = pictures.of(made, "chromosome"), pictures.boxes(made, "chromosome")
    assert shown.shape[1:] == (96, 32, 1)
    assert shown.min() == 0
    assert shown.max() <= 1
    for i, found in enumerate(boxes):
        for x0, y0, x1, y1 in found.xyxy.round().astype(int):
            assert 0 <= x0 < x1 <= 32
            assert 0 <= y0 < y1 <= 96
            assert shown[i, y0:y1, x0:x1].sum() > 0
