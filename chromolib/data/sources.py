"""From a source's name and a data root to images that one can trust."""

import collections
import concurrent.futures
import contextlib
import dataclasses
import functools
import hashlib
import math
import os
import pathlib
import threading

import numpy as np
from scipy import sparse

from chromolib import records
from chromolib.data import adapters, decode, listing, pixels, store
from chromolib.data.formats import fit

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

    item: listing.Item
    problems: tuple
    image: np.ndarray | None = None
    shape: tuple = (0, 0)  # of the image, which is soon dropped
    boxes: records.Boxes | None = None
    digest: bytes = b""


def locate(source, root):
    """The folder or zip of a source: under the root by its name, or the root itself."""
    if source not in adapters.SOURCES:
        known = ", ".join(adapters.SOURCES)
        raise DataUnavailable(f"unknown source {source!r}; known: {known}")
    root = pathlib.Path(root)
    if source in adapters.GENERIC:
        place = root if store.exists(root) else None
        wanted = store.shown(root.name)
    else:
        wanted = adapters.NAMED[source][1]
        place = store.find(root, wanted)
    if place is None:
        raise DataUnavailable(
            f"{source}: no folder or zip {wanted!r} under the data root; "
            f"`chromolib data list` says where to get it, --data or CHROMOLIB_DATA "
            "where to look"
        )
    return place


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
    listed = adapter(files)
    problems = [*files.problems, *listed.problems]
    if not listed.items and not any(p.level == "error" for p in problems):
        problems.append(store.error(("no image found", LAYOUT), files.title))
    packed, reads = _read_all(files, listed, keep, workers, progress)
    problems += [problem for read in reads for problem in read.problems]
    return _assembled(source, files, listed, packed, reads, problems)


def _read_all(files, listed, keep, workers, progress):
    """Every item read and decoded once, in order; pixels dropped when they outgrow."""
    packed, reads = bytearray(), []
    workers = workers or _workers(files, listed.items)
    read_one = functools.partial(_read, files, listed, _turns(workers))
    for chunk in _chunks(listed.items, read_one, workers):
        for read in chunk:
            if read.image is None and not read.problems:
                read = read_one(read.item)
            if packed is not None and read.image is not None:
                packed += read.image.data
                packed = packed if len(packed) <= keep else None
            reads.append(dataclasses.replace(read, image=None))
        if progress:
            progress(len(reads), len(listed.items))
    return packed, reads


def _turns(workers):
    """A context in which a file is decoded once there is room: the largest alone.

    Decoding takes up to 16 bytes a pixel, in each thread. To read the size in a file's
    header costs 4 % of a metaphase but three quarters of a chromosome, so where one
    thread is enough for small files each has its turn alone, unasked.
    """
    if workers == 1:
        alone = threading.Lock()
        return lambda blob: alone
    room, changed = decode.PIXELS, threading.Condition()

    @contextlib.contextmanager
    def turn(blob):
        nonlocal room
        wanted = math.prod(decode.size(blob))
        with changed:
            changed.wait_for(lambda: room >= wanted)
            room -= wanted
        try:
            yield
        finally:
            with changed:
                room += wanted
                changed.notify_all()

    return turn


def _chunks(listed, read_one, workers):
    """Chunks of read items in the order of the listing, a few ahead of their use."""
    ahead = collections.deque()
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for i in range(0, len(listed), CHUNK):
            ahead.append(pool.submit(_read_chunk, read_one, listed[i : i + CHUNK]))
            if len(ahead) > workers + min(workers, 2):
                yield ahead.popleft().result()
        for future in ahead:
            yield future.result()


def _workers(files, items):
    """One for small files, which Python's lock serialises anyway; else one a core."""
    total = sum(files.size(item.name) for item in items)
    return 1 if total < SMALL * len(items) else os.cpu_count() or 1


def _read_chunk(read_one, items):
    """Items read; those after `FILLED` bytes are left for when it is their time.

    A small file may unpack to a large image: tasks ahead would fill the memory.
    """
    reads, held = [], 0
    for item in items:
        full = held >= FILLED
        reads.append(_Read(item, ()) if full else read_one(item))
        held += int(np.prod(reads[-1].shape))
    return reads


def _read(files, listed, turn, item):
    """One image and its boxes; an error of either leaves the image out."""
    try:
        blob = files.read(item.name)
        with turn(blob):
            decoded = decode.grey(blob)
    except decode.DecodeError as failure:
        return _Read(item, (store.error(failure.what, item.name),))
    except store.StoreError:
        return _Read(item, (store.error(UNREADABLE, item.name),))
    boxes, problems = _fitted(listed, item, decoded)
    repairs = [store.repaired(what, item.name) for what in decoded.repairs]
    digest = hashlib.sha256(blob).digest()
    read = _Read(item, (*repairs, *problems), boxes=boxes, digest=digest)
    if any(problem.level == "error" for problem in problems):
        return read
    return dataclasses.replace(read, image=decoded.grey, shape=decoded.grey.shape)


def _fitted(listed, item, decoded):
    """The item's boxes on its upright image, in the project's class names."""
    if listed.annotated is None:
        return None, ()
    annotated = listed.annotated[item.name]
    boxes, problems = fit.fit(
        annotated, file=item.name, stored=decoded.stored, turn=decoded.turn
    )
    if listed.rename is None:
        return boxes, problems
    labels = [listed.rename(label) for label in boxes.label]
    if None in labels:
        what = listing.stranger(boxes.label[labels.index(None)])
        return boxes, (*problems, store.error(what, item.name))
    return dataclasses.replace(boxes, label=np.array(labels, dtype=str)), problems


def _assembled(source, files, listed, packed, reads, problems):
    shapes = np.array([read.shape for read in reads], np.int64).reshape(-1, 2)
    good = shapes.prod(1) > 0
    groups, clash, more = _joined(reads, np.flatnonzero(good))
    keep = np.flatnonzero(good & ~clash)
    chosen = [reads[i] for i in keep]

    def column(values):
        return np.array(list(values), dtype=str)

    names = column(read.item.name for read in chosen)
    extra = sorted({key for read in reads for key in read.item.extra})
    return records.ImageSet(
        source=source,
        name=names,
        label=column(read.item.label for read in chosen),
        group=groups[keep],
        cell=column(read.item.cell or read.item.group for read in chosen),
        unit=listed.unit,
        pixels=_packed_or_on_demand(files, packed, names, shapes, keep),
        boxes=(
            None if listed.annotated is None else tuple(read.boxes for read in chosen)
        ),
        extra={
            key: column(read.item.extra.get(key, "") for read in chosen)
            for key in extra
        },
        problems=tuple(sorted({*problems, *more})),
        fingerprint=_fingerprint(chosen, cells=source in adapters.GENERIC),
    )


def _packed_or_on_demand(files, packed, names, shapes, keep):
    """Pixels in memory, which nobody changes by accident, or read when asked for."""
    if packed is None:
        return pixels.OnDemand(functools.partial(_pixels, files), names, shapes[keep])
    frozen = memoryview(packed).toreadonly()
    return pixels.packed(frozen, shapes).take(keep)


def _pixels(files, name):
    return decode.grey(files.read(str(name))).grey


def _joined(reads, good):
    """Groups in which byte-identical images are together, and what that changed."""
    identical, problems = {}, []
    for i in good:
        identical.setdefault(reads[i].digest, []).append(i)
    clash = np.zeros(len(reads), bool)
    for twins in identical.values():
        items = [reads[i].item for i in twins]
        clash[twins] = len({item.label for item in items}) > 1
        for item in items[1:]:
            if clash[twins[0]]:
                problems.append(store.error(CLASH, item.name))
            else:
                what = TWIN if item.group == items[0].group else JOINED
                problems.append(store.repaired(what, item.name))
    return _united(reads, identical.values()), clash, problems


def _united(reads, identical):
    """The group of each item, one name for all that are linked by identical images."""
    groups, which = np.unique([read.item.group for read in reads], return_inverse=True)
    if not len(groups):
        return groups
    pairs = [(which[twins[0]], which[i]) for twins in identical for i in twins]
    rows, columns = np.array(pairs, int).reshape(-1, 2).T
    links = sparse.coo_array((np.ones(len(rows)), (rows, columns)), [len(groups)] * 2)
    _, joined = sparse.csgraph.connected_components(links, directed=False)
    _, first = np.unique(joined, return_index=True)
    return groups[first[joined]][which]


LAYOUT = "check the layout: `chromolib data list` says what is expected"
UNREADABLE = ("file cannot be read", "get it again")
CLASH = (
    "byte-identical to an image of another label",
    "find out which label is right and remove the other file",
)
JOINED = ("byte-identical to an image of another group", "their groups are joined")
TWIN = (
    "byte-identical to another image of its group",
    "kept; both belong to one group",
)


def _fingerprint(reads, *, cells):
    """A hash of all that was read: the same for a folder and for its zip.

    `cells` where a user may name them; those of a public source stand in its names.
    """
    total = hashlib.sha256()
    for read in reads:
        item, boxes = read.item, read.boxes
        extra = tuple(item.extra.items())
        total.update(repr((item.name, item.label, item.group, extra)).encode())
        total.update(read.digest)
        total.update(repr(item.cell).encode() if cells else b"")
        if boxes is not None:
            total.update(boxes.xyxy.tobytes())
            total.update("\0".join(boxes.label).encode())
            if (boxes.score != 1).any() or boxes.polygon:
                outlines = [p if p is None else p.tolist() for p in boxes.polygon]
                total.update(repr((boxes.score.tolist(), outlines)).encode())
    return total.hexdigest()
