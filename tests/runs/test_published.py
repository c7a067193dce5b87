"""What is kept of finished runs: numbers alone, repeatable, and pooled over seeds."""

import csv
import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from toys import CLOSE, LIGHT, RECORD

from chromolib import records, tables
from chromolib.book import build
from chromolib.evidence import between
from chromolib.runs import execute, published, results

ACCURACY = (0.8, 0.9, 0.85)
SHARED = {"profile": "full", "source": "pki3", "protocol": "both", "weights": "none"}


def estimate(value=0.8, *, seed=0, reach=0.05, **words):
    plain = {"study": "chromonet", "quantity": "accuracy", "n": 90, "groups": 9}
    plain |= {"value": value, "low": value - reach, "high": value + reach}
    plain |= {"source": "pki3", "protocol": "published", "model": "ChromoNet"}
    plain |= {
        "profile": "full",
        "conditions": {"unit": "chromosome", "labels": "true"},
    }
    return records.Estimate(**plain | {"seed": seed} | words)


@pytest.fixture
def finished(tmp_path):
    """A finished run with tables, predictions, a notebook and a picture."""

    def make(found, *, seed=0, given=(), **facts):
        place = tmp_path / "data" / "runs" / "chromonet" / f"run{seed}"
        place.mkdir(parents=True, exist_ok=True)
        results.estimates(place / "estimates.csv", found)
        shares = pd.DataFrame({"word": ["-a"], "share": [0.5]})
        results.table(place / "verdicts.csv", shares)
        results.table(place / "wrong.csv", pd.DataFrame({"image": ["a.png"]}))
        for name in ("preds.csv", "chromonet.ipynb", "cell.png"):
            (place / name).write_text("x\n")
        values = SHARED | {"seed": seed, "data": "raw", "out": ""} | dict(given)
        plain = {"run": f"run{seed}", "parameters": values, "edited": False}
        results.manifest(place, plain | {"dirty": False} | facts)
        return execute.Outcome("chromonet", values, place, "fresh", 1.0)

    return make


@pytest.fixture
def kept(tmp_path, finished):
    """A repository with three seeds kept; call it with the estimates of a seed."""

    def make(of_seed, seeds=(0, 1, 2)):
        for seed in seeds:
            published.keep(tmp_path, finished(of_seed(seed), seed=seed))
        return tmp_path

    return make


def names(place):
    return sorted(path.name for path in place.iterdir())


def test_numbers_and_manifest_are_kept_and_nothing_else(tmp_path, finished):
    place = published.keep(tmp_path, finished([estimate()], seed=4))
    assert place == tmp_path / "data/results/chromonet/full/pki3/seed4"
    assert names(place) == ["estimates.csv", "manifest.json", "verdicts.csv"]
    assert names(place.parent) == ["seed4"]
    assert published.read(tmp_path, "chromonet") == [estimate()]


def test_the_same_run_is_replaced_and_another_is_not(tmp_path, finished):
    published.keep(tmp_path, finished([estimate(0.5)]))
    elsewhere = {"data": "other", "out": "mine"}
    place = published.keep(tmp_path, finished([estimate()], given=elsewhere))
    assert published.read(tmp_path, "chromonet") == [estimate()]
    other = finished([estimate(0.7)], given={"protocol": "clean"})
    with pytest.raises(published.PublishedError, match=r"seed0 holds .* protocol; "):
        published.keep(tmp_path, other)
    assert names(place.parent) == ["seed0"]
    assert published.read(tmp_path, "chromonet") == [estimate()]


@pytest.mark.parametrize(
    ("facts", "complaint"),
    [
        ({"edited": True}, "save the notebook, commit it and run"),
        (
            {"dirty": True},
            "not committed; commit first, then run it again with --force",
        ),
    ],
)
def test_what_nobody_could_repeat_is_not_kept(tmp_path, finished, facts, complaint):
    outcome = finished([estimate()], **facts)
    with pytest.raises(published.PublishedError, match=f"chromonet: .*{complaint}"):
        published.keep(tmp_path, outcome)
    assert not (tmp_path / "data" / "results").exists()


def test_no_run_and_two_numbers_for_one_thing_are_refused(tmp_path, finished):
    twice = finished([estimate(), estimate(0.7)])
    with pytest.raises(published.PublishedError, match="two numbers for 'accuracy'"):
        published.keep(tmp_path, twice)
    (twice.folder / "manifest.json").unlink()
    with pytest.raises(published.PublishedError, match="there is no finished run"):
        published.keep(tmp_path, twice)


def test_a_table_of_all_runs_says_of_which_each_row_is(tmp_path):
    assert published.tables(tmp_path, "chromonet", "costs").empty
    for source, seed in (("pki3", 0), ("synthetic", 1)):
        place = tmp_path / "data/results/chromonet/full" / source / f"seed{seed}"
        place.mkdir(parents=True)
        (place / "costs.csv").write_text(f"network,seconds\nours,{seed}\n")
    found = published.tables(tmp_path, "chromonet", "costs")
    assert found["run"].tolist() == ["pki3, seed0", "synthetic, seed1"]
    assert found["seconds"].tolist() == [0, 1]


def test_nothing_kept_is_nothing_read(tmp_path):
    assert published.read(tmp_path, "chromonet") == []
    assert published.pooled(tmp_path, "chromonet") == []


def test_a_damaged_file_is_named_with_its_place(kept):
    root = kept(lambda seed: [estimate(seed=seed)])
    path = root / "data/results/chromonet/full/pki3/seed1/estimates.csv"
    path.write_text("study,quantity\n")
    with pytest.raises(published.PublishedError, match=r"pki3/seed1: estimates\.csv: "):
        published.read(root, "chromonet")


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (
            {"given": {"on_error": "skip"}.items()},
            "seed0 and seed1 .* another on_error",
        ),
        ({"images": {"source": {"fingerprint": "b"}}}, "another images of source"),
    ],
)
def test_seeds_of_another_experiment_are_not_pooled(
    tmp_path, finished, words, complaint
):
    plain = {"given": {"on_error": "refuse"}.items()}
    plain |= {"images": {"source": {"fingerprint": "a"}}}
    published.keep(tmp_path, finished([estimate(seed=0)], seed=0, **plain))
    published.keep(tmp_path, finished([estimate(seed=1)], seed=1, **plain | words))
    with pytest.raises(published.PublishedError, match=f"pki3: .*{complaint}"):
        published.read(tmp_path, "chromonet")


def test_a_seed_of_one_protocol_is_pooled_with_a_seed_of_both(tmp_path, finished):
    both = [estimate(0.9), estimate(0.5, protocol="clean")]
    published.keep(tmp_path, finished(both))
    clean = estimate(0.7, seed=1, protocol="clean")
    alone = finished([clean], seed=1, given={"protocol": "clean"})
    published.keep(tmp_path, alone)
    found = {one.protocol: one for one in published.pooled(tmp_path, "chromonet")}
    assert found["published"] == both[0]
    assert found["clean"].value == pytest.approx(0.6)


def test_quick_runs_are_kept_apart_and_never_pooled(tmp_path, finished):
    outcome = finished([estimate(profile="quick")], given={"profile": "quick"})
    assert published.keep(tmp_path, outcome).parent.parent.name == "quick"
    assert published.read(tmp_path, "chromonet") == []


def test_seeds_come_in_their_order_and_are_pooled_with_both_spreads(kept):
    root = kept(
        lambda seed: [estimate(ACCURACY[seed % 3], seed=seed)], seeds=(10, 2, 0)
    )
    assert [each.seed for each in published.read(root, "chromonet")] == [0, 2, 10]
    (found,) = published.pooled(root, "chromonet")
    twin = between.pool(published.read(root, "chromonet"))
    assert found == twin
    assert found.value == pytest.approx(np.mean([0.8, 0.85, 0.9]))
    assert found.high - found.low > 0.1


def test_a_single_seed_passes_and_what_differs_stays_apart(kept):
    root = kept(
        lambda seed: [
            estimate(seed=seed),
            estimate(
                seed=seed,
                conditions={"unit": "chromosome", "labels": "random"},
            ),
            estimate(seed=seed, protocol="clean"),
            *([estimate(model="SVM")] if seed == 0 else []),
        ]
    )
    found = published.pooled(root, "chromonet")
    assert len(found) == 4
    assert estimate(model="SVM") in found
    assert sum(each.conditions.get("seeds") == "0 1 2" for each in found) == 3


def test_seeds_on_other_groups_pool_to_the_smallest_counts(kept):
    sizes = [(80, 9), (95, 7), (90, 8)]
    root = kept(
        lambda seed: [estimate(seed=seed, n=sizes[seed][0], groups=sizes[seed][1])]
    )
    (found,) = published.pooled(root, "chromonet")
    assert (found.n, found.groups) == (80, 7)


def test_what_is_no_share_is_pooled_too(kept):
    root = kept(lambda seed: [estimate(40.0 + seed, quantity="epochs", seed=seed)])
    (found,) = published.pooled(root, "chromonet")
    assert found.value == pytest.approx(41)


def test_the_claims_page_shows_kept_numbers_with_their_verdict(root, kept):
    before = build.claims_page(root)
    other = kept(
        lambda seed: [
            estimate(ACCURACY[seed], seed=seed),
            estimate(0.6, seed=seed, protocol="clean"),
        ]
    )
    for name in ("book", "data/claims"):
        (other / name).symlink_to(root / name)
    after = build.claims_page(other)
    added = [line for line in after.splitlines() if line not in before.splitlines()]
    pooled, clean = map(tables.plain, map(str, published.pooled(other, "chromonet")))
    mine = f": **compatible** · ours, published protocol: {pooled} (pki3)"
    assert f"{mine} · ours, clean protocol: {clean} (pki3)" in added
    assert sum("compatible" in line for line in added) == 2, "the text claims it too"
    assert any("not the paper's data" in line for line in added)


def test_a_claim_with_a_verdict_is_one_term_with_two_definitions(root, kept):
    from markdown_it import MarkdownIt
    from mdit_py_plugins import deflist

    other = kept(lambda seed: [estimate(seed=seed)])
    for name in ("book", "data/claims"):
        (other / name).symlink_to(root / name)
    text = build.claims_page(other)
    start = text.index("(chromonet-accuracy)=\n") + len("(chromonet-accuracy)=\n")
    entry = text[start : text.index("\n(chromonet-", start)]
    tokens = MarkdownIt().use(deflist.deflist_plugin).parse(entry)
    kinds = [token.type for token in tokens]
    assert kinds.count("dt_open") == 1
    assert kinds.count("dd_open") == 2
    assert kinds.count("paragraph_open") == 4


def test_the_command_line_keeps_what_it_ran(toy):
    repo = toy(LIGHT, RECORD, CLOSE)
    words = ("run", "toy", "--profile", "full", "-p", "seed=7", "--keep")
    done = subprocess.run(
        [sys.executable, "-m", "chromolib", *words],
        cwd=repo,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "Kept: data/results/toy/full/synthetic/seed7" in done.stdout
    (one,) = published.pooled(repo, "toy")
    assert one.seed == 7
    place = repo / "data/results/toy/full/synthetic/seed7"
    manifest = json.loads((place / "manifest.json").read_text())
    assert manifest["parameters"]["seed"] == 7
    assert str(repo) not in json.dumps(manifest)


def test_what_was_kept_does_not_make_the_next_seed_dirty(tmp_path):
    def git(*words):
        who = ("-c", "user.name=a", "-c", "user.email=a@b")
        subprocess.run(["git", *who, *words], cwd=tmp_path, check=True)

    git("init", "-q")
    git("commit", "-q", "--allow-empty", "-m", "first")
    place = tmp_path / "data" / "results" / "toy"
    place.mkdir(parents=True)
    with (place / "estimates.csv").open("w", newline="") as file:
        csv.writer(file).writerow(["study"])
    unfinished = tmp_path / "mine" / ".one.0a1b.partial"
    unfinished.mkdir(parents=True)
    (unfinished / "estimates.csv").touch()
    unfinished.with_name(".one.7.partial.ipynb").touch()
    assert results.commit(tmp_path)["dirty"] is False
    (tmp_path / "new.py").touch()
    assert results.commit(tmp_path)["dirty"] is True
