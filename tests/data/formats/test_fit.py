import io

import numpy as np
import PIL.Image
import PIL.ImageOps
import pytest

from chromolib.data.formats import common, fit

W, H = 60, 40


def drawn(*boxes, width=None, height=None, fraction=False, outlines=None):
    """An annotation of boxes that are all labelled X."""
    outlines = outlines or [None] * len(boxes)
    objects = [
        common.Object("X", b, 1.0, o) for b, o in zip(boxes, outlines, strict=True)
    ]
    return common.Annotated("a.xml", common.boxes(objects), width, height, fraction)


def fitted(annotated, turn=1, width=W, height=H):
    stored = (width, height)
    boxes, problems = fit.fit(annotated, file="a.jpg", stored=stored, turn=turn)
    assert all(problem.file == "a.jpg" for problem in problems)
    return boxes, [(problem.level, problem.reason) for problem in problems]


def repaired(*expected):
    return [("repaired", what[0]) for what in expected]


def test_boxes_inside_the_image_stay():
    boxes, said = fitted(drawn((0, 0, 60, 40), (1.5, 2, 3, 4), width=60, height=40))
    assert boxes.xyxy.tolist() == [[0, 0, 60, 40], [1.5, 2, 3, 4]]
    assert not said


def test_shares_become_pixels():
    outline = np.array([[0, 0], [0.5, 0], [0.5, 0.5]])
    boxes, said = fitted(drawn((0, 0, 0.5, 0.5), fraction=True, outlines=[outline]))
    assert boxes.xyxy.tolist() == [[0, 0, 30, 20]]
    assert boxes.polygon[0].tolist() == [[0, 0], [30, 0], [30, 20]]
    assert not said


@pytest.mark.parametrize("turn", range(1, 9))
def test_boxes_turn_with_the_pixels(turn):
    pixels = np.zeros((H, W), np.uint8)
    pixels[3:9, 5:25] = 255
    image, exif, file = PIL.Image.fromarray(pixels), PIL.Image.Exif(), io.BytesIO()
    exif[0x0112] = turn
    image.save(file, "png", exif=exif)
    upright = np.asarray(PIL.ImageOps.exif_transpose(PIL.Image.open(file)))
    outline = np.array([[5, 3], [25, 3], [25, 9], [5, 9]], float)
    boxes, said = fitted(drawn((5, 3, 25, 9), outlines=[outline]), turn)
    x0, y0, x1, y1 = boxes.xyxy[0].astype(int)
    expected = np.zeros_like(upright)
    expected[y0:y1, x0:x1] = 255
    np.testing.assert_array_equal(upright, expected)
    bounds = [*boxes.polygon[0].min(0), *boxes.polygon[0].max(0)]
    assert bounds == boxes.xyxy[0].tolist()
    assert said == (repaired(fit.TURNED) if turn > 1 else [])


@pytest.mark.parametrize("turn", [5, 6, 7, 8])
def test_boxes_drawn_on_the_upright_image_are_not_turned(turn):
    boxes, said = fitted(drawn((5, 50, 25, 60), width=H, height=W), turn)
    assert boxes.xyxy.tolist() == [[5, 50, 25, 60]]
    assert not said


def test_a_square_image_turns_its_boxes():
    square = drawn((0, 0, 10, 20), width=40, height=40)
    boxes, said = fitted(square, turn=6, width=40, height=40)
    assert boxes.xyxy.tolist() == [[20, 0, 40, 10]]
    assert said == repaired(fit.TURNED)


def test_an_image_without_objects_has_nothing_to_turn():
    assert not fitted(drawn(), turn=6)[1]


def test_a_wrong_size_tag_counts_only_where_boxes_do_not_fit():
    boxes, said = fitted(drawn((0, 0, 60, 40), width=0, height=0))
    assert (len(boxes), said) == (1, repaired(fit.SIZE))
    boxes, said = fitted(drawn((0, 0, 61, 40), width=100, height=80))
    assert (len(boxes), said) == (0, [("error", fit.WRONG_SIZE[0])])


def test_a_box_that_reaches_out_is_cut_with_its_outline():
    outline = np.array([[-2, 0], [8, 0], [8, 8]], float)
    boxes, said = fitted(drawn((-2, 0, 8, 8), outlines=[outline]))
    assert boxes.xyxy.tolist() == [[0, 0, 8, 8]]
    assert boxes.polygon[0].tolist() == [[0, 0], [8, 0], [8, 8]]
    assert said == repaired(fit.CLIPPED)


def test_what_rounding_adds_is_cut_without_a_word():
    boxes, said = fitted(drawn((0, 0, 60 + 1e-9, 40)))
    assert (boxes.xyxy.tolist(), said) == ([[0, 0, 60, 40]], [])


@pytest.mark.parametrize(
    ("box", "what"),
    [
        ((-11, 0, 10, 10), fit.OUTSIDE),
        ((100, 100, 110, 110), fit.OUTSIDE),
        ((60, 0, 70, 10), fit.OUTSIDE),
        ((-4, -4, 8, 8), fit.OUTSIDE),
        ((5, 5, 5, 10), fit.NO_AREA),
        ((5, 5, 10, 5), fit.NO_AREA),
    ],
)
def test_a_box_that_is_not_on_the_image_is_an_error(box, what):
    boxes, said = fitted(drawn((1, 1, 2, 2), box))
    assert (len(boxes), said) == (0, [("error", what[0])])


def test_half_a_box_is_enough():
    boxes, said = fitted(drawn((-10, 0, 10, 10)))
    assert (boxes.xyxy.tolist(), said) == ([[0, 0, 10, 10]], repaired(fit.CLIPPED))


def test_an_exact_repetition_is_dropped():
    boxes, said = fitted(drawn((1, 1, 2, 2), (1, 1, 2, 2), (1, 1, 2, 3)))
    assert boxes.xyxy.tolist() == [[1, 1, 2, 2], [1, 1, 2, 3]]
    assert said == repaired(fit.SAME)


def test_one_box_of_two_labels_is_no_repetition():
    objects = [common.Object(label, (1, 1, 2, 2)) for label in "XY"]
    boxes, said = fitted(common.Annotated("a.xml", common.boxes(objects)))
    assert (boxes.label.tolist(), said) == (["X", "Y"], [])


def test_labels_are_not_held_twice():
    given = drawn((0, 0, 60, 40), (1, 2, 3, 4))
    boxes, _ = fitted(given)
    assert np.shares_memory(boxes.label, given.boxes.label)
