"""What several rooms of the suite share: the repository, a toy one, a browser."""

import functools
import os
import pathlib
import shutil

import nbformat
import pytest
from nbformat import v4

ROOT = pathlib.Path(__file__).resolve().parent.parent
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# fixtures that only one of several workers should make -> the name of its group
COSTLY = {"outcomes": "book", "pages": "book", "browser": "book", "real": "real"}
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


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Groups for several workers (--dist loadgroup): what shares a costly fixture.

    The longest comes first. All else stays with its file.
    """
    order = {}
    for item in items:
        costly = [name for name in COSTLY if name in item.fixturenames]
        group = COSTLY[costly[0]] if costly else item.path.name
        item.add_marker(pytest.mark.xdist_group(group))
        order[item] = ("book", "real", group).index(group)
    items.sort(key=order.get)


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
