"""Metaphase fields: what is drawn is what the truth says, and papers do not add up."""

import itertools

import numpy as np
import pytest
from scipy import ndimage

from chromolib.synth import lab, looks, metaphase, surroundings


@pytest.fixture(scope="module", params=["g", "q"])
def drawn(request):
    """A field of each look: dark (or bright) shares of the range, and the truth."""
    cell = lab.cell("46,XY", look=request.param, seed=2)
    image, boxes = metaphase.draw(cell, size=512)
    stain = image / 255
    return cell, (1 - stain if looks.DARK[cell.look] else stain), boxes


def placed(boxes, i, shape):
    """The mask of a chromosome in its field."""
    whole = np.zeros(shape, bool)
    x0, y0, x1, y1 = boxes.xyxy[i].astype(int)
    whole[y0:y1, x0:x1] = boxes.mask[i]
    return whole


@pytest.mark.parametrize(
    ("karyotype", "label", "copies"),
    [
        ("46,XX", "X", 2),
        ("47,XY,+21", "21", 3),
        ("45,X", "X", 1),
        ("47,XX,+mar", "mar", 1),
    ],
)
def test_every_chromosome_of_the_cell_has_a_box(karyotype, label, copies):
    cell = lab.cell(karyotype)
    _, boxes = metaphase.draw(cell, size=256)
    assert sorted(boxes.label) == sorted(cell.label)
    assert (boxes.label == label).sum() == copies


def test_a_mask_touches_all_sides_of_its_box(drawn):
    for mask in drawn[2].mask:
        assert all(side.any() for side in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))


def test_boxes_lie_inside_the_image_on_whole_pixels(drawn):
    _, stain, boxes = drawn
    assert boxes.xyxy.min() >= 0
    assert boxes.xyxy.max() <= len(stain)
    np.testing.assert_array_equal(boxes.xyxy, np.round(boxes.xyxy))


def test_outlines_bound_their_boxes_and_axes_run_inside(drawn):
    boxes = drawn[2]
    for box, outline, axis in zip(boxes.xyxy, boxes.polygon, boxes.axis, strict=True):
        np.testing.assert_allclose([*outline.min(0), *outline.max(0)], box)
        assert ((axis > box[:2] - 2) & (axis < box[2:] + 2)).all()


def test_masks_are_where_the_stain_is(drawn):
    _, stain, boxes = drawn
    masks = [placed(boxes, i, stain.shape) for i in range(len(boxes))]
    told = np.any(masks, 0)
    near = ndimage.binary_dilation(told, iterations=6)
    ground = np.median(stain[~near])
    seen = stain - ground > 0.3 * np.median(stain[told] - ground)
    assert (seen & told).sum() > 0.8 * ((seen | told) & near).sum()


def test_the_upper_chromosome_hides_the_lower():
    stain = np.zeros((4, 6), np.float32)
    lower, upper = np.full((4, 4), 0.6), np.full((4, 4), 0.3)
    for ink, x in ((lower, 0), (upper, 2)):
        metaphase._stack(stain, ink, np.ones((4, 4)), (x, 0))
    shown = stain[0]  # the lower alone, both, the upper alone
    np.testing.assert_allclose(shown[[0, 5]], [0.6, 0.3], rtol=1e-6)
    assert abs(shown[3] - 0.3) < abs(shown[3] - 0.6)
    assert 0.3 <= shown[3] < 0.5 * (0.3 + 0.6)


def test_crossings_in_a_picture_are_as_dark_as_one_chromosome(drawn):
    _, stain, boxes = drawn
    masks = [
        ndimage.binary_erosion(placed(boxes, i, stain.shape), iterations=3)
        for i in range(len(boxes))
    ]
    twice = np.sum(masks, 0) > 1
    alone = np.sum(masks, 0) == 1
    assert twice.any()
    assert stain[twice].mean() < 1.4 * stain[alone].mean()


def test_the_same_cell_gives_the_same_field_and_another_seed_another():
    first, again, other = (
        metaphase.draw(lab.cell("46,XX", seed=seed), size=200)[0] for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, again)
    assert (first != other).mean() > 0.1


def test_some_chromosomes_lie_free_and_some_do_not():
    fields = [metaphase.draw(cell, size=256)[1] for cell in lab.cells(4)]
    hidden = []
    for boxes in fields:
        masks = [placed(boxes, i, (256, 256)) for i in range(len(boxes))]
        hidden += [
            (mask & np.any(masks[i + 1 :] or [mask & False], 0)).any()
            for i, mask in enumerate(masks)
        ]
    assert 0.05 < np.mean(hidden) < 0.8


def test_lengths_compare_as_in_the_cell(drawn):
    cell, _, boxes = drawn
    steps = [np.hypot(*np.diff(axis, axis=0).T).sum() for axis in boxes.axis]
    seen = {name: np.mean(np.array(steps)[boxes.label == name]) for name in ("1", "21")}
    whole = {
        name: cell.patterns.length[cell.label == name].mean() for name in ("1", "21")
    }
    assert seen["1"] / seen["21"] == pytest.approx(whole["1"] / whole["21"], rel=0.25)


@pytest.mark.parametrize("karyotype", ["46,XX,r(13)(p11q34)", "49,XXXXY", "45,XY,-21"])
def test_odd_cells_are_drawn_too(karyotype):
    cell = lab.cell(karyotype)
    image, boxes = metaphase.draw(cell, size=128)
    assert image.shape == (128, 128)
    assert len(boxes) == len(cell.homologues)


@pytest.mark.parametrize("size", [0, 127, 4097])
def test_a_field_of_absurd_size_is_refused(size):
    with pytest.raises(metaphase.FieldError, match=str(size)):
        metaphase.draw(lab.cell("46,XX"), size=size)


def test_whatever_stands_at_the_border_is_cut_by_it():
    for seed, middle in itertools.product(range(3), [(0, 0), (99, 50), (300, 300)]):
        field = surroundings.Field(np.zeros((100, 100), np.float32), 8.0)
        rng = np.random.default_rng(seed)
        surroundings._nucleus(field, np.zeros((100, 100), bool), rng, middle, 30)
        surroundings.debris(field, rng)
        assert np.isfinite(field.stain).all()
