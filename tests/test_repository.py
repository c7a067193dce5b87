"""What the repository may hold, and what it may not."""

import json
import re
import subprocess

import pytest

PICTURES = {"book/favicon.png", "book/inspector.png", "book/picture.png"}  # drawn by us
IMAGES = (".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp")


@pytest.fixture(scope="module")
def tracked(root):
    done = subprocess.run(
        ["git", "-C", str(root), "ls-files"], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def test_no_picture_but_the_drawn_ones(tracked):
    assert {name for name in tracked if name.lower().endswith(IMAGES)} <= PICTURES


def test_no_absolute_path_of_anybodys_machine(root, tracked):
    private = re.compile(r"(?<![\w.])/(?:home|root|Users|work|mnt|media)/\w")
    for name in tracked:
        if not name.startswith("book/assets/vendor/") and not name.endswith(
            (".png", ".lock", ".keras", ".npz")
        ):
            text = (root / name).read_text(encoding="utf-8")
            assert not private.search(text), name


def test_large_files_are_offline_assets_and_shipped_models_only(root, tracked):
    size = {name: (root / name).stat().st_size for name in tracked}
    models = [name for name in size if name.startswith("data/models/")]
    large = {name for name in size if size[name] > 1_000_000} - set(models)
    assert all(name.startswith("book/assets/vendor/") for name in large)
    assert max(size[name] for name in models) <= 3_000_000
    assert sum(size[name] for name in models) <= 8_000_000


def test_vendored_code_keeps_its_licences(root):
    vendor = root / "book" / "assets" / "vendor"
    texts = [path.name for path in vendor.glob("*LICENSE*")]
    assert len(texts) >= 2


def test_continuous_integration_runs_the_readme_command(root):
    assert (root / ".ci" / "run").read_text().rstrip().endswith("make test")
    assert "make test" in (root / "README.md").read_text()


def test_workflow_actions_are_pinned_and_least_privileged(root):
    text = (root / ".github" / "workflows" / "pages.yml").read_text()
    used = re.findall(r"uses: (\S+)", text)
    assert used
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)
    assert re.search(r"^permissions: \{\}$", text, re.M)


def test_readme_fits_a_screen_and_its_map_is_true(root):
    text = (root / "README.md").read_text()
    assert len(text.splitlines()) <= 60
    named = re.findall(r"^([\w./-]+/?)  +\S", text, re.M)
    assert len(named) >= 8
    assert all((root / name).exists() for name in named)


def test_notebooks_hold_no_outputs(root, tracked):
    for name in tracked:
        if name.endswith(".ipynb"):
            cells = json.loads((root / name).read_text())["cells"]
            assert not any(cell.get("outputs") for cell in cells), name


def test_pages_call_the_command_where_it_lies(root, tracked):
    pages = [name for name in tracked if re.match(r"README|book/.*(md|ipynb)$", name)]
    for name in pages:
        text = (root / name).read_text(encoding="utf-8")
        assert not re.findall(r'^\s*"?chromolib [a-z].*', text, re.M), name


def test_the_glossary_is_in_order_and_has_every_term_that_is_referred_to(root, tracked):
    text = (root / "book" / "glossary.md").read_text(encoding="utf-8")
    terms = re.findall(r"^(\w.*)\n  \S", text, re.M)
    assert terms == sorted(terms, key=str.casefold)
    assert len(terms) > 50
    for name in tracked:
        if name.endswith((".md", ".ipynb")):
            page = (root / name).read_text(encoding="utf-8")
            used = re.findall(r"\{term\}`(?:[^`<]*<)?([^`<>]+?)>?`", page)
            assert set(used) <= set(terms), name
