"""Whether an image file's data are as they were written, as far as its format tells.

`png(blob)`, `tiff(tags, blob)`, `jpeg(blob)` raise Unsound; the last gives luminance

# Strategy: decoders go on where data are damaged, and give pixels that nobody took.
What a format says of its own soundness is checked here: the checksum of every chunk of
a PNG, checksum and length of every strip of a TIFF, each warning of the JPEG library.
BMP and TIFF without compression hold nothing but their length, and the codes of LZW and
PackBits hardly more: a bit that turned there is a grey level like any other.
"""

import math
import struct
import zlib

import numpy as np
import simplejpeg

SIGNATURE, CHUNK = (
    8,
    12,
)  # bytes of a PNG before its chunks, and of each beside its data
WIDTH, HEIGHT, BITS, COMPRESSION, PHOTOMETRIC = 256, 257, 258, 259, 262  # tags
BANDS, PLANAR = 277, 284
STRIPS = 273, 279  # tags of a TIFF: where they begin, how many bytes they have
TILES, TILE = (324, 325), (322, 323)  # the same, and width and height of one
ROWS = 278  # of a strip
RAW, LARGEST, SLACK = 1, 1 << 30, 1024  # bytes that a strip may unpack to
CLEAR, END, FIRST = 256, 257, 258  # codes of LZW, and the first that the table gets
# A code is as wide as the table needs; widths change one entry early (TIFF 6.0). The
# codes after a Clear lie in 32 bits from byte LOW on, RIGHT bits from their end.
WIDTHS = np.repeat([9, 10, 11, 12], [254, 512, 1024, 2049])
ENDS, EDGES = np.cumsum(WIDTHS), (255, 767, 1791)  # so many codes end with a wider one
LOW, RIGHT = np.divmod(ENDS - WIDTHS + np.arange(8)[:, None], 8)
RIGHT = 32 - RIGHT - WIDTHS
MASKS = (1 << WIDTHS) - 1
KNOWN = FIRST - 1 + np.arange(len(WIDTHS))  # the last code that the table has by then


class Unsound(ValueError):
    """Data that are not what was written; says how that is known."""


def png(blob):
    """Every chunk is whole and has the checksum that it states; IEND is the last."""
    place, view = SIGNATURE, memoryview(blob)
    while place + CHUNK <= len(blob):
        (length,) = struct.unpack_from(">I", blob, place)
        end = place + CHUNK + length
        if end > len(blob):
            break
        (stated,) = struct.unpack_from(">I", blob, end - 4)
        if zlib.crc32(view[place + 4 : end - 4]) != stated:
            raise Unsound("a chunk of the PNG has another checksum than it states")
        if blob[place + 4 : place + 8] == b"IEND":
            return
        place = end
    raise Unsound("the PNG is cut")


def jpeg(blob):
    """(height, width) luminance of a JPEG that its library decodes without a warning.

    It is the brightness as the file stores it, the same as Pillow's in YCbCr.
    """
    try:
        return simplejpeg.decode_jpeg(blob, "GRAY", strict=True)[..., 0]
    except (ValueError, MemoryError):
        raise Unsound("the JPEG is cut or damaged") from None


def tiff(tags, blob):
    """Every strip or tile is in the file and unpacks to as many bytes as it should."""
    packed = tags.get(COMPRESSION, RAW)
    where, counts, sizes = _pieces(tags)
    ends = map(sum, zip(where, counts, strict=True))
    if max(ends) > len(blob) or max(map(max, sizes)) > LARGEST:
        raise Unsound("the TIFF is cut")
    if packed == RAW:  # some state other rows a strip than they have
        sound = sum(counts) >= _bytes(tags)
    else:
        pieces = zip(where, counts, sizes, strict=True)
        sound = all(
            count <= 2 * max(size) + SLACK
            and UNPACKED[packed](memoryview(blob)[first : first + count], max(size))
            in size
            for first, count, size in pieces
        )
    if not sound:
        raise Unsound("a TIFF strip unpacks to what it should not")


def _pieces(tags):
    """Offsets and bytes of all strips or tiles, and the sizes each may unpack to."""
    width, height, tiled = tags[WIDTH], tags[HEIGHT], TILES[0] in tags
    rows = min(tags.get(ROWS, height), height)
    across, down = (tags[tag] for tag in TILE) if tiled else (width, rows)
    line = _line(tags, across)
    where, counts = (tags.get(tag) for tag in (TILES if tiled else STRIPS))
    if not where or not counts or len(where) != len(counts) or PHOTOMETRIC not in tags:
        raise Unsound("the TIFF does not say what its strips are")
    last = height % down or down
    ends = -(-height // down)  # strips of one plane
    sizes = [
        {down * line, last * line}
        if not tiled and k % ends == ends - 1
        else {down * line}
        for k in range(len(where))
    ]  # some write the last strip in full
    return where, counts, sizes


def _line(tags, across):
    """Bytes of so many pixels side by side."""
    planes = tags.get(BANDS, 1) if tags.get(PLANAR, 1) == 2 else 1  # else interleaved
    return math.ceil(across * sum(tags.get(BITS, (1,))) / planes / 8)


def _bytes(tags):
    """Of the whole image."""
    planes = tags.get(BANDS, 1) if tags.get(PLANAR, 1) == 2 else 1
    return tags[HEIGHT] * _line(tags, tags[WIDTH]) * planes


def _deflate(data, most):
    """How many bytes they stand for, None where the checksum is another."""
    unpack = zlib.decompressobj()
    try:
        size = len(unpack.decompress(data, most + 1))
    except zlib.error:
        return None
    return size if unpack.eof else None


def _packbits(data, most):
    place = size = 0
    while place < len(data) and size <= most:
        head = data[place]
        if head < 128:
            size, place = size + head + 1, place + head + 2
        else:
            size, place = size + (257 - head) % 129, place + 1 + (head > 128)
    return size if place == len(data) else None


def _lzw(data, most):
    """The length of all that the codes stand for; None where they are no such codes."""
    cleared = data[0] == 128 and data[1] < 128  # encoders begin with a Clear
    bits, place, size = 8 * len(data), 9 * cleared, 0
    words = np.ndarray(len(data) + 1, ">u4", bytes(data) + bytes(4), strides=(1,))
    for _ in range(SLACK + most // SLACK):  # more often no encoder starts anew
        count = ENDS.searchsorted(bits - place, "right")
        low, right = LOW[place % 8, :count], RIGHT[place % 8, :count]
        wide = words[place // 8 :][low].astype(np.int64) >> right
        codes = wide & MASKS[:count]
        stops = np.flatnonzero(codes >> 1 == CLEAR >> 1)  # Clear and the one after, End
        if len(stops):
            count = stops[0]
        elif count == len(WIDTHS):
            return None
        elif count in EDGES and (wide[-1] >> 1) & (MASKS[count - 2]) == END:
            count -= 1  # old encoders write the last code as wide as the one before
        if (codes[:count] > KNOWN[:count]).any():
            return None
        size += _length(codes[:count])
        if not len(stops) or codes[count] == END:
            return size
        place += ENDS[count]
    return None


def _length(codes):
    """Bytes that codes after a Clear stand for: each goes on from one before it."""
    length, parent = np.ones(len(codes), np.int64), codes - FIRST
    more = np.flatnonzero(parent >= 0)
    while len(more):
        before = parent[more]
        length[more] += length[before]
        parent[more] = parent[before]
        more = more[parent[more] >= 0]
    return int(length.sum())


UNPACKED = {5: _lzw, 8: _deflate, 32946: _deflate, 32773: _packbits}
COMPRESSIONS = (RAW, *UNPACKED)
