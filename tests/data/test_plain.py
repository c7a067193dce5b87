"""A plain TIFF is read as by Pillow, whole or damaged, and no other file is."""

import random
import struct

import drawn
import numpy as np
import PIL.Image
import pytest

from chromolib.data import decode, plain

PICTURE = np.clip(
    np.random.default_rng(0).normal(0, 3, (40, 30)).cumsum(1) + 128, 0, 255
).astype(np.uint8)
WHOLE = {277: 1, 317: 2}  # channels, predictor: what Pillow does not write of itself


def lzw(pixels=PICTURE, **tags):
    more = WHOLE | {int(tag[1:]): value for tag, value in tags.items()}
    return drawn.encoded(pixels, "TIFF", compression="tiff_lzw", tiffinfo=more)


def stating(tag, value):
    """A plain file that says something else of itself, without being it."""
    data = bytearray(lzw())
    entry = directory(data) + 2 + 12 * plain.TAGS.index(tag)
    struct.pack_into("<I", data, entry + 8, value)
    return bytes(data)


def directory(blob):
    return struct.unpack_from("<I", blob, 4)[0]


def read(blob):
    """All that is said of a file, be it an image or none."""
    try:
        found = decode.grey(blob)
    except decode.DecodeError as failure:
        return failure.what
    return found.grey.tolist(), found.stored, found.turn, found.repairs


@pytest.mark.parametrize("predictor", [1, 2])
def test_a_plain_tiff_has_the_levels_it_was_written_with(predictor):
    levels = plain.levels(lzw(t317=predictor), PICTURE.size)
    np.testing.assert_array_equal(levels, PICTURE)


PAGES = {"save_all": True, "append_images": [PIL.Image.fromarray(PICTURE)]}
OTHERS = {
    "turned": lzw(t274=6),
    "strips": lzw(t278=7),
    "white is zero": lzw(t262=0),
    "colour": lzw(np.stack([PICTURE] * 3, -1)),
    "deep": lzw(PICTURE.astype(np.uint16) * 200),
    "pages": drawn.encoded(
        PICTURE, "TIFF", compression="tiff_lzw", tiffinfo=WHOLE, **PAGES
    ),
    "more rows than its strip": stating(278, len(PICTURE) - 1),
    "a strip in the header": stating(273, 6),
    "no pixels": stating(256, 0),
    "raw": drawn.encoded(PICTURE, "TIFF", tiffinfo=WHOLE),
    "png": drawn.encoded(PICTURE),
    "cut": lzw()[:200],
    "a header": lzw()[:4],
    "nothing": b"",
}


@pytest.mark.parametrize("form", OTHERS)
def test_any_other_file_is_left_to_pillow(form):
    assert plain.levels(OTHERS[form], 1 << 20) is None


def test_an_image_with_too_many_pixels_is_left_to_pillow():
    assert plain.levels(lzw(), PICTURE.size - 1) is None


def test_a_damaged_file_is_judged_as_by_pillow(monkeypatch):
    rng, blob = random.Random(0), lzw()  # noqa: S311 - no secret
    tags = range(8 * directory(blob), 8 * len(blob))
    files = [blob[:size] for size in range(0, len(blob), 9)]
    for bit in (*tags, *rng.choices(range(tags[0]), k=400)):
        data = bytearray(blob)
        data[bit // 8] ^= 1 << bit % 8
        files.append(bytes(data))
    found = [read(data) for data in files]
    monkeypatch.setattr(plain, "levels", lambda blob, most: None)
    assert found == [read(data) for data in files]
