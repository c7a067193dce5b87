import csv
import tracemalloc

import pytest
from fuzz import memory, reasons

from chromolib.data.formats import common, table

HEADER = ",".join(table.OURS) + "\n"
THEIRS = ",".join(table.THEIRS) + "\n"


def read(files):
    return table.dataset(memory(files))


def one(rows, header=HEADER):
    text = rows if isinstance(rows, bytes) else header + rows
    return read({"a.jpg": "", "t.csv": text})


@pytest.mark.parametrize("header", [HEADER, THEIRS, "\ufeff" + HEADER])
def test_both_headers_are_read_as_written(header):
    annotated = one(
        "a.jpg,60,40,X,2,3,20,30.5\na.jpg,60,40,1,0,0,1,1\n", header
    ).images["a.jpg"]
    assert annotated.boxes.xyxy.tolist() == [[2, 3, 20, 30.5], [0, 0, 1, 1]]
    assert annotated.boxes.label.tolist() == ["X", "1"]
    assert (annotated.file, annotated.width, annotated.height) == ("t.csv", 60, 40)


def test_a_row_without_label_and_box_is_an_image_without_objects():
    annotated = one("a.jpg,,,,,,,\n\n").images["a.jpg"]
    assert (len(annotated.boxes), annotated.width) == (0, None)


def test_a_score_and_other_columns():
    header = HEADER.strip() + ",score,note\n"
    found = one("a.jpg,60,40,X,2,3,20,30,0.5,hello\n", header)
    assert found.images["a.jpg"].boxes.score.tolist() == [0.5]
    assert found.lost == {table.EXTRA: 1}


def test_each_table_speaks_of_its_own_folder_and_others_are_left_aside():
    row = "a.jpg,60,40,X,2,3,20,30\n"
    files = {
        "x/a.jpg": "",
        "x/t.csv": HEADER + row,
        "y/a.jpg": "",
        "notes.csv": "a,b\n",
    }
    found = read({**files, "y/t.csv": THEIRS + row})
    assert sorted(found.images) == ["x/a.jpg", "y/a.jpg"]
    assert [(p.level, p.file) for p in found.problems] == [("repaired", "notes.csv")]
    alone = read({"notes.csv": "a,b\n"})
    assert (table.FILE, table.NONE[0]) in reasons(alone)


def test_an_image_that_is_elsewhere_is_found_by_its_base_name():
    found = one("C:\\Users\\kowalski\\a.jpg,60,40,X,2,3,20,30\n")
    assert list(found.images) == ["a.jpg"]
    assert reasons(found, "repaired") == [("a.jpg", common.MOVED[0])]
    assert "kowalski" not in str(found.problems)


@pytest.mark.parametrize(
    ("row", "what"),
    [
        ("a.jpg,60,40,X,20,3,2,30", common.REVERSED),
        ("a.jpg,60,40,X,NaN,3,2,30", common.NUMERIC),
        ("a.jpg,60,40,X,1e308,3,2,30", common.NUMERIC),
        ("a.jpg,60,,X,2,3,20,30", common.NUMERIC),
        ("a.jpg,60,4.5,X,2,3,20,30", common.NUMERIC),
        ("a.jpg,60,40,,2,3,20,30", table.HALF),
        ("a.jpg,60,40,X,2,3,20,", table.HALF),
        ("a.jpg,60,40,X,2,3,20", table.ROW),
        ("a.jpg,60,40,X,2,3,20,30,", table.ROW),
        ("a.jpg,60,40,X,2,3,20,30\na.jpg,61,40,X,2,3,20,30", table.SIZES),
        (f"a.jpg,60,40,{'X' * 201},2,3,20,30", common.LABEL),
    ],
)
def test_a_malformed_row_leaves_its_image_out(row, what):
    found = one(row)
    assert not found.images
    assert reasons(found) == [("a.jpg", what[0])]


@pytest.mark.parametrize(
    ("content", "file", "what"),
    [
        (HEADER.encode() + b"a.jpg,60,40,\xff,2,3,20,30", "t.csv", common.TEXT),
        (HEADER.encode() + b'a.jpg,"60', "t.csv", table.BROKEN),
        (HEADER.encode() + b"a" * 200_000, "t.csv", table.BROKEN),
        (HEADER.encode() + b",60,40,X,2,3,20,30", "t.csv", table.NAMELESS),
        (HEADER.encode() + b"b.jpg,60,40,X,2,3,20,30", "b.jpg", common.NO_IMAGE),
        (HEADER.encode() + b"/srv/kowalski,1,1,X,2,3,4,5", "t.csv", common.NO_IMAGE),
        (HEADER.encode(), "a.jpg", common.NO_ANNOTATION),
        (b"", table.FILE, table.NONE),
    ],
)
def test_a_malformed_table_is_an_error(content, file, what):
    assert (file, what[0]) in reasons(one(content))


def test_an_image_of_two_tables_is_an_error():
    text = HEADER + "a.jpg,60,40,X,2,3,20,30\n"
    found = read({"a.jpg": "", "t.csv": text, "u.csv": text})
    assert not found.images
    assert reasons(found) == [("a.jpg", common.TWICE[0])]


def test_no_written_cell_starts_like_a_formula(tmp_path):
    label = "=HYPERLINK(1)"
    boxes = common.boxes([common.Object(label, (-1.5, 0, 1, 1))])
    given = common.Dataset({"@a.jpg": common.Annotated("a", boxes, 60, 40)})
    table.write(given, None, tmp_path)
    with (tmp_path / table.FILE).open(newline="") as file:
        row = list(csv.reader(file))[1]
    assert row == ["'@a.jpg", "60", "40", "'" + label, "-1.5", "0", "1", "1"]


@pytest.mark.parametrize("row", ["\n", "0\n"])
def test_a_table_of_useless_rows_needs_little_memory(row):
    text = HEADER + row * ((1 << 20) // len(row))
    files = memory({"a.jpg": "", "t.csv": text})
    tracemalloc.start()
    table.dataset(files)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


def test_too_many_rows_of_one_image_are_said():
    found = one("a.jpg,1,1,X,0,0,1,1\n" * (common.MOST + 1))
    assert reasons(found) == [("a.jpg", common.MANY[0])]
