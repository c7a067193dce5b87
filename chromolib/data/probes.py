"""What leak probes look at: greys, ink, canvases; never the bands of a chromosome."""

import dataclasses

import numpy as np
from sklearn import ensemble, model_selection, neighbors

FOLDS = 5
GREYS = np.arange(256)


class LeakageError(ValueError):
    """A probe that these images do not allow."""


@dataclasses.dataclass(frozen=True, eq=False)
class Greys:
    """The greys of n images, counted once; pixels are not needed again."""

    count: np.ndarray  # (n, 256) pixels of each grey
    border: np.ndarray  # (n,) median grey along the edges
    noise: np.ndarray  # (n,) mean step from one edge pixel to the next
    sharp: np.ndarray  # (n, 6) largest, usual and uneven steps, across and down
    shape: np.ndarray  # (n, 2)


def greys(pixels):
    """The greys of a sequence of images."""
    rows = map(_greys_of, pixels)
    return Greys(*map(np.array, zip(*rows, strict=True)))


def ink(seen):
    """Which greys are chromosome: beyond Otsu's threshold, away from the border grey.

    Otsu 1979, eq. 18: the threshold with the largest variance between the two sides.
    """
    share = seen.count / seen.count.sum(1, keepdims=True)
    below, mass = np.cumsum(share, 1), np.cumsum(share * GREYS, 1)
    spread = (mass[:, -1:] * below - mass) ** 2 / np.maximum(below * (1 - below), 1e-9)
    threshold = spread.argmax(1)[:, None]
    dark_ground = seen.border[:, None] <= threshold
    return np.where(dark_ground, threshold < GREYS, threshold >= GREYS)


def ink_features(seen):
    """Share and number of pixels that are chromosome, (n, 2)."""
    pixels = (seen.count * ink(seen)).sum(1)
    return np.column_stack([pixels / seen.count.sum(1), pixels])


def grey_features(seen):
    """Background, sharpness, mean, spread and quantiles of the ink; (n, 15)."""
    count = seen.count * ink(seen)
    cumulated = np.cumsum(count, 1) / np.maximum(count.sum(1, keepdims=True), 1)
    mean = _mean(count, GREYS)
    spread = np.sqrt(_mean(count, (GREYS - mean[:, None]) ** 2))
    levels = [(cumulated < q).sum(1) for q in (0.05, 0.25, 0.5, 0.75, 0.95)]
    return np.column_stack([seen.border, seen.noise, seen.sharp, mean, spread, *levels])


def origin_features(seen, extra):
    """Canvas, edges, number of greys and, where known, the file format; (n, 7)."""
    levels = (seen.count > 0).sum(1)
    ends = seen.count[:, [0, 255]] / seen.count.sum(1, keepdims=True)
    columns = [seen.shape, seen.border, seen.noise, levels, ends]
    if "format" in extra:
        columns.append(np.unique(extra["format"], return_inverse=True)[1])
    return np.column_stack(columns)


def views(pixels, prints):
    """What a model could know an image by: its thumbnail, its greys; two (n, k)."""
    canvas, box = prints[:, 0], prints[:, 1]
    blank = ~canvas.any((1, 2), keepdims=True)
    thumbs = np.where(blank, box, canvas).reshape(len(prints), -1)
    return thumbs, standardised(grey_features(greys(pixels)))


def most_related(views, group, train):
    """The view in which training images most often lie next to one of their group.

    Chosen on training alone, so that the choice cannot favour the test part.
    """
    return max(views, key=lambda view: _kinship(view[train], group[train]))


def standardised(features):
    """Each column with mean 0 and spread 1."""
    return (features - features.mean(0)) / np.maximum(features.std(0), 1e-9)


def nearest(features, train, test):
    """For each test row the nearest training row, as a place in `train`."""
    search = neighbors.NearestNeighbors(n_neighbors=1, algorithm="brute")
    search.fit(features[train])
    return search.kneighbors(features[test], return_distance=False)[:, 0]


def predicted(features, labels, groups, rng):
    """Each image's label as predicted by a forest that saw no image of its group."""
    folds = model_selection.StratifiedGroupKFold(
        FOLDS, shuffle=True, random_state=int(rng.integers(2**31))
    )
    predictions = np.empty_like(labels)
    for train, test in folds.split(features, labels, groups):
        forest = ensemble.ExtraTreesClassifier(
            100, min_samples_leaf=3, random_state=int(rng.integers(2**31))
        )
        forest.fit(features[train], labels[train])
        predictions[test] = forest.predict(features[test])
    return predictions


def checked_labels(images, labels):
    """The labels as an array, once folds by group are possible."""
    labels = np.asarray(labels)
    if len(labels) != len(images):
        raise LeakageError(f"{len(labels)} labels for {len(images)} images")
    kinds, counts = np.unique(labels, return_counts=True)
    if len(kinds) < 2:
        raise LeakageError("all images have one label; a probe needs at least two")
    groups = len(np.unique(images.group))
    if groups < FOLDS:
        raise LeakageError(f"{groups} groups cannot fill {FOLDS} folds; add groups")
    if counts.min() < FOLDS:
        rare = kinds[counts.argmin()]
        raise LeakageError(
            f"label {str(rare)!r} has {counts.min()} images, fewer than {FOLDS} folds; "
            "leave it out or join it with another"
        )
    return labels


def boxes(images):
    """The boxes of all images."""
    if images.boxes is None:
        raise LeakageError(f"{images.source} has no boxes; this probe needs them")
    return images.boxes


def _kinship(features, group):
    if len(group) < 2:
        return 0.0
    search = neighbors.NearestNeighbors(n_neighbors=1, algorithm="brute").fit(features)
    nearest_other = search.kneighbors(return_distance=False)[:, 0]
    return (group[nearest_other] == group).mean()


def _greys_of(image):
    edges = image[0], image[-1], image[:, 0], image[:, -1]
    steps = np.abs(np.concatenate([np.diff(edge.astype(np.int16)) for edge in edges]))
    return (
        np.bincount(image.ravel(), minlength=256),
        np.median(np.concatenate(edges)),
        steps.mean() if len(steps) else 0.0,
        _sharpness(image),
        image.shape,
    )


def _sharpness(image):
    span, values = max(int(np.ptp(image)), 1), []
    for axis in (0, 1):
        steps = np.abs(np.diff(image.astype(np.float32), axis=axis))
        if steps.shape[axis] < 2:  # one or two pixels have no texture
            return np.zeros(6)
        uneven = np.abs(np.diff(steps, axis=axis)).mean() / max(steps.mean(), 1e-3)
        values += [steps.max() / span, np.sqrt((steps**2).mean()) / span, uneven]
    return np.array(values)


def _mean(count, values):
    return (count * values).sum(1) / np.maximum(count.sum(1), 1)
