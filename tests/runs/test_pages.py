"""A page of the book that is a notebook runs like a study, with fewer parameters."""

import json

import pytest
from toys import LIGHT

from chromolib.runs import execute, identity, parameters, published, repository

VALUES = {"profile": "smoke", "seed": 0, "out": ""}


@pytest.fixture
def repo(toy):
    """A repository with a study `toy` and a page `shown`."""
    made = toy("x = 1")
    cells = (LIGHT.replace("toy", "shown"),)
    cells += ("run.banner", "run.close()")
    toy(*cells, place="book/shown.ipynb", values=VALUES)
    return made


def test_studies_and_pages_are_told_apart_and_both_are_found(repo):
    assert repository.studies(repo) == ["toy"]
    assert repository.pages(repo) == ["shown"]
    assert repository.notebook(repo, "shown") == repo / "book" / "shown.ipynb"
    with pytest.raises(repository.RepositoryError, match="known: toy, shown"):
        repository.notebook(repo, "other")


def test_a_study_comes_before_a_page_of_its_name(repo):
    (repo / "book" / "toy.ipynb").write_text("{}")
    assert repository.notebook(repo, "toy") == repo / "notebooks" / "toy.ipynb"


def test_a_page_runs_with_three_parameters_and_can_be_kept(repo, monkeypatch):
    known = parameters.known(repository.notebook(repo, "shown"))
    outcome = execute.run(repo, "shown", parameters.resolve(known, {}))
    text = outcome.notebook.read_text()
    assert "This page shows a run of shown: profile smoke, seed 0." in text
    manifest = json.loads((outcome.folder / "manifest.json").read_text())
    assert manifest["weights"]["given"] == "none"
    monkeypatch.setattr(published, "_check_repeatable", lambda *_: None)
    place = published.keep(repo, outcome)
    assert place == repo / "data/results/shown/smoke/synthetic/seed0"
    assert execute.find(repo, "shown", parameters.resolve(known, {})) is None


@pytest.mark.parametrize(
    ("place", "changes"),
    [
        ("results/shown/full/a.csv", ("shown",)),
        ("cards/a.yml", ("shown",)),
        ("claims/shown.yml", ("shown",)),
        ("claims/toy.yml", ("toy",)),
        ("results/toy/full/a.csv", ("toy",)),
        ("results/other/full/a.csv", ()),
        ("models/a.keras", ("toy", "shown")),
    ],
)
def test_what_lies_in_the_repository_counts_for_whoever_reads_it(repo, place, changes):
    names = ("toy", "shown")
    before = {name: identity.of(repo, name, VALUES) for name in names}
    (repo / "data" / place).parent.mkdir(parents=True, exist_ok=True)
    (repo / "data" / place).write_text("x\n")
    after = {name: identity.of(repo, name, VALUES) for name in names}
    assert tuple(n for n in names if before[n] != after[n]) == changes


def test_a_full_run_is_the_same_after_it_was_kept(repo):
    full = VALUES | {"profile": "full"}
    before = identity.of(repo, "toy", full)
    kept = repo / "data" / "results" / "toy" / "full" / "a.csv"
    kept.parent.mkdir(parents=True)
    kept.write_text("x\n")
    assert identity.of(repo, "toy", full) == before
