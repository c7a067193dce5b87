import pytest
from fuzz import Memory, memory, reasons

from chromolib.data.formats import common, voc

BOX = "<bndbox><xmin>2</xmin><ymin>3</ymin><xmax>20</xmax><ymax>30.5</ymax></bndbox>"
X = f"<object><name>X</name>{BOX}</object>"
SIZE = "<size><width>60</width><height>40</height></size>"


def xml(*parts):
    return ("<annotation>" + "".join(parts) + "</annotation>").encode()


def read(**files):
    """The dataset of files given as `folder__name_ending`."""
    named = {key.replace("__", "/").replace("_", "."): v for key, v in files.items()}
    return voc.dataset(memory(named))


def one(content):
    return read(a_jpg=b"", a_xml=content)


def test_an_annotation_is_read_as_written():
    annotated = one(xml(SIZE, X)).images["a.jpg"]
    assert annotated.boxes.xyxy.tolist() == [[2, 3, 20, 30.5]]
    assert annotated.boxes.label.tolist() == ["X"]
    assert (annotated.file, annotated.width, annotated.height) == ("a.xml", 60, 40)
    assert not annotated.fraction


def test_an_annotation_without_objects_or_size_is_an_image_without_objects():
    annotated = one(xml()).images["a.jpg"]
    assert (len(annotated.boxes), annotated.width, annotated.height) == (0, None, None)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "latin-1"])
def test_byte_order_marks_and_declared_encodings_are_fine(encoding):
    head = (
        '<?xml version="1.0" encoding="iso-8859-1"?>' if encoding == "latin-1" else ""
    )
    text = head + xml(X.replace("X", "µ")).decode()
    found = one(text.encode(encoding))
    assert found.images["a.jpg"].boxes.label.tolist() == ["µ"]


@pytest.mark.parametrize(
    ("files", "image"),
    [
        ({"train__a_jpg": b"", "a_jpg": b"", "train__a_xml": xml()}, "train/a.jpg"),
        ({"d__img__a_jpg": b"", "a_jpg": b"", "d__ann__a_xml": xml()}, "d/img/a.jpg"),
        ({"d__n__a_xml": xml(), "d__i__a_jpg": b"", "e__n__a_jpg": b""}, "d/i/a.jpg"),
        (
            {"ann__t__a_xml": xml(), "t__a_jpg": b"", "img__t__a_jpg": b""},
            "img/t/a.jpg",
        ),
        ({"img__deep__a_jpg": b"", "a_xml": xml()}, "img/deep/a.jpg"),
    ],
)
def test_the_nearest_image_of_the_stem_is_taken(files, image):
    assert list(read(**files).images) == [image]


def test_a_file_name_inside_chooses_between_two_endings():
    files = {"a_jpg": b"", "a_png": b""}
    found = read(**files, a_xml=xml("<filename>a.png</filename>"))
    assert list(found.images) == ["a.png"]
    assert reasons(found) == [("a.jpg", common.NO_ANNOTATION[0])]
    assert ("a.xml", voc.SEVERAL[0]) in reasons(read(**files, a_xml=xml()))


def test_a_file_name_inside_that_is_of_no_image_is_repaired():
    found = one(xml("<filename>old.jpg</filename>"))
    assert list(found.images) == ["a.jpg"]
    assert reasons(found, "repaired") == [("a.xml", voc.RENAMED[0])]


def test_a_file_name_inside_that_is_of_another_image_is_an_error():
    inside = xml("<filename>b.jpg</filename>")
    found = read(a_jpg=b"", b_jpg=b"", a_xml=inside, b_xml=xml())
    assert list(found.images) == ["b.jpg"]
    assert reasons(found) == [("a.xml", voc.CANDIDATES[0])]


def test_path_and_folder_are_never_read_nor_shown():
    private = "<folder>kowalski</folder><path>C:\\Users\\kowalski\\b.jpg</path>"
    found = one(xml(private, "<filename>C:\\Users\\kowalski\\old.jpg</filename>", X))
    assert len(found.images) == 1
    assert "kowalski" not in str(found.problems)


def test_images_and_annotations_without_their_partner_are_errors():
    found = read(a_jpg=b"", b_xml=xml())
    assert not found.images
    assert dict(reasons(found)) == {
        "a.jpg": common.NO_ANNOTATION[0],
        "b.xml": common.NO_IMAGE[0],
    }


def test_two_annotations_of_one_image_are_an_error():
    found = read(a_jpg=b"", a_xml=xml(), ann__a_xml=xml(X))
    assert not found.images
    assert reasons(found) == [("a.jpg", common.TWICE[0])]


@pytest.mark.parametrize(
    "value", ["NaN", "inf", "1e308", "1e999", "", "two", "1_0", "0" * 65]
)
def test_a_value_that_is_no_number_is_an_error(value):
    found = one(xml(X.replace("20", value)))
    assert not found.images
    assert reasons(found) == [("a.xml", common.NUMERIC[0])]


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (xml(X.replace("20", "1")), common.REVERSED),
        (xml(X.replace("<xmax>20</xmax>", "")), common.NUMERIC),
        (xml("<object><name>X</name></object>"), common.NUMERIC),
        (xml(f"<object>{BOX}</object>"), common.LABEL),
        (xml(X.replace("X", "X" * 201)), common.LABEL),
        (xml("<size><width>60</width></size>"), common.NUMERIC),
        (xml("<size><width>6.5</width><height>4</height></size>"), common.NUMERIC),
        (b"<annotation>", voc.XML),
        (b"", voc.XML),
        (b"\xff\xfe\x00", voc.XML),
        (b"<?xml version='1.0' encoding='none-such'?><annotation/>", voc.XML),
        (b"<a/>", voc.OTHER),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><annotation/>', voc.FORBIDDEN),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><annotation>&b;</annotation>', voc.FORBIDDEN),
        (b"<" * (voc.TAGS + 1), common.MANY),
        (b" " * (common.SINGLE + 1), common.LARGE),
    ],
)
def test_a_malformed_annotation_leaves_its_image_out(content, what):
    found = one(content)
    assert not found.images
    assert reasons(found) == [("a.xml", what[0])]


def test_a_file_that_cannot_be_read_is_an_error():
    class Broken(Memory):
        def read(self, name):
            raise OSError("/srv/kowalski/a.xml is damaged")

    found = voc.dataset(Broken({"a.jpg": b"", "a.xml": xml()}))
    assert reasons(found) == [("a.xml", common.CUT[0])]


def test_details_that_no_record_holds_are_counted():
    detailed = X.replace(
        "</object>", "<pose>Left</pose><difficult>1</difficult></object>"
    )
    usual = X.replace(
        "</object>", "<pose>Unspecified</pose><difficult>0</difficult></object>"
    )
    assert one(xml(detailed, usual)).lost == {voc.DETAILS: 2}
