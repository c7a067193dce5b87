"""Files that appear whole or not at all, and the one checksum they are known by.

`replacing(path)` -> a path to write to; it takes the file's place when all went well
`locked(path)` -> a context that one process at a time is in; the dead hold no lock
`write_text(path, text)`; `sha256(path)`; `digest(paths)` over names and contents
`guarded(cell)` -> a cell of a csv that no spreadsheet runs; `unguarded(cell)` undoes it
"""

import contextlib
import fcntl
import hashlib
import os
import pathlib
import re
import time

# What a spreadsheet may take for a formula: a sign, or what it takes for one (all that
# NFKC makes a sign, and the minus sign), behind what it drops: blanks, controls, marks
# that take no room. Apostrophes count too: so a guard can be told.
SIGNS = (
    "=+@\\-\u2212\u207a\u207b\u207c\u208a\u208b\u208c\u2a75\u2a76\ufb29"
    "\ufe62\ufe63\ufe66\ufe6b\uff0b\uff0d\uff1d\uff20"
)
DROPPED = "'\\s\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
FORMULA = re.compile(f"'*[\t\r\n]|[{DROPPED}]*[{SIGNS}]")
NEGATIVE = re.compile(r"[-\u2212][0-9]+(\.[0-9]+)?")


@contextlib.contextmanager
def replacing(path):
    """A path beside the file with the same suffix; leaving the block puts it in place.

    A reader sees the old file or the new one, and what fails leaves nothing behind.
    """
    path = pathlib.Path(path)
    partial = path.with_name(f".{path.stem}.{os.getpid()}.partial{path.suffix}")
    try:
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


@contextlib.contextmanager
def locked(path, *, wait=None):
    """Hold the lock of a file, which is there only meanwhile.

    Where another has it: BlockingIOError, or with `wait` a look every so many seconds.
    """
    while True:
        try:
            handle = lock(path)
            break
        except (BlockingIOError, FileNotFoundError):
            if wait is None:
                raise BlockingIOError(f"{path.name} is another's") from None
            time.sleep(wait)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(handle)


def lock(path):
    """The lock of a file as an open handle; BlockingIOError where another has it.

    Between opening and locking it, whoever had it may have moved the file away; then it
    is no lock of this path, and the same error is raised.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if not os.path.samestat(os.fstat(handle), path.stat()):
            raise BlockingIOError(f"{path.name} was another's, and is gone")
    except OSError:
        os.close(handle)
        raise
    return handle


def write_text(path, text):
    """Write a text in UTF-8, whole or not at all."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def sha256(path):
    """The hash of a file, as `sha256sum` prints it."""
    with pathlib.Path(path).open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def digest(paths):
    """One hash over names and contents of files."""
    total = hashlib.sha256()
    for path in paths:
        total.update(f"{path.name}\0".encode())
        total.update(bytes.fromhex(sha256(path)))
    return total.hexdigest()


def guarded(cell):
    """Text with an apostrophe before it if a spreadsheet might take it for a formula.

    A negative number is none. What is not text stays as it is.
    """
    safe = not isinstance(cell, str) or NEGATIVE.fullmatch(cell)
    return cell if safe or not FORMULA.match(cell) else f"'{cell}"


def unguarded(cell):
    """What `guarded` made safe, as it was."""
    return cell[1:] if cell[:1] == "'" and FORMULA.match(cell) else cell
