"""The karyogram: chromosomes in ISCN's order, with their names below.

`karyogram(crops, labels, caption)` -> (picture, boxes): uint8, and (n, 4) in it
"""

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont

from chromolib.data import compose

USE = "Research use, not a medical device"
WIDTH = TALL = 960  # pixels, at most, of a row and of the chromosomes of all rows
FILL = 0.9  # of a slot's width that chromosomes may take
GAP = 1.3  # widths of a chromosome from one to the next
ROOM = 2  # copies that every slot has room for
TEXT, STRIP = 18, 34  # pixels: size of letters; the strip below a row


def karyogram(crops, labels, caption):
    """The picture, and where each chromosome stands in it."""
    labels, shape = np.asarray(labels), np.array([crop.shape for crop in crops])
    own = {name: np.flatnonzero(labels == name) for name in np.unique(labels)}
    scale = _scale(shape, own)
    boxes, lines, y = np.zeros((len(crops), 4), int), [], STRIP / 2
    for row in compose.ROWS:
        y += scale * max((shape[own[n], 0].max() for n in row if n in own), default=0)
        for k, name in enumerate(row):
            lines.append((name, (k + 0.5) * WIDTH / len(row), y, WIDTH / len(row)))
            which = own.get(name, np.zeros(0, int))
            boxes[which] = list(_places(shape[which] * scale, *lines[-1][1:3])) or 0
        y += STRIP
    canvas = np.full((round(y) + STRIP, WIDTH), 255, np.uint8)
    for crop, (x0, y0, x1, y1) in zip(crops, boxes, strict=True):
        area = canvas[y0:y1, x0:x1]
        drawn = compose.resized(crop, y1 - y0, x1 - x0)
        np.minimum(area, drawn[:, : area.shape[1]], out=area)
    return _lettered(canvas, lines, caption), boxes


def _scale(shape, own):
    """The largest scale at which rows are no wider and all no taller than allowed."""
    tall = sum(
        max((shape[own[name], 0].max() for name in row if name in own), default=0)
        for row in compose.ROWS
    )
    wide = [
        FILL * WIDTH / len(row) / (GAP * max(len(own[name]), ROOM)) / mean
        for row in compose.ROWS
        for name in row
        if name in own
        for mean in [shape[own[name], 1].mean()]
    ]
    return min(*wide, TALL / tall)


def _places(sizes, middle, line):
    """The box of each chromosome of a slot, standing on its line side by side."""
    sizes = np.maximum(1, np.round(sizes)).astype(int)
    step = GAP * sizes[:, 1].mean() if len(sizes) else 0
    left = middle - step * len(sizes) / 2
    for k, (tall, wide) in enumerate(sizes.tolist()):
        x = round(left + step * (k + 0.5) - wide / 2)
        x, y = min(max(x, 0), WIDTH - wide), round(line) - tall
        yield x, y, x + wide, y + tall


def _lettered(canvas, lines, caption):
    picture = PIL.Image.fromarray(canvas)
    draw, font = PIL.ImageDraw.Draw(picture), PIL.ImageFont.load_default(TEXT)
    for name, middle, y, width in lines:
        draw.line((middle - 0.4 * width, y + 4, middle + 0.4 * width, y + 4), 160)
        draw.text((middle, y + 7), name, 0, font, anchor="ma")
    draw.text((WIDTH / 2, canvas.shape[0] - 6), caption, 0, font, anchor="md")
    return np.asarray(picture)
