"""Can real chromosomes be told from synthetic ones, and by what?

`run(real, synthetic)` -> [Estimate]: a small network, a forest on plain traits, each
trait alone
`traits(images)` -> (n, 13) plain numbers, `TRAITS` their names

Real and synthetic are matched class by class, and both are cut between groups: no real
case and no synthetic patient is both trained and evaluated on.
"""

import dataclasses

import numpy as np
from scipy import ndimage
from sklearn import ensemble, tree
from sklearn import metrics as sklearn_metrics

from chromolib import records, streams
from chromolib.data import pixels
from chromolib.evidence import metrics
from chromolib.imaging import normalise
from chromolib.models import inputs, small
from chromolib.studies.synthetic import data, network

KINDS = ("real", "synthetic")
SEED = 0
STEPS, BATCH = 500, 64  # the network's whole budget
PER_CLASS = 125, 60  # chromosomes of each kind to train and to evaluate on, at most
TREES, DRAWS = 200, 300
LEAVES = 8  # of a tree on one trait: enough for what lies between two levels
TRAITS = (
    *("length", "width", "area", "slenderness"),
    *("stain", "stain spread", "darkest", "edge sharpness"),
    *("fine detail", "grain", "spread across"),
    *("ground level", "ground noise"),
)


def run(real, synthetic, *, final=False, workers=1):
    """The accuracy of telling real from synthetic, and the AUC of each plain trait.

    An AUC above 0.5 says that a trait is larger in synthetic chromosomes; one of 0.5
    with a trait that tells them apart alone, that it varies too little or too much.
    With `final` the real part that nothing was chosen by is evaluated.
    """
    train, test = split(real, synthetic, final=final)
    features = traits(train), traits(test)
    forest = ensemble.RandomForestClassifier(
        TREES, min_samples_leaf=3, random_state=SEED
    )
    predicted = {
        "small_resnet": _network(train, test, workers),
        "forest of traits": forest.fit(features[0], train.label).predict(features[1]),
    }
    part = "test" if final else "valid"
    estimates = [_accuracy(test, *each, part) for each in predicted.items()]
    for k, name in enumerate(TRAITS):
        column, values = features[0][:, k], features[1][:, k]
        alone = tree.DecisionTreeClassifier(
            max_leaf_nodes=LEAVES, min_samples_leaf=20, random_state=0
        )
        alone.fit(column[:, None], train.label)
        accuracy = _accuracy(test, name, alone.predict(values[:, None]), part)
        value, low, high = auc(values, test.label == "synthetic", test.group)
        area = dataclasses.replace(
            accuracy, quantity="AUC", value=value, low=low, high=high
        )
        estimates += [accuracy, area]
    return estimates


def split(real, synthetic, *, final=False):
    """Images labelled with their kind, to train and to evaluate on, matched by class.

    The two sets share no group.
    """
    rng = streams.stream(SEED, "matched")
    real_parts = data.split(real, final=final)
    parts = zip(real_parts, data.train_test(synthetic), PER_CLASS, strict=True)
    return [_matched(*both, most, rng) for *both, most in parts]


def _matched(real, synthetic, most, rng):
    """As many real as synthetic chromosomes of each class, at most so many, as one."""
    chosen = [], []
    for name in records.CLASSES:
        both = [np.flatnonzero(images.label == name) for images in (real, synthetic)]
        count = min(most, *map(len, both))
        for indices, of_class in zip(chosen, both, strict=True):
            indices.append(rng.permutation(of_class)[:count])
    count = sum(map(len, chosen[0]))
    if not count:
        raise data.ExamError(
            f"{real.source} and {synthetic.source} share no class; "
            "draw labelled chromosomes"
        )
    real = real.take(np.concatenate(chosen[0]))
    synthetic = synthetic.take(np.concatenate(chosen[1]))
    return records.ImageSet(
        source=real.source,
        name=np.arange(2 * count).astype(str),
        label=np.repeat(KINDS, count),
        group=np.concatenate([real.group, synthetic.group]),
        unit=real.unit,
        pixels=pixels.pack([*real.pixels, *synthetic.pixels]),
        provenance="partly synthetic",
    )


def _network(train, test, workers):
    """The kind that the small residual network predicts for each evaluated one."""
    model = small.resnet((*inputs.ASIS, 1), len(KINDS), seed=SEED)
    small.ready(model, steps=STEPS)
    images, kind = inputs.asis(train, workers=workers), train.label == "synthetic"
    network.train(model, images, kind.astype(int), steps=STEPS, seed=SEED, batch=BATCH)
    images = inputs.asis(test, workers=workers)
    return np.array(KINDS)[network.predict(model, images, upright=True)]


def _accuracy(test, model, predicted, part):
    """The share of chromosomes whose kind is predicted correctly, as an Estimate."""
    predictions = records.Predictions(
        image=test.name,
        group=test.group,
        truth=test.label,
        label=predicted,
        classes=KINDS,
        source=test.source,
        study=data.STUDY,
        model=model,
        protocol="clean",
        seed=SEED,
        conditions={"against": "synthetic", "part": part},
    )
    rng = streams.stream(0, "told apart")
    accuracy = metrics.measure(predictions, "accuracy", rng=rng)["accuracy"]
    return dataclasses.replace(accuracy, quantity="told apart")


def auc(values, positive, group):
    """The chance that a synthetic chromosome has more of a trait: (value, low, high).

    The interval lies between percentiles over resampled groups. What has no value is
    left out; where a kind has none at all, nothing is known.
    """
    known = np.isfinite(values)
    values, positive = values[known], positive[known]
    if len(np.unique(positive)) < 2:
        return 0.5, 0.0, 1.0
    _, group = np.unique(group[known], return_inverse=True)
    count = group.max() + 1
    rng = streams.stream(0, "AUC")
    drawn = rng.multinomial(count, np.full(count, 1 / count), DRAWS)[:, group]
    resampled = [
        sklearn_metrics.roc_auc_score(positive, values, sample_weight=weight)
        for weight in drawn
        if len(np.unique(positive[weight > 0])) == 2
    ]
    low, high = np.quantile(resampled, [0.025, 0.975])
    value = sklearn_metrics.roc_auc_score(positive, values)
    return float(value), float(min(low, value)), float(max(high, value))


def traits(images):
    """Plain numbers of each picture; all of them NaN where it has no outline."""
    return np.array([_traits(images.pixels[i]) for i in range(len(images))])


def _traits(picture):
    try:
        stain = normalise.ink(picture)
        mask = normalise.foreground(stain)
    except normalise.ImagingError:
        return np.full(len(TRAITS), np.nan)
    grey = np.asarray(picture, np.float32)
    outside = ~ndimage.binary_dilation(mask, iterations=2)
    ground = float(np.median(grey[outside])) if outside.any() else np.nan
    noise = float(grey[outside].std()) if outside.any() else np.nan
    return np.array([*_shape(mask), *_staining(stain, mask), ground, noise])


def _shape(mask):
    """Length, width, area and slenderness, of the ellipse with the mask's moments.

    Not scikit-image's `regionprops`: it divides by n where the published numbers were
    measured with n - 1, and gives a line one pixel wide no width to divide by.
    """
    moments = np.linalg.eigvalsh(np.cov(*np.nonzero(mask)))
    width, length = 4 * np.sqrt(np.maximum(moments, 0.1))
    return length, width, mask.sum(), length / width


def _staining(stain, mask):
    """What the stain within the mask is like, and how it ends at the edge."""
    inner = ndimage.binary_erosion(mask)
    inner = inner if inner.any() else mask
    within = stain[mask]
    slope = np.hypot(*np.gradient(stain))
    smooth = ndimage.gaussian_filter(stain, 1)
    fine, coarse = stain - smooth, smooth - ndimage.gaussian_filter(stain, 2)
    spread = max(float(stain[inner].std()), 1e-6)
    edge = mask & ~inner
    return (
        within.mean(),
        within.std(),
        np.quantile(within, 0.95),
        slope[edge].mean() / max(within.mean(), 1e-6) if edge.any() else np.nan,
        fine[inner].std() / spread,
        fine[inner].std() / max(float(coarse[inner].std()), 1e-6),
        _across(stain, mask) / spread,
    )


def _across(stain, mask):
    """Spread of the stain across the chromosome, in slices one pixel along it."""
    y, x = np.nonzero(mask)
    axis = np.linalg.eigh(np.cov(y, x))[1][:, 1]
    along = (y - y.mean()) * axis[0] + (x - x.mean()) * axis[1]
    slices = np.round(along - along.min()).astype(np.intp)
    value = stain[y, x]
    mean = np.bincount(slices, value) / np.maximum(np.bincount(slices), 1)
    return float(np.sqrt(np.mean((value - mean[slices]) ** 2)))
