"""What can be measured on a metaphase field with boxes, real or drawn.

`sample(images)` -> numbers of each field, sizes of each box, and an ImageSet of the
chromosomes that touch nothing, to be measured like single ones
"""

import concurrent.futures
import dataclasses
import itertools
import os

import numpy as np
import pandas as pd
from scipy import ndimage
from skimage import measure

from chromolib import records
from chromolib.data import pixels
from chromolib.imaging import normalise, segment
from chromolib.synth import measured

SAME = 0.6  # overlap of a box with an instance, above which they are the same
AROUND = 6  # pixels of ground left around an isolated chromosome,
NEAR = 4  # and as many of its own surroundings
OVERLAPS = (0.05, 0.2)


@dataclasses.dataclass(frozen=True, eq=False)
class Field:
    """One field, segmented."""

    stain: np.ndarray  # (height, width) shares of the full range above the ground
    ground: np.ndarray  # (height, width) grey of the light without chromosomes
    instances: segment.Instances
    boxes: records.Boxes


def sample(images):
    """A frame with a row a field, one with a row a box, and the isolated chromosomes.

    Fields in which nothing is found give no row.
    """
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        results = list(pool.map(lambda i: _measured(images, i), range(len(images))))
    rows, boxes, crops = zip(*filter(None, results), strict=True)
    crops = list(itertools.chain(*crops))
    boxes = pd.concat(boxes, ignore_index=True)
    return pd.DataFrame(list(rows)), boxes, _as_set(images, crops)


def _measured(images, i):
    """The numbers of one field, of its boxes, and what stands alone in it."""
    field = _segmented(images.pixels[i], images.boxes[i])
    if field is None:
        return None
    whose = {"group": images.group[i], "cell": images.cell[i]}
    sizes = _sizes(field.boxes)
    row = whose | _layout(field, sizes) | _light(field) | _rest(field)
    row["touching"] = _touching(field)
    iou = _iou(field.boxes.xyxy, field.boxes.xyxy)
    np.fill_diagonal(iou, 0)
    for least in OVERLAPS:
        row[f"overlap_{least}"] = float((iou.max(1) > least).mean())
    boxes = pd.DataFrame({"label": field.boxes.label, **whose, **sizes})
    return row, boxes, [(i, label, crop) for label, crop in _alone(field)]


def _segmented(image, boxes):
    """A field with its ground and what segmentation finds, or None for nothing."""
    instances = segment.segment(image)
    if not len(instances.chromosomes) or not len(boxes):
        return None
    ground = segment.background(segment.denoise(image))
    bright = np.median(image[instances.labels > 0]) > np.median(ground)
    stain = image - ground if bright else ground - image
    return Field(stain / np.float32(255), ground, instances, boxes)


def _sizes(boxes):
    width, height = (boxes.xyxy[:, 2:] - boxes.xyxy[:, :2]).T
    diagonal = np.hypot(width, height)
    return {
        "diagonal": diagonal,
        "long_side": np.maximum(width, height),
        "short_side": np.minimum(width, height),
        "relative_diagonal": diagonal / diagonal.mean(),
    }


def _layout(field, sizes):
    """How many chromosomes, how large, and how they lie in the picture."""
    height, width = field.stain.shape
    xyxy, unit = field.boxes.xyxy, sizes["diagonal"].mean()
    centre = (xyxy[:, :2] + xyxy[:, 2:]) / 2
    away = centre - centre.mean(0)
    spread = np.linalg.eigvalsh(away.T @ away / len(away))
    near = np.hypot(*(centre[:, None] - centre).transpose(2, 0, 1))
    np.fill_diagonal(near, np.inf)
    room = np.array([*xyxy[:, :2].min(0), *([width, height] - xyxy[:, 2:].max(0))])
    first = sizes["diagonal"][field.boxes.label == "1"]
    return {
        "picture_height": height,
        "picture_width": width,
        "boxes": len(xyxy),
        "diagonal": unit,
        "diagonal_of_1": first.mean() if len(first) else np.nan,
        "stain_width": field.instances.width,
        "radius": np.sqrt(spread.sum()) / unit,
        "roundness": np.sqrt(max(spread[0], 0) / max(spread[1], 1e-9)),
        "nearest": np.median(near.min(1)) / unit,
        "frame": room.mean() / unit,
        "frame_least": room.min() / unit,
    }


def _light(field):
    """Grey levels: of the ground, its unevenness and noise, and of the stain."""
    ground, stain = field.ground, field.stain
    chromosome = field.instances.chromosomes.labels > 0
    inside = ndimage.binary_erosion(chromosome, iterations=2)
    empty = ~ndimage.binary_dilation(field.instances.labels > 0, iterations=5)
    corners = ground[[0, 0, -1, -1], [0, -1, 0, -1]]
    ink = stain[chromosome]
    return {
        "ground": float(np.median(ground)) / 255,
        "ground_gradient": float(np.ptp(corners)) / 255,
        "ground_spread": float(stain[empty].std()) if empty.any() else np.nan,
        "noise_outside": measured.noise(stain, empty),
        "noise": measured.noise(stain, inside),
        "ink": float(ink.mean()),
        "ink_sd": float(ink.std()),
        "dark": float(np.quantile(ink, 0.9)),
        "light": float(np.quantile(ink, 0.1)),
    }


def _rest(field):
    """What there is besides chromosomes, and how much of the picture is stained."""
    kind = field.instances.kind
    area = np.bincount(field.instances.labels.ravel())[1:] / field.stain.size
    nucleus, debris = kind == "nucleus", kind == "debris"
    return {
        "nuclei": int(nucleus.sum()),
        "nuclei_area": float(area[nucleus].sum()),
        "debris": int(debris.sum()),
        "debris_area": float(area[debris].sum()),
        "foreground": float(area[~nucleus & ~debris].sum()),
    }


def _iou(xyxy, others):
    """Intersection over union of boxes and others, (n, m)."""
    low = np.maximum(xyxy[:, None, :2], others[:, :2])
    high = np.minimum(xyxy[:, None, 2:], others[:, 2:])
    both = np.maximum(high - low, 0).prod(2)
    area, other = ((b[:, 2:] - b[:, :2]).prod(1) for b in (xyxy, others))
    return both / np.maximum(area[:, None] + other - both, 1e-9)


def _touching(field):
    """Share of boxes whose stain is joined to that of another box."""
    stained = ~np.isin(field.instances.kind, ("nucleus", "debris"))
    mask = np.concatenate([[False], stained])[field.instances.labels]
    label, _ = ndimage.label(mask, normalise.BLOCK)
    owner = []
    for x0, y0, x1, y1 in np.round(field.boxes.xyxy).astype(int):
        count = np.bincount(label[max(y0, 0) : y1, max(x0, 0) : x1].ravel())
        owner.append(int(count[1:].argmax()) + 1 if count[1:].any() else 0)
    shared = np.bincount(owner) > 1
    shared[0] = False
    return float(shared[owner].mean())


def _alone(field):
    """Label and crop of each chromosome that touches nothing and fits one box."""
    labels, kind = field.instances.labels, field.instances.kind
    clumps, _ = ndimage.label(labels > 0, normalise.BLOCK)
    clump_size = np.bincount(clumps.ravel())
    grey = np.clip(np.round(255 * (1 - field.stain)), 0, 255).astype(np.uint8)
    iou = _iou(field.instances.boxes.xyxy, field.boxes.xyxy)
    for region in measure.regionprops(labels):
        k = region.label - 1
        if iou[k].max() <= SAME or kind[k] != "chromosome":
            continue
        if clump_size[clumps[tuple(region.coords[0])]] > region.num_pixels:
            continue
        wide = _wider(region.slice, labels.shape)
        near = ndimage.binary_dilation(labels[wide] == region.label, iterations=NEAR)
        crop = np.where(near, grey[wide], np.uint8(255))
        yield field.boxes.label[iou[k].argmax()], crop


def _wider(place, shape):
    return tuple(
        slice(max(p.start - AROUND, 0), min(p.stop + AROUND, n))
        for p, n in zip(place, shape, strict=True)
    )


def _as_set(images, crops):
    """Isolated chromosomes as a set of single ones."""
    which, label, pictures = zip(*crops, strict=True) if crops else ([], [], [])
    which = np.array(which, int)
    return dataclasses.replace(
        images,
        name=np.array([f"{images.name[i]} {k}" for k, i in enumerate(which)]),
        label=np.array(label, dtype=str),
        group=images.group[which],
        cell=images.cell[which],
        pixels=pixels.pack(pictures),
        boxes=None,
        extra={},
    )
