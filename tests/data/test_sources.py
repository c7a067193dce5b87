"""From a source's files to trusted images: drawn copies of every layout and quirk."""

import shutil
import threading
import time

import drawn
import numpy as np
import pytest

from chromolib.data import adapters, check, decode, listing, pixels, sources

RNG = np.random.default_rng(0)


def picture(form="PNG", shape=(12, 9)):
    """An image unlike any other."""
    return drawn.encoded(RNG.integers(0, 256, shape, dtype=np.uint8), form)


def written(root, files):
    """A folder of name -> bytes or text."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return root


def voc_of(image, *objects, size=(9, 12)):
    """A VOC annotation: objects are (label, x0, y0, x1, y1)."""
    rows = "".join(
        f"<object><name>{label}</name><bndbox><xmin>{x0}</xmin><ymin>{y0}</ymin>"
        f"<xmax>{x1}</xmax><ymax>{y1}</ymax></bndbox></object>"
        for label, x0, y0, x1, y1 in objects
    )
    return (
        f"<annotation><filename>{image}</filename><path>C:\\Users\\x\\{image}</path>"
        f"<size><width>{size[0]}</width><height>{size[1]}</height><depth>1</depth>"
        f"</size>{rows}</annotation>"
    )


def bioimlab():
    return {
        "cells/1/1 1a.bmp": picture("BMP"),
        "cells/1/1 23a.bmp": picture("BMP"),
        "cells/1/1 24.bmp": picture("BMP"),
        "cells/2/2 1b.bmp": drawn.encoded(
            np.stack([RNG.integers(0, 256, (9, 7), dtype=np.uint8)] * 3, -1), "BMP"
        ),
        "cells/111/111 1a.bmp": picture("BMP"),
        "cells.csv": "cell,sex\n1,M\n",
    }


def pki3():
    cell = "single_clase/97002023.12.tiff"
    return {
        f"{cell}/clase1/clase1_0_97002023.12.tiff": picture("TIFF"),
        f"{cell}/clase24/clase24_0_97002023.12.tiff": picture("TIFF"),
        f"{cell}/clase25/clase25_0_97002023.12.tiff": picture("TIFF"),
        "single_clase/97002023.7.tiff/clase1/clase1_0_97002023.7.tiff": picture("TIFF"),
        "single_clase/9700TEST.7.tiff/clase2/clase2_1_9700TEST.7.tiff": picture("TIFF"),
    }


def cirnet():
    levels = RNG.integers(0, 256, (30, 20), dtype=np.uint8)
    broken = {"rows": 30, "offsets": (8, 208, 408), "counts": (200,) * 3}
    return {
        "tiff/1/1_1_P1_2_3.tiff": drawn.tiff(levels, **broken),
        "tiff/1/1_2_P1_2_3.tiff": picture("TIFF"),
        "tiff/X/X_1_P2_1_1.tiff": picture("TIFF"),
    }


def tseng2023():
    place = "24_chromosomes_object"
    names = ("1030641", "1030642", "1050242_1")
    files = {f"{place}/JEPG/{n}.jpg": picture("JPEG", (40, 30)) for n in names}
    labels = (("A1", 1, 1, 5, 5), ("G22", 5, 5, 31, 9), ("X", 2, 2, 8, 8))
    for name in names:
        xml = voc_of(f"{name}.jpg", *labels, size=(30, 40))
        files[f"{place}/annotations/{name}.xml"] = xml
    files["normal.csv"] = "filename,chromosome numbers,x\n1030641.jpg,46,\n"
    files["number_abnormalities.csv"] = "filename,n,x\n1030642.jpg,47,21\n"
    files["structural_abnormalities.csv"] = "filename,n,x\n"
    return files


def roboflow():
    twin = picture("JPEG", (16, 16))
    rows = "1 .5 .5 .25 .25\n0 .1 .1 .3 .1 .3 .4 .1 .4\n"
    files = {
        "data.yaml": "train: C:\\Users\\x\\train\nnc: 3\nnames: ['1', '10', '2']\n"
    }
    for part, code, blob in (
        ("train", "aa", twin),
        ("train", "bb", twin),
        ("valid", "cc", picture("JPEG", (16, 16))),
    ):
        stem = f"karyotype-1_bmp_jpg.rf.{code}"
        files |= {f"{part}/images/{stem}.jpg": blob, f"{part}/labels/{stem}.txt": rows}
    return files


def mfish():
    one, two = np.zeros((20, 20), np.uint8), np.zeros((20, 20), np.uint8)
    one[2:6, 3:9] = one[10:15, 3:5] = two[7:9, 10:19] = 255
    return {
        "images/A01.png": picture("PNG", (20, 20)),
        "annotations/A01_c01_00.png": drawn.encoded(one),
        "annotations/A01_c23_01.png": drawn.encoded(two),
    }


DRAWN = {
    "bioimlab": bioimlab,
    "pki3": pki3,
    "cirnet": cirnet,
    "tseng2023": tseng2023,
    "roboflow": roboflow,
    "mfish": mfish,
}


def loaded(tmp_path, source, files=None, **options):
    written(tmp_path / adapters.NAMED[source][1], files or DRAWN[source]())
    return sources.load(source, tmp_path, **options)


def repaired(images):
    return {p.reason for p in images.problems if p.level == "repaired"}


@pytest.mark.parametrize("source", DRAWN)
def test_a_folder_and_its_zip_give_the_same_images(tmp_path, source):
    folder = loaded(tmp_path, source)
    place = tmp_path / adapters.NAMED[source][1]
    shutil.make_archive(str(place), "zip", tmp_path, place.name)
    shutil.rmtree(place)
    packed = sources.load(source, tmp_path)
    assert folder.fingerprint == packed.fingerprint
    assert folder.problems == packed.problems
    np.testing.assert_array_equal(folder.name, packed.name)
    for one, other in zip(folder.pixels, packed.pixels, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("source", DRAWN)
def test_a_set_larger_than_its_memory_reads_the_same_on_demand(tmp_path, source):
    packed = loaded(tmp_path, source)
    demand = sources.load(source, tmp_path, keep=10)
    assert isinstance(packed.pixels, pixels.Packed)
    assert isinstance(demand.pixels, pixels.OnDemand)
    assert demand.fingerprint == packed.fingerprint
    for one, other in zip(packed.pixels, demand.pixels, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("source", DRAWN)
def test_threads_change_nothing(tmp_path, source):
    assert (
        loaded(tmp_path, source, workers=1).fingerprint
        == sources.load(source, tmp_path, workers=4).fingerprint
    )


def test_bioimlab_names_cells_and_sex_chromosomes(tmp_path):
    images = loaded(tmp_path, "bioimlab")
    assert list(images.label) == ["1", "X", "Y", "1", "1"]
    assert list(images.cell) == ["1", "1", "1", "111", "2"]
    assert list(images.group) == ["1", "1", "1", "2", "2"]
    assert list(images.extra["homologue"]) == ["a", "a", "", "a", "b"]
    assert decode.COPIES[0] in repaired(images)
    assert any("filed twice" in reason for reason in repaired(images))


def test_pki3_groups_are_cases_and_a_marker_is_no_class(tmp_path):
    images = loaded(tmp_path, "pki3")
    assert list(images.label) == ["1", "Y", "mar", "1", "2"]
    assert list(images.group) == ["97002023"] * 4 + ["9700TEST"]
    assert len(set(images.cell)) == 3
    assert "clase25 is none of the 24 classes" in repaired(images)


def test_cirnet_groups_are_patients_and_its_strips_are_read(tmp_path):
    images = loaded(tmp_path, "cirnet")
    assert list(images.group) == ["P1", "P1", "P2"]
    assert list(images.label) == ["1", "1", "X"]
    assert repaired(images) == {decode.STRIPS[0]}


def test_tseng_groups_are_cases_labels_are_classes_and_boxes_are_cut(tmp_path):
    images = loaded(tmp_path, "tseng2023")
    assert list(images.group) == ["103064", "103064", "105024"]
    assert list(images.boxes[0].label) == ["1", "22", "X"]
    assert images.boxes[0].xyxy[1].tolist() == [5, 5, 30, 9]
    assert list(images.extra["status"]) == ["normal", "numerical", ""]
    assert "an image in none of the three lists of karyotypes" in repaired(images)


def test_roboflow_groups_are_sources_and_classes_come_from_the_yaml(tmp_path):
    images = loaded(tmp_path, "roboflow")
    assert set(images.group) == {"karyotype-1_bmp_jpg"}
    assert list(images.boxes[0].label) == ["10", "1"]
    assert images.boxes[0].xyxy[0].tolist() == [6, 6, 10, 10]
    assert list(images.extra["part"]) == ["train", "train", "valid"]
    found = " ".join(repaired(images))
    for word in ("alphabetical", "outline", "byte-identical"):
        assert word in found


def test_mfish_boxes_are_the_pieces_of_its_masks(tmp_path):
    images = loaded(tmp_path, "mfish")
    boxes = images.boxes[0]
    assert list(boxes.label) == ["1", "1", "X"]
    assert sorted(boxes.xyxy.tolist()) == [
        [3, 2, 9, 6],
        [3, 10, 5, 15],
        [10, 7, 19, 9],
    ]


def test_folder_takes_classes_cases_parts_and_what_images_csv_says(tmp_path):
    files = {
        "train/normal/case1/a.png": picture(),
        "train/normal/case1/b.png": picture(),
        "test/abnormal/case2/a.png": picture(),
        "test/abnormal/c.rf.77.png": picture(),
        "images.csv": "image,group,status\nc.rf.77.png,case1,unsure\n",
    }
    images = sources.load("folder", written(tmp_path / "mine", files))
    assert list(images.label) == ["abnormal", "abnormal", "normal", "normal"]
    assert list(images.group) == ["case1", "case2", "case1", "case1"]
    assert list(images.extra["part"]) == ["test", "test", "train", "train"]
    assert images.extra["status"][0] == "unsure"


@pytest.mark.parametrize(
    ("name", "cell", "group", "label"),
    [
        ("c1/7a.png", "c1", "c1", "7"),
        ("c1/X.png", "c1", "c1", "X"),
        ("c1/24_0.png", "c1", "c1", "Y"),
        ("p9/c1/chr21_b.png", "p9/c1", "p9", "21"),
        ("c1/12/any.png", "c1", "c1", "12"),
        ("p9/c1/B4/any.png", "p9/c1", "p9", "4"),
    ],
)
def test_cellfolders_read_cells_and_classes(tmp_path, name, cell, group, label):
    images = sources.load("cellfolders", written(tmp_path, {name: picture()}))
    assert (images.cell[0], images.group[0], images.label[0]) == (cell, group, label)


@pytest.mark.parametrize(
    ("name", "cell", "group"),
    [
        ("p9/c1/any name.png", "p9/c1", "p9"),
        ("c1/7a.png", "c1", "c1"),
        ("x.png", "all", "all"),
    ],
)
def test_pictures_need_no_label(tmp_path, name, cell, group):
    images = sources.load("pictures", written(tmp_path, {name: picture()}))
    assert (images.cell[0], images.group[0], images.label[0]) == (cell, group, "")


def test_voc_yolo_coco_and_csv_of_one_drawing_agree(tmp_path):
    image = picture("PNG", (20, 10))
    coco = (
        '{"images":[{"id":1,"file_name":"a.png","width":10,"height":20}],"categories":'
        '[{"id":7,"name":"chr3"}],"annotations":[{"id":1,"image_id":1,"category_id":7,'
        '"bbox":[2,4,4,10]}]}'
    )
    kinds = {
        "voc": {"a.xml": voc_of("a.png", ("chr3", 2, 4, 6, 14), size=(10, 20))},
        "yolo": {"classes.txt": "chr3\n", "a.txt": "0 .4 .45 .4 .5\n"},
        "coco": {"a.json": coco},
        "csv": {
            "b.csv": "image,width,height,label,x0,y0,x1,y1\na.png,10,20,chr3,2,4,6,14\n"
        },
    }
    for source, files in kinds.items():
        root = written(tmp_path / source, {"a.png": image, **files})
        images = sources.load(source, root)
        np.testing.assert_allclose(images.boxes[0].xyxy, [[2, 4, 6, 14]])
        assert list(images.boxes[0].label) == ["3"]


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("1", "1"),
        ("01", "1"),
        ("chr7", "7"),
        ("clase23", "X"),
        ("24", "Y"),
        ("A1", "1"),
        ("G22", "22"),
        ("x", "X"),
        ("A4", None),
        ("25", None),
        ("0", None),
        ("", None),
        ("normal", None),
        ("=1", None),
    ],
)
def test_a_class_by_its_many_names(text, label):
    assert listing.chromosome(text) == label


def boxes_of(*labels):
    xml = voc_of("a.png", *((label, 1, 1, 5, 5) for label in labels))
    return {"a.png": picture(), "a.xml": xml}


@pytest.mark.parametrize(
    ("source", "files", "odd"),
    [
        ("voc", boxes_of("chr7", "X", "mar", "telomere?"), "a.png"),
        ("folder", dict.fromkeys(("7/a.png", "X/b.png", "telomere?/c.png")), ""),
        ("cellfolders", dict.fromkeys(("c3/7/1.png", "c3/telomere?/1.png")), ""),
        ("cellfolders", dict.fromkeys(("c3/7a.png", "c3/telomere?.png")), ""),
    ],
)
def test_a_label_that_is_no_class_is_named_where_the_others_are(
    tmp_path, source, files, odd
):
    files = {name: content or picture() for name, content in files.items()}
    images = sources.inspect(source, written(tmp_path, files))
    (error,) = (p for p in images.problems if p.level == "error")
    assert error.file == odd or "telomere?" in error.file
    assert "'telomere?'" in error.reason or error.file == "c3/telomere?.png"
    assert error.remedy
    assert error.file not in images.name


@pytest.mark.parametrize(
    "labels", [("normal", "abnormal"), ("0", "1"), ("chromosome",), ("a", "b", "X")]
)
def test_labels_of_another_kind_stay_as_they_are(tmp_path, labels):
    files = {f"{label}/c/{k}.png": picture() for k, label in enumerate(labels)}
    images = sources.load("folder", written(tmp_path / "folders", files))
    assert sorted(images.label) == sorted(labels)
    images = sources.load("voc", written(tmp_path / "voc", boxes_of(*labels)))
    assert images.boxes[0].label.tolist() == list(labels)


FROM_ZERO = {"a.png": None, "a.txt": "1 .5 .5 .2 .2\n21 .3 .3 .2 .2\n"}
FROM_ZERO |= {"classes.txt": "\n".join(map(str, range(24)))}


@pytest.mark.parametrize("on_error", ["refuse", "skip"])
@pytest.mark.parametrize(
    ("source", "files"),
    [
        ("folder", ("0/a.png", "1/b.png", "7/c.png")),
        ("cellfolders", ("c/0a.png", "c/1a.png", "c/23.png")),
        ("cellfolders", ("c/0/a.png", "c/1/a.png", "c/23/a.png")),
        ("voc", boxes_of("1", "22", "23", "0")),
        ("yolo", FROM_ZERO),
    ],
)
def test_classes_counted_from_0_are_no_chromosomes(tmp_path, source, files, on_error):
    files = dict.fromkeys(files) if isinstance(files, tuple) else files
    files = {name: content or picture() for name, content in files.items()}
    root = written(tmp_path, files)
    with pytest.raises(sources.DataRefused, match=source):
        sources.load(source, root, on_error=on_error)
    reasons = [p.reason for p in sources.inspect(source, root).problems]
    assert listing.FROM_ZERO[0] in reasons


def test_classes_are_named_in_one_way(tmp_path):
    names = ("01", "9", "10", "22", "23", "24", "chr7", "x", "mar")
    files = {f"{name}/{name}.png": picture() for name in names}
    images = sources.load("folder", written(tmp_path, files))
    assert set(images.label) == {"1", "9", "10", "22", "X", "Y", "7", "mar"}


def test_markers_and_fragments_are_known(tmp_path):
    names = ("c1/7a.png", "c1/mar_a.png", "c1/ace/1.png")
    files = {name: picture() for name in names}
    images = sources.load("cellfolders", written(tmp_path / "cells", files))
    assert sorted(images.label) == ["7", "ace", "mar"]
    files = boxes_of("chr7", "X", "mar", "ace")
    images = sources.load("voc", written(tmp_path / "voc", files))
    assert images.boxes[0].label.tolist() == ["7", "X", "mar", "ace"]


def test_identical_files_join_their_groups_and_contradictory_ones_are_errors(tmp_path):
    one, two = picture(), picture()
    files = {
        "normal/p1/a.png": one,
        "normal/p2/b.png": one,
        "normal/p2/c.png": picture(),
        "normal/p3/d.png": two,
        "abnormal/p3/e.png": two,
    }
    root = written(tmp_path, files)
    images = sources.inspect("folder", root)
    assert list(images.name) == [
        "normal/p1/a.png",
        "normal/p2/b.png",
        "normal/p2/c.png",
    ]
    assert len(set(images.group)) == 1
    errors = [p for p in images.problems if p.level == "error"]
    assert [p.reason for p in errors] == ["byte-identical to an image of another label"]


def test_one_error_refuses_the_source_and_skip_says_how_many(tmp_path):
    files = bioimlab() | {"cells/1/1 2a.bmp": b"BM", "cells/1/strange.bmp": picture()}
    with pytest.raises(sources.DataRefused, match="2 errors, first cells/1/"):
        loaded(tmp_path, "bioimlab", files)
    images = sources.load("bioimlab", tmp_path, on_error="skip")
    assert len(images) == 5
    table = check.problems(images)
    assert list(table["level"]) == ["error", "error", "repaired", "repaired"]
    assert table[table["level"] == "error"]["files"].sum() == 2


@pytest.mark.parametrize("source", adapters.SOURCES)
def test_an_empty_source_is_an_error_with_a_remedy(tmp_path, source):
    place = adapters.NAMED[source][1] if source in adapters.NAMED else "."
    (tmp_path / place).mkdir(exist_ok=True)
    with pytest.raises(sources.DataRefused, match=source):
        sources.load(source, tmp_path)
    assert not len(sources.inspect(source, tmp_path))


@pytest.mark.parametrize("source", adapters.SOURCES)
def test_a_missing_source_says_where_to_look_and_names_no_path(tmp_path, source):
    with pytest.raises(sources.DataUnavailable, match="chromolib data list") as caught:
        sources.load(source, tmp_path / "nowhere")
    assert str(tmp_path) not in str(caught.value)


def test_tables_show_what_there_is(tmp_path):
    images = loaded(tmp_path, "tseng2023")
    facts = dict(check.counts(images).to_numpy().tolist())
    assert facts["groups (case)"] == "2, of 1 to 2 (median 1.5) images"
    assert facts["boxes"] == "9, 3 an image"
    assert check.classes(images).to_numpy().tolist() == [
        ["1", 3, 2],
        ["22", 3, 2],
        ["X", 3, 2],
    ]


def test_progress_is_told(tmp_path):
    seen = []
    loaded(
        tmp_path, "bioimlab", progress=lambda done, total: seen.append((done, total))
    )
    assert seen[-1] == (5, 5)


def test_every_source_has_a_card(root):
    from chromolib.data import cards

    for source in adapters.SOURCES:
        card = cards.read(root / "data" / "cards", source)
        if source in adapters.NAMED:
            assert card["folder"] == adapters.NAMED[source][1]
            assert card["leaks"]
        assert set(card["related"]) <= set(adapters.SOURCES)


def test_sources_that_may_share_patients_do_not_judge_each_other(root):
    from chromolib.data import cards

    folder = root / "data" / "cards"
    for one, other in (("roboflow", "bioimlab"), ("bioimlab", "roboflow")):
        with pytest.raises(cards.CardError, match="may not judge"):
            cards.apart(folder, one, other)
    cards.apart(folder, "pki3", "bioimlab")


def test_a_third_label_takes_all_copies_out_and_their_groups_still_join(tmp_path):
    one, two = picture(), picture()
    files = {
        "normal/p1/a.png": one,
        "normal/p2/b.png": one,
        "abnormal/p3/c.png": one,
        "normal/p2/d.png": two,
        "normal/p4/e.png": two,
        "normal/p5/f.png": picture(),
    }
    images = sources.inspect("folder", written(tmp_path, files))
    assert [name[-5] for name in images.name] == ["d", "e", "f"]
    assert images.group[0] == images.group[1] != images.group[2]


TOLD = {
    "image;group\na.png;p\n": "images.csv cannot be read",
    "file,group\na.png,p\n": "images.csv cannot be read",
    'image,group\na.png,"\0"\n': "images.csv cannot be read",
    "image,label\na.png,\x1b[31mred\n": "images.csv cannot be read",
    "image,group\na.png," + "p" * 201 + "\n": "images.csv cannot be read",
    "image,group\nother.png,p\n": "images.csv names an image that is not here",
    "image,group\nb.png,p\n": "images.csv means several images by one name",
    "image,group\na.png,p\na.png,q\n": "images.csv says two things of one image",
}


@pytest.mark.parametrize(("text", "reason"), TOLD.items())
def test_what_images_csv_says_in_vain_is_said(tmp_path, text, reason):
    files = {name: picture() for name in ("n/a.png", "n/b.png", "m/b.png")}
    images = sources.inspect("folder", written(tmp_path, files | {"images.csv": text}))
    assert [p.reason for p in images.problems] == [reason]


def test_a_row_of_images_csv_is_of_one_image(tmp_path):
    told = "image,group,label\na.png,p9,abnormal\n"
    files = {"a.png": picture(), "normal/p1/a.png": picture(), "images.csv": told}
    images = sources.load("folder", written(tmp_path, files))
    assert images.label.tolist() == ["abnormal", "normal"]
    assert images.group.tolist() == ["p9", "p1"]


@pytest.mark.parametrize(
    ("told", "names"),
    [("b.png,p", ("n/b.png", "m/b.png")), ("a.png,p\nn/a.png,q", ("n/a.png",))],
)
def test_a_row_that_nobody_can_place_is_used_for_none(tmp_path, told, names):
    files = {name: picture() for name in names}
    files |= {"images.csv": f"image,group\n{told}\n"}
    images = sources.load("folder", written(tmp_path, files), on_error="skip")
    assert images.group.tolist() == sorted(names)


def test_an_accent_is_a_letter_however_it_is_written(tmp_path):
    plain, combined = "M\u00fcller.png", "Mu\u0308ller.png"
    files = {f"n/{combined}": picture(), "images.csv": f"image,group\n{plain},p\n"}
    images = sources.load("folder", written(tmp_path, files))
    assert (images.group.tolist(), images.problems) == (["p"], ())


def test_cells_are_counted_case_by_case(tmp_path):
    rows = "".join(f"{k}.png,p{k},1\n" for k in range(2)) + "2.png,,c5\n3.png,,c5\n"
    files = {f"7/{k}.png": picture() for k in range(4)}
    files |= {"images.csv": f"image,group,cell\n{rows}"}
    images = sources.load("folder", written(tmp_path, files))
    assert images.cell.tolist() == ["p0/1", "p1/1", "c5", "c5"]
    assert images.group.tolist() == ["p0", "p1", "c5", "c5"]


@pytest.mark.parametrize("labels", ["", "image,label\na.png,normal\nb.png,abnormal\n"])
def test_cells_of_a_case_are_one_group(tmp_path, labels):
    top = "" if labels else "normal/"
    files = {f"{top}case1/cell1/a.png": picture(), f"{top}case1/b.png": picture()}
    files |= {"images.csv": labels} if labels else {}
    images = sources.load("folder", written(tmp_path, files))
    assert images.group.tolist() == ["case1", "case1"]
    assert set(images.cell) == {"case1", "case1/cell1"}
    assert images.unit == "group"


def test_a_cell_with_a_number_is_not_taken_for_a_class(tmp_path):
    names = [f"{label}{side}" for label in ("1", "2", "9", "X", "Y") for side in "ab"]
    files = {f"case1/3/{name}.png": picture() for name in names}
    images = sources.inspect("cellfolders", written(tmp_path, files))
    assert not len(images)
    assert {p.remedy.partition(" if")[0] for p in images.problems} == {
        "name it 'cell3'"
    }


def test_blanks_in_images_csv_make_no_second_patient(tmp_path):
    told = " image , group\na.png,p \nb.png, p\n"
    files = {"n/a.png": picture(), "m/b.png": picture(), "images.csv": told}
    images = sources.load("folder", written(tmp_path, files))
    assert list(images.group) == ["p", "p"]


def test_a_cell_that_is_told_changes_the_fingerprint(tmp_path):
    files, seen = {"n/a.png": picture(), "m/b.png": picture()}, set()
    for cell in "xy":
        told = {"images.csv": f"image,group,cell\na.png,p,{cell}\nb.png,q,z\n"}
        root = written(tmp_path / cell, files | told)
        seen.add(sources.load("folder", root).fingerprint)
    assert len(seen) == 2


def test_a_score_or_an_outline_changes_the_fingerprint(tmp_path):
    image, seen = picture("PNG", (20, 10)), set()
    rows = (".5 .5 .4 .4", ".5 .5 .4 .4 .9", ".3 .3 .7 .3 .7 .7 .3 .7")
    for row in (*rows, ".3 .3 .7 .3 .7 .7 .3 .6"):
        files = {"a.png": image, "classes.txt": "1\n", "a.txt": f"0 {row}\n"}
        root = written(tmp_path / row, files)
        seen.add(sources.load("yolo", root).fingerprint)
    assert len(seen) == 4


def test_images_that_fill_the_memory_wait_for_their_turn(tmp_path, monkeypatch):
    files = {f"n/{i}.png": picture() for i in range(9)}
    before = sources.load("folder", written(tmp_path, files))
    monkeypatch.setattr(sources, "FILLED", 200)
    after = sources.load("folder", tmp_path)
    assert before.fingerprint == after.fingerprint
    np.testing.assert_array_equal(before.pixels.buffer, after.pixels.buffer)


def most_at_once(monkeypatch, folder, workers):
    """How many images are decoded at one time, at most."""
    grey, running, counts = decode.grey, set(), []

    def slow(blob):
        running.add(threading.get_ident())
        counts.append(len(running))
        time.sleep(0.02)
        running.remove(threading.get_ident())
        return grey(blob)

    monkeypatch.setattr(sources.decode, "grey", slow)
    assert len(sources.load("folder", folder, workers=workers)) == 12
    monkeypatch.setattr(sources.decode, "grey", grey)
    return max(counts)


def test_images_are_decoded_together_as_far_as_memory_goes(tmp_path, monkeypatch):
    written(tmp_path, {f"n/{i}.png": picture() for i in range(12)})  # of 108 pixels
    monkeypatch.setattr(sources, "CHUNK", 2)
    assert most_at_once(monkeypatch, tmp_path, 4) > 1
    monkeypatch.setattr(decode, "PIXELS", 250)
    assert most_at_once(monkeypatch, tmp_path, 4) <= 2
    monkeypatch.setattr(decode, "PIXELS", 150)
    monkeypatch.setattr(sources, "FILLED", 1)  # some wait for the main thread
    assert most_at_once(monkeypatch, tmp_path, 4) == 1
    assert most_at_once(monkeypatch, tmp_path, 1) == 1


def test_an_image_that_cannot_be_opened_takes_no_room(tmp_path):
    files = {f"n/{i}.png": b"\x89PNG" for i in range(70)} | {"n/z.png": picture()}
    images = sources.inspect("folder", written(tmp_path, files), workers=2)
    assert len(images) == 1
    assert len(images.problems) == 70


def test_a_list_of_karyotypes_that_is_no_table_is_said(tmp_path):
    files = tseng2023() | {"normal.csv": "filename\n" + "x" * 200_000}
    images = loaded(tmp_path, "tseng2023", files)
    assert [p.file for p in images.problems if "karyotypes is" in p.reason] == [
        "normal.csv"
    ]


def test_a_mask_of_a_thousand_pieces_is_refused(tmp_path):
    levels = np.zeros((80, 80), np.uint8)
    levels[::2, ::2] = 255
    files = {
        "images/a.png": picture("PNG", (80, 80)),
        "annotations/a_c1_0.png": drawn.encoded(levels),
    }
    root = written(tmp_path / "mfish-dapi", files).parent
    (only,) = sources.inspect("mfish", root).problems
    assert only.reason == "a mask of too many pieces"
