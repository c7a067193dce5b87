"""Stage by stage: what is found, how it is named, and what is made of it."""

import dataclasses
import types

import numpy as np
import pytest
from scipy import ndimage

from chromolib import records
from chromolib.cyto import iscn
from chromolib.detect import boxes as pairs
from chromolib.detect import squares, views
from chromolib.karyotype import cases, fields, finding, naming, picture, results
from tests.imaging import metaphase


def named(labels, probability=None, given=True):
    """Chromosomes with these names."""
    n = len(labels)
    flat = np.full((n, 24), 1 / 24)
    chance = flat if probability is None else probability
    crops = tuple(np.full((12, 5), 90, np.uint8) for _ in labels)
    whole = np.ones(n)
    return naming.Named(
        None, np.array(labels), chance, whole > 0, whole, crops, np.full(n, given)
    )


NORMAL = [*np.repeat(records.CLASSES[:22], 2), "X", "Y"]


def diagnosis(labels, **more):
    return naming.diagnosis(named(labels, **more), penalty=3.0)


def test_segmentation_finds_most_chromosomes_each_with_crop_and_outline(field, drawn):
    image, truth = drawn["46,XX"]
    found = finding.find(field(image))
    best = np.max(pairs.iou(found.boxes.xyxy, truth.xyxy), 1)
    assert (best > 0.5).mean() > 0.7
    assert len(found.crops) == len(found) == len(found.boxes.polygon)
    assert min(len(outline) for outline in found.boxes.polygon) > 3
    for crop in found.crops:
        assert (crop[0] == 255).all(), "a margin of ground"


def test_light_chromosomes_are_found_as_dark_ones(field, drawn):
    image, _ = drawn["46,XX"]
    first, second = (finding.find(field(one)) for one in (image, 255 - image))
    assert len(first) == len(second)


def test_in_given_boxes_each_box_is_a_chromosome_with_an_outline_inside(field, drawn):
    image, truth = drawn["46,XX"]
    plain = dataclasses.replace(truth, polygon=(), mask=(), axis=())
    found = finding.drawn(field(image), plain)
    assert found.boxes.label.tolist() == truth.label.tolist()
    for box, outline in zip(found.boxes.xyxy, found.boxes.polygon, strict=True):
        assert (outline >= box[:2] - 2).all()
        assert (outline <= box[2:] + 2).all()


def test_of_two_that_share_a_box_each_is_cut_out_alone(field):
    lying, leaning = ((150, 40), (150, 250)), ((120, 60), (60, 240))
    drawn = metaphase.field([lying, leaning, ((200, 60), (270, 60))])
    first, second, _ = finding.drawn(field(drawn.image), drawn.boxes).crops
    for crop in (first, second):
        rest, n = ndimage.label(crop < 200)
        sizes = np.bincount(rest.ravel(), minlength=n + 1)[1:]
        assert sizes.max() > 0.98 * sizes.sum(), "one chromosome, nothing else"


def test_a_small_one_that_lies_on_a_large_one_is_not_lost_in_its_object():
    """Segmentation sees both as one object, whose box is the large one's."""
    ink = np.zeros((128, 128))
    ink[56:72, 10:118] = ink[40:88, 30:44] = 0.8
    large, small = [10, 56, 118, 72], [30, 40, 44, 88]
    boxes = records.Boxes(np.array([large, small], float), np.array(["", ""]))
    one = records.Boxes(boxes.xyxy[:1], boxes.label[:1])
    objects = types.SimpleNamespace(
        boxes=one, kind=np.array(["overlap"]), labels=(ink > 0).astype(int)
    )
    seen = types.SimpleNamespace(chromosomes=objects)
    field = types.SimpleNamespace(ink=ink, segmented=seen)
    inks, _, kind = finding.cut_out(field, boxes)
    assert min((part > 0).mean() for part in inks) > 0.9, "also where they cross"
    assert kind.tolist() == ["overlap", "chromosome"]
    (alone,), _, kind = finding.cut_out(field, one)
    assert (alone > 0).sum() == (ink > 0).sum()
    assert kind.tolist() == ["overlap"]


def test_boxes_that_are_not_sure_change_nothing_of_those_that_are(field, drawn):
    """Of a detector's many, some bound an object closer than the sure one does."""
    image, truth = drawn["46,XX"]
    sure = records.Boxes(truth.xyxy + np.array([-2, -2, 2, 2]), truth.label)
    xyxy = np.concatenate([sure.xyxy, truth.xyxy, [[0, 0, 9, 9]] * 40])
    score = np.r_[np.ones(46), np.full(46 + 40, 0.1)]
    every = records.Boxes(xyxy, np.full(len(xyxy), ""), score)
    seen = field(image)
    alone, _, kind = finding.cut_out(seen, sure)
    among, _, kinds = finding.cut_out(seen, every)
    assert all((a == b).all() for a, b in zip(alone, among[:46], strict=True))
    assert kind.tolist() == kinds[:46].tolist()
    assert np.mean([one.any() for one in among[46:92]]) > 0.5, "they show it as well"
    crops = [*map(finding.crop, among)]
    laid, _ = naming.straight(crops, every.score >= finding.SURE)
    as_large, _ = naming.straight(crops[:46])
    np.testing.assert_array_equal(laid[:46], as_large)


class Knowing:
    """A detector that finds what it was told, and one box beside the picture."""

    size = 160

    def __init__(self, xyxy, score=1.0):
        self.xyxy = xyxy
        self.score = np.append(np.broadcast_to(score, len(xyxy)), 1.0)

    def predict(self, images, **how):
        assert images.shape == (len(views.VIEWS), 160, 160, 1)
        assert how["by_class"] is False
        beside = [[0, 0, 10, 10]]
        boxes = np.concatenate([self.xyxy, beside])
        boxes = records.Boxes(boxes, np.full(len(boxes), "chromosome"), self.score)
        return [
            views.back(boxes, turns if mirrored else -turns % 4, mirrored, self.size)
            for turns, mirrored in views.VIEWS  # a mirror undoes itself
        ]


def searched(field, drawn, score=1.0):
    """True boxes of a picture that is wider than high, and what is found of them."""
    picture, boxes = drawn["46,XX"]
    wide = np.pad(picture, ((0, 0), (100, 100)), mode="edge")  # 512 x 712
    moved = boxes.xyxy + np.array([100, 0, 100, 0])
    on = squares.square(wide, 160).onto(moved)
    finder = Knowing(on, score), {"sha256": "f" * 64}, "finder.npz"
    return moved, boxes.label, finding.searched(field(wide), finder)


def test_boxes_of_a_detector_are_those_of_the_picture(field, drawn):
    moved, _, found = searched(field, drawn)
    assert len(found) == 46, "what lies beside the picture is no chromosome"
    np.testing.assert_allclose(found.boxes.xyxy, moved, atol=1e-3)
    assert found.how == "finder.npz (ffffffffffff)"
    assert len(found.crops) == len(found.boxes.polygon) == 46
    assert len(found.alone) == 46


def test_what_a_detector_doubts_is_taken_by_what_the_cell_lacks(field, drawn):
    score = np.full(46, 0.9)
    score[[3, 7]], score[9] = 0.3, finding.DOUBTFUL - 0.02
    moved, label, found = searched(field, drawn, score)
    assert len(found) == 45, "a third is not even doubtful"
    assert len(found.alone) == 43
    assert found.alone.least == 0
    label = label[np.asarray(pairs.iou(found.boxes.xyxy, moved)).argmax(1)]
    names, copies = np.unique(label[:43], return_counts=True)
    surest = np.array([*label[:43], *names[copies == 2][:2]])

    def taken(label):
        reader = naming.Namer(Reading(label), {"penalty": 6.0}, "reading.keras")
        named = naming.name(reader, found, rename=True)
        assert named.left == 0, "the finder alone would not take them either"
        assert named.label.tolist() == label[: len(named)].tolist()
        assert len(named) == len(named.found) == len(named.found.straight)
        return len(named)

    assert taken(label) == 45, "the cell lacks both"
    assert taken(surest) == 43, "the cell has two of each"


def test_what_the_finder_would_take_is_not_left_out_in_silence(field, drawn):
    score = np.append(np.full(45, 0.9), 0.6)
    moved, label, found = searched(field, drawn, score)
    label = label[np.asarray(pairs.iou(found.boxes.xyxy, moved)).argmax(1)]
    names, copies = np.unique(label[:45], return_counts=True)
    third = np.array([*label[:45], names[copies == 2][0]])
    reader = naming.Namer(Reading(third), {"penalty": 6.0}, "reading.keras")
    named = naming.name(reader, found, rename=True)
    assert len(named) == 45
    assert named.left == 1
    said = naming.diagnosis(named, penalty=6.0, sure=0.0)
    assert said["refer"]
    assert "1 objects left out" in said["reason"]


def test_what_has_no_clear_name_is_less_likely_a_chromosome():
    named = np.array([[0.99, 0.01], [0.6, 0.4], [0.0, 1.0]])
    clear, vague, sure = naming.whole(np.array([0.8, 0.8, 1.0]), named)
    assert vague < 0.8 < clear < sure <= 1
    better = naming.whole(np.array([0.5, 0.9]), named[:1].repeat(2, 0))
    assert better[0] < better[1]


def test_weights_are_those_that_known_objects_were_drawn_by():
    rng = np.random.default_rng(0)
    score, chance = rng.random(100_000), rng.dirichlet([0.3] * 24, 100_000)
    true = 1.5, -1.0
    right = rng.random(100_000) < naming.whole(score, chance, true)
    np.testing.assert_allclose(naming.weighed(score, chance, right), true, atol=0.1)
    few = naming.weighed(score[:3], chance[:3], right[:3])
    np.testing.assert_allclose(few, naming.WEIGHTS, atol=0.5)
    namer = naming.Namer(None, {"whole": [*true]}, "a.keras")
    assert namer.weights == [*true]
    assert naming.Namer(None, {}, "a.keras").weights == naming.WEIGHTS


def test_the_price_of_a_copy_is_what_names_most_of_what_was_found():
    """Of a doubtful pair one place is empty; only a high price fills it."""
    usual = [name for name in records.CLASSES[:22] for _ in range(2)] + ["X", "X"]
    index = [records.CLASSES.index(name) for name in usual]
    chance = np.full((46, 24), 0.01 / 23)
    chance[np.arange(46), index] = 0.99
    chance[0], chance[0, [0, 1]] = 0.001, [0.1, 0.878]  # a 1 that looks like a third 2
    score = np.full(46, 0.99)
    fields_ = [(score, chance, np.array(usual), np.array(usual))] * 3
    told = naming.fitted(fields_)
    assert told["penalty"] == 2.0, "two copies are amiss: half of 2.2 is not enough"
    assert len(told["whole"]) == 2


def test_the_price_of_a_copy_is_that_of_right_karyotypes_before_right_names():
    """A low price takes a 2 for a third 1 in one cell, and gives two true copies of 1
    their name in another, whose karyotype is lost anyway."""
    usual = np.array([n for n in records.CLASSES[:22] for _ in range(2)] + ["X", "X"])
    index = np.array([records.CLASSES.index(name) for name in usual])
    chance = np.full((46, 24), 0.01 / 23)
    chance[np.arange(46), index] = 0.99
    doubtful = chance.copy()
    doubtful[2], doubtful[2, [0, 1]] = 0.001, [0.878, 0.1]
    lost, rare = chance.copy(), usual.copy()
    for k in (2, 4):  # each of another pair, and a 1 that looks a little like it
        lost[k], lost[k, [0, index[k]]] = 0.001, [0.878, 0.1]
        rare[k] = "1"
    score = np.full(46, 0.99)
    one = score, doubtful, usual, usual
    other = score, lost, rare, np.append(rare, "22")
    assert naming.fitted([one, other])["penalty"] >= 2.0
    assert naming.fitted([other])["penalty"] < 2.0, "only names to gain"


class Reading:
    """A classifier that sees what it was told."""

    def __init__(self, label):
        self.logits = 8 * np.eye(24)[[records.CLASSES.index(one) for one in label]]

    def predict(self, x, **_):
        """The same of each view of its pictures."""
        return np.tile(self.logits, (len(x) // len(self.logits), 1))


def test_the_best_metaphase_is_complete_then_apart_then_banded_then_sharp():
    def one(count, overlap, bands, sharpness):
        words = {"count": count, "overlap": overlap, "touching": 0}
        return words | {"bands": bands, "sharpness": sharpness}

    rows = [one(44, 0, 500, 9), one(46, 3, 500, 9), one(46, 1, 200, 9)]
    rows += [one(46, 1, 300, 1), one(46, 1, 300, 2)]
    assert finding.ranked(rows) == [4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ("labels", "karyotype", "refer"),
    [
        (NORMAL, "46,XY", False),
        ([*NORMAL, "21"], "47,XY,+21", False),
        (NORMAL[:-1], "45,X", True),
        (NORMAL[:-2], "", True),
        (NORMAL[:30], "", True),
        ([*NORMAL, *NORMAL[:20]], "", True),
    ],
)
def test_a_karyotype_is_valid_or_its_absence_has_a_reason(labels, karyotype, refer):
    said = diagnosis(labels)
    assert (said["karyotype"], said["refer"]) == (karyotype, refer)
    assert bool(said["reason"]) == refer
    if karyotype:
        assert iscn.write(iscn.parse(karyotype)) == karyotype
    assert bool(said["name"]) == (len(labels) >= 46 and bool(karyotype))


def test_a_classifier_that_knows_nothing_is_referred():
    said = diagnosis(NORMAL, given=False)
    assert said["refer"]
    assert said["confidence"] < 0.5


def test_a_cell_expects_errors_where_names_or_places_are_doubtful():
    sure = named(NORMAL, given=True)
    assert sure.wrong == 0
    assert named(NORMAL[1:], given=True).wrong == 1, "a place is empty"
    doubtful = named(NORMAL, given=False)
    assert doubtful.wrong == pytest.approx(46 * (1 - 1 / 24), abs=1)
    how = {"penalty": 3.0, "sure": 0.0}
    assert "may be wrong" in naming.diagnosis(doubtful, **how, most=40)["reason"]
    assert "may be wrong" not in naming.diagnosis(doubtful, **how, most=46)["reason"]


def test_names_are_kept_unless_asked_anew(field, drawn, namer):
    image, truth = drawn["47,XY,+21"]
    found = finding.drawn(field(image), truth)
    kept = naming.name(namer, found)
    assert kept.label.tolist() == truth.label.tolist()
    assert kept.given.all()
    assert not naming.name(namer, found, rename=True).given.any()


def test_a_karyogram_has_every_chromosome_in_its_place():
    rng = np.random.default_rng(0)
    crops = [np.full((t, 9), 60, np.uint8) for t in rng.integers(20, 90, 46)]
    order = rng.permutation(46)
    labels = np.array(NORMAL)[order]
    drawn, boxes = picture.karyogram(crops, labels, "46,XY")
    for (x0, y0, x1, y1), crop in zip(boxes, crops, strict=True):
        assert 0 <= x0 < x1 <= drawn.shape[1]
        assert (drawn[y0:y1, x0:x1] < 255).all()
        assert (y1 - y0) / (x1 - x0) == pytest.approx(len(crop) / 9, rel=0.1)
    ones = boxes[labels == "1"]
    assert ones[:, 2].max() < boxes[labels == "2"][:, 0].min()
    assert ones[0, 3] == ones[1, 3], "they stand on one line"


def test_ninety_chromosomes_of_one_name_still_fit():
    crops = [np.zeros((40, 12), np.uint8)] * 90
    drawn, boxes = picture.karyogram(crops, ["1"] * 90, "")
    assert (boxes >= 0).all()
    assert boxes[:, 2].max() <= drawn.shape[1]
    assert boxes[:, 3].max() <= drawn.shape[0]


def test_clones_follow_iscn():
    mosaic = ["45,X"] * 3 + ["46,XX"] * 5
    assert cases.clones(mosaic) == "mos 45,X[3]/46,XX[5]"
    assert cases.clones(["45,XX,-9", "45,XX,-9", "46,XX"]) == "46,XX[1]", "two of -9"
    assert cases.clones(["47,XY,+21"] * 2) == "47,XY,+21[2]"
    assert cases.clones(["47,XY,+21", "46,XX,+8,-9"]) == ""
    assert cases.clones(["46,XX"]) == ""
    assert cases.clones(["46,XX"] * 9 + ["46,XY"]) == "46,XX[9]", "a stray cell"
    both = ["46,XX"] * 4 + ["46,XY"] * 3
    assert cases.clones(both) == "mos 46,XX[4]/46,XY[3]"


def test_a_case_has_the_karyotype_of_most_of_its_cells():
    def one(case, karyotype):
        words = {"case": case, "count": 46, "karyotype": karyotype, "name": ""}
        words |= {"copies": dict.fromkeys(records.CLASSES, 2) | {"Y": 0}}
        return words | {"confidence": 0.95, "refer": False, "reason": ""}

    texts = ["46,XX", "46,XX", "47,XX,+8", ""]
    rows = [one("a", text) for text in texts] + [one("", "46,XY"), one("b", "")]
    first, second = cases.consensus(rows).to_dict("records")
    assert (first["karyotype"], first["cells"], first["agree"]) == ("46,XX", 4, 2)
    assert first["refer"]
    assert first["clones"] == "46,XX[2]"
    assert second["karyotype"] == ""
    assert second["refer"]
    rows = [one("c", text) for text in ["46,XX", *[""] * 9]]
    rows += [one("d", text) for text in [*["46,XX"] * 9, ""]]
    few, most = cases.consensus(rows).to_dict("records")
    assert (few["refer"], most["refer"]) == (True, False)
    assert few["reason"] == "1 of 10 metaphases have it"


def test_by_class_a_case_has_what_most_of_its_cells_have_of_each():
    whole = dict.fromkeys(records.CLASSES, 2) | {"Y": 0}
    cells = [whole | {"1": 1}, whole | {"21": 3}, whole | {"9": 4, "X": 1}]
    assert cases.by_class(cells) == "46,XX"
    assert cases.by_class(cells[:2]) == "46,XX"
    assert cases.by_class([one | {"21": 3} for one in cells]) == "47,XX,+21"
    assert cases.by_class([whole | {"X": 0, "3": 4}]) == "no X chromosome"


def test_everything_about_one_field(field, drawn, namer):
    image, truth = drawn["47,XY,+21"]
    result, drawn_picture = results.karyotype(field(image), namer, boxes=truth)
    assert result["karyotype"] == "47,XY,+21"
    assert result["name"] == "male, trisomy 21 (Down syndrome)"
    assert (result["flags"]["missing"], result["flags"]["extra"]) == ([], ["21"])
    rows = result["chromosomes"]
    assert [one["number"] for one in rows] == list(range(1, 48))
    assert rows[0]["label"] == "1"
    assert rows[-1]["label"] == "Y"
    assert len(rows[0]["alternatives"]) == results.OTHERS
    assert drawn_picture.dtype == np.uint8
    assert result["made"]["use"].startswith("Research use")


def test_a_case_is_what_a_pattern_finds_or_the_folder(folder):
    items = fields.listed([folder / "images"], folder / "out")
    assert [one.case for one in items] == ["P1", "P1"]
    items = fields.listed([folder / "images"], folder / "out", case=r"(\d)$")
    assert [one.case for one in items] == ["0", "1"]
