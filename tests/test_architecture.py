"""Imports point down: the table in CONTRIBUTING.md says who may import whom."""

import ast
import re
import subprocess
import sys

import pytest

STATEMENTS, LINES = 30, 400  # of a function; of a file
LISTS = ("rules.py",)  # a flat list of short functions may be longer


def rooms(root):
    """Room -> heavy packages it may import, in the order of the table."""
    text = (root / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)/?` \|[^|]*\|([^|]*)\|$", text, re.M)
    return {room: set(re.findall(r"`([\w-]+)`", heavy)) for room, heavy in rows}


def modules(root):
    return sorted((root / "chromolib").rglob("*.py"))


def room_of(root, path):
    return path.relative_to(root / "chromolib").parts[0].removesuffix(".py")


def imported(path):
    """Top-level packages a module imports, and the rooms of chromolib among them."""
    names = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    own = {name.split(".")[1] for name in names if name.startswith("chromolib.")}
    return own, {name.split(".")[0] for name in names}


def test_every_room_stands_in_the_table(root):
    found = {room_of(root, p) for p in modules(root)} - {"__init__", "__main__"}
    assert found == set(rooms(root))


def test_a_room_imports_only_rooms_above_it(root):
    order = list(rooms(root))
    for path in modules(root):
        room = room_of(root, path)
        if room in order:
            above = {*order[: order.index(room) + 1], "__version__"}
            assert imported(path)[0] <= above, path


HEAVY = ("keras", "papermill", "typer", "matplotlib", "distributed")


@pytest.mark.parametrize("package", HEAVY)
def test_heavy_packages_stay_in_their_rooms(root, package):
    table = rooms(root)
    users = {room_of(root, p) for p in modules(root) if package in imported(p)[1]}
    assert users
    assert all(package in table[room] for room in users)


STUDY = re.compile(r"\b(chromonet|hamza|chu|shruti)\b", re.I)
OWNERS = ("studies", "book", "cli")  # rooms that may name a study


def test_a_general_room_names_no_study(root):
    for path in modules(root):
        if room_of(root, path) not in OWNERS:
            named = STUDY.search(path.read_text(encoding="utf-8"))
            assert not named, f"{path}: {named[0]}"


def test_studies_do_not_import_each_other(root):
    folder = root / "chromolib" / "studies"
    for path in folder.glob("*/*.py"):
        text = path.read_text(encoding="utf-8")
        used = set(re.findall(r"chromolib\.studies\.(\w+)", text))
        assert used <= {path.parent.name}, path


def test_importing_chromolib_or_its_command_line_loads_no_keras():
    code = "import sys, chromolib.cli; sys.exit('keras' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_files_and_functions_stay_small(root):
    for path in modules(root):
        text = path.read_text(encoding="utf-8")
        assert path.name in LISTS or len(text.splitlines()) <= LINES, path
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef):
                inner = sum(isinstance(n, ast.stmt) for n in ast.walk(node)) - 1
                assert inner <= STATEMENTS, f"{path.name}: {node.name}"


def test_every_public_function_says_what_comes_out(root):
    for path in modules(root):
        outer = ast.parse(path.read_text(encoding="utf-8")).body
        inner = [n for c in outer if isinstance(c, ast.ClassDef) for n in c.body]
        for node in outer + inner:
            if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name[0] != "_":
                assert ast.get_docstring(node), f"{path.name}: {node.name}"
