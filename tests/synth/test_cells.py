"""Cells by chance and from ISCN: what they hold, and that chance can be repeated."""

import numpy as np
import pytest

from chromolib.cyto import bands, iscn
from chromolib.synth import banding, cases, lab, looks, singles


def test_a_cell_holds_what_its_karyotype_says():
    labels = list(lab.cell("47,XY,+21").label)
    assert len(labels) == 47
    assert [labels.count(name) for name in ("1", "21", "X", "Y")] == [2, 3, 1, 1]


def test_one_seed_gives_one_cell_however_many_are_drawn_before():
    alone = next(iter(lab.cells(1, seed=3, start=5, abnormal=0.5)))
    among = list(lab.cells(6, seed=3, abnormal=0.5))[5]
    assert alone.karyotype == among.karyotype
    assert alone.name == among.name
    first, second = (singles.draw(one)[0].buffer for one in (alone, among))
    np.testing.assert_array_equal(first, second)


def test_another_seed_or_another_cell_gives_other_pictures():
    drawn = [
        singles.draw(lab.cell("46,XX", seed=seed, number=number))[0].buffer[:2000]
        for seed, number in ((0, 0), (0, 1), (1, 0))
    ]
    assert len({part.tobytes() for part in drawn}) == 3


def test_heterochromatin_is_the_patients_own():
    first, again = (lab.cell("46,XX", number=k).patterns for k in (0, 1))
    other = lab.cell("46,XX", patient=1).patterns
    shares = [one.length / one.length.mean() for one in (first, again, other)]
    if not np.allclose(shares[0], shares[1]):  # cells of two levels of bands
        pytest.fail("two cells of one patient differ in their heterochromatin")
    assert np.abs(shares[0] - shares[2]).max() > 0.01


def test_style_tells_patients_apart():
    """What makes a split by image leak: cells of one patient are alike in stain."""
    rows = []
    for who in range(60):
        shared = looks.patient("g", np.random.default_rng([1, who]))
        cell = [
            looks.cell("g", shared, np.random.default_rng([who, k])) for k in (0, 1)
        ]
        rows.append([one["width"] for one in cell])
    assert np.corrcoef(np.array(rows).T)[0, 1] > 0.4


def test_the_share_of_abnormal_patients_is_the_one_asked_for():
    found = [
        cases.karyotype(np.random.default_rng(k), 0.3) not in ("46,XX", "46,XY")
        for k in range(1000)
    ]
    assert 0.25 < np.mean(found) < 0.35


@pytest.mark.parametrize("kind", cases.KINDS)
def test_every_kind_of_case_is_a_karyotype(kind):
    for seed in range(30):
        for sex in ("XX", "XY"):
            text = cases.KINDS[kind](np.random.default_rng(seed), sex)
            parsed = iscn.parse(text)
            assert iscn.write(parsed) != f"46,{sex}", text


def test_a_mosaic_has_cells_of_both_clones():
    counts = {
        len(lab.cell("mos 45,X[12]/46,XX[18]", number=k).homologues) for k in range(20)
    }
    assert counts == {45, 46}


@pytest.mark.parametrize(
    ("text", "part"),
    [("46,XY,+21", "46"), ("46,XX,del(5)(p99)", "p99"), ("450,XX", "450")],
)
def test_what_cannot_be_is_refused_with_the_part_at_fault(text, part):
    with pytest.raises(bands.KaryotypeError, match=part):
        lab.cell(text)


def test_an_unknown_look_is_refused():
    with pytest.raises(looks.LookError, match="known: g, q, field"):
        lab.cell("46,XX", look="R")


class TestBands:
    """What a chromosome is along its length."""

    def of(self, text, label, **more):
        cell = lab.cell(text, **more)
        which = [k for k, one in enumerate(cell.homologues) if one.label == label]
        return [(cell.patterns.length[k], cell.patterns.stain[k]) for k in which]

    def test_a_deletion_is_shorter_and_a_duplication_longer(self):
        usual, lost = sorted(one[0] for one in self.of("46,XX,del(4)(q21q31)", "4"))[
            ::-1
        ]
        assert lost < 0.9 * usual
        grown = sorted(one[0] for one in self.of("46,XX,dup(4)(q21q31)", "4"))[::-1]
        assert grown[0] - grown[1] == pytest.approx(usual - lost, rel=0.05)

    def test_an_inversion_turns_its_bands(self):
        usual, turned = (one[1] for one in self.of("46,XX,inv(4)(p16q35)", "4"))
        inside = usual[40:-40]

        def likeness(row):  # the breaks lie unequally far from the two ends
            shifts = (row[40 + k : len(row) - 40 + k] for k in range(-8, 9))
            return max(np.corrcoef(inside, part)[0, 1] for part in shifts)

        assert likeness(turned[::-1]) > 0.9 > likeness(turned)

    def test_a_dicentric_has_two_waists(self):
        cell = lab.cell("46,XX,dic(1;5)(q42;q35),ace")
        two = [k for k, one in enumerate(cell.homologues) if "dic" in one.name]
        near = cell.patterns.away[two[0]] < 0.01
        assert np.count_nonzero(np.diff(near.astype(int)) == 1) == 2

    def test_quinacrine_makes_yq12_brilliant(self):
        stain = self.of("46,XY", "Y", look="q")[0][1]
        others = lab.cell("46,XX", look="q").patterns.stain
        assert stain.max() > 1.3 * others.max(1).mean()
        assert stain.argmax() > 0.5 * len(stain)

    def test_without_fit_the_bands_are_the_ideograms(self):
        stain = self.of("46,XX", "3", fit=False)[0][1]
        table = banding.STAINS["g"]
        assert stain.min() == pytest.approx(table["gneg"])
        assert stain.max() == pytest.approx(table["gpos"])
