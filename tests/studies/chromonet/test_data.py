"""What one image shows: edited, drawn or labelled, and refused in words."""

import dataclasses

import numpy as np
import pytest

from chromolib import records
from chromolib.data import pixels
from chromolib.models import pictures
from chromolib.studies.chromonet import data, protocol
from chromolib.synth import lab, labelled, singles


@pytest.fixture
def rng():
    return np.random.default_rng(0)


@pytest.fixture(scope="module")
def cells():
    """Three cells as if they were a real source of single chromosomes."""
    drawn = singles.images(lab.cells(6, seed=9))
    return dataclasses.replace(drawn, source="pki3", provenance="real")


def test_single_chromosomes_are_edited_and_say_so(cells, rng):
    made = labelled.labelled(cells, "chromosome", count=0, rng=rng)
    assert made.origin == "pki3 (real, edited)"
    assert set(made.label) == {"normal", "abnormal"}
    assert set(made.extra["sham"]) == {"yes", "no"}
    boxed = np.array([len(boxes) for boxes in made.boxes])
    assert (boxed == (made.extra["kind"] != "none")).all()


def test_karyograms_are_put_together_with_too_many_or_too_few(cells, rng):
    made = labelled.labelled(cells, "karyogram", count=0, rng=rng)
    assert set(made.extra["kind"]) <= {"gain", "loss", "exchange", "none"}
    wrong = made.label == "abnormal"
    assert (wrong == np.isin(made.extra["kind"], ["gain", "loss"])).all()
    assert [len(boxes) for boxes in made.boxes] == wrong.astype(int).tolist()


def test_no_group_is_on_both_sides(rng):
    made = labelled.labelled(None, "chromosome", count=20, rng=rng)
    pool, unseen = labelled.divide(made, seed=0)
    assert not set(pool.group) & set(unseen.group)
    assert len(pool) + len(unseen) == len(made)


def test_a_folder_of_normal_and_abnormal_is_taken_as_it_is(rng, folder):
    given = folder(["normal", "abnormal"], ["a", "b"])
    made = labelled.labelled(given, "karyogram", count=0, rng=rng)
    assert made.label.tolist() == ["normal", "abnormal"]
    assert made.origin == "folder"


def test_a_status_that_nobody_knows_is_left_out_and_an_odd_one_refused(rng, folder):
    given = folder(["", "", ""], ["a", "b", "c"])
    told = np.array(["normal", "", "numerical"])
    made = labelled.labelled(
        dataclasses.replace(given, extra={"status": told}),
        "karyogram",
        count=0,
        rng=rng,
    )
    assert made.label.tolist() == ["normal", "abnormal"]
    assert made.problems[-1].reason == "an image of unknown status"
    odd = dataclasses.replace(given, extra={"status": np.array(["Normal", "", ""])})
    with pytest.raises(labelled.UnitError, match="status 'Normal'; known: normal, abn"):
        labelled.labelled(odd, "karyogram", count=0, rng=rng)


def test_a_patient_with_two_labels_is_refused_by_name(rng, folder):
    given = folder(["normal", "abnormal"], ["anna", "anna"])
    with pytest.raises(labelled.UnitError, match="'anna' has images of both labels"):
        labelled.labelled(given, "karyogram", count=0, rng=rng)


@pytest.mark.parametrize(
    ("labels", "reason"),
    [
        (["normal", "odd"], "label 'odd' beside normal and abnormal"),
        (["cat", "dog"], "says neither normal nor abnormal"),
    ],
)
def test_other_labels_are_refused(labels, reason, rng, folder):
    with pytest.raises(labelled.UnitError, match=reason):
        labelled.labelled(folder(labels, ["a", "b"]), "karyogram", count=0, rng=rng)


def test_a_set_of_one_label_is_refused(rng, folder):
    given = folder(["normal", "normal"], ["a", "b"])
    made = labelled.labelled(given, "karyogram", count=0, rng=rng)
    with pytest.raises(labelled.UnitError, match="no image labelled 'abnormal'"):
        data.as_samples(made, "karyogram", 1.0)


def test_pictures_keep_sizes_to_each_other_and_boxes_go_with_them(rng):
    made = labelled.labelled(None, "chromosome", count=16, rng=rng)
    shown, boxes = pictures.of(made, "chromosome"), pictures.boxes(made, "chromosome")
    assert shown.shape[1:] == (96, 32, 1)
    assert shown.min() == 0
    assert shown.max() <= 1
    for i, found in enumerate(boxes):
        for x0, y0, x1, y1 in found.xyxy.round().astype(int):
            assert 0 <= x0 < x1 <= 32
            assert 0 <= y0 < y1 <= 96
            assert shown[i, y0:y1, x0:x1].sum() > 0


def test_edited_labels_are_as_even_as_in_the_paper(cells, rng):
    made = labelled.labelled(cells, "chromosome", count=0, rng=rng)
    wanted = protocol.TOTAL["abnormal"] / sum(protocol.TOTAL.values())
    assert (made.label == "abnormal").mean() == pytest.approx(wanted, abs=0.01)
    assert len(set(made.name)) == len(made)


def test_a_picture_depends_on_no_other_once_a_scale_is_given(rng):
    made = labelled.labelled(None, "chromosome", count=16, rng=rng)
    by = pictures.scale(made)
    longest = np.argsort([shape[0] for shape in made.pixels.shape])[-3:]
    alone = pictures.of(made.take(longest), "chromosome", by)
    assert np.array_equal(alone, pictures.of(made, "chromosome", by)[longest])
    assert not np.array_equal(alone, pictures.of(made.take(longest), "chromosome"))


def test_cells_with_a_copy_too_many_are_found_and_left_as_they_are(cells, rng, folder):
    assert labelled.extra_copies(None) is None
    assert labelled.extra_copies(folder(["normal", "abnormal"], ["a", "b"])) is None
    one = cells.cell == cells.cell[0]
    assert labelled.extra_copies(cells.take(one)) is None
    twice = np.r_[np.flatnonzero(one), np.flatnonzero(one & (cells.label == "21"))[:1]]
    more = records.ImageSet(
        source="pki3",
        name=np.array([f"{i}.png" for i in range(len(twice))]),
        label=cells.label[twice],
        group=cells.group[twice],
        cell=cells.cell[twice],
        unit=cells.unit,
        pixels=pixels.pack([cells.pixels[i] for i in twice]),
    )
    found = labelled.extra_copies(more)
    assert found.label.tolist() == ["abnormal"]
    assert found.extra["change"].tolist() == ["+21"]
    assert found.origin == "pki3"
    assert found.group.tolist() == [cells.group[0]]


@pytest.mark.parametrize(
    ("labels", "given", "units_shown"),
    [
        (["1", "X"], "both", ("chromosome", "karyogram")),
        (["1", ""], "both", ("chromosome", "karyogram")),
        (["", ""], "both", ("karyogram",)),
        (["normal", "abnormal"], "karyogram", ("karyogram",)),
    ],
)
def test_a_source_shows_what_its_labels_say(labels, given, units_shown, folder):
    assert labelled.shown(folder(labels, ["a", "b"]), given) == units_shown
    assert labelled.shown(None, "both") == labelled.UNITS


def test_a_source_that_does_not_say_what_it_shows_is_asked_back(folder):
    with pytest.raises(labelled.UnitError, match="set unit to 'chromosome'"):
        labelled.shown(folder(["normal", "abnormal"], ["a", "b"]), "both")


def test_a_run_is_of_both_units_or_of_the_one_that_was_given(run, folder):
    assert data.units(run()) == labelled.UNITS
    assert data.units(run(unit="karyogram")) == ("karyogram",)
    with pytest.raises(labelled.UnitError, match="set unit to"):
        data.units(run(images=folder(["normal", "abnormal"])))


def test_without_a_source_so_many_images_are_drawn_and_divided_by_group(run):
    images = data.read(run(), "chromosome", 20)
    assert (images.unit, images.source, images.real) == (
        *("chromosome", "synthetic"),
        False,
    )
    assert len(images.pool) + len(images.unseen) == 20
    assert not set(images.pool.group) & set(images.unseen.group)
    assert images.pool.x.shape[1:] == images.unseen.x.shape[1:] == (96, 32, 1)
    assert images.natural is images.external is None
    assert ((images.kind == "none") == (images.unseen.label == "normal")).all()
    marked = np.array([len(boxes) for boxes in images.boxes])
    assert (marked == (images.kind != "none")).all()


def test_an_external_source_is_read_beside_and_at_its_own_scale(run, folder):
    labels = np.resize(data.LABELS, 20)
    larger = folder(labels, source="other")
    larger = dataclasses.replace(
        larger,
        pixels=pixels.pack(
            [np.kron(p, np.full((2, 2), 1, np.uint8)) for p in larger.pixels]
        ),
    )
    images = data.read(run(folder(labels), larger, unit="chromosome"), "chromosome", 0)
    assert (images.source, images.real) == ("folder", True)
    assert (images.external_source, len(images.external)) == ("other", 20)
    assert (len(images.pool), len(images.unseen)) == (12, 8)
    assert images.details.name.tolist() == images.unseen.image.tolist()
    ink = images.unseen.x.sum((1, 2, 3)).mean(), images.external.x.sum((1, 2, 3)).mean()
    assert ink[0] == pytest.approx(ink[1], rel=0.1)
