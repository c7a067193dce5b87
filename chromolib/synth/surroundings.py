"""What a field holds besides chromosomes, and the microscope it is seen through.

`nuclei(field, rng)`, `debris(field, rng)` stain a Field
`photograph(field, style, rng, dark)` -> its grey levels
"""

import dataclasses

import numpy as np
import PIL.Image
from scipy import ndimage

COARSE = 8  # pixels of a field for one of its light
BRIGHT = 1.01  # of what the camera can tell
NUCLEI = 1.6  # of a field, on average; most stand at its border
NUCLEUS = (4.2, 6.5)  # widths of a chromosome: radius
NUCLEUS_STAIN = (0.4, 0.62)
KINDS = {  # per field on average; sigma in widths of a chromosome; stain
    "dust": (60, (0.03, 0.07), (0.03, 0.16)),
    "speck": (30, (0.07, 0.16), (0.3, 0.9)),
    "smudge": (18, (0.3, 1.3), (0.01, 0.07)),
}
RINGS, CURLS, CRUMBS = 1.2, 1.5, 0.5  # drops that refract, threads, remains of cells
SHARPEST = 0.6  # pixels of blur that any camera adds
HALO = 7  # of the blur: how far sharpening reaches


@dataclasses.dataclass(frozen=True, eq=False)
class Field:
    """A square field while it is drawn."""

    stain: np.ndarray  # (size, size) float32
    width: float  # of a chromosome, in pixels

    @property
    def size(self):
        """Pixels on a side."""
        return len(self.stain)


def nuclei(field, rng):
    """Stain nuclei that did not divide; gives what they cover, (size, size) bool."""
    covered = np.zeros(field.stain.shape, bool)
    for _ in range(rng.poisson(NUCLEI)):
        radius = field.width * rng.uniform(*NUCLEUS)
        edge = field.size * rng.integers(2) + radius * rng.uniform(-0.9, 0.9)
        middle = np.array([edge, rng.uniform(0, field.size)])[rng.permutation(2)]
        _nucleus(field, covered, rng, middle, radius)
    return covered


def _nucleus(field, covered, rng, middle, radius):
    """A granular disc that is no circle."""
    place = _window(middle, 1.4 * radius, field.size)
    if place is None:
        return
    y, x = np.ogrid[place]
    turn, ratio = rng.uniform(0, np.pi), rng.uniform(0.72, 1)
    right, down = (x - middle[0]) / radius, (y - middle[1]) / radius
    u = right * np.cos(turn) + down * np.sin(turn)
    v = (down * np.cos(turn) - right * np.sin(turn)) / ratio
    angle = np.arctan2(v, u)
    uneven = 1 + rng.normal(0, 0.025) * np.cos(2 * angle + rng.uniform(0, 6))
    uneven += rng.normal(0, 0.02) * np.cos(3 * angle + rng.uniform(0, 6))
    depth = (uneven - np.hypot(u, v)) * radius
    disc = np.clip(depth / (0.2 * field.width) + 0.5, 0, 1)
    texture = 0.05 * _texture(rng, disc.shape, 0.14 * field.width)
    texture += 0.05 * _texture(rng, disc.shape, 0.4 * field.width)
    texture += 0.06 * _texture(rng, disc.shape, 2.0 * field.width)
    texture += 0.06 * np.exp(-np.abs(depth) / (0.3 * field.width))
    stain = rng.uniform(*NUCLEUS_STAIN) * np.clip(1 + texture, 0, 1.5)
    field.stain[place] = np.maximum(field.stain[place], disc * stain)
    covered[place] |= disc > 0


def _texture(rng, shape, grain):
    """Smooth chance, as coarse as that many pixels, with a deviation of about one."""
    few = [max(2, round(n / max(grain, 1))) for n in shape]
    return _enlarged(rng.standard_normal(few), shape)


def _enlarged(values, shape):
    image = PIL.Image.fromarray(np.asarray(values, np.float32))
    return np.asarray(image.resize(shape[::-1], PIL.Image.Resampling.BICUBIC))


def _window(middle, reach, size):
    """Rows and columns within reach, or None outside the field."""
    low = np.maximum(np.floor(np.asarray(middle) - reach), 0).astype(int)
    high = np.minimum(np.ceil(np.asarray(middle) + reach) + 1, size).astype(int)
    if (low >= high).any():
        return None
    return slice(low[1], high[1]), slice(low[0], high[0])


def debris(field, rng):
    """Stain dust, specks, smudges, threads, drops, and remains of cells."""
    for mean, sigma, stain in KINDS.values():
        for _ in range(rng.poisson(mean * rng.gamma(2, 0.5))):
            radius = field.width * rng.uniform(*sigma)
            _blob(field, rng, _anywhere(field, rng), radius, rng.uniform(*stain))
    for draw, mean in ((_ring, RINGS), (_curl, CURLS), (_crumbs, CRUMBS)):
        for _ in range(rng.poisson(mean)):
            draw(field, rng)


def _anywhere(field, rng):
    return rng.uniform(0, field.size, 2)


def _blob(field, rng, middle, sigma, stain):
    """One stain, a little longer than broad."""
    place = _window(middle, 2.6 * sigma + 1, field.size)
    if place is None:
        return
    y, x = np.ogrid[place]
    right, down = (x - middle[0]) / sigma, (y - middle[1]) / sigma
    lean = rng.uniform(-0.5, 0.5)
    away = right**2 + down**2 + 2 * lean * right * down
    under = field.stain[place]
    under += np.float32(stain) * np.exp(-0.5 * away**1.5) * (1 - np.maximum(under, 0))


def _ring(field, rng):
    """A drop: light within, a dark rim."""
    middle, radius = _anywhere(field, rng), field.width * rng.uniform(0.2, 0.45)
    place = _window(middle, 2 * radius + 2, field.size)
    if place is None:
        return
    y, x = np.ogrid[place]
    away = np.hypot(x - middle[0], (y - middle[1]) * rng.uniform(0.8, 1.2)) / radius
    rim = rng.uniform(0.15, 0.5) * np.exp(-(((away - 1) / 0.28) ** 2))
    field.stain[place] += rim - rng.uniform(0, 0.1) * np.exp(-(away**2) * 2)


def _curl(field, rng):
    """A thread."""
    at, heading = _anywhere(field, rng), rng.uniform(0, 2 * np.pi)
    turn, stain = rng.normal(0, 0.25), rng.uniform(0.06, 0.35)
    sigma = field.width * rng.uniform(0.04, 0.08)
    for _ in range(rng.integers(4, 18)):
        heading += turn + rng.normal(0, 0.3)
        at = at + 1.5 * sigma * np.array([np.cos(heading), np.sin(heading)])
        _blob(field, rng, at, sigma, stain)


def _crumbs(field, rng):
    """A heap of pale grains."""
    middle, reach = _anywhere(field, rng), field.width * rng.uniform(0.5, 1.6)
    for _ in range(rng.integers(10, 45)):
        at = middle + reach * rng.standard_normal(2)
        stain = rng.uniform(-0.05, 0.16)
        _blob(field, rng, at, field.width * rng.uniform(0.06, 0.2), stain)


def rescaled(style, factor):
    """The style of a picture that has this many pixels for one of its look."""
    # What is blurred over fewer pixels keeps more of its grain: both shrink alike.
    blur, grain = style["blur"] * factor, style["grain"] * min(factor, 1)
    return {**style, "blur": float(np.hypot(blur, SHARPEST)), "grain": grain}


def photograph(field, style, rng, *, dark):
    """Grey levels: the stain's grain, blur and halo, uneven light, a camera's noise."""
    stain, shape = field.stain, field.stain.shape
    grain = np.float32(style["grain"]) * rng.standard_normal(shape, np.float32)
    stain = ndimage.gaussian_filter(stain * (1 + grain), style["blur"], truncate=3)
    around = ndimage.uniform_filter(stain, round(HALO * style["blur"]) | 1)
    stain += np.float32(style["sharp"]) * (stain - around)
    light = _enlarged(_light(rng, -(-field.size // COARSE), dark), shape)
    grey = light * (1 - stain) if dark else light + (1 - light) * stain
    grey += np.float32(style["noise"]) * rng.standard_normal(shape, np.float32)
    return np.clip(np.round(255 * grey), 0, 255).astype(np.uint8)


def _light(rng, few, dark):
    """A field without anything in it, coarse: a slope, a fall to the corners, haze."""
    y, x = np.mgrid[-1 : 1 : few * 1j, -1 : 1 : few * 1j]
    slope = rng.normal(0, rng.gamma(0.6, 0.02), 2)
    uneven = slope[0] * x + slope[1] * y - rng.gamma(0.6, 0.015) * (x**2 + y**2)
    haze = ndimage.gaussian_filter(rng.standard_normal((few, few)), few / 9)
    haze = np.maximum(haze / haze.std() - rng.uniform(0, 1.5), 0) * rng.gamma(1, 0.03)
    if dark:
        return BRIGHT - rng.gamma(0.7, 0.04) + uneven - haze
    return np.maximum(rng.gamma(2, 0.012) * (1 + 4 * uneven) + haze, 0)
