"""Every chromosome of a cell: what it is made of, and what a change leaves alone."""

import collections
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from chromolib import records
from chromolib.cyto import bands, cells, iscn

LEVELS = pytest.mark.parametrize("level", bands.LEVELS)
NAMES = some.sampled_from(records.CLASSES[:22])
LEVEL = some.sampled_from(bands.LEVELS)
LAWS = settings(max_examples=60, deadline=None)


def cell(text, level=550):
    return iscn.chromosomes(iscn.parse(text).clones[0], level)


def abnormal(text, level=550):
    return [one for one in cell(text, level) if not one.normal]


def only(text, level=550):
    (one,) = abnormal(text, level)
    return one


def length(name, level=550):
    return bands.read(level)[name].length


def middle(name, band, level=550):
    return sum(bands.span(bands.read(level)[name], band)) / 2


def total(homologues):
    return sum(one.length for one in homologues)


def turned(one):
    """The same chromosome, upside down."""
    return tuple(
        cells.Segment(part.chromosome, part.stop, part.start)
        for part in reversed(one.segments)
    )


def centromeres(one, level=550):
    """How many centromeres are seen; two stretches that meet in them show one."""
    held = []
    for part in one.segments:
        at = bands.read(level)[part.chromosome].centromere
        low, high = sorted((part.start, part.stop))
        held.append((low <= at <= high, at in (part.start, part.stop)))
    seen = sum(found for found, _ in held)
    return seen - any(
        first[1] and second[1] for first, second in itertools.pairwise(held)
    )


def bases(homologues):
    """How often each stretch of each chromosome is there, cut at every end."""
    parts = [part for one in homologues for part in one.segments]
    ends = collections.defaultdict(set)
    for part in parts:
        ends[part.chromosome] |= {part.start, part.stop}
    count = collections.Counter()
    for part in parts:
        low, high = sorted((part.start, part.stop))
        marks = sorted(at for at in ends[part.chromosome] if low <= at <= high)
        count.update((part.chromosome, *pair) for pair in itertools.pairwise(marks))
    return count


def copies(homologues, name, at):
    """How many copies of one place of one chromosome the cell holds."""
    found = [part for one in homologues for part in one.segments]
    return sum(
        min(part.start, part.stop) < at < max(part.start, part.stop)
        for part in found
        if part.chromosome == name
    )


@LEVELS
@pytest.mark.parametrize("sex", ["XX", "XY"])
def test_a_normal_cell_has_46_whole_chromosomes_in_order(sex, level):
    found = cell(f"46,{sex}", level)
    pairs = [str(i // 2 + 1) for i in range(44)]
    assert [one.name for one in found] == [*pairs, *sex]
    for one in found:
        assert one.segments == (cells.Segment(one.label, 0, length(one.label, level)),)
        assert one.normal
        assert not one.ring


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("47,XX,+21", {"21": 3}),
        ("45,XY,-7", {"7": 1}),
        ("44,XX,-7,-7", {"7": 0}),
        ("48,XX,+8,+8", {"8": 4}),
        ("45,X", {"X": 1, "Y": 0}),
        ("49,XXXXY", {"X": 4, "Y": 1}),
        ("45,X,-Y", {"X": 1, "Y": 0}),
        ("47,XX,+X", {"X": 3}),
        ("46,XX,rob(14;21)(q10;q10),+21", {"14": 1, "21": 2}),
        ("46,X,t(X;9)(q13;q34)", {"X": 1, "9": 1}),
        ("47,XX,+del(5)(p15)", {"5": 2}),
    ],
)
def test_whole_chromosomes_are_gained_and_lost(text, names):
    found = collections.Counter(one.name for one in cell(text) if one.normal)
    assert {name: found[name] for name in names} == names


def test_the_abnormal_one_stands_right_and_extras_stand_last():
    found = [one.name for one in cell("48,XX,ace,+mar,del(5)(p15.2)")]
    assert found[8:10] == ["5", "del(5)(p15.2)"]
    assert found[-2:] == ["mar", "ace"]


def bands_of(name, arms="pq", level=850):
    """Bands of a chromosome without its centromere, from which to draw a break."""
    one = bands.read(level)[name]
    kinds = zip(one.bands, one.stain, strict=True)
    return [band for band, kind in kinds if kind != "acen" and band[0] in arms]


@some.composite
def pairs(draw, arm=None):
    """A chromosome and two bands of one arm, the one nearer the centromere first."""
    name = draw(NAMES)
    arm = draw(some.sampled_from("pq"))
    two = draw(
        some.lists(some.sampled_from(bands_of(name, arm)), min_size=2, max_size=2)
    )
    first, second = two if bands.order(name, *two) < 1 else two[::-1]
    return name, first, second


@some.composite
def exchanges(draw, most=3):
    """Chromosomes with one band each, as t and dic name them."""
    names = draw(some.lists(NAMES, min_size=2, max_size=most, unique=True))
    found = [draw(some.sampled_from(bands_of(name))) for name in names]
    return f"({';'.join(names)})({';'.join(found)})"


@LAWS
@given(exchanges(), LEVEL)
def test_a_translocation_moves_everything_and_loses_nothing(where, level):
    found = cell(f"46,XX,t{where}", level)
    assert total(found) == pytest.approx(total(cell("46,XX", level)))
    assert set(bases(found).values()) == {2}
    for one in (one for one in found if not one.normal):
        assert one.name.startswith(f"der({one.label})t(")
        assert centromeres(one, level) == 1


def test_derivatives_swap_what_lies_beyond_the_breaks():
    nine, twenty_two = abnormal("46,XY,t(9;22)(q34;q11.2)")
    q34, q11 = middle("9", "q34"), middle("22", "q11.2")
    assert nine.name == "der(9)t(9;22)(q34;q11.2)"
    assert nine.segments == (
        cells.Segment("9", 0, q34),
        cells.Segment("22", q11, length("22")),
    )
    assert twenty_two.segments == (
        cells.Segment("22", 0, q11),
        cells.Segment("9", q34, length("9")),
    )
    assert twenty_two.length < length("22")  # the Philadelphia chromosome is small


def test_an_end_of_p_that_moves_to_q_is_turned_round():
    (eight, eleven) = abnormal("46,XX,t(8;11)(p21;q13)")
    p21, q13 = middle("8", "p21"), middle("11", "q13")
    assert eight.segments == (
        cells.Segment("11", length("11"), q13),
        cells.Segment("8", p21, length("8")),
    )
    assert eleven.segments == (cells.Segment("11", 0, q13), cells.Segment("8", p21, 0))


def test_three_chromosomes_exchange_in_a_circle():
    found = abnormal("46,XY,t(9;22;10)(q34;q11.2;q22)")
    assert [[part.chromosome for part in one.segments] for one in found] == [
        ["9", "10"],
        ["10", "22"],
        ["22", "9"],
    ]


@pytest.mark.parametrize("text", ["t(9;22)(q34;q11.2)", "t(8;11)(p21;q13)"])
def test_a_derivative_alone_is_the_one_of_the_balanced_cell(text):
    for one in abnormal(f"46,XX,{text}"):
        assert only(f"46,XX,{one.name}") == one


@LAWS
@given(pairs(), LEVEL)
def test_an_interstitial_deletion_loses_exactly_its_stretch(where, level):
    name, first, second = where
    one = only(f"46,XX,del({name})({first}{second})", level)
    (start, low), (high, end) = ((part.start, part.stop) for part in one.segments)
    assert (start, end) == (0, length(name, level))
    assert low < high
    assert one.length == pytest.approx(length(name, level) - (high - low))
    assert centromeres(one, level) == 1
    lost = sorted(middle(name, band, level) for band in (first, second))
    assert [low, high] == lost or lost[0] == lost[1]


@LAWS
@given(NAMES, some.data(), LEVEL)
def test_a_terminal_deletion_keeps_what_has_the_centromere(name, data, level):
    band = data.draw(some.sampled_from(bands_of(name)))
    one = only(f"46,XX,del({name})({band})", level)
    at, end = middle(name, band, level), length(name, level)
    kept = (at, end) if band[0] == "p" else (0, at)
    assert one.segments == (cells.Segment(name, *kept),)
    assert centromeres(one, level) == 1


@LAWS
@given(pairs(), LEVEL, some.booleans())
def test_a_duplication_doubles_what_the_deletion_loses(where, level, backwards):
    name, first, second = where
    lost = (
        length(name, level) - only(f"46,XX,del({name})({first}{second})", level).length
    )
    backwards = backwards and bands.order(name, first, second) != 0
    written = f"{second}{first}" if backwards else f"{first}{second}"
    one = only(f"46,XX,dup({name})({written})", level)
    assert one.length == pytest.approx(length(name, level) + lost)
    assert [part.start > part.stop for part in one.segments] == [
        False,
        backwards,
        False,
    ]
    again = one.segments[1]
    found = cell(f"46,XX,dup({name})({written})", level)
    assert copies(found, name, (again.start + again.stop) / 2) == 3
    assert centromeres(one, level) == 1


@LAWS
@given(pairs(), LEVEL, some.booleans(), some.data())
def test_an_inversion_turns_a_stretch_and_loses_nothing(where, level, both, data):
    name, first, second = where
    if both:
        first = data.draw(some.sampled_from(bands_of(name, "p")))
        second = data.draw(some.sampled_from(bands_of(name, "q")))
    found = cell(f"46,XX,inv({name})({first}{second})", level)
    assert set(bases(found).values()) == {2}
    (one,) = (one for one in found if not one.normal)
    before, inside, after = one.segments
    assert (before.stop, inside.stop) == (inside.stop, before.stop)
    assert (inside.start, inside.stop) == (after.start, before.stop)
    assert inside.start > inside.stop
    assert centromeres(one, level) == 1


def arms(name, level):
    """The lengths of p and of q."""
    drawn = bands.read(level)[name]
    return drawn.centromere, drawn.length - drawn.centromere


@LEVELS
@pytest.mark.parametrize("kind", ["rob", "der"])
def test_a_robertsonian_loses_the_short_arms_and_shows_one_centromere(kind, level):
    found = cell(f"45,XX,{kind}(14;21)(q10;q10)", level)
    (one,) = (one for one in found if not one.normal)
    short, long = zip(*(arms(name, level) for name in ("14", "21")), strict=True)
    assert one.length == sum(long)
    assert total(cell("46,XX", level)) - total(found) == sum(short)
    assert [part.chromosome for part in one.segments] == ["14", "21"]
    assert centromeres(one, level) == 1
    assert (len(found), one.label) == (45, "14")


def test_a_derivative_of_two_arms_has_its_p_above():
    one = only("46,XY,+1,der(1;7)(q10;p10)")
    drawn = bands.read(550)
    assert one.segments == (
        cells.Segment("7", 0, drawn["7"].centromere),
        cells.Segment("1", drawn["1"].centromere, drawn["1"].length),
    )
    assert (one.label, centromeres(one)) == ("1", 1)


@LEVELS
@pytest.mark.parametrize("arm", "pq")
@pytest.mark.parametrize("name", ["17", "X"])
def test_an_isochromosome_is_its_own_mirror_image(name, arm, level):
    sex = "X" if name == "X" else "XX"
    one = only(f"46,{sex},i({name})({arm}10)", level)
    assert turned(one) == one.segments
    assert one.length == 2 * arms(name, level)["pq".index(arm)]
    assert centromeres(one, level) == 1


@LEVELS
def test_a_ring_is_what_lies_between_its_breaks(level):
    one = only("46,XX,r(13)(p11q34)", level)
    ends = (middle("13", "p11", level), middle("13", "q34", level))
    assert one.segments == (cells.Segment("13", *ends),)
    assert one.ring
    assert centromeres(one, level) == 1
    assert [other.ring for other in cell("46,XX,r(13)(p11q34)")].count(True) == 1


@LAWS
@given(exchanges(most=2), LEVEL)
def test_a_dicentric_and_its_fragment_are_two_whole_chromosomes(where, level):
    found = cell(f"46,XX,dic{where},ace", level)
    assert total(found) == pytest.approx(total(cell("46,XX", level)))
    assert set(bases(found).values()) == {2}
    both, scrap = (one for one in found if not one.normal)
    assert (centromeres(both, level), centromeres(scrap, level)) == (2, 0)
    assert (scrap.label, scrap.name) == ("ace", "ace")


def test_a_dicentric_joins_the_breaks_between_its_centromeres():
    one = only("45,XX,dic(1;5)(q32;p14)")
    q32, p14 = middle("1", "q32"), middle("5", "p14")
    assert one.segments == (
        cells.Segment("1", 0, q32),
        cells.Segment("5", p14, length("5")),
    )


def test_each_dicentric_and_ring_has_its_own_fragment():
    text = "48,XX,dic(1;5)(q32;q31),r(7)(p22q36),ace,ace,ace"
    scraps = [one for one in abnormal(text) if one.name == "ace"]
    made_of = [[part.chromosome for part in one.segments] for one in scraps]
    assert made_of == [["1", "5"], ["7", "7"], ["1"]]


@LEVELS
def test_a_marker_and_a_lone_fragment_are_small(level):
    marker, scrap = abnormal("48,XX,+mar,ace", level)
    assert (centromeres(marker, level), centromeres(scrap, level)) == (1, 0)
    assert max(marker.length, scrap.length) < length("21", level)


def test_breaks_in_one_band_cut_a_part_of_it():
    start, stop = bands.span(bands.read(400)["22"], "q11.2")
    for breaks in ("q11.2q11.2", "q11.21q11.23"):  # 400 bands do not tell them apart
        one = only(f"46,XX,del(22)({breaks})", 400)
        assert length("22") - one.length == (stop - start) / 2


def test_a_clone_that_does_not_add_up_has_no_chromosomes():
    for wrong in (
        cells.Clone(47, "XX"),
        cells.Clone(43, "XX", (cells.Change("whole", ("21",), sign="-"),) * 3),
    ):
        with pytest.raises(bands.KaryotypeError, match="does not add up"):
            iscn.chromosomes(wrong)
