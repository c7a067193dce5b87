import copy
import json

import pytest
from fuzz import memory, reasons

from chromolib.data.formats import coco, common

HEAD = {
    "images": [{"id": 7, "file_name": "a.jpg", "width": 60, "height": 40}],
    "annotations": [
        {"id": 1, "image_id": 7, "category_id": 3, "bbox": [2, 3, 18, 9.5]}
    ],
    "categories": [{"id": 3, "name": "X"}, {"id": 1, "name": "A"}],
}


def read(files):
    files = {k: v if isinstance(v, bytes) else json.dumps(v) for k, v in files.items()}
    return coco.dataset(memory(files))


def one(head):
    return read({"a.jpg": b"", "c.json": head})


def changed(part, **values):
    """The example with values of its first image, object or category changed."""
    head = copy.deepcopy(HEAD)
    head[part][0].update(values)
    return head


def obj(**values):
    return changed("annotations", **values)


def test_a_file_is_read_as_written():
    found = one(HEAD)
    annotated = found.images["a.jpg"]
    assert annotated.boxes.xyxy.tolist() == [[2, 3, 20, 12.5]]
    assert annotated.boxes.label.tolist() == ["X"]
    assert (annotated.file, annotated.width, annotated.height) == ("c.json", 60, 40)
    assert found.classes == ("X", "A")
    assert not found.problems


def test_an_image_without_objects_and_without_size():
    head = HEAD | {"annotations": [], "images": [{"id": 7, "file_name": "a.jpg"}]}
    annotated = one(head).images["a.jpg"]
    assert (len(annotated.boxes), annotated.width) == (0, None)


def test_each_file_speaks_of_its_own_folder():
    files = {"train/a.jpg": b"", "train/c.json": HEAD, "test/a.jpg": b""}
    found = read({**files, "test/c.json": obj(bbox=[0, 0, 1, 1])})
    assert not found.problems
    assert found.images["test/a.jpg"].boxes.xyxy.tolist() == [[0, 0, 1, 1]]
    assert found.images["train/a.jpg"].file == "train/c.json"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32"])
def test_byte_order_marks_are_fine(encoding):
    assert one(json.dumps(HEAD).encode(encoding)).images


@pytest.mark.parametrize(
    "path",
    ["C:\\data\\kowalski\\a.jpg", "/srv/kowalski/a.jpg", "../a.jpg", "old/a.jpg"],
)
def test_an_image_that_is_elsewhere_is_found_by_its_base_name(path):
    found = one(changed("images", file_name=path))
    assert list(found.images) == ["a.jpg"]
    assert reasons(found, "repaired") == [("a.jpg", common.MOVED[0])]
    assert "kowalski" not in str(found.problems)


def test_a_path_that_climbs_is_not_followed():
    found = read({"a.jpg": b"", "d/c.json": changed("images", file_name="../a.jpg")})
    assert list(found.images) == ["a.jpg"]
    assert reasons(found, "repaired") == [("a.jpg", common.MOVED[0])]


def test_an_image_that_cannot_be_told_is_an_error():
    moved = changed("images", file_name="/srv/kowalski/a.jpg")
    found = read({"x/a.jpg": b"", "y/a.jpg": b"", "d/c.json": moved})
    assert not found.images
    assert ("d/a.jpg", common.NO_IMAGE[0]) in reasons(found)
    assert "kowalski" not in str(found.problems)


def test_an_outline_is_kept_and_a_mask_is_not():
    found = one(obj(segmentation=[[2, 3, 20, 3, 20, 12.5]]))
    outline = found.images["a.jpg"].boxes.polygon[0]
    assert outline.tolist() == [[2, 3], [20, 3], [20, 12.5]]
    for mask in ({"counts": [1], "size": [1, 1]}, [[1, 1, 2, 2, 3, 1]] * 2):
        found = one(obj(segmentation=mask))
        assert found.images["a.jpg"].boxes.polygon == ()
        assert reasons(found, "repaired") == [("a.jpg", coco.MASK[0])]


def test_a_group_is_one_box_and_is_said_and_counted():
    found = one(obj(iscrowd=1, attributes={}))
    assert len(found.images["a.jpg"].boxes) == 1
    assert reasons(found, "repaired") == [("a.jpg", coco.CROWD[0])]
    assert found.lost == {coco.CROWDS: 1, coco.FIELDS: 1}


def test_a_score_is_read():
    assert one(obj(score=0.25)).images["a.jpg"].boxes.score.tolist() == [0.25]


@pytest.mark.parametrize(
    ("values", "what"),
    [
        ({"bbox": [2, 3, -1, 9]}, common.NEGATIVE),
        ({"bbox": [2, 3, 1]}, common.NUMERIC),
        ({"bbox": None}, common.NUMERIC),
        ({"bbox": [2, 3, True, 9]}, common.NUMERIC),
        ({"bbox": [2, 3, "4", 9]}, common.NUMERIC),
        ({"bbox": [2, 3, 10**400, 9]}, common.NUMERIC),
        ({"bbox": [2, 3, 1e308, 9]}, common.NUMERIC),
        ({"score": None}, common.NUMERIC),
        ({"category_id": 2}, coco.UNKNOWN),
        ({"category_id": [3]}, coco.ENTRY),
        ({"segmentation": [[1, 2, 3, 4, 5]]}, coco.OUTLINE),
        ({"segmentation": [[1, 2, 3, 4]]}, coco.OUTLINE),
        ({"segmentation": [[1, 2, 3, 4, 5, "6"]]}, common.NUMERIC),
    ],
)
def test_a_malformed_object_leaves_its_image_out(values, what):
    found = one(obj(**values))
    assert not found.images
    assert reasons(found) == [("a.jpg", what[0])]


@pytest.mark.parametrize(
    "size", [{"width": -1}, {"width": None}, {"height": "40"}, {"height": True}]
)
def test_a_malformed_size_leaves_its_image_out(size):
    found = one(changed("images", **size))
    assert not found.images
    assert reasons(found) == [("a.jpg", common.NUMERIC[0])]


TWO = [{"id": 7, "file_name": "a.jpg"}, {"id": 7, "file_name": "b.jpg"}]


@pytest.mark.parametrize(
    ("head", "what"),
    [
        (b"{", coco.JSON),
        (b"\xff\xfe\x00", coco.JSON),
        (b"[" * 100_000, coco.JSON),
        (b'{"images": ' * 50_000, coco.JSON),
        (b'{"images": NaN}', coco.JSON),
        (b'{"images": %s}' % (b"9" * 5000), coco.JSON),
        (b'{"images": [], "images": []}', coco.JSON),
        ({"images": []}, coco.ENTRY),
        (HEAD | {"images": {}}, coco.ENTRY),
        (HEAD | {"images": TWO}, coco.ENTRY),
        (HEAD | {"images": [7]}, coco.ENTRY),
        (changed("images", id=True), coco.ENTRY),
        (changed("images", file_name=5), coco.ENTRY),
        (HEAD | {"annotations": HEAD["annotations"] * 2}, coco.ENTRY),
        (HEAD | {"annotations": [None]}, coco.ENTRY),
        (HEAD | {"categories": HEAD["categories"] * 2}, coco.ENTRY),
        (changed("categories", name=""), common.LABEL),
        (changed("categories", name="\ud800"), common.LABEL),
        (changed("categories", name="a\0"), common.LABEL),
        (obj(image_id=8), coco.UNKNOWN),
    ],
)
def test_a_malformed_file_is_an_error(head, what):
    assert ("c.json", what[0]) in reasons(one(head))


def test_json_of_another_kind_is_left_aside_and_said():
    found = read({"a.jpg": b"", "c.json": HEAD, "package.json": {"name": "x"}})
    assert list(found.images) == ["a.jpg"]
    assert reasons(found, "repaired") == [("package.json", coco.OTHER[0])]
    alone = one([1, 2])
    assert (coco.FILE, coco.NONE[0]) in reasons(alone)


def test_images_without_an_entry_or_with_two_are_errors():
    found = read({"a.jpg": b"", "b.jpg": b"", "c.json": HEAD, "d.json": HEAD})
    assert not found.images
    assert reasons(found) == [
        ("b.jpg", common.NO_ANNOTATION[0]),
        ("a.jpg", common.TWICE[0]),
    ]
    again = HEAD | {"images": [*HEAD["images"], {"id": 8, "file_name": "a.jpg"}]}
    assert reasons(one(again)) == [("a.jpg", common.TWICE[0])]


def test_categories_of_one_name_and_other_orders_are_said():
    same = HEAD | {"categories": [{"id": 3, "name": "X"}, {"id": 1, "name": "X"}]}
    found = one(same)
    assert found.classes == ("X",)
    assert reasons(found, "repaired") == [("c.json", coco.SAME[0])]
    other = HEAD | {"categories": HEAD["categories"][::-1]}
    files = {"x/a.jpg": b"", "x/c.json": HEAD, "y/a.jpg": b"", "y/c.json": other}
    found = read(files)
    assert found.classes == ("X", "A")
    assert {r for _, r in reasons(found, "repaired")} == {common.ORDERS[0]}
