"""A karyotype corrected by mouse, keyboard and finger, against the data behind it."""

import collections
import json
import random
import re
import types

import nbformat
import numpy as np
import PIL.Image
import pytest
from nbformat import v4
from skimage import draw

from chromolib import files, records
from chromolib.cyto import assign, diagnose, iscn
from chromolib.karyotype import boxes, correcting, fields, folder, picture
from tests import test_lab
from tests.karyotype.conftest import filled, unlearned

NONE = dict.fromkeys(correcting.KINDS.values(), 0)


@pytest.fixture(scope="module")
def finished(tmp_path_factory, drawn):
    """A trisomy 21 as `chromolib karyotype` leaves it: its pictures and its json."""
    place = tmp_path_factory.mktemp("finished")
    lab, out = filled(place / "lab", drawn), place / "out"
    items = fields.listed([lab / "images"], out)[1:]
    folder.run(items, out, unlearned(), drawn=boxes.read(lab / "annotations", items))
    return lab / "images", out / "P1" / "1.json"


@pytest.fixture
def case(finished, tmp_path):
    """The same in files of its own: a json that may be changed, beside its picture."""
    images, first = finished
    path = tmp_path / "1.json"
    for source in (first, first.with_suffix(".png")):
        (tmp_path / source.name).write_bytes(source.read_bytes())

    def changed(**facts):
        one = json.loads(first.read_text(encoding="utf-8")) | facts
        path.write_text(json.dumps(one), encoding="utf-8")
        return path

    return types.SimpleNamespace(images=images, path=path, changed=changed)


def opened(case):
    return correcting.open_at(case.path, case.images)


def uncorrected(view):
    """What the view sends when nothing was done."""
    state, one = view.state, view.state["machine"]
    laid = zip(one["chromosomes"], state["turns"], strict=True)
    made = [each | {"turn": turn or 0, "mirror": False} for each, turn in laid]
    corrected = {"time": "now", "format": state["format"], "of": state["of"]}
    more = {"corrections": NONE, "actions": [], "corrected": corrected}
    return one | {"chromosomes": made} | more


def of_save(view, base="", **facts):
    return view.answer("save", {"result": uncorrected(view) | facts, "base": base})


# --- files


def test_it_opens_with_the_picture_and_every_chromosome_as_the_machine_laid_it(case):
    state = opened(case).state
    assert len(state["machine"]["chromosomes"]) == len(state["turns"]) == 47
    assert state["saved"] is None
    field = fields.read(fields.listed([case.images], case.path.parent / "out")[1])
    karyogram = 255.0 - np.asarray(PIL.Image.open(case.path.with_suffix(".png")))
    same = []
    for each, turn in zip(state["machine"]["chromosomes"], state["turns"], strict=True):
        x0, y0, x1, y1 = each["karyogram"]
        piece = each | {"turn": turn, "mirror": False}
        ours = PIL.Image.fromarray(correcting._upright(field.ink, piece))
        ours = 255.0 - np.asarray(ours.resize((x1 - x0, y1 - y0)))
        one, other = karyogram[y0:y1, x0:x1].mean(1), ours.mean(1)
        straight, over = (np.corrcoef(one, a)[0, 1] for a in (other, other[::-1]))
        same.append(straight > over)
    assert np.mean(same) > 0.9


def test_a_picture_is_found_beside_the_json_or_where_one_says(case, finished):
    assert correcting.open_at(case.path, case.images / "P1" / "1.png")
    with pytest.raises(correcting.CorrectingError, match=r"P1/1\.png, .*images="):
        correcting.open_at(case.path)
    beside = case.path.parent / "P1"
    beside.mkdir()
    (beside / "1.png").write_bytes((case.images / "P1" / "1.png").read_bytes())
    assert correcting.open_at(case.path)
    for size in ((300, 300), (512, 512)):
        PIL.Image.new("L", size, 200).save(beside / "1.png")
        with pytest.raises(correcting.CorrectingError, match="another picture than 1"):
            correcting.open_at(case.path)


ROD = {"label": "1", "flags": [], "alternatives": [], "probability": 1}
ROD |= {"outline": [[1, 1], [9, 1], [9, 30]]}
BAD = {
    "another tool's": ({"chromosomes": None}, "without chromosomes that can"),
    "odd": ({"image": 5, "made": []}, "without image, made that can"),
    "no chromosome": ({"chromosomes": []}, "it holds no chromosome"),
    "markup": ({"chromosomes": [ROD | {"label": "<b>"}]}, "'<b>' is none of 1 to 22"),
    "away": (
        {"chromosomes": [ROD | {"outline": [[0, 0], [9, 9], [9, 999]]}]},
        "leaves",
    ),
    "a line": ({"chromosomes": [ROD | {"outline": [[0, 0], [9, 9]]}]}, "three points"),
    "no flags": ({"chromosomes": [{"label": "1", "outline": ROD["outline"]}]}, "no "),
    "no number": ({"chromosomes": [ROD | {"probability": "<b>"}]}, "no number"),
    "outside": ({"image": "../../secret.png"}, "outside of its folder"),
}


@pytest.mark.parametrize("name", BAD)
def test_a_json_that_cannot_be_corrected_is_refused_by_name(case, name):
    facts, reason = BAD[name]
    case.changed(**facts)
    with pytest.raises(correcting.CorrectingError, match=reason) as failure:
        opened(case)
    assert f"{failure.value}".startswith("1.json ")


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"images": [], "annotations": []}'])
def test_a_file_of_another_tool_is_refused(case, text):
    case.path.write_text(text)
    with pytest.raises(correcting.CorrectingError, match="no answer of chromolib"):
        opened(case)
    case.path.unlink()
    with pytest.raises(correcting.CorrectingError, match="cannot be read"):
        opened(case)


def test_saved_it_lies_beside_the_machine_s_which_stays(case):
    before, view = case.path.read_bytes(), opened(case)
    of_save(view)
    held = json.loads((case.path.parent / "1.corrected.json").read_text())
    assert held.keys() == view.state["machine"].keys() | {
        "actions",
        "corrections",
        "corrected",
    }
    assert held["karyotype"] == "47,XY,+21"
    assert case.path.read_bytes() == before
    with PIL.Image.open(case.path.parent / "1.corrected.png") as karyogram:
        drawn = np.asarray(karyogram)
    x0, y0, x1, y1 = held["chromosomes"][0]["karyogram"]
    assert drawn[y0:y1, x0:x1].min() < 100
    assert opened(case).state["saved"] == {"actions": [], "time": "now"}
    with pytest.raises(correcting.CorrectingError, match=r"open 1\.json"):
        correcting.open_at(case.path.parent / "1.corrected.json", case.images)


def test_corrections_a_karyogram_are_counted_also_where_there_were_none(case):
    assert correcting.counts(case.path.parent).empty
    of_save(opened(case), corrections=NONE | {"moves": 2, "turns": 1})
    (row,) = correcting.counts(case.path.parent).to_dict("records")
    assert (row["image"], row["moves"], row["corrections"]) == ("P1/1.png", 2, 3)
    (case.path.parent / "2.corrected.json").write_text("[]")
    with pytest.raises(correcting.CorrectingError, match=r"2\.corrected\.json is no"):
        correcting.counts(case.path.parent)


def test_what_somebody_else_saved_meanwhile_is_not_overwritten(case):
    first, second = opened(case), opened(case)
    of_save(first)
    with pytest.raises(ValueError, match=r"1\.corrected\.json was saved elsewhere"):
        of_save(second)
    of_save(first, base="now")


def test_a_folder_that_cannot_be_written_is_named_with_the_remedy(case, monkeypatch):
    view = opened(case)
    of_save(view)
    before = (case.path.parent / "1.corrected.json").read_bytes()

    def closed(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(files, "write_text", closed)
    with pytest.raises(OSError, match=r"1\.corrected\.json cannot .*: Permission"):
        of_save(view, base="now")
    with pytest.raises(fields.OutError, match=r"p\.html cannot be written"):
        correcting.page(case.path, case.path.parent / "p.html", case.images)
    assert (case.path.parent / "1.corrected.json").read_bytes() == before


def test_what_does_not_add_up_is_not_saved(case):
    view = opened(case)
    with pytest.raises(ValueError, match="the view says '46,XX', not 47,XY,"):
        of_save(view, karyotype="46,XX")
    with pytest.raises(ValueError, match="none of 1 to 22"):
        of_save(view, chromosomes=[ROD | {"label": "mar"}])
    with pytest.raises(ValueError, match="no such question"):
        view.answer("delete", {})


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"format": 99, "chromolib": "7.0<b>"}, "written by chromolib 7.0<b>, which"),
        ({"of": "0"}, "corrects another answer"),
        (None, "is no corrected karyotype"),
    ],
)
def test_a_corrected_file_that_does_not_fit_is_left_alone(case, made, reason):
    of_save(opened(case))
    target = case.path.parent / "1.corrected.json"
    held = json.loads(target.read_text())
    held["corrected"] = made and held["corrected"] | made
    target.write_text(json.dumps(held))
    with pytest.raises(correcting.CorrectingError, match=reason) as failure:
        opened(case)
    assert "rename it" in f"{failure.value}"


def test_the_inside_of_an_outline_is_what_others_call_so():
    outline = np.array([(3.2, 2.1), (17.3, 4.7), (9.4, 9.6), (15.1, 18.8), (2.2, 15)])
    ours = correcting._inside(outline, (20, 20))
    theirs = draw.polygon2mask((20, 20), outline[:, ::-1] - 0.5)
    assert (ours == theirs).mean() > 0.99
    square = np.array([(2, 2), (12, 2), (12, 12), (2, 12)])
    both = np.concatenate([square, square[:1], square + 5, square[:1] + 5])
    assert correcting._inside(both, (20, 20))[7:12, 7:12].all(), "where two overlap"


def test_the_page_is_one_file_that_says_what_it_is(case, tmp_path):
    text = correcting.page(case.path, tmp_path / "p.html", case.images).read_text()
    assert picture.USE in text
    assert "for your own eyes" in text
    assert not re.search(r'(src|href)="(?!data:|#)', text), "nothing from outside"


# --- in a browser


@pytest.fixture
def tab(browser, case, tmp_path):
    """Open the page of a case; what it complains of fails the test."""
    contexts, wrong = [], []

    def go(*, width=1280, scheme="light", again=False, **more):
        out = tmp_path / "page.html"
        if not again:
            size = {"width": width, "height": 900}
            how = {"viewport": size, "color_scheme": scheme, "accept_downloads": True}
            contexts.append(browser.new_context(**how, **more))
            correcting.page(case.path, out, case.images)
        shown = contexts[-1].new_page()
        shown.on("pageerror", lambda error: wrong.append(f"{error}"))
        shown.on("console", lambda m: m.type == "error" and wrong.append(m.text))
        shown.goto(out.as_uri())
        shown.wait_for_selector(".piece, [role=alert], img")
        return shown

    yield go
    for context in contexts:
        context.close()
    assert wrong == []


def karyotype(tab):
    return tab.evaluate("document.querySelector('.iscn').firstChild.textContent")


def downloaded(tab):
    with tab.expect_download() as saved:
        press(tab, "Download")
    return json.loads(saved.value.path().read_text(encoding="utf-8"))


def button(name):
    return f".chromolib-view button:text-is('{name}')"


def press(tab, name):
    tab.click(button(name))


def piece(label, k=0):
    return f"[data-place='{label}'] .piece >> nth={k}"


def middle(tab, selector):
    box = tab.locator(selector).bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def agrees(result, shown=None):
    """Whether a corrected json is one with its own chromosomes, and with the page."""
    labels = [each["label"] for each in result["chromosomes"]]
    text, _ = diagnose.written(labels)
    counts = collections.Counter(labels)
    kinds = collections.Counter(one["kind"] for one in result["actions"])
    missing, extra = assign.uneven(labels)
    assert result["karyotype"] == text
    assert result["name"] == (iscn.describe(iscn.parse(text)) if text else "")
    assert result["count"] == len(labels)
    assert result["copies"] == {name: counts[name] for name in records.CLASSES}
    assert (result["flags"]["missing"], result["flags"]["extra"]) == (missing, extra)
    assert result["corrections"] == {
        name: kinds[kind] for kind, name in correcting.KINDS.items()
    }
    return shown is None or karyotype(shown) == (text or "no valid karyotype")


def sets(n):
    """Chromosomes of cells that gained and lost."""
    chance = random.Random(0)  # noqa: S311
    for _ in range(n):
        labels = [*records.CLASSES[:22] * 2, *chance.choice(["X", "XX", "XY", "Y"])]
        for _ in range(chance.randint(0, 12)):
            if chance.random() < 0.5:
                labels.pop(chance.randrange(len(labels)))
            else:
                labels.append(chance.choice([*records.CLASSES, "X", "21"]))
        yield labels


@pytest.mark.browser
def test_the_browser_writes_karyotypes_as_python_does(browser, case):
    view, many = opened(case), list(sets(600))
    shown = browser.new_page()
    code = view.code.replace("export default", "const ours =")
    shown.add_script_tag(content=code)
    said = shown.evaluate(
        """([state, many]) => many.map(labels => {
            const copies = counted(state, labels), [text, why] = written(state, copies);
            return [text, why, text && described(state, copies), uneven(state, copies)];
        })""",
        [json.loads(json.dumps(view.state)), many],
    )
    seen = collections.Counter()
    for labels, (text, why, name, odd) in zip(many, said, strict=True):
        true, reason = diagnose.written(labels)
        assert text == true
        assert why.split(":")[0] == reason.split(":")[0]
        assert name == (iscn.describe(iscn.parse(true)) if true else "")
        assert [odd["missing"], odd["extra"]] == [*assign.uneven(labels)]
        seen[reason.split(":")[0].split(" ", 1)[-1] or "written"] += 1
    assert len(seen) >= 3, seen
    shown.close()


@pytest.mark.browser
def test_with_the_mouse_chromosomes_are_moved_and_everything_follows(tab):
    shown = tab()
    assert karyotype(shown) == "47,XY,+21"
    x, y = middle(shown, "[data-place='22'] .room")
    shown.mouse.move(*middle(shown, piece("21")))
    shown.mouse.down()
    shown.mouse.move(x, y - 20, steps=5)
    assert shown.is_visible(".ghost")
    shown.mouse.move(x, y, steps=3)
    shown.mouse.up()
    assert karyotype(shown) == "47,XY,+22"
    assert "×3" in shown.inner_text("[data-place='22'] > button")
    assert "47,XY,+22" in shown.inner_text("[role=status]")
    shown.click(piece("22"))
    shown.click("[data-place='debris'] .room", position={"x": 5, "y": 5})
    assert karyotype(shown) == "46,XY"
    assert "male" in shown.inner_text(".iscn")
    press(shown, "Undo")
    assert karyotype(shown) == "47,XY,+22"
    press(shown, "Redo")
    shown.click(piece("debris"))
    shown.click("[data-place='Y'] > button")
    result = downloaded(shown)
    assert result["karyotype"] == "47,XYY"
    assert result["corrections"] == NONE | {"moves": 2, "deletions": 1}
    assert agrees(result, shown)
    assert not shown.query_selector(".ghost")


@pytest.mark.browser
def test_a_drag_that_ends_nowhere_changes_nothing(tab):
    shown = tab()
    shown.mouse.move(*middle(shown, piece("1")))
    shown.mouse.down()
    shown.mouse.move(900, 5, steps=4)
    shown.mouse.up()
    assert shown.inner_text(".done") == "as the machine left it"
    assert not shown.query_selector(".ghost")


@pytest.mark.browser
def test_everything_is_reached_by_keyboard_with_the_focus_in_sight(tab):
    shown = tab()
    key = shown.keyboard.press

    def at():
        return shown.evaluate("document.activeElement.className")

    for _ in range(9):
        key("Tab")
        if at() == "piece":
            break
    assert at() == "piece"
    ring = "getComputedStyle(document.activeElement).outlineStyle"
    assert shown.evaluate(ring) == "solid"
    for arrow in ("ArrowRight", "ArrowRight", "ArrowDown", "ArrowUp", "ArrowLeft"):
        key(arrow)
        assert at() == "piece"
        assert shown.evaluate("document.activeElement.ariaPressed") == "true"
    key("t")
    key("f")
    key("m")
    assert shown.evaluate("document.activeElement.ariaLabel").startswith("place ")
    key("ArrowDown")
    key("ArrowRight")
    key("Enter")
    assert at() == "piece"
    key("s")
    assert shown.evaluate("document.activeElement.type") == "range"
    key("ArrowRight")
    key("Tab")
    key("Tab")
    key("Enter")
    assert shown.inner_text("[role=status]").endswith(karyotype(shown))
    assert len(shown.query_selector_all(".piece")) == 48
    key("j")
    key("ArrowRight")
    key("Enter")
    assert len(shown.query_selector_all(".piece")) == 47
    key("d")
    key("Control+z")
    key("Control+y")
    result = downloaded(shown)
    assert result["corrections"] == dict.fromkeys(NONE, 1) | {"turns": 2}
    assert agrees(result, shown)
    for _ in range(6):
        key("Control+z") if at() == "piece" else press(shown, "Undo")
    assert karyotype(shown) == "47,XY,+21"
    assert shown.is_disabled(button("Undo"))


@pytest.mark.browser
def test_a_finger_taps_and_drags(tab):
    shown = tab(width=390, has_touch=True)
    shown.tap(piece("21"))
    shown.tap("[data-place='22'] > button")
    assert karyotype(shown) == "47,XY,+22"
    x, y = middle(shown, piece("22", 2))
    to_x, to_y = middle(shown, "[data-place='19'] .room")
    finger = shown.context.new_cdp_session(shown)

    def touch(kind, *points):
        at = [{"x": x, "y": y} for x, y in points]
        finger.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", (x, y))
    for share in (0.2, 0.5, 0.8, 1):
        touch("touchMove", (x + share * (to_x - x), y + share * (to_y - y)))
    touch("touchEnd")
    assert karyotype(shown) == "47,XY,+19"
    assert agrees(downloaded(shown), shown)


def area(outline):
    x, y = np.array(outline).T
    return abs(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1))) / 2


@pytest.mark.browser
def test_what_is_cut_apart_and_joined_again_is_the_same_piece(tab, case):
    shown = tab()
    before = opened(case).state["machine"]["chromosomes"][0]
    shown.click(piece("1"))
    press(shown, "Split")
    box = shown.locator(".large").bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    shown.mouse.move(x - 60, y - 20)
    shown.mouse.down()
    shown.mouse.move(x + 60, y + 30, steps=4)
    shown.mouse.up()
    assert abs(float(shown.input_value(".cut input >> nth=1")) - 22.6) < 3
    press(shown, "Cut")
    halves = downloaded(shown)
    assert agrees(halves, shown)
    one, other = (e for e in halves["chromosomes"] if e["piece"] in (1, 48))
    assert area(one["outline"]) + area(other["outline"]) == pytest.approx(
        area(before["outline"]), rel=0.01
    )
    assert one["named by"] == other["named by"] == "person"
    press(shown, "Join")
    shown.click(piece("1", 1))
    whole = downloaded(shown)
    assert whole["count"] == 47
    assert area(whole["chromosomes"][0]["outline"]) == pytest.approx(
        area(before["outline"]), rel=0.01
    )
    off = whole["chromosomes"][0]["turn"] - opened(case).state["turns"][0]
    assert abs((off + 180) % 360 - 180) < 30, "upright as before"
    press(shown, "Split")
    shown.mouse.move(box["x"] + 2, box["y"] + 2)
    shown.mouse.down()
    shown.mouse.move(box["x"] + 2, box["y"] + 60, steps=3)
    shown.mouse.up()
    press(shown, "Cut")
    assert shown.inner_text("[role=status]") == "The line misses the piece."


PIXELS = """id => {
    const canvas = document.querySelector(`[data-id='${id}'] canvas`);
    const {width, height} = canvas, ink = [];
    const {data} = canvas.getContext("2d").getImageData(0, 0, width, height);
    for (let i = 0; i < data.length; i += 4)
        ink.push(data[i + 3] ? 255 - data[i] : 0);
    return [width, height, ink];
}"""


@pytest.mark.browser
def test_the_picture_that_is_saved_is_the_one_that_was_seen(tab, case):
    shown = tab()
    shown.click(piece("3"))
    shown.keyboard.press("f")
    shown.keyboard.press("s")
    press(shown, "Cut")
    result = downloaded(shown)
    ink = correcting._field(case.path, result, case.images).ink
    for each in result["chromosomes"][::5] + result["chromosomes"][4:7]:
        ours = 255.0 - correcting._upright(ink, each)
        width, height, theirs = shown.evaluate(PIXELS, each["piece"])
        theirs = PIL.Image.fromarray(
            np.reshape(theirs, (height, width)).astype("uint8")
        )
        theirs = np.asarray(theirs.resize(ours.shape[::-1]), float)
        assert np.corrcoef(ours.ravel(), theirs.ravel())[0, 1] > 0.95
    of_save(opened(case), **result)


@pytest.mark.browser
def test_a_page_closed_goes_on_where_it_was(tab, case):
    shown = tab()
    shown.click(piece("21"))
    shown.keyboard.press("d")
    shown.close()
    again = tab(again=True)
    assert karyotype(again) == "46,XY"
    assert "is here again" in again.inner_text("[role=status]")
    press(again, "Undo")
    assert karyotype(again) == "47,XY,+21"


@pytest.mark.browser
def test_a_corrected_file_is_opened_and_continued(tab, case):
    shown = tab()
    shown.click(piece("21"))
    shown.keyboard.press("d")
    result = downloaded(shown)
    (case.path.parent / "1.corrected.json").write_text(json.dumps(result))
    again = tab()
    assert karyotype(again) == "46,XY"
    assert "saved, 2" in again.inner_text(".done"), "as it lies on disk"
    again.click(piece("debris"))
    again.click("[data-place='21'] > button")
    assert downloaded(again)["corrections"] == NONE | {"moves": 1, "deletions": 1}
    result["actions"][0]["piece"] = 999
    (case.path.parent / "1.corrected.json").write_text(json.dumps(result))
    assert "rename it" in tab().inner_text("[role=alert]")


@pytest.mark.browser
def test_markup_in_names_stays_text(tab, case):
    evil = "<img src=x onerror=alert(1)></script><b>"
    one = opened(case).state["machine"]
    first = one["chromosomes"][0]
    first["flags"] = [evil]
    first["alternatives"] = [{"label": evil, "probability": 0.5}]
    made = one["made"] | {"found by": evil}
    case.changed(chromosomes=one["chromosomes"], image=f"{evil}.png", made=made)
    case.images = case.images / "P1" / "1.png"
    shown = tab()
    shown.click(piece("1"))
    assert evil in shown.inner_text(".facts")
    assert evil in shown.inner_text(".chromolib-view > .note:last-child")
    assert shown.query_selector_all(".chromolib-view :is(img, b)") == []


@pytest.mark.browser
def test_two_hundred_chromosomes_are_still_shown_and_moved(tab, case):
    one = opened(case).state["machine"]
    many = (one["chromosomes"] * 5)[:200]
    case.changed(chromosomes=many)
    shown = tab()
    assert len(shown.query_selector_all(".piece")) == 200
    assert karyotype(shown) == "no valid karyotype"
    assert "200 chromosomes; a karyotype is written for 35 to 57" in shown.inner_text(
        ".iscn"
    )
    shown.click(piece("1"))
    shown.keyboard.press("d")
    assert downloaded(shown)["count"] == 199


@pytest.mark.browser
def test_with_nothing_left_there_is_nothing_to_save(tab, case):
    one = opened(case).state["machine"]
    case.changed(chromosomes=one["chromosomes"][:1])
    shown = tab()
    shown.click(piece("1"))
    shown.keyboard.press("d")
    assert karyotype(shown) == "no valid karyotype"
    press(shown, "Download")
    assert "No chromosome is left" in shown.inner_text("[role=status]")


PLACES = """() => [...document.querySelectorAll(".slot, .bar, .large, .field, .cut")]
    .map(each => each.getBoundingClientRect())
    .map(box => [box.x, box.y + scrollY, box.width, box.height])"""


@pytest.mark.browser
@pytest.mark.parametrize("width", [1280, 390])
def test_nothing_jumps_and_nothing_scrolls_sideways(tab, width):
    shown = tab(width=width)
    before = shown.evaluate(PLACES)
    shown.click(piece("21"))
    for key in ("t", "f", "s", "Escape", "j", "Escape", "d"):
        shown.keyboard.press(key)
        assert shown.evaluate(PLACES) == before, key
    assert shown.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.browser
def test_without_scripts_the_machine_s_karyogram_is_shown(tab):
    shown = tab(java_script_enabled=False)
    assert "47,XY,+21" in shown.get_attribute("img", "alt")


@pytest.mark.browser
def test_pictures_and_controls_have_names(tab):
    shown = tab()
    shown.click(piece("21"))
    for each in shown.query_selector_all("canvas[role=img]"):
        assert each.get_attribute("aria-label")
    names = [e.get_attribute("aria-label") for e in shown.query_selector_all(".piece")]
    assert len(set(names)) == len(names)


# --- in JupyterLab


lab = test_lab.lab


@pytest.fixture
def notebook(case, tmp_path):
    """A notebook that opens the case."""
    cell = "from chromolib.karyotype import correcting\n"
    cell += f"correcting.open_at('1.json', {str(case.images)!r})"
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    made = v4.new_notebook(
        cells=[v4.new_code_cell(cell)], metadata={"kernelspec": kernel}
    )
    nbformat.write(made, tmp_path / "correct.ipynb")
    return "correct.ipynb"


@pytest.mark.browser
def test_in_jupyterlab_it_is_saved_beside_the_machine_s(lab, notebook, browser, case):
    shown = browser.new_page(viewport={"width": 1280, "height": 900})
    shown.goto(lab(notebook))
    test_lab.run_all(shown)
    shown.wait_for_selector(".piece", timeout=60_000)
    shown.click(piece("21"))
    for key in ("m", "ArrowRight", "Enter", "d"):
        shown.keyboard.press(key)
    assert karyotype(shown) == "46,XY"
    assert len(shown.query_selector_all(".jp-Cell")) == 1, "the keys are the view's"
    row = shown.evaluate("getComputedStyle(document.querySelector('.tier')).display")
    assert row == "flex", "it has its style"
    press(shown, "Save")
    shown.wait_for_selector("[role=status] >> text=Saved: 1.corrected.json")
    result = json.loads((case.path.parent / "1.corrected.json").read_text())
    assert result["corrections"] == NONE | {"moves": 1, "deletions": 1}
    assert agrees(result, shown)
    assert (case.path.parent / "1.corrected.png").exists()
    assert opened(case).state["saved"]["actions"] == result["actions"]
    (case.path.parent / "1.corrected.json").write_text("{}")
    shown.click(piece("1"))
    shown.keyboard.press("t")
    press(shown, "Save")
    shown.wait_for_selector("[role=status] >> text=Not saved: 1.corrected.json was")
    shown.close()
