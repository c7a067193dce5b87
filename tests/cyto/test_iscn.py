"""Karyotypes as text: what is read, how it is written, and what is refused, and why."""

import contextlib
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from chromolib.cyto import bands, cells, iscn

SAME = (  # written as they are read
    "46,XX",
    "46,XY",
    "45,X",
    "47,XXX",
    "47,XXY",
    "47,XYY",
    "48,XXXX",
    "48,XXYY",
    "49,XXXXY",
    "47,XX,+21",
    "45,XY,-7",
    "47,XY,+8",
    "48,XX,+21,+21",
    "44,XX,-21,-21",
    "45,X,-Y",
    "45,X,-X",
    "45,Y,-X",
    "47,XX,+X",
    "46,XX,+8,-21",
    "46,XX,del(5)(p15.2)",
    "46,XX,del(5)(q13q33)",
    "46,XX,del(22)(q11.2q11.2)",
    "47,XX,+del(5)(p15.2)",
    "46,X,del(X)(p11.2)",
    "46,Y,del(X)(p11.2)",
    "46,XX,dup(1)(q21q31)",
    "46,XX,dup(1)(q31q21)",
    "46,XX,inv(9)(p12q13)",
    "46,XY,inv(3)(q21q26.2)",
    "46,X,inv(Y)(p11.2q11.2)",
    "46,XY,t(9;22)(q34;q11.2)",
    "46,X,t(X;9)(q13;q34)",
    "46,Y,t(X;9)(q13;q34)",
    "46,X,t(Y;9)(q11.2;q34)",
    "46,t(X;Y)(p22.3;q11.2)",
    "46,XY,t(9;22;10)(q34;q11.2;q22)",
    "45,XX,rob(14;21)(q10;q10)",
    "46,XX,rob(14;21)(q10;q10),+21",
    "45,XX,rob(13;13)(q10;q10)",
    "44,X,rob(14;21)(q10;q10)",
    "46,X,i(X)(q10)",
    "46,XY,i(17)(q10)",
    "47,XX,+i(12)(p10)",
    "46,XX,r(13)(p11q34)",
    "46,X,r(X)(p22.3q28)",
    "45,XX,dic(13;14)(p11.2;p11.2)",
    "45,X,dic(X;15)(p22.3;q26)",
    "46,XX,dic(1;5)(q32;q31),ace",
    "46,XX,der(22)t(9;22)(q34;q11.2)",
    "47,XY,t(9;22)(q34;q11.2),+der(22)t(9;22)(q34;q11.2)",
    "46,X,der(X)t(X;9)(q13;q34)",
    "45,XX,der(14;21)(q10;q10)",
    "46,XY,+1,der(1;7)(q10;p10)",
    "47,XX,+mar",
    "48,XX,+mar,+mar",
    "47,XX,r(13)(p11q34),ace",
    "46,XX[20]",
    "mos 45,X[12]/46,XX[18]",
    "45,X[12]/46,XX[18]",
    "mos 47,XY,+21/46,XY",
    "46,XX,t(9;22)(q34;q11.2)[8]/47,XX,+8,t(9;22)(q34;q11.2)[7]/46,XX[5]",
)
PUT_RIGHT = {  # read -> written
    " 46 , XX ": "46,XX",
    "47,\tXX , + 21\n": "47,XX,+21",
    "46,XX,del (5) ( q13 q33 )": "46,XX,del(5)(q13q33)",
    "mos  45,X [12] / 46,XX [ 18 ]": "mos 45,X[12]/46,XX[18]",
    "46,XX,t(22;9)(q11.2;q34)": "46,XX,t(9;22)(q34;q11.2)",
    "46,X,t(9;X)(q34;q13)": "46,X,t(X;9)(q13;q34)",
    "46,XX,t(22;10;9)(q11.2;q22;q34)": "46,XX,t(9;22;10)(q34;q11.2;q22)",
    "45,XX,rob(21;14)(q10;q10)": "45,XX,rob(14;21)(q10;q10)",
    "46,XX,+21,rob(14;21)(q10;q10)": "46,XX,rob(14;21)(q10;q10),+21",
    "45,XX,dic(14;13)(p11.2;p12)": "45,XX,dic(13;14)(p12;p11.2)",
    "46,XX,der(22)t(22;9)(q11.2;q34)": "46,XX,der(22)t(9;22)(q34;q11.2)",
    "47,XX,+21,inv(9)(p12q13)": "47,XX,inv(9)(p12q13),+21",
    "48,XX,+mar,+8": "48,XX,+8,+mar",
    "48,XX,ace,+mar": "48,XX,+mar,ace",
    "47,XX,+ace": "47,XX,ace",
    "47,X,+8,del(X)(p11.2)": "47,X,del(X)(p11.2),+8",
    "46,XX,-7,+3": "46,XX,+3,-7",
    "46,XX,del(5)(p15),+5,-7": "46,XX,+5,del(5)(p15),-7",
}
READ = (*SAME, *PUT_RIGHT)
# text -> the part at fault, its character from 1, and something of the reason
REFUSED = {
    "": ("''", 1, "starts with its number"),
    "   ": ("''", 4, "starts with its number"),
    "46": ("'46'", 1, "sex chromosomes are missing; write 46,XX"),
    "XX": ("'XX'", 1, "starts with its number"),
    "XX,46": ("'XX'", 1, "starts with its number"),
    "46 XX": ("'46 XX'", 1, "starts with its number"),
    "46.XX": ("'46.XX'", 1, "starts with its number"),
    "046,XX": ("'046'", 1, "starts with its number"),
    "-46,XX": ("'-46'", 1, "starts with its number"),
    "\uff14\uff16,XX": ("'\uff14\uff16'", 1, "starts with its number"),
    "chi 46,XX": ("'chi 46'", 1, "starts with its number"),
    "46,": ("''", 4, "nothing stands after this comma"),
    "46,XX,": ("''", 7, "nothing stands after this comma"),
    "47,XX,,+21": ("''", 7, "nothing stands after this comma"),
    "46,YX": ("'YX'", 4, "X first"),
    "46,xx": ("'xx'", 4, "capitals"),
    "45,XO": ("'XO'", 4, "one X alone is X"),
    "46,X X": ("'X X'", 4, "X first"),
    "46,Z": ("'Z'", 4, "sex chromosomes are X and Y"),
    "45,Y": ("'Y'", 4, "no cell lives without an X"),
    "46,del(5)(p15.2)": ("'del(5)(p15.2)'", 4, "no cell lives without an X"),
    "50,XXXXXX": ("'XXXXXX'", 4, "6 sex chromosomes; 5 are the most"),
    "46,XY,-Y": ("'-Y'", 7, "letters are the sex chromosomes that are left"),
    "45,XX,-X": ("'-X'", 7, "letters are the sex chromosomes that are left"),
    "460,XX": ("'460'", 1, "make 46; write 46"),
    "45,XX": ("'45'", 1, "make 46"),
    "46,X": ("'46'", 1, "make 45"),
    "69,XXX": ("'69'", 1, "of a diploid cell make 47"),
    "46,XY,+21": ("'46'", 1, "make 47; write 47"),
    "46,XX,-7": ("'46'", 1, "make 45"),
    "46,XX,rob(14;21)(q10;q10)": ("'46'", 1, "make 45"),
    "46,XX,dic(13;14)(p11.2;p11.2)": ("'46'", 1, "make 45"),
    "46,XX,+mar": ("'46'", 1, "make 47"),
    "46,XX,+del(5)(p15.2)": ("'46'", 1, "make 47"),
    "46,XX,del(X)(p11.2)": ("'46'", 1, "an abnormal X or Y stands for a letter"),
    "46,XX,t(X;9)(q13;q34)": ("'46'", 1, "an abnormal X or Y stands for a letter"),
    "45,X[12]/45,XX[18]": ("'45'", 10, "make 46"),
    "43,XX,-21,-21,-21": ("'-21'", 15, "no chromosome 21 left"),
    "43,XX,rob(14;14)(q10;q10),-14": ("'-14'", 27, "no chromosome 14 left"),
    "46,XX,+21,-21": ("'-21'", 11, "gained and lost"),
    "46,XX,+25": ("'25'", 8, "no such chromosome"),
    "46,XX,+Z": ("'Z'", 8, "no such chromosome"),
    "47,XX,+021": ("'021'", 8, "no such chromosome"),
    "46,XX,del(25)(q13)": ("'25'", 11, "no such chromosome"),
    "46,XX,i(17q)": ("'17q'", 9, "no such chromosome"),
    "46,XX,del()(p15)": ("''", 11, "no such chromosome"),
    "46,XX,t(9;)(q34;q11)": ("''", 11, "no such chromosome"),
    "46,XX,21": ("'21'", 7, "a gain is +21, a loss -21"),
    "46,XX,+": ("'+'", 7, "a sign without a chromosome"),
    "47,XX,++21": ("'+21'", 8, "no change is written so"),
    "47,XX,+21x2": ("'21x2'", 8, "no change is written so"),
    "45,XX,\u22127": ("'\u22127'", 7, "no change is written so"),
    "46,XX,foo(5)(p15)": ("'foo'", 7, "the kinds are del, der"),
    "46,XX,ins(5)(p15q13q33)": ("'ins'", 7, "the kinds are del, der"),
    "46,XX,DEL(5)(p15)": ("'DEL'", 7, "the kinds are del, der"),
    "46,XX,idem": ("'idem'", 7, "the kinds are del, der"),
    "46,XX,(5)(p15)": ("''", 7, "the kinds are del, der"),
    "46,XX,mar": ("'mar'", 7, "+mar or ace"),
    "45,XX,-mar": ("'-mar'", 7, "+mar or ace"),
    "45,XX,-del(5)(p15)": ("'-del(5)(p15)'", 7, "only a whole chromosome is lost"),
    "46,XX,del": ("'del'", 7, "which chromosome, and where?"),
    "46,XX,del 5(p15)": ("'del 5'", 7, "no change is written so"),
    "46,XX,del(5)": ("'del(5)'", 7, "breakpoints are missing"),
    "46,XX,del(5)p15.2": ("'del(5)p15.2'", 7, "breakpoints are missing"),
    "46,XX,t(9;22)": ("'t(9;22)'", 7, "breakpoints are missing"),
    "46,XX,del(5(p15.2)": ("'(5(p15.2)'", 10, "bracket is not closed"),
    "46,XX,del(5)(p15.2": ("'(p15.2'", 13, "bracket is not closed"),
    "46,XX,t(9,22)(q34;q11)": ("'(9'", 8, "';' inside"),
    "46,XX,del(5)((p15.2))": ("'((p15.2))'", 13, "bracket is not closed"),
    "46,XX,del(5)(p15.2))": ("')'", 20, "nothing may stand after"),
    "46,XX,del(5)(p15.2)dn": ("'dn'", 20, "nothing may stand after"),
    "46,XX,del(5)(p15)(q13)": ("'q13'", 19, "nothing may stand after"),
    "46,XX,del(5)()": ("''", 14, "an arm and a band"),
    "46,XX,del(5)(15.2)": ("'15.2'", 14, "an arm and a band"),
    "46,XX,del(5)(p15,2)": ("'(p15'", 13, "bracket is not closed"),
    "46,XX,del(5)(pter)": ("'pter'", 14, "an arm and a band"),
    "46,XX,del(5)(p15?)": ("'p15?'", 14, "an arm and a band"),
    "46,XX,del(5)(p)": ("'p'", 14, "no band 'p'"),
    "46,XX,del(5)(p15.)": ("'p15.'", 14, "no band 'p15.'"),
    "46,XX,del(5)(p99)": ("'p99'", 14, "the nearest are p15.33"),
    "46,XX,t(9;22)(q34;q99)": ("'q99'", 19, "chromosome 22 has no band"),
    "46,XX,t(9;22)(q11.2;q34)": ("'q11.2'", 15, "chromosome 9 has no band"),
    "46,XX,t(9;22)(q34)": ("'q34'", 15, "1 sets of breakpoints for 2"),
    "46,XX,t(9;22)(q34q11.2)": ("'q34q11.2'", 15, "';' goes between sets"),
    "46,XX,del(5)(p15;q13)": ("'p15;q13'", 14, "2 sets of breakpoints for 1"),
    "46,XX,del(5)(p15q13)": ("'q13'", 17, "is a ring, r(...)(p15q13)"),
    "46,XX,del(5)(q33q13)": ("'q33'", 14, "centromere first: q13q33"),
    "46,XX,del(5)(q13q15q33)": ("'5'", 11, "del takes 1 or 2 breakpoints here, not 3"),
    "46,XX,del(5;6)(q13;q15)": ("'del'", 7, "del takes 1 chromosomes, not 2"),
    "46,XX,del(5)(p10)": ("'p10'", 14, "is the centromere itself"),
    "46,XX,dup(1)(q21)": ("'1'", 11, "dup takes 2 breakpoints here, not 1"),
    "46,XX,dup(1)(p21q21)": ("'q21'", 17, "dup stays in one arm"),
    "46,XX,inv(9)(q13p12)": ("'q13'", 14, "break in p first: p12q13"),
    "46,XX,inv(3)(q26.2q21)": ("'q26.2'", 14, "centromere first: q21q26.2"),
    "46,XX,r(13)(q34p11)": ("'q34'", 13, "a break in p and then one in q"),
    "46,XX,r(13)(q14q34)": ("'q14'", 13, "a break in p and then one in q"),
    "46,X,i(X)(q11)": ("'q11'", 11, "write p10 or q10"),
    "46,X,i(X)(p10q10)": ("'X'", 8, "i takes 1 breakpoints here, not 2"),
    "46,XX,t(9)(q34)": ("'t'", 7, "t takes 2 or 3 chromosomes, not 1"),
    "46,XX,t(9;9)(q34;q11)": ("'9'", 9, "between different chromosomes"),
    "46,XX,t(1;3)(p10;q10)": ("'p10'", 14, "der(A;B) break there"),
    "45,XX,rob(1;21)(q10;q10)": ("'1'", 11, "13, 14, 15, 21, 22"),
    "45,XX,rob(14;21)(p10;q10)": ("'p10'", 18, "write q10"),
    "45,XX,rob(14;21)(q11;q11)": ("'q11'", 18, "write p10 or q10"),
    "45,XX,dic(13)(p11.2)": ("'dic'", 7, "dic takes 2 chromosomes, not 1"),
    "46,XX,der(22)": ("'der(22)'", 7, "say what made it"),
    "46,XX,der(22)del(22)(q13)": ("'der(22)del(22)(q13)'", 7, "say what made it"),
    "46,XX,der(21)t(9;22)(q34;q11)": ("'21'", 11, "is not in t(9;22)"),
    "46,XX,der(22)t(9;22)": ("'t(9;22)'", 14, "breakpoints are missing"),
    "45,XX,der(14;21)(q11;q11)": ("'q11'", 18, "write p10 or q10"),
    "46,XX[": ("'['", 6, "ends in its number of cells"),
    "46,XX]": ("'46,XX]'", 1, "ends in its number of cells"),
    "46,XX[0]": ("'[0]'", 6, "ends in its number of cells"),
    "46,XX[x]": ("'[x]'", 6, "ends in its number of cells"),
    "46,XX[3]x": ("'[3]x'", 6, "ends in its number of cells"),
    "46,XX[3][4]": ("'[3][4]'", 6, "ends in its number of cells"),
    "/46,XX": ("''", 1, "starts with its number"),
    "46,XX/": ("''", 7, "starts with its number"),
    "46,XX//46,XY": ("''", 7, "starts with its number"),
    "45,X[12]/46,XX": ("'46,XX'", 10, "every clone has its number of cells"),
    "46,XX[3]/46,XX[4]": ("'46,XX[4]'", 10, "same as a clone before"),
    "mos": ("''", 4, "starts with its number"),
    "mos 46,XX": ("'46,XX'", 5, "a mosaic has several clones"),
}


@pytest.mark.parametrize("text", SAME)
def test_a_karyotype_is_written_as_it_is_read(text):
    assert iscn.write(iscn.parse(text)) == text


@pytest.mark.parametrize("text", PUT_RIGHT)
def test_spaces_and_order_are_put_right(text):
    assert iscn.write(iscn.parse(text)) == PUT_RIGHT[text]


@pytest.mark.parametrize("text", READ)
def test_what_is_written_is_read_as_the_same(text):
    karyotype = iscn.parse(text)
    assert iscn.parse(iscn.write(karyotype)) == karyotype
    assert hash(karyotype) == hash(iscn.parse(iscn.write(karyotype)))


@pytest.mark.parametrize("text", REFUSED)
def test_what_cannot_be_is_refused_by_part_place_and_reason(text):
    part, place, reason = REFUSED[text]
    with pytest.raises(bands.KaryotypeError) as caught:
        iscn.parse(text)
    assert str(caught.value).startswith(f"{part} (character {place}): ")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("thing", [None, 46, b"46,XX", ["46,XX"]])
def test_what_is_no_text_is_refused_by_its_type(thing):
    with pytest.raises(bands.KaryotypeError, match=f"no {type(thing).__name__}"):
        iscn.parse(thing)


@pytest.mark.parametrize(
    "text",
    [
        *("46,XX" + "," * 990, "(" * 1000, "46,XX," + "(" * 990, "9" * 1000),
        *("46,XX,del(5)(" + "p" * 980 + ")", "46,XX,t" + "(9;22)" * 160),
        *("46,XX,del(5)(" + "p15.2" * 190 + ")", "46,XX,del(5)(p" + "9" * 980 + ")"),
        *(
            "mos " * 250,
            "46,XX/" * 160,
            "[" * 1000,
            " " * 1000,
            "46,XX," + "der(9)" * 160,
        ),
        *("46," + "X" * 990, "46,XX" + ",+21" * 240, "46,XX,t(" + ";" * 980 + ")()"),
    ],
)
def test_long_nonsense_is_refused_at_once_and_in_short(text):
    start = time.perf_counter()
    with pytest.raises(bands.KaryotypeError) as caught:
        iscn.parse(text)
    assert time.perf_counter() - start < 1
    assert len(str(caught.value)) < 250


def test_too_long_a_text_is_refused_unread():
    with pytest.raises(bands.KaryotypeError, match=r"^6,000,000 characters"):
        iscn.parse("46,XX," * 1_000_000)


def laws_hold(karyotype):
    """Whether it is written as it was read, and has as many chromosomes as it says."""
    try:
        same = iscn.parse(iscn.write(karyotype)) == karyotype
        counts = [len(iscn.chromosomes(clone)) for clone in karyotype.clones]
    except bands.KaryotypeError:
        return False
    right = counts == [clone.count for clone in karyotype.clones]
    return same and right and bool(iscn.describe(karyotype))


def edited(text, edits):
    for where, what in edits:
        where %= len(text) + 1
        text = text[:where] + what + text[where + (what == "") :]
    return text


EDITS = some.lists(
    some.tuples(
        some.integers(0, 200),
        some.sampled_from(
            [*"(),;/[]+-pq.019XY ", "", "", "t", "der", "\u2212", "\x00"]
        ),
    ),
    min_size=1,
    max_size=4,
)


@settings(max_examples=600, deadline=None)
@given(some.sampled_from(READ), EDITS)
def test_a_spoilt_karyotype_is_refused_or_still_one(text, edits):
    with contextlib.suppress(bands.KaryotypeError):
        karyotype = iscn.parse(edited(text, edits))
        assert laws_hold(karyotype)


@settings(max_examples=200, deadline=None)
@given(some.text(max_size=60))
def test_any_text_is_refused_or_read(text):
    with contextlib.suppress(bands.KaryotypeError):
        karyotype = iscn.parse(text)
        assert laws_hold(karyotype)


def test_a_karyotype_is_records():
    karyotype = iscn.parse("mos 47,XY,+21[3]/46,XY[7]")
    gain = cells.Change("whole", ("21",), sign="+")
    down = cells.Clone(47, "XY", (gain,), 3)
    assert karyotype == cells.Karyotype((down, cells.Clone(46, "XY", (), 7)), True)


def test_a_change_of_no_chromosome_cannot_be_made():
    with pytest.raises(bands.KaryotypeError, match="'25' is none of 1 to 22, X and Y"):
        cells.Change("whole", ("25",), sign="+")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("46,XX", "normal female"),
        ("46,XY[20]", "20 cells: normal male"),
        ("45,X", "monosomy X (Turner syndrome)"),
        ("47,XXY", "XXY (Klinefelter syndrome)"),
        ("49,XXXXY", "sex chromosomes XXXXY"),
        ("47,XX,+21", "female, trisomy 21 (Down syndrome)"),
        ("48,XX,+21,+21", "female, tetrasomy 21"),
        ("45,XY,-7", "male, monosomy 7"),
        ("51,XX,+8,+8,+8,+8,+8", "female, 7 copies of 8"),
        ("45,X,-Y", "male, loss of Y"),
        ("47,XX,+X", "female, gain of X"),
        ("46,XX,del(5)(p15.2)", "female, deletion in 5p (cri du chat syndrome)"),
        ("46,XX,inv(9)(p12q13)", "female, inversion of 9 (a common variant)"),
        (
            "46,XY,t(9;22)(q34;q11.2)",
            "male, balanced translocation between 9 and 22 (Philadelphia)",
        ),
        (
            "46,XY,t(9;22;10)(q34;q11.2;q22)",
            "male, balanced translocation between 9, 22 and 10",
        ),
        (
            "46,XX,der(22)t(9;22)(q34;q11.2)",
            "female, derivative 22 of a translocation between 9 and 22 (Philadelphia)",
        ),
        (
            "46,XX,rob(14;21)(q10;q10),+21",
            "female, Robertsonian translocation of 14 and 21, "
            "trisomy 21 (Down syndrome)",
        ),
        ("46,XY,+1,der(1;7)(q10;p10)", "male, gain of 1, derivative of 1q and 7p"),
        ("46,X,i(X)(q10)", "female, isochromosome of Xq (Turner syndrome)"),
        (
            "47,XX,+i(12)(p10)",
            "female, additional isochromosome of 12p (Pallister-Killian syndrome)",
        ),
        (
            "46,XX,dic(1;5)(q32;q31),ace",
            "female, dicentric of 1 and 5, acentric fragment",
        ),
        ("47,XX,+mar", "female, marker chromosome"),
        ("46,XX,r(13)(p11q34)", "female, ring chromosome 13"),
        ("46,XX,dup(1)(q21q31)", "female, duplication in 1q"),
        (
            "mos 45,X[12]/46,XX[18]",
            "mosaic: 12 cells: monosomy X (Turner syndrome); 18 cells: normal female",
        ),
    ],
)
def test_karyotypes_in_words(text, said):
    assert iscn.describe(iscn.parse(text)) == said
