"""The rivals on drawn karyograms: bars of a class's own length, in its place."""

import dataclasses

import numpy as np
import pandas as pd
import pytest

from chromolib import records
from chromolib.data import pixels
from chromolib.models import protocols, samples
from chromolib.studies.chu import cutting, data, layout, naming, places, rivals

SIDE = data.SIDE
USUAL = dict.fromkeys(records.CLASSES, 2) | {"X": 1, "Y": 1}
WIDTH = 12
SMALL = rivals.Sizes(epochs=2, steps=2, karyograms=4)


def drawn(changes=None, shift=0):
    """A karyogram as ink: bars with a band, as many as usual but for changes."""
    image = np.zeros((SIDE, SIDE), np.uint8)
    copies = USUAL | (changes or {})
    for (x0, y0, x1, y1), name in zip(layout.slots(SIDE), records.CLASSES, strict=True):
        length = 90 - 3 * records.CLASSES.index(name)
        gap = (x1 - x0) * 0.3
        left = (x0 + x1 - gap * (copies[name] - 1) - WIDTH) / 2 + shift
        top = round((y0 + y1 - length) / 2) if length < y1 - y0 else round(y0) + 2
        for k in range(copies[name]):
            x = round(left + k * gap)
            image[top : top + min(length, int(y1 - y0) - 4), x : x + WIDTH] = 160
            image[top + 5 : top + 9, x : x + WIDTH] = 250
    return image


def many(cases, name="k"):
    """Samples of such karyograms: (label, changes) each of a group of its own."""
    x = np.stack([drawn(changes) for _, changes in cases])[..., None]
    names = np.array([f"{name}{i}" for i in range(len(cases))])
    label = np.array([label for label, _ in cases])
    return samples.Samples(x, label, names, names, data.LABELS)


CASES = [("normal", {}), ("abnormal", {"21": 3}), ("normal", {"X": 2, "Y": 0})]
CASES += [("abnormal", {"4": 1}), ("abnormal", {"X": 2}), ("normal", {})]


@pytest.fixture(scope="module")
def split():
    train, rest, test = (many(CASES, name) for name in "abc")
    return protocols.Split("clean", train, train, rest, test, test)


@pytest.fixture(scope="module")
def details():
    """What is wrong with the images that train."""
    where = {"21": "gain", "4": "loss"}
    boxes, kind, change = [], [], []
    for label, changes in CASES:
        wrong = [name for name in changes if name in where] * (label == "abnormal")
        slot = layout.slots(SIDE)[[records.CLASSES.index(name) for name in wrong]]
        boxes.append(records.Boxes(slot, [where[name] for name in wrong]))
        kind.append(where[wrong[0]] if wrong else "sex" if "abn" in label else "none")
        signs = [("+" if changes[name] > 2 else "-") + name for name in wrong]
        change.append(",".join(signs) or ("47,XXY" if kind[-1] == "sex" else ""))
    names = np.array([f"a{i}" for i in range(len(CASES))])
    return records.ImageSet(
        source="drawn",
        name=names,
        label=np.array([label for label, _ in CASES]),
        group=names,
        unit="case",
        pixels=pixels.pack([drawn()] * len(CASES)),
        boxes=tuple(boxes),
        extra={"kind": np.array(kind), "change": np.array(change)},
    )


@pytest.fixture(scope="module")
def learned(split, details):
    return rivals.learned(split, details, sizes=SMALL, seed=0)


# layout


def test_places_cover_the_karyogram_once():
    box = layout.slots(SIDE)
    area = (box[:, 2:] - box[:, :2]).prod(1)
    assert area.sum() == pytest.approx(SIDE**2)
    assert (box.min(), box.max()) == (0, pytest.approx(SIDE))


def test_what_is_drawn_in_a_place_is_seen_in_that_place_only():
    x = np.zeros((1, SIDE, SIDE, 1), np.uint8)
    x0, y0, x1, y1 = layout.slots(SIDE)[records.CLASSES.index("14")]
    x[0, int(y0) + 9 : int(y1) - 9, int(x0) + 9 : int(x1) - 9] = 200
    seen = layout.places(x)[0].sum((1, 2))
    assert np.flatnonzero(seen).tolist() == [records.CLASSES.index("14")]


def test_a_place_keeps_its_mean_ink():
    x = np.full((2, SIDE, SIDE, 1), 7, np.uint8)
    np.testing.assert_allclose(layout.places(x), 7, rtol=1e-5)


def test_chromosomes_are_counted_where_they_stand():
    counts = layout.counts(many([("abnormal", {"21": 3, "4": 1})]))[0]
    named = dict(zip(records.CLASSES, counts.tolist(), strict=True))
    assert named == USUAL | {"21": 3, "4": 1}


def test_a_small_shift_changes_no_count():
    moved = dataclasses.replace(many(CASES), x=np.roll(many(CASES).x, 6, 2))
    np.testing.assert_array_equal(layout.counts(moved), layout.counts(many(CASES)))


@pytest.mark.parametrize(
    "change",
    [
        lambda x: x[:, ::-1],  # 22 comes first
        lambda x: np.roll(x, 25, 2),
        np.zeros_like,
    ],
)
def test_another_layout_is_refused_with_a_remedy(change):
    images = many(CASES)
    assert layout.checked(images) is images
    other = dataclasses.replace(images, x=change(images.x))
    with pytest.raises(layout.LayoutError, match="give single chromosomes"):
        layout.checked(other)


# cutting


def picture(text, size=6):
    """Letters as stain, larger: `#` dark, `+` paler, `.` ground."""
    levels = {"#": 200, "+": 40, ".": 0}
    rows = [[levels[c] for c in line] for line in text.split()]
    return np.kron(np.array(rows, np.uint8), np.ones((size, size), np.uint8))


def test_touching_chromosomes_are_cut_apart_where_they_are_palest():
    image = picture("""
        ..........................
        .##+##..##..##..##..##..##
        .##+##..##..##..##..##..##
        .##+##..##..##..##..##..##
        .##+##..##..##..##..##..##
        .##+##..##..##..##..##..##
        ..........................""")
    labels = cutting.cut(image)
    assert labels.max() == 7
    assert labels[18, 9] != labels[18, 27] != 0


def test_a_pale_band_breaks_no_chromosome():
    image = picture("""
        ..........
        .##..##...
        .##..##...
        .##..##...
        .##.......
        .##..##...
        .##..##...
        ..........""")
    assert cutting.cut(image).max() == 2


def test_a_broad_chromosome_stays_one():
    image = picture("""
        .........
        .##..####
        .##..####
        .##..####
        .........""")
    assert cutting.cut(image).max() == 2


def test_noise_is_no_chromosome():
    rng = np.random.default_rng(0)
    noisy = drawn()
    hit = rng.random(noisy.shape) < 0.02
    noisy[hit] = rng.choice([0, 255], hit.sum())
    assert cutting.cut(noisy).max() == cutting.cut(drawn()).max() == 46


def test_nothing_is_cut_out_of_an_empty_picture():
    empty = dataclasses.replace(many(CASES[:1]), x=np.zeros((1, 64, 64, 1), np.uint8))
    assert len(cutting.pieces(empty)) == 0


def test_pieces_are_single_chromosomes_that_keep_their_karyogram():
    images = many(CASES[:2])
    crops = cutting.crops(images, cutting.pieces(images))
    assert pd.Series(crops.cell).value_counts().to_dict() == {"k0": 46, "k1": 47}
    assert (np.asarray(crops.pixels[0])[0] == 255).all()  # ground around it


# what each says


def test_a_count_is_off_by_the_places_that_are_wrong():
    counts = layout.counts(many(CASES))
    assert rivals.off(counts).tolist() == [0, 1, 0, 1, 1, 0]


def test_the_place_that_is_wrong_is_learned_where_it_is_known(split, details):
    known = places.truth(split.train, details)
    assert known[:, -1].tolist() == [0, 1, 0, 1, 1, 0]
    assert (known[[0, 2, 5], : places.PAIRS] == places.TWO).all()
    assert known[1, 20] == places.ELSE  # a third 21
    assert known[3, 3] == places.ONE  # a 4 alone
    assert (known[4, :-1] == places.UNKNOWN).all()  # XXY has no box here
    copies = dataclasses.replace(
        split.train, image=np.char.add(split.train.image, "#2")
    )
    np.testing.assert_array_equal(places.truth(copies, details), known)


def test_a_box_at_x_or_y_is_one_of_the_sex(split, details):
    slot = layout.slots(SIDE)[[records.CLASSES.index("Y")]]
    boxes = (*details.boxes[:4], records.Boxes(slot, ["sex"]), details.boxes[5])
    known = places.truth(split.train, dataclasses.replace(details, boxes=boxes))
    assert known[4, -2] == 1
    assert (known[4, : places.PAIRS] == places.TWO).all()


def test_without_details_only_the_label_is_learned(split):
    known = places.truth(split.train)
    assert (known[split.train.y == 1, :-1] == places.UNKNOWN).all()
    assert (known[split.train.y == 0, :-2] == places.TWO).all()


def certain(pairs=None, x=places.ONE, y=places.ONE):
    """Outcomes (1, 24, 4) that a network is nearly sure of."""
    stands = [*[places.TWO] * places.PAIRS, x, y]
    for place, what in (pairs or {}).items():
        stands[place] = what
    return (0.996 * np.eye(4)[stands] + 0.001)[None].astype(np.float32)


@pytest.mark.parametrize(
    ("x", "y", "usual"),
    [
        (places.TWO, places.NOTHING, True),
        (places.ONE, places.ONE, True),
        (places.ONE, places.NOTHING, False),
        (places.TWO, places.ONE, False),
        (places.ONE, places.TWO, False),
        (places.ELSE, places.NOTHING, False),
    ],
)
def test_x_and_y_are_right_as_either_sex(x, y, usual):
    odd = np.asarray(places.wrong(certain(x=x, y=y)))[0]
    assert (odd[-1] < 0.01) == usual
    assert (odd[:-1] < 0.01).all()


def test_any_wrong_place_makes_a_karyogram_abnormal():
    for pairs, abnormal in (({}, False), ({4: places.ONE}, True)):
        odd = places.wrong(certain(pairs))
        whole = np.asarray(places.any_of(odd))
        assert (whole > 0.5) == abnormal
        np.testing.assert_allclose(whole, 1 - (1 - np.asarray(odd)).prod(1), atol=1e-6)


def test_what_is_not_known_costs_nothing():
    known = np.full((1, places.ODD + 1), places.UNKNOWN, np.float32)
    known[0, -1] = 1
    even = np.full((1, 24, 4), 0.25, np.float32)
    cost = np.asarray(places.surprise(known, even))
    whole = 1 - (1 / 4) ** places.PAIRS * (2 / 16)
    np.testing.assert_allclose(cost, -np.log(whole), atol=1e-5)


def test_every_rival_says_something_of_test_images(split, learned):
    assert tuple(rival.name for rival in learned) == rivals.NAMES
    said = [rival.probability(split.test) for rival in learned]
    for chance in said:
        assert chance.shape == (len(split.test), 2)
        np.testing.assert_allclose(chance.sum(1), 1)
    assert (said[0].argmax(1) == split.test.y).all()
    assert [rival.parameters > 0 for rival in learned] == [False, True, True]
    assert all(rival.seconds > 0 for rival in learned)


def test_the_network_says_which_place(split, learned):
    compared = learned[1].model
    assert compared.odd(split.test).shape == (len(split.test), places.ODD)


def test_a_report_gives_a_karyotype_or_nothing(split, learned):
    namer = learned[2].model
    empty = dataclasses.replace(split.test, x=split.test.x * 0)
    mixed = split.test.take([0]).concatenate(
        dataclasses.replace(empty.take([1]), image=np.array(["empty"]))
    )
    reports = namer.reports(mixed)
    assert reports["pieces"].tolist() == [46, 0]
    assert reports["karyotype"][0].startswith("46,") or not reports["karyotype"][0]
    assert reports["changes"][1] == 46
    assert namer.scores(mixed)[1] == 46


def test_names_that_are_right_give_the_karyotype():
    wanted = [k for k in range(22) for _ in range(3 if k == 20 else 2)] + [22, 23]
    chance = 0.9 * np.eye(24)[wanted] + 0.1 / 24
    pieces, karyotype, _, sure, changes = naming._report(chance, penalty=1.0)
    assert (pieces, karyotype, changes) == (47, "47,XY,+21", 1)
    assert 0.5 < sure < 1


def test_only_46_pieces_are_as_doubtful_as_their_names():
    rows = [(46, 0.9, 0), (46, 0.6, 0), (46, 0.6, 2), (47, 0.6, 1)]
    reports = pd.DataFrame(rows, columns=["pieces", "confidence", "changes"])
    np.testing.assert_allclose(naming._scores(reports), [0.1, 0.4, 1.6, 1])


def test_a_karyogram_is_moved_as_a_whole():
    images = many(CASES[:2])
    moved = places.moved(images, rng=np.random.default_rng(1))
    assert (moved.x != images.x).any()
    assert (moved.x.sum((1, 2, 3)) == images.x.sum((1, 2, 3))).all()
    np.testing.assert_array_equal(layout.counts(moved), layout.counts(images))


def test_dealt_labels_are_not_learned_by_boxes(split, details, monkeypatch):
    seen = []
    monkeypatch.setattr(places, "truth", lambda part, d: seen.append(d) or part.y)
    monkeypatch.setattr(places.training, "train", lambda *a, **k: pd.DataFrame())
    for labels in ("true", "random"):
        own = dataclasses.replace(split, labels=labels)
        places.learned(own, details, epochs=1, seed=0)
    assert [one is None for one in seen] == [False, False, True, True]


# by kind


def test_each_kind_has_a_share_of_its_own(details):
    said = records.Predictions(
        image=details.name,
        group=details.group,
        truth=details.label,
        label=np.array(["normal", "abnormal", "normal", "normal"] + ["abnormal"] * 2),
        classes=data.LABELS,
        source="drawn",
    )
    found = rivals.by_kind(said, details, rng=np.random.default_rng(0))
    value = {one.conditions["kind"]: (one.quantity, one.value) for one in found}
    assert value["gain"] == ("recall of abnormal", 1)
    assert value["loss"] == ("recall of abnormal", 0)
    assert value["none"][0] == "specificity of abnormal"
    groups = rivals.by_chromosome(said, details, rng=np.random.default_rng(0))
    assert {one.conditions["Denver group"] for one in groups} == {"B", "G", "C"}


def test_a_change_is_named_where_it_is_written_exactly(details):
    said = records.Predictions(
        image=details.name,
        group=details.group,
        truth=details.label,
        label=details.label,
        classes=data.LABELS,
        source="drawn",
    )
    true = rivals.truth(said, details)
    assert true == ["none", "+21", "none", "-4", "XXY", "none"]
    written = {"none": "46,XX", "+21": "47,XY,+21", "-4": "45,XX,-4", "XXY": "47,XXY"}
    for wrong, shares in (
        ({}, [1, 1]),
        ({"+21": "47,XY,+22"}, [2 / 3, 1]),
        ({"+21": ""}, [2 / 3, 1]),
        ({"XXY": "48,XXY,+1"}, [2 / 3, 1]),
        ({"none": "45,X"}, [1, 0]),
        ({"none": ""}, [1, 0]),
    ):
        texts = [(written | wrong)[one] for one in true]
        reports = pd.DataFrame({"truth": true, "karyotype": texts})
        found = rivals.named(said, reports, rng=np.random.default_rng(0))
        assert [one.value for one in found] == pytest.approx(shares), wrong


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("+21", {"+21"}),
        ("48,XXY,+21", {"XXY", "+21"}),
        ("46,XX,+13,-21", {"+13", "-21"}),
        ("45,X", {"X"}),
        ("46,XY", set()),
        ("", set()),
    ],
)
def test_all_changes_of_a_karyotype_are_read(text, found):
    assert rivals.changes(text) == found


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("+21", "21"),
        ("-5", "5"),
        ("47,XY,+13", "13"),
        ("47,XXY", "X"),
        ("45,X", "X"),
        ("47,XYY", "Y"),
        ("46,XX", ""),
        ("", ""),
        ("+9,+21", "9"),
        ("46,XX,t(9;22)(q34;q11)", ""),
    ],
)
def test_the_chromosome_that_changed_is_read(text, name):
    assert rivals.changed(text) == name
