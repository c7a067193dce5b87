"""One grey image from any bytes: what is read, what is put right, what is refused."""

import contextlib
import io
import lzma
import struct
import warnings
import zlib

import drawn
import numpy as np
import PIL.Image
import pytest
import tifffile
from hypothesis import given, settings
from hypothesis import strategies as some

from chromolib.data import decode

RAMP = np.arange(30 * 20, dtype=np.uint8).reshape(30, 20)


def repairs(blob):
    return [reason for reason, _ in decode.grey(blob).repairs]


@pytest.mark.parametrize("form", ["BMP", "PNG", "TIFF"])
def test_grey_levels_are_read_as_they_are(form):
    found = decode.grey(drawn.encoded(RAMP, form))
    np.testing.assert_array_equal(found.grey, RAMP)
    assert found.repairs == ()
    assert found.stored == (20, 30)


def test_a_grey_jpeg_stored_as_colour_is_no_colour_image():
    smooth = np.tile(np.linspace(30, 220, 64).astype(np.uint8), (48, 1))
    blob = drawn.encoded(np.stack([smooth] * 3, -1), "JPEG", quality=90)
    found = decode.grey(blob)
    assert found.repairs == ()
    assert np.abs(found.grey.astype(int) - smooth).max() <= 4


@pytest.mark.parametrize("form", ["PNG", "JPEG", "BMP", "TIFF"])
def test_a_colour_image_is_read_as_its_luminance_and_says_so(form):
    red = np.zeros((16, 16, 3), np.uint8)
    red[..., 0] = 200
    blob = drawn.encoded(red, form)
    assert repairs(blob) == [decode.COLOUR[0]]
    assert np.abs(decode.grey(blob).grey.astype(int) - 60).max() <= 2  # .299 of 200


def test_equal_channels_are_one():
    blob = drawn.encoded(np.stack([RAMP] * 3, -1))
    np.testing.assert_array_equal(decode.grey(blob).grey, RAMP)
    assert repairs(blob) == [decode.COPIES[0]]


def test_an_opaque_alpha_is_left_out_and_a_transparent_one_lies_on_white():
    alpha = np.full_like(RAMP, 255)
    blob = drawn.encoded(np.stack([RAMP] * 3 + [alpha], -1))
    np.testing.assert_array_equal(decode.grey(blob).grey, RAMP)
    assert repairs(blob) == [decode.OPAQUE[0], decode.COPIES[0]]
    alpha[0] = 0
    found = decode.grey(drawn.encoded(np.stack([RAMP] * 3 + [alpha], -1)))
    assert (found.grey[0] == 255).all()
    np.testing.assert_array_equal(found.grey[1:], RAMP[1:])
    assert found.repairs[0] == decode.ALPHA


@pytest.mark.parametrize(("top", "shift"), [(255, 0), (4095, 4), (65535, 8)])
@pytest.mark.parametrize("form", ["PNG", "TIFF"])
def test_16_bits_become_8_by_a_power_of_two(form, top, shift):
    deep = np.linspace(0, top, 600).astype(np.uint16).reshape(30, 20)
    found = decode.grey(drawn.encoded(deep, form))
    np.testing.assert_array_equal(found.grey, (deep >> shift).astype(np.uint8))
    assert found.repairs == (decode.DEEP,)


def test_floating_point_pixels_are_refused():
    with pytest.raises(decode.DecodeError, match="not whole numbers; save it"):
        decode.grey(drawn.encoded(RAMP.astype(np.float32), "TIFF"))


def test_bits_and_palettes_are_grey_levels():
    bits = (RAMP > 128) * np.uint8(255)
    one_bit, palette = io.BytesIO(), io.BytesIO()
    PIL.Image.fromarray(bits).convert("1").save(one_bit, "PNG")
    PIL.Image.fromarray(np.stack([bits] * 3, -1)).quantize(4).save(palette, "PNG")
    for blob in (one_bit.getvalue(), palette.getvalue()):
        np.testing.assert_array_equal(decode.grey(blob).grey, bits)


@pytest.mark.parametrize("turn", range(1, 9))
@pytest.mark.parametrize("form", ["PNG", "JPEG", "TIFF"])
def test_exif_turns_as_pillow_itself_would(form, turn):
    letter = np.kron(drawn.LETTER_F * 28, np.ones((8, 8), np.uint8))
    blob = drawn.turned(letter, turn, form)
    from PIL import ImageOps

    upright = np.asarray(ImageOps.exif_transpose(PIL.Image.open(io.BytesIO(blob))))
    found = decode.grey(blob)
    np.testing.assert_array_equal(found.grey, upright)
    assert found.turn == turn
    assert found.stored == (32, 40)
    assert (decode.TURNED in found.repairs) == (turn != 1)


@pytest.mark.parametrize("turn", [1, 3, 6, 8])
@pytest.mark.parametrize("packed", [None, "tiff_lzw", "tiff_adobe_deflate"])
def test_a_turned_tiff_is_sound_however_it_is_packed(turn, packed):
    pixels = np.arange(60 * 40, dtype=np.uint8).reshape(60, 40)
    how = {"compression": packed, "tiffinfo": {274: turn, 278: 7}}
    found = decode.grey(drawn.encoded(pixels, "TIFF", **how))
    k = {1: 0, 3: 2, 6: 3, 8: 1}[turn]
    np.testing.assert_array_equal(found.grey, np.rot90(pixels, k))
    assert decode.STRIPS not in found.repairs


def test_an_alpha_that_nobody_filled_hides_nothing():
    empty = np.zeros_like(RAMP)
    found = decode.grey(drawn.encoded(np.stack([RAMP] * 3 + [empty], -1)))
    np.testing.assert_array_equal(found.grey, RAMP)
    assert decode.OPAQUE in found.repairs


@pytest.mark.parametrize("turn", [0, 9, 65535])
def test_an_orientation_nobody_defined_turns_nothing(turn):
    assert decode.grey(drawn.turned(drawn.LETTER_F, turn)).turn == 1


@pytest.mark.parametrize(
    ("rows", "offsets", "counts"),
    [
        (30, (8, 208, 408), (200, 200, 200)),  # Pillow: "image file is truncated"
        (2**32 - 1, (8, 208, 408), (200, 200, 200)),
        (10, (8,), (600,)),  # Pillow reads ten rows and leaves the others black
    ],
)
def test_malformed_strips_are_read_by_tifffile(rows, offsets, counts):
    blob = drawn.tiff(RAMP, rows=rows, offsets=offsets, counts=counts)
    found = decode.grey(blob)
    np.testing.assert_array_equal(found.grey, RAMP)
    assert found.repairs == (decode.STRIPS,)


def test_pillow_alone_would_have_got_these_strips_wrong():
    told = {"rows": 30, "offsets": (8, 208, 408), "counts": (200, 200, 200)}
    with pytest.raises(OSError, match="truncated"):
        np.asarray(PIL.Image.open(io.BytesIO(drawn.tiff(RAMP, **told))))
    blob = drawn.tiff(RAMP, rows=10, offsets=(8,), counts=(600,))
    assert not np.array_equal(np.asarray(PIL.Image.open(io.BytesIO(blob))), RAMP)


def test_strips_that_lead_nowhere_are_refused():
    for offsets in ((8, 0, 0), (8, 8, 8), (8, 208, 2**31)):
        blob = drawn.tiff(RAMP, rows=10, offsets=offsets, counts=(200,) * 3)
        with pytest.raises(decode.DecodeError, match="damaged or truncated"):
            decode.grey(blob)


def test_the_first_of_several_pages_is_read_and_said():
    pages = [PIL.Image.fromarray(RAMP), PIL.Image.fromarray(255 - RAMP)]
    out = io.BytesIO()
    pages[0].save(out, "TIFF", save_all=True, append_images=pages[1:])
    np.testing.assert_array_equal(decode.grey(out.getvalue()).grey, RAMP)
    assert repairs(out.getvalue()) == [decode.PAGES[0]]


def png_of(width, height):
    """A PNG that says it is this large and has hardly any data."""

    def chunk(kind, body):
        check = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + check

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + data + chunk(b"IEND", b"")


@pytest.mark.parametrize("width", [8001, 30_000, 2**31 - 1])
def test_sizes_are_bounded_before_anything_is_decoded(width):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(decode.DecodeError, match="more than 64 million pixels"):
            decode.grey(png_of(width, 8001))


def test_a_tiff_read_by_tifffile_is_bounded_too():
    blob = drawn.tiff(RAMP, rows=1, offsets=(8, 9), counts=(600, 1))
    huge = blob.replace(
        struct.pack("<HHII", 256, 4, 1, 20), b"\0\1\4\0\1\0\0\0\0\0\1\0"
    )
    with pytest.raises(decode.DecodeError):
        decode.grey(huge)


@pytest.mark.parametrize(
    "blob", [b"", b"GIF89a", b"\x89PNG\r\n", b"BM", b"II*\0", b"%PDF"]
)
def test_what_is_no_image_is_refused_with_a_remedy(blob):
    with pytest.raises(decode.DecodeError) as caught:
        decode.grey(blob)
    assert all(caught.value.what)


@settings(max_examples=300, deadline=None)
@given(some.sampled_from(["BMP", "PNG", "JPEG", "TIFF"]), some.data())
def test_damaged_bytes_give_an_image_or_a_named_error(form, data):
    blob = bytearray(drawn.encoded(RAMP, form))
    for _ in range(data.draw(some.integers(1, 8))):
        at = data.draw(some.integers(0, len(blob) - 1))
        blob[at] = data.draw(some.integers(0, 255))
    cut = data.draw(some.integers(0, len(blob)))
    try:
        found = decode.grey(bytes(blob[:cut]))
    except decode.DecodeError:
        return
    assert found.grey.dtype == np.uint8
    assert found.grey.ndim == 2
    assert found.grey.size <= decode.PIXELS


def tiff_of(*tags, data=RAMP.tobytes()):
    """A grey TIFF in which these (tag, type, raw value) stand in for the right ones."""
    right = {
        256: 20,
        257: 30,
        258: 8,
        259: 1,
        262: 1,
        273: 8,
        277: 1,
        278: 30,
        279: 600,
    }
    entries = {tag: (4, struct.pack("<I", value)) for tag, value in right.items()}
    entries |= {tag: (kind, raw) for tag, kind, raw in tags}
    body = b"".join(
        struct.pack("<HHI", tag, kind, 1) + raw.ljust(4, b"\0")
        for tag, (kind, raw) in sorted(entries.items())
    )
    head = b"II*\0" + struct.pack("<I", 8 + len(data)) + data
    return head + struct.pack("<H", len(entries)) + body + bytes(4)


@pytest.mark.parametrize("tag", [273, 278])
@pytest.mark.parametrize("kind", [2, 5, 7])
def test_tags_of_another_type_are_refused(tag, kind):
    for packed in (1, 5):
        blob = tiff_of((tag, kind, b"8"), (259, 4, bytes([packed, 0, 0, 0])))
        with contextlib.suppress(decode.DecodeError):
            decode.grey(blob)


@pytest.mark.parametrize(
    ("number", "pack", "why"),
    [
        (8, zlib.compress, "damaged or truncated"),
        (34925, lzma.compress, "nobody sees damage; save it anew"),
    ],
)
def test_malformed_strips_that_unpack_without_bound_are_refused(number, pack, why):
    data = pack(bytes(5 << 20))
    tags = ((259, number), (278, 10), (279, len(data)))
    blob = tiff_of(*((t, 4, struct.pack("<I", v)) for t, v in tags), data=data)
    with pytest.raises(decode.DecodeError, match=why):
        decode.grey(blob)


def test_white_is_zero_beyond_8_bits_too():
    deep = np.linspace(0, 4095, 600).astype(np.uint16).reshape(30, 20)
    out = io.BytesIO()
    tifffile.imwrite(out, deep, photometric="miniswhite")
    found = decode.grey(out.getvalue())
    np.testing.assert_array_equal(found.grey, 255 - (deep >> 4))


@pytest.mark.parametrize("mode", ["YCbCr", "LAB"])
def test_a_colour_space_with_a_lightness_is_read_by_it(mode):
    bands = [PIL.Image.fromarray(RAMP), PIL.Image.new("L", (20, 30), 200)]
    out = io.BytesIO()
    PIL.Image.merge(mode, [*bands, bands[1]]).save(out, "TIFF")
    found = decode.grey(out.getvalue())
    np.testing.assert_array_equal(found.grey, RAMP)
    assert found.repairs == (decode.COLOUR,)


@pytest.mark.parametrize("mode", ["L", "P", "RGB"])
def test_a_colour_that_stands_for_transparent_lies_on_white_too(mode):
    image, out = PIL.Image.fromarray(RAMP).convert(mode), io.BytesIO()
    image.save(out, "PNG", transparency=(7, 7, 7) if mode == "RGB" else 7)
    found = decode.grey(out.getvalue())
    np.testing.assert_array_equal(found.grey, np.where(RAMP == 7, 255, RAMP))
    assert decode.ALPHA in found.repairs


def test_a_palette_with_alpha_is_no_grey_with_alpha():
    image, out = PIL.Image.fromarray(RAMP).convert("P"), io.BytesIO()
    image.putpalette(bytes(255 - i // 3 for i in range(768)))
    image.convert("PA").save(out, "TIFF")
    np.testing.assert_array_equal(decode.grey(out.getvalue()).grey, 255 - RAMP)


def test_exif_behind_the_pixels_of_a_png_turns_them_too():
    blob = drawn.turned(drawn.LETTER_F, 6)
    at = blob.index(b"eXIf") - 4
    chunk = blob[at : at + 12 + int.from_bytes(blob[at : at + 4], "big")]
    late = blob.replace(chunk, b"")
    late = late.replace(late[-12:], chunk + late[-12:])
    found = decode.grey(late)
    np.testing.assert_array_equal(found.grey, drawn.LETTER_F.T[:, ::-1])
    assert (found.turn, found.stored) == (6, (4, 5))


def test_a_jpeg_of_endless_scans_is_refused():
    blob = drawn.encoded(RAMP, "JPEG", progressive=True)
    scan = blob[blob.rindex(b"\xff\xda") : -2]
    decode.grey(blob)
    with pytest.raises(decode.DecodeError, match="more than 1,000 scans"):
        decode.grey(blob[:-2] + scan * 1000 + blob[-2:])


def test_colours_laid_on_white_in_blocks_are_those_of_the_whole(monkeypatch):
    levels = np.random.default_rng(0).integers(0, 256, (30, 20, 4), dtype=np.uint8)
    blob = drawn.encoded(levels)
    whole = decode.grey(blob).grey
    monkeypatch.setattr(decode, "BLOCK", 50)
    np.testing.assert_array_equal(decode.grey(blob).grey, whole)
