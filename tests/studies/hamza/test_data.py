"""Fields are squares of ink with boxes on them; what is none is refused by name."""

import dataclasses

import numpy as np
import PIL.Image
import pytest

from chromolib import records
from chromolib.data import formats, sources
from chromolib.data.formats import common
from chromolib.detect import data
from chromolib.imaging import segment
from chromolib.synth import lab, singles
from tests.studies.hamza import conftest

BOX = records.Boxes([[20, 30, 40, 60]], ["A1"])


def picture(height=96, width=192, boxes=BOX):
    """Dark blocks on white, where the boxes are."""
    grey = np.full((height, width), 250, np.uint8)
    for x0, y0, x1, y1 in boxes.xyxy.astype(int):
        grey[y0:y1, x0:x1] = 40
    return grey


def one(grey=None, boxes=BOX, **words):
    grey = picture() if grey is None else grey
    return conftest.image_set([grey], [boxes], **words)


@pytest.mark.parametrize("kind", data.KINDS)
def test_drawn_fields_are_squares_of_ink_with_46_boxes(drawn, kind):
    fields = drawn[kind]
    assert fields.x.shape == (4, conftest.SIDE, conftest.SIDE, 1)
    assert fields.x.dtype == np.uint8
    assert np.median(fields.x) < 30, "the ground is near 0"
    assert fields.present.sum(1).tolist() == [46] * 4
    assert (fields.source, fields.real, fields.kind) == ("synthetic", False, kind)
    assert len(set(fields.group)) == 2, "two cells a patient"
    inside = np.zeros(fields.x.shape[:3], bool)
    for mask, boxes in zip(inside, fields.truth, strict=True):
        for x0, y0, x1, y1 in boxes.xyxy.round().astype(int):
            mask[y0:y1, x0:x1] = True
    assert fields.x[inside].mean() > 3 * fields.x[~inside].mean()


def test_an_image_is_made_to_fit_and_its_boxes_go_with_it():
    fields = data.fields(one(), "metaphase", side=96)
    assert fields.boxes[0, 0].tolist() == [10, 39, 20, 54]
    ink = fields.x[0, ..., 0] > 127
    rows, columns = np.nonzero(ink)
    assert (columns.min(), rows.min()) == (10, 39)
    assert (columns.max() + 1, rows.max() + 1) == (20, 54)
    assert fields.labels.tolist() == [[0]], "A1 is chromosome 1"


def test_light_chromosomes_on_a_dark_ground_are_ink_too():
    dark, light = (
        data.fields(one(grey), "karyogram", side=96).x
        for grey in (picture(), 255 - picture())
    )
    assert np.abs(dark.astype(int) - light).max() <= 8


def test_stain_does_not_ask_which_way_the_light_falls():
    plain = picture()
    slope = np.linspace(0.7, 1, plain.shape[1])
    uneven = np.rint(plain * slope).astype(np.uint8)
    ground = segment.stained(uneven)[plain == 250]
    assert np.abs(ground).max() < 0.1


def test_places_without_a_box_are_minus_one():
    many = records.Boxes([[20, 30, 40, 60], [60, 30, 80, 50]], ["2", "X"])
    images = conftest.image_set([picture(), picture(boxes=many)], [BOX, many])
    fields = data.fields(images, "karyogram", side=96)
    assert fields.labels.tolist() == [[0, -1], [1, 22]]
    assert fields.boxes[0, 1].tolist() == [0, 0, 0, 0]
    assert [len(boxes) for boxes in fields.truth] == [1, 2]


def test_another_size_keeps_ink_and_boxes_together(drawn):
    fields = drawn["karyogram"]
    small = data.sized(fields, 64)
    assert small.x.shape[1:] == (64, 64, 1)
    np.testing.assert_allclose(small.boxes, fields.boxes / 2)
    assert small.x.mean() == pytest.approx(fields.x.mean(), rel=0.02)


def test_counts_and_histogram_add_up(drawn):
    table = data.counts(*drawn.values())
    assert table["boxes"].tolist() == [184, 184]
    histogram = data.histogram(drawn)
    assert histogram["class"].tolist() == list(records.CLASSES)
    assert histogram[list(drawn)].sum().tolist() == [184, 184]
    assert histogram.loc[0, "karyogram"] == 8


def crowd(count):
    columns = np.arange(count) % 180
    return records.Boxes(
        np.stack([columns, columns // 2, columns + 9, columns // 2 + 9], 1),
        ["1"] * count,
    )


NOTHING = records.Boxes(np.empty((0, 4)), [])
FLAT = records.Boxes([[20, 30, 20, 60]], ["1"])
BAD = {
    "no boxes": (picture(), NOTHING, "no box on the image; annotate"),
    "a crowd": (picture(), crowd(200), "more than 94 boxes on one image"),
    "no width": (picture(), FLAT, "a box has no area"),
    "another thing": (picture(), records.Boxes(BOX.xyxy, ["dog"]), "'dog': no chrom"),
    "a pixel": (np.zeros((1, 1), np.uint8), BOX, "fewer than 64 pixels"),
    "nothing": (np.full((96, 96), 9, np.uint8), BOX, "one grey all over"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_no_detector_can_use_is_refused_by_name(name):
    grey, boxes, reason = BAD[name]
    images = conftest.image_set([picture(), grey], [BOX, boxes])
    with pytest.raises(
        data.FieldError, match=f"voc: 1 error, first a1.png: .*{reason}"
    ):
        data.fields(images, "metaphase", side=96)
    fields = data.fields(images, "metaphase", side=96, on_error="skip")
    assert fields.image.tolist() == ["a0.png"]
    assert [problem.file for problem in fields.problems] == ["a1.png"]
    with pytest.raises(data.FieldError, match="1 error"):
        data.fields(images.take([1]), "metaphase", on_error="skip")


def voc(folder, name, size=(192, 96), label="7", box=(20, 30, 40, 60), image=True):
    """An image with one box, as LabelImg writes it."""
    if image:
        PIL.Image.new("L" if size[0] < 5000 else "1", size, 1).save(
            folder / f"{name}.png"
        )
    if box:
        corners = zip(("xmin", "ymin", "xmax", "ymax"), box, strict=True)
        tags = "".join(f"<{tag}>{value}</{tag}>" for tag, value in corners)
        (folder / f"{name}.xml").write_text(
            f"<annotation><filename>{name}.png</filename><object><name>{label}</name>"
            f"<bndbox>{tags}</bndbox></object></annotation>"
        )


FILES = {
    "an annotation without image": ({"image": False}, r"b\.xml: no image for this"),
    "an image without annotation": ({"box": None}, r"b\.png: no annotation for this"),
    "a box of no width": ({"box": (20, 30, 20, 60)}, r"b\.png: a box has no area"),
    "100 megapixels": ({"size": (10_000, 10_000)}, r"b\.png: more than 64 million"),
}


@pytest.mark.parametrize("name", FILES)
def test_files_that_do_not_belong_together_stop_at_the_door(tmp_path, name):
    words, reason = FILES[name]
    voc(tmp_path, "a")
    voc(tmp_path, "b", **words)
    with pytest.raises(sources.DataRefused, match=reason):
        sources.load("voc", tmp_path)


@pytest.mark.parametrize("form", ["voc", "yolo", "coco"])
def test_a_folder_of_ones_own_becomes_fields(tmp_path, form):
    annotated = {}
    for name, label in (("a", "7"), ("b", "X")):
        boxes = records.Boxes(BOX.xyxy, [label])
        file = tmp_path / f"{name}.png"
        PIL.Image.fromarray(picture() - ord(name) % 5).save(file)
        annotated[file.name] = common.Annotated(name, boxes, 192, 96)
    dataset = common.Dataset(annotated, ("7", "X"))
    formats.FORMATS[form].write(dataset, lambda _: (192, 96), tmp_path)
    (tmp_path / "images.csv").write_text("image,group\na.png,p\nb.png,q\n")
    run = conftest.Run(sources.load(form, tmp_path))
    fields = data.read(run, "metaphase", 0)
    assert fields.labels.tolist() == [[6], [22]]
    assert (fields.source, fields.real) == (form, True)
    assert (fields.group.tolist(), fields.side) == (["p", "q"], data.SIDE)


def test_a_run_without_a_source_is_drawn():
    fields = data.read(conftest.Run(), "karyogram", 2)
    assert (len(fields), fields.side) == (2, data.SIDE)


def test_a_source_is_asked_for_what_it_shows():
    with pytest.raises(data.FieldError, match="tseng2023 shows metaphases"):
        data.fields(one(source="tseng2023"), "karyogram")
    with pytest.raises(data.FieldError, match="known: karyogram, metaphase"):
        data.fields(one(), "chromosome")
    bare = conftest.image_set([picture()], [BOX])
    with pytest.raises(data.FieldError, match="neither boxes nor chromosomes"):
        data.fields(conftest.without_boxes(bare), "karyogram")


def test_karyograms_are_composed_of_single_chromosomes_with_their_boxes():
    chromosomes = conftest.without_boxes(singles.images(lab.cells(2, seed=1)))
    fields = data.fields(chromosomes, "karyogram", side=208)
    assert fields.source == "synthetic (composed)"
    assert fields.present.sum(1).tolist() == [46, 46]
    with pytest.raises(data.FieldError, match="metaphases cannot"):
        data.fields(chromosomes, "metaphase")


@pytest.mark.realdata
@pytest.mark.parametrize(
    ("source", "kind", "unit"),
    [
        ("roboflow", "karyogram", "source image"),
        ("tseng2023", "metaphase", "case"),
        ("bioimlab", "karyogram", "cell"),
    ],
)
def test_real_sources_become_fields(real, source, kind, unit):
    images = real(source)
    cells = np.unique(images.cell)[:12]
    fields = data.fields(images.take(np.isin(images.cell, cells)), kind)
    assert (fields.real, fields.unit) == (True, unit)
    assert abs(fields.present.sum(1) - 46).max() <= 4
    inside = [
        image[int(y0) : int(y1), int(x0) : int(x1)].mean()
        for image, boxes in zip(fields.x[..., 0], fields.truth, strict=True)
        for x0, y0, x1, y1 in boxes.xyxy
    ]
    assert np.mean(inside) > 2 * fields.x.mean()


def test_boxes_at_the_border_stay_inside_at_any_size(karyograms):
    part = data.sized(karyograms.take([0]), 416)
    boxes = part.boxes.copy()
    boxes[:, 0, 2:] = 416
    part = dataclasses.replace(part, boxes=boxes)
    for side in range(33, 300):  # some quotients are a little too large
        made = data.sized(part, side)
        assert side - 1e-3 < made.boxes.max() <= side
