"""Pictures of metaphases on disk: which there are, and each as grey levels.

`listed(paths, out, case=)` -> (Item, ...) of files, folders and zips
`writable(out)` -> the folder of results, made and tried
`read(item)` -> Field, or Refused with the file, the reason and a remedy
`made(name, grey)`, `of(images)` -> Field of a picture that was read elsewhere
"""

import dataclasses
import functools
import hashlib
import os
import pathlib
import re
import tempfile

import numpy as np

from chromolib.data import decode, store
from chromolib.imaging import segment

SHORTEST = 100  # pixels of a side; chromosomes of a smaller field have no bands
PIXELS = 16_000_000  # of one field, which has one or two million
LARGE = f"more than {PIXELS // 10**6} million pixels"


class FieldsError(ValueError):
    """Pictures that cannot be worked on together."""


class OutError(OSError):
    """A folder of results that cannot be written."""


class Refused(ValueError):
    """A picture of which nothing can be said: the file, the reason and a remedy."""

    def __init__(self, file, reason, remedy):
        super().__init__(f"{store.shown(file)}: {reason}; {remedy}")
        self.file, self.reason, self.remedy = store.shown(file), reason, remedy


@dataclasses.dataclass(frozen=True, eq=False)
class Item:
    """One picture, still unread."""

    files: store.Store
    key: str  # its name in the store
    path: pathlib.Path  # where it lies; of a zip's, nowhere
    case: str = ""  # "" where nothing says which

    @property
    def name(self):
        """The name without its ending, as results have it."""
        return str(pathlib.PurePosixPath(self.key).with_suffix(""))


@dataclasses.dataclass(frozen=True, eq=False)
class Field:
    """One picture of a metaphase."""

    item: Item
    decoded: decode.Decoded
    sha256: str

    @property
    def grey(self):
        """(height, width) uint8, upright."""
        return self.decoded.grey

    @property
    def ink(self):
        """Stain from 0 to 1, whatever the polarity and the light."""
        return np.clip(segment.stained(self.grey), 0, 1)

    @functools.cached_property
    def segmented(self):
        """What segmentation without learning finds; ImagingError where it cannot."""
        return segment.segment(self.grey)


def of(images):
    """The fields of a set of images, one after another: each keeps what is seen in it,
    so whoever needs one only once keeps none."""
    for name, grey, group in zip(images.name, images.pixels, images.group, strict=True):
        yield made(str(name), grey, str(group))


def made(name, grey, case=""):
    """The field of a picture that was read elsewhere."""
    item = Item(None, name, pathlib.Path(name), case)
    return Field(item, decode.Decoded(grey, grey.shape[::-1], 1, ()), "")


def writable(out):
    """The folder of results, made and tried before work goes into it."""
    out = pathlib.Path(out)
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            return out
    except OSError as failure:
        raise OutError(
            f"{out.name} cannot be written: {failure.strerror}; name another folder: "
            "--out"
        ) from None


def listed(paths, out, *, case=""):
    """Every picture in files, folders and zips; what lies in `out` is not among them.

    Its case is what the pattern `case` finds in its name, else the folder it lies in
    within the folder that was given.
    """
    out, items, hidden = _real(out), [], 0
    for path in map(pathlib.Path, paths):
        files = opened(path)
        for key in files.names:
            place = path / key if path.is_dir() else path
            if not (decode.is_image(key) or not store.exists(path)):
                continue
            if path.is_dir() and _real(place).is_relative_to(out):
                hidden += 1
            else:
                items.append(Item(files, key, place, _case(key, case)))
    if hidden and not items:
        raise FieldsError(
            f"all {hidden:,} pictures lie in {out.name}, the folder of results; name "
            "another folder: --out"
        )
    _refuse_shared(items, out)
    return tuple(items)


def _real(path):
    """Where a path leads; a link that leads in a circle leads to itself."""
    return pathlib.Path(os.path.realpath(path))


def opened(path):
    """A folder, a zip or a single file as a store."""
    if store.exists(path):
        return store.open_at(path)

    def content(_):
        if path.exists() and not path.is_file():
            raise OSError("it is no regular file")
        with path.open("rb") as handle:
            return handle.read(store.LARGEST)

    size = path.stat().st_size if path.is_file() else 0
    return store.Store(path.name, {path.name: size}, (), content)


def _case(key, pattern):
    if pattern:
        found = re.search(pattern, pathlib.PurePosixPath(key).stem)
        return found[found.re.groups and 1] or "" if found else ""
    return "/".join(pathlib.PurePosixPath(key).parts[:-1])


def _refuse_shared(items, out):
    """Refuse two pictures with one name, or results that would replace a picture."""
    names, places = {}, {_real(item.path) for item in items}
    for item in items:
        other = names.setdefault(item.name, item)
        if other is not item:
            raise FieldsError(
                f"{store.shown(other.key)} and {store.shown(item.key)} would share "
                f"one result, {store.shown(item.name)}.json; rename one of them"
            )
        if _real(out / f"{item.name}.png") in places:
            raise FieldsError(
                f"the karyogram of {store.shown(item.key)} would replace a picture; "
                "name another folder: --out"
            )


def read(item):
    """The picture as a grey field; refuses what is none."""
    try:
        blob = item.files.read(item.key)
        if np.prod(decode.size(blob), dtype=float) > PIXELS:
            raise decode.DecodeError(LARGE, "cut out one field, or scale it down")
        decoded = decode.grey(blob)
    except store.StoreError as failure:
        raise Refused(item.key, f"{failure}", "check the file and its folder") from None
    except decode.DecodeError as failure:
        raise Refused(item.key, *failure.what) from None
    if decode.COLOUR in decoded.repairs:
        remedy = "save the metaphase as a grey picture"
        raise Refused(item.key, "a colour picture", remedy)
    if min(decoded.grey.shape) < SHORTEST:
        height, width = decoded.grey.shape
        reason = f"{width} x {height} pixels, fewer than {SHORTEST} on a side"
        raise Refused(item.key, reason, "give the field as the camera took it")
    return Field(item, decoded, hashlib.sha256(blob).hexdigest())
