"""A verdict is never louder than its evidence."""

import collections
import csv
import dataclasses
import re

import numpy as np
import pytest

from chromolib import records, studies
from chromolib.data import adapters, leakage
from chromolib.evidence import claims, verdicts
from chromolib.studies.hamza import experiment, questions
from chromolib.studies.shruti import schemes

RERUN = {"quantity": "accuracy", "model": "net", "unit": "cell", "labels": "true"}
PRIVATE = "a decision would need the private images of the paper"
SCORES = "accuracy", "macro F1"
HIGHER = RERUN | {"quantity": "difference in accuracy", "above": "0"}


def claim(**words):
    plain = {"id": "toy-accuracy", "statement": "Most are right.", "place": "table 1"}
    plain |= {"quantity": "accuracy", "value": "0.90", "because": "No counts."}
    plain |= {"tolerance": "0.03", "needs": ("own",), "rerun": RERUN}
    return claims.Claim(**plain | words)


def estimate(value=0.9, reach=0.02, **words):
    plain = {"study": "toy", "quantity": "accuracy", "n": 90, "groups": 9}
    plain |= {"value": value, "low": value - reach, "high": value + reach}
    plain |= {"source": "own", "protocol": "published", "model": "net"}
    plain |= {
        "profile": "full",
        "conditions": {"unit": "cell", "labels": "true", "seeds": "0 1 2"},
    }
    return records.Estimate(**plain | words)


def row(estimates, full=(), **words):
    found = verdicts.judge(
        claims.audit([claim(**words)]), estimates, published_full=full
    )
    assert list(found.columns) == list(verdicts.COLUMNS)
    return found.iloc[0]


@pytest.mark.parametrize(
    ("value", "reach", "own", "other"),
    [
        (0.9, 0.02, "reproduced", "compatible"),
        (0.89, 0.03, "reproduced", "compatible"),
        (0.9, 0.04, "compatible", "compatible"),  # too wide to say so
        (0.94, 0.02, "compatible", "compatible"),  # near, but not the number
        (0.96, 0.02, "compatible", "compatible"),  # one run may lie so
        (0.8, 0.02, "not reproduced", "not testable here"),
        (0.995, 0.003, "not reproduced", "not testable here"),
        (0.5, 0.5, "compatible", "compatible"),
    ],
)
def test_the_word_depends_on_the_interval_and_on_whose_data(value, reach, own, other):
    assert row([estimate(value, reach)]).verdict == own
    found = row([estimate(value, reach, source="pki3")])
    assert found.verdict == other
    assert "on pki3, not the paper's data" in found.reason
    assert found.reason.endswith("a decision would need the images of own")


@pytest.mark.parametrize("value", [0.1, 0.5, 0.9, 0.99])
@pytest.mark.parametrize(
    "words",
    [
        {"source": "synthetic"},
        {"source": "pki3 (real, edited)"},
        {"source": "own (real, edited)"},
        {"source": "field (synthetic)"},
        {"source": "printed counts"},
        {"profile": "quick"},
        {"profile": "smoke"},
        {"profile": ""},
        {"protocol": "clean"},
        {"source": "pki3", "profile": "quick"},
    ],
)
def test_nothing_else_says_more_than_what_a_protocol_does(value, words):
    found = row([estimate(value, 0.01, **words)])
    assert found.verdict == "not testable here"
    assert found.ours_published or found.ours_clean
    assert found.reason


def test_both_numbers_are_shown_with_interval_and_source():
    edited = {"source": "pki3 (real, edited)"}
    both = [estimate(0.86, 0.03, **edited)]
    both += [estimate(0.6, 0.1, protocol="clean", **edited)]
    found = row(both)
    assert found.ours_published == "0.86 [0.83, 0.89] (pki3, edited)"
    assert found.ours_clean == "0.6 [0.5, 0.7] (pki3, edited)"
    assert row(both, value="90 %").ours_clean == "60 [50, 70] % (pki3, edited)"
    quick = row([estimate(0.86, 0.03, source="synthetic", profile="quick")])
    assert quick.ours_published == "0.86 [0.83, 0.89] (synthetic, quick)"
    assert quick.ours_clean == ""


def test_what_can_say_most_is_judged_and_shown():
    quick = estimate(0.5, 0.01, source="synthetic", profile="quick")
    full = [estimate(0.6, 0.01, source="synthetic"), estimate(0.9, 0.02, source="pki3")]
    assert row([quick]).ours_published == "0.5 [0.49, 0.51] (synthetic, quick)"
    found = row([quick], full)
    assert found.verdict == "compatible"
    assert found.ours_published == "0.9 [0.88, 0.92] (pki3)"
    assert row([quick], [*full, estimate(0.5)]).verdict == "not reproduced"


def test_a_finished_full_run_stands_before_the_run_at_hand():
    full = estimate(
        0.9, conditions={"unit": "cell", "labels": "true", "seeds": "0 1 2"}
    )
    assert row([estimate(0.5)], [full]).verdict == "reproduced"


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((0.9, 0.5), "not testable here"),  # one agrees, one does not
        ((0.9, 0.94), "compatible"),
        ((0.5, 0.4), "not testable here"),
    ],
)
def test_where_data_disagree_the_quietest_word_stands(values, verdict):
    both = [estimate(v, source=s) for v, s in zip(values, ("own", "too"), strict=True)]
    found = row(both, needs=("own", "too"))  # together: neither decides alone
    assert found.verdict == verdict
    assert "on own" in found.reason
    assert "on too" in found.reason
    assert found.reason.endswith("would need the images of own and too")


@pytest.mark.parametrize("seeds", ["", ";seeds=0 1"])
@pytest.mark.parametrize(
    ("value", "verdict"), [(0.9, "compatible"), (0.5, "not testable here")]
)
def test_a_seed_or_two_decide_nothing(seeds, value, verdict):
    found = row(
        [
            estimate(
                value,
                conditions=records.read_conditions(f"unit=cell;labels=true{seeds}"),
            )
        ]
    )
    assert found.verdict == verdict
    assert "fewer than 3 seeds decide nothing" in found.reason


def test_other_first_weights_are_another_question():
    found = [estimate(0.5, weights="imagenet"), estimate(0.9)]
    assert row(found).verdict == "reproduced"
    assert row(found, rerun=RERUN | {"weights": "imagenet"}).verdict == "not reproduced"


@pytest.mark.parametrize(
    ("relation", "bound", "verdict"),
    [
        ("at least", "above", "not reproduced"),
        ("at most", "below", "reproduced"),
    ],
)
def test_a_bound_is_judged_on_its_side(relation, bound, verdict):
    found = row([estimate(0.5)], relation=relation, rerun=RERUN | {bound: "0.9"})
    assert found.verdict == verdict


def test_every_need_is_a_source_that_a_run_can_name(claims_folder):
    """An estimate names its source as adapters do; a folder's name never matches."""
    elsewhere = {"kaggle-metaphases"}  # public, and no adapter reads it
    for study in studies.STUDIES:
        for one in claims.load(claims_folder, study):
            for need in one.needs:
                private = need.endswith("-private")
                assert private or need in {*adapters.SOURCES, *elsewhere}, one.id


def test_without_a_tolerance_rounding_is_the_tolerance():
    near = estimate(0.897, 0.0005)
    assert row([near], tolerance="").verdict == "reproduced"
    assert row([near], tolerance="", value="0.9").verdict == "reproduced"
    assert row([near], tolerance="", value="0.900").verdict == "not reproduced"


@pytest.mark.parametrize(
    ("value", "reach", "verdict"),
    [
        (0.1, 0.05, "reproduced"),
        (0.1, 0.2, "compatible"),
        (-0.1, 0.05, "not reproduced"),
    ],
)
def test_a_claim_in_words_is_held_against_its_bound(value, reach, verdict):
    found = [estimate(value, reach, quantity="difference in accuracy")]
    assert row(found, value="significant", rerun=HIGHER).verdict == verdict
    part = HIGHER | {"leaves": "recall"}
    less = row(found, value="significant", rerun=part)
    quiet = {"reproduced": "compatible", "not reproduced": "not testable here"}
    assert less.verdict == quiet.get(verdict, verdict)
    assert "this leaves out recall" in less.reason


def test_a_description_is_never_judged():
    found = row([estimate()], value="split after augmentation")
    assert (found.verdict, found.ours_published) == (
        "not testable here",
        "0.9 [0.88, 0.92] (own)",
    )


@pytest.mark.parametrize(
    "words",
    [
        {"quantity": "recall"},
        {"model": "other"},
        {"conditions": {"unit": "cell", "labels": "random"}},
        {"conditions": {"unit": "chromosome", "labels": "true"}},
        {"conditions": {"unit": "cell", "labels": "true", "tested": "unseen"}},
        {"conditions": {}},
    ],
)
def test_another_estimate_is_no_answer(words):
    found = row([estimate(**words)])
    assert found.ours_published == ""
    assert found.reason == (
        "no estimate of accuracy by net in this run; the images of own are at hand"
    )


def test_what_is_missing_is_named_with_its_weights():
    found = row([estimate()], rerun=RERUN | {"weights": "imagenet"})
    assert found.reason.startswith(
        "no estimate of accuracy by net with weights of imagenet"
    )


def test_a_clean_number_alone_is_shown_and_decides_nothing():
    found = row([estimate(protocol="clean")])
    assert found.verdict == "not testable here"
    assert found.reason.startswith("the clean protocol alone was run")


def test_two_models_that_answer_are_refused():
    rerun = {key: value for key, value in RERUN.items() if key != "model"}
    assert row([estimate()], rerun=rerun).verdict == "reproduced"
    with pytest.raises(ValueError, match="toy-accuracy: 'net' and 'other' both answer"):
        row([estimate(), estimate(model="other")], rerun=rerun)


def test_a_claim_without_a_rerun_says_why():
    assert row([estimate(source="pki3")], rerun={}).reason == (
        "no rerun in this edition; a decision would need the images of own"
    )
    alone = row([estimate()], rerun={}, needs=())
    assert alone.reason == "decided by the text alone, see the audit"


@pytest.mark.parametrize(
    ("own", "full", "held"),
    [
        ([], [], False),
        ([estimate(quantity="recall", source="pki3")], [], False),
        ([estimate(quantity="recall", source="own (real, edited)")], [], False),
        ([], [estimate(quantity="recall")], False),  # a run of somebody else
        ([estimate(quantity="recall")], [], True),
        ([estimate(profile="quick")], [], True),
        ([estimate(profile="quick")], [estimate(source="pki3")], True),
    ],
)
def test_images_of_the_run_at_hand_are_not_called_for(own, full, held):
    asked, unasked = row(own, full).reason, row(own, full, rerun={}).reason
    assert asked.endswith("; the images of own are at hand") == held
    assert unasked.endswith("are at hand, and nothing here asks this") == held
    both = row(own, full, needs=("own", "too"), rerun={}).reason
    assert both.endswith("would need the images of own and too")
    for reason in (asked, unasked):
        assert ("would need the images of own" in reason) != held


@pytest.mark.parametrize(
    ("needs", "words"),
    [
        (("a-private",), "the private images of the paper"),
        (("a-private", "b"), "the private images of the paper and the images of b"),
        ((), ""),
    ],
)
def test_what_would_decide_is_said_in_words(needs, words):
    assert verdicts.deciding(claim(needs=needs)) == words
    reason = row([], rerun={}, needs=needs).reason
    assert reason.endswith(words or "see the audit")
    assert "a-private" not in reason


def test_a_reproduced_number_of_a_leaking_protocol_says_that_it_leaks():
    leak = claim(
        id="toy-split",
        rule="siblings",
        counts={"sources": "10", "images": "100", "train": "0.8"},
        rerun={},
    )
    audits = claims.audit([claim(protocol="toy-split"), leak])
    assert verdicts.judge(audits, [estimate()])["reason"][0].endswith("protocol leaks")


@pytest.mark.parametrize(
    ("rerun", "complaint"),
    [
        (["accuracy"], "`rerun` has unknown"),
        ({"qty": "accuracy"}, "unknown .'qty'.; known: quantity, model"),
        ({"model": "net"}, "needs the quantity"),
        (RERUN | {"above": "chance"}, "'chance', which is no number"),
    ],
)
def test_a_rerun_is_checked_when_the_claims_are_read(rerun, complaint):
    with pytest.raises(claims.ClaimsError, match=f"toy-accuracy: .*{complaint}"):
        claim(rerun=rerun)


@pytest.mark.parametrize("relation", ["at least", "at most"])
def test_a_claimed_bound_needs_to_be_named(relation):
    with pytest.raises(claims.ClaimsError, match="a claimed bound needs `above`"):
        claim(relation=relation, tolerance="")
    with pytest.raises(claims.ClaimsError, match="one of `above` and `below`"):
        claim(relation=relation, rerun=HIGHER | {"below": "1"})


def test_a_number_with_a_ceiling_is_a_number():
    """Its `relation` is to what the paper's counts allow; ours is held against it."""
    found = [row([estimate(v)], relation="at most").verdict for v in (0.9, 0.6)]
    assert found == ["reproduced", "not reproduced"]


def test_a_rerun_may_ask_for_a_class():
    copied = [
        estimate(share, quantity="siblings", conditions={"class": name})
        for name, share in (("normal", 0.92), ("abnormal", 0.98))
    ]
    asked = {"quantity": "siblings", "model": "net", "class": "abnormal"}
    found = row(copied, rerun=asked, value="split after augmentation")
    assert found.ours_published == "0.98 [0.96, 1] (own)"


FIELDS = {"fields": "karyogram", "learned from": "all", "tested": "test"}


@pytest.mark.parametrize("name", FIELDS)
def test_a_rerun_may_ask_for_what_a_detector_learned_from_and_was_tested_on(name):
    found = [
        estimate(conditions=FIELDS),
        estimate(0.5, conditions={**FIELDS, name: ""}),
    ]
    asked = {"quantity": "accuracy", "model": "net"} | FIELDS
    assert row(found, rerun=asked).ours_published.startswith("0.9 ")
    assert row(found[1:], rerun=asked).ours_published == ""
    less = {key: value for key, value in asked.items() if key != name}
    assert row(found, rerun=less).ours_published == "", "it was asked for less"


def test_every_rerun_of_the_papers_is_a_number_a_bound_or_a_description(claims_folder):
    for study in studies.STUDIES:
        audits = claims.audit(claims.load(claims_folder, study))
        found = verdicts.judge(audits, [])
        assert set(found["verdict"]) == {"not testable here"}
        assert (found["reason"] != "").all()
        assert not re.search(r"\{|None", " ".join(found["reason"]))


def test_every_number_of_chus_table_has_an_estimate_of_its_own(claims_folder):
    """A row of table 5.1 is a model, a column a quantity; all else is the same."""
    known = {one.id: one for one in claims.load(claims_folder, "chu")}
    with (claims_folder / "chu-tables.csv").open(encoding="utf-8") as lines:
        cells = [r for r in csv.DictReader(lines) if r["table"] == "table 5.1"]
    names = {key: collections.defaultdict(set) for key in ("model", "quantity")}
    for cell in cells:
        one = known[cell["claim"]]
        names["model"][cell["row"]].add(one.rerun["model"])
        names["quantity"][cell["column"]].add(one.rerun["quantity"])
        asked = {k: v for k, v in one.rerun.items() if k not in names}
        tuned = "hed" if "VGG16" in cell["row"] else "moderation"
        assert asked.pop("leaves").startswith("what ImageNet taught")
        assert asked == {"weights": tuned, "labels": "true"}
        assert one.needs == ("arkus-private",)
    for key, size in (("model", 7), ("quantity", 4)):
        assert all(len(found) == 1 for found in names[key].values())
        assert len(set.union(*names[key].values())) == len(names[key]) == size


def test_the_drawn_split_is_shown_beside_chus(claims_folder):
    audits = claims.audit(claims.load(claims_folder, "chu"))
    counts = claims.counts(audits, "chu-augmented-then-split")
    drawn = leakage.siblings(
        **counts,
        protocol="published",
        draws=20,
        rng=np.random.default_rng(0),
        study="chu",
        conditions={"class": "normal"},
    )
    found = verdicts.judge(audits, [drawn]).set_index("claim")
    assert str(drawn) in found.loc["chu-augmented-then-split", "ours_published"]


def test_every_score_of_hamzas_table_is_answered_by_karyograms_of_other_people(
    claims_folder,
):
    """By the trainings that table 5.1 is about, and never louder than `compatible`."""
    audits = claims.audit(claims.load(claims_folder, "hamza"))
    plain = {"fields": "karyogram", "learned from": experiment.THESIS}
    plain |= {"labels": "true", "tested": "test"}
    answered = 0
    for model, stem in questions.STEMS.items():
        for quantity in ("recall", "precision", "F1"):
            (audit,) = claims.pick(audits, f"{stem}-{quantity.lower()}")
            words = {"quantity": quantity, "model": model, "conditions": plain}
            printed = claims.value(audits, audit.claim.id)
            same = estimate(printed, 0.01, source="roboflow", **words)
            found = verdicts.judge([audit], [same]).iloc[0]
            assert found.verdict == "compatible"
            assert "not the paper's data" in found.reason
            assert "its IoU and confidence" in found.reason
            assert found.reason.endswith("protocol leaks; " + PRIVATE)
            off = estimate(printed - 0.3, 0.01, source="roboflow", **words)
            assert verdicts.judge([audit], [off])["verdict"][0] == verdicts.UNTESTED
            for key in plain:
                other = dataclasses.replace(same, conditions=plain | {key: "other"})
                assert not verdicts.answering(audit.claim, [other])
            answered += 1
    assert answered == 12


def test_a_scheme_of_shrutis_base_paper_is_asked_for_both_its_scores(claims_folder):
    known = {one.id: one for one in claims.load(claims_folder, "shruti")}
    heads = [f"{way}, {head}" for way in schemes.APPROACHES for head in schemes.HEADS]
    asked = []
    for number in range(1, 17):
        right, mean = (known[f"shruti-base-{s}-{number}"] for s in ("accuracy", "f1"))
        same = "model", "weights", "labels"
        assert [right.rerun[k] for k in same] == [mean.rerun[k] for k in same]
        assert (right.rerun["quantity"], mean.rerun["quantity"]) == SCORES
        way, _ = mean.rerun["model"].split(", ", 1)
        approach = schemes.APPROACHES.index(way) + 1
        assert f"VGG19, approach {approach}" in mean.conditions
        asked.append(mean.rerun["model"])
    assert sorted(asked) == sorted(heads)


def test_what_is_said_of_the_matrix_leaves_open_whether_it_is_of_the_same_images(
    claims_folder,
):
    audits = claims.audit(claims.load(claims_folder, "shruti"))
    shared = [a for a in audits if a.claim.mismatch == "report and matrix"]
    open_ = r"not said to be of the same|(not|never) says? that (both|matrix)"
    assert all(re.search(open_, a.reason) for a in shared)
