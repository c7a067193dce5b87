"""One grey image from the bytes of a file, and what had to be put right for it."""

import dataclasses
import io
import logging
import warnings

import numpy as np
import PIL.Image
import tifffile

from chromolib.data import plain, sound

SUFFIXES = (".bmp", ".jpeg", ".jpg", ".png", ".tif", ".tiff")
FORMATS = ("BMP", "JPEG", "PNG", "TIFF")
PIXELS = 64_000_000  # of one image; a metaphase has one or two million
ORIENTATION = 0x0112  # the EXIF tag
LENGTH, COMPRESSION, STRIP_OFFSETS, ROWS_PER_STRIP, PLANAR = 257, 259, 273, 278, 284
TIFF_HEADER = 8
PHOTOMETRIC, WHITE_IS_ZERO = 262, 0
BOUNDED = (1, 32773)  # compressions of TIFF that tifffile unpacks within bounds
JPEGS = ("JPEG", "MPO")
SCANS = 1000  # of one JPEG, which has about ten; each goes over the whole image again
BLOCK = 1 << 22  # pixels that are floating point at one time

COLOUR = "colour image", "read as its luminance"
COPIES = "grey image stored as colour", "one of the equal channels is read"
OPAQUE = "an alpha channel that is the same everywhere", "left out"
ALPHA = "a transparent background", "laid on white"
DEEP = "more than 8 bits a pixel", "scaled down by the smallest power of two that fits"
PAGES = "several images in one file", "the first is read"
TURNED = "EXIF says that the image is turned", "turned upright"
NO_EXIF = "EXIF data that cannot be read", "taken as not turned"
STRIPS = "malformed TIFF strips (some readers say 'truncated')", "read by tifffile"
PALETTE = "a colour palette", "read as its luminance"
# What decoders find odd in a file goes to the problem list, not to stderr. Filters are
# set once: changing them around each image is not safe between threads.
warnings.filterwarnings("ignore", module=r"PIL\.")
for library in ("PIL", "tifffile"):
    logging.getLogger(library).setLevel(logging.CRITICAL + 1)

HIDES = (
    "a TIFF of a compression in which nobody sees damage",
    "save it anew as PNG, or as TIFF with LZW, deflate or none",
)
CLEAR = {"1": "LA", "L": "LA", "P": "RGBA", "PA": "RGBA", "RGB": "RGBA"}
EVERY = 4  # of a JPEG's pixels, on average: its colour is looked for there
CHROMA = 3  # grey levels by which JPEG's colour channels may stray in a grey image


class DecodeError(ValueError):
    """A file that is no readable image: the reason, then the remedy."""

    def __init__(self, reason, remedy):
        super().__init__(f"{reason}; {remedy}")
        self.what = reason, remedy


@dataclasses.dataclass(frozen=True, eq=False)
class Decoded:
    """A grey image, upright, with what was done to it."""

    grey: np.ndarray  # (height, width) uint8, upright
    stored: tuple  # (width, height) as stored, before EXIF's turn
    turn: int  # EXIF orientation, 1 where there is none
    repairs: tuple  # (reason, what was done) pairs


def is_image(name):
    """Whether a file's name says that it is an image."""
    return name.lower().endswith(SUFFIXES)


def size(blob):
    """Width and height as stored, from the header alone."""
    image = _open(blob)
    by_pillow = image.format == "TIFF"  # which turns these itself
    swapped = by_pillow and _turn(image)[0] in SWAPPED
    return image.size[::-1] if swapped else image.size


def grey(blob):
    """The image as upright grey levels."""
    levels = _sound(plain.levels, blob, PIXELS)
    if levels is not None:
        return Decoded(levels, levels.shape[::-1], 1, ())
    image = _open(blob)
    if image.format == "PNG":
        _sound(sound.png, blob)
        _loaded(image)  # before EXIF is asked for, which hides what loading raises
    turn, repairs = _turn(image)
    levels, more = _levels(image, blob)
    repairs += more
    if _several(image):
        repairs.append(PAGES)
    by_pillow = image.format == "TIFF" and STRIPS not in more  # then turned
    if turn != 1:
        repairs.append(TURNED)
        levels = levels if by_pillow else _upright(levels, turn)
    height, width = levels.shape
    stored = (height, width) if turn in SWAPPED else (width, height)
    return Decoded(np.ascontiguousarray(levels), stored, turn, tuple(repairs))


# EXIF orientation -> the steps through rows and columns, axes exchanged where SWAPPED.
FLIPS = dict(enumerate([(1, 1), (1, -1), (-1, -1), (-1, 1)] * 2, 1))
SWAPPED = (5, 6, 7, 8)


def _upright(levels, turn):
    rows, columns = FLIPS[turn]
    return (levels.T if turn in SWAPPED else levels)[::rows, ::columns]


def _turn(image):
    """EXIF's orientation, 1 where there is none that anybody defined."""
    try:
        turn = image.getexif().get(ORIENTATION, 1)
    except Exception:  # a decoder may raise anything on hostile bytes
        return 1, [NO_EXIF]
    return (turn if turn in FLIPS else 1), []


def _several(image):
    """Whether a second image follows; counting them all could take for ever."""
    try:
        image.seek(1)
    except Exception:  # there is none, or nothing that could be read
        return False
    return True


def _open(blob):
    """The image with its header read and its size within bounds."""
    try:
        image = PIL.Image.open(io.BytesIO(blob), formats=FORMATS)
    except PIL.Image.DecompressionBombError:
        raise _too_large() from None
    except Exception:  # a decoder may raise anything on hostile bytes
        if not blob:
            raise DecodeError("an empty file", "get it again") from None
        raise _damaged("not a BMP, JPEG, PNG or TIFF image") from None
    if image.width * image.height > PIXELS:
        raise _too_large()
    if image.format in JPEGS and blob.count(b"\xff\xda") > SCANS:
        raise _damaged(f"a JPEG of more than {SCANS:,} scans")
    if not image.width * image.height:
        raise DecodeError("an image without pixels", "get it again")
    return image


def _too_large():
    return DecodeError(
        f"more than {PIXELS // 10**6} million pixels", "crop or scale it down"
    )


DAMAGED = "image data damaged or truncated"


def _damaged(reason=DAMAGED):
    """The decoder's own words stay out: they may hold anything, even a path."""
    return DecodeError(reason, "get the file again or save it anew as PNG")


def _levels(image, blob):
    """Grey levels as stored, and the repairs they took."""
    if image.format in JPEGS:
        return _jpeg(image, blob)
    if image.format == "TIFF":
        if image.tag_v2.get(COMPRESSION, sound.RAW) not in sound.COMPRESSIONS:
            raise DecodeError(*HIDES)
        _sound(sound.tiff, image.tag_v2, blob)
        if not _strips_agree(image):
            return _by_tifffile(blob)
    try:
        levels = _loaded(image)
    except DecodeError:
        if image.format != "TIFF":
            raise
        return _by_tifffile(blob)
    result, repairs = _to_grey(levels, image)
    return (255 - result if _left_inverted(image, repairs) else result), repairs


def _left_inverted(image, repairs):
    """Whether white is zero: Pillow sees to that itself, but not beyond 8 bits."""
    tags = image.tag_v2 if image.format == "TIFF" else {}
    return DEEP in repairs and tags.get(PHOTOMETRIC) == WHITE_IS_ZERO


def _strips_agree(image):
    """Whether a TIFF has as many strips as its rows need; Pillow leaves rows out."""
    tags = image.tag_v2
    offsets, rows = tags.get(STRIP_OFFSETS), tags.get(ROWS_PER_STRIP, 2**32 - 1)
    height = tags.get(LENGTH, image.height)  # as stored; Pillow's is that of it turned
    if offsets is None or tags.get(PLANAR, 1) != 1:
        return True  # tiles, or a plane for each channel: not ours to count
    if not all(isinstance(value, int) for value in (rows, *offsets)):
        raise _damaged()
    if len(set(offsets)) < len(offsets) or min(offsets) < TIFF_HEADER:
        raise _damaged()
    return len(offsets) * rows >= height > (len(offsets) - 1) * rows


def _sound(check, *data):
    try:
        return check(*data)
    except sound.Unsound as failure:
        raise _damaged(f"{DAMAGED} ({failure})") from None
    except Exception:  # as above
        raise _damaged() from None


def _loaded(image):
    try:
        return np.asarray(image)
    except Exception:  # as above
        raise _damaged() from None


def _jpeg(image, blob):
    """Luminance as the file stores it; colour is looked for at a smaller size."""
    luminance = _sound(sound.jpeg, blob)
    if image.mode == "L":
        return luminance, []
    if image.mode != "RGB":
        return _to_grey(_loaded(image), image)
    image.draft("YCbCr", (image.width // EVERY, image.height // EVERY))
    levels = _loaded(image if image.mode == "YCbCr" else image.convert("YCbCr"))
    stray = np.abs(levels[..., 1:].astype(np.int16) - 128)
    return luminance, [COLOUR] if stray.max(initial=0) > CHROMA else []


def _to_grey(levels, image):
    if image.mode == "PA" or (image.mode in CLEAR and "transparency" in image.info):
        grey, repairs = _channels(_loaded(image.convert(CLEAR[image.mode])))
        return grey, [PALETTE, *repairs] if image.mode in ("P", "PA") else repairs
    if image.mode == "P":
        return _loaded(image.convert("RGBA").convert("L")), [PALETTE]
    if image.mode == "CMYK":
        return _loaded(image.convert("L")), [COLOUR]
    if image.mode in ("YCbCr", "LAB"):
        return levels[..., 0], [COLOUR]
    if levels.dtype == bool:
        return levels.astype(np.uint8) * 255, []
    if levels.ndim == 3:
        return _channels(levels)
    return _depth(levels)


def _channels(levels):
    """Grey from colour channels, alpha included; equal channels lose nothing."""
    levels, repairs = _depth(levels)
    bands, alpha = _alpha_apart(levels)
    if alpha is not None and ((alpha == 255).all() or not alpha.any()):
        repairs.append(OPAQUE)
    elif alpha is not None:
        bands = _in_blocks(_on_white, bands, alpha)
        repairs.append(ALPHA)
    if bands.shape[2] == 1 or (bands == bands[..., :1]).all():
        return bands[..., 0], repairs + ([COPIES] if bands.shape[2] == 3 else [])
    return _in_blocks(_luminance, bands), [*repairs, COLOUR]


def _on_white(bands, alpha):
    share = alpha[..., None] / 255
    return (bands * share + 255 * (1 - share) + 0.5).astype(np.uint8)


def _luminance(bands):
    weights = np.array([0.299, 0.587, 0.114])  # ITU-R BT.601
    return (bands @ weights + 0.5).astype(np.uint8)


def _in_blocks(function, *arrays):
    """A function of whole arrays, a few rows at a time to spare memory."""
    step = max(1, BLOCK // arrays[0].shape[1])
    cuts = range(step, len(arrays[0]), step)
    blocks = zip(*(np.split(array, cuts) for array in arrays), strict=True)
    return np.concatenate([function(*block) for block in blocks])


def _alpha_apart(levels):
    """Colour channels and alpha; alpha is what makes their number even."""
    count = levels.shape[2]
    if count not in (1, 2, 3, 4):
        raise DecodeError(f"{count} channels", "save it as a grey image")
    if count % 2:
        return levels, None
    return levels[..., :-1], levels[..., -1]


def _depth(levels):
    """Eight bits a pixel."""
    if levels.dtype == np.uint8:
        return levels, []
    if not np.issubdtype(levels.dtype, np.integer):
        raise DecodeError("pixels are not whole numbers", "save it with 8 or 16 bits")
    low, high = int(levels.min()), int(levels.max())
    if low < 0 or high > 65535:
        raise DecodeError("pixels outside 0 to 65,535", "save it with 8 or 16 bits")
    shift = max(0, high.bit_length() - 8)
    return (levels >> shift).astype(np.uint8), [DEEP]


def _by_tifffile(blob):
    """What Pillow cannot read of a TIFF, as long as its size is within bounds."""
    try:
        with tifffile.TiffFile(io.BytesIO(blob)) as file:
            page = file.pages[0]
            if np.prod(page.shape, dtype=float) * page.dtype.itemsize > 4 * PIXELS:
                raise _too_large()
            if page.compression not in BOUNDED:
                raise _damaged()
            levels = page.asarray()
            inverted = page.photometric == 0  # white is zero
    except DecodeError:
        raise
    except Exception:  # a decoder may raise anything on hostile bytes
        raise _damaged() from None
    if levels.ndim not in (2, 3):
        raise _damaged()
    result, repairs = (_channels if levels.ndim == 3 else _depth)(levels)
    return (255 - result if inverted else result), [STRIPS, *repairs]
