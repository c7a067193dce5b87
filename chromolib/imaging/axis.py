"""The medial axis of one chromosome, and the chromosome laid straight along it.

`straighten(image, *, orient=True)` -> Straight, or raises ImagingError
`straighten_all(pixels, *, orient=True)` -> [Straight or Failure, ...]

Strategy: a first axis comes from the principal axis of the mask, or, where the mask is
bent, from the longest path in its skeleton. Then twice: lay the mask straight along the
axis, move the axis to the middle of each row, smooth it with a penalty on the change of
curvature (the rounded ends weigh nothing, so the axis runs out as it was bent), and cut
it where the chromosome ends. At last the ink is read along the normals in unit steps.
"""

import dataclasses
import functools

import numpy as np
from scipy import linalg, ndimage, spatial
from scipy.sparse import csgraph
from skimage import graph, morphology

from chromolib.imaging import direction, normalise
from chromolib.imaging.normalise import ImagingError

LONGER = 1.1  # a path this much longer than the principal axis is a bend
MISSED = 0.12  # of the area that an axis may miss or read twice
LARGEST = 400  # pixels of a crop's side up to which the axis is sought at full size
STIFF = 0.5  # of the mean width: bends sharper than this are smoothed
SHORT = 2.5  # times as long as wide: below, an even bend is not to be told from none
ROUND = 0.35  # of the mean width: how much of an end is rounded and has no say
TIP = 0.15  # of the middle width: narrower rows at an end are not chromosome
TURNS = 2  # times the axis is moved to the middle


@dataclasses.dataclass(frozen=True, eq=False)
class Straight:
    """One chromosome, upright, with what was needed to make it so."""

    ink: np.ndarray  # (length, width) float32, 0 is background
    mask: np.ndarray  # (length, width) bool
    axis: np.ndarray  # (length, 2) x, y in the original image
    length: float  # of the axis, in pixels of the original
    bend: float  # axis length over end-to-end distance
    flipped: bool  # whether the short arm was at the lower end of the original

    @functools.cached_property  # most who lay chromosomes straight never ask
    def confidence(self):
        """How likely the upper end is the short arm's; .5 is no idea."""
        return direction.chance_upright(self.ink, self.mask)


def straighten(image, *, orient=True):
    """The one chromosome of a picture, straight and upright, short arm up.

    Without `orient` the end that was higher in the picture stays up, for sources that
    are known to stand upright; the confidence then says how much the look agrees.

    Raises ImagingError where there is no single chromosome with two ends.
    """
    stain = normalise.ink(image)
    mask = normalise.foreground(stain)
    rows, columns = ndimage.find_objects(mask.astype(np.int8))[0]
    corner = np.array([columns.start - 1, rows.start - 1], float)
    mask = normalise.framed(mask[rows, columns])
    stain = normalise.framed(stain[rows, columns]) * mask
    line, half = axis_of(mask)
    ink, shape = _sampled(stain, mask, line, half)
    _refuse_crossed(shape)
    flipped = orient and direction.chance_upright(ink, shape) < 0.5
    if flipped:
        ink, shape, line = ink[::-1, ::-1], shape[::-1, ::-1], line[:, ::-1]
    length, span = _length(line), _span(line)
    return Straight(
        ink=np.ascontiguousarray(ink),
        mask=np.ascontiguousarray(shape),
        axis=line[::-1].T + corner,
        length=length + 1,  # from edge to edge, not from middle to middle of pixels
        bend=max(1.0, length / max(span, 1e-9)),
        flipped=flipped,
    )


def _refuse_crossed(shape):
    """A cross or a T: nearly as wide as long and half empty."""
    wide = shape.any(0).sum()
    if wide > 0.8 * len(shape) and shape.sum() < 0.5 * wide * len(shape):
        remedy = "cut crossing or touching chromosomes apart first"
        raise ImagingError("no one long axis", remedy)


def axis_of(mask):
    """The axis of a mask, (2, n) y, x at unit steps from the upper end, and half width.

    The half width is that of the widest place, for reading along the normals.
    """
    step = -(-max(mask.shape) // LARGEST)
    first = step // 2
    small = np.pad(mask[first::step, first::step], 1) if step > 1 else mask
    line, half, bent = _principal(small)
    axis = None
    if bent:
        axis, wide = _bent(small, LONGER * line.shape[1])
    if axis is None:
        axis, wide = _settled(small, line, half), half
    axis = axis[:, ::-1] if axis[0, -1] < axis[0, 0] else axis
    if step > 1:
        axis = _stepped((axis - 1) * step + first)
    return axis, wide * step


def _bent(mask, longer):
    """The axis along the skeleton, or None where that is no better than a line."""
    whole = ndimage.binary_closing(mask, normalise.BLOCK)  # no slit between chromatids
    line, half = _skeletal(normalise.solid(whole))
    if line is None or _length(line) + 2 * half < longer:
        return None, 0.0
    wide = 1.6 * half + 1.5
    axis = _settled(mask, line, wide)
    share = _laid(mask, axis, wide)[-1].sum() / mask.sum()
    return (axis, wide) if abs(share - 1) < MISSED else (None, 0.0)


def _settled(mask, line, half):
    """A first line moved to the middle of the mask and run out to both ends."""
    for _ in range(TURNS):
        line = _centred(mask, line, half)
    return line


def _principal(mask):
    """The principal axis, the half width around it, and whether the mask is bent."""
    y, x = np.nonzero(mask)
    away = np.array([x, y], float)
    centre = away.mean(1)
    away -= centre[:, None]
    wide, long = np.linalg.eigh(away @ away.T * (1 / (len(x) - 1)))[1].T
    u = away[0] * long[0] + away[1] * long[1]
    v = away[0] * wide[0] + away[1] * wide[1]
    low = u.min()
    row = (u - low).astype(np.intp)
    n = row.max() + 1
    count = np.maximum(np.bincount(row, minlength=n), 1)
    middle = np.bincount(row, v, minlength=n) / count
    inner = middle[n // 8 : n - n // 8]
    width = len(x) / n
    half = float(np.abs(v).max()) + 1.5
    spread = np.bincount(row, v * v, minlength=n) / count - middle**2
    split = spread.sum() > 2 * (count * count).sum() / 12  # two legs in many rows
    aside = len(inner) > 1 and np.ptp(inner) > 0.35 * width
    bent = split or (aside and n > 1.3 * width)
    line = centre[:, None] + (low + np.arange(n) + 0.5) * long[:, None]
    return line[::-1], half, bent


def _skeletal(mask):
    """The longest path in the skeleton without its ends, and half the width."""
    depth = ndimage.distance_transform_edt(mask)
    bone = morphology.skeletonize(mask)
    steps, pixels = graph.pixel_graph(bone, connectivity=2)
    y, x = np.unravel_index(pixels, mask.shape)
    far = csgraph.dijkstra(steps, indices=int(depth[y, x].argmax()))
    first = int(np.where(np.isfinite(far), far, -1).argmax())
    far, back = csgraph.dijkstra(steps, indices=first, return_predecessors=True)
    path = [int(np.where(np.isfinite(far), far, -1).argmax())]
    while path[-1] != first:
        path.append(back[path[-1]])
    path = np.array(path)
    half = float(normalise.median(depth[y[path], x[path]]))
    cut = min(int(half), (len(path) - 3) // 2)
    if cut > 0:
        path = path[cut:-cut]
    if len(path) < 3:
        return None, half
    line = np.stack([y[path], x[path]]).astype(float)
    return _stepped(_smooth(line, np.ones(len(path)), half)), half


def _stepped(line):
    """The line at unit steps."""
    at = np.concatenate([[0], np.cumsum(_pieces(line))])
    steps = np.linspace(0, at[-1], max(2, round(at[-1]) + 1))
    return np.array([np.interp(steps, at, row) for row in line])


def _pieces(line):
    return np.hypot(*(line[:, 1:] - line[:, :-1]))


def _length(line):
    return float(_pieces(line).sum())


def _span(line):
    return float(np.hypot(*(line[:, -1] - line[:, 0])))


def _smooth(line, weight, sigma, *, order=3):
    """Points with the least weighted misfit plus roughness (Whittaker, 1923).

    Roughness of order 2 is curvature, of order 3 its change: lines, or also even bends,
    pass nearly unchanged, and where the weight is 0 the line runs on as it was.
    """
    if len(weight) < 6:
        return line
    weight = weight + 1e-9
    bands = max(sigma, 1.0) ** (2 * order) * _penalty(len(weight), order)
    bands[-1] += weight
    return linalg.solveh_banded(bands, (line * weight).T, check_finite=False).T


@functools.lru_cache(1024)
def _penalty(n, order):
    """The squared differences of n values as upper bands, (order + 1, n)."""
    rough = np.diff(np.eye(n), order, axis=0)
    square = rough.T @ rough
    return np.stack([np.pad(np.diag(square, k), (k, 0)) for k in range(order, -1, -1)])


def _normals(line):
    """Unit vectors across the line, (2, n) y, x, from the points before and after."""
    longer = np.concatenate([line[:, :1], line, line[:, -1:]], 1)
    along = longer[:, 2:] - longer[:, :-2]
    return along[::-1] * [[1], [-1]] / np.maximum(np.hypot(*along), 1e-9)


def _own(line, at, across, laid):
    """What is laid without the points that belong to another row of a bend."""
    if _length(line) < 1.1 * _span(line):
        return laid
    row, column = laid.nonzero()
    nearest, _ = spatial.cKDTree(line.T).query(at[:, row, column].T)
    laid[row, column] = nearest > np.abs(across[column]) - 0.75
    return laid


def _laid(mask, line, half):
    """The mask laid straight along the axis: offsets, normals, (2, …) y, x read, mask.

    Rows are along the normals of the axis, columns at the offsets from it.
    """
    across, normals = np.arange(-np.ceil(half), np.ceil(half) + 1), _normals(line)
    at = line[:, :, None] + normals[:, :, None] * across
    laid = ndimage.map_coordinates(mask, at, np.float32, order=1) > 0.5
    return across, normals, at, _own(line, at, across, laid)


def _centred(mask, line, half):
    """The axis moved to the middle of the mask, smooth, from end to end."""
    line = _extended(line, int(np.ceil(half)) + 2)
    across, normals, _, laid = _laid(mask, line, half)
    count = laid.sum(1)
    filled = np.flatnonzero(count > 0.2 * normalise.median(count[count > 0]))
    if len(filled) < 3:
        raise ImagingError("too round to have an axis", "leave the picture out")
    start, stop = filled[0], filled[-1] + 1
    width = float(count[start:stop].mean())
    middle = (laid @ across) / np.maximum(count, 1)
    weight = np.zeros(len(count))
    tip = int(min(ROUND * width, 0.25 * (stop - start)))
    weight[start + tip : stop - tip] = count[start + tip : stop - tip] > 0
    moved = line + middle * normals
    order = 3 if stop - start > SHORT * width else 2
    line = _smooth(moved, weight, STIFF * width, order=order)
    return _stepped(_ended(mask, line, half))


def _extended(line, n):
    """The axis with n unit steps more at both ends, along the tangent."""
    back = min(line.shape[1] - 1, 5)
    head, tail = line[:, 0] - line[:, back], line[:, -1] - line[:, -1 - back]
    head, tail = head / max(np.hypot(*head), 1e-9), tail / max(np.hypot(*tail), 1e-9)
    steps = np.arange(1, n + 1)
    before = line[:, :1] + steps[::-1] * head[:, None]
    return np.concatenate([before, line, line[:, -1:] + steps * tail[:, None]], 1)


def _ended(mask, line, half):
    """The line cut where the chromosome ends."""
    count = _laid(mask, line, half)[-1].sum(1)
    filled = np.flatnonzero(count > TIP * normalise.median(count[count > 0]))
    return line[:, filled[0] : filled[-1] + 1]


def _sampled(stain, mask, line, half):
    """Ink and mask along the normals, cut to the columns that hold any."""
    across, _, at, shape = _laid(mask, line, half)
    wide = np.flatnonzero(shape.any(0))
    reach = int(max(-across[wide[0]], across[wide[-1]], 1)) + 1
    middle = len(across) // 2
    cut = slice(max(middle - reach, 0), middle + reach + 1)
    ink = ndimage.map_coordinates(stain, at[..., cut], np.float32, order=1)
    return ink * shape[:, cut], shape[:, cut]


def straighten_all(pixels, *, orient=True):
    """Every picture straightened, in order; a Failure where there is no result.

    Without threads: on pictures this small they gain hardly any time, and may take
    twice as much of the processor.
    """

    def work(i):
        try:
            return straighten(pixels[i], orient=orient)
        except ImagingError as error:
            return error.failure

    return [work(i) for i in range(len(pixels))]
