import itertools
import json
import pathlib
import tempfile

import fuzz
import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as some

from chromolib import records
from chromolib.data import formats, listing
from chromolib.data.formats import common, convert, voc, yolo

PAIRS = list(itertools.product(formats.FORMATS, repeat=2))
NAMES = ["a.jpg", "sub/a.jpg", "sub/b.PNG", "images/c.tif", "t/images/d e.bmp"]
NAMES += ["=1.jpg", "'@x.jpg", "<&>.jpg", "ü/ß\u202f.jpeg", "a.b.jpg", "#.jpg"]
X = common.Object("X", (2.0, 3.0, 20.0, 30.5))
OUTLINE = np.array([[2, 3], [20, 3], [20, 30.5]])


def held(folder):
    """What a folder holds, as a store; nothing reads the disk after."""
    folder = pathlib.Path(folder)
    files = [path for path in folder.rglob("*") if path.is_file()]
    return fuzz.Memory(
        {p.relative_to(folder).as_posix(): p.read_bytes() for p in files}
    )


def stored(kind, images, *, classes=(), size=(60, 40)):
    """A store in one format; `images` is name -> objects. Images hold their name."""
    listed = {
        name: common.Annotated("", common.boxes(objects), *size)
        for name, objects in images.items()
    }
    prefix = yolo.image_folder(listed) if kind == "yolo" else ""
    labels = sorted({o.label for objects in images.values() for o in objects})
    given = common.Dataset(listed, classes or tuple(labels) or ("X",), prefix=prefix)
    with tempfile.TemporaryDirectory() as folder:
        formats.FORMATS[kind].write(given, lambda name: size, folder)
        for name in images:
            path = f"{prefix}/{name}" if prefix else name
            common.save(folder, path, name.encode())
        return held(folder)


def converted(store, source, target, *, size=(60, 40), **options):
    """The store in another format, and the report."""
    with tempfile.TemporaryDirectory() as folder:
        out = pathlib.Path(folder) / "out"
        options = {"sizes": lambda name: size, "images": True} | options
        report = convert.convert(store, source, target, out, **options)
        assert [path.name for path in pathlib.Path(folder).iterdir()] == ["out"]
        return held(out), report


def same(before, after, *, outlines):
    """Assert that two datasets say the same of the same images."""
    assert list(after.images) == list(before.images)
    for name, old in before.images.items():
        new = after.images[name]
        np.testing.assert_allclose(new.boxes.xyxy, old.boxes.xyxy, 1e-9, 1e-9)
        assert new.boxes.label.tolist() == old.boxes.label.tolist()
        assert (new.width, new.height) == (old.width, old.height)
        pairs = itertools.zip_longest(new.boxes.polygon, old.boxes.polygon)
        for p, q in pairs if outlines else ():
            assert (p is None) == (q is None)
            if p is not None:
                np.testing.assert_allclose(p, q, 1e-9, 1e-9)


PLACES = some.one_of(
    some.integers(-200, 10_000), some.floats(-1e5, 1e5, allow_nan=False)
)
LABELS = some.one_of(
    some.sampled_from(records.CLASSES),
    some.sampled_from(
        ["=1+1", "-1", "-x", "'=", "''", "@", "<a>&amp;", "No", "~", " "]
    ),
    some.sampled_from(
        ['"', "a,b", "a: b", "- a", "{a}", "#", "|", "é", "\U0001f9ec", "1_0"]
    ),
    some.text(min_size=1, max_size=12).filter(lambda t: "\0" not in t),
)


@some.composite
def objects(draw, unheld):
    """An object that both formats can hold, with an outline or without."""
    label = draw(LABELS.filter(lambda t: not any(u and u.search(t) for u in unheld)))
    if draw(some.booleans()):
        points = draw(some.lists(some.tuples(PLACES, PLACES), min_size=3, max_size=6))
        points, box = common.outline([v for point in points for v in point])
        return common.Object(label, box, 1.0, points)
    x, y = (
        sorted(draw(some.tuples(PLACES, PLACES))),
        sorted(draw(some.tuples(PLACES, PLACES))),
    )
    score = draw(some.sampled_from([1.0, 0.25]))
    return common.Object(label, (x[0], y[0], x[1], y[1]), score)


@pytest.mark.parametrize(("source", "target"), PAIRS)
@hypothesis.settings(max_examples=25, deadline=None)
@hypothesis.given(data=some.data())
def test_there_and_back_gives_the_same(source, target, data):
    unheld = [formats.FORMATS[kind].UNHELD for kind in (source, target)]
    names = data.draw(some.lists(some.sampled_from(NAMES), min_size=1, unique=True))
    lists = some.lists(objects(unheld), max_size=4)
    images = {name: data.draw(lists) for name in names}
    size = data.draw(some.tuples(some.integers(1, 5000), some.integers(1, 5000)))
    first = stored(source, images, size=size)
    middle, there = converted(first, source, target, size=size)
    last, back = converted(middle, target, source, size=size)
    before, after = (formats.FORMATS[source].dataset(s) for s in (first, last))
    assert len(before.images) == len(names)
    same(before, after, outlines={source, target} <= {"yolo", "coco"})
    if {source, target} <= {"yolo", "coco"}:
        assert after.classes == before.classes
    assert there.images == back.images == len(names)
    assert there.left_out == back.left_out == 0
    for name in before.images:
        assert last.read(name) == first.read(name)


@pytest.mark.parametrize("target", formats.FORMATS)
def test_yolo_keeps_the_layout_of_others(target):
    files = {"train/images/a.jpg": b"", "train/labels/a.txt": b"0 .5 .5 1 1"}
    store = fuzz.Memory({**files, "data.yaml": b"names: [A, B]"})
    middle, _ = converted(store, "yolo", target)
    last, _ = converted(middle, target, "yolo")
    assert set(last.names) == set(store.names)


def test_the_yolo_layout_mirrors_images_and_names_no_path():
    store, _ = converted(stored("voc", {"a.jpg": [X], "s/b.jpg": []}), "voc", "yolo")
    assert store.names == (
        *("data.yaml", "images/a.jpg", "images/s/b.jpg"),
        *("labels/a.txt", "labels/s/b.txt"),
    )
    head = store.read("data.yaml").decode()
    assert "/" not in head
    assert yolo.dataset(store).classes == records.CLASSES


def test_one_image_outside_images_moves_all():
    store = stored("voc", {"a.jpg": [], "images/b.jpg": []})
    names = converted(store, "voc", "yolo")[0].names
    assert {"images/a.jpg", "images/images/b.jpg", "images/labels/b.txt"} < set(names)


@pytest.mark.parametrize("target", ["coco", "yolo", "csv"])
def test_scores_go_where_there_is_a_place_for_them(target):
    store, _ = converted(
        stored("coco", {"a.jpg": [X, X._replace(score=0.25)]}), "coco", target
    )
    (annotated,) = formats.FORMATS[target].dataset(store).images.values()
    assert annotated.boxes.score.tolist() == [1, 0.25]


@pytest.mark.parametrize("target", ["voc", "coco", "csv"])
@pytest.mark.parametrize("label", ["a\rb", "a\r\nb", "\t", " a ", "]]>", "&#13;"])
def test_white_space_and_markup_in_labels_are_kept(target, label):
    store = stored("coco", {"a.jpg": [X._replace(label=label)]})
    found = formats.FORMATS[target].dataset(converted(store, "coco", target)[0])
    assert found.images["a.jpg"].boxes.label.tolist() == [label]


def test_other_labels_are_ordered_by_the_alphabet():
    store = stored("csv", {"a.jpg": [X, X._replace(label="Q"), X._replace(label="10")]})
    assert formats.FORMATS["coco"].dataset(
        converted(store, "csv", "coco")[0]
    ).classes == ("10", "Q", "X")


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_groups_stay_with_their_images(source, target):
    given = stored(source, {"sub/a.jpg": [X], "sub/b.PNG": [X], "d.jpg": [X]})
    told = b"image,group,cell\na.jpg,p1,1\nb.PNG,p1,2\n"
    given = fuzz.Memory({n: given.read(n) for n in given.names} | {"images.csv": told})
    made, _ = converted(given, source, target)
    rows, problems = listing.user_table(made)
    found = {name.rpartition("/")[2]: row["group"] for name, row in rows.items()}
    assert (found, problems) == ({"a.jpg": "p1", "b.PNG": "p1"}, [])
    assert {row["cell"] for row in rows.values()} == {"1", "2"}


def test_images_are_copied_only_when_asked():
    store, _ = converted(stored("voc", {"a.jpg": [X]}), "voc", "csv", images=False)
    assert store.names == ("annotations.csv",)


@pytest.mark.parametrize(
    ("source", "target", "found", "lost"),
    [
        ("coco", "voc", X._replace(outline=OUTLINE), {convert.OUTLINES: 1}),
        ("coco", "csv", X._replace(outline=OUTLINE), {convert.OUTLINES: 1}),
        ("coco", "yolo", X._replace(outline=OUTLINE), {}),
        ("coco", "yolo", X._replace(outline=OUTLINE * 2), {convert.UNLIKE: 1}),
        ("coco", "coco", X._replace(outline=OUTLINE * 2, score=0.5), {}),
        ("coco", "voc", X._replace(score=0.5), {convert.SCORES: 1}),
        ("coco", "csv", X._replace(score=0.5), {}),
        ("coco", "yolo", X._replace(score=0.5), {}),
        ("coco", "yolo", X._replace(score=0.5, outline=OUTLINE), {convert.SCORES: 1}),
        ("csv", "voc", X, {}),
    ],
)
def test_what_is_lost_is_counted(source, target, found, lost):
    _, report = converted(stored(source, {"a.jpg": [found]}), source, target)
    ordered = source == "coco" and target in ("voc", "csv")
    assert report.lost == lost | ({convert.ORDER: 1} if ordered else {})
    assert str(report).startswith("1 images with 1 boxes written.")
    assert ("Lost" in str(report)) == bool(report.lost)


def test_details_of_voc_are_counted_as_lost():
    store = stored("voc", {"a.jpg": [X]})
    text = store.files["a.xml"].replace(b"Unspecified", b"Left")
    store = fuzz.Memory(store.files | {"a.xml": text})
    assert converted(store, "voc", "voc")[1].lost == {voc.DETAILS: 1}


def test_errors_refuse_all_unless_skipped(tmp_path):
    store = stored("voc", {f"{i}.jpg": [X] for i in range(9)})
    broken = {f"{i}.xml": b"<" for i in range(8)}
    store = fuzz.Memory(store.files | broken)
    with pytest.raises(
        convert.ConvertError, match=r"8 errors(.|\n)*and 3 more"
    ) as error:
        converted(store, "voc", "coco")
    assert str(error.value).count("xml: not well-formed") == convert.SHOWN
    _, report = converted(store, "voc", "coco", skip=True)
    assert (report.images, report.boxes, report.left_out) == (1, 1, 8)
    assert "8 images left out" in str(report)
    store = fuzz.Memory(store.files | {"8.xml": b"<"})
    with pytest.raises(convert.ConvertError, match="no image is left"):
        converted(store, "voc", "coco", skip=True)


def test_an_image_whose_size_cannot_be_read_is_an_error():
    def sizes(name):
        raise OSError("/srv/kowalski/a.jpg")

    with pytest.raises(convert.ConvertError, match="size of the image") as error:
        converted(stored("voc", {"a.jpg": [X]}), "voc", "yolo", sizes=sizes)
    assert "kowalski" not in str(error.value)
    with pytest.raises(convert.ConvertError, match="size of the image"):
        converted(stored("voc", {"a.jpg": [X]}), "voc", "yolo", size=(0, 40))


def test_boxes_of_the_upright_image_do_not_go_into_yolo():
    store = stored("voc", {"a.jpg": [X]}, size=(60, 40))
    with pytest.raises(convert.ConvertError, match="turned upright"):
        converted(store, "voc", "yolo", size=(40, 60))
    same_size, _ = converted(store, "voc", "coco", size=(40, 60))
    entry = json.loads(same_size.read("annotations.json"))["images"][0]
    assert (entry["width"], entry["height"]) == (60, 40)


@pytest.mark.parametrize(
    ("target", "label"), [("voc", "a\x01"), ("voc", "\ufffe"), ("yolo", "a\nb")]
)
def test_labels_that_the_target_cannot_hold_are_refused(target, label):
    store = stored("coco", {"a.jpg": [X._replace(label=label)]})
    with pytest.raises(convert.ConvertError, match=f"1 labels .* {target} cannot"):
        converted(store, "coco", target)


@pytest.mark.parametrize("target", ["voc", "yolo"])
def test_two_images_that_would_share_a_file_are_refused(target):
    store = stored("csv", {"a.jpg": [X], "a.png": [X]})
    with pytest.raises(convert.ConvertError, match="share one file"):
        converted(store, "csv", target)


@pytest.mark.parametrize(
    "name", ["../a.jpg", "/a.jpg", "b/../../a.jpg", "./a.jpg", "", "a\\b.jpg"]
)
def test_no_name_leads_out_of_the_folder(tmp_path, name):
    with pytest.raises(ValueError, match="leads out"):
        common.save(tmp_path / "in", name, b"")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["a\n.jpg", "a\\b.jpg", "a\x1b.jpg"])
def test_names_that_are_not_plain_are_errors(name):
    store = stored("csv", {"a.jpg": [X]})
    files = {
        "annotations.csv": store.read("annotations.csv").replace(
            b"a.jpg", b'"%s"' % name.encode()
        )
    }
    with pytest.raises(convert.ConvertError, match="control characters or a backslash"):
        converted(fuzz.Memory({**files, name: b""}), "csv", "coco")


def test_nothing_is_left_behind_when_writing_fails(tmp_path, monkeypatch):
    def failing(dataset, sizes, folder):
        common.save(folder, "half", b"")
        raise OSError("disk full")

    monkeypatch.setattr(formats.FORMATS["csv"], "write", failing)
    store = stored("voc", {"a.jpg": [X]})
    with pytest.raises(OSError, match="disk full"):
        convert.convert(store, "voc", "csv", tmp_path / "o", sizes=lambda n: (60, 40))
    assert not list(tmp_path.iterdir())


def test_only_an_empty_place_is_written_to(tmp_path):
    store = stored("voc", {"a.jpg": [X]})
    full, empty, link = (tmp_path / name for name in ("full", "empty", "link"))
    full.mkdir()
    empty.mkdir()
    (full / "kept").write_text("kept")
    link.symlink_to(empty)
    for out in (full, full / "kept", link):
        with pytest.raises(convert.ConvertError, match="not an empty folder"):
            convert.convert(store, "voc", "csv", out, sizes=lambda n: (60, 40))
    convert.convert(store, "voc", "csv", empty, sizes=lambda n: (60, 40))
    assert [path.name for path in empty.iterdir()] == ["annotations.csv"]
    assert (full / "kept").read_text() == "kept"


def test_an_unknown_format_is_refused(tmp_path):
    with pytest.raises(convert.ConvertError, match="unknown format 'xls'; known: voc"):
        convert.convert(None, "voc", "xls", tmp_path / "o", sizes=None)
