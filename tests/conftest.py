"""What several rooms of the suite share: the repository, a toy one, a browser."""

import functools
import os
import pathlib
import re
import shutil

import nbformat
import pytest
from nbformat import v4

import chromolib  # noqa: F401  before TensorFlow, whose settings it makes

ROOT = pathlib.Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# A file with a test that takes one of these fixtures -> its group: one of several
# workers makes the studies and the book, and one reads the real images.
COSTLY = {"outcomes": "book", "pages": "book", "site": "book", "browser": "book"}
COSTLY |= {"real": "real"}
TAKES = re.compile(rf"def \w+\([^)]*\b({'|'.join(COSTLY)})\b")
TOY = {
    "profile": "smoke",
    "source": "synthetic",
    "data": "",
    "external": "",
    "external_data": "",
    "protocol": "both",
    "weights": "none",
    "on_error": "refuse",
    "seed": 0,
    "out": "",
}


@functools.cache
def group(path):
    """Which tests one worker runs: those of a file, and of all files of its group."""
    taken = TAKES.search((ROOT / path).read_text(encoding="utf-8"))
    return COSTLY[taken[1]] if taken else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Tests for several workers, by group.

    Of xdist's own ways, loadgroup does nothing with this pytest, and loadfile knows no
    groups of files.
    """
    from xdist import scheduler

    class ByGroup(scheduler.LoadScopeScheduling):
        def _split_scope(self, nodeid):
            return group(nodeid.partition("::")[0])

    return ByGroup(config, log)


def pytest_collection_modifyitems(items):
    """The longest groups first, so that no worker waits for them at the end."""
    order = {"book": 0, "tests/test_jax.py": 1, "real": 2}
    items.sort(key=lambda item: order.get(group(item.nodeid.partition("::")[0]), 3))


@pytest.fixture(scope="session")
def root():
    """The repository under test."""
    return ROOT


@pytest.fixture(scope="session")
def claims_folder():
    return ROOT / "data" / "claims"


@pytest.fixture
def toy(tmp_path, monkeypatch):
    """A repository with one study, `toy`; call it with the study's code cells.

    With another `place` and parameters it writes another study or a page of the book.
    """
    for folder in ("notebooks", "book", "data/claims"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "chromolib").symlink_to(ROOT / "chromolib")
    (tmp_path / "requirements.lock").write_text("")
    monkeypatch.chdir(tmp_path)

    def write(*cells, place="notebooks/toy.ipynb", values=TOY):
        source = "\n".join(f"{name} = {value!r}" for name, value in values.items())
        tagged = v4.new_code_cell(source, metadata={"tags": ["parameters"]})
        book = v4.new_notebook(cells=[tagged, *map(v4.new_code_cell, cells)])
        book.metadata.kernelspec = {
            "name": "python3",
            "display_name": "Python 3",
            "language": "python",
        }
        nbformat.write(book, tmp_path / place)
        return tmp_path

    return write


@pytest.fixture(scope="session")
def real():
    """A real source by name, read once; skips where the data root does not have it."""
    from chromolib.data import adapters, sources, store

    place = os.environ.get("CHROMOLIB_DATA", "")

    @functools.cache
    def source(name):
        if not place:
            pytest.skip("CHROMOLIB_DATA names no data root")
        folder = adapters.NAMED[name][1]
        if not store.find(pathlib.Path(place), folder):
            pytest.skip(f"the data root has no {folder}")
        return sources.load(name, place, on_error="skip")

    return source


def executed(root, names):
    """Notebooks run at smoke; runs that are complete are reused."""
    from chromolib.runs import execute, parameters, repository

    runs = []
    for name in names:
        known = parameters.known(repository.notebook(root, name))
        values = parameters.resolve(known, {"profile": "smoke"}, study=name)
        runs.append(execute.run(root, name, values))
    return runs


@pytest.fixture(scope="session")
def outcomes(root):
    """The four studies."""
    from chromolib.runs import repository

    return executed(root, repository.studies(root))


@pytest.fixture(scope="session")
def pages(root):
    """The pages of the book that are notebooks."""
    from chromolib.runs import repository

    return executed(root, repository.pages(root))


@pytest.fixture(scope="session")
def site(root, outcomes, pages):
    """The book, strictly built."""
    from chromolib.book import build

    return build.build(root, [*outcomes, *pages]).parent


@pytest.fixture(scope="session")
def browser():
    """Headless Chromium; a laptop without one skips, continuous integration fails."""
    found = os.environ.get("CHROMIUM") or next(
        filter(None, map(shutil.which, BROWSERS)), None
    )
    if not found:
        reason = f"no Chromium found (looked for {', '.join(BROWSERS)})"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    from playwright import sync_api

    with sync_api.sync_playwright() as driver:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        running = driver.chromium.launch(executable_path=found, args=flags)
        yield running
        running.close()
