"""From a source's name and a data root to images that one can trust."""

import concurrent.futures
import dataclasses
import hashlib
import os
import pathlib

import numpy as np
from scipy import sparse

from chromolib import records
from chromolib.data import adapters, decode, pixels, store
from chromolib.data.formats import fit
from chromolib.records import Problem

KEEP = 2 << 30  # bytes of pixels held in memory; beyond, they are read on demand
CHUNK = 32  # files a task: small images cost less to decode than to hand over
FILLED = 64 << 20  # bytes of pixels with which a task waits for its turn
SMALL = 32 << 10  # bytes of a file below which threads only get in each other's way


class DataUnavailable(FileNotFoundError):
    """A source that is not where it was looked for."""


class DataRefused(ValueError):
    """A source with files that cannot be trusted."""


@dataclasses.dataclass(frozen=True, eq=False)
class _Read:
    """One file as the reading pass leaves it."""

    image: np.ndarray | None
    boxes: records.Boxes | None
    digest: bytes
    problems: tuple


def locate(source, root):
    """The folder or zip of a source: under the root by its name, or the root itself."""
    if source not in adapters.SOURCES:
        known = ", ".join(adapters.SOURCES)
        raise DataUnavailable(f"unknown source {source!r}; known: {known}")
    root = pathlib.Path(root)
    if source in adapters.GENERIC:
        found = root if store.there(root) else None
        wanted = store.shown(root.name)
    else:
        wanted = adapters.NAMED[source][1]
        found = store.find(root, wanted)
    if found is None:
        raise DataUnavailable(
            f"{source}: no folder or zip {wanted!r} under the data root; "
            f"`chromolib data list` says where to get it, --data or CHROMOLIB_DATA "
            "where to look"
        )
    return found


def load(source, root, *, on_error="refuse", keep=KEEP, workers=None, progress=None):
    """Every image of a source, decoded once, with its boxes, groups and problems.

    Pixels stay in memory up to `keep` bytes; a larger set is read on demand.
    `progress`, if given, is called with the number of files read and of all.
    """
    images = inspect(source, root, keep=keep, workers=workers, progress=progress)
    errors = [p for p in images.problems if p.level == "error"]
    if errors and on_error == "refuse":
        first = errors[0]
        raise DataRefused(
            f"{source}: {len(errors):,} error{'s' * (len(errors) > 1)}, first "
            f"{first.file}: {first.reason}; "
            f"{first.remedy}. `chromolib data check {source}` lists them, "
            "on_error=skip leaves these files out"
        )
    if not len(images):
        raise DataRefused(f"{source}: no image can be read; `chromolib data check`")
    return images


def inspect(source, root, *, keep=KEEP, workers=None, progress=None):
    """The same, errors and all: what is wrong stands in its problems."""
    files = store.open_at(locate(source, root))
    adapter = adapters.NAMED.get(source, (adapters.GENERIC.get(source),))[0]
    listing = adapter(files)
    problems = [*files.problems, *listing.problems]
    if not listing.items and not any(p.level == "error" for p in problems):
        remedy = "check the layout: `chromolib data list` says what is expected"
        problems.append(Problem("error", "no image found", files.title, remedy))
    found = _pass(files, listing, keep, workers, progress)
    return _assembled(source, files, listing, found, problems)


def _pass(files, listing, keep, workers, progress):
    """Every item read and decoded once, in order; pixels dropped when they outgrow."""
    packed, shapes, kept = bytearray(), [], []
    items, done = listing.items, 0
    for chunk in _ordered(files, listing, workers or _workers(files, items)):
        for one in chunk:
            item, done = items[done], done + 1
            one = one or _read(files, listing, item)
            shapes.append(one.image.shape if one.image is not None else (0, 0))
            if packed is not None and one.image is not None:
                packed += one.image.data
            if packed is not None and len(packed) > keep:
                packed = None
            kept.append((item, dataclasses.replace(one, image=None)))
        if progress:
            progress(done, len(items))
    return packed, np.array(shapes, np.int64).reshape(-1, 2), kept


def _ordered(files, listing, workers):
    """Chunks of read items in the order of the listing, a few ahead of their use."""
    chunks = _batched(listing.items)
    ahead = []
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for chunk in chunks:
            ahead.append(pool.submit(_read_all, files, listing, chunk))
            if len(ahead) > 2 * workers:
                yield ahead.pop(0).result()
        for future in ahead:
            yield future.result()


def _workers(files, items):
    """One for small files, which Python's lock serialises anyway; else one a core."""
    total = sum(files.size(item.name) for item in items)
    return 1 if total < SMALL * len(items) else os.cpu_count() or 1


def _batched(items):
    return (items[i : i + CHUNK] for i in range(0, len(items), CHUNK))


def _read_all(files, listing, items):
    """Items read; None for those after `FILLED` bytes, which are read when it is time.

    A small file may unpack to a large image: tasks ahead would fill the memory.
    """
    found, held = [], 0
    for item in items:
        found.append(_read(files, listing, item) if held < FILLED else None)
        if found[-1] is not None and found[-1].image is not None:
            held += found[-1].image.size
    return found


def _read(files, listing, item):
    """One image and its boxes; an error of either leaves the image out."""
    name = store.shown(item.name)
    try:
        blob = files.read(item.name)
        decoded = decode.grey(blob)
    except decode.DecodeError as error:
        problem = Problem("error", error.reason, name, error.remedy)
        return _Read(None, None, b"", (problem,))
    except store.StoreError:
        problem = Problem("error", "file cannot be read", name, "get it again")
        return _Read(None, None, b"", (problem,))
    problems = [Problem("repaired", why, name, how) for why, how in decoded.repairs]
    boxes, found = _fitted(listing, item, decoded)
    problems += found
    image = None if any(p.level == "error" for p in found) else decoded.grey
    return _Read(image, boxes, hashlib.sha256(blob).digest(), tuple(problems))


def _fitted(listing, item, decoded):
    """The item's boxes on its upright image, in the project's class names."""
    if listing.annotated is None:
        return None, ()
    width, height = decoded.stored
    boxes, problems = fit.fit(
        listing.annotated[item.name],
        file=store.shown(item.name),
        width=width,
        height=height,
        turn=decoded.turn,
    )
    if listing.rename is None or boxes is None:
        return boxes, problems
    labels = [listing.rename(label) for label in boxes.label]
    if None in labels:
        problem = Problem(
            "error",
            "a box whose label is none of the 24 classes",
            store.shown(item.name),
            "label it 1 to 22, X or Y",
        )
        return boxes, (*problems, problem)
    return dataclasses.replace(boxes, label=np.array(labels, dtype=str)), problems


def _assembled(source, files, listing, found, problems):
    packed, shapes, read = found
    for _, one in read:
        problems += one.problems
    good = np.array([one.digest != b"" for _, one in read], bool)
    good &= shapes.prod(1) > 0
    groups, clash, more = _joined(read, good)
    problems += more
    keep = np.flatnonzero(good & ~clash)
    names = np.array([read[i][0].name for i in keep], dtype=str)
    starts = np.cumsum(shapes.prod(1)) - shapes.prod(1)
    columns = {key for item, _ in read for key, _ in item.extra}
    return records.ImageSet(
        source=source,
        name=names,
        label=np.array([read[i][0].label for i in keep], dtype=str),
        group=groups[keep],
        cell=np.array([read[i][0].cell or read[i][0].group for i in keep], dtype=str),
        unit=listing.unit,
        pixels=(
            pixels.Packed(_frozen(packed), starts[keep], shapes[keep])
            if packed is not None
            else pixels.OnDemand(_Reader(files), names, shapes[keep])
        ),
        boxes=(
            None if listing.annotated is None else tuple(read[i][1].boxes for i in keep)
        ),
        extra={
            key: np.array([dict(read[i][0].extra).get(key, "") for i in keep], str)
            for key in sorted(columns)
        },
        problems=tuple(sorted(set(problems))),
        fingerprint=_fingerprint(read, keep, cells=source in adapters.GENERIC),
    )


def _frozen(packed):
    """The bytes as an array that nobody changes by accident."""
    array = np.frombuffer(packed, np.uint8)
    array.flags.writeable = False
    return array


@dataclasses.dataclass(frozen=True, eq=False)
class _Reader:
    """Reads and decodes one image of a store by name."""

    files: store.Store

    def __call__(self, name):
        return decode.grey(self.files.read(str(name))).grey


def _joined(read, good):
    """Groups in which byte-identical images are together, and what that changed."""
    alike, problems = {}, []
    for i in np.flatnonzero(good):
        alike.setdefault(read[i][1].digest, []).append(i)
    groups, clash = _united(read, alike.values()), np.zeros(len(read), bool)
    for twins in alike.values():
        clash[twins] = len({read[i][0].label for i in twins}) > 1
        first = read[twins[0]][0]
        for i in twins[1:]:
            other = read[i][0].group != first.group
            what = CLASH if clash[i] else JOINED if other else TWIN
            name = store.shown(read[i][0].name)
            problems.append(Problem(what[0], what[1], name, what[2]))
    return groups, clash, problems


def _united(read, alike):
    """The group of each item, one name for all that are linked by identical images."""
    groups, which = np.unique([item.group for item, _ in read], return_inverse=True)
    if not len(groups):
        return groups
    pairs = [(which[twins[0]], which[i]) for twins in alike for i in twins]
    rows, columns = np.array(pairs, int).reshape(-1, 2).T
    links = sparse.coo_array((np.ones(len(rows)), (rows, columns)), [len(groups)] * 2)
    _, part = sparse.csgraph.connected_components(links, directed=False)
    _, first = np.unique(part, return_index=True)
    return groups[first[part]][which]


CLASH = (
    "error",
    "byte-identical to an image of another label",
    "find out which label is right and remove the other file",
)
JOINED = (
    "repaired",
    "byte-identical to an image of another group",
    "their groups are joined",
)
TWIN = (
    "repaired",
    "byte-identical to another image of its group",
    "kept; both belong to one group",
)


def _fingerprint(read, keep, *, cells):
    """A hash of all that was read: the same for a folder and for its zip.

    `cells` where a user may tell them; those of a public source stand in its names.
    """
    total = hashlib.sha256()
    for i in keep:
        item, one = read[i]
        total.update(repr((item.name, item.label, item.group, item.extra)).encode())
        total.update(one.digest)
        total.update(repr(item.cell).encode() if cells else b"")
        if one.boxes is not None:
            total.update(one.boxes.xyxy.tobytes())
            total.update("\0".join(one.boxes.label).encode())
            if (one.boxes.score != 1).any() or one.boxes.polygon:
                outlines = [p if p is None else p.tolist() for p in one.boxes.polygon]
                total.update(repr((one.boxes.score.tolist(), outlines)).encode())
    return total.hexdigest()
