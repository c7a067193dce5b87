"""Images drawn for tests, and a model's card: nothing here was ever a chromosome."""

import io
import struct

import numpy as np
import PIL.Image

LETTER_F = np.array(
    [[0, 0, 0, 0], [0, 9, 9, 9], [0, 9, 0, 0], [0, 9, 9, 0], [0, 9, 0, 0]], np.uint8
)  # no turn and no mirror leaves an F as it is
CARD = {
    "study": "chromonet",
    "unit": "chromosome",
    "classes": ("normal", "abnormal"),
    "source": "synthetic",
    "provenance": "synthetic",
    "n": 1380,
    "groups": 30,
    "seed": 3,
    "scores": [],
    "weights": "started from nothing",
}  # what the card of a saved model says


def encoded(pixels, form="PNG", **options):
    """The bytes of an image file with these pixels."""
    out = io.BytesIO()
    PIL.Image.fromarray(np.asarray(pixels)).save(out, form, **options)
    return out.getvalue()


def turned(pixels, turn, form="PNG"):
    """An image file whose EXIF says that it is turned."""
    exif = PIL.Image.Exif()
    exif[0x0112] = turn
    return encoded(pixels, form, exif=exif.tobytes())


def tiff(pixels, *, rows, offsets, counts):
    """A grey TIFF whose strip tags say what they are told, true or not."""
    height, width = pixels.shape
    data = pixels.tobytes()
    tags = [
        (256, (width,)),
        (257, (height,)),
        (258, (8,)),
        (259, (1,)),
        (262, (1,)),
        (273, offsets),
        (277, (1,)),
        (278, (rows,)),
        (279, counts),
    ]
    first = 8 + len(data)
    beyond, body, extra = first + 2 + 12 * len(tags) + 4, b"", b""
    for tag, values in tags:
        raw = struct.pack(f"<{len(values)}I", *values)
        if len(raw) > 4:
            raw, extra = struct.pack("<I", beyond + len(extra)), extra + raw
        body += struct.pack("<HHI", tag, 4, len(values)) + raw
    head = b"II*\0" + struct.pack("<I", first)
    return head + data + struct.pack("<H", len(tags)) + body + bytes(4) + extra


def rod(length, width, *, seed=0, background=255):
    """An upright rod with bands: what a straight chromosome would be, drawn."""
    rng = np.random.default_rng(seed)
    bands = np.repeat(rng.integers(60, 190, -(-length // 4)), 4)[:length]
    levels = np.repeat(bands[:, None], width, axis=1).astype(np.uint8)
    return levels if background else 255 - levels
