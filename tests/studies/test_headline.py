"""A study at a glance: which numbers stand side by side, and what is missing."""

import importlib
import types

import pytest

from chromolib import records
from chromolib.evidence import claims
from chromolib.runs import published
from chromolib.studies import STUDIES, common, headline

PICK = ("accuracy", "ours", "published", {"labels": "true"})
CLEAN = ("accuracy", "ours", "clean", {"labels": "true"})


def estimate(value, *, protocol="published", source="pki3", **conditions):
    words = {"study": "chromonet", "quantity": "accuracy", "n": 90, "groups": 9}
    words |= {"source": source, "protocol": protocol, "model": "ours"}
    conditions = {"labels": "true"} | conditions
    ends = {"value": value, "low": value - 0.1, "high": value + 0.1}
    return records.Estimate(**words | ends, profile="full", conditions=conditions)


@pytest.fixture
def audits(claims_folder):
    return claims.audit(claims.load(claims_folder, "chromonet"))


@pytest.fixture
def compared():
    picks = {headline.PUBLISHED: [PICK], headline.CLEAN: [CLEAN]}
    return headline.Headline("chromonet-accuracy", "accuracy", picks, "So it is.")


def test_a_line_has_what_was_run_and_names_what_was_not(audits, compared):
    found = [estimate(0.9, seeds="5"), estimate(0.8, tested="unseen")]
    found += [estimate(0.6, protocol="clean", source="bioimlab")]
    first, second = headline.lines("chromonet", compared, audits, found)
    assert (first.source, second.source) == ("pki3", "bioimlab")
    assert first.printed == pytest.approx(0.89)
    assert first.found == {headline.PUBLISHED: found[0]}
    assert first.missing == (headline.CLEAN,)
    assert "its protocol 0.9, clean protocol not run yet" in first.sentence
    (nothing,) = headline.lines("chromonet", compared, audits, [])
    assert nothing.missing == (headline.PUBLISHED, headline.CLEAN)


def test_a_study_opens_with_claim_answer_meaning_and_figure(audits, compared):
    run = types.SimpleNamespace(study="chromonet")
    drawn = [estimate(0.7, source="synthetic"), estimate(0.5, protocol="clean")]
    opened = common.opening(run, audits, drawn, compared)
    claim, answer, meaning = opened.sentences
    assert "0.89; table 1" in claim
    assert answer.startswith("Our full runs on pki3 give"), "real images decide"
    assert "0.5 [0.4, 0.6] by a clean protocol" in answer
    assert "not run yet by the paper's protocol" in answer
    assert meaning == "So it is."
    shown = opened._repr_html_()
    assert shown.count("<figure ") == 1
    assert "synthetic: printed 0.89, its protocol 0.7" in shown
    (_, answer, _) = common.opening(run, audits, [], compared).sentences
    assert answer == "No full run is kept yet."


@pytest.mark.parametrize("study", STUDIES)
def test_each_study_picks_numbers_that_its_kept_runs_have(root, study):
    """A pick that no run ever answers would say "not run yet" for ever."""
    questions = importlib.import_module(f"chromolib.studies.{study}.questions")
    audits = claims.audit(claims.load(root / "data" / "claims", study))
    found = published.pooled(root, study)
    lines = headline.lines(study, questions.HEADLINE, audits, found)
    assert any(headline.CLEAN in one.found for one in lines)


def test_exercises_are_answered_by_kept_runs_source_by_source():
    picks = {"by image": PICK, "by group": CLEAN}
    asked = [("What rises?", picks, "So it does.")]
    found = [estimate(0.9), estimate(0.6, protocol="clean", source="bioimlab")]
    folded = common.exercises(found, asked)
    ((question, answer),) = folded.answers
    assert question == "What rises?"
    assert answer.startswith("pki3: 0.9 [0.8, 1] by image; bioimlab: 0.6 [0.5, 0.7]")
    assert folded._repr_html_().count("<details>") == 1
    ((_, answer),) = common.exercises([], asked).answers
    assert answer == "not run yet. So it does."


def holds_in_chromonet(found):
    """What the protocol adds to chance is mostly what copies tell each other."""
    by_protocol, unseen = found[headline.PUBLISHED].value, found[headline.UNSEEN].value
    return by_protocol - unseen > unseen - 0.5


def holds_in_chu(found):
    """The whole image is guessed at; classify and count is not."""
    return found[headline.CLEAN].low < 0.5 < found[headline.BEST].low


def holds_in_hamza(found):
    """Finding first and naming then goes further than the detector alone, where both
    were run; on copies it is no better than on unseen fields."""
    if headline.BEST in found:
        return found[headline.BEST].low > found[headline.CLEAN].high
    return found[headline.PUBLISHED].low < found[headline.UNSEEN].high


def holds_in_shruti(found):
    """Named together, the chromosomes of a cell reach what the report printed, and
    more of them are right than named one by one."""
    printed, together = 0.942, found[headline.BEST].value
    return together > max(printed, found[headline.CLEAN].value)


@pytest.mark.parametrize("study", STUDIES)
def test_what_an_opening_means_holds_in_every_kept_source(root, study):
    """Its sentence has no number, so nothing else would notice that it went stale."""
    questions = importlib.import_module(f"chromolib.studies.{study}.questions")
    audits = claims.audit(claims.load(root / "data" / "claims", study))
    kept = published.pooled(root, study)
    for line in headline.lines(study, questions.HEADLINE, audits, kept):
        if set(headline.COLUMNS[2:]) & set(line.found) == {headline.CLEAN}:
            assert study == "chromonet", line
        assert globals()[f"holds_in_{study}"](line.found), line


def test_a_karyogram_s_place_is_its_name_in_what_is_kept(root):
    """As the opening of hamza says: elsewhere the same chromosomes are not named."""
    recall = {
        one.conditions["tested"]: one
        for one in published.pooled(root, "hamza")
        if (one.quantity, one.model, one.source) == ("recall", "YOLO v5", "roboflow")
        and one.conditions.get("labels") == "true"
    }
    assert recall["other places"].high < 0.1 < recall["unseen"].low


def test_no_network_of_chu_sees_what_a_count_of_pieces_sees(root):
    """As its opening says; of one with a block trained a seed alone would say more."""
    quantity, rivals = (
        "AUROC of abnormal",
        ("homologues compared", "classify and assign"),
    )
    seen = {}
    for one in published.read(root, "chu"):
        said = one.conditions
        unseen = one.protocol == "clean" or said.get("tested") == "unseen"
        plain = {"labels", "tested"} >= said.keys() and said.get("labels") == "true"
        if one.quantity == quantity and unseen and plain and one.model not in rivals:
            seen.setdefault(one.model, []).append(one.value)
    counted = min(seen.pop("count by place"))
    assert len(seen) > 7
    assert max(map(max, seen.values())) < counted
