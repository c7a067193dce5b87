"""Grey levels of a TIFF with nothing out of the ordinary, read straight away.

# Strategy: Pillow reads the tags of a TIFF three times, which takes longer than the
# pixels of a chromosome. Where the directory is that of PKI-3's 18,000 files, tag for
# tag, nothing is left to find out: only one image, not turned, no EXIF. Its data pass
# the same checks and go to the same decoder as those of all other files.
"""

import struct

import numpy as np
import PIL.Image

from chromolib.data import sound

SHORT, LONG = 3, 4  # types of a tag
PREDICTOR = 317  # which the decoder sees to
OFFSETS, COUNTS = sound.STRIPS
TAGS = (  # in the order in which they stand in the file
    *(sound.WIDTH, sound.HEIGHT, sound.BITS, sound.COMPRESSION, sound.PHOTOMETRIC),
    *(OFFSETS, sound.BANDS, sound.ROWS, COUNTS, sound.PLANAR, PREDICTOR),
)
ENTRIES = [(tag, LONG if tag in sound.STRIPS else SHORT, 1) for tag in TAGS]
VALUES = {  # grey levels of 8 bits, black is zero; LZW
    sound.BITS: 8,
    sound.COMPRESSION: 5,
    sound.PHOTOMETRIC: 1,
    sound.BANDS: 1,
    sound.PLANAR: 1,
}
# How a file begins, then where its directory is; how many entries, these, what follows.
START, HEADER = b"II*\0", struct.Struct("<4xI")
LAYOUT = "".join("HHII" if kind == LONG else "HHIH2x" for _, kind, _ in ENTRIES)
DIRECTORY = struct.Struct(f"<H{LAYOUT}I")


def levels(blob, most):
    """(height, width) levels of a plain TIFF of one strip and at most so many pixels.

    None where it is another file; raises what the checks and the decoder raise.
    """
    tags, place = _tags(blob)
    if not tags:
        return None
    size = width, height = tags[sound.WIDTH], tags[sound.HEIGHT]
    one_strip = tags[sound.ROWS] >= height and tags[OFFSETS][0] >= HEADER.size
    if not one_strip or not 0 < width * height <= most:
        return None
    sound.tiff(tags, blob)
    image = PIL.Image.frombytes("L", size, blob, "libtiff", "L", False, place)
    return np.asarray(image)


def _tags(blob):
    """Tags of a plain TIFF as Pillow gives them, and their place; none of others."""
    if not blob.startswith(START):
        return {}, 0
    try:
        (place,) = HEADER.unpack_from(blob)
        count, *numbers, following = DIRECTORY.unpack_from(blob, place)
    except struct.error:
        return {}, 0
    entries = list(zip(*(numbers[k::4] for k in range(3)), strict=True))
    tags = dict(zip(TAGS, numbers[3::4], strict=True))
    usual = (count, entries, following) == (len(ENTRIES), ENTRIES, 0)
    if not usual or not VALUES.items() <= tags.items():
        return {}, 0
    return tags | {tag: (tags[tag],) for tag in (sound.BITS, *sound.STRIPS)}, place
