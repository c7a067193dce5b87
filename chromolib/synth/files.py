"""What is said of drawn images, as files: VOC, YOLO and COCO beside each other.

`Image`, `Cell` what there is to say
`put(folder, suffix, cells)` writes it of some cells
`manifest(folder, facts)` writes how they came to be
"""

import csv
import dataclasses
import os

import yaml

from chromolib import records
from chromolib.data.formats import coco, common, voc, yolo

CLASSES = (*records.CLASSES, "mar", "ace")
LISTED = ("image", "group", "cell", "label", "status")  # what data.listing reads
KARYOTYPES = ("image", "patient", "cell", "karyotype", "status", "chromosomes")
IMAGES, VOC = "images", "annotations"


@dataclasses.dataclass(frozen=True, eq=False)
class Image:
    """One image of a cell."""

    name: str
    label: str  # "" where it shows many chromosomes
    size: tuple  # width, height
    boxes: records.Boxes  # with outlines


@dataclasses.dataclass(frozen=True, eq=False)
class Cell:
    """The images of one cell, and what they show."""

    name: str
    patient: str
    karyotype: str
    status: str
    count: int  # of chromosomes
    images: tuple


def put(folder, suffix, cells):
    """Write all that is said of the images of these cells.

    `suffix` tells one COCO file from the next; none may exceed what a reader takes.
    """
    images = [image for cell in cells for image in cell.images]
    sizes = {f"{IMAGES}/{image.name}": image.size for image in images}
    voc.write(_dataset(images, VOC), sizes.get, folder)
    coco.write(_dataset(images, IMAGES, outlines=True), sizes.get, folder)
    os.replace(folder / coco.FILE, folder / f"annotations{suffix}.json")
    (folder / yolo.YAML[0]).unlink(missing_ok=True)  # every batch comes with the same
    yolo.write(_dataset(images, IMAGES), sizes.get, folder)
    listed, karyotypes = [], []
    for cell in cells:
        for image in cell.images:
            whose = f"{IMAGES}/{image.name}", cell.patient, cell.name
            listed.append((*whose, image.label, cell.status))
            karyotypes.append((*whose, cell.karyotype, cell.status, cell.count))
    _append(folder / "images.csv", LISTED, listed)
    _append(folder / "iscn.csv", KARYOTYPES, karyotypes)


def manifest(folder, facts):
    """Write down how the images came to be."""
    text = yaml.safe_dump(facts, sort_keys=False, width=88)
    common.save(folder, "manifest.yaml", text)


def _append(path, header, rows):
    """Rows at the end of a table that is begun where there is none."""
    rows = rows if path.exists() else [header, *rows]
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _dataset(images, place, *, outlines=False):
    """What the writers of formats take; images lie in that folder."""
    annotated = {}
    for image in images:
        boxes = image.boxes
        if not outlines:
            boxes = dataclasses.replace(boxes, polygon=())
        annotated[f"{place}/{image.name}"] = common.Annotated("", boxes, *image.size)
    return common.Dataset(annotated, CLASSES)
