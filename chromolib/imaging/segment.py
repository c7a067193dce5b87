"""The chromosomes of one metaphase field, found without learning.

`segment(image)` -> Instances; before it `denoise`, `background`, `even`, `contrast`
`stained(image)` -> the stain of a field, light or dark, whatever the light
`is_karyogram(image)` -> whether its chromosomes stand upright, as no field's do

Strategy: noise, illumination and contrast are put right, a threshold with hysteresis
gives the stain. The field's own skeletons say how wide a chromosome is here; with it,
what is too thick is a nucleus and what is too small or thin is debris. What is left and
is not one ribbon of that width is a clump, and is taken apart (see clumps).
"""

import dataclasses

import numpy as np
from scipy import ndimage
from skimage import filters, measure, morphology

from chromolib import records
from chromolib.imaging import clumps, normalise

BLOCK = np.ones((3, 3), bool)
NONE = np.zeros((0, 2), int)  # no points
KINDS = ("chromosome", "touching", "overlap", "nucleus", "debris")
COUNTED = KINDS[:3]
SPECK = 0.1  # of the squared width: what is smaller is not even debris
SMALL = 1.1  # of the squared width: the smallest area of a chromosome
THIN = 0.5  # of the width: what is nowhere thicker is debris
THICK = 2.5  # of the width: what holds a disc of this diameter is a nucleus
CUT = 2.0  # of the width: what the frame cuts over more than this is a nucleus
NARROWEST = 4  # pixels: a thinner chromosome has no shape
START = 0.75  # of Otsu's level: where stain begins
CORE = 1.5  # of that: what stain has to reach somewhere
CLEAR = 4  # times the noise: what is stain for certain
HOLE = 30  # pixels: smaller holes are pale bands,
HOLES = 0.25  # and so are those below this share of the squared width
GAP = 0.5  # of the width: the blur that hides gaps between neighbours
MARGIN = 0.25  # of the width: people draw boxes around the blurred edge
COARSE = 64  # pixels of the longer side at which the light is fitted
TURNS = 6  # times it is fitted without what stands out
STRONGEST = 0.99  # quantile of the stain that counts as full
CROWD = 1500  # objects like chromosomes: no field has so many
SIDE = 400  # pixels of the longer side at which it is asked what a picture shows
SLIM = 2  # times as long as wide: such an object has a direction
LEAST = 8  # such objects: fewer are no cell
LEANS = np.pi / 8  # from upright, at most
UPRIGHT = 0.65  # of them: at least 0.82 in real karyograms, at most 0.5 in metaphases
# share of parts that were right at each likeness, on fields of the tuning half
LIKENESS = (0.0, 0.1, 0.3, 0.7, 0.76, 0.9, 1.0)
RIGHT = (0.27, 0.55, 0.64, 0.68, 0.9, 0.95, 0.98)


@dataclasses.dataclass(frozen=True, eq=False)
class Instances:
    """The objects of one field; label `i + 1` is box, score and kind `i`."""

    labels: np.ndarray  # (height, width) int32, 0 is background
    boxes: records.Boxes  # score: how likely it is one whole chromosome
    kind: np.ndarray  # (n,) text, see KINDS
    width: float  # of a chromosome of this field, in pixels; 0 where there is none

    def __post_init__(self):
        if not len(self.boxes) == len(self.kind) == self.labels.max(initial=0):
            raise ValueError("labels, boxes and kinds differ in number")
        if not set(self.kind.tolist()) <= set(KINDS):
            raise ValueError(f"kinds are {', '.join(KINDS)}")

    def __len__(self):
        return len(self.kind)

    def take(self, which):
        """The chosen instances, by mask or by index; labels count from 1 again."""
        index = np.arange(len(self))[which]
        new = np.zeros(len(self) + 1, np.int32)
        new[index + 1] = np.arange(1, len(index) + 1)
        boxes, kind = self.boxes.take(index), self.kind[index]
        return Instances(new[self.labels], boxes, kind, self.width)

    @property
    def chromosomes(self):
        """Without nuclei and debris: what one would count."""
        return self.take(np.isin(self.kind, COUNTED))


def denoise(image):
    """Single noisy pixels give way to their neighbours; edges stay."""
    return ndimage.median_filter(np.asarray(image), 3)


def background(image):
    """The light without chromosomes: a smooth surface through the light ground.

    A surface of second order cannot follow a nucleus, as a running filter would.
    """
    height, width = image.shape
    y, x = np.arange(height)[:, None] / height, np.arange(width)[None] / width
    step = max(1, max(image.shape) // COARSE)
    every = slice(step // 2, None, step)
    terms = _terms(y[every], x[:, every]).reshape(6, -1).T
    value = image[every, every].astype(float).ravel()
    rest = value - np.median(value)
    keep = np.abs(rest) <= 4.5 * np.median(np.abs(rest)) + 1
    for _ in range(TURNS):
        weight, *_ = np.linalg.lstsq(terms[keep], value[keep])
        rest = value - terms @ weight
        spread = 1.48 * np.median(np.abs(rest[keep] - np.median(rest[keep]))) + 1
        keep = np.abs(rest) <= 3 * spread
        if keep.sum() < 12:
            return np.full(image.shape, np.median(value), np.float32)
    surface = sum(w * t for w, t in zip(weight, _terms(y, x), strict=True))
    return surface.astype(np.float32)


def _terms(y, x):
    one = np.ones(np.broadcast_shapes(y.shape, x.shape))
    return np.stack([one, y * one, x * one, y * y * one, x * x * one, x * y])


def even(image, ground):
    """Stain as the share of the light it takes, whatever the light: 0 is background."""
    return 1 - np.asarray(image, np.float32) / np.maximum(ground, 1)


def contrast(stain):
    """The stain stretched so that 1 is the strongest, and cut there and at -1."""
    ink = stain[stain > max(filters.threshold_otsu(stain), 1e-6)]
    high = np.quantile(ink, STRONGEST) if ink.size else 1.0
    return np.clip(stain / high, -1, 1)


def stained(image):
    """The stain of a field, dark or light, whatever the light: 1 is the strongest."""
    image = image if _dark(image) else 255 - image
    return contrast(even(image, background(image)))


def segment(image):
    """Nuclei, debris and chromosomes of one metaphase field, light or dark.

    Raises ImagingError where the picture is not grey or no metaphase at all.
    """
    image = _checked(image)
    if min(image.shape) < 3 or np.ptp(image) == 0:
        return _record([], image.shape, 0.0)
    stain = stained(denoise(image))
    low = level(stain)
    mask = ink_mask(stain, low)
    width = typical_width(mask)
    if width < NARROWEST:
        return _record([], image.shape, 0.0)
    return _instances(stain, mask, low, width)


def is_karyogram(image):
    """Whether slim objects stand upright on a picture, and enough of them for a cell.

    In a karyogram nearly all do; in a metaphase they lie as they fell.
    """
    image = _checked(image)
    if min(image.shape) < 3 or np.ptp(image) == 0:
        return False
    stain = stained(normalise.resize(image, SIDE / max(image.shape)))
    objects = measure.regionprops(measure.label(ink_mask(stain, level(stain))))
    angles = [
        abs(one.orientation)
        for one in objects
        if one.area >= HOLE and one.axis_major_length > SLIM * one.axis_minor_length
    ]
    return len(angles) >= LEAST and np.mean(np.array(angles) < LEANS) > UPRIGHT


def _dark(image):
    """Whether what stands out is darker than the ground; borders mislead in a field."""
    rest = (image - background(image))[::4, ::4].astype(float)
    return (rest**3).mean() <= 0


def _checked(image):
    image = np.asarray(image)
    if image.ndim != 2 or not image.size:
        raise normalise.ImagingError(
            f"not a grey picture: shape {image.shape}", "give (height, width) pixels"
        )
    if image.dtype != np.uint8:
        raise normalise.ImagingError(
            f"pixels are {image.dtype}, not uint8", "scale them to 0..255"
        )
    return image


def level(stain):
    """The stain at which a chromosome begins: below Otsu's level, above the noise."""
    rough = np.abs(stain - ndimage.gaussian_filter(stain, 3))
    noise = 1.48 * np.median(rough)  # of neighbours: uneven light is no noise
    otsu = filters.threshold_otsu(stain)
    return float(max(START * otsu, np.median(stain) + CLEAR * noise))


def ink_mask(stain, low):
    """Where there is chromatin: all above `low` that reaches well above it somewhere.

    Small holes are filled, hairs opened away.
    """
    mask = filters.apply_hysteresis_threshold(stain, low, CORE * low)
    mask = ndimage.binary_opening(mask, BLOCK)
    return morphology.remove_small_holes(mask, max_size=HOLE)


def typical_width(mask):
    """How wide a chromosome is in this field: middle width along elongated pieces."""
    depth = ndimage.distance_transform_edt(mask)
    label, n = ndimage.label(mask, BLOCK)
    line = morphology.skeletonize(mask)
    which, wide = label[line], 2 * depth[line]
    long = np.bincount(which, minlength=n + 1)
    thick = _deepest(label, n, depth)
    elongated = (long > 2 * thick) & (long >= 8)
    wide = wide[elongated[which]]
    for _ in range(3):
        if not len(wide):
            return 0.0
        middle = np.median(wide)
        wide = wide[(wide > 0.5 * middle) & (wide < 1.6 * middle)]
    return float(np.median(wide))


def _deepest(label, n, depth):
    """Half the thickness of each numbered part, and 0 for the background.

    `ndimage.maximum` sorts every pixel of the picture: 50 ms a field against 1.
    """
    deepest = np.zeros(n + 1)
    np.maximum.at(deepest, label[label > 0], depth[label > 0])
    return deepest


def _instances(stain, mask, low, width):
    mask = morphology.remove_small_holes(mask, max_size=int(HOLES * width**2))
    mask = morphology.remove_small_objects(mask, max_size=int(SPECK * width**2))
    nuclei = _nuclei(mask, width)
    objects = [(place, part, "nucleus", 0.0, NONE) for place, part in _parts(nuclei)]
    kinds = _kinds(mask & ~nuclei, width)
    # edges, and the pale gaps between neighbours, drawn out
    sharp = filters.unsharp_mask(stain, GAP * width, 1.0, preserve_range=True)
    for (place, part), kind in zip(_parts(mask & ~nuclei), kinds, strict=True):
        if kind:
            objects.append((place, part, kind, 0.0, NONE))
            continue
        reading = clumps.read(part, sharp[place], low, width)
        for k, one in enumerate(reading.parts, 1):
            score = float(np.interp(one.likeness, LIKENESS, RIGHT))
            objects.append((place, reading.labels == k, one.kind, score, one.points))
    return _record(objects, mask.shape, width)


def _record(objects, shape, width):
    """The objects of which anything can be seen, with boxes as people draw them.

    Each is its place, its mask there, its kind, its score and points it also covers.
    """
    objects = [each for each in objects if each[1].any()]
    labels, xyxy = np.zeros(shape, np.int32), np.zeros((len(objects), 4))
    for k, (place, part, _, _, points) in enumerate(objects):
        labels[place][part] = k + 1
        corner = [side.start for side in place]
        at = np.concatenate([np.argwhere(part), points]) + corner
        (top, left), (bottom, right) = at.min(0), at.max(0) + 1
        xyxy[k] = left, top, right, bottom
    xyxy = xyxy + np.array([-1, -1, 1, 1]) * MARGIN * width
    xyxy = np.clip(xyxy, 0, shape[::-1] * 2)
    kind, score = (np.array([each[i] for each in objects]) for i in (2, 3))
    boxes = records.Boxes(xyxy, np.full(len(xyxy), ""), score.astype(float))
    return Instances(labels, boxes, kind.astype("U10"), width)


def _nuclei(mask, width):
    """Where a disc wider than any chromosome fits, and what is around it."""
    radius = THICK * width / 2
    core = morphology.isotropic_erosion(np.pad(mask, 1, mode="edge"), radius)
    core = core[1:-1, 1:-1]
    if not core.any():
        return core
    return mask & morphology.isotropic_dilation(core, radius + 2)


def _parts(mask):
    label, _ = ndimage.label(mask, BLOCK)
    for k, place in enumerate(ndimage.find_objects(label), 1):
        yield place, label[place] == k


def _kinds(mask, width):
    """ "nucleus", "debris" or "" for each part of the mask."""
    label, n = ndimage.label(mask, BLOCK)
    depth = ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    thick, area = 2 * _deepest(label, n, depth), np.bincount(label.ravel())
    frame = np.concatenate([label[0], label[-1], label[:, 0], label[:, -1]])
    cut = np.bincount(frame, minlength=n + 1)
    kind = np.where(cut > CUT * width, "nucleus", "")
    kind[(area < SMALL * width**2) | (thick < THIN * width)] = "debris"
    n = int((kind[1:] == "").sum())
    if n > CROWD:
        raise normalise.ImagingError(
            f"{n} objects like chromosomes", "is this a metaphase? cut out one field"
        )
    return kind[1:].tolist()
