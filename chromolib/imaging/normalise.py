"""From any picture of one chromosome to its ink and its outline, whatever the polarity.

`ink(image)` -> (height, width) float32, 0 is background, 1 the strongest stain
`foreground(ink)` -> (height, width) bool, the one chromosome with its holes filled
`crop(image, mask, margin)`, `pad(image, canvas)`, `resize(image, scale)`: sizes, never
stretched
"""

import dataclasses

import numpy as np
from scipy import ndimage
from skimage import filters, morphology

SMALLEST = 12  # pixels of the smallest chromosome that has a shape
SPECK = 0.02  # of the largest part: what is smaller is noise
RIVAL = 0.35  # of the largest part: what is larger and apart is another chromosome
PIECES = 0.3  # of all that is stained: a largest part below is one of many
BLOCK = np.ones((3, 3), bool)


@dataclasses.dataclass(frozen=True)
class Failure:
    """Why one picture gave no result, and what to do about it."""

    reason: str
    remedy: str


class ImagingError(ValueError):
    """A picture that holds no single chromosome one could measure."""

    def __init__(self, reason, remedy):
        super().__init__(reason, remedy)
        self.failure = Failure(reason, remedy)

    def __str__(self):
        return "; ".join(self.args)


def polarity(image):
    """ "dark" for dark chromosomes on a light ground, "light" for the reverse.

    What differs from the border's middle level, and in which direction, decides; this
    holds for a tight crop too, as long as half of its border is background.
    """
    image = _checked(image)
    ground = median(_border(image))
    return "dark" if image.mean(dtype=np.float64) <= ground else "light"


def ink(image):
    """Stain from 0, the background, to 1, the strongest stain of this picture."""
    image = _checked(image)
    border = _border(image)
    middle = median(border)
    light = image.mean(dtype=np.float64) > middle
    if light:  # fluorescence: bright where there is chromatin
        image, border, middle = -image, -border, -middle
    stain = _ground(border, middle, middle - image.min()) - image
    top = float(np.sort(stain, axis=None)[-5]) if stain.size > 4 else 0
    if not top > 0:
        raise ImagingError("nothing but background", "leave the picture out")
    return np.clip(stain / np.float32(top), 0, 1, dtype=np.float32)


def _checked(image):
    """The picture as float32, refused where it cannot hold a chromosome."""
    image = np.asarray(image)
    if image.ndim != 2 or not image.size:
        raise ImagingError(
            f"not a grey picture: shape {image.shape}", "give (height, width) pixels"
        )
    image = image.astype(np.float32)
    if not np.isfinite(image).all():
        raise ImagingError("values that are not numbers", "read the picture again")
    if min(image.shape) < 3:
        raise ImagingError(f"too small: {image.size} pixels", "leave the picture out")
    return image


def _border(image):
    return np.concatenate([image[0], image[-1], image[1:-1, 0], image[1:-1, -1]])


def median(values):
    """The middle of some numbers: np.median without its checks, in a tenth the time."""
    ordered, n = np.sort(values), len(values)
    return (ordered[(n - 1) // 2] + ordered[n // 2]) / 2 if n else np.nan


def _quantile(values, share):
    """np.quantile of some numbers, for the same reason and to the last bit."""
    at = share * (len(values) - 1)
    low, high = np.sort(values)[int(at) : int(at) + 2]
    rest = np.float64(at % 1)
    up = rest * (high - low)
    return low + up if rest < 0.5 else high - (1 - rest) * (high - low)


def _ground(border, middle, contrast):
    """Level of a light background, also where the chromosome touches the border."""
    low, high = _quantile(border, 0.25), _quantile(border, 0.9)
    return float(middle if high - low < 0.2 * contrast else high)


def foreground(stain):
    """Where the chromosome is: its largest part and what belongs to it, holes filled.

    Satellites and telomeres that a pale band cuts off are kept, specks are not.
    """
    mask = framed(stain > _threshold(stain))
    label, n = ndimage.label(mask, BLOCK)
    if n > 1:
        mask = _largest(label, n)
    size = np.count_nonzero(mask)
    if size < SMALLEST:
        raise ImagingError(f"too small: {size} pixels", "leave the picture out")
    return _filled(mask)[1:-1, 1:-1]


def _threshold(stain):
    """Half of Otsu's level, so that pale bands stay, but clear of the noise."""
    count = np.bincount((stain.ravel() * 63.999).astype(np.intp), minlength=64)
    otsu = filters.threshold_otsu(hist=(count, np.arange(64) / 64 + 1 / 128))
    border = _border(stain)
    ground = border[border <= otsu]
    noise = 1.48 * median(np.abs(ground - median(ground))) if ground.size else 0
    return float(np.clip(max(0.5 * otsu, 5 * noise), 0.1, 0.6))


def _largest(label, n):
    """The largest part with its neighbours; another large part is refused."""
    size = np.bincount(label.ravel(), minlength=n + 1)
    size[0] = 0
    main = int(size.argmax())
    if size[main] < PIECES * size.sum():
        raise ImagingError("many pieces, none of them a chromosome", "look at it")
    others = np.flatnonzero(size > max(3, SPECK * size[main]))
    others = others[others != main]
    mask = label == main
    if not len(others):
        return mask
    away = ndimage.distance_transform_edt(~mask)
    deepest = ndimage.distance_transform_edt(mask).max()
    gaps = ndimage.minimum(away, label, others)
    reach = 0.0
    for part, gap in zip(others, gaps, strict=True):
        both = mask | (label == part)
        if gap <= max(2, 0.8 * deepest) or (
            gap <= 2 * deepest and _thickness(both) < 1.3 * _thickness(mask)
        ):
            mask, reach = both, max(reach, gap)
        elif size[part] > RIVAL * size[main]:
            raise ImagingError("two chromosomes in one crop", "cut them apart first")
    return _bridged(mask, reach) if reach else mask


def _bridged(mask, reach):
    """Parts joined over the gap between them."""
    wide = int(np.ceil(reach)) + 1
    closed = morphology.isotropic_closing(np.pad(mask, wide), reach / 2 + 0.5)
    return closed[wide:-wide, wide:-wide] | mask


def _thickness(mask):
    """Spread across the principal axis."""
    return np.sqrt(max(np.linalg.eigvalsh(np.cov(*np.nonzero(mask)))[0], 0.1))


def _filled(mask):
    """The mask without holes; one wide enough to be a ring's is refused."""
    whole = solid(mask)
    hole = whole & ~mask
    if np.count_nonzero(hole) > 0.1 * np.count_nonzero(mask):
        wide = ndimage.distance_transform_edt(hole).max()
        thick = ndimage.distance_transform_edt(mask).max()
        if wide > 2 and wide > 0.8 * thick:
            raise ImagingError("a ring has no two ends", "look at it; leave it out")
    return whole


def solid(mask):
    """A mask whose border is empty with all holes filled."""
    ground, _ = ndimage.label(~mask)
    return ground != ground[0, 0]


def framed(image):
    """The picture with one pixel of background all round."""
    out = np.zeros(np.add(image.shape, 2), image.dtype)
    out[1:-1, 1:-1] = image
    return out


def crop(image, mask, *, margin=0):
    """The part of a picture that the mask fills, with a margin where there is one."""
    rows, columns = ndimage.find_objects(mask.astype(np.int8))[0]
    return image[
        max(rows.start - margin, 0) : rows.stop + margin,
        max(columns.start - margin, 0) : columns.stop + margin,
    ]


def pad(image, canvas, *, value=0):
    """The picture in the middle of a canvas (height, width) that holds it."""
    room = np.subtract(canvas, image.shape)
    if (room < 0).any():
        raise ValueError(f"{image.shape} does not fit on {tuple(canvas)}; resize first")
    top, left = room // 2
    out = np.full(canvas, value, image.dtype)
    out[top : top + image.shape[0], left : left + image.shape[1]] = image
    return out


def resize(image, scale):
    """The picture at another scale, the same in both directions; never stretched."""
    if scale == 1:
        return np.asarray(image, np.float32)
    shape = np.maximum(1, np.round(np.multiply(image.shape, scale))).astype(int)
    image = np.asarray(image, np.float32)
    if scale <= 0.8:  # above, the filter reaches no other pixel
        image = ndimage.gaussian_filter(image, 0.5 * (1 / scale - 1))
    at = (np.indices(shape) + 0.5) / scale - 0.5
    return ndimage.map_coordinates(image, at, np.float32, order=1, mode="nearest")
