"""Where studies and pages lie on this disk; no room above this one knows."""

import json
import pathlib

import chromolib


class RepositoryError(RuntimeError):
    """There is no repository where one was looked for."""


def root():
    """The repository: the one the working directory is in, else the package's own."""
    here = pathlib.Path.cwd()
    package = pathlib.Path(chromolib.__file__).resolve().parent.parent
    for folder in (here, *here.parents, package):
        if (folder / "notebooks").is_dir() and (folder / "data" / "claims").is_dir():
            return folder
    raise RepositoryError(
        "the notebooks are not here: clone the repository and call this inside it, or "
        "install it with `pip install -e .`"
    )


def notebook(root, name):
    """The source of a study or of a page, or an error that lists what there is."""
    for folder in ("notebooks", "book"):
        path = root / folder / f"{name}.ipynb"
        if path.is_file():
            return path
    names = ", ".join([*studies(root), *pages(root)])
    raise RepositoryError(f"no study {name!r}; known: {names}")


def cells(path):
    """The cells of a notebook, each a dict with its source in one piece.

    nbformat, which also checks them, takes over a second to be imported.
    """
    notebook = json.loads(path.read_text(encoding="utf-8"))
    return [cell | {"source": "".join(cell["source"])} for cell in notebook["cells"]]


def studies(root):
    """Names of the studies."""
    return sorted(path.stem for path in (root / "notebooks").glob("*.ipynb"))


def pages(root):
    """Names of the book's pages that are notebooks, executed like the studies."""
    return sorted(path.stem for path in (root / "book").glob("*.ipynb"))
