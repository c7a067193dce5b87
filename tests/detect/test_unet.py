"""What every pixel is, and the chromosomes of that: touching ones apart."""

import dataclasses

import keras
import numpy as np
import pytest

from chromolib.detect import scores, unet
from chromolib.karyotype import fields, finding
from chromolib.synth import lab, sets


@pytest.fixture(scope="module")
def drawn():
    """One drawn field, its ink, and what each pixel is."""
    images = sets.metaphases(lab.cells(1, look="field", seed=2), size=256)
    return images, *unet.targets(images, 256)


class Knowing:
    """A network that says what it was told."""

    def __init__(self, kinds):
        self.kinds = kinds

    def __call__(self, images):
        return keras.ops.convert_to_tensor(
            20.0 * np.eye(3, dtype="f")[self.kinds][None]
        )


def test_two_that_touch_are_two_insides_with_an_edge_between():
    numbered = np.zeros((20, 30), int)
    numbered[5:15, 5:15], numbered[5:15, 15:25] = 1, 2
    kinds = unet._kinds(numbered)
    assert (kinds[6:14, 14:16] == unet.EDGE).all()
    assert (kinds[6:14, 6:14] == unet.INSIDE).all()
    assert (kinds[numbered == 0] == unet.GROUND).all()
    labels, score = unet.instances(Knowing(kinds), np.zeros((20, 30), np.uint8))
    assert len(score) == 2
    assert len(set(labels[10, 6:14])) == 1
    assert labels[10, 8] != labels[10, 20]
    assert (labels > 0).sum() == (numbered > 0).sum(), "insides grow over their edges"


def test_the_upper_one_of_two_is_whole_and_nothing_gives_nothing(drawn):
    images, _, kinds = drawn
    (boxes,) = images.boxes
    labels, score = unet.instances(Knowing(kinds[0]), np.zeros((256, 256), np.uint8))
    assert 0.8 * len(boxes) < len(score) < 1.2 * len(boxes)
    (x, y), mask = np.round(boxes.xyxy[-1, :2]).astype(int), boxes.mask[-1]
    height, width = mask.shape
    seen = labels[y : y + height, x : x + width][mask]
    assert np.bincount(seen[seen > 0]).max() > 0.6 * mask.sum()
    ground = Knowing(np.zeros((256, 256), int))
    labels, score = unet.instances(ground, np.zeros((256, 256), np.uint8))
    assert not labels.any()
    assert len(score) == 0


def test_it_learns_one_field_by_heart(drawn, monkeypatch):
    _, ink, kinds = drawn
    monkeypatch.setattr(unet, "TILE", 64)
    network = unet.learned(ink, kinds, steps=160, seed=0, rate=5e-3)
    found, _ = unet.instances(network, ink[0])
    both = ((found > 0) & (kinds[0] > 0)).sum() / ((found > 0) | (kinds[0] > 0)).sum()
    assert both > 0.7
    assert found.max() > 15


def test_tiles_weigh_contacts_more_and_repeat_by_seed(drawn):
    _, ink, kinds = drawn
    first, second = (
        unet._tiles(ink, kinds, np.random.default_rng(3)) for _ in range(2)
    )
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one, other)
    seen, told, weight = first
    assert seen.shape == (unet.BATCH, unet.TILE, unet.TILE, 1)
    assert set(np.unique(weight)) <= {1, 1 + unet.CONTACT}
    assert (told[weight > 1] == unet.EDGE).all()


def test_outlines_of_what_was_painted_lie_in_the_field(drawn):
    images, _, kinds = drawn
    field = next(fields.of(images))
    network = Knowing(kinds[0])
    network.input_shape = (None, 256, 256, 1)
    found = finding.painted(field, network)
    truth = images.boxes[0]
    plain = dataclasses.replace(found.boxes, polygon=())
    assert len(scores.match(truth, plain).truth) > 0.75 * len(truth)
    assert len(found.crops) == len(found)
