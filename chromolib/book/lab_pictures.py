"""Pictures of the book's page on the synthetic lab, drawn when the book is built.

`draw(folder)` -> {name: Picture}; each says in itself that it is synthetic
"""

import dataclasses

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from chromolib import records
from chromolib.cyto import iscn
from chromolib.synth import karyogram, lab, looks, metaphase, singles

STAIN = {"g": "G-banded", "q": "Q-banded", "field": "G-banded"}
PHILADELPHIA = "46,XX,t(9;22)(q34;q11.2)"
ARROWS = "Arrows point at what was rearranged."
# name -> (what is drawn, karyotype, look, seed, what to look for); seeds chosen by eye
ORDERS = {
    "metaphase": (
        *("metaphase", PHILADELPHIA, "field", 7),
        "Round bodies are nuclei that did not divide.",
    ),
    "truth": (
        *("truth", PHILADELPHIA, "field", 7),
        "Outline and class of each chromosome are known, also where another covers it.",
    ),
    "normal": ("karyogram", "46,XY", "g", 1, "Ticks show where centromeres stand."),
    "trisomy": ("karyogram", "47,XY,+21", "g", 2, "There are three of class 21."),
    "translocation": ("karyogram", PHILADELPHIA, "g", 0, ARROWS),
    "dicentric": (
        *("karyogram", "46,XX,dic(1;5)(q42;q35),ace", "g", 1),
        f"{ARROWS} The dicentric has two waists; what broke off is filed as mar.",
    ),
    "quinacrine": ("karyogram", "46,XY", "q", 0, "Of the Y, one half is brilliant."),
    "classes-g": ("classes", "46,XY", "g", 1, "Each is cut out by itself."),
    "classes-q": ("classes", "46,XY", "q", 0, "Each is cut out by itself, as it lay."),
}
SIZE = 640  # pixels of a karyogram's side, as wide as a page's text
STRIP, LETTER = 28, 20  # pixels under a picture, where it says what it is
SMALL = 15  # pixels of a letter in the picture
ARROW = 26  # pixels long
COLUMNS, TILE, ROOM = 8, 54, 12  # of a sheet of classes; pixels around chromosomes
FADED = 0.45  # contrast left where outlines are drawn over a field


@dataclasses.dataclass(frozen=True)
class Picture:
    """One picture beside the page, and what is said of it."""

    file: str
    alt: str
    caption: str


def draw(folder):
    """Draw every picture into the folder: name -> Picture."""
    folder.mkdir(parents=True, exist_ok=True)
    return {name: _one(folder, name, *order) for name, order in ORDERS.items()}


def _one(folder, name, what, karyotype, look, seed, note):
    cell = lab.cell(karyotype, look=look, seed=seed)
    words = f"synthetic, {STAIN[look]} · {cell.karyotype} · seed {seed}"
    image = _stamped(DRAWN[what](cell), words, dark=looks.DARK[look])
    PIL.Image.fromarray(image).save(folder / f"{name}.png", optimize=True)
    said = iscn.describe(iscn.parse(karyotype))
    title = f"Synthetic {STAIN[look]} {WORDS[what]}"
    seen = "dark on white" if looks.DARK[look] else "bright on black"
    alt = f"{title} of {cell.karyotype}, {said}; {seen}. {note}"
    return Picture(f"{name}.png", alt, f"{title}, `{cell.karyotype}`: {said}. {note}")


def _metaphase(cell):
    return metaphase.draw(cell)[0]


def _truth(cell):
    """The field faded, with the outline and class of every chromosome."""
    image, boxes = metaphase.draw(cell)
    faded = (255 - FADED * (255.0 - image)).astype(np.uint8) | 7  # a smaller file
    canvas = PIL.Image.fromarray(faded)
    pen, font = PIL.ImageDraw.Draw(canvas), PIL.ImageFont.load_default(SMALL)
    for line, axis, label in zip(boxes.polygon, boxes.axis, boxes.label, strict=True):
        pen.polygon([tuple(point) for point in line], outline=60)
        at = tuple(axis[len(axis) // 2])
        edge = {"stroke_width": 3, "stroke_fill": 255}
        pen.text(at, label, fill=0, font=font, anchor="mm", **edge)
    return np.array(canvas)


def _karyogram(cell):
    """A framed karyogram with an arrow at each chromosome that was rearranged."""
    image, boxes = karyogram.draw(cell, size=SIZE, layout="framed")
    canvas = PIL.Image.fromarray(image)
    pen = PIL.ImageDraw.Draw(canvas)
    ink = 0 if looks.DARK[cell.look] else 255
    normal = np.array([one.normal for one in cell.homologues])
    for label in np.unique(cell.label):
        here = boxes.take(boxes.label == label)  # in the order of the cell
        for box in here.xyxy[~normal[cell.label == label]]:
            _arrow(pen, box[2] + 3, (box[1] + box[3]) / 2, ink)
    return np.array(canvas)


def _arrow(pen, x, y, ink):
    """An arrow that comes from the right and ends here."""
    pen.line((x + 4, y, x + ARROW, y), fill=ink, width=2)
    pen.polygon([(x, y), (x + 9, y - 5), (x + 9, y + 5)], fill=ink)


def _classes(cell):
    """One chromosome of each class, in two rows, each with its name."""
    drawn, _ = singles.draw(cell)
    names = cell.label.tolist()
    chosen = [drawn[names.index(name)] for name in records.CLASSES]
    ground = 255 if looks.DARK[cell.look] else 0
    wide = max(TILE, max(patch.shape[1] for patch in chosen) + ROOM)
    parts = [
        _row(chosen[i : i + COLUMNS], records.CLASSES[i : i + COLUMNS], wide, ground)
        for i in range(0, len(chosen), COLUMNS)
    ]
    return np.concatenate(parts)


def _row(patches, names, wide, ground):
    """Some of them side by side, standing on one line."""
    high = max(len(patch) for patch in patches) + 2 * ROOM + SMALL
    canvas = PIL.Image.new("L", (COLUMNS * wide, high), ground)
    pen, font = PIL.ImageDraw.Draw(canvas), PIL.ImageFont.load_default(SMALL)
    for k, (patch, name) in enumerate(zip(patches, names, strict=True)):
        middle = k * wide + wide // 2
        top = high - SMALL - ROOM - len(patch)
        canvas.paste(PIL.Image.fromarray(patch), (middle - patch.shape[1] // 2, top))
        at = middle, high - 4
        pen.text(at, name, fill=255 - ground, font=font, anchor="ms")
    return np.array(canvas)


def _stamped(image, words, *, dark):
    """The picture with a strip under it that says what it is."""
    ground, ink = (255, 0) if dark else (0, 255)
    strip = PIL.Image.new("L", (image.shape[1], STRIP), ground)
    pen, font = PIL.ImageDraw.Draw(strip), PIL.ImageFont.load_default(LETTER)
    pen.text((4, STRIP // 2), words, fill=ink, font=font, anchor="lm")
    return np.concatenate([image, np.array(strip)])


DRAWN = {
    "metaphase": _metaphase,
    "truth": _truth,
    "karyogram": _karyogram,
    "classes": _classes,
}
WORDS = {
    "metaphase": "metaphase",
    "truth": "metaphase, faded, with its truth",
    "karyogram": "karyogram",
    "classes": "chromosomes, one of each class",
}
