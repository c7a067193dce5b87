"""Laws of what an exam keeps while it goes on."""

import types

import numpy as np

from chromolib.studies.synthetic import exam, examining


def test_what_was_kept_comes_back_and_another_exam_has_none_of_it(tmp_path):
    path = tmp_path / "answers.csv"
    assert examining.kept(path, "one") == {}
    first, second = np.arange(24), np.zeros(24, int)
    examining.keep(path, "one", ("real", 5, 0), first)
    examining.keep(path, "one", ("both", 5, 0), second)
    examining.keep(path, "other", ("real", 5, 1), second)
    found = examining.kept(path, "one")
    assert set(found) == {("real", 5, 0), ("both", 5, 0)}
    np.testing.assert_array_equal(found["real", 5, 0], first)
    np.testing.assert_array_equal(found["both", 5, 0], second)


def test_a_line_that_was_cut_off_is_no_answer(tmp_path):
    path = tmp_path / "answers.csv"
    examining.keep(path, "one", ("real", 5, 0), np.arange(24))
    text = path.read_text(encoding="utf-8")
    for cut in range(1, 30):
        path.write_text(text[:-cut], encoding="utf-8")
        examining.keep(path, "one", ("both", 5, 0), np.arange(24))
        found = examining.kept(path, "one")
        np.testing.assert_array_equal(found["both", 5, 0], np.arange(24))
        before = found.get(("real", 5, 0), np.empty(0))
        assert len(before) < 24 or cut == 1  # only the end of the line is lost


def test_an_exam_is_another_when_anything_it_rests_on_changes(root):
    def stamp(real="a", synthetic="b", final=False, **budget):
        sets = (types.SimpleNamespace(fingerprint=one) for one in (real, synthetic))
        return examining.stamp(root, *sets, final, exam.Budget(**budget))

    stamps = [stamp(), stamp(real="c"), stamp(synthetic="c"), stamp(final=True)]
    stamps.append(stamp(alone=7))
    assert len(set(stamps)) == 5
    assert stamp() == stamps[0]
