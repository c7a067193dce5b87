"""What a study imports is read from its text, at any depth, and nothing else counts."""

import ast
import textwrap

import pytest

from chromolib.runs import identity, imports

FILES = {
    "__init__": "",
    "tables": "",
    "widgets": "",
    "runs/__init__": "from chromolib.runs.run import begin",
    "runs/run": "",
    "models/__init__": "from chromolib import tables",
    "models/train": '"""from here on\nimport nothing at all"""',
    "models/store": "def load():\n    import chromolib.models.train as t\n    return t",
    "studies/__init__": "",
    "studies/toy/__init__": "CHOICES = {}",
    "studies/toy/network": "if True: from . import blocks",
    "studies/toy/blocks": "from ...models import (  # (all of them)\n    store,\n)",
    "studies/other/__init__": "",
    "studies/other/network": "from chromolib import widgets",
}


@pytest.fixture
def repo(toy):
    """A repository whose study imports one module of its room, and that others."""
    made = toy("from chromolib import runs\nfrom chromolib.studies.toy import network")
    (made / "chromolib").unlink()
    for name, text in FILES.items():
        path = made / "chromolib" / f"{name}.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return made


def reached(repo, *texts):
    names = imports.modules(repo, texts)
    return {name.removeprefix("chromolib.") for name in names} - {"chromolib"}


def test_a_study_reaches_modules_through_the_package_and_their_packages(repo):
    found = identity.modules(repo, "toy")
    assert list(found) == sorted(found)
    assert set(found) == {"chromolib"} | {
        f"chromolib.{name.removesuffix('/__init__').replace('/', '.')}"
        for name in FILES
        if name != "__init__" and "other" not in name and name != "widgets"
    }


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("import chromolib.tables", "tables"),
        ("import os; import chromolib.tables as t", "tables"),
        ("from chromolib import (\n    files,\n    tables,\n)", "tables"),
        ("from chromolib import files, \\\n    tables", "tables"),
        ("def f():\n    from chromolib import tables", "tables"),
        ("importlib.import_module('chromolib.tables')", "tables"),
        ("%matplotlib inline\nfrom chromolib import tables", "tables"),
        ("%%time\nimport chromolib.tables", "tables"),
        ("from chromolib.tables import show", "tables"),
        ("import chromolibrary.tables", None),
        ("import tables", None),
        ("x = 1", None),
    ],
)
def test_every_way_to_import_is_seen(repo, text, module):
    assert reached(repo, text) == ({module} if module else set())


def test_modules_that_import_each_other_end(repo):
    (repo / "chromolib" / "tables.py").write_text("from chromolib import widgets")
    (repo / "chromolib" / "widgets.py").write_text("from chromolib import tables")
    assert reached(repo, "import chromolib.tables") == {"tables", "widgets"}


def test_the_quick_reading_is_that_of_the_whole_syntax_tree(root):
    """A slow obvious twin: every statement of every module, parsed."""
    for path in (root / "chromolib").rglob("*.py"):
        text, wanted = path.read_text(encoding="utf-8"), set()
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.Import):
                wanted |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level:
                wanted |= {f"{node.module}.{alias.name}" for alias in node.names}
        ours = {name for name in wanted if name.split(".")[0] == "chromolib"}
        assert ours <= set(imports.imported(text, "")), path


def test_what_is_text_and_no_import_is_not_taken_for_one(repo):
    text = textwrap.dedent('''
        """Says
        from chromolib we import nothing.
        """
    ''')
    assert reached(repo, text) == set()
