"""Can real chromosomes be told from synthetic ones, and by what?

`tell(real, synthetic)` -> Told: a small network, a forest on plain traits, each trait
`traits(images)` -> (n, 13) plain numbers, `TRAITS` their names

Real and synthetic are matched class by class, and both are cut between groups: nobody
judged, real case or synthetic patient, was learned from.
"""

import dataclasses
import zlib

import numpy as np
from scipy import ndimage
from sklearn import ensemble, tree

from chromolib import records, streams
from chromolib.data import splits
from chromolib.imaging import normalise
from chromolib.models import inputs, small, train
from chromolib.studies.synthetic import exam

STEPS, BATCH = 500, 64  # the network's whole budget
EACH = 125, 60  # chromosomes of a class to learn from and to judge, of either kind
TREES, DRAWS = 200, 300
LEAVES = 8  # of a tree on one trait: enough for what lies between two levels
TRAITS = (
    *("length", "width", "area", "slenderness"),
    *("stain", "stain spread", "darkest", "edge sharpness"),
    *("fine detail", "grain", "spread across"),
    *("ground level", "ground noise"),
)


@dataclasses.dataclass(frozen=True, eq=False)
class Told:
    """How well synthetic chromosomes are told from real ones; 0.5 is not at all."""

    estimates: tuple  # accuracy of network, forest and each trait alone; AUCs
    weight: dict  # trait -> its share of what the forest decides by
    right: dict  # class -> share of the network's right answers

    def __str__(self):
        """The accuracies, then the traits from the most telling, then the classes."""
        of = {(one.quantity, one.model): one for one in self.estimates}
        lines = [f"{one.model:>16}  {one}" for one in self.estimates[:2]]
        lines += [
            f"{name:>16}  {weight:.2f} of the forest, "
            f"alone {of['told apart', name]}, AUC {of['AUC', name]}"
            for name, weight in sorted(self.weight.items(), key=lambda one: -one[1])
        ]
        worst = sorted(self.right.items(), key=lambda one: -one[1])
        lines.append(", ".join(f"{name} {share:.2f}" for name, share in worst))
        return "\n".join(lines)


def tell(real, synthetic, *, final=False, seed=0, workers=1):
    """Accuracy of telling real from synthetic, and the AUC of each plain trait.

    An AUC above 0.5 says that a trait is larger in synthetic chromosomes; one of 0.5
    with a trait that tells them apart alone, that it varies too little or too much.
    With `final` the real part that nothing was chosen by is judged.
    """
    cut = splits.divide(
        synthetic, protocol="clean", test=exam.TEST, seed=exam.SPLIT_SEED
    )
    fake = synthetic.take(cut.train), synthetic.take(cut.test)
    rng = streams.stream(seed, "matched")
    pairs = zip(exam.divided(real, final=final), fake, EACH, strict=True)
    parts = [_matched(*pair, rng) for pair in pairs]
    truth = [np.repeat([0, 1], [len(one) for one in part]) for part in parts]
    group = np.concatenate([one.group for one in parts[1]])
    right = _network(parts, truth, seed, workers) == truth[1]
    numbers = [np.concatenate([traits(one) for one in part]) for part in parts]
    forest = ensemble.RandomForestClassifier(
        TREES, min_samples_leaf=3, random_state=seed
    ).fit(numbers[0], truth[0])
    guess = forest.predict(numbers[1]) == truth[1]
    words = {"source": real.source, "seed": seed}
    words["conditions"] = {
        "against": "synthetic",
        "part": "test" if final else "valid",
    }
    found = [
        exam.estimate("told apart", right, group, model="small_resnet", **words),
        exam.estimate("told apart", guess, group, model="forest of traits", **words),
    ]
    for k, name in enumerate(TRAITS):
        columns = [one[:, k : k + 1] for one in numbers]
        found += _trait(columns, truth, group, {"model": name, **words})
    weight = dict(zip(TRAITS, forest.feature_importances_.tolist(), strict=True))
    label = np.concatenate([one.label for one in parts[1]])
    share = {c: float(right[label == c].mean()) for c in records.CLASSES if c in label}
    return Told(tuple(found), weight, share)


def _matched(real, fake, most, rng):
    """As many real as synthetic chromosomes of each class, at most so many."""
    chosen = [], []
    for name in records.CLASSES:
        both = [np.flatnonzero(one.label == name) for one in (real, fake)]
        count = min(most, *map(len, both))
        for kept, there in zip(chosen, both, strict=True):
            kept.append(rng.permutation(there)[:count])
    if not sum(map(len, chosen[0])):
        raise exam.ExamError(
            f"{real.source} and {fake.source} share no class; draw labelled chromosomes"
        )
    kept = (np.concatenate(one) for one in chosen)
    return tuple(one.take(which) for one, which in zip((real, fake), kept, strict=True))


def _network(parts, truth, seed, workers):
    """The kind that the small residual network names for each that is judged."""
    asis = [
        np.concatenate([inputs.asis(one, workers=workers) for one in part])
        for part in parts
    ]
    model = small.ready(small.resnet((*inputs.ASIS, 1), 2, seed=seed), steps=STEPS)
    wanted = np.eye(2, dtype=np.float32)[truth[0]]
    once = {"epochs": 1, "steps": STEPS, "batch": BATCH}
    train.fit(model, asis[0], wanted, seed=seed, **once)
    return np.asarray(model.predict(asis[1], batch_size=256, verbose=0)).argmax(1)


def traits(images):
    """Plain numbers of each picture; what has no outline has none of them (NaN)."""
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
    """Length, width, area and slenderness, of the ellipse with the mask's moments."""
    moments = np.linalg.eigvalsh(np.cov(*np.nonzero(mask)))
    wide, long = 4 * np.sqrt(np.maximum(moments, 0.1))
    return long, wide, mask.sum(), long / wide


def _staining(stain, mask):
    """What the stain within the mask is like, and how it ends at the edge."""
    inner = ndimage.binary_erosion(mask)
    inner = inner if inner.any() else mask
    within = stain[mask]
    slope = np.hypot(*np.gradient(stain))
    fine = stain - ndimage.gaussian_filter(stain, 1)
    wider = ndimage.gaussian_filter(stain, 1) - ndimage.gaussian_filter(stain, 2)
    spread = max(float(stain[inner].std()), 1e-6)
    edge = mask & ~inner
    return (
        within.mean(),
        within.std(),
        np.quantile(within, 0.95),
        slope[edge].mean() / max(within.mean(), 1e-6) if edge.any() else np.nan,
        fine[inner].std() / spread,
        fine[inner].std() / max(float(wider[inner].std()), 1e-6),
        _across(stain, mask) / spread,
    )


def _across(stain, mask):
    """Spread of the stain across the chromosome, in slices one pixel along it."""
    y, x = np.nonzero(mask)
    long = np.linalg.eigh(np.cov(y, x))[1][:, 1]
    along = (y - y.mean()) * long[0] + (x - x.mean()) * long[1]
    slices = np.round(along - along.min()).astype(np.intp)
    count = np.maximum(np.bincount(slices), 1)
    value = stain[y, x]
    mean = np.bincount(slices, value) / count
    return float(np.sqrt(np.mean((value - mean[slices]) ** 2)))


def _auc(column, truth, group):
    """Chance that a synthetic one has more of it, with an interval over groups."""
    known = np.isfinite(column)
    column, truth = column[known], truth[known]
    if len(np.unique(truth)) < 2:
        return 0.5, 0.0, 1.0  # one of the kinds does not have it at all
    _, group = np.unique(group[known], return_inverse=True)
    _, rank = np.unique(column, return_inverse=True)
    rng = np.random.default_rng(zlib.crc32(b"auc"))
    count = group.max() + 1
    drawn = rng.multinomial(count, np.full(count, 1 / count), DRAWS)
    values = [_area(rank, truth, weight[group]) for weight in drawn]
    low, high = np.nanquantile(values, [0.025, 0.975])
    value = _area(rank, truth, np.ones(len(rank)))
    return value, min(low, value), max(high, value)


def _area(rank, truth, weight):
    """Area under the curve with weights, ties counted half."""
    real, fake = (np.bincount(rank, weight * (truth == k)) for k in (0, 1))
    size = max(len(real), len(fake))
    real, fake = (np.pad(one, (0, size - len(one))) for one in (real, fake))
    below = np.cumsum(real) - real / 2
    total = real.sum() * fake.sum()
    return float((below * fake).sum() / total) if total else np.nan


def _trait(columns, truth, group, words):
    """What one trait tells by itself: accuracy of a small tree, and the AUC."""
    model = tree.DecisionTreeClassifier(
        max_leaf_nodes=LEAVES, min_samples_leaf=20, random_state=0
    ).fit(columns[0], truth[0])
    right = model.predict(columns[1]) == truth[1]
    value, low, high = _auc(columns[1][:, 0], truth[1], group)
    accuracy = exam.estimate("told apart", right, group, **words)
    area = {"quantity": "AUC", "value": value, "low": low, "high": high}
    return accuracy, dataclasses.replace(accuracy, **area)
