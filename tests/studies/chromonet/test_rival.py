"""The rival that knows the normal: what its plots show, and that it sees no seams."""

import numpy as np
import pytest

from chromolib.data import edits
from chromolib.studies.chromonet import rival


@pytest.fixture(scope="module")
def chromosomes(tmp_path_factory):
    from tests.studies.chromonet.conftest import Run

    class Unit:
        unit = "chromosome"

    run = Run(tmp_path_factory.mktemp("rival"))
    return run, rival.read(run, [Unit()], 8)


def test_no_group_trains_and_tests(chromosomes):
    _, known = chromosomes
    assert not set(known.straight.group[known.train]) & set(known.test.group)
    assert set(known.test.extra["kind"]) == {*edits.EDITS, edits.UNTOUCHED}


def test_a_chromosome_against_itself_is_a_diagonal_and_an_inversion_crosses_it():
    rng = np.random.default_rng(0)
    line = np.stack([rng.random(60), np.ones(60)], 1)
    turned = line.copy()
    turned[20:40] = turned[20:40][::-1]
    same, crossed = (rival.dots(one, line)[:60, :60, 0] for one in (line, turned))
    at = np.arange(60)
    assert same[at, at].min() > 0.99
    assert np.median(crossed[at[:16], at[:16]]) > 0.9
    inside = at[24:36]
    assert np.median(crossed[inside, inside]) < 0.5
    half = rival.dots(line, None)
    assert not half.any(), "without a homologue nothing stands there"


def test_what_is_lost_is_counted_in_thousandths_of_a_haploid_set(chromosomes):
    _, known = chromosomes
    share, kind = rival.changed(known), known.test.extra["kind"]
    assert (share[kind == edits.UNTOUCHED] == 0).all()
    for name in edits.ABNORMAL:
        assert (share[kind == name] > 0).all()
    assert 2 < np.median(share[kind == "del"]) < 30


def test_every_question_is_asked_and_the_control_too(chromosomes):
    run, known = chromosomes
    said = rival.run(run, known, sizes=rival.Sizes(epochs=1))
    assert len(said.predictions) == len(known.test)
    asked = {tuple(sorted(one.conditions.items())) for one in said.estimates}
    words = {("unit", "chromosome"), ("labels", "true")}
    assert tuple(sorted(words | {("against", "shams")})) in asked
    for kind in edits.ABNORMAL:
        assert tuple(sorted(words | {("against", "shams"), ("kind", kind)})) in asked
    control = words | {("against", "untouched"), ("kind", "shams")}
    assert tuple(sorted(control)) in asked
    assert run.estimates == said.estimates


def test_it_learns_again_with_fewer_groups_and_with_coarser_bands(chromosomes):
    run, known = chromosomes
    made = rival.needs(run, known, rival.Sizes(epochs=1, shares=(0.5,), blurs=(16,)))
    asked = [one.conditions.get("share of groups") for one in made]
    assert asked == ["0.5", None]
    assert made[1].conditions["blurred over"] == "16"
    sharp, coarse = (rival.Expected(known, blur=blur) for blur in (0, 16))
    for one, other in zip(sharp.profiles, coarse.profiles, strict=True):
        rough = [np.abs(np.diff(each[:, 0])).sum() for each in (one, other)]
        assert rough[1] < rough[0]
        np.testing.assert_array_equal(one[:, 1], other[:, 1])  # widths stay


def test_without_named_chromosomes_there_is_no_rival(chromosomes, folder):
    run, _ = chromosomes
    assert rival.read(run, [], 8) is None
    named = type(run)(run.folder, images=folder(["normal", "abnormal"]))

    class Unit:
        unit = "chromosome"

    assert rival.read(named, [Unit()], 8) is None
