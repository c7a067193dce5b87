"""What a spreadsheet opens runs nothing, and reads back as it was."""

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as some

from chromolib import files

FORMULAS = ["=1+1", "+1", "@x", "-x", "\tx", "\rx", "\nx", "'=1", "''-x", "'-1"]
FORMULAS += [" =1", "\t=1", "\n =1", "\xa0=1", "\u3000=1", "\ufeff=1", "\0=1", "' =1"]
FORMULAS += [
    "\uff1d1",
    "\uff0b1",
    "\uff0dx",
    "\uff20x",
    "\u207a1",
    " \ufe661",
    "\u2212x",
]
START = some.text(" '\t\r\n\u200b=+-@\uff1d\u22121.", max_size=6)


@pytest.mark.parametrize("cell", FORMULAS)
def test_a_formula_is_guarded_and_comes_back(cell):
    assert files.guarded(cell) == "'" + cell
    assert files.unguarded(files.guarded(cell)) == cell


@pytest.mark.parametrize("cell", ["X", "-1", "-0.5", "'X", "''", "", "1", " a", "a=1"])
def test_other_text_stays_as_it_is(cell):
    assert files.guarded(cell) == files.unguarded(cell) == cell


@pytest.mark.parametrize("cell", [1, -1.5, None, True])
def test_what_is_no_text_stays_as_it_is(cell):
    assert files.guarded(cell) is cell


def test_every_sign_that_unicode_makes_a_formula_is_known():
    for code in range(sys.maxunicode + 1):
        if unicodedata.normalize("NFKC", chr(code))[0] in "=+-@":
            assert files.guarded(f"{chr(code)}x")[0] == "'", hex(code)


@given(some.builds("{}{}".format, START, some.text()))
def test_every_text_comes_back_and_none_starts_like_a_formula(cell):
    safe = files.guarded(cell)
    assert files.unguarded(safe) == cell
    plain = unicodedata.normalize("NFKC", safe).strip()
    assert plain[:1] not in {*"=+-@"} or files.NEGATIVE.fullmatch(cell)
