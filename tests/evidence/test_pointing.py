"""The pointing game against a slow twin, and where luck alone would stand."""

import numpy as np
import pytest

from chromolib.evidence import pointing

WORDS = {"source": "synthetic", "study": "chromonet", "model": "cnn", "seed": 0}
WORDS |= {
    "protocol": "clean",
    "profile": "smoke",
    "weights": "none",
    "conditions": {},
}


def drawn(count=40, seed=0, shape=(14, 9)):
    """Rods of ink on empty pictures, a box on each third of them, random maps."""
    rng = np.random.default_rng(seed)
    pictures, boxes = np.zeros((count, *shape, 1), np.float32), []
    for i in range(count):
        top, left = rng.integers(0, 4, 2)
        rod = rng.uniform(0.2, 1, (10, 1))
        pictures[i, top : top + 10, left : left + 4, 0] = rod
        start = top + rng.integers(0, 7)
        boxes.append((left, start, left + 4, start + 3) if i % 3 else None)
    groups = np.array([f"cell {i // 4}" for i in range(count)])
    return rng.normal(size=(count, *shape)), boxes, pictures, groups


def play(*asked, seed=1):
    return pointing.game(*asked, rng=np.random.default_rng(seed), words=WORDS)


def slow(maps, boxes, pictures):
    """The three rates, pixel by pixel."""
    rates = []
    for one, box, picture in zip(maps, boxes, pictures, strict=True):
        if box is None:
            continue
        best, area, inside, mass, middle = None, 0, 0, 0.0, np.zeros(2)
        for y in range(one.shape[0]):
            for x in range(one.shape[1]):
                ink = float(picture[y, x, 0])
                if ink <= 0.05:
                    continue
                if best is None or one[y, x] > one[best]:
                    best = y, x
                area += 1
                inside += box[0] <= x < box[2] and box[1] <= y < box[3]
                mass += ink
                middle += ink * np.array([x + 0.5, y + 0.5])
        x, y = middle / mass
        hit = box[0] <= best[1] < box[2] and box[1] <= best[0] < box[3]
        centre = box[0] <= x < box[2] and box[1] <= y < box[3]
        rates.append((hit, inside / area, centre))
    return np.mean(rates, 0)


def test_the_game_is_its_slow_twin():
    for seed in range(4):
        maps, boxes, pictures, groups = drawn(seed=seed)
        found = play(maps, boxes, pictures, groups)
        wanted = slow(maps, boxes, pictures)
        rates = [found[name].value for name in (pointing.HIT, *pointing.RIVALS)]
        np.testing.assert_allclose(rates, wanted)
        for name, rate in zip(pointing.RIVALS, wanted[1:], strict=True):
            difference = found[f"difference from {name}"].value
            np.testing.assert_allclose(difference, wanted[0] - rate, atol=1e-12)


def test_pictures_without_a_box_do_not_count():
    maps, boxes, pictures, groups = drawn()
    boxed = np.array([box is not None for box in boxes])
    found = play(maps, boxes, pictures, groups)
    kept = [box for box in boxes if box is not None]
    same = play(maps[boxed], kept, pictures[boxed], groups[boxed])
    assert found == same
    one = found[pointing.HIT]
    assert (one.n, one.groups) == (boxed.sum(), len(set(groups[boxed])))
    assert one.source == "synthetic"


def test_random_maps_hit_as_often_as_the_area_says():
    maps, boxes, pictures, groups = drawn(3000, seed=5)
    found = play(maps, boxes, pictures, groups)
    difference = found["difference from pointing by area share"]
    assert difference.low <= 0 <= difference.high
    assert difference.high - difference.low < 0.1


def test_a_map_that_knows_always_hits_and_one_that_knows_otherwise_never():
    _, boxes, pictures, groups = drawn()
    told = np.zeros(pictures.shape[:3])
    for one, box in zip(told, boxes, strict=True):
        if box is not None:
            x0, y0, x1, y1 = box
            one[y0:y1, x0:x1] = 1
    for maps, rate, sign in ((told, 1, 1), (-told, 0, -1)):
        found = play(maps, boxes, pictures, groups)
        difference = found["difference from pointing by area share"]
        assert found[pointing.HIT].value == rate
        assert min(sign * difference.low, sign * difference.high) > 0
        assert found[pointing.FLAT].value == 0


def test_the_centre_hits_a_box_around_it():
    maps, _, pictures, groups = drawn(4)
    ends = [(0, 3, 9, 11)] * 2 + [(8, 13, 9, 14)] * 2
    found = play(maps, ends, pictures, groups)
    assert found["pointing at the centre"].value == 0.5
    assert found["pointing at the centre"].n == 4


def test_what_is_abnormal_from_end_to_end_has_no_place_to_point_at():
    maps, _, pictures, groups = drawn(4)
    whole, part = (0, 0, 9, 14), (0, 3, 9, 11)
    mixed = play(maps, [whole, part] * 2, pictures, groups)
    alone = play(maps[1::2], [part] * 2, pictures[1::2], groups[1::2])
    assert mixed[pointing.HIT].n == 2
    for name, one in alone.items():
        assert mixed[name].value == pytest.approx(one.value)
    with pytest.raises(ValueError, match="every box holds its whole picture"):
        play(maps, [whole] * 4, pictures, groups)


def test_a_peak_outside_the_chromosome_is_not_seen():
    maps, boxes, pictures, groups = drawn()
    loud = np.where(pictures[..., 0] > 0.05, maps, 1e6)
    assert play(loud, boxes, pictures, groups) == play(maps, boxes, pictures, groups)


def test_scale_of_a_map_and_order_of_pictures_change_no_rate():
    maps, boxes, pictures, groups = drawn()
    found = play(maps, boxes, pictures, groups)
    assert play(3 * maps + 2, boxes, pictures, groups) == found
    back = play(maps[::-1], boxes[::-1], pictures[::-1], groups[::-1])
    for name, one in found.items():
        assert back[name].value == pytest.approx(one.value)


def test_of_equal_peaks_the_first_counts_and_a_flat_map_is_told():
    picture = np.zeros((1, 6, 5, 1), np.float32)
    picture[0, 1:5, 1:4] = 0.5
    flat = np.zeros((1, 6, 5))
    assert pointing.peaks(flat, picture).tolist() == [[1, 1]]
    found = play(flat, [(1, 1, 4, 2)], picture, ["a"])
    assert found[pointing.HIT].value == 1
    assert found[pointing.FLAT].value == 1
    flat[0, 3, 2] = flat[0, 4, 1] = 1
    assert pointing.peaks(flat, picture).tolist() == [[2, 3]]


def test_a_pair_is_resampled_together():
    """A difference is surer than its two rates where they rise and fall together."""
    maps, boxes, pictures, groups = drawn(300, seed=2)
    down, across = np.indices(maps.shape[1:])
    for i in np.flatnonzero(np.arange(300) % 10):  # most maps point at the centre
        ink = pictures[i, ..., 0]
        y, x = (np.average(at, weights=ink) for at in (down, across))
        maps[i] = -np.hypot(down - np.floor(y + 0.5), across - np.floor(x + 0.5))
    found = play(maps, boxes, pictures, groups)
    difference = found["difference from pointing at the centre"]
    hit, centre = found[pointing.HIT], found["pointing at the centre"]
    assert difference.low > hit.low - centre.high + 0.05
    assert difference.low < difference.value < difference.high


def test_what_is_found_has_its_names():
    rivals = [f"difference from {name}" for name in pointing.RIVALS]
    names = [pointing.HIT, *pointing.RIVALS, pointing.FLAT, *rivals]
    assert list(play(*drawn())) == names


def test_what_cannot_be_played_is_refused():
    maps, boxes, pictures, groups = drawn(6)
    broken, empty = maps.copy(), pictures.copy()
    broken[1, 0, 0], empty[1] = np.nan, 0
    for asked, told in (
        ((maps, [None] * 6, pictures, groups), "no picture has a box"),
        ((maps[:5], boxes, pictures, groups), "differ"),
        ((broken, boxes, pictures, groups), "not a number"),
        ((maps, boxes, empty, groups), "picture 1 has no ink"),
        ((maps[:, 1:], boxes, pictures, groups), "give \\(n, h, w\\)"),
        ((maps, [None, (3, 3, 3, 5), *boxes[2:]], pictures, groups), "x0 < x1"),
    ):
        with pytest.raises(ValueError, match=told):
            play(*asked)
