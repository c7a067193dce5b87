"""Train, predict and diagnose as a laboratory would, on drawn cells in folders."""

import sys

import numpy as np
import pandas as pd
import PIL.Image
import pytest
from skimage import data as pictures

from chromolib import cli, records
from chromolib.cyto import diagnose, iscn
from chromolib.models import store
from chromolib.synth import lab, singles


def folders(root, cells):
    """Their chromosomes, a folder a cell; class and number are the name."""
    found = singles.images(cells)
    for i, (cell, label) in enumerate(zip(found.cell, found.label, strict=True)):
        place = root / cell
        place.mkdir(parents=True, exist_ok=True)
        PIL.Image.fromarray(found.pixels[i]).save(place / f"{label}_{i}.png")
    return root


def chromolib(monkeypatch, *words):
    """Run a command here; its exit code."""
    monkeypatch.setattr(sys, "argv", ["chromolib", *map(str, words)])
    try:
        cli.main()
    except SystemExit as stop:
        return stop.code
    return 0


@pytest.fixture
def normal(tmp_path):
    """Four drawn cells in folders."""
    return folders(tmp_path / "cells", lab.cells(4, look="g", seed=5))


def diagnosed(monkeypatch, tmp_path, folder):
    """A row a cell of what `chromolib diagnose` wrote, and takes away again."""
    out, cases = tmp_path / "cells.csv", tmp_path / "cells.cases.csv"
    words = "diagnose", "--data", folder, "--out", out
    assert chromolib(monkeypatch, *words) == 0
    rows = pd.read_csv(out, keep_default_na=False)
    consensus = diagnose.cases(rows).reset_index(drop=True)
    written = pd.read_csv(cases, keep_default_na=False, dtype={"group": str})
    pd.testing.assert_frame_equal(written, consensus, check_dtype=False)
    out.unlink()
    cases.unlink()
    return rows.set_index("cell")


def test_a_folder_of_pictures_is_enough(monkeypatch, tmp_path, normal):
    rows = diagnosed(monkeypatch, tmp_path, normal)
    assert rows["n"].tolist() == [46] * 4
    assert [iscn.parse(one).clones[0].count for one in rows["karyotype"]] == [46] * 4
    out = tmp_path / "preds.csv"
    assert (
        chromolib(monkeypatch, "predict", "shruti", "--data", normal, "--out", out) == 0
    )
    said = pd.read_csv(out, keep_default_na=False)
    true = said["image"].str.extract(r"/(\w+)_\d+\.png")[0]
    assert (said["truth"] == "").all()
    assert (said["assigned"] == true).mean() > 0.7  # a model of real chromosomes
    again = [
        iscn.write(diagnose.karyotype(own))
        for _, own in said.groupby("cell")["assigned"]
    ]
    assert again == rows["karyotype"].tolist()


def test_cells_that_no_karyotype_is_read_from_are_referred(
    monkeypatch, tmp_path, normal
):
    few, more, cat, double = sorted(normal.iterdir())
    for file in sorted(few.iterdir())[:10]:
        file.unlink()
    for file in sorted(few.iterdir())[:2]:
        (more / f"more{file.name}").write_bytes(file.read_bytes())
    PIL.Image.fromarray(pictures.cat()).convert("L").save(cat / "5_99.png")
    first = sorted(double.iterdir())[0]
    (double / "1_copy.png").write_bytes(first.read_bytes())
    PIL.Image.fromarray(np.full((40, 20), 255, np.uint8)).save(normal / "empty.png")
    rows = diagnosed(monkeypatch, tmp_path, normal)
    assert rows.loc[few.name, ["n", "refer"]].tolist() == [36, True]
    assert "10 images fewer" in rows.loc[few.name, "reason"]
    assert rows.loc[more.name, "karyotype"].startswith("48,")
    assert not rows.loc[few.name, "name"]
    for name in (cat.name, double.name, "all"):
        assert rows.loc[name, "refer"]
        assert rows.loc[name, ["karyotype", "name"]].tolist() == ["", ""]
        assert "1 of its images" in rows.loc[name, "reason"]


def test_a_case_is_what_most_of_its_cells_are(monkeypatch, tmp_path, capsys):
    cells = lab.cells(2, look="g", seed=5)  # of one patient
    case = folders(tmp_path / "lab" / "case", cells)
    for file in sorted(min(case.iterdir()).iterdir())[:20]:
        file.unlink()
    (tmp_path / "a.cases.csv").touch()
    words = "diagnose", "--data", tmp_path / "lab", "--out"
    assert chromolib(monkeypatch, *words, tmp_path / "a.csv") == 1
    assert "a.cases.csv exists; remove it" in capsys.readouterr().err
    assert not (tmp_path / "a.csv").exists()
    assert chromolib(monkeypatch, *words, tmp_path / "b.csv") == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "1 cases, 1 of them referred: " in told
    rows = pd.read_csv(tmp_path / "b.csv", keep_default_na=False)
    assert rows["n"].tolist() == [26, 46]
    (row,) = pd.read_csv(tmp_path / "b.cases.csv").to_dict("records")
    assert (row["group"], row["cells"], row["agree"], row["n"]) == ("case", 2, 1, 46)
    assert row["karyotype"] == rows["karyotype"][1]
    assert (row["refer"], row["reason"]) == (True, "cells differ")


def test_light_and_dark_chromosomes_of_a_cell_are_named_alike(
    monkeypatch, tmp_path, normal
):
    before = diagnosed(monkeypatch, tmp_path, normal)
    for file in sorted(normal.rglob("*.png"))[::2]:
        negative = 255 - np.asarray(PIL.Image.open(file))
        PIL.Image.fromarray(negative).save(file)
    after = diagnosed(monkeypatch, tmp_path, normal)
    assert after["karyotype"].tolist() == before["karyotype"].tolist()


def test_a_cell_of_two_stains_is_named_rightly_or_referred(
    monkeypatch, tmp_path, normal
):
    banded = folders(tmp_path / "q", lab.cells(4, look="q", seed=5))
    for file in sorted(banded.rglob("*.png"))[::2]:
        file.replace(normal / file.relative_to(banded))
    rows = diagnosed(monkeypatch, tmp_path, normal)
    true = {cell.name: cell.karyotype for cell in lab.cells(4, look="g", seed=5)}
    right = rows["karyotype"] == pd.Series(true)[rows.index]
    assert rows["n"].tolist() == [46] * 4
    assert (right | rows["refer"]).all()
    assert rows["refer"].sum() >= 2  # its names are less sure than of one stain


def test_a_marker_is_counted_and_taken_for_another_copy(monkeypatch, tmp_path):
    """Of 24 classes none is for what nobody has seen: that is a limit, and no crash."""
    cells = [lab.cell("47,XX,+mar", look="g", seed=k) for k in range(2)]
    rows = diagnosed(monkeypatch, tmp_path, folders(tmp_path / "cells", cells))
    assert rows["n"].tolist() == [47] * 2
    for text in rows["karyotype"]:
        (clone,) = iscn.parse(text).clones
        assert clone.count == 47
        assert len(clone.sex) + sum(c.sign == "+" for c in clone.changes) == 3
        assert "mar" not in text


def test_a_laboratory_trains_a_model_of_its_own(monkeypatch, tmp_path, capsys):
    labelled = folders(tmp_path / "labelled", lab.cells(10, look="g", seed=6))
    out = tmp_path / "mine"
    words = ("train", "shruti", "--source", "cellfolders", "--data", labelled)
    words += ("--out", out, "--steps", 3)
    assert chromolib(monkeypatch, *words) == 0
    assert "on cells that it did not learn from" in capsys.readouterr().out
    model, facts = store.load(tmp_path / "mine.keras", study="shruti")
    assert facts["source"] == "cellfolders"
    assert model.output_shape == (None, len(records.CLASSES))
    assert chromolib(monkeypatch, *words) == 1
    assert "mine.keras exists" in capsys.readouterr().err
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]
    words = (*words[:6], "--steps", 2, "--first", tmp_path / "mine.keras", "--out")
    assert chromolib(monkeypatch, *words, tmp_path / "next.keras") == 0
    before = f"mine.keras ({facts['sha256'][:12]}), of cellfolders"
    _, facts = store.load(tmp_path / "next.keras", study="shruti")
    assert facts["weights"] == before
    assert chromolib(monkeypatch, *words, tmp_path / "other.keras", "--seed", 1) == 1
    assert "give its seed, --seed 0" in capsys.readouterr().err
    asked = tmp_path / "asked.csv"
    words = ("diagnose", "--data", labelled, "--model", tmp_path / "mine.keras")
    assert chromolib(monkeypatch, *words, "--out", asked) == 1
    assert "no better than chance" in capsys.readouterr().err
    assert chromolib(monkeypatch, *words, "--anyway", "--out", asked) == 0
    assert len(pd.read_csv(asked)) == 10


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("chu", "--source", "pki3"), "`chromolib train` is not for chu"),
        (("shruti", "--source", "nowhere"), "no source 'nowhere'"),
        (
            ("shruti", "--source", "pictures", "--data", "here"),
            "no chromosome of a known",
        ),
    ],
)
def test_what_cannot_be_trained_is_said(
    monkeypatch, tmp_path, capsys, words, complaint
):
    here = folders(tmp_path / "here", lab.cells(1, look="g", seed=7))
    words = [here if word == "here" else word for word in words]
    assert chromolib(monkeypatch, "train", *words, "--out", tmp_path / "x.keras") == 1
    assert complaint in capsys.readouterr().err
    assert not list(tmp_path.glob("*.keras"))
