"""`chromolib train hamza`: a finder of a laboratory's own, scored on unseen fields."""

import PIL.Image
import pytest

from chromolib.detect import store
from chromolib.studies.hamza import pretraining, shipping
from chromolib.synth import files, lab, metaphase
from tests.studies.shruti.test_commands import chromolib

SIZE = 256
TINY = pretraining.Sizes(drawn=6, drawn_looks=8, side=128, trunk="tiny")


@pytest.fixture
def annotated(tmp_path):
    """Eight pictures of as many cases with their boxes, as VOC."""
    place, cells = tmp_path / "lab", []
    for k in range(8):
        cell = lab.cell("46,XX", look="field", seed=3, patient=k)
        picture, boxes = metaphase.draw(cell, size=SIZE)
        path = place / "images" / f"P{k}" / "0.png"
        path.parent.mkdir(parents=True)
        PIL.Image.fromarray(picture).save(path)
        image = files.Image(f"P{k}/0.png", "", (SIZE, SIZE), boxes)
        words = f"c{k}", f"P{k}", "46,XX", "normal", len(boxes)
        cells.append(files.Cell(*words, (image,)))
    files.put(place, "", cells)
    return place


def test_a_laboratory_trains_a_finder_of_its_own(
    monkeypatch, tmp_path, capsys, annotated
):
    monkeypatch.setattr(shipping, "SIZES", TINY)
    monkeypatch.setattr(pretraining, "EPOCH", 4)
    words = ("train", "hamza", "--source", "voc", "--data", annotated)
    words += ("--out", tmp_path / "mine", "--steps", 1)
    assert chromolib(monkeypatch, *words) == 0
    said = capsys.readouterr().out
    assert "drawn fields: 4 epochs of 1 batches" in said
    assert "drawn fields, epoch 1, batch 1: loss" in said
    assert "real fields, epoch 1, batch " in said
    assert f"{pretraining.SCORES[0]} " in said
    finder, facts = store.load(tmp_path / "mine.npz")
    assert facts["source"] == "voc"
    assert [one["quantity"] for one in facts["scores"]] == [*pretraining.SCORES] * 2
    assert len(facts["beside"]) == 4
    assert facts["scores"][3]["conditions"] == {"edges": "moved"}
    assert finder.size == TINY.side
    assert not [one for one in tmp_path.iterdir() if one.name.startswith(".")]
    assert chromolib(monkeypatch, *words) == 1
    assert "mine.npz exists" in capsys.readouterr().err
    words = (*words[:6], "--out", tmp_path / "next.npz", "--steps", 1, "--first")
    assert chromolib(monkeypatch, *words, tmp_path / "mine.npz") == 0
    assert "drawn fields" not in capsys.readouterr().out
    before = store.load(tmp_path / "next.npz")[1]["weights"]
    assert before == f"mine.npz ({facts['sha256'][:12]}), of voc"


def test_a_finder_goes_on_only_from_one_that_is_built_alike(
    monkeypatch, tmp_path, capsys, annotated, root
):
    monkeypatch.setattr(shipping, "SIZES", TINY)
    words = ["train", "hamza", "--source", "voc", "--data", annotated]
    words += ["--out", tmp_path / "next.npz", "--steps", 1, "--first"]
    shipped = root / "data" / "models" / "hamza-metaphase.npz"
    assert chromolib(monkeypatch, *words, shipped) == 1
    assert "is built otherwise than finders are here" in capsys.readouterr().err
    assert not (tmp_path / "next.npz").exists()


def test_two_sources_and_single_chromosomes_are_refused(
    monkeypatch, tmp_path, capsys, annotated
):
    words = ["train", "hamza", "--source", "voc", "--data", annotated]
    words += ["--out", tmp_path / "mine.npz"]
    assert chromolib(monkeypatch, *words, "--source", "voc") == 1
    assert "a finder learns from one" in capsys.readouterr().err
    assert not (tmp_path / "mine.npz").exists()
