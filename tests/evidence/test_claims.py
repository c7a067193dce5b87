"""The claims files are whole, and the audit's words come from their numbers."""

import csv
import os
import pathlib
import re

import pytest

from chromolib import studies
from chromolib.evidence import claims, recompute

NUMBER = re.compile(r"\d+(?:,\d{3})*(?:\.\d+)?|\.\d+")
# Lines that text recognition made of photographs of karyograms, by their first words.
PICTURES = (
    "Carlos and C",
    "Upper (E)",
    "and the second",
    "88\t88",
    "Daugelt",
    "Rears of",
)
TABLE_LINE = re.compile(r"\t|val\\_loss|val_loss")


@pytest.fixture(params=studies.STUDIES)
def study(request):
    return request.param


@pytest.fixture
def audits(claims_folder, study):
    return claims.audit(claims.load(claims_folder, study))


def numbers(value):
    """Every number in a claim's text, without signs, commas and idle zeros."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return {n for part in value for n in numbers(part)}
    return {f"{float(n.replace(',', '')):g}" for n in NUMBER.findall(value)}


def printed_numbers(folder, study):
    """Every number in the paper's tables: table, row, column, printed, claim, excluded.

    Each has the id of the claim that uses it, or the reason why none does.
    """
    path = pathlib.Path(folder) / f"{study}-tables.csv"
    with path.open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def said(claim):
    return numbers([claim.value, claim.counts, list(claim.readings), claim.conditions])


def test_every_claim_says_what_where_and_why(audits, study):
    for item in audits:
        assert item.claim.id.startswith(f"{study}-")
        assert item.claim.statement.endswith(".")
        assert item.claim.place
        assert item.word == "consistent" or item.reason, item.claim.id


def test_no_sentence_holds_a_number_that_its_claim_does_not(audits):
    for item in audits:
        claim = item.claim
        fields = re.sub(r"\{\w+\}", "", claim.because)
        places = numbers(claim.place) | numbers(claim.statement)
        typed = numbers(fields) - said(claim) - numbers(claim.also) - places
        decimals = {
            n
            for n in typed
            if "." in n and not re.search(rf"(section|ure) {n}", fields)
        }
        assert not decimals, claim.id


def test_every_number_in_the_tables_has_a_claim_or_a_reason(
    claims_folder, study, audits
):
    known = {item.claim.id: item.claim for item in audits}
    rows = printed_numbers(claims_folder, study)
    assert rows
    for row in rows:
        assert bool(row["claim"]) != bool(row["excluded"]), row
        if row["claim"]:
            assert numbers(row["printed"]) <= said(known[row["claim"]]), row


@pytest.mark.papers
def test_the_list_of_table_numbers_is_complete(claims_folder, study):
    folder = os.environ.get("CHROMOLIB_PAPERS")
    if not folder:
        pytest.skip("CHROMOLIB_PAPERS does not name a folder with the papers' texts")
    text = (pathlib.Path(folder) / f"{study}.txt").read_text(encoding="utf-8")
    body = text[text.index("Introduction") :].splitlines()
    lines = [line for line in body if TABLE_LINE.search(line)]
    lines = [line for line in lines if not is_contents(line)]
    lines = [line for line in lines if not line.startswith(PICTURES)]
    rows = printed_numbers(claims_folder, study)
    listed = numbers([row["printed"] for row in rows])
    printed = numbers([cell for line in lines for cell in line.split("\t")[1:]])
    assert len(printed) >= 8
    assert printed <= listed | row_labels(claims_folder, study)


def is_contents(line):
    """A line of the contents: it ends in a page number after a title."""
    return (
        bool(re.match(r"^(\d+(\.\d+)*)?\t?\D+\d+$", line.strip())) and "%" not in line
    )


def row_labels(claims_folder, study):
    rows = printed_numbers(claims_folder, study)
    return {n for row in rows for n in numbers([row["row"], row["column"]])}


def test_leaking_protocols_mark_what_was_measured_under_them(audits):
    leaks = {a.claim.id for a in audits if a.word == "leaking protocol"}
    marked = {a.claim.id for a in audits if a.leaking}
    assert marked == {a.claim.id for a in audits if a.claim.protocol in leaks}


def test_an_origin_that_tells_the_label_is_a_shortcut_and_no_leak(claims_folder):
    audits = claims.audit(claims.load(claims_folder, "chu"))
    (origin,) = claims.pick(audits, "chu-origin")
    assert (origin.word, origin.shown) == ("not checkable", "")
    assert "0.495 (p = " in origin.reason
    assert not any(a.leaking for a in audits if "-original-" in a.claim.id)


def test_a_ceiling_that_crops_may_lift_is_not_checkable_and_says_how_far(claims_folder):
    audits = claims.audit(claims.load(claims_folder, "hamza"))
    names = [f"hamza-{model}-recall" for model in ("frcnn", "rfcn", "ssd")]
    for audit in claims.pick(audits, *names, "hamza-boxes-limit"):
        assert audit.word == "not checkable"
        assert "about 44.8 chromosomes an image" in audit.reason
    (all_found,) = claims.pick(audits, "hamza-yolo-all-found")
    assert (all_found.claim.value, all_found.word) == ("all", "contradictory")


def test_tally_counts_every_claim_once(audits):
    assert claims.tally(audits).sum() == len(audits)


def test_every_cited_work_is_in_the_references(root, audits):
    text = (root / "book" / "references.bib").read_text(encoding="utf-8")
    keys = set(re.findall(r"^@\w+\{(\S+),", text, re.M))
    assert {a.claim.cite for a in audits} - {""} <= keys


def entry(**fields):
    plain = {
        "id": "toy-accuracy",
        "statement": "Half of the images are labelled correctly.",
        "place": "table 1",
        "quantity": "accuracy",
        "value": '"0.50"',
    }
    lines = [f"{name}: {value}" for name, value in {**plain, **fields}.items()]
    return "- " + "\n  ".join(lines) + "\n"


def load(folder, text):
    (folder / "toy.yml").write_text(text)
    return claims.audit(claims.load(folder, "toy"))


def test_a_claim_is_recomputed_and_judged(tmp_path):
    (found,) = load(
        tmp_path,
        entry(
            rule="accuracy",
            counts='{tp: "6", fp: "1", tn: "2", fn: "1"}',
            because="The matrix gives {recomputed}, not {printed}.",
        ),
    )
    assert found.word == "contradictory"
    assert found.reason == "The matrix gives 0.8, not 0.50."
    assert (found.recomputed.low, found.recomputed.high) == recompute.clopper_pearson(
        8, 10
    )


@pytest.mark.parametrize(
    ("printed", "word", "shown"),
    [
        ("0.80", "consistent", "0.8 [0.444, 0.975]"),
        ("0.79", "truncated", "0.8"),
        ("0.85", "contradictory", "0.8"),
    ],
)
def test_an_interval_stands_where_the_number_agrees(tmp_path, printed, word, shown):
    counts = '{tp: "6", fp: "1", tn: "2", fn: "1"}'
    because = "The same ten images, counted twice."
    text = entry(value=f'"{printed}"', rule="accuracy", counts=counts, because=because)
    (found,) = load(tmp_path, text)
    assert (found.word, found.shown) == (word, shown)


def test_a_paper_gets_the_reading_that_serves_it_best(tmp_path):
    (found,) = load(
        tmp_path,
        entry(
            rule="ratio",
            counts='{part: "1", whole: "3"}',
            readings='[{as: other, rule: ratio, counts: {part: "1", whole: "2"}}]',
        ),
    )
    assert found.word == "consistent"


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("- id: [", "toy.yml is not YAML"),
        ("- just a word", "just a word"),
        ("", "holds no list of claims"),
        (entry(valeu="1"), "toy-accuracy: unknown .*valeu"),
        (entry(), "no rule, so `because` must say why"),
        (entry(rule="accurracy", counts="{}"), "unknown rule 'accurracy'"),
        (entry(rule="accuracy", counts='{tp: "1"}'), "takes tp, fp, tn, fn; got tp"),
        (entry(rule="ratio", counts='{part: "1", whole: "0"}'), "toy-accuracy: .*zero"),
        (entry(rule="ratio", counts='{part: many, whole: "2"}'), "toy-accuracy: "),
        (entry(rule="fact", counts="{known: male}"), "needs `cite`"),
        (
            entry(rule="elsewhere", counts='{value: "1"}', relation="about"),
            "relation is one of",
        ),
        (entry(because="See {nothing}."), "speaks of unknown .*nothing"),
        (
            entry(because="Why not.", protocol="toy-split"),
            "no claim describes the protocol",
        ),
        (entry(because="Why not.") * 2, "more than once"),
        (
            entry(value="half", rule="elsewhere", counts='{value: "1"}'),
            "needs a number; got 'half'",
        ),
    ],
)
def test_a_bad_file_is_refused_by_name(tmp_path, text, complaint):
    with pytest.raises(claims.ClaimsError, match=complaint):
        load(tmp_path, text)


def test_a_missing_file_names_the_studies(claims_folder):
    with pytest.raises(claims.ClaimsError, match="known studies: chromonet"):
        claims.load(claims_folder, "chromnet")


def test_claims_that_fail_for_one_reason_are_one_mismatch(claims_folder):
    audits = claims.audit(claims.load(claims_folder, "shruti"))
    odd = claims.with_word(audits, "contradictory")
    shared = [a for a in odd if a.claim.mismatch == "report and matrix"]
    assert len(shared) == 17
    assert claims.mismatches(audits) == len(odd) - len(shared) + 1
    assert claims.mismatches([]) == 0


@pytest.mark.parametrize("study", studies.STUDIES)
def test_a_mismatch_is_of_several_claims_that_do_contradict(claims_folder, study):
    audits = claims.audit(claims.load(claims_folder, study))
    named = [a for a in audits if a.claim.mismatch]
    assert {a.word for a in named} <= {"contradictory"}
    for name in {a.claim.mismatch for a in named}:
        assert sum(a.claim.mismatch == name for a in named) > 1


def test_one_reading_of_figure_4_is_charged_not_two(claims_folder):
    """Its cells fit the table as counts of one set: so each sentence is read."""
    audits = claims.audit(claims.load(claims_folder, "chromonet"))
    found, normal, right = claims.pick(
        audits,
        "chromonet-matrix-abnormal",
        "chromonet-matrix-normal",
        "chromonet-accuracy",
    )
    assert found.shown == "90 %"
    assert normal.shown == "84.4 %"
    assert right.recomputed.value == pytest.approx(1.57 / 1.80)
    assert 0.866 < right.recomputed.least < right.recomputed.most < 0.878
