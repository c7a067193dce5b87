"""Damaged files are refused, or read as a strict decoder reads them."""

import collections
import contextlib
import io
import os
import random
import tempfile
import warnings
import zlib

import drawn
import numpy as np
import PIL.Image
import pytest
import simplejpeg
import tifffile

from chromolib.data import decode, sound

PICTURE = np.clip(
    np.random.default_rng(0).normal(0, 3, (60, 50)).cumsum(1) + 128, 0, 255
).astype(np.uint8)
FILES = 10_000  # damaged ones in all


def tiff(compression, pixels=PICTURE, **more):
    return drawn.encoded(pixels, "TIFF", compression=compression, **more)


FORMS = {
    "png": drawn.encoded(PICTURE),
    "png, colour": drawn.encoded(np.stack([PICTURE] * 3, -1), dpi=(72, 72)),
    "jpeg": drawn.encoded(PICTURE, "JPEG"),
    "jpeg, colour": drawn.encoded(np.stack([PICTURE] * 3, -1), "JPEG", quality=90),
    "jpeg, progressive": drawn.encoded(PICTURE, "JPEG", progressive=True),
    "tiff, raw": tiff(None),
    "tiff, packbits": tiff("packbits"),
    "tiff, lzw": tiff("tiff_lzw"),
    "tiff, lzw of rows": tiff("tiff_lzw", tiffinfo={278: 7}),
    "tiff, deflate": tiff("tiff_adobe_deflate"),
    "tiff, deflate of rows": tiff("tiff_adobe_deflate", tiffinfo={278: 7}),
    "tiff, old deflate": tiff("tiff_deflate"),
    "tiff, jpeg": tiff("jpeg"),
    "tiff, group 4": tiff("group4", PICTURE > 128),
    "bmp": drawn.encoded(PICTURE, "BMP"),
    "gif": drawn.encoded(PICTURE, "GIF"),
}
CHANGED = {decode.DEEP, decode.COLOUR, decode.TURNED}
REFUSED = ("tiff, jpeg", "tiff, group 4", "gif")


def damaged(blob, seed):
    """The bytes with a bit turned, a stretch changed, or an end missing."""
    rng = random.Random(seed)  # noqa: S311 - no secret
    data, at = bytearray(blob), rng.randrange(len(blob))
    if seed % 4 == 3:
        return bytes(data[:at])
    if seed % 4 == 2:
        data[at : at + 4] = rng.randbytes(len(data[at : at + 4]))
    else:
        data[at] ^= 1 << rng.randrange(8)
    return bytes(data)


@contextlib.contextmanager
def complaints():
    """What a library of C writes to stderr meanwhile: a list, filled at the end."""
    found, kept = [], os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield found
        finally:
            os.dup2(kept, 2)
            os.close(kept)
            file.seek(0)
            found += file.read().splitlines()


def strictly(blob):
    """The pixels as a decoder reads them that takes any complaint for an error."""
    with warnings.catch_warnings(), complaints() as said:
        warnings.simplefilter("ignore")
        image = PIL.Image.open(io.BytesIO(blob))
        if image.format in ("JPEG", "MPO"):
            return simplejpeg.decode_jpeg(blob, "GRAY", strict=True)[..., 0]
        image.load()
        pixels = np.array(image if image.mode == "RGB" else image.convert("L"))
    if said:
        raise OSError(said[0])
    return pixels[..., 0] if pixels.ndim == 3 else pixels


@pytest.mark.parametrize("form", FORMS)
def test_damaged_files_are_refused_or_read_as_a_strict_decoder_does(form):
    blob, found = FORMS[form], collections.Counter()
    for seed in range(-(-FILES // len(FORMS))):
        data = damaged(blob, seed)
        with complaints() as said:
            try:
                read = decode.grey(data)
            except decode.DecodeError:
                found["refused"] += 1
                continue
        found["read"] += 1
        if decode.STRIPS in read.repairs:
            wanted = tifffile.imread(io.BytesIO(data))
        elif CHANGED & set(read.repairs):  # not the pixels that a decoder gives
            continue
        else:
            assert not said, f"{form} {seed}: {said[0]}"
            wanted = PICTURE if form.startswith("png") else strictly(data)
        np.testing.assert_array_equal(read.grey, wanted, f"{form} {seed}")
    assert found["refused"] > found.total() / 20
    assert (found["read"] == 0) == (form in REFUSED or form.startswith("png"))


@pytest.mark.parametrize("form", FORMS)
def test_sound_files_are_read(form):
    if form in REFUSED:
        with pytest.raises(decode.DecodeError):
            decode.grey(FORMS[form])
    else:
        stray = 20 if "jpeg" in form else 0
        levels = decode.grey(FORMS[form]).grey.astype(int)
        assert np.abs(levels - PICTURE).max() <= stray


def test_a_turned_bit_in_the_pixels_of_a_png_is_an_error_that_says_why():
    blob = bytearray(FORMS["png"])
    blob[len(blob) // 4] ^= 4
    with pytest.raises(
        decode.DecodeError, match=r"chunk of the PNG .* checksum.*; get"
    ):
        decode.grey(bytes(blob))


@pytest.mark.parametrize("compression", ["tiff_lzw", "packbits", "tiff_adobe_deflate"])
@pytest.mark.parametrize("mode", ["L", "RGB", "I;16", "1"])
@pytest.mark.parametrize("rows", [7, 300])
def test_strips_of_every_kind_unpack_to_what_they_should(compression, mode, rows):
    levels = np.tile(PICTURE, (5, 4))
    deep = PIL.Image.fromarray(levels.astype(np.uint16) * 200)
    image = deep if mode == "I;16" else PIL.Image.fromarray(levels).convert(mode)
    out = io.BytesIO()
    image.save(out, "TIFF", compression=compression, tiffinfo={278: rows})
    found = decode.grey(out.getvalue())
    assert found.grey.shape == levels.shape
    if mode in ("L", "RGB"):
        np.testing.assert_array_equal(found.grey, levels)


def test_tiles_and_planes_unpack_to_what_they_should():
    for more in ({"tile": (32, 16)}, {"planarconfig": "separate"}):
        out = io.BytesIO()
        pixels = np.stack([PICTURE] * 3) if "planarconfig" in more else PICTURE
        kind = "rgb" if pixels.ndim == 3 else "minisblack"
        tifffile.imwrite(out, pixels, photometric=kind, compression="zlib", **more)
        np.testing.assert_array_equal(decode.grey(out.getvalue()).grey, PICTURE)


def test_codes_of_lzw_are_counted_as_they_unpack():
    for pixels in (PICTURE, np.zeros((300, 200), np.uint8), np.tile(PICTURE, (9, 9))):
        image = PIL.Image.open(io.BytesIO(tiff("tiff_lzw", pixels)))
        tags, blob = image.tag_v2, tiff("tiff_lzw", pixels)
        sizes = [
            sound.UNPACKED[5](blob[first : first + count], pixels.size)
            for first, count in zip(tags[273], tags[279], strict=True)
        ]
        assert sum(sizes) == pixels.size


def test_a_checksum_behind_the_last_pixel_counts():
    """A decoder that has all pixels stops before the checksum: libtiff does."""
    raw = zlib.compress(PICTURE.tobytes())
    wrong = raw[:-1] + bytes([raw[-1] ^ 1])
    assert sound.UNPACKED[8](raw, PICTURE.size) == PICTURE.size
    assert sound.UNPACKED[8](wrong, PICTURE.size) is None
