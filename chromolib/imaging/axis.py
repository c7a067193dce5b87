"""The medial axis of one chromosome, and the chromosome laid straight along it.

`straighten(image, *, orient=True)` -> Straight, or raises ImagingError
`straighten_all(pixels, *, orient=True, workers=None)` -> [Straight or Failure, ...]

Strategy: a first axis comes from the principal axis of the mask, or, where the mask is
bent, from the longest path in its skeleton. Then twice: lay the mask straight along the
axis, move the axis to the middle of each row, smooth it with a penalty on the change of
curvature (the rounded ends weigh nothing, so the axis runs out as it was bent), and cut
it where the chromosome ends. At last the ink is read along the normals in unit steps.
"""

import concurrent.futures
import dataclasses
import functools
import os

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
    confidence: float  # that the upper end is the short arm; .5 is no idea
    flipped: bool  # whether the short arm was at the lower end of the original


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
    mask = np.pad(mask[rows, columns], 1)
    stain = np.pad(stain[rows, columns], 1) * mask
    axis, half = axis_of(mask)
    ink, shape = _sampled(stain, mask, axis, half)
    _refuse_crossed(shape)
    upright = direction.chance_upright(ink, shape)
    flipped = bool(orient and upright < 0.5)
    if flipped:
        ink, shape, axis = ink[::-1, ::-1], shape[::-1, ::-1], axis[::-1]
    length, span = _length(axis), float(np.hypot(*(axis[-1] - axis[0])))
    return Straight(
        ink=np.ascontiguousarray(ink),
        mask=np.ascontiguousarray(shape),
        axis=axis + corner,
        length=length + 1,  # from edge to edge, not from middle to middle of pixels
        bend=max(1.0, length / max(span, 1e-9)),
        confidence=1 - upright if flipped else upright,
        flipped=flipped,
    )


def _refuse_crossed(shape):
    """A cross or a T: nearly as wide as long and half empty."""
    wide = shape.any(0).sum()
    if wide > 0.8 * len(shape) and shape.sum() < 0.5 * wide * len(shape):
        remedy = "cut crossing or touching chromosomes apart first"
        raise ImagingError("no one long axis", remedy)


def axis_of(mask):
    """The axis of a mask, (n, 2) x, y at unit steps from the upper end, and half width.

    The half width is that of the widest place, for reading along the normals.
    """
    step = -(-max(mask.shape) // LARGEST)
    first = step // 2
    small = np.pad(mask[first::step, first::step], 1) if step > 1 else mask
    line, half, bent = _principal(small)
    axis = None
    if bent:
        axis, wide = _bent(small, LONGER * len(line))
    if axis is None:
        axis, wide = _settled(small, line, half), half
    axis = axis[::-1] if axis[-1, 1] < axis[0, 1] else axis
    if step > 1:
        axis = _stepped((axis - 1) * step + first)
    return axis, wide * step


def _bent(mask, longer):
    """The axis along the skeleton, or None where that is no better than a line."""
    whole = ndimage.binary_closing(mask, normalise.BLOCK)  # no slit between chromatids
    line, half = _skeletal(ndimage.binary_fill_holes(whole))
    if line is None or _length(line) + 2 * half < longer:
        return None, 0.0
    wide = 1.6 * half + 1.5
    axis = _settled(mask, line, wide)
    share = _laid(mask, axis, wide)[2].sum() / mask.sum()
    return (axis, wide) if abs(share - 1) < MISSED else (None, 0.0)


def _settled(mask, line, half):
    """A first line moved to the middle of the mask and run out to both ends."""
    for _ in range(TURNS):
        line = _centred(mask, line, half)
    return line


def _principal(mask):
    """The principal axis, the half width around it, and whether the mask is bent."""
    y, x = np.nonzero(mask)
    centre = np.array([x.mean(), y.mean()])
    turn = np.linalg.eigh(np.cov(x, y))[1]
    long, wide = turn[:, 1], turn[:, 0]
    u = (x - centre[0]) * long[0] + (y - centre[1]) * long[1]
    v = (x - centre[0]) * wide[0] + (y - centre[1]) * wide[1]
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
    at = low + np.arange(n) + 0.5
    return centre + at[:, None] * long, half, bent


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
    half = float(np.median(depth[y[path], x[path]]))
    cut = min(int(half), (len(path) - 3) // 2)
    if cut > 0:
        path = path[cut:-cut]
    if len(path) < 3:
        return None, half
    line = np.stack([x[path], y[path]], 1).astype(float)
    return _stepped(_smooth(line, np.ones(len(line)), half)), half


def _stepped(line):
    """The line at unit steps."""
    at = np.concatenate([[0], np.cumsum(np.hypot(*np.diff(line, axis=0).T))])
    steps = np.linspace(0, at[-1], max(2, round(at[-1]) + 1))
    return np.stack([np.interp(steps, at, line[:, k]) for k in (0, 1)], 1)


def _length(line):
    return float(np.hypot(*np.diff(line, axis=0).T).sum())


def _smooth(line, weight, sigma, *, order=3):
    """Points with the least weighted misfit plus roughness (Whittaker, 1923).

    Roughness of order 2 is curvature, of order 3 its change: lines, or also even bends,
    pass nearly unchanged, and where the weight is 0 the line runs on as it was.
    """
    if len(line) < 6:
        return line
    bands = max(sigma, 1.0) ** (2 * order) * _penalty(len(line), order)
    bands[-1] += weight + 1e-9
    return linalg.solveh_banded(bands, line * (weight + 1e-9)[:, None])


@functools.lru_cache(1024)
def _penalty(n, order):
    """The squared differences of n values as upper bands, (order + 1, n)."""
    rough = np.diff(np.eye(n), order, axis=0)
    square = rough.T @ rough
    return np.stack([np.pad(np.diag(square, k), (k, 0)) for k in range(order, -1, -1)])


def _normals(axis):
    along = np.gradient(axis, axis=0)
    along /= np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    return np.stack([-along[:, 1], along[:, 0]], 1)


def _own(axis, at, across):
    """Where a point read belongs to its own row, and not to another part of a bend."""
    if _length(axis) < 1.1 * np.hypot(*(axis[-1] - axis[0])):
        return True
    nearest, _ = spatial.cKDTree(axis).query(at[::-1].reshape(2, -1).T)
    return nearest.reshape(at.shape[1:]) > np.abs(across) - 0.75


def _laid(mask, axis, half):
    """The mask laid straight along the axis: offsets, (2, …) y, x read, and the mask.

    Rows are along the normals of the axis, columns at the offsets from it.
    """
    across = np.arange(-np.ceil(half), np.ceil(half) + 1)
    at = axis[:, None] + across[None, :, None] * _normals(axis)[:, None]
    at = np.stack([at[..., 1], at[..., 0]])
    read = ndimage.map_coordinates(mask.astype(np.float32), at, order=1)
    return across, at, (read > 0.5) & _own(axis, at, across)


def _centred(mask, axis, half):
    """The axis moved to the middle of the mask, smooth, from end to end."""
    axis = _extended(axis, int(np.ceil(half)) + 2)
    across, _, laid = _laid(mask, axis, half)
    count = laid.sum(1)
    filled = np.flatnonzero(count > 0.2 * np.median(count[count > 0]))
    if len(filled) < 3:
        raise ImagingError("too round to have an axis", "leave the picture out")
    start, stop = filled[0], filled[-1] + 1
    width = float(count[start:stop].mean())
    middle = (laid @ across) / np.maximum(count, 1)
    weight = np.zeros(len(axis))
    tip = int(min(ROUND * width, 0.25 * (stop - start)))
    weight[start + tip : stop - tip] = count[start + tip : stop - tip] > 0
    moved = axis + middle[:, None] * _normals(axis)
    order = 3 if stop - start > SHORT * width else 2
    line = _smooth(moved, weight, STIFF * width, order=order)
    return _stepped(_ended(mask, line, half))


def _extended(axis, n):
    """The axis with n unit steps more at both ends, along the tangent."""
    back = min(len(axis) - 1, 5)
    head, tail = axis[0] - axis[back], axis[-1] - axis[-1 - back]
    head, tail = head / max(np.hypot(*head), 1e-9), tail / max(np.hypot(*tail), 1e-9)
    steps = np.arange(1, n + 1)[:, None]
    return np.concatenate([axis[0] + steps[::-1] * head, axis, axis[-1] + steps * tail])


def _ended(mask, line, half):
    """The line cut where the chromosome ends."""
    count = _laid(mask, line, half)[2].sum(1)
    filled = np.flatnonzero(count > TIP * np.median(count[count > 0]))
    return line[filled[0] : filled[-1] + 1]


def _sampled(stain, mask, axis, half):
    """Ink and mask along the normals, cut to the columns that hold any."""
    across, at, shape = _laid(mask, axis, half)
    ink = ndimage.map_coordinates(stain, at, order=1) * shape
    wide = np.flatnonzero(shape.any(0))
    reach = int(max(-across[wide[0]], across[wide[-1]], 1)) + 1
    middle = len(across) // 2
    cut = slice(max(middle - reach, 0), middle + reach + 1)
    return ink[:, cut].astype(np.float32), shape[:, cut]


def straighten_all(pixels, *, orient=True, workers=None):
    """Every picture straightened, in order; a Failure where there is no result."""

    def work(i):
        try:
            return straighten(pixels[i], orient=orient)
        except ImagingError as error:
            return error.failure

    with concurrent.futures.ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        return list(pool.map(work, range(len(pixels))))
