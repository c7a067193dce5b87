"""Synthetic files: the same for any workers, read back as drawn, or not there."""

import csv
import errno
import hashlib

import numpy as np
import pytest
import typer
import typer.testing
import yaml

from chromolib.cli import synth
from chromolib.data import sources
from chromolib.synth import karyogram, lab, write

SMALL = {"what": "karyograms", "look": "g", "size": 128, "abnormal": 0.5, "seed": 3}


def bytes_of(folder):
    """Every file below a folder, by its name and a hash."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).digest()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """Five small karyograms."""
    out = tmp_path_factory.mktemp("synth") / "out"
    return out, write.write(out, write.Order(5, **SMALL))


@pytest.mark.parametrize("source", ["voc", "yolo", "coco"])
def test_each_format_gives_back_the_boxes_that_were_drawn(written, source):
    images = sources.load(source, written[0])
    cells = lab.cells(5, look="g", abnormal=0.5, seed=3)
    assert len(images) == 5
    assert images.problems == ()
    for k, cell in enumerate(cells):
        image, boxes = karyogram.draw(cell, size=128)
        assert (images.cell[k], images.group[k]) == (cell.name, cell.patient)
        np.testing.assert_array_equal(images.pixels[k], image)
        np.testing.assert_allclose(images.boxes[k].xyxy, boxes.xyxy, atol=1e-9)
        assert images.boxes[k].label.tolist() == boxes.label.tolist()


def test_coco_has_the_outlines_too(written):
    images = sources.load("coco", written[0])
    _, boxes = karyogram.draw(
        next(lab.cells(1, look="g", abnormal=0.5, seed=3)), size=128
    )
    for told, drawn in zip(images.boxes[0].polygon, boxes.polygon, strict=True):
        np.testing.assert_allclose(told, drawn)


def test_karyotypes_stand_in_a_table(written):
    with (written[0] / "iscn.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    cells = list(lab.cells(5, look="g", abnormal=0.5, seed=3))
    assert [row["karyotype"] for row in rows] == [cell.karyotype for cell in cells]
    assert [int(row["chromosomes"]) for row in rows] == [
        len(c.homologues) for c in cells
    ]


def test_the_report_and_the_manifest_count_alike(written):
    out, report = written
    facts = yaml.safe_load((out / "manifest.yaml").read_text(encoding="utf-8"))
    assert (
        facts["images"] == report.images == len(list((out / "images").iterdir())) == 5
    )
    assert facts["patients"] == report.patients == 3
    assert sum(facts["status"].values()) == facts["cells"] == 5
    assert facts["source"] == "synthetic"
    assert str(out.parent) not in (out / "manifest.yaml").read_text(encoding="utf-8")


def test_the_report_says_how_many_patients_and_cells_came_out_abnormal(written):
    _, report = written
    karyotypes = {
        cell.patient: cell.karyotype
        for cell in lab.cells(5, look="g", abnormal=0.5, seed=3)
    }
    changed = [one for one in karyotypes.values() if one not in ("46,XX", "46,XY")]
    cells = 5 - report.status.get("normal", 0)
    words = f"Abnormal are {cells} of 5 cells and {len(changed)} of 3 patients: "
    assert words in str(report)
    assert report.abnormal_patients == len(changed)


def test_two_workers_write_the_same_bytes_as_one(written, tmp_path):
    write.write(tmp_path / "out", write.Order(5, **SMALL), workers=2)
    assert bytes_of(tmp_path / "out") == bytes_of(written[0])


def test_another_seed_writes_other_images(written, tmp_path):
    write.write(tmp_path / "out", write.Order(1, **SMALL | {"seed": 4}))
    ours = set(bytes_of(tmp_path / "out").values())
    assert not ours & {v for k, v in bytes_of(written[0]).items() if "yaml" not in k}


def test_more_cells_are_the_same_cells_and_more(written, tmp_path):
    write.write(tmp_path / "out", write.Order(2, **SMALL))
    few, many = bytes_of(tmp_path / "out"), bytes_of(written[0])
    pictures = [name for name in few if name.endswith(".png")]
    assert len(pictures) == 2
    assert all(few[name] == many[name] for name in pictures)


def test_several_parts_are_read_as_one(written, tmp_path, monkeypatch):
    monkeypatch.setattr(write, "BATCH", 2)
    write.write(tmp_path / "out", write.Order(5, **SMALL))
    assert len(list((tmp_path / "out").glob("annotations-*.json"))) == 3
    whole, parts = (sources.load("coco", p) for p in (written[0], tmp_path / "out"))
    assert parts.fingerprint == whole.fingerprint
    assert parts.problems == ()


def test_single_chromosomes_have_labels_of_their_own(tmp_path):
    order = write.Order(1, what="singles", look="q", size=48)
    report = write.write(tmp_path / "out", order)
    images = sources.load("voc", tmp_path / "out")
    assert report.images == report.boxes == len(images) == 46
    assert images.label.tolist() == [boxes.label[0] for boxes in images.boxes]
    assert set(images.group) == {"s0-p00000"}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({"cells": 0}, "0 cells"),
        ({"cells": -3}, "-3 cells"),
        ({"cells": 1_000_001}, "1,000,001 cells"),
        ({"abnormal": 1.1}, "abnormal is 1.1"),
        ({"abnormal": float("nan")}, "abnormal is nan"),
        ({"seed": -1}, "seed -1"),
        ({"size": 5000}, "size 5,000"),
        ({"size": -1}, "size -1"),
        ({"what": "fingerprints"}, "'fingerprints'"),
        ({"look": "r"}, "'r'"),
    ],
)
def test_an_absurd_order_is_refused_by_its_value(wrong, complaint):
    with pytest.raises(ValueError, match=complaint):
        write.Order(**{"cells": 1, **SMALL} | wrong)


@pytest.mark.parametrize("workers", [0, -1, 1000])
def test_an_absurd_number_of_workers_is_refused(tmp_path, workers):
    with pytest.raises(write.SynthError, match=f"{workers} workers"):
        write.write(tmp_path / "out", write.Order(1, **SMALL), workers=workers)


def test_a_folder_with_something_in_it_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(write.SynthError, match="not an empty folder"):
        write.write(tmp_path, write.Order(1, **SMALL))
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_an_empty_folder_is_taken(tmp_path):
    (tmp_path / "out").mkdir()
    write.write(tmp_path / "out", write.Order(1, **SMALL))
    assert (tmp_path / "out" / "manifest.yaml").exists()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize(
    ("cause", "error", "words"),
    [
        (KeyboardInterrupt("stop"), KeyboardInterrupt, "stop"),
        (OSError(errno.ENOSPC, "disk full"), write.SynthError, "disk full; nothing"),
    ],
)
def test_what_was_interrupted_leaves_nothing(tmp_path, cause, error, words, workers):
    def stop(done, total):
        raise cause

    with pytest.raises(error, match=words):
        write.write(
            tmp_path / "out", write.Order(3, **SMALL), workers=workers, progress=stop
        )
    assert list(tmp_path.iterdir()) == []


def test_the_command_says_what_it_wrote(tmp_path):
    app = typer.Typer()
    app.command()(synth.synth)
    words = ["--out", str(tmp_path / "out"), "--cells", "1", "--what", "karyograms"]
    done = typer.testing.CliRunner().invoke(app, [*words, "--size", "128"])
    assert done.exit_code == 0
    assert "1 images with" in done.output
    assert "no patient is in it" in done.output
    told = " ".join(typer.testing.CliRunner().invoke(app, ["--help"]).output.split())
    assert "of few patients all or none" in told.replace("│ ", "")
