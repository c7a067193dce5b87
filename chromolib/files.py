"""Files that appear whole or not at all, and the one checksum they are known by.

`replacing(path)` -> a path to write to; it takes the file's place when all went well
`write_text(path, text)`; `sha256(path)`; `digest(paths)` over names and contents
"""

import contextlib
import hashlib
import os
import pathlib


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
