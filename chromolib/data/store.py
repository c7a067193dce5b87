"""Files of a stranger's folder or zip, listed and read safely, the same either way."""

import dataclasses
import pathlib
import posixpath
import stat
import struct
import threading
import zipfile

from chromolib.records import Problem

LARGEST = 256 << 20  # bytes of one file
MOST = 2_000_000  # files of one source
LONGEST = 500  # characters of a name
RATIO = 200  # of an entry, or of a whole archive, of more than a megabyte
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
            return self.opened(name)
        except (OSError, EOFError, RuntimeError, zipfile.BadZipFile) as failure:
            raise StoreError(f"{shown(name)} cannot be read: {_why(failure)}") from None
        except Exception as failure:  # zlib and lzma have error classes of their own
            reason = f"is damaged: {type(failure).__name__}"
            raise StoreError(f"{shown(name)} {reason}") from None


def find(root, name):
    """The folder or zip of that name under a data root; None where there is none."""
    places = (root / name, root / f"{name}.zip")
    return next((path for path in places if exists(path)), None)


def exists(path):
    """Whether a folder or a zip can be seen at this path."""
    try:
        return path.is_dir() or (path.suffix.lower() == ".zip" and path.is_file())
    except OSError:  # a name that no system takes, or a folder that is closed to us
        return False


def open_at(path):
    """The files of a folder or a zip."""
    path = pathlib.Path(path)
    try:
        if path.is_dir():
            return _folder(path)
        if path.is_file():
            return _archive(path)
    except DAMAGED as failure:
        raise StoreError(
            f"{shown(path.name)} cannot be opened: {_why(failure)}; "
            "a source is a folder or an undamaged .zip"
        ) from None
    raise StoreError(f"there is no folder or zip {shown(path.name)!r}; check the path")


DAMAGED = (  # what an archive raises that lies about itself
    *(OSError, RuntimeError, ValueError, EOFError, LookupError),
    *(zipfile.BadZipFile, struct.error),
)


def shown(name):
    """A file's name as a message may show it: printable, without control characters."""
    text = str(name).encode("utf-8", "backslashreplace").decode()
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def error(what, name):
    """The record of an error in a file; `what` is a reason and a remedy."""
    return Problem("error", what[0], shown(name[:LONGEST]), what[1])


def repaired(what, name):
    """The record of something put right in a file."""
    return Problem("repaired", what[0], shown(name[:LONGEST]), what[1])


# Strategy: a name is taken in only when it is plain text, relative, without dots that
# climb, and leads to a regular file inside the root. Everything else is a problem.


def _folder(root):
    home, sizes, problems = root.resolve(), {}, []
    for path, name in _walk(root):
        try:
            reason = _refused_path(path, home) or _refused_name(name)
            size = 0 if reason else path.stat().st_size
        except OSError:
            reason = "file cannot be looked at", "correct its rights, or remove it"
        if not reason and size > LARGEST:
            reason = TOO_LARGE
        if reason:
            problems.append(error(reason, name))
        else:
            sizes[name] = size

    def opened(name):
        with (root / name).open("rb") as handle:
            return handle.read(LARGEST)

    return _store(root.absolute().name or "/", sizes, problems, opened)


def _walk(root):
    """Files below a folder by relative name; linked folders are not entered."""
    waiting = [(root, "")]
    while waiting:
        folder, prefix = waiting.pop()
        for path in folder.iterdir():
            name = f"{prefix}{path.name}"
            if _litter(path.name):
                continue
            if not path.is_symlink() and path.is_dir():
                waiting.append((path, f"{name}/"))
            else:
                yield path, name


def _litter(part):
    return part in LITTER or part.startswith("._")  # Apple's other half of a file


def _archive(path):
    bundle = zipfile.ZipFile(path)
    infos = [info for info in bundle.infolist() if not info.is_dir()]
    sizes, problems, entries = {}, [], {}
    top = _common_top([_entry_name(info) for info in infos])
    if top and top != f"{path.stem}/":
        problems.append(repaired(IN_ONE, top))
    for info in infos:
        name = _entry_name(info).removeprefix(top)
        if any(map(_litter, name.split("/"))):
            continue
        reason = _refused_entry(info, name, entries)
        if reason:
            problems.append(error(reason, name))
        else:
            sizes[name], entries[name] = info.file_size, info
    if sum(sizes.values()) > max(RATIO * path.stat().st_size, 1 << 20):
        raise zipfile.BadZipFile(f"it unpacks to more than {RATIO} times its size")
    lock = threading.Lock()

    def opened(name):
        with lock, bundle.open(entries[name]) as handle:
            return handle.read(LARGEST)

    return _store(path.name, sizes, problems, opened)


def _entry_name(info):
    """The name of an entry; many packers write UTF-8 without saying so."""
    name = info.orig_filename
    if info.flag_bits & 0x800:
        return name
    try:
        return name.encode("cp437").decode("utf-8")
    except UnicodeError:
        return name


def _common_top(names):
    """The single folder that holds everything in an archive, if there is one."""
    tops = {top for name in names if not _litter(top := name.split("/")[0])}
    nested = all("/" in name for name in names)
    top = tops.pop() if len(tops) == 1 and nested else ""
    return "" if top in ("", "..", ".") else f"{top}/"


def _store(title, sizes, problems, opened):
    if len(sizes) > MOST:
        raise StoreError(
            f"{shown(title)} holds {len(sizes):,} files, more than {MOST:,}; divide it"
        )
    ordered = {name: sizes[name] for name in sorted(sizes)}
    return Store(title, ordered, tuple(problems), opened)


TOO_LARGE = (
    f"file larger than {LARGEST >> 20} MiB",
    "an image of a metaphase is far smaller; convert or remove it",
)
CLIMBS = ("name leads out of the source", "pack it again with relative names")
IN_ONE = (
    "the archive holds a single folder, of another name than its own",
    "taken as the source itself; if it is a class or a case, pack what holds it",
)
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
    if len(name) > LONGEST:
        return f"name longer than {LONGEST} characters", "rename the file"
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
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return "a compression other than deflate", "pack the archive as a plain zip"
    if info.file_size > LARGEST:
        return TOO_LARGE
    if info.file_size > 1 << 20 and ratio > RATIO:
        return f"an entry that unpacks to more than {RATIO} times its size", (
            "no image packs that well; remove it"
        )
    return None


def _why(failure):
    text = getattr(failure, "strerror", None) or str(failure) or type(failure).__name__
    return shown(text.split(": '")[0])
