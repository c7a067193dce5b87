"""From a source's files to a listing: one short function a source."""

import collections
import csv
import dataclasses
import io
import itertools
import pathlib
import re

import numpy as np
import scipy.ndimage

from chromolib import records
from chromolib.data import decode, listing, store
from chromolib.data.formats import coco, common, table, voc, yolo
from chromolib.data.listing import Item, Listing

COPIES = 4  # of a class in a cell, numbered 1 to 4; a folder of more names is a cell
PIECES = 1000  # of one class's mask; it has two chromosomes and some dirt
MARKER = "mar"  # ISCN's word for a chromosome nobody can name
TWICE = {"111": "2"}  # 31 chromosomes of either are copies (data.duplicates); we looked


def bioimlab(files):
    """Single chromosomes, Q-band; a group is a cell."""
    items, problems = listing.by_pattern(
        files,
        r"(?:^|/)(?P<cell>(?P<group>\d+)) (?P<number>\d+)(?P<homologue>[ab]?)\.bmp$",
        like="'12 7a.bmp'",
    )
    reason = "a metaphase filed twice under two numbers, at two scales"
    for cell in TWICE.keys() & {item.cell for item in items}:
        remedy = f"one group with cell {TWICE[cell]}"
        problems.append(store.repaired((reason, remedy), f"cell {cell}"))
    items = [
        dataclasses.replace(item, group=TWICE.get(item.cell, item.cell))
        for item in items
    ]
    return Listing(items, "cell", problems=problems)


def pki3(files):
    """Single chromosomes, G-band; a group is a case, which may have several cells."""
    items, problems = listing.by_pattern(
        files,
        r"(?:^|/)(?P<cell>(?P<group>[^/]+?)(?:\.[^./]*)?)\.tiff"
        r"/clase(?P<number>\d+)/clase(?P=number)_(?P<homologue>\d+)_(?P=cell)\.tiff$",
        like="'98000209.11.tiff/clase7/clase7_0_98000209.11.tiff'",
        label=lambda number: MARKER if number == "25" else listing.chromosome(number),
    )
    marker = (
        "clase25 is none of the 24 classes",
        f"kept with the label '{MARKER}' (marker)",
    )
    markers = [item.name for item in items if item.label == MARKER]
    problems += [store.repaired(marker, name) for name in markers]
    return Listing(items, "case", problems=problems)


def cirnet(files):
    """Single chromosomes, G-band; a group is a patient."""
    items, problems = listing.by_pattern(
        files,
        r"(?:^|/)(?P<number>\w+)/(?P=number)_(?P<homologue>[^_/]+)"
        r"_(?P<cell>(?P<group>[^_/]+)_[^_/]+_[^_/]+)\.tiff?$",
        like="'tiff/7/7_1_P12_3_5.tiff'",
    )
    return Listing(items, "patient", problems=problems)


UNLISTED = (
    "an image in none of the three lists of karyotypes",
    "its status stays empty",
)
NO_LIST = (
    "a list of karyotypes is missing or cannot be read",
    "its images have no status; add the list from the source",
)


def tseng2023(files):
    """Metaphases, G-band, with a box a chromosome; a group is a case."""
    dataset = voc.dataset(files)
    status, missing = _status(files)
    problems = [store.repaired(NO_LIST, name) for name in sorted(missing)]
    items = []
    for name in sorted(dataset.images):
        stem = pathlib.PurePosixPath(name).stem
        case = re.sub(r"_\d+$", "", stem)[:-1] or stem
        items.append(Item(name, "", case, stem, {"status": status.get(stem, "")}))
        if status and stem not in status:
            problems.append(store.repaired(UNLISTED, name))
    problems = (*dataset.problems, *problems)
    return Listing(items, "case", dataset.images, problems, listing.chromosome)


STATUS = {
    "normal.csv": "normal",
    "number_abnormalities.csv": "numerical",
    "structural_abnormalities.csv": "structural",
}


def _status(files):
    """Image stem -> the status in the source's three lists, and lists without use."""
    status, missing = {}, set(STATUS)
    for name in files.names:
        base = pathlib.PurePosixPath(name).name
        if base in STATUS:
            missing.discard(base)
            text = files.read(name).decode("utf-8-sig", "replace")
            try:
                for row in csv.DictReader(io.StringIO(text)):
                    stem = pathlib.PurePath(row.get("filename") or "").stem
                    status[stem] = STATUS[base]
            except csv.Error:
                missing.add(base)
    return status, missing


def roboflow(files):
    """Any YOLO export of Roboflow; a group is the image that copies were made of."""
    dataset = yolo.dataset(files)
    items = []
    for name in sorted(dataset.images):
        group = listing.source_image(name) or pathlib.PurePosixPath(name).stem
        items.append(Item(name, group=group, extra={"part": listing.part(name)}))
    return _boxed(dataset, items, "source image", dataset.problems)


def mfish(files):
    """DAPI fields with a mask a class; each connected piece of a mask is a box."""
    masks, fields, problems = {}, [], []
    for name in listing.images(files):
        match = re.search(r"(?:^|/)annotations/(.+)_c(\d+)_\d+\.png$", name)
        if match:
            masks.setdefault(match[1], []).append((name, match[2]))
        else:
            fields.append(name)
    annotated, items = {}, []
    for name in fields:
        stem = pathlib.PurePosixPath(name).stem
        try:
            annotated[name] = _from_masks(files, stem, masks.pop(stem, []))
            items.append(Item(name, group=stem))
        except (decode.DecodeError, OSError, ValueError) as failure:
            reason, _, remedy = str(failure).partition("; ")
            problems.append(store.error((reason, remedy or "get it again"), name))
    for name, _ in itertools.chain(*masks.values()):
        problems.append(store.error(("masks of no image", "add or remove"), name))
    return Listing(items, "image", annotated, problems)


def _from_masks(files, stem, masks):
    """The boxes of all pieces of an image's masks."""
    if not masks:
        raise ValueError("no mask for this image; add its masks or remove it")
    corners, labels, sizes = [], [], set()
    for name, number in masks:
        label = listing.chromosome(number)
        mask = decode.grey(files.read(name)).grey
        if label is None or not np.isin(mask, (0, 255)).all():
            raise ValueError(
                "a mask that is not 0 and 255, or not of class 1 to 24; save it anew"
            )
        sizes.add(mask.shape)
        pieces, count = scipy.ndimage.label(mask, np.ones((3, 3)))
        if count > PIECES:
            raise ValueError("a mask of too many pieces; save it anew")
        for rows, columns in scipy.ndimage.find_objects(pieces):
            corners.append((columns.start, rows.start, columns.stop, rows.stop))
            labels.append(label)
    if len(sizes) > 1:
        raise ValueError("masks of different sizes; save them anew")
    height, width = sizes.pop()
    boxes = records.Boxes(np.array(corners, float).reshape(-1, 4), labels)
    return common.Annotated(f"{stem}.png", boxes, width, height)


ALONE = "all"  # the cell of pictures that lie in no folder
NO_CLASS = (
    "an image in no class folder",
    "move it into a class folder, or label it in images.csv",
)
NO_CELL = (
    "an image whose folder and name say no cell and class",
    "name it like 'case1/cell3/7_a.png' or 'cell3/7/1.png'",
)


def folder(files):
    """A folder a class; a folder below it, where there is one, is the group, and one
    below that the cell; these come first where labels stand in `images.csv`."""
    rows, problems = listing.user_table(files)
    items, places = [], {}
    for name in listing.images(files):
        folders = pathlib.PurePosixPath(name).parts[:-1]
        places[name] = [f for f in folders if f.lower() not in listing.PARTS]
    labels = {name: row["label"] for name, row in rows.items() if row["label"]}
    by_folder = [place[:1] for name, place in places.items() if name not in labels]
    classes = {*itertools.chain(*by_folder), *labels.values()}
    for name, place in places.items():
        label = labels.get(name) or "".join(place[:1])
        if not label:
            problems.append(store.error(NO_CLASS, name))
            continue
        within = place[1:] if classes.issuperset(place[:1]) else place
        cell = "/".join(within) if len(within) > 1 else ""
        items.append(_item(name, rows, label, "".join(within[:1]), cell))
    return _known(Listing(_apart(items), _unit(items, rows), problems=problems))


def cellfolders(files):
    """A folder a cell (within one a case, if there is), a file or folder a class."""
    rows, problems = listing.user_table(files)
    items, names = [], listing.images(files)
    holders, said = {_holder(name) for name in names}, set()
    crowded = _crowded(names)
    for name in names:
        *folders, _ = pathlib.PurePosixPath(name).parts
        inner = tuple(folders[:-1]) in holders
        word = folders[-1] if inner else _stem(name)
        said.add(word)
        label, place = listing.filed(word), folders[:-1] if inner else folders
        if inner and tuple(folders) in crowded:
            problems.append(store.error(_cell_or_class(word), name))
        elif inner and not label:
            problems.append(store.error(listing.stranger(word), name))
        elif not (label and place):
            problems.append(store.error(NO_CELL, name))
        else:
            items.append(_item(name, rows, label, place[0], "/".join(place)))
    unit = "case" if any(item.group != item.cell for item in items) else "cell"
    listed = Listing(_apart(items), unit, problems=problems)
    return _from_zero(listed) if listing.from_zero(said) else listed


def _holder(name):
    """The folders of a cell that holds class folders, of an image in one of them."""
    *folders, _ = pathlib.PurePosixPath(name).parts
    named = len(folders) > 1 and listing.filed(folders[-1])
    return tuple(folders[:-1]) if named else None


def _stem(name):
    """The first word of a file's name, without the letter of a homologue."""
    stem = re.split(r"[ _.-]", pathlib.PurePosixPath(name).stem)[0]
    return re.sub(r"(?<=[0-9XYxy])[ab]$", "", stem)


def _crowded(names):
    """The folders whose files are named like chromosomes of many classes."""
    classes = collections.defaultdict(set)
    for name in names:
        if label := listing.filed(_stem(name)):
            classes[pathlib.PurePosixPath(name).parts[:-1]].add(label)
    return {place for place, labels in classes.items() if len(labels) > COPIES}


def _cell_or_class(word):
    """The reason and remedy of a folder named like a class that is full like a cell."""
    shown = store.shown(word)
    reason = f"the folder {shown!r} is named like a class, its files like a whole cell"
    return reason, f"name it 'cell{shown}' if it is a cell, its files otherwise if not"


def pictures(files):
    """Pictures that nobody has labelled: a folder a cell, within one a case if there
    is; what lies in no folder is one cell."""
    rows, problems = listing.user_table(files)
    items = []
    for name in listing.images(files):
        *folders, _ = pathlib.PurePosixPath(name).parts
        cell = "/".join(folders) or ALONE
        items.append(_item(name, rows, "", (*folders, ALONE)[0], cell))
    unit = "case" if any(item.group != item.cell for item in items) else "cell"
    return _known(Listing(_apart(items), unit, problems=problems))


def _known(listed):
    """A listing in which labels are classes where they are meant to be; of those the
    ones that are none are left out."""
    labels = {item.label for item in listed.items if item.label}
    if listing.from_zero(labels):
        return _from_zero(listed)
    if not listing.promised(labels):
        return listed
    items, problems = [], [*listed.problems]
    for item in listed.items:
        label = item.label and listing.filed(item.label)
        if label is None:
            problems.append(store.error(listing.stranger(item.label), item.name))
        else:
            items.append(dataclasses.replace(item, label=label))
    return dataclasses.replace(listed, items=items, problems=problems)


def _from_zero(listed):
    """Nothing of a listing but why none of its labels can be trusted."""
    problems = [*listed.problems, store.error(listing.FROM_ZERO, "all images")]
    return dataclasses.replace(listed, items=[], problems=problems)


def _item(name, rows, label="", group="", cell=""):
    """An item in which the user's row, where it says something, comes first; a cell
    named there is the group of images without another."""
    row = rows.get(name) or dict.fromkeys(listing.COLUMNS, "")
    group = row["group"] or group or row["cell"]
    group = group or listing.source_image(name) or name
    extra = {"part": listing.part(name), "status": row["status"]}
    return Item(name, row["label"] or label, group, row["cell"] or cell or group, extra)


def _apart(items):
    """Items in which cells of two groups never share a name: laboratories count cells
    case by case."""
    groups = collections.defaultdict(set)
    for item in items:
        groups[item.cell].add(item.group)
    return [
        dataclasses.replace(item, cell=f"{item.group}/{item.cell}")
        if len(groups[item.cell]) > 1
        else item
        for item in items
    ]


def _unit(items, rows):
    grouped = any(row.get("group") for row in rows.values())
    if grouped or any(item.group != item.name for item in items):
        return "group"
    return "image (assumed; name groups in images.csv)"


def _annotated(form):
    """An adapter for a format of annotations; groups are the user's, or assumed."""

    def adapter(files):
        dataset = form.dataset(files)
        rows, problems = listing.user_table(files)
        items = [_item(name, rows) for name in sorted(dataset.images)]
        problems = (*dataset.problems, *problems)
        return _boxed(dataset, _apart(items), _unit(items, rows), problems)

    return adapter


def _boxed(dataset, items, unit, problems):
    """A listing with boxes; labels become classes where they are meant to be some."""
    labels = common.labels(dataset.images.values())
    rename = listing.filed if listing.promised(labels) else None
    listed = Listing(items, unit, dataset.images, problems, rename)
    zero = listing.from_zero(labels.union(dataset.classes))
    return _from_zero(listed) if zero else listed


NAMED = {
    "bioimlab": (bioimlab, "bioimlab-qband"),
    "pki3": (pki3, "pki3-gband"),
    "cirnet": (cirnet, "cirnet-gband"),
    "tseng2023": (tseng2023, "tseng2023-metaphase"),
    "roboflow": (roboflow, "roboflow-qband-karyograms"),
    "mfish": (mfish, "mfish-dapi"),
}
GENERIC = {
    "folder": folder,
    "voc": _annotated(voc),
    "yolo": _annotated(yolo),
    "coco": _annotated(coco),
    "csv": _annotated(table),
    "cellfolders": cellfolders,
    "pictures": pictures,
}
SOURCES = (*NAMED, *GENERIC)
