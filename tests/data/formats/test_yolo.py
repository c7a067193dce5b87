import tracemalloc

import numpy as np
import pytest
from fuzz import memory, reasons

from chromolib.data.formats import common, yolo

NAMES = "names: [A, B]\n"


def read(files):
    return yolo.dataset(memory(files))


def one(rows, names=NAMES):
    return read({"images/a.jpg": "", "labels/a.txt": rows, "data.yaml": names})


def test_a_row_is_a_share_of_the_image():
    found = one("1 0.5 0.5 0.25 0.5\n0 0.5 0.5 1 1 0.75\n")
    annotated = found.images["images/a.jpg"]
    assert annotated.boxes.xyxy.tolist() == [[0.375, 0.25, 0.625, 0.75], [0, 0, 1, 1]]
    assert annotated.boxes.label.tolist() == ["B", "A"]
    assert annotated.boxes.score.tolist() == [1, 0.75]
    assert (annotated.file, annotated.width) == ("labels/a.txt", None)
    assert annotated.fraction
    assert found.classes == ("A", "B")
    assert not found.problems


def test_an_outline_becomes_its_bounding_box_and_is_kept():
    found = one("0 0.5 0.5 0.25 0.5\n1 0.1 0.2 0.3 0.2 0.2 0.6\n")
    boxes = found.images["images/a.jpg"].boxes
    assert boxes.xyxy[1].tolist() == [0.1, 0.2, 0.3, 0.6]
    assert boxes.polygon[0] is None
    assert boxes.polygon[1].tolist() == [[0.1, 0.2], [0.3, 0.2], [0.2, 0.6]]
    assert reasons(found, "repaired") == [("labels/a.txt", yolo.OUTLINED[0])]


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("2 0.5 0.5 0.1 0.1", yolo.NO_CLASS),
        ("-1 0.5 0.5 0.1 0.1", common.NUMERIC),
        ("0.5 0.5 0.5 0.1 0.1", common.NUMERIC),
        ("A 0.5 0.5 0.1 0.1", common.NUMERIC),
        ("0 nan 0.5 0.1 0.1", common.NUMERIC),
        ("0 0.5 0.5 -0.1 0.1", common.NEGATIVE),
        ("0 0.5 0.5 0.1", yolo.COLUMNS),
        ("0 .1 .1 .2 .2 .3 .3 .4", yolo.COLUMNS),
        (b"0 0.5 0.5 0.1 0.1\xff", common.TEXT),
        ("0 0 0 1 1\n" * (common.MOST + 1), common.MANY),
    ],
)
def test_a_malformed_row_leaves_the_image_out(row, what):
    found = one(row)
    assert not found.images
    assert reasons(found) == [("labels/a.txt", what[0])]


@pytest.mark.parametrize("rows", ["", "\n", "\ufeff"])
def test_an_empty_label_file_is_an_image_without_objects(rows):
    assert len(one(rows).images["images/a.jpg"].boxes) == 0


@pytest.mark.parametrize(
    ("image", "label"),
    [
        ("a.jpg", "a.txt"),
        ("images/a.jpg", "images/a.txt"),
        ("train/images/a.JPG", "train/labels/a.txt"),
        ("images/train/a.b.jpg", "labels/train/a.b.txt"),
        ("images/images/a.jpg", "images/labels/a.txt"),
    ],
)
def test_a_label_file_lies_in_labels_or_beside_the_image(image, label):
    found = read({image: "", label: "0 0.5 0.5 1 1", "data.yaml": NAMES})
    assert found.images[image].file == label
    assert not found.problems


def test_files_without_their_partner_are_errors_and_a_readme_is_none():
    found = read(
        {
            "images/a.jpg": "",
            "labels/b.txt": "",
            "c.txt": "0 0.5 0.5 1 1",
            "README.roboflow.txt": "2023-01-01 a b c d",
            "data.yaml": NAMES,
        }
    )
    assert not found.images
    assert sorted(reasons(found)) == [
        ("c.txt", common.NO_IMAGE[0]),
        ("images/a.jpg", common.NO_ANNOTATION[0]),
        ("labels/b.txt", common.NO_IMAGE[0]),
    ]


def test_two_images_or_two_label_files_for_one_are_errors():
    shared = read({"a.jpg": "", "a.png": "", "a.txt": "", "data.yaml": NAMES})
    assert {r for _, r in reasons(shared)} == {yolo.SHARED[0]}
    files = {"images/a.jpg": "", "images/a.txt": "", "labels/a.txt": ""}
    double = read({**files, "data.yaml": NAMES})
    assert reasons(double) == [("images/a.jpg", common.TWICE[0])]
    assert not shared.images
    assert not double.images


@pytest.mark.parametrize(
    ("names", "classes"),
    [
        ("names: {0: A, 1: B}", ("A", "B")),
        ("names: [1, 010, No, X, Y]", ("1", "010", "No", "X", "Y")),
        ("names:\n- 'null'\n- ~\n", ("null", "~")),
        ("\ufeffnames: [é]", ("é",)),
    ],
)
def test_names_are_the_text_they_are_written_as(names, classes):
    assert one("", names).classes == classes


@pytest.mark.parametrize(
    "names",
    [
        *("", "names: A", "names: []", "names: [A, A]", "names: {0: A, 2: B}"),
        *("names: [[A]]", "names: [A", "[", "[" * 9000, "a: &a [*a]\nnames: *a"),
        *("names: ['']", "names: {a: b}", "%YAML " + "9" * 5000, "a: b: c", b"\xff"),
        *("\0", "!!python/object/apply:os.system [ls]", "--- a\n--- b\n"),
        " " * (yolo.LIMIT + 1),
    ],
)
def test_names_that_cannot_be_read_refuse_the_source(names):
    found = one("", names)
    assert not found.images
    assert [p.file for p in found.problems if p.level == "error"] == ["data.yaml"]


def test_aliases_cannot_grow():
    lines = ["a0: &a0 [A, B]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 30)]
    assert one("", "\n".join([*lines, "names: *a29"])).classes == ()
    assert one("", "\n".join([*lines, "names: *a0"])).classes == ("A", "B")


def test_a_source_without_names_of_classes_is_refused():
    found = read({"a.jpg": "", "a.txt": ""})
    assert reasons(found) == [("data.yaml", yolo.NO_CLASSES[0])]


def test_classes_txt_names_classes_and_must_agree_with_data_yaml():
    files = {"a.jpg": "", "a.txt": "1 0.5 0.5 1 1", "classes.txt": "A\r\nB\r\n"}
    assert read(files).images["a.jpg"].boxes.label.tolist() == ["B"]
    assert read({**files, "data.yaml": NAMES}).classes == ("A", "B")
    other = read({**files, "data.yaml": "names: [B, A]"})
    assert {r for _, r in reasons(other)} == {yolo.DISAGREE[0]}


def test_an_alphabetical_order_of_numbers_is_said():
    found = one("", "names: ['1', '10', '11', '2', X]")
    assert reasons(found, "repaired") == [("data.yaml", yolo.ALPHABETIC[0])]
    assert not one("", "names: ['1', '2', '10', X]").problems
    assert not one("", "names: [A, B, X]").problems


def test_a_count_that_is_not_that_of_the_names_is_said():
    assert reasons(one("", "nc: 3\n" + NAMES), "repaired") == [
        ("data.yaml", yolo.COUNT[0])
    ]
    assert not one("", "nc: 2\n" + NAMES).problems


def test_paths_in_data_yaml_are_neither_followed_nor_shown():
    found = one("9 1 1 1 1", "path: C:\\Users\\kowalski\ntrain: ../a\n" + NAMES)
    assert found.problems
    assert "kowalski" not in str(found.problems)


def test_an_outline_is_held_where_its_box_bounds_it():
    points = np.array([[0, 0], [4, 0], [4, 2]])
    assert yolo.holds_outline(common.Object("A", (0, 0, 4, 2), 1.0, points))
    assert not yolo.holds_outline(common.Object("A", (0, 0, 5, 2), 1.0, points))
    assert not yolo.holds_outline(common.Object("A", (0, 0, 4, 2)))


def test_equal_names_in_every_folder_are_read_once_and_many_others_refused():
    files = {"a.jpg": "", "a.txt": "0 0.5 0.5 1 1", "data.yaml": NAMES}
    copies = {f"{i}/{name}": NAMES for i in range(300) for name in yolo.YAML}
    copies |= {f"{i}/classes.txt": "A\nB\n" for i in range(300)}
    assert read(files | copies).classes == ("A", "B")
    filled = NAMES + "#" * (yolo.LIMIT // 8)
    others = {f"{i}/data.yaml": f"{filled}{i}" for i in range(20)}
    found = read(files | others)
    assert [reason for _, reason in reasons(found)] == [yolo.LONG[0]]
    assert not found.images


def test_a_quarter_million_short_rows_are_refused_at_little_cost():
    tracemalloc.start()
    found = one("0\n" * 250_000)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert reasons(found) == [("labels/a.txt", common.MANY[0])]
    assert peak < 20 << 20


def test_labels_of_one_image_are_bounded_as_a_whole():
    names, rows = f"names: [A, {'B' * 200}]", "0 .5 .5 1 1\n" * 6000
    assert len(one(rows, names).images["images/a.jpg"].boxes) == 6000
    found = one(rows + "1 .5 .5 1 1\n", names)
    assert reasons(found) == [("labels/a.txt", common.WIDE[0])]
