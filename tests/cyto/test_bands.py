"""Ideograms: the tables are as documented, and every band has its place."""

import collections
import csv
import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chromolib import records
from chromolib.cyto import bands, groups

LEVELS = pytest.mark.parametrize("level", bands.LEVELS)
EVERY = [(level, name) for level in bands.LEVELS for name in records.CLASSES]
DRAWN = pytest.mark.parametrize(("level", "name"), EVERY)


def rows(level):
    with (bands.TABLES / f"bands-{level}.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def documented():
    """Level -> rows and stain counts as the table in the folder's README has them."""
    text = (bands.TABLES / "README.md").read_text(encoding="utf-8")
    head = re.search(r"^\| table \| rows (\|.*)$", text, re.M).group(1)
    stains = re.findall(r"\w+", head)
    found = re.findall(r"^\| (\d00|\d50) \|(.*)\|$", text, re.M)
    counts = {int(level): list(map(int, row.split("|"))) for level, row in found}
    return {
        level: (n, dict(zip(stains, some, strict=True)))
        for level, (n, *some) in counts.items()
    }


@LEVELS
def test_the_tables_have_the_documented_rows_and_stains(level):
    found = collections.Counter(row["stain"] + row["density"] for row in rows(level))
    assert documented()[level] == (len(rows(level)), found)
    assert (sum(found.values()), len(documented())) == (len(rows(level)), 3)


@LEVELS
def test_bands_tile_each_chromosome_in_both_units(level):
    for first, second in itertools.pairwise(rows(level)):
        assert int(first["iscn_start"]) < int(first["iscn_stop"])
        assert int(first["bp_start"]) < int(first["bp_stop"])
        same = first["chromosome"] == second["chromosome"]
        assert int(second["iscn_start"]) == (int(first["iscn_stop"]) if same else 0)
        assert int(second["bp_start"]) == (int(first["bp_stop"]) if same else 0) + 1


@DRAWN
def test_an_ideogram_runs_from_p_to_q_with_the_centromere_between(level, name):
    one = bands.read(level)[name]
    short = [band[0] for band in one.bands].count("p")
    assert [band[0] for band in one.bands] == ["p"] * short + ["q"] * (
        len(one.bands) - short
    )
    assert one.stain[short - 1 : short + 1] == ("acen", "acen")
    assert one.stain.count("acen") == 2
    assert one.centromere == one.edges[short]
    assert 0 < one.centromere < one.length - one.centromere  # p is the short arm
    assert all((kind == "gpos") == (dark > 0) for kind, dark in zip_of(one))


def zip_of(one):
    return zip(one.stain, one.density, strict=True)


def test_the_levels_are_as_long_as_each_other():
    lengths = [{n: one.length for n, one in read.items()} for read in drawn()]
    assert lengths[0] == lengths[1] == lengths[2]


def drawn():
    return [bands.read(level) for level in bands.LEVELS]


@pytest.mark.parametrize(("coarse", "fine"), [(400, 550), (550, 850), (400, 850)])
def test_finer_bands_are_named_after_the_coarser_ones_in_the_same_order(coarse, fine):
    for name in records.CLASSES:
        parents = bands.read(coarse)[name].bands
        of = [
            [parent for parent in parents if band.startswith(parent)]
            for band in bands.read(fine)[name].bands
        ]
        assert [found for found, _ in itertools.groupby(of)] == [[p] for p in parents]


def test_at_550_a_band_of_400_is_exactly_its_parts():
    coarse, fine = bands.read(400), bands.read(550)
    for name in records.CLASSES:
        for band in coarse[name].bands:
            assert bands.span(fine[name], band) == bands.span(coarse[name], band)


@DRAWN
def test_the_span_of_a_band_is_where_its_edges_are(level, name):
    one = bands.read(level)[name]
    spans = [bands.span(one, band) for band in one.bands]
    assert spans == list(itertools.pairwise(one.edges))


@given(some.sampled_from(EVERY), some.sampled_from(bands.LEVELS), some.data())
def test_a_band_of_any_level_has_a_place_at_every_level(where, other, data):
    level, name = where
    one = bands.read(level)[name]
    band = data.draw(some.sampled_from(bands.read(other)[name].bands))
    start, stop = bands.span(one, band)
    assert 0 <= start < stop <= one.length
    assert (stop <= one.centromere) if band[0] == "p" else (start >= one.centromere)


def test_a_band_is_its_parts_or_the_band_that_holds_it():
    nine, twenty_two = bands.read(850)["9"], bands.read(400)["22"]
    parts = [bands.span(nine, band) for band in nine.bands if band[:3] == "q34"]
    assert bands.span(nine, "q34") == (parts[0][0], parts[-1][1])
    assert bands.span(twenty_two, "q11.21") == bands.span(twenty_two, "q11.2")


def test_the_centromere_and_the_tips_are_points():
    one = bands.read(550)["5"]
    for band in ("p10", "q10", "cen"):
        assert bands.span(one, band) == (one.centromere, one.centromere)
    assert bands.span(one, "pter") == (0, 0)
    assert bands.span(one, "qter") == (one.length, one.length)


@pytest.mark.parametrize(
    ("band", "said"),
    [
        ("p99", "chromosome 5 has no band 'p99'; the nearest are p15.3, p15.2, p15.1"),
        ("q13.4", "the nearest are q13.3"),
        ("q3", "the nearest are q11"),
        ("p15.25", "the nearest are p15.3, p15.2"),
        ("p15.", "an arm and a number, like q35.3"),
        ("p", "an arm and a number"),
        ("", "an arm and a number"),
        ("P15", "an arm and a number"),
        ("p١٥", "an arm and a number"),
        ("q" + "9" * 900, "no band 'q99999999999'; the nearest are q35"),
    ],
)
def test_a_band_that_does_not_exist_is_refused_with_the_nearest(band, said):
    with pytest.raises(bands.KaryotypeError) as caught:
        bands.span(bands.read(550)["5"], band)
    assert said in str(caught.value)


def test_a_level_that_does_not_exist_is_refused_with_the_known():
    with pytest.raises(bands.KaryotypeError, match="500 bands; take one of 400, 550"):
        bands.read(500)


@pytest.mark.parametrize(
    ("chromosome", "first", "second", "expected"),
    [
        ("5", "q13", "q33", -1),
        ("5", "q33", "q13", 1),
        ("5", "p13", "p15", -1),
        ("5", "p15.3", "p15.1", 1),
        ("22", "q11.2", "q11.2", 0),
        ("22", "q11.2", "q11.23", 0),
        ("22", "q11.21", "q11.23", -1),
    ],
)
def test_the_order_of_bands_is_from_the_centromere(chromosome, first, second, expected):
    assert bands.order(chromosome, first, second) == expected
    assert bands.order(chromosome, second, first) == -expected


def test_every_chromosome_has_one_denver_group():
    letters = "".join(map(groups.of, records.CLASSES))
    assert letters == "AAABBCCCCCCCDDDEEEFFGGCG"
    members = [name for some in groups.GROUPS.values() for name in some]
    assert sorted(members) == sorted(records.CLASSES)
    with pytest.raises(ValueError, match="no chromosome '23'"):
        groups.of("23")


def test_acrocentrics_are_those_with_a_stalk():
    stalked = [n for n, one in bands.read(400).items() if "stalk" in one.stain]
    assert tuple(stalked) == groups.ACROCENTRIC
