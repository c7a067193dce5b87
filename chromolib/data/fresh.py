"""A folder of results that is there whole or not at all.

`vacant(out, error)` -> the path, if nothing lies there yet
`complete(out)` -> a folder to write to, which takes the name `out` at the end
"""

import contextlib
import os
import pathlib
import secrets
import shutil

from chromolib.data import store


def vacant(out, *, error):
    """The place to write to, if nothing is there yet; `error` is raised if not."""
    out = pathlib.Path(out).absolute()
    empty = out.is_dir() and not out.is_symlink() and not any(out.iterdir())
    if not empty and (out.exists() or out.is_symlink()):
        name = store.shown(out.name)
        raise error(f"{name} exists and is not an empty folder; name another")
    return out


@contextlib.contextmanager
def complete(out):
    """A folder beside `out` that takes its name when all is written, else goes."""
    out.parent.mkdir(parents=True, exist_ok=True)
    folder = out.with_name(f".{out.name}.{secrets.token_hex(4)}.partial")
    folder.mkdir()
    try:
        yield folder
        os.replace(folder, out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
