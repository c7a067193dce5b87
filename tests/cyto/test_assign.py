"""Laws of naming a cell as a whole."""

import itertools

import numpy as np
import pytest

from chromolib import records
from chromolib.cyto import assign

FEMALE = [*records.CLASSES[:22] * 2, "X", "X"]
MALE = [*records.CLASSES[:22] * 2, "X", "Y"]


def seen(labels, sure=0.9, rng=None):
    """Probabilities of a network that is this sure of the truth, noise beside."""
    truth = [records.CLASSES.index(name) for name in labels]
    rng = rng or np.random.default_rng(0)
    noise = rng.dirichlet(np.full(len(records.CLASSES), 0.3), len(labels))
    return sure * np.eye(len(records.CLASSES))[truth] + (1 - sure) * noise


def named(labels, penalty=4.0, **seeing):
    which, _ = assign.cell(seen(labels, **seeing), penalty=penalty)
    return [records.CLASSES[i] for i in which]


EXTRA = {"+21": [*FEMALE, "21"], "XXY": [*MALE, "X"], "XYY": [*MALE, "Y"]}
EXTRA |= {"XXX": [*FEMALE, "X"], "45,X": FEMALE[:-1], "-7": MALE[1:]}
EXTRA |= {"46,XX": FEMALE, "46,XY": MALE, "two extra": [*MALE, "13", "18"]}


@pytest.mark.parametrize("kind", EXTRA)
def test_what_is_seen_clearly_is_named_so_trisomies_too(kind):
    assert named(EXTRA[kind]) == EXTRA[kind]


def test_a_doubtful_image_takes_the_place_that_is_empty():
    chance = seen(FEMALE)
    second = FEMALE.index("15", 20)
    chance[second] = 0.001
    chance[second, [records.CLASSES.index(c) for c in ("14", "15")]] = 0.55, 0.428
    assert records.CLASSES[chance[second].argmax()] == "14"
    which, _ = assign.cell(chance, penalty=4.0)
    assert [records.CLASSES[i] for i in which] == FEMALE


def test_without_a_penalty_every_image_gets_its_likeliest_class():
    labels = ["1"] * 4 + ["2"] * 3 + ["Y"]
    assert named(labels, penalty=0.0) == labels
    assert named(labels, penalty=4.0, sure=0.5) != labels


def by_force(chance, penalty):
    """The least cost over all ways to name a few images of three classes."""
    found = []
    for which in itertools.product(range(24), repeat=len(chance)):
        for usual in assign.USUAL.values():
            copies = np.bincount(which, minlength=24)
            if (copies > usual + assign.BEYOND).any():
                continue
            cost = -np.log(chance[np.arange(len(chance)), which]).sum()
            found.append((cost + penalty * np.abs(copies - usual).sum(), which))
    return min(found)


@pytest.mark.parametrize("seed", range(6))
def test_it_is_the_cheapest_of_all_ways(seed):
    rng = np.random.default_rng(seed)
    chance = rng.dirichlet(np.full(24, 0.2), 3) * 0.999 + 0.001 / 24
    penalty = rng.uniform(0, 3)
    which, cost = assign.cell(chance, penalty=penalty)
    least, wanted = by_force(chance, penalty)
    assert cost == pytest.approx(least)
    assert tuple(which) == wanted


def predictions(**cells):
    labels = list(itertools.chain.from_iterable(cells.values()))
    names = np.repeat(list(cells), [len(one) for one in cells.values()])
    return records.Predictions(
        image=[f"{i}" for i in range(len(labels))],
        group=["case"] * len(labels),
        cell=names,
        truth=labels,
        probability=seen(labels),
        source="synthetic",
    )


def test_cells_are_named_one_by_one():
    both = predictions(a=FEMALE, b=EXTRA["+21"])
    found = assign.cells(both, penalty=4.0)
    assert found.assigned.tolist() == both.truth.tolist()
    turned = both.take(np.random.default_rng(0).permutation(len(both)))
    found = assign.cells(turned, penalty=4.0)
    assert found.assigned.tolist() == turned.truth.tolist()


def test_a_heap_of_images_is_no_cell():
    with pytest.raises(assign.CellError, match=r"120 images of one cell.*several"):
        assign.cell(np.full((120, 24), 1 / 24), penalty=1.0)
    assert len(named(FEMALE[:36])) == 36


def test_no_class_is_impossible():
    chance = seen(FEMALE)
    chance[:, :] = 0
    chance[:, 0] = 1
    which, cost = assign.cell(chance, penalty=4.0)
    assert np.isfinite(cost)
    assert len(which) == 46


def test_what_is_missing_and_extra_is_told_by_the_likelier_sex():
    assert assign.uneven(MALE) == ([], [])
    assert assign.uneven([*MALE[1:], "21"]) == (["1"], ["21"])
    assert assign.uneven(MALE[:-1]) in ((["X"], []), (["Y"], []))


def judged(labels, whole, **seeing):
    which, _ = assign.cell(seen(labels, **seeing), penalty=6.0, whole=np.array(whole))
    return [records.CLASSES[i] if i >= 0 else "" for i in which]


def test_what_may_be_none_is_taken_where_the_cell_lacks_it():
    doubtful = [*FEMALE[1:], "1", "5"]  # one 1 is sure, and this may be the other
    whole = [0.95] * 45 + [0.3, 0.3]
    assert judged(doubtful, whole) == [*FEMALE[1:], "1", ""]


def test_a_copy_that_is_surely_one_stays_whatever_the_cell_has():
    assert judged(EXTRA["+21"], [0.95] * 46 + [assign.KEPT]) == EXTRA["+21"]
    assert judged(EXTRA["+21"], [0.95] * 46 + [assign.KEPT - 0.05]) == [*FEMALE, ""]
    sure = [assign.KEPT] * 47
    assert judged(EXTRA["+21"], sure) == named(EXTRA["+21"], penalty=6.0)


@pytest.mark.parametrize("seed", range(4))
def test_what_is_none_is_told_by_the_cheapest_of_all_ways(seed):
    rng = np.random.default_rng(seed)
    chance, penalty = rng.dirichlet(np.full(24, 0.2), 6), rng.uniform(0.2, 2)
    chance, whole = chance * 0.999 + 0.001 / 24, rng.uniform(0.05, 0.95, 6)
    which, cost = assign.cell(chance, penalty=penalty, whole=whole)
    odds, ways = np.log(whole / (1 - whole)), []
    for kept in itertools.product((False, True), repeat=6):
        kept = np.array(kept)
        if kept[whole >= assign.KEPT].all():
            part, own = assign.cell(chance[kept].reshape(-1, 24), penalty=penalty)
            ways.append((own + odds[~kept].sum(), kept, part))
    least, kept, part = min(ways, key=lambda way: way[0])
    assert cost == pytest.approx(least)
    assert (which >= 0).tolist() == kept.tolist()
    assert which[kept].tolist() == part.tolist()
