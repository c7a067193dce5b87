"""A run's folder: written in the dark, shown when complete.

# Strategy: a run works in a hidden folder beside its place and holds a lock on a file
in it. Completing it is one rename. A process that dies drops its lock, and the next
run of the same identity takes the folder over; one that lives keeps it, and another
runner of the same identity works in a folder of its own, so neither harms the other.
"""

import contextlib
import fcntl
import glob
import json
import os
import pathlib
import secrets
import shutil

LOCK = ".lock"
REPLACE = "CHROMOLIB_REPLACE"  # set for kernels whose run replaces a finished one
MANIFEST = "manifest.json"


class FolderError(RuntimeError):
    """The run's place holds something that is not to be overwritten."""


def place(root, study, identity, out=""):
    """Where a run is found once complete."""
    if out:
        return pathlib.Path(out).expanduser().absolute()
    return root / "data" / "runs" / study / identity


def complete(target, identity):
    """Whether a finished run of this identity lies there."""
    return _identity(target) == identity


def manifest(target):
    """What a finished run says of itself, or None."""
    with contextlib.suppress(OSError, ValueError):
        return json.loads((target / MANIFEST).read_text(encoding="utf-8"))
    return None


def check(target):
    """Refuse to write over what is not a run."""
    taken = target.exists() and (not target.is_dir() or any(target.iterdir()))
    if taken and _identity(target) is None:
        raise FolderError(
            f"{target.name} exists and holds no run; name an empty or a new folder"
        )


def reserve(target, identity):
    """A hidden folder to work in, and its lock: one a dead run left, else a new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    pattern = f".{glob.escape(target.name)}.{identity}.*.partial"
    for left in sorted(target.parent.glob(pattern)):
        with contextlib.suppress(OSError):
            return left, _lock(left)
    name = f".{target.name}.{identity}.{secrets.token_hex(4)}.partial"
    made = target.parent / name
    made.mkdir()
    return made, _lock(made)


def publish(partial, target, lock, *, replace=False):
    """Move a complete folder to its place; return whether it is what lies there now.

    An older run gives way, but a finished one is never made poorer. One of the same
    identity stays where it has every file of the new one, unless told to `replace`;
    else the new one takes over the files that it lacks.
    """
    if complete(target, _identity(partial)):
        if not replace and _names(partial) <= _names(target):
            abandon(partial, lock)
            return False
        _add_missing(target, partial)
    retired = partial.with_suffix(".retired")
    with contextlib.suppress(FileNotFoundError):
        target.rename(retired)
    try:
        partial.rename(target)
    except OSError:
        if manifest(target) is None:
            raise
        shutil.rmtree(partial)  # another runner was first, and its run is as good
    (target / LOCK).unlink(missing_ok=True)
    shutil.rmtree(retired, ignore_errors=True)
    os.close(lock)
    return True


def abandon(partial, lock):
    """Give up an unfinished folder."""
    shutil.rmtree(partial, ignore_errors=True)
    os.close(lock)


def _names(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in files} - {LOCK}


def _add_missing(older, newer):
    for name in _names(older) - _names(newer):
        (newer / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(older / name, newer / name)


def _lock(partial):
    handle = os.open(partial / LOCK, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise
    return handle


def _identity(target):
    return (manifest(target) or {}).get("run")
