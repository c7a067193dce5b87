"""Eight views of a field: each undone exactly, and put together box by box."""

import numpy as np
import pytest

from chromolib import records
from chromolib.detect import suppress, views

SIZE = 32
ONE = [4.0, 6.0, 10.0, 20.0]


def boxes(*xyxy, score=1.0, label="chromosome"):
    score = np.broadcast_to(np.asarray(score, float), len(xyxy))
    return records.Boxes(np.array(xyxy), np.full(len(xyxy), label), score)


class Looking:
    """A detector that finds what is lit in each image, and nothing else."""

    size = SIZE

    def __init__(self, score=lambda k: 0.9):
        self.score, self.asked = score, 0

    def predict(self, images, **words):
        assert words == {**suppress.ONCE, "batch_size": 4}
        self.asked, found = len(images), []
        for k, image in enumerate(images[..., 0]):
            y, x = np.nonzero(image)
            lit = [[x.min(), y.min(), x.max() + 1, y.max() + 1]] if len(x) else []
            view = k // (len(images) // len(views.VIEWS))
            found.append(boxes(*lit, score=self.score(view)))
        return found


@pytest.fixture
def images():
    """One with a thing in it, which no turn or mirror leaves as it is, and an empty."""
    made = np.zeros((2, SIZE, SIZE, 1), np.float32)
    x0, y0, x1, y1 = map(int, ONE)
    made[0, y0:y1, x0:x1] = 1
    return made


def test_a_box_lies_where_it_lay_whatever_the_view(images):
    finder = Looking()
    one, none = views.predict(finder, images, batch_size=4)
    assert finder.asked == 2 * len(views.VIEWS) == 2 * len(set(views.VIEWS)) == 16
    np.testing.assert_allclose(one.xyxy, [ONE])
    assert one.score.tolist() == pytest.approx([0.9])
    assert len(none) == 0
    seen = {views.turned(images, *view).tobytes() for view in views.VIEWS}
    assert len(seen) == 8, "eight different views"


def test_many_images_are_asked_for_by_and_by(images, monkeypatch):
    three = np.concatenate([images, images[:1]])
    at_once = views.predict(Looking(), three, batch_size=4)
    monkeypatch.setattr(views, "AT_ONCE", 2)
    by_and_by = views.predict(Looking(), three, batch_size=4)
    assert [len(one) for one in by_and_by] == [1, 0, 1]
    for one, other in zip(at_once, by_and_by, strict=True):
        np.testing.assert_array_equal(one.xyxy, other.xyxy)


def test_a_view_that_does_not_see_a_chromosome_makes_it_less_sure(images):
    half = Looking(lambda k: 0.8 if k % 2 else 0.0)
    (one, _) = views.predict(half, images, batch_size=4)
    assert one.score.tolist() == pytest.approx([0.4])
    assert len(views.predict(half, images, batch_size=4, score=0.5)[0]) == 0


def test_a_box_is_the_mean_of_its_views_each_as_heavy_as_it_is_sure():
    left, right = boxes([0, 0, 10, 10], score=0.9), boxes([1, 0, 11, 10], score=0.3)
    (one,) = views.fused([left, right]).xyxy
    np.testing.assert_allclose(one, [0.25, 0, 10.25, 10])


def test_of_one_view_only_the_surest_counts_and_others_stay_apart():
    near = boxes([0, 0, 10, 10], [0, 1, 10, 11], [40, 0, 50, 10], score=[0.8, 0.6, 0.7])
    made = views.fused([near, boxes([0, 0, 10, 10], score=0.4), boxes()])
    np.testing.assert_allclose(made.xyxy, [[0, 0, 10, 10], [40, 0, 50, 10]])
    np.testing.assert_allclose(made.score, [(0.8 + 0.4) / 3, 0.7 / 3])


def test_who_stands_for_whom_is_as_in_the_slow_way():
    """Box after box, the surest first: into the nearest that it overlaps, or alone."""
    rng = np.random.default_rng(0)
    true = np.c_[rng.random((12, 2)) * 200, np.zeros((12, 2))]
    true[:, 2:] = true[:, :2] + 10 + 10 * rng.random((12, 2))
    found = [
        boxes(
            *(true + rng.normal(0, 0.4, true.shape)), score=0.3 + 0.7 * rng.random(12)
        )
        for _ in range(8)
    ]
    made = views.fused(found)
    assert len(made) == 12
    for box in true:
        own = [one.xyxy[np.abs(one.xyxy - box).max(1) < 3] for one in found]
        heavy = [one.score[np.abs(one.xyxy - box).max(1) < 3] for one in found]
        mean = np.average(np.concatenate(own), 0, np.concatenate(heavy))
        k = np.abs(made.xyxy - mean).max(1).argmin()
        np.testing.assert_allclose(made.xyxy[k], mean)
        assert made.score[k] == pytest.approx(np.concatenate(heavy).sum() / 8)
