"""Boxes at an angle: there and back, how alike, and cut out upright."""

import fields
import numpy as np
import pytest
from scipy import ndimage

from chromolib import records
from chromolib.detect import boxes, oriented


def some(count, seed=0):
    rng = np.random.default_rng(seed)
    return np.c_[
        rng.uniform(20, 76, (count, 2)),
        rng.uniform(20, 40, count),
        rng.uniform(6, 14, count),
        rng.uniform(0, np.pi, count),
    ].astype("f")


def test_six_numbers_lead_back():
    truth = some(30)
    anchors = np.c_[truth[:, :2] - 9, truth[:, :2] + (11, 5)].astype("f")
    back = np.asarray(oriented.decode(oriented.encode(truth[None], anchors), anchors))[
        0
    ]
    np.testing.assert_allclose(back[:, :4], truth[:, :4], rtol=1e-4)
    turn = np.abs(back[:, 4] - truth[:, 4])
    assert np.minimum(turn, np.pi - turn).max() < 1e-3
    assert (back[:, 4] >= 0).all()
    assert (back[:, 4] < np.pi + 1e-6).all()


def test_the_direction_has_no_jump():
    """A hair to the left and to the right of lying flat are nearly the same."""
    low, high = (np.array([[[30, 30, 30, 9, a]]], "f") for a in (1e-3, np.pi - 1e-3))
    anchors = np.array([[20, 20, 40, 40]], "f")
    both = [np.asarray(oriented.encode(each, anchors)) for each in (low, high)]
    assert np.abs(both[0] - both[1]).max() < 0.01


def test_how_alike_two_boxes_are():
    truth = some(12)
    alike = np.asarray(oriented.alike(truth[None], truth[None]))[0]
    np.testing.assert_allclose(np.diag(alike), 1, atol=0.02)
    np.testing.assert_allclose(alike, alike.T, atol=1e-3)
    assert (alike >= 0).all()


def slow_alike(a, b):
    """1 - Hellinger distance of two normal distributions, summed over a grid."""
    y, x = np.mgrid[0:96:0.5, 0:96:0.5]

    def density(box):
        cos, sin = np.cos(box[4]), np.sin(box[4])
        u = (x - box[0]) * cos + (y - box[1]) * sin
        v = -(x - box[0]) * sin + (y - box[1]) * cos
        value = np.exp(-6 * (u**2 / box[2] ** 2 + v**2 / box[3] ** 2))
        return value / value.sum()

    return 1 - np.sqrt(max(0, 1 - np.sqrt(density(a) * density(b)).sum()))


def test_alike_is_what_a_grid_sums_up():
    truth = some(4, seed=3)
    truth = np.r_[truth, truth + np.array([4, -3, 2, 1, 0.4], "f")]
    fast = np.asarray(oriented.alike(truth[None], truth[None]))[0]
    slow = [[slow_alike(a, b) for b in truth] for a in truth]
    np.testing.assert_allclose(fast, slow, atol=0.02)


def test_chromosomes_side_by_side_are_not_alike_though_their_boxes_overlap():
    pair = np.array([[40, 40, 40, 9, np.pi / 4], [47, 33, 40, 9, np.pi / 4]], "f")
    pair = np.stack([pair[0], pair[1]])
    assert np.asarray(oriented.alike(pair[None], pair[None]))[0, 0, 1] < 0.3
    upright = oriented.record(pair, ["1", "1"], [1, 1], 96).xyxy.astype("f")
    assert np.asarray(boxes.iou(upright, upright))[0, 1] > 0.4


def test_the_smallest_box_around_an_outline():
    for one in some(20, seed=1):
        found = oriented.around(oriented.corners(one))
        np.testing.assert_allclose(found[:4], one[:4], rtol=1e-4)
        assert np.cos(2 * (found[4] - one[4])) == pytest.approx(1, abs=1e-4)


def test_no_box_at_a_degree_is_smaller():
    points = np.random.default_rng(0).normal(size=(30, 2)) * (9, 4)
    found = oriented.around(points)
    for angle in np.deg2rad(np.arange(0, 90)):
        turn = np.array(
            [[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]
        )
        sides = np.ptp(points @ turn.T, axis=0)
        assert found[2] * found[3] <= sides.prod() + 1e-6


def test_padding_takes_outlines_and_else_boxes():
    _, truth = fields.draw(("long", "short"), slanting=True)
    plain = records.Boxes([[0, 0, 10, 30]], ["long"])
    padded = oriented.pad([truth, plain], most=3)
    assert padded.shape == (2, 3, 5)
    np.testing.assert_allclose(padded[0, :2, 2], [30, 17], rtol=1e-4)
    np.testing.assert_allclose(padded[1, 0], [5, 15, 30, 10, np.pi / 2], rtol=1e-5)
    assert not padded[0, 2].any()


def test_a_slanting_thing_comes_out_upright():
    image, truth = fields.draw(("long",), seed=4, slanting=True)
    found = oriented.of(truth)[None]
    (cut,) = np.asarray(
        oriented.upright(image[None], found, canvas=(40, 20), margin=3)
    )[0]
    cut = cut[..., 0]
    assert cut.shape == (40, 20)
    rows, columns = np.flatnonzero(cut.max(1) > 0.3), np.flatnonzero(cut.max(0) > 0.3)
    assert abs(len(rows) - 30) <= 2
    assert abs(len(columns) - 9) <= 2
    assert abs(rows.mean() - 19.5) < 1
    assert abs(columns.mean() - 9.5) < 1


def test_an_upright_box_is_cut_as_it_is():
    image = np.random.default_rng(0).random((64, 64, 1)).astype("f")
    box = np.array([[[32, 31, 20, 8, np.pi / 2]]], "f")
    cut = np.asarray(oriented.upright(image[None], box, canvas=(30, 12), margin=0))
    np.testing.assert_allclose(cut[0, 0, 5:25, 2:10], image[21:41, 28:36], atol=1e-4)
    assert not cut[0, 0, :5].any()
    assert not cut[0, 0, :, :2].any()


def test_upright_is_what_scipy_turns():
    """No mirror: a thing with a head and a side keeps both, turned."""
    image = np.zeros((64, 64), "f")
    image[20:44, 28:36] = np.linspace(0.2, 1, 24)[:, None]
    image[20:44, 34:36] = 1
    for degrees in (20, 60, -40):
        turned = ndimage.rotate(image, degrees, reshape=False, order=1)
        angle = np.deg2rad(90 - degrees) % np.pi
        box = np.array([[[32, 32, 24, 8, angle]]], "f")
        cut = np.asarray(
            oriented.upright(turned[None, ..., None], box, canvas=(24, 8), margin=0)
        )[0, 0, 3:-3, 2:-1, 0]
        np.testing.assert_allclose(cut, image[23:41, 30:35], atol=0.3)
        assert np.abs(cut - image[23:41, 30:35]).mean() < 0.08


def test_no_box_is_no_chromosome():
    cut = oriented.upright(np.ones((1, 32, 32, 1), "f"), np.zeros((1, 4, 5), "f"))
    assert cut.shape == (1, 4, 80, 24, 1)
    assert not np.asarray(cut).any()


def test_a_record_holds_outline_and_axis():
    truth = some(3)
    made = oriented.record(truth, ["1", "2", "X"], np.array([0.9, 0.8, 0.7]), 96)
    for one, line in zip(truth, made.axis, strict=True):
        np.testing.assert_allclose(np.linalg.norm(line[1] - line[0]), one[2], rtol=1e-4)
    np.testing.assert_allclose(oriented.of(made)[:, :4], truth[:, :4], rtol=1e-3)
    assert made.take([0]).polygon[0].shape == (4, 2)
