"""The modules of chromolib that code imports, directly or not: read, never run."""

import ast
import contextlib
import re

PACKAGE = "chromolib"
# where a statement begins: an import, on its own line or after a colon or semicolon
IMPORT = re.compile(
    r"(?:^|[:;])[^\S\n]*((?:from\s+[\w.]+\s+import|import)\b[^\n(]*(?:\([^)]*\))?)",
    re.MULTILINE,
)
NAMED = re.compile(rf"""["']({PACKAGE}(?:\.\w+)+)["']""")  # for import_module


def modules(root, texts, *, also=()):
    """Module -> its file, of all that the texts reach, and those named in `also`."""
    files, waiting = {}, list(also)
    for text in texts:
        waiting += imported(text, "")
    while waiting:
        parts = waiting.pop().split(".")
        for size in range(1, len(parts) + 1):
            name = ".".join(parts[:size])
            if name not in files and (path := _file(root, parts[:size])):
                files[name] = path
                package = name if path.stem == "__init__" else name.rpartition(".")[0]
                waiting += imported(path.read_text(encoding="utf-8"), package)
    return dict(sorted(files.items()))


def imported(text, package):
    """What a text imports, as far as it may be of chromolib; some are no modules."""
    names = NAMED.findall(text)
    for node in _statements(text.replace("\\\n", " ")):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - node.level + 1]
            base = [*(above if node.level else ()), *filter(None, [node.module])]
            names += [".".join([*base, alias.name]) for alias in node.names]
    return [name for name in names if name.split(".")[0] == PACKAGE]


def _statements(text):
    """The import statements, parsed alone: to parse whole files takes ten times longer.

    Where that fails, at a docstring's words or a comment in brackets, all is parsed.
    """
    nodes, whole = [], True
    for statement in IMPORT.findall(text):
        try:
            nodes += ast.parse(statement).body
        except SyntaxError:
            whole = False
    if not whole:
        with contextlib.suppress(SyntaxError):  # a cell with a magic has no whole
            nodes += ast.walk(ast.parse(text))
    return nodes


def _file(root, parts):
    path = root.joinpath(*parts)
    for file in (path.with_suffix(".py"), path / "__init__.py"):
        if file.is_file():
            return file
    return None
