"""From named chromosomes to a karyotype."""

import dataclasses

import numpy as np
import pytest
from test_assign import EXTRA, FEMALE, MALE, predictions, seen

from chromolib import records
from chromolib.cyto import assign, diagnose, iscn

WRITTEN = {
    "46,XX": (FEMALE, "normal female"),
    "46,XY": (MALE, "normal male"),
    "47,XX,+21": (EXTRA["+21"], "female, trisomy 21 (Down syndrome)"),
    "47,XXY": (EXTRA["XXY"], "XXY (Klinefelter syndrome)"),
    "47,XYY": (EXTRA["XYY"], "XYY (Jacobs syndrome)"),
    "47,XXX": (EXTRA["XXX"], "trisomy X"),
    "45,X": (EXTRA["45,X"], "monosomy X (Turner syndrome)"),
    "48,XY,+13,+18": (EXTRA["two extra"], None),
}


@pytest.mark.parametrize("text", WRITTEN)
def test_counts_are_written_as_iscn_has_them(text):
    labels, name = WRITTEN[text]
    found = diagnose.karyotype(labels)
    assert iscn.write(found) == text
    assert iscn.write(iscn.parse(text)) == text
    assert name is None or iscn.describe(found) == name


def test_without_an_x_there_is_no_karyotype():
    assert diagnose.karyotype(["Y"] * 2 + list(records.CLASSES[:22]) * 2) is None


def test_a_cell_gets_karyotype_name_and_confidence():
    rows = diagnose.cells(predictions(a=FEMALE, b=EXTRA["+21"]), penalty=4.0, sure=0.5)
    assert rows["karyotype"].tolist() == ["46,XX", "47,XX,+21"]
    assert rows["n"].tolist() == [46, 47]
    assert not rows["refer"].any()
    assert (rows["confidence"] > 0.7).all()


def test_a_cell_that_lost_images_is_referred_and_not_a_monosomy_found():
    rows = diagnose.cells(predictions(a=FEMALE[:-1]), penalty=4.0, sure=0.0)
    assert rows["refer"].tolist() == [True]
    assert rows["reason"].tolist() == ["1 images fewer than 46"]
    assert rows[["karyotype", "name"]].to_numpy().tolist() == [["45,X", ""]]


def test_confidence_is_that_of_the_second_best_count():
    """An image that may as well be of another class, which then has three."""
    labels = EXTRA["+21"]
    chance = seen(labels, sure=0.99)
    last = len(labels) - 1
    chance[last] = 0
    chance[last, [records.CLASSES.index(c) for c in ("21", "22")]] = 0.6, 0.4
    named, _ = assign.cell(chance, penalty=4.0)
    trust = assign.confidence(chance, named, penalty=4.0)
    assert trust == pytest.approx(0.6, abs=0.05)


def test_images_that_give_way_to_one_another_lower_confidence_too():
    """22 may hold a 21 and 20 a 22: 20 gains what 21 loses, by no image of its own."""
    chance = seen([*FEMALE, "22"], sure=0.99)
    k = {c: records.CLASSES.index(c) for c in ("20", "21", "22")}
    first, third = FEMALE.index("22"), len(FEMALE)
    chance[first] = chance[third] = 0
    chance[first, [k["22"], k["21"]]] = 0.5, 0.5
    chance[third, [k["22"], k["20"]]] = 0.5, 0.5
    named, _ = assign.cell(chance, penalty=4.0)
    trust = assign.confidence(chance, named, penalty=4.0)
    assert trust == pytest.approx(1 / 3, abs=0.02)  # +20, +21 and +22 are alike


@pytest.mark.parametrize("kind", ["+21", "46,XY", "XYY"])
def test_a_sure_network_is_sure_and_an_unsure_one_is_not(kind):
    trust = []
    for sure in (0.999, 0.4):
        chance = seen(EXTRA[kind], sure=sure, rng=np.random.default_rng(1))
        named, _ = assign.cell(chance, penalty=3.0)
        trust.append(assign.confidence(chance, named, penalty=3.0))
    assert trust[0] > 0.9 > trust[1]


def test_cells_of_a_case_agree_or_a_person_looks():
    rows = diagnose.cells(
        predictions(a=FEMALE, b=FEMALE, c=EXTRA["+21"]), penalty=4.0, sure=0.5
    )
    (case,) = diagnose.cases(rows).to_dict("records")
    assert (case["karyotype"], case["agree"], case["cells"]) == ("46,XX", 2, 3)
    assert (case["refer"], case["reason"]) == (True, "cells differ")
    (case,) = diagnose.cases(rows[:2]).to_dict("records")
    assert not case["refer"]


def test_more_images_than_a_cell_has_are_no_cell():
    heap = predictions(a=FEMALE * 3)
    named = assign.cells(heap, penalty=4.0)
    assert named.assigned.tolist() == named.label.tolist()
    (row,) = diagnose.cells(heap, penalty=4.0, sure=0.5).to_dict("records")
    assert (row["karyotype"], row["refer"]) == ("", True)
    assert row["reason"] == "138 images, more than a cell has"


def test_a_cell_with_a_picture_of_nothing_is_referred():
    cell = predictions(a=FEMALE)
    refer = np.arange(46) == 3
    asked = dataclasses.replace(cell, refer=refer)
    (row,) = diagnose.cells(asked, penalty=4.0, sure=0.5).to_dict("records")
    assert row["reason"] == "1 of its images may be no chromosome, or another's copy"
    assert (row["karyotype"], row["name"], row["refer"]) == ("", "", True)


@pytest.mark.parametrize("labels", [FEMALE[:30], [*FEMALE, *FEMALE[:12]], ["Y"] * 46])
def test_where_nothing_can_be_written_the_reason_says_why(labels):
    (row,) = diagnose.cells(predictions(a=labels), penalty=0.0, sure=0.5).to_dict(
        "records"
    )
    assert (row["karyotype"], row["name"], row["refer"]) == ("", "", True)
    assert (row["karyotype"], row["reason"]) == diagnose.written(labels)


@pytest.mark.parametrize("seed", range(8))
def test_no_text_says_more_than_its_images_do(seed):
    """A karyotype is what ISCN writes of the labels; a name needs a whole cell too."""
    rng = np.random.default_rng(seed)
    heap, sizes = rng.permutation(FEMALE * 2), rng.integers(1, 70, 4)
    drawn = {k: heap[:n].tolist() for k, n in zip("abcd", sizes, strict=True)}
    drawn["e"] = FEMALE
    cells = predictions(**drawn)
    cells = dataclasses.replace(cells, refer=rng.random(len(cells)) < 0.01)
    rows = diagnose.cells(cells, penalty=0.0, sure=0.0).set_index("cell")
    for name, labels in drawn.items():
        row, odd = rows.loc[name], cells.refer[cells.cell == name].any()
        text, _ = diagnose.written(labels)
        assert row["karyotype"] == ("" if odd else text)
        assert bool(row["name"]) == (bool(row["karyotype"]) and len(labels) >= 46)
        assert row["refer"] == (not row["name"])


def test_cells_that_say_nothing_have_no_vote():
    lost = FEMALE[:20]
    rows = diagnose.cells(predictions(a=lost, b=lost, c=FEMALE), penalty=4.0, sure=0.5)
    (case,) = diagnose.cases(rows).to_dict("records")
    assert (case["karyotype"], case["agree"], case["cells"]) == ("46,XX", 1, 3)
    assert (case["refer"], case["reason"]) == (True, "cells differ")
    (case,) = diagnose.cases(rows[:2]).to_dict("records")
    assert (case["karyotype"], case["agree"], case["refer"]) == ("", 2, True)
