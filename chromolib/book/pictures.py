"""Pictures of one synthetic cell for a page; each says in itself that it is synthetic.

Each function takes a `synth.lab.Cell` and what to look for, and returns the picture
with its caption and its text for those who cannot see it.
"""

import io

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from chromolib import records
from chromolib.cyto import iscn
from chromolib.plots import base
from chromolib.synth import karyogram as arranged
from chromolib.synth import looks, singles
from chromolib.synth import metaphase as spread

STAIN = {"g": "G-banded", "q": "Q-banded", "field": "G-banded"}
SIZE = 640  # pixels of a karyogram's side, as wide as a page's text
STRIP, LETTER = 28, 20  # pixels under a picture, where it says what it is
SMALL = 15  # pixels of a letter in the picture
ARROW = 26  # pixels long
ROWS, TILE, ROOM = 3, 54, 12  # of a sheet of classes; pixels around chromosomes
FADED = 0.45  # contrast left where outlines are drawn over a field


def metaphase(cell, note):
    """The field as a microscope would show it."""
    return _figure(cell, spread.draw(cell)[0], "metaphase", note)


def truth(cell, note):
    """The field faded, with the outline and class of every chromosome."""
    image, boxes = spread.draw(cell)
    faded = (255 - FADED * (255.0 - image)).astype(np.uint8) | 7  # a smaller file
    canvas, pen, font = _canvas(faded)
    for line, axis, label in zip(boxes.polygon, boxes.axis, boxes.label, strict=True):
        pen.polygon([tuple(point) for point in line], outline=60)
        at = tuple(axis[len(axis) // 2])
        edge = {"stroke_width": 3, "stroke_fill": 255}
        pen.text(at, label, fill=0, font=font, anchor="mm", **edge)
    return _figure(cell, np.array(canvas), "metaphase, faded, with its truth", note)


def karyogram(cell, note):
    """A framed karyogram with an arrow at each chromosome that was rearranged."""
    return _figure(cell, _with_arrows(cell), "karyogram", note)


def classes(cell, note):
    """One chromosome of each class, each with its name."""
    drawn, _ = singles.draw(cell)
    labels = cell.label.tolist()
    chosen = {name: drawn[labels.index(name)] for name in records.CLASSES}
    width = max(TILE, max(patch.shape[1] for patch in chosen.values()) + ROOM)
    ground = 255 if looks.DARK[cell.look] else 0
    rows = [
        _row({name: chosen[name] for name in names}, width, ground)
        for names in np.split(np.array(records.CLASSES), ROWS)
    ]
    return _figure(cell, np.concatenate(rows), "chromosomes, one of each class", note)


def _with_arrows(cell):
    image, boxes = arranged.draw(cell, size=SIZE, layout="framed")
    canvas, pen, _ = _canvas(image)
    ink = 0 if looks.DARK[cell.look] else 255
    normal = np.array([homologue.normal for homologue in cell.homologues])
    for label in np.unique(cell.label):
        here = boxes.take(boxes.label == label)  # in the order of the cell
        for _, y0, x, y1 in here.xyxy[~normal[cell.label == label]]:
            y = (y0 + y1) / 2
            pen.line((x + 7, y, x + 3 + ARROW, y), fill=ink, width=2)
            pen.polygon([(x + 3, y), (x + 12, y - 5), (x + 12, y + 5)], fill=ink)
    return np.array(canvas)


def _row(patches, width, ground):
    """Named chromosomes side by side, standing on one line."""
    height = max(map(len, patches.values())) + 2 * ROOM + SMALL
    canvas, pen, font = _canvas(
        np.full((height, len(patches) * width), ground, np.uint8)
    )
    for k, (name, patch) in enumerate(patches.items()):
        middle = k * width + width // 2
        corner = middle - patch.shape[1] // 2, height - SMALL - ROOM - len(patch)
        canvas.paste(PIL.Image.fromarray(patch), corner)
        at = middle, height - 4
        pen.text(at, name, fill=255 - ground, font=font, anchor="ms")
    return np.array(canvas)


def _canvas(image, letter=SMALL):
    """A picture to draw on, a pen and a font."""
    canvas = PIL.Image.fromarray(image)
    font = PIL.ImageFont.load_default(letter)
    return canvas, PIL.ImageDraw.Draw(canvas), font


def _figure(cell, image, what, note):
    """The picture with a strip under it that says what it is, and in words."""
    dark, seed = looks.DARK[cell.look], cell.key[0]
    strip = np.full((STRIP, image.shape[1]), 255 if dark else 0, np.uint8)
    canvas, pen, font = _canvas(np.concatenate([image, strip]), LETTER)
    words = f"synthetic, {STAIN[cell.look]} · {cell.karyotype} · seed {seed}"
    at = 4, len(image) + STRIP // 2
    pen.text(at, words, fill=0 if dark else 255, font=font, anchor="lm")
    out = io.BytesIO()
    canvas.save(out, "PNG", optimize=True)
    title = f"Synthetic {STAIN[cell.look]} {what}"
    meaning = iscn.describe(iscn.parse(cell.karyotype))
    caption = f"{title}, {cell.karyotype}: {meaning}. {note}"
    seen = "dark on white" if dark else "bright on black"
    return base.Figure(
        out.getvalue(),
        f"{caption} Source: the synthetic lab, seed {seed}.",
        f"{title} of {cell.karyotype}, {meaning}; {seen}. {note}",
    )
