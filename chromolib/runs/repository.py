"""Where the studies lie on this disk; no room above this one knows."""

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


def notebook(root, study):
    """The source of a study, or an error that lists the studies there are."""
    path = root / "notebooks" / f"{study}.ipynb"
    if not path.is_file():
        raise RepositoryError(f"no study {study!r}; known: {', '.join(studies(root))}")
    return path


def studies(root):
    """Names of the studies there are."""
    return sorted(path.stem for path in (root / "notebooks").glob("*.ipynb"))
