"""Abnormal images and where they are abnormal: laws, on a few drawn patients."""

import collections

import numpy as np
import pytest

from chromolib import records
from chromolib.cyto import iscn
from chromolib.synth import abnormal


def odd(karyotype):
    """The first rearranged chromosome of a karyotype."""
    clone = iscn.parse(karyotype).clones[0]
    return next(one for one in iscn.chromosomes(clone, 550) if not one.normal)


@pytest.fixture(scope="module")
def drawn():
    return abnormal.chromosomes(24, seed=5)


def test_half_are_abnormal_and_every_patient_has_one_image(drawn):
    assert set(drawn.label) == {"normal", "abnormal"}
    assert len(set(drawn.group)) == len(drawn)
    assert drawn.origin == "synthetic"


def test_normal_and_abnormal_ones_are_of_the_same_classes():
    drawn = abnormal.chromosomes(40, seed=6)
    sides = [
        collections.Counter(drawn.extra["class"][drawn.label == word].tolist())
        for word in ("normal", "abnormal")
    ]
    differ = sum((sides[0] - sides[1]).values()) + sum((sides[1] - sides[0]).values())
    assert differ <= 40 - len(drawn), "but for what could not be straightened"


def test_abnormal_images_say_where_and_normal_ones_have_nothing_to_say(drawn):
    for i in range(len(drawn)):
        height, width = drawn.pixels[i].shape
        boxes = drawn.boxes[i].xyxy
        assert len(boxes) == (drawn.label[i] == "abnormal")
        assert (boxes >= 0).all()
        assert (boxes <= [width, height, width, height]).all()


def test_the_same_seed_draws_the_same_and_a_start_goes_on(drawn):
    again = abnormal.chromosomes(4, seed=5, start=8)
    place = drawn.name.tolist().index(again.name[0])
    np.testing.assert_array_equal(again.pixels[0], drawn.pixels[place])


@pytest.mark.parametrize(
    ("karyotype", "low", "high"),
    [
        ("46,XX,del(5)(p15.1)", 0.0, 0.1),  # the tip of p is lost
        ("46,XX,del(5)(q33)", 0.9, 1.0),  # the tip of q
        ("46,XX,r(7)(p22q36)", 0.0, 1.0),
    ],
)
def test_a_joint_is_shown_where_it_is(karyotype, low, high):
    first, last = abnormal.stretch(odd(karyotype))
    assert (first, last) == (
        pytest.approx(low, abs=0.06),
        pytest.approx(high, abs=0.06),
    )


def test_what_is_there_twice_is_as_long_as_what_was_doubled():
    doubled = odd("46,XX,dup(1)(q21q31)")
    normal = next(
        one
        for one in iscn.chromosomes(iscn.parse("46,XX").clones[0], 550)
        if one.label == "1"
    )
    first, last = abnormal.stretch(doubled)
    more = (doubled.length - normal.length) / doubled.length
    assert last - first == pytest.approx(more, abs=0.01)


def test_a_normal_chromosome_has_no_abnormal_stretch():
    (normal, *_) = iscn.chromosomes(iscn.parse("46,XX").clones[0], 550)
    assert abnormal.stretch(normal) is None


def test_a_karyogram_is_abnormal_when_its_boxes_do_not_count_to_normal():
    drawn = abnormal.karyograms(8, seed=3)
    assert len(set(drawn.group)) == 8
    assert sorted(drawn.label) == ["abnormal"] * 4 + ["normal"] * 4
    assert {len(boxes) > 0 for boxes in drawn.boxes[1::2]} == {False}
    assert (drawn.extra["kind"][drawn.label == "normal"] == "none").all()


def test_a_wrong_number_is_boxed_around_all_of_its_class():
    labels = [name for name in records.CLASSES[:22] for _ in range(2)] + ["X", "X", "5"]
    xyxy = np.arange(len(labels))[:, None] * 10 + np.array([[0, 0, 5, 5]])
    found = abnormal.wrong_number(records.Boxes(xyxy, labels), "gain")
    assert found.label.tolist() == ["gain"]
    assert found.xyxy.tolist() == [[80, 80, 465, 465]]
