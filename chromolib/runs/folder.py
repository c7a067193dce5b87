"""A run's folder: hidden while it is written, in its place when complete.

# Strategy: a run works in a hidden folder beside its place and holds a lock on a file
in it. Completing it is one rename. A process that dies releases its lock, and the next
run of the same identity takes the folder over; a second runner of the same identity
works in a folder of its own meanwhile, so neither harms the other. What nobody came
back for is removed after a fortnight, see `clean`.
"""

import contextlib
import glob
import json
import os
import pathlib
import re
import secrets
import shutil
import time

from chromolib import files

LOCK = ".lock"
REPLACE = "CHROMOLIB_REPLACE"  # set for kernels whose run replaces a finished one
MANIFEST = "manifest.json"
ABANDONED = 14 * 86_400  # seconds after which nobody comes back for a dead run
HIDDEN = re.compile(r"\.(.+)\.\w+\.[0-9a-f]{8}\.(partial|retired|removed)")
WRITTEN = re.compile(r"\..+\.(\d{1,9})\.partial(\.\w+)?")  # see files.replacing


class FolderError(RuntimeError):
    """A folder that cannot be written to; the message says why."""


class ClaimedError(RuntimeError):
    """A run that another process carries out at this moment."""


def place(root, study, identity, out=""):
    """Where a run is found once complete."""
    if out:
        return pathlib.Path(out).expanduser().absolute()
    return root / "data" / "runs" / study / identity


def complete(target, identity):
    """Whether a finished run of this identity lies there."""
    return _identity(target) == identity


def manifest(target):
    """The manifest of a finished run, or None."""
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


@contextlib.contextmanager
def claimed(target):
    """This process alone carries out the run of that place; ClaimedError if it cannot.

    The claim of a process that died, on whatever machine of a shared folder, is void.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            stack.enter_context(files.locked(_claim(target)))
        except BlockingIOError:
            raise ClaimedError(f"{target.name} is in work elsewhere") from None
        yield


def is_claimed(target):
    """Whether a process carries out the run of that place."""
    if not _claim(target).exists():
        return False
    with contextlib.suppress(ClaimedError), claimed(target):
        return False
    return True


def reserve(target, identity):
    """A hidden folder to work in, and its lock: one a dead run left, else a new one."""
    target.parent.mkdir(parents=True, exist_ok=True)
    pattern = f".{glob.escape(target.name)}.{identity}.*.partial"
    for partial in sorted(target.parent.glob(pattern)):
        with contextlib.suppress(OSError):
            return partial, _lock(partial)
    name = f".{target.name}.{identity}.{secrets.token_hex(4)}.partial"
    partial = target.with_name(name)
    partial.mkdir()
    return partial, _lock(partial)


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


def clean(parent):
    """Remove what dead processes left among the runs in a folder.

    Who runs the same again resumes a dead run, tomorrow or after a holiday: its hidden
    folder goes when its lock is free and nobody has held it or written to it for a
    fortnight. Call this when all runs that were asked for are complete: until then one
    of them may take an old folder over. A run that gave way to another is put back if
    its successor died before it took the place, else removed. A half-written file of a
    dead process is of no use to anybody and goes at once.
    """
    for path in parent.glob(".*"):
        if (hidden := HIDDEN.fullmatch(path.name)) and path.is_dir():
            with contextlib.suppress(OSError):
                CLEANED[hidden[2]](path, path.with_name(hidden[1]))
    remove_dead(parent.glob(".*.partial*"))
    for finished in parent.glob(f"[!.]*/{MANIFEST}"):
        remove_dead(finished.parent.rglob(".*.partial*"))


def remove_dead(paths):
    """Remove, of these, the half-written files of processes that are dead."""
    for path in paths:
        written = WRITTEN.fullmatch(path.name)
        if written and path.is_file() and not _alive(int(written[1])):
            with contextlib.suppress(OSError):
                path.unlink()


def _clean_partial(partial, _):
    if time.time() - _last_touched(partial) < ABANDONED:
        return
    removed = partial.with_suffix(".removed")
    with _held(partial):
        partial.rename(removed)  # at once: nobody may take over half a folder
        shutil.rmtree(removed, ignore_errors=True)


def _clean_retired(retired, target):
    successor = retired.with_suffix(".partial")
    if not successor.exists():
        shutil.rmtree(retired, ignore_errors=True)
        return
    with _held(successor):
        if target.exists():
            shutil.rmtree(retired, ignore_errors=True)
        else:
            retired.rename(target)


def _clean_removed(removed, _):
    shutil.rmtree(removed, ignore_errors=True)


CLEANED = {
    "partial": _clean_partial,
    "retired": _clean_retired,
    "removed": _clean_removed,
}


def _last_touched(folder):
    return max(path.stat().st_mtime for path in (folder, *folder.rglob("*")))


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _names(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix() for path in files} - {LOCK}


def _add_missing(older, newer):
    for name in _names(older) - _names(newer):
        (newer / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(older / name, newer / name)


@contextlib.contextmanager
def _held(partial):
    lock = _lock(partial)
    try:
        yield
    finally:
        os.close(lock)


def _lock(partial):
    """The lock of a folder that is still there; its time says when it was taken."""
    handle = files.lock(partial / LOCK)
    os.utime(handle)
    return handle


def _claim(target):
    return target.with_name(f".{target.name}.claim")


def _identity(target):
    return (manifest(target) or {}).get("run")
