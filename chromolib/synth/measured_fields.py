"""What can be measured on a metaphase field with boxes, real or drawn.

`sample(images)` -> numbers of each field, sizes of each box, and an ImageSet of the
chromosomes that touch nothing, to be measured like single ones
"""

import concurrent.futures
import dataclasses
import os

import numpy as np
import pandas as pd
from scipy import ndimage

from chromolib import records
from chromolib.data import pixels
from chromolib.imaging import normalise, segment
from chromolib.synth import measured

SAME = 0.6  # overlap of a box with what is found, above which they are one
AROUND = 6  # pixels of ground left around an isolated chromosome,
NEAR = 4  # and as many of its own surroundings
CORNERS = np.array([[0, 0], [0, -1], [-1, 0], [-1, -1]]).T
OVERLAPS = (0.05, 0.2)


@dataclasses.dataclass(frozen=True, eq=False)
class Field:
    """One field, taken apart."""

    stain: np.ndarray  # (height, width) shares of the full range above the ground
    ground: np.ndarray  # (height, width) grey of the light without chromosomes
    found: segment.Instances
    boxes: records.Boxes


def sample(images):
    """A frame with a row a field, one with a row a box, and the isolated chromosomes.

    Fields in which nothing is found give no row.
    """
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        done = list(pool.map(lambda i: _one(images, i), range(len(images))))
    done = [one for one in done if one is not None]
    fields = pd.DataFrame([one[0] for one in done])
    boxes = pd.concat([one[1] for one in done], ignore_index=True)
    crops = [crop for one in done for crop in one[2]]
    return fields, boxes, _as_set(images, crops)


def _one(images, i):
    """The numbers of one field, of its boxes, and what stands alone in it."""
    field = _apart(images.pixels[i], images.boxes[i])
    if field is None:
        return None
    whose = {"group": images.group[i], "cell": images.cell[i]}
    sizes = _sizes(field.boxes)
    row = whose | _layout(field, sizes) | _light(field) | _rest(field)
    row["touching"] = _touching(field)
    for least in OVERLAPS:
        row[f"overlap_{least}"] = _overlapping(field.boxes.xyxy, least)
    box = pd.DataFrame({"label": field.boxes.label, **whose, **sizes})
    alone = [(i, label, crop) for label, crop in _alone(field)]
    return row, box, alone


def _apart(image, boxes):
    """A field with its ground and what segmentation finds, or None for nothing."""
    found = segment.segment(image)
    if not len(found.chromosomes) or not len(boxes):
        return None
    ground = segment.background(segment.denoise(image))
    if np.median(image[found.labels > 0]) > np.median(ground):
        stain = image - ground
    else:
        stain = ground - image
    return Field(stain / np.float32(255), ground, found, boxes)


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
    return {
        "picture_height": height,
        "picture_width": width,
        "boxes": len(xyxy),
        "diagonal": unit,
        "diagonal_of_1": sizes["diagonal"][field.boxes.label == "1"].mean()
        if (field.boxes.label == "1").any()
        else np.nan,
        "stain_width": field.found.width,
        "radius": np.sqrt(spread.sum()) / unit,
        "roundness": np.sqrt(max(spread[0], 0) / max(spread[1], 1e-9)),
        "nearest": np.median(near.min(1)) / unit,
        "frame": room.mean() / unit,
        "frame_least": room.min() / unit,
    }


def _light(field):
    """Grey levels: of the ground, its unevenness and noise, and of the stain."""
    ground, stain = field.ground, field.stain
    chromosome = field.found.chromosomes.labels > 0
    empty = ~ndimage.binary_dilation(field.found.labels > 0, iterations=5)
    corner = ground[tuple(CORNERS)]
    ink = stain[chromosome]
    return {
        "ground": float(np.median(ground)) / 255,
        "ground_gradient": float(np.ptp(corner)) / 255,
        "ground_spread": float(stain[empty].std()) if empty.any() else np.nan,
        "noise_outside": measured.noise(stain, empty),
        "noise": measured.noise(
            stain, ndimage.binary_erosion(chromosome, iterations=2)
        ),
        "ink": float(ink.mean()),
        "ink_sd": float(ink.std()),
        "dark": float(np.quantile(ink, 0.9)),
        "light": float(np.quantile(ink, 0.1)),
    }


def _rest(field):
    """What there is besides chromosomes, and how much of the picture is stained."""
    found, area = field.found, np.bincount(field.found.labels.ravel())
    area = area[1:] / field.stain.size
    nucleus, debris = found.kind == "nucleus", found.kind == "debris"
    return {
        "nuclei": int(nucleus.sum()),
        "nuclei_area": float(area[nucleus].sum()),
        "debris": int(debris.sum()),
        "debris_area": float(area[debris].sum()),
        "foreground": float(area[~nucleus & ~debris].sum()),
    }


def _overlapping(xyxy, least):
    """Share of boxes that overlap another one by more than that (IoU)."""
    low = np.maximum(xyxy[:, None, :2], xyxy[:, :2])
    high = np.minimum(xyxy[:, None, 2:], xyxy[:, 2:])
    both = np.maximum(high - low, 0).prod(2)
    area = (xyxy[:, 2:] - xyxy[:, :2]).prod(1)
    iou = both / np.maximum(area[:, None] + area - both, 1e-9)
    np.fill_diagonal(iou, 0)
    return float((iou.max(1) > least).mean())


def _touching(field):
    """Share of boxes whose stain is joined to that of another box."""
    stained = ~np.isin(field.found.kind, ("nucleus", "debris"))
    mask = np.concatenate([[False], stained])[field.found.labels]
    label, _ = ndimage.label(mask, normalise.BLOCK)
    owner = []
    for x0, y0, x1, y1 in np.round(field.boxes.xyxy).astype(int):
        count = np.bincount(label[max(y0, 0) : y1, max(x0, 0) : x1].ravel())
        owner.append(int(count[1:].argmax()) + 1 if count[1:].any() else 0)
    owner = np.array(owner)
    shared = np.bincount(owner) > 1
    shared[0] = False
    return float(shared[owner].mean())


def _alone(field):
    """Label and crop of each chromosome that touches nothing and fits one box."""
    found = field.found
    label, _ = ndimage.label(found.labels > 0, normalise.BLOCK)
    size, whole = np.bincount(found.labels.ravel()), np.bincount(label.ravel())
    clean = np.clip(np.round(255 * (1 - field.stain)), 0, 255).astype(np.uint8)
    for k, place in enumerate(ndimage.find_objects(found.labels)):
        which = _box_of(found.boxes.xyxy[k], field.boxes.xyxy)
        if which is None or place is None or found.kind[k] != "chromosome":
            continue
        own = found.labels[place] == k + 1
        if whole[label[place][own][0]] > size[k + 1]:
            continue
        wide = _wider(place, label.shape)
        near = ndimage.binary_dilation(found.labels[wide] == k + 1, iterations=NEAR)
        yield field.boxes.label[which], np.where(near, clean[wide], np.uint8(255))


def _box_of(own, xyxy):
    """The one box around that of something found, or None."""
    low, high = np.maximum(own[:2], xyxy[:, :2]), np.minimum(own[2:], xyxy[:, 2:])
    both = np.maximum(high - low, 0).prod(1)
    area = (xyxy[:, 2:] - xyxy[:, :2]).prod(1)
    iou = both / (area + (own[2:] - own[:2]).prod() - both)
    return int(iou.argmax()) if iou.max() > SAME else None


def _wider(place, shape):
    return tuple(
        slice(max(p.start - AROUND, 0), min(p.stop + AROUND, n))
        for p, n in zip(place, shape, strict=True)
    )


def _as_set(images, crops):
    """Isolated chromosomes as a set of single ones."""
    which = np.array([i for i, _, _ in crops], int)
    return dataclasses.replace(
        images,
        name=np.array([f"{images.name[i]} {k}" for k, i in enumerate(which)]),
        label=np.array([label for _, label, _ in crops], dtype=str),
        group=images.group[which],
        cell=images.cell[which],
        pixels=pixels.pack([crop for _, _, crop in crops]),
        boxes=None,
        extra={},
    )
