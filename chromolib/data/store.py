"""Files of a stranger's folder or zip, listed and read safely, the same either way."""

import dataclasses
import pathlib
import posixpath
import stat
import threading
import zipfile

from chromolib.records import Problem

LARGEST = 256 << 20  # bytes of one file
MOST = 2_000_000  # files of one source
RATIO = 200  # of an entry that unpacks to more than a megabyte
ARCHIVES = (".zip", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".7z", ".rar", ".zst")
LITTER = ("__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini", ".git")


class StoreError(OSError):
    """A source that is not there or cannot be opened, or a file that cannot be read."""


@dataclasses.dataclass(frozen=True, eq=False)
class Store:
    """Files by relative name; whatever could lead out of the root is not among them."""

    title: str  # base name of the folder or archive
    sizes: dict  # name -> bytes, in the order of names
    problems: tuple  # what was left out, and why
    opened: object  # how a file is read: name -> bytes

    @property
    def names(self):
        """Every file, sorted."""
        return tuple(self.sizes)

    def size(self, name):
        """Bytes of a file as its folder or archive states them."""
        return self.sizes[name]

    def read(self, name):
        """A file's bytes, never more than `LARGEST`."""
        try:
            blob = self.opened(name)
        except (OSError, EOFError, RuntimeError, zipfile.BadZipFile) as error:
            raise StoreError(f"{shown(name)} cannot be read: {_why(error)}") from None
        except Exception as error:  # zlib and lzma have error classes of their own
            raise StoreError(
                f"{shown(name)} is damaged: {type(error).__name__}"
            ) from None
        return blob


def find(root, name):
    """The folder or zip of that name under a data root; None where there is none."""
    for path in (root / name, root / f"{name}.zip"):
        if path.is_dir() or (path.suffix == ".zip" and path.is_file()):
            return path
    return None


def open_at(path):
    """The files of a folder or a zip."""
    path = pathlib.Path(path)
    try:
        if path.is_dir():
            return _folder(path)
        if path.is_file():
            return _archive(path)
    except (OSError, zipfile.BadZipFile, NotImplementedError) as error:
        raise StoreError(
            f"{shown(path.name)} cannot be opened: {_why(error)}; "
            "a source is a folder or an undamaged .zip"
        ) from None
    raise StoreError(f"there is no folder or zip {shown(path.name)!r}; check the path")


def shown(name):
    """A file's name as a message may show it: printable, without control characters."""
    text = str(name).encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


# Strategy: a name is taken in only when it is plain text, relative, without dots that
# climb, and leads to a regular file inside the root. Everything else is a problem.


def _folder(root):
    home, sizes, problems = root.resolve(), {}, []
    for path, name in _walk(root, ""):
        reason = _refused_path(path, home) or _refused_name(name)
        if reason:
            problems.append(_error(name, *reason))
            continue
        size = path.stat().st_size
        if size > LARGEST:
            problems.append(_error(name, *TOO_LARGE))
        else:
            sizes[name] = size

    def opened(name):
        with (root / name).open("rb") as handle:
            return handle.read(LARGEST)

    return _store(root.name, sizes, problems, opened)


def _walk(folder, prefix):
    """Files below a folder by relative name; linked folders are not entered."""
    for path in sorted(folder.iterdir()):
        name = f"{prefix}{path.name}"
        if path.name in LITTER:
            continue
        if path.is_dir() and not path.is_symlink():
            yield from _walk(path, f"{name}/")
        else:
            yield path, name


def _archive(path):
    bundle = zipfile.ZipFile(path)
    infos = [info for info in bundle.infolist() if not info.is_dir()]
    sizes, problems, entries = {}, [], {}
    top = _common_top([info.filename for info in infos])
    for info in infos:
        name = info.filename.removeprefix(top)
        if set(name.split("/")) & set(LITTER):
            continue
        reason = _refused_entry(info, name, entries)
        if reason:
            problems.append(_error(name, *reason))
        else:
            sizes[name], entries[name] = info.file_size, info
    lock = threading.Lock()

    def opened(name):
        with lock, bundle.open(entries[name]) as handle:
            return handle.read(LARGEST)

    return _store(path.name, sizes, problems, opened)


def _common_top(names):
    """The single folder that holds everything in an archive, if there is one."""
    tops = {name.split("/")[0] for name in names if name.split("/")[0] not in LITTER}
    nested = all("/" in name for name in names)
    top = tops.pop() if len(tops) == 1 and nested else ""
    return f"{top}/" if top not in ("", "..", ".") else ""


def _store(title, sizes, problems, opened):
    if len(sizes) > MOST:
        raise StoreError(
            f"{shown(title)} holds {len(sizes):,} files, more than {MOST:,}; divide it"
        )
    ordered = {name: sizes[name] for name in sorted(sizes)}
    return Store(title, ordered, tuple(problems), opened)


def _error(name, reason, remedy):
    return Problem("error", reason, shown(name), remedy)


TOO_LARGE = (
    f"file larger than {LARGEST >> 20} MiB",
    "an image of a metaphase is far smaller; convert or remove it",
)
CLIMBS = ("name leads out of the source", "pack it again with relative names")
NESTED = ("an archive inside the source", "unpack it in its place")


def _refused_name(name):
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or ".." in parts or ":" in parts[0]:
        return CLIMBS
    if posixpath.normpath(name) != name or "\\" in name:
        return "name is not a plain relative path", "rename the file"
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return "name is not valid UTF-8", "rename the file"
    if not name.isprintable():
        return "name has control characters", "rename the file"
    if name.lower().endswith(ARCHIVES):
        return NESTED
    return None


def _refused_path(path, home):
    if not path.exists():
        return "a link to nothing", "remove it or copy the file in its place"
    if path.is_symlink() and not path.resolve().is_relative_to(home):
        return "a link that leads out of the source", "copy the file in its place"
    if path.is_symlink() and path.is_dir():
        return "a linked folder", "copy the folder in its place"
    if not path.is_file():
        return "not a regular file", "remove it"
    return None


def _refused_entry(info, name, entries):
    ratio = info.file_size / max(info.compress_size, 1)
    refused = _refused_name(name)
    if refused:
        return refused
    if name in entries:
        return "two entries of one name", "pack the archive again"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "a link inside an archive", "pack the file itself"
    if info.flag_bits & 1:
        return "an encrypted entry", "pack the archive again without a password"
    if info.file_size > LARGEST:
        return TOO_LARGE
    if info.file_size > 1 << 20 and ratio > RATIO:
        return f"an entry that unpacks to more than {RATIO} times its size", (
            "no image packs that well; remove it"
        )
    return None


def _why(error):
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    return shown(text.split(": '")[0])
