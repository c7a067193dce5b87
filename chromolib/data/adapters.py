"""From a source's files to a listing: one short function a source."""

import csv
import io
import pathlib
import re

import numpy as np
import scipy.ndimage

from chromolib import records
from chromolib.data import decode, listing, store
from chromolib.data.formats import Annotated, coco, table, voc, yolo
from chromolib.data.listing import Item, Listing
from chromolib.records import Problem

PIECES = 1000  # of one class's mask; it has two chromosomes and some dirt
MARKER = "mar"  # ISCN's word for a chromosome nobody can name


TWICE = {"111": "2"}  # 31 chromosomes of either are copies (data.duplicates); we looked


def bioimlab(files):
    """Single chromosomes, Q-band; a group is a cell."""

    def item(name, found):
        cell, number, side = found.groups()
        label = listing.chromosome(number)
        group = TWICE.get(cell, cell)
        return label and Item(name, label, group, cell, (("homologue", side),))

    items, problems = listing.by_pattern(
        files, r"(?:^|/)(\d+) (\d+)([ab]?)\.bmp$", item, like="'12 7a.bmp'"
    )
    twice = {Problem("repaired", *_filed_twice(i)) for i in items if i.cell in TWICE}
    return Listing(items, "cell", problems=(*problems, *twice))


def _filed_twice(item):
    reason = "a metaphase filed twice under two numbers, at two scales"
    return reason, f"cell {item.cell}", f"one group with cell {item.group}"


def pki3(files):
    """Single chromosomes, G-band; a group is a case, which may have several cells."""
    problems = []

    def item(name, found):
        cell, number, homologue = found.groups()
        if number == "25":
            problems.append(
                Problem(
                    "repaired",
                    "clase25 is none of the 24 classes",
                    store.shown(name),
                    f"kept with the label '{MARKER}' (marker)",
                )
            )
        label = MARKER if number == "25" else listing.chromosome(number)
        case = cell.rsplit(".", 1)[0]
        return label and Item(name, label, case, cell, (("homologue", homologue),))

    items, odd = listing.by_pattern(
        files,
        r"(?:^|/)([^/]+)\.tiff/clase(\d+)/clase\2_(\d+)_\1\.tiff$",
        item,
        like="'98000209.11.tiff/clase7/clase7_0_98000209.11.tiff'",
    )
    return Listing(items, "case", problems=(*problems, *odd))


def cirnet(files):
    """Single chromosomes, G-band; a group is a patient."""

    def item(name, found):
        number, homologue, patient, slide, cell = found.groups()
        label = listing.chromosome(number)
        cell = f"{patient}_{slide}_{cell}"
        return label and Item(name, label, patient, cell, (("homologue", homologue),))

    items, problems = listing.by_pattern(
        files,
        r"(?:^|/)(\w+)/\1_([^_/]+)_([^_/]+)_([^_/]+)_([^_/]+)\.tiff?$",
        item,
        like="'tiff/7/7_1_P12_3_5.tiff'",
    )
    return Listing(items, "patient", problems=problems)


def tseng2023(files):
    """Metaphases, G-band, with a box a chromosome; a group is a case."""
    found = voc.dataset(files)
    status, problems = _status(files)

    def item(name):
        stem = pathlib.PurePosixPath(name).stem
        case = re.sub(r"_\d+$", "", stem)[:-1] or stem
        return Item(
            name, group=case, cell=stem, extra=(("status", status.get(stem, "")),)
        )

    items = tuple(item(name) for name in sorted(found.images))
    unknown = [
        Problem(
            "repaired",
            "an image in none of the three lists of karyotypes",
            store.shown(item.name),
            "its status stays empty",
        )
        for item in items
        if status and item.cell not in status
    ]
    problems = (*found.problems, *problems, *unknown)
    return Listing(items, "case", found.images, problems, listing.chromosome)


STATUS = {
    "normal.csv": "normal",
    "number_abnormalities.csv": "numerical",
    "structural_abnormalities.csv": "structural",
}


def _status(files):
    """Image stem -> what the source's three lists say of its karyotype."""
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
    problems = [
        Problem(
            "repaired",
            "a list of karyotypes is missing or cannot be read",
            name,
            "its images have no status; add the list from the source",
        )
        for name in sorted(missing)
    ]
    return status, problems


def roboflow(files):
    """Any YOLO export of Roboflow; a group is the image that copies were made of."""
    found = yolo.dataset(files)
    items = tuple(
        Item(
            name,
            group=listing.source_image(name) or pathlib.PurePosixPath(name).stem,
            extra=(("part", listing.part(name)),),
        )
        for name in sorted(found.images)
    )
    rename = listing.chromosome if _all_chromosomes(found) else None
    return Listing(items, "source image", found.images, found.problems, rename)


def mfish(files):
    """DAPI fields with a mask a class; each connected piece of a mask is a box."""
    masks, fields, problems = {}, [], []
    for name in listing.images(files):
        found = re.search(r"(?:^|/)annotations/(.+)_c(\d+)_\d+\.png$", name)
        if found:
            masks.setdefault(found[1], []).append((name, found[2]))
        else:
            fields.append(name)
    annotated = {}
    for name in fields:
        stem = pathlib.PurePosixPath(name).stem
        try:
            annotated[name] = _from_masks(files, stem, masks.pop(stem, []))
        except (decode.DecodeError, OSError, ValueError) as error:
            reason, _, remedy = str(error).partition("; ")
            problems.append(
                Problem("error", reason, store.shown(name), remedy or "get it again")
            )
    problems += [
        Problem("error", "masks of no image", store.shown(n), "add or remove")
        for found in masks.values()
        for n, _ in found
    ]
    items = tuple(
        Item(name, group=pathlib.PurePosixPath(name).stem) for name in annotated
    )
    return Listing(items, "image", annotated, tuple(problems))


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
    return Annotated(file=f"{stem}.png", boxes=boxes, width=width, height=height)


def folder(files):
    """A folder a class; a folder below it, where there is one, is the group."""
    rows, problems = listing.told(files)
    items = []
    for name in listing.images(files):
        where = [
            f
            for f in pathlib.PurePosixPath(name).parts[:-1]
            if f.lower() not in listing.PARTS
        ]
        row = listing.own(rows, name)
        label = row.get("label") or (where[0] if where else "")
        if not label:
            problems.append(
                Problem(
                    "error",
                    "an image in no class folder",
                    store.shown(name),
                    "move it into a class folder, or label it in images.csv",
                )
            )
            continue
        group = "/".join(where[1:]) or listing.source_image(name) or name
        items.append(_item(name, row, label, group))
    unit = _unit(items, rows)
    return Listing(tuple(items), unit, problems=tuple(problems))


def cellfolders(files):
    """A folder a cell (within one a case, if there is), a file or folder a class."""
    rows, problems = listing.told(files)
    items = []
    for name in listing.images(files):
        *folders, base = pathlib.PurePosixPath(name).parts
        stem = re.split(r"[ _.-]", pathlib.PurePath(base).stem)[0]
        inner = listing.chromosome(folders[-1]) if len(folders) > 1 else None
        label = inner or listing.chromosome(re.sub(r"(?<=[0-9XYxy])[ab]$", "", stem))
        where = folders[:-1] if inner else folders
        if not (label and where):
            problems.append(
                Problem(
                    "error",
                    "an image whose folder and name say no cell and class",
                    store.shown(name),
                    "name it like 'case1/cell3/7_a.png' or 'cell3/7/1.png'",
                )
            )
            continue
        cell, row = "/".join(where), listing.own(rows, name)
        items.append(_item(name, row, label, where[0], cell))
    unit = "case" if any(item.group != item.cell for item in items) else "cell"
    return Listing(tuple(items), unit, problems=tuple(problems))


def _item(name, row, label, group, cell=""):
    group = row.get("group") or group
    extra = (("part", listing.part(name)), ("status", row.get("status", "")))
    return Item(name, label, group, row.get("cell") or cell or group, extra)


def _unit(items, rows):
    told = any(row.get("group") for row in rows.values())
    single = all(item.group == item.name for item in items)
    return (
        "image (assumed; name groups in images.csv)"
        if single and not told
        else ("group")
    )


def _annotated(form):
    """An adapter for a format of annotations; groups are told, or assumed."""

    def adapter(files):
        found = form.dataset(files)
        rows, problems = listing.told(files)
        items = tuple(
            _item(
                name,
                listing.own(rows, name),
                listing.own(rows, name).get("label", ""),
                listing.source_image(name) or name,
            )
            for name in sorted(found.images)
        )
        rename = listing.chromosome if _all_chromosomes(found) else None
        problems = (*found.problems, *problems)
        return Listing(items, _unit(items, rows), found.images, problems, rename)

    return adapter


def _all_chromosomes(found):
    """Whether every label of every box names one of the 24 classes."""
    labels = {str(x) for one in found.images.values() for x in one.boxes.label}
    return bool(labels) and all(map(listing.chromosome, labels))


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
}
SOURCES = (*NAMED, *GENERIC)
