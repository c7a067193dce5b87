"""A page for one's own eyes: whole in itself, counted right, never written over."""

import dataclasses
import re

import numpy as np
import PIL.Image
import pytest
import typer.testing

from chromolib import records
from chromolib.cli import data
from chromolib.data import view
from chromolib.synth import lab, sets


@pytest.fixture(scope="module")
def images():
    """A normal cell and one with a third 21, as karyograms."""
    cells = [lab.cell("46,XY"), lab.cell("47,XX,+21", patient=1)]
    return sets.karyograms(cells, size=400)


def test_boxes_are_drawn_and_counted_against_46(images, tmp_path):
    page = view.write(tmp_path / "a.html", images).read_text(encoding="utf-8")
    assert page.count("<rect") == 46 + 47
    assert page.count('<rect class="extra"') == 3
    one, other = re.findall(r"<figcaption>(.*?)</figcaption>", page)
    assert one.endswith(": 46 boxes, as due; missing: none; extra: none.")
    assert other.endswith(": 47 boxes, 1 more than 46; missing: none; extra: 21.")
    assert view.EYES in page


def test_a_page_asks_nobody_and_lets_no_label_in(images, tmp_path):
    odd = [records.Boxes(one.xyxy, ["<script>"] * len(one)) for one in images.boxes]
    odd = dataclasses.replace(images, boxes=tuple(odd))
    page = view.write(tmp_path / "a.html", odd).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "their labels name no chromosome" in page
    assert not re.findall(r'(?:href|src)="(?!data:image/jpeg;base64,)', page)
    assert "//" not in re.sub(r"base64,[^\"]*", "", page)


def test_pictures_are_scaled_down_and_as_many_as_asked(images, tmp_path, monkeypatch):
    monkeypatch.setattr(view, "SIDE", 100)
    small = view._jpeg(np.asarray(images.pixels[0]))
    page = view.write(tmp_path / "a.html", images, most=1).read_text(encoding="utf-8")
    assert page.count("<svg") == 1
    assert small in page
    assert "1 of 2 images" in page
    content = view.base64.b64decode(small.partition(",")[2])
    assert max(PIL.Image.open(view.io.BytesIO(content)).size) == 100


def test_the_command_writes_once_and_says_what_is_missing(images, tmp_path):
    def call(*words):
        return typer.testing.CliRunner().invoke(data.app, ["view", *map(str, words)])

    here = tmp_path / "cells"
    here.mkdir()
    PIL.Image.fromarray(images.pixels[0]).save(here / "a.png")
    words = "pictures", "--data", here, "--out", tmp_path / "a.html"
    done = call(*words)
    assert done.exit_code == 0, done.output
    assert "for your own eyes: not for publication" in done.output
    assert ": no boxes." in (tmp_path / "a.html").read_text(encoding="utf-8")
    assert re.match(r"a.html exists; remove it", str(call(*words).exception))
    gone = call("voc", "--data", tmp_path / "gone", "--out", tmp_path / "b.html")
    assert str(gone.exception).startswith("voc: no folder or zip 'gone'")
    nowhere = call(*words[:-1], tmp_path / "no" / "b.html")
    assert "its folder is not there" in str(nowhere.exception)
    long = call(*words[:-1], tmp_path / f"{'b' * 300}.html")
    assert "cannot be written: File name too long" in str(long.exception)
    assert not (tmp_path / "b.html").exists()
