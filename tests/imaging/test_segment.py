"""Segmentation on fields drawn for tests, and on a few real ones."""

import metaphase
import numpy as np
import pytest

from chromolib.detect import scores
from chromolib.imaging import normalise, segment

SINGLES = [((40, 40), (40, 110)), ((270, 60), (210, 120)), ((40, 200), (80, 260))]


def score(drawn, found):
    return scores.detection([scores.match(drawn.boxes, found.chromosomes.boxes)])


def quality(truth, found):
    """PQ of two label images (Kirillov et al., CVPR 2019, equation 2)."""
    (one, n), (other, m) = (
        np.unique(labels[labels > 0], return_counts=True) for labels in (truth, found)
    )
    pairs = [[((truth == a) & (found == b)).sum() for b in other] for a in one]
    iou = pairs / (n[:, None] + m - pairs)
    return 2 * iou[iou > 0.5].sum() / (len(one) + len(other))


def test_quality_by_hand():
    truth = np.array([[1, 1, 0, 2, 2], [1, 1, 0, 2, 2], [0, 0, 0, 3, 3]])
    found = np.array([[1, 1, 0, 0, 0], [1, 0, 0, 0, 2], [0, 0, 0, 0, 0]])
    assert quality(truth, truth) == 1
    assert quality(truth, found) == quality(found, truth) == 0.3  # one pair of 3/4


@pytest.mark.parametrize("seed", range(3))
def test_rods_that_lie_apart_are_all_found(seed):
    drawn = metaphase.apart(seed=seed, specks=20)
    found = segment.segment(drawn.image)
    assert score(drawn, found).f1 == 1
    assert quality(drawn.labels, found.chromosomes.labels) > 0.8
    assert set(found.chromosomes.kind) == {"chromosome"}
    assert found.width == pytest.approx(14, abs=2)
    assert found.chromosomes.boxes.score.min() > 0.9


def test_the_other_polarity_gives_the_same_instances():
    drawn = metaphase.apart(nuclei=[(60, 60, 40)])
    one, other = segment.segment(drawn.image), segment.segment(255 - drawn.image)
    np.testing.assert_array_equal(one.labels, other.labels)
    np.testing.assert_array_equal(one.kind, other.kind)
    np.testing.assert_array_equal(one.boxes.score, other.boxes.score)


@pytest.mark.parametrize("way", ["row", "column", "corner"])
def test_uneven_light_changes_little(way):
    drawn = metaphase.apart()
    y, x = np.indices(drawn.image.shape) / np.array(drawn.image.shape)[:, None, None]
    light = 1 - 0.35 * {"row": y, "column": x, "corner": np.hypot(x, y) / 1.42}[way]
    found = segment.segment((drawn.image * light).astype(np.uint8))
    assert abs(len(found.chromosomes) - len(drawn.masks)) <= 1
    assert score(drawn, found).recall > 0.9


def rods(angle):
    """A field of thin rods in rows, all leaning so far from upright."""
    x, y = np.meshgrid(np.arange(40, 360, 40), np.arange(50, 250, 60))
    away = 20 * np.array([np.cos(angle), np.sin(angle)])
    middle = np.stack([y.ravel(), x.ravel()], 1)
    lines = [(tuple(one - away), tuple(one + away)) for one in middle]
    return metaphase.field(lines, shape=(300, 400), width=8)


def test_upright_rods_are_a_karyogram_and_leaning_ones_are_none():
    assert segment.is_karyogram(rods(0).image)
    assert segment.is_karyogram(255 - rods(0.2).image)
    assert not segment.is_karyogram(rods(0.8).image)
    assert not segment.is_karyogram(np.zeros((50, 50), np.uint8))
    assert not segment.is_karyogram(metaphase.field(SINGLES, shape=(300, 300)).image)


def test_turning_the_field_turns_the_instances():
    drawn = metaphase.apart()
    one, other = segment.segment(drawn.image), segment.segment(drawn.image[::-1, ::-1])
    assert sorted(one.kind) == sorted(other.kind)
    assert quality(one.labels, other.labels[::-1, ::-1]) > 0.9


def test_nuclei_and_specks_are_no_chromosomes():
    drawn = metaphase.field(
        SINGLES, nuclei=[(180, 180, 38), (0, 0, 30)], specks=0, shape=(300, 300)
    )
    drawn.image[150:156, 20:26] = 90
    found = segment.segment(drawn.image)
    assert score(drawn, found).f1 == 1
    assert sorted(found.kind) == sorted(
        ["chromosome"] * 3 + ["nucleus"] * 2 + ["debris"]
    )
    assert (found.boxes.score[found.kind == "nucleus"] == 0).all()


def test_rods_that_touch_are_taken_apart():
    touching = [((120, 40), (120, 120)), ((128, 80), (190, 80))]
    drawn = metaphase.field([*SINGLES, *touching])
    found = segment.segment(drawn.image)
    assert score(drawn, found).f1 == 1
    assert (found.chromosomes.kind == "touching").sum() == 2
    assert quality(drawn.labels, found.chromosomes.labels) > 0.75


def test_neighbours_with_a_pale_gap_are_taken_apart():
    beside = [((130, 40), (130, 120)), ((146, 50), (146, 130))]
    drawn = metaphase.field([*SINGLES, *beside], noise=1)
    found = segment.segment(drawn.image)
    assert score(drawn, found).f1 == 1


def test_a_crossing_is_flagged_and_both_boxes_are_whole():
    crossing = [((110, 130), (190, 210)), ((185, 130), (110, 205))]
    drawn = metaphase.field([*SINGLES, *crossing])
    found = segment.segment(drawn.image).chromosomes
    assert score(drawn, found).f1 == 1
    assert (found.kind == "overlap").sum() == 2
    flagged = found.boxes.score[found.kind == "overlap"]
    assert flagged.max() < found.boxes.score[found.kind == "chromosome"].min()


def test_a_box_holds_its_own_pixels_and_taking_keeps_them_together():
    found = segment.segment(metaphase.apart().image)
    some = found.take(found.boxes.score > 0.95)
    for k, (left, top, right, bottom) in enumerate(some.boxes.xyxy, 1):
        rows, columns = np.nonzero(some.labels == k)
        assert left <= columns.min()
        assert columns.max() < right
        assert top <= rows.min()
        assert rows.max() < bottom
    assert some.labels.max() == len(some) == len(some.kind)
    assert len(found.take(np.arange(len(found)))) == len(found)


def karyogram():
    """Upright rods in rows, each with a line under it, as a report shows them."""
    ends = [
        ((60 + 90 * k, 30 + 40 * j), (20 + 90 * k + 4 * j, 30 + 40 * j))
        for k in range(3)
        for j in range(8)
    ]
    drawn = metaphase.field(ends, shape=(290, 350))
    for row in (75, 165, 255):
        drawn.image[row : row + 2, 10:340] = 0
    return drawn


def test_a_karyogram_gives_its_chromosomes_too():
    assert score(karyogram(), segment.segment(karyogram().image)).recall > 0.8


NOISE = np.random.default_rng(0)
DISC = np.hypot(*(np.indices((300, 300)) - 150)) < 100
EMPTY = {
    "white": np.full((200, 200), 255, np.uint8),
    "black": np.zeros((200, 200), np.uint8),
    "one pixel": np.zeros((1, 1), np.uint8),
    "a line": NOISE.integers(0, 256, (2, 90)).astype(np.uint8),
    "one huge nucleus": np.where(DISC, 90, 240).astype(np.uint8),
    "normal noise": NOISE.normal(200, 15, (400, 400)).clip(0, 255).astype(np.uint8),
    "even noise": NOISE.integers(0, 256, (400, 400)).astype(np.uint8),
    "two halves": np.where(np.arange(300) < 150, 0, 255)[None].repeat(300, 0),
    "a gradient": np.arange(256)[None].repeat(200, 0),
}


@pytest.mark.parametrize("name", EMPTY)
def test_where_there_are_no_chromosomes_none_are_found(name):
    found = segment.segment(EMPTY[name].astype(np.uint8))
    assert len(found.chromosomes) == 0
    assert found.labels.shape == EMPTY[name].shape


def test_a_very_large_field_ends():
    image = np.full((4000, 4000), 240, np.uint8)
    drawn = metaphase.apart()
    image[: drawn.image.shape[0], -drawn.image.shape[1] :] = drawn.image
    assert len(segment.segment(image).chromosomes) == len(drawn.masks)


def test_more_objects_than_a_field_has_are_refused(monkeypatch):
    monkeypatch.setattr(segment, "CROWD", 11)
    with pytest.raises(normalise.ImagingError, match="one field"):
        segment.segment(metaphase.apart(12).image)


@pytest.mark.parametrize(
    "image",
    [np.zeros((9, 9, 3), np.uint8), np.zeros((0, 4), np.uint8), np.ones((9, 9))],
)
def test_what_is_not_grey_bytes_is_refused(image):
    with pytest.raises(normalise.ImagingError):
        segment.segment(image)


def test_illumination_is_divided_out():
    y, x = np.indices((200, 300))
    light = 200 + 20 * (x / 300) - 30 * (y / 200) ** 2
    stain = segment.even(light, segment.background(light))
    np.testing.assert_allclose(stain, 0, atol=0.01)


def test_noise_goes_and_contrast_reaches_one():
    image = np.full((60, 60), 200, np.uint8)
    image[20:40, 20:40] = 100
    noisy = image.copy()
    noisy[::7, ::7] = 0
    np.testing.assert_array_equal(segment.denoise(noisy)[2:18, 2:18], 200)
    stain = segment.contrast(segment.even(image, segment.background(image)))
    assert stain.max() == 1
    assert stain[30, 30] == pytest.approx(1)


def test_instances_refuse_what_does_not_belong_together():
    found = segment.segment(metaphase.apart().image)
    with pytest.raises(ValueError, match="differ in number"):
        segment.Instances(found.labels, found.boxes, found.kind[:-1], 1.0)
    with pytest.raises(ValueError, match="kinds are"):
        segment.Instances(found.labels, found.boxes, found.kind.astype("U9") + "!", 1.0)


def otsu(image):
    """What Otsu's level and connected components find: the baseline."""
    from skimage import filters, measure

    from chromolib import records

    parts = measure.regionprops(measure.label(image < filters.threshold_otsu(image)))
    boxes = [p.bbox for p in parts if p.area > 100]
    xyxy = [(left - 5, top - 5, right + 5, low + 5) for top, left, low, right in boxes]
    return records.Boxes(np.array(xyxy, float).reshape(-1, 4), [""] * len(xyxy))


@pytest.mark.realdata
def test_real_fields_beat_otsu(real):
    images = real("tseng2023")
    _, first = np.unique(images.group, return_index=True)  # one field of a case
    ours, base, sure = [], [], []
    for i in first[:: len(first) // 12][:12]:
        pixels, truth = np.asarray(images.pixels[i]), images.boxes[i]
        found = segment.segment(pixels).chromosomes
        ours.append(scores.match(truth, found.boxes))
        base.append(scores.match(truth, otsu(pixels)))
        certain = found.boxes.take(found.boxes.score > 0.9)
        sure.append(scores.match(truth, certain))
    ours, base, sure = map(scores.detection, (ours, base, sure))
    assert ours.recall > 0.75
    assert ours.precision > 0.75
    assert ours.f1 > base.f1 + 0.05
    assert sure.precision > 0.88  # the score means something
