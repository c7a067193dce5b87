"""Many pictures: what lies in the folder then, what is bad, and what goes on."""

import csv
import html.parser
import json
import re
import shutil

import numpy as np
import PIL.Image
import pytest

from chromolib import cli
from chromolib.karyotype import boxes, fields, finding, folder, report
from tests.imaging import metaphase
from tests.karyotype.conftest import item

KEYS = {"count", "karyotype", "name", "confidence", "refer", "flags", "chromosomes"}


def run(lab, out, namer, form=None, **how):
    items = fields.listed([lab / "images"], out)
    place = {"yolo": lab, "voc": lab / "annotations", "coco": lab / "annotations.json"}
    drawn = boxes.read(place[form], items) if form else None
    return folder.run(items, out, namer, drawn=drawn, **how)


class Reader(html.parser.HTMLParser):
    """What a page holds: its pictures, its links, and tags left open."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.open = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "img", "wbr"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.mark.parametrize("form", ["voc", "coco"])
def test_a_folder_with_boxes_becomes_karyograms_tables_and_a_report(
    folder, tmp_path, namer, form
):
    out = tmp_path / "out"
    done = run(folder, out, namer, form)
    assert (done.done, done.before, done.refused) == (2, 0, ())
    result = json.loads((out / "P1" / "1.json").read_text())
    assert result.keys() >= KEYS
    assert result["karyotype"] == "47,XY,+21"
    with PIL.Image.open(out / "P1" / "1.png") as karyogram:
        assert karyogram.mode == "L"
    rows = list(csv.DictReader((out / "karyotypes.csv").open()))
    assert [row["karyotype"] for row in rows] == ["46,XX", "47,XY,+21"]
    (case,) = csv.DictReader((out / "cases.csv").open())
    assert (case["case"], case["cells"], case["agree"]) == ("P1", "2", "1")
    assert case["reason"] == "no two cells agree; cells differ"
    assert "P1/0.png: 46,XX" in (out / "karyotype.log").read_text()


def test_the_report_is_one_file_that_says_all(folder, tmp_path, namer):
    done = run(folder, tmp_path / "out", namer, "voc")
    text = done.report.read_text()
    page = Reader(text)
    assert page.open == []
    for words in ("Research use, not a medical device", "none.keras", "47,XY,+21"):
        assert words in text
    assert not re.search(r'(src|href)="(?!data:|#)', text), "nothing from outside"
    assert "<script" not in text
    assert all(a["alt"] for tag, a in page.tags if tag == "img")
    assert all(a["aria-label"] for tag, a in page.tags if tag == "svg")
    windows = [a for tag, a in page.tags if tag == "svg" and a["class"] == "one"]
    assert len(windows) == 46 + 47
    assert {"name": "viewport", "content": "width=device-width,initial-scale=1"} in [
        a for tag, a in page.tags if tag == "meta"
    ]


def test_a_name_cannot_write_html(folder, tmp_path, namer):
    (folder / "images" / "P1").rename(folder / "images" / "<b>&x")
    done = run(folder, tmp_path / "out", namer)
    text = done.report.read_text()
    assert "<b>" not in text
    assert "&lt;b&gt;&amp;x" in text


def test_a_long_report_has_several_pages(folder, tmp_path, namer, monkeypatch):
    monkeypatch.setattr(report, "PAGE", 1)
    done = run(folder, tmp_path / "out", namer, "voc")
    assert 'href="report-2.html#m1"' in done.report.read_text()
    assert 'id="m1"' in (tmp_path / "out" / "report-2.html").read_text()


def test_what_is_done_stays_until_it_changes(folder, tmp_path, namer, drawn):
    out = tmp_path / "out"
    run(folder, out, namer, "voc")
    asked = namer.network.asked
    before = (out / "P1" / "0.json").read_bytes()
    again = run(folder, out, namer, "voc")
    assert (again.done, again.before) == (0, 2)
    assert namer.network.asked == asked
    assert (out / "P1" / "0.json").read_bytes() == before
    changed = drawn["46,XX"][0].copy()
    changed[:9, :9] = 200
    PIL.Image.fromarray(changed).save(folder / "images" / "P1" / "0.png")
    (out / "P1" / "1.json").write_text('{"made": ')  # cut short
    third = run(folder, out, namer, "voc")
    assert (third.done, third.before) == (2, 0)
    fourth = run(folder, out, namer, "voc", sure=0.5)
    assert fourth.done == 2, "another threshold is another answer"


def test_all_that_is_known_of_a_box_decides_whether_it_is_done(folder, tmp_path, namer):
    out, file = tmp_path / "out", folder / "annotations.json"
    run(folder, out, namer, "coco")

    def again(**changes):
        content = json.loads(file.read_text())
        content["annotations"][0] |= changes
        file.write_text(json.dumps(content))
        done = run(folder, out, namer, "coco")
        return done.done, done.before, done.refused

    assert again(score=0.4) == (1, 1, ())
    assert again(segmentation=[]) == (1, 1, ())
    assert again() == (0, 2, ())
    result = json.loads((out / "P1" / "0.json").read_text())
    assert all(len(one["outline"]) > 2 for one in result["chromosomes"])


def test_a_damaged_result_is_written_anew(folder, tmp_path, namer):
    out = tmp_path / "out"
    (out / "P1").mkdir(parents=True)
    (out / "karyotype.log").touch()
    (out / "P1" / "0.json").write_text('{"made": 1}')
    (out / "P1" / "0.png").write_bytes(b"")
    assert run(folder, out, namer, "voc").done == 2


@pytest.mark.parametrize("name", ["karyotypes.csv", "report.html", "P1/0.png"])
def test_a_file_of_somebody_else_is_never_replaced(folder, tmp_path, namer, name):
    out = tmp_path / "out"
    (out / "P1").mkdir(parents=True)
    (out / name).write_text("mine")
    with pytest.raises(fields.FieldsError, match=r"not made by this command.*: --out"):
        run(folder, out, namer, "voc")
    assert [one for one in out.rglob("*") if one.is_file()] == [out / name]
    assert (out / name).read_text() == "mine"


def test_a_json_of_another_program_among_results_is_kept(folder, tmp_path, namer):
    out, text = tmp_path / "out", '{"shapes": []}'
    assert run(folder, out, namer, "voc").done == 2
    (out / "P1" / "0.json").write_text(text)
    with pytest.raises(fields.FieldsError, match=r"P1/0\.json in out was not made"):
        run(folder, out, namer, "voc")
    assert (out / "P1" / "0.json").read_text() == text


def test_what_is_interrupted_goes_on(folder, tmp_path, namer):
    out = tmp_path / "out"

    def stop(done, of):
        if done == 1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(folder, out, namer, "voc", progress=stop)
    assert not (out / "report.html").exists()
    again = run(folder, out, namer, "voc")
    assert (again.done, again.before) == (1, 1)


def test_only_the_best_of_a_case_is_named(folder, tmp_path, namer):
    done = run(folder, tmp_path / "out", namer, "voc", best=1)
    assert (done.done, done.left) == (1, 1)
    assert (tmp_path / "out" / "P1" / "0.json").exists(), "46 chromosomes"


def test_a_picture_that_was_refused_is_not_left_out_as_not_the_best(
    folder, tmp_path, namer
):
    (folder / "images" / "P1" / "text.png").write_text("no image")
    done = run(folder, tmp_path / "out", namer, "voc", best=2)
    assert (done.done, done.left, len(done.refused)) == (2, 0, 1)


def test_yolo_beside_the_pictures_is_read(folder, tmp_path, namer):
    for path in (folder / "labels" / "P1").iterdir():
        path.rename(folder / "images" / "P1" / path.name)
    (folder / "data.yaml").rename(folder / "images" / "data.yaml")
    items = fields.listed([folder / "images"], tmp_path / "out")
    drawn = boxes.read(folder / "images", items)
    fitted = boxes.fitted(drawn, fields.read(items[1]))
    assert drawn.form == "yolo"
    assert len(fitted) == 47


def test_pictures_and_boxes_of_one_zip(folder, tmp_path, namer):
    for name in ("labels", "data.yaml", "images.csv", "iscn.csv", "annotations.json"):
        path = folder / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    packed = shutil.make_archive(tmp_path / "lab", "zip", folder)
    items = fields.listed([packed], tmp_path / "out")
    drawn = boxes.read(packed, items)
    assert [len(boxes.fitted(drawn, fields.read(one))) for one in items] == [46, 47]
    assert [one.case for one in items] == ["images/P1"] * 2


def test_a_picture_without_boxes_is_refused_by_name(folder, tmp_path, namer):
    (folder / "annotations" / "P1" / "1.xml").unlink()
    done = run(folder, tmp_path / "out", namer, "voc")
    (failure,) = done.refused
    assert failure.file == "P1/1.png"
    assert failure.reason == "no annotation for this image"


def test_boxes_that_hold_none_are_refused_by_what_was_given(folder, tmp_path, namer):
    file = folder / "annotations" / "P1" / "1.xml"
    text = re.sub("<object>.*</object>", "", file.read_text(), flags=re.DOTALL)
    file.write_text(text)
    (failure,) = run(folder, tmp_path / "out", namer, "voc").refused
    assert (failure.file, failure.reason) == ("P1/1.png", "no chromosome found")
    assert failure.remedy.endswith("or leave out --boxes")


def test_names_counted_from_0_name_no_chromosome(folder, tmp_path, namer):
    names = [str(k) for k in range(24)]
    (folder / "data.yaml").write_text(f"names: {names}\n")
    shutil.rmtree(folder / "annotations")
    (folder / "annotations.json").unlink()
    with pytest.raises(fields.FieldsError, match="counted from 0, so nothing says"):
        run(folder, tmp_path / "out", namer, "yolo")


def test_a_stray_file_does_not_choose_the_format(folder, tmp_path, namer):
    place = folder / "annotations"
    (folder / "annotations.json").rename(place / "annotations.json")
    for file in place.glob("*/*.xml"):
        file.unlink()
    (place / "README.roboflow.txt").write_text("see the web page")
    (place / "settings.xml").write_text("<settings/>")
    assert run(folder, tmp_path / "out", namer, "voc").done == 2


def test_the_reason_that_no_box_is_read_is_said(folder, tmp_path, namer):
    (folder / "data.yaml").unlink()
    shutil.rmtree(folder / "annotations")
    (folder / "annotations.json").unlink()
    with pytest.raises(fields.FieldsError, match=r"a class index has no name.*--boxes"):
        run(folder, tmp_path / "out", namer, "yolo")


@pytest.mark.parametrize("name", ["mar", "debris"])
def test_a_given_name_that_is_no_class_is_never_made_one(folder, tmp_path, namer, name):
    file = folder / "annotations" / "P1" / "1.xml"
    text = re.sub(
        "<name>[^<]*</name>", f"<name>{name}</name>", file.read_text(), count=1
    )
    file.write_text(text)
    (failure,) = run(folder, tmp_path / "out", namer, "voc").refused
    assert failure.file == "P1/1.png"
    assert (
        failure.reason == f"boxes: a karyotype counts 24 classes, and {name!r} is none"
    )


def grid(columns, rows):
    """A field of so many rods."""
    ends = [
        ((30 + 44 * r, 20 + 26 * c), (54 + 44 * r, 20 + 26 * c))
        for r in range(rows)
        for c in range(columns)
    ]
    shape = 44 * rows + 40, 26 * columns + 40
    return metaphase.field(ends, shape=shape, width=10).image


def bare(nuclei=()):
    return metaphase.field([], nuclei=nuclei).image


COLOUR = np.random.default_rng(0).integers(0, 256, (300, 300, 3), np.uint8)
BAD = {
    "no chromosome": (bare(), "no chromosome found"),
    "nucleus": (bare([(150, 150, 70)]), "no chromosome found"),
    "crowd": (grid(20, 10), "200 chromosomes, more than the 94"),
    "colour": (COLOUR, "a colour picture; save the metaphase as a grey picture"),
    "pixel": (np.zeros((1, 1), np.uint8), "1 x 1 pixels, fewer than 100 on a side"),
    "large": (np.zeros((4001, 4000), bool), "more than 16 million pixels; cut out"),
    "huge": (np.zeros((10_000, 10_000), bool), "million pixels; crop or scale it"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_no_metaphase_is_refused_with_reason_and_remedy(tmp_path, name):
    picture, reason = BAD[name]
    PIL.Image.fromarray(picture).save(tmp_path / "bad.png")
    with pytest.raises(fields.Refused, match=re.escape(reason)) as failure:
        finding.find(fields.read(item(tmp_path / "bad.png")))
    assert f"{failure.value}".startswith("bad.png: ")
    assert failure.value.remedy


def test_a_bad_file_is_named_and_the_others_are_done(folder, tmp_path, namer):
    bad = folder / "images" / "P1"
    (bad / "text.png").write_text("no image")
    (bad / "gone.png").symlink_to(bad / "nowhere.png")
    done = run(folder, tmp_path / "out", namer)
    assert done.done == 2
    assert sorted(one.file for one in done.refused) == ["P1/gone.png", "P1/text.png"]
    text = done.report.read_text()
    assert "P1/text.png" in text
    rows = csv.DictReader((tmp_path / "out/karyotypes.csv").open())
    assert [bool(row["error"]) for row in rows] == [False, False, True, True]


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(fields.Refused, match="No such file"):
        fields.read(item(tmp_path / "absent.png"))


def test_pictures_that_would_share_or_lose_a_name_are_refused(tmp_path):
    for name in ("a.png", "a.bmp"):
        PIL.Image.fromarray(bare()).save(tmp_path / name)
    with pytest.raises(fields.FieldsError, match="would share one result"):
        fields.listed([tmp_path], tmp_path / "out")
    with pytest.raises(fields.FieldsError, match="would replace a picture"):
        fields.listed([tmp_path / "a.png"], tmp_path)
    with pytest.raises(fields.FieldsError, match=r"all 2 pictures lie in .*: --out"):
        fields.listed([tmp_path], tmp_path)


def test_a_link_that_leads_in_a_circle_is_refused_by_name(tmp_path, namer):
    (tmp_path / "a.png").symlink_to("b.png")
    (tmp_path / "b.png").symlink_to("a.png")
    for paths in ([tmp_path], [tmp_path / "a.png"]):
        items = fields.listed(paths, tmp_path / "out")
        done = folder.run(items, tmp_path / "out", namer)
        assert done.done == 0


def test_results_inside_the_folder_are_no_pictures(folder, namer):
    out = folder / "images" / "out"
    assert run(folder, out, namer, "voc").done == 2
    assert run(folder, out, namer, "voc").before == 2


def test_a_folder_that_cannot_be_written_stops_it(folder, tmp_path, namer):
    (tmp_path / "out").write_text("a file")
    with pytest.raises(fields.OutError, match="out cannot be written"):
        run(folder, tmp_path / "out", namer)


def test_the_command(folder, tmp_path, capsys):
    (folder / "images" / "bad.png").write_text("no image")
    out = tmp_path / "out"
    words = ["karyotype", f"{folder / 'images'}", "--out", f"{out}"]
    words += ["--boxes", f"{folder / 'annotations'}", "--rename", "--correct"]
    assert cli.app(words, standalone_mode=False) == 1
    said = capsys.readouterr()
    assert "refused: bad.png: " in said.out
    assert "2 metaphases done, 0 before, 1 refused" in said.out
    assert "Not a medical device" in said.out
    assert "metaphases: done after" in said.err
    assert "P1/1.png" in (out / "P1" / "1.correct.html").read_text()
    result = json.loads((out / "P1" / "1.json").read_text())
    assert {one["named by"] for one in result["chromosomes"]} == {"model"}
    assert result["made"]["model"] == "shruti-metaphase.keras"
