"""Drawn cells as files: images with VOC, YOLO and COCO beside each other.

`Image`, `Cell` what there is to write; `saved(folder, cell)` writes its images
`put(folder, part, cells)` writes what is said of some cells
`manifest(folder, facts)` writes how they came to be
"""

import csv
import dataclasses
import os
import shutil

import yaml

from chromolib import records
from chromolib.data.formats import coco, common, voc, yolo

CLASSES = (*records.CLASSES, "mar", "ace")
TOLD = ("image", "group", "cell", "label", "status")  # what data.listing reads
KARYOTYPES = ("image", "patient", "cell", "karyotype", "status", "chromosomes")
IMAGES, VOC, LABELS, PART = "images", "annotations", "labels", ".part"


@dataclasses.dataclass(frozen=True, eq=False)
class Image:
    """One image as it will be written."""

    name: str
    label: str  # "" where it shows many chromosomes
    png: bytes
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


def saved(folder, cell):
    """The cell without the bytes of its images, which are files now."""
    for image in cell.images:
        common.save(folder, f"{IMAGES}/{image.name}", image.png)
    images = tuple(dataclasses.replace(image, png=b"") for image in cell.images)
    return dataclasses.replace(cell, images=images)


def put(folder, part, cells):
    """Write all that is said of the images of these cells.

    `part` tells one COCO file from the next; each must stay below what a reader takes.
    """
    images = [image for cell in cells for image in cell.images]
    sizes = {f"{IMAGES}/{image.name}": image.size for image in images}
    voc.write(_dataset(images, VOC), sizes.get, folder)
    coco.write(_dataset(images, IMAGES, outlines=True), sizes.get, folder)
    os.replace(folder / coco.FILE, folder / f"annotations{part}.json")
    _yolo(folder, _dataset(images, IMAGES), sizes)
    pairs = [
        (cell, f"{IMAGES}/{one.name}", one) for cell in cells for one in cell.images
    ]
    _rows(folder / "images.csv", TOLD, [_told(*pair) for pair in pairs])
    _rows(folder / "iscn.csv", KARYOTYPES, [_known(*pair) for pair in pairs])


def manifest(folder, facts):
    """Write down how the images came to be."""
    text = yaml.safe_dump(facts, sort_keys=False, width=88)
    common.save(folder, "manifest.yaml", text)


def _told(cell, name, image):
    return name, cell.patient, cell.name, image.label, cell.status


def _known(cell, name, image):
    return name, cell.patient, cell.name, cell.karyotype, cell.status, cell.count


def _rows(path, header, rows):
    """Rows at the end of a table that is begun where there is none."""
    rows = rows if path.exists() else [header, *rows]
    with path.open("a", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


def _dataset(images, place, *, outlines=False):
    """What the writers of formats take; images lie in that folder."""
    found = {
        f"{place}/{image.name}": common.Annotated(
            "",
            image.boxes
            if outlines
            else records.Boxes(image.boxes.xyxy, image.boxes.label),
            *image.size,
        )
        for image in images
    }
    return common.Dataset(found, CLASSES)


def _yolo(folder, dataset, sizes):
    """Label files; every part comes with the same data.yaml."""
    place, labels = folder / PART, folder / LABELS
    place.mkdir()
    labels.mkdir(exist_ok=True)
    yolo.write(dataset, sizes.get, place)
    for path in (place / LABELS).iterdir():
        os.replace(path, labels / path.name)
    os.replace(place / yolo.YAML[0], folder / yolo.YAML[0])
    shutil.rmtree(place)
