"""Metrics of ranks: does the right class, or the wrong label, come first?

Images with equal scores share a threshold, which does not tell them apart.
"""

import numpy as np

from chromolib.evidence import resample

KEPT = 0.95  # share of the right labels that FPR95 keeps


def classes(encoded):
    """AUROC and AUPRC of each class against the rest, and their means.

    `n` is of the rarer side. AUPRC is scikit-learn's average precision.
    """
    predictions, present = encoded.predictions, np.unique(encoded.truth)
    if predictions.probability is None or len(present) < 2:
        return
    everything, value, tables = np.ones(len(predictions), bool), [], []
    for i in present:
        masks, score = (encoded.truth == i, everything), predictions.probability[:, i]
        whole, table = resample.by_threshold(encoded, score, masks, scores=len(present))
        value.append(_areas(whole))
        tables.append(table)
    width = max(table.shape[2] for table in tables)
    padded = np.zeros((encoded.groups, len(present), 2, width), np.float32)
    for place, table in enumerate(tables):
        padded[:, place, :, : table.shape[2]] = table
    images, support = padded[:, 0, 1].sum(1), padded[:, :, 0].sum(2)
    common = 2 * support.sum(0) > len(predictions)
    support = np.where(common, images[:, None] - support, support)
    groups = np.tile((support > 0).sum(0), 2)
    fewest = groups.min()  # a mean is no surer than its rarest class
    names = ["macro AUROC", "macro AUPRC"]
    for name in ("AUROC", "AUPRC"):
        names += [f"{name} of {predictions.classes[i]}" for i in present]
    yield resample.Tally(
        tuple(names),
        padded.reshape(encoded.groups, -1),
        lambda sums: _with_means(_areas(sums.reshape(len(sums), -1, 2, width))),
        np.column_stack([images, images, support, support]),
        _with_means(np.array(value)[None])[0],
        np.r_[fewest, fewest, groups],
    )


def _with_means(areas):
    """Means over classes, then each class: (draws, k, 2) to (draws, 2 + 2 k)."""
    each = areas.swapaxes(1, 2).reshape(-1, areas.shape[1])
    means = resample.mean(each).reshape(-1, 2)
    return np.concatenate([means, each.reshape(len(areas), -1)], 1)


def _areas(sums):
    """Under the ROC and the precision-recall curve, from (…, 2, thresholds): (…, 2)."""
    hits, images = sums[..., 0, :], sums[..., 1, :]
    rest = images - hits
    below = rest.cumsum(-1) - rest / 2
    above = [side[..., ::-1].cumsum(-1)[..., ::-1] for side in (hits, images)]
    precision = above[0] / np.maximum(above[1], 1)
    positives, negatives = (resample.nonzero(side.sum(-1)) for side in (hits, rest))
    roc = (hits * below).sum(-1) / positives / negatives
    return np.stack([roc, (hits * precision).sum(-1) / positives], -1)


def failures(encoded):
    """AURC, AUGRC, failure AUROC and FPR95 of the uncertainty.

    AURC: mean share of wrong labels among the images kept, over all shares kept
    (Geifman and El-Yaniv, 2017). AUGRC: the same with wrong and kept among all images
    (Traub et al., 2024). Failure AUROC: how often a wrong label is less certain than a
    right one. FPR95: share of wrong labels kept where 95 % of the right ones are.
    """
    uncertainty, wrong = encoded.predictions.uncertainty, encoded.wrong
    if uncertainty is None:
        return
    everything = np.ones_like(wrong)
    whole, table = resample.by_threshold(encoded, uncertainty, (wrong, everything))
    rarer = wrong if 2 * wrong.sum() <= len(wrong) else ~wrong
    yield resample.Tally(
        ("AURC", "AUGRC", "failure AUROC", "FPR95"),
        table.reshape(len(table), -1),
        lambda sums: _risks(sums.reshape(len(sums), 2, -1)),
        encoded.totals(everything, everything, rarer, rarer),
        _risks(whole[None])[0],
    )


def _risks(sums):
    """The four metrics of `failures` from (draws, 2, thresholds), the surest first."""
    wrong, images = sums.astype(float).swapaxes(0, 1)
    right = images - wrong
    errors, kept = wrong.cumsum(1), images.cumsum(1)
    n, bad = kept[:, -1], errors[:, -1]
    # Images of equal scores come in any order, so errors grow evenly among them; the
    # sum of their share over one threshold is one of harmonic numbers.
    before, first = errors - wrong, kept - images
    slope = wrong / np.maximum(images, 1)
    harmonic = np.r_[0, np.cumsum(1 / np.arange(1, n.max() + 1))]
    spent = harmonic[kept.astype(int)] - harmonic[first.astype(int)]
    aurc = (wrong + (before - slope * first) * spent).sum(1) / n
    augrc = (images * (before + errors)).sum(1) / (2 * n * n)
    good = right.cumsum(1)
    pairs = resample.nonzero(bad * good[:, -1])
    failure = (wrong * (good - right / 2)).sum(1) / pairs
    enough = (good >= KEPT * good[:, -1:] - 1e-9).argmax(1)
    spared = errors[np.arange(len(errors)), enough]
    missed = np.where(pairs > 0, spared / resample.nonzero(bad), np.nan)
    return np.column_stack([aurc, augrc, failure, missed])
