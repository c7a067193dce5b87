"""Numbers of ranks: does the right class, or the wrong label, come first?

A step of a ladder holds images with equal scores, which no threshold tells apart.
"""

import dataclasses

import numpy as np

from chromolib.evidence import resample

KEPT = 0.95  # share of the right labels that FPR95 keeps


def classes(numbered):
    """AUROC and AUPRC of each class against the rest, and their means.

    `n` is of the rarer side. AUPRC is scikit-learn's average precision.
    """
    said, there = numbered.said, np.unique(numbered.truth)
    if said.probability is None or len(there) < 2:
        return
    bins = resample.steps(numbered.groups, len(there))
    parts, value = [], []
    for i in there:
        masks = numbered.truth == i, np.ones(len(said), bool)
        whole, part = resample.ladder(
            numbered, said.probability[:, i], masks, bins=bins
        )
        parts.append(part)
        value.append(_areas(whole))
    width = max(part.shape[2] for part in parts)
    table = np.zeros((numbered.groups, len(there), 2, width), np.float32)
    for place, part in enumerate(parts):
        table[:, place, :, : part.shape[2]] = part
    names = [f"macro {name}" for name in ("AUROC", "AUPRC")]
    names += [f"{n} of {said.classes[i]}" for n in ("AUROC", "AUPRC") for i in there]
    images = table[:, 0, 1].sum(1)
    asked = table[:, :, 0].sum(2)
    asked = np.where(2 * asked.sum(0) > len(said), images[:, None] - asked, asked)
    made = resample.tally(
        names,
        table.reshape(numbered.groups, -1),
        lambda sums: _with_means(_areas(sums.reshape(len(sums), -1, 2, width))),
        np.column_stack([images, images, asked, asked]),
        _with_means(np.array(value)[None])[0],
    )
    fewest = made.groups[2:].min()  # a mean is no surer than its rarest class
    groups = np.r_[fewest, fewest, made.groups[2:]]
    yield dataclasses.replace(made, groups=groups)


def _with_means(areas):
    """Means over classes, then each class: (draws, k, 2) to (draws, 2 + 2 k)."""
    each = areas.swapaxes(1, 2).reshape(-1, areas.shape[1])
    known = resample.mean(each).reshape(-1, 2)
    return np.concatenate([known, each.reshape(len(areas), -1)], 1)


def _areas(sums):
    """Under the ROC and the precision-recall curve, from (…, 2, steps): (…, 2)."""
    hits, images = sums[..., 0, :], sums[..., 1, :]
    rest = images - hits
    above = rest.cumsum(-1) - rest / 2
    from_top = [part[..., ::-1].cumsum(-1)[..., ::-1] for part in (hits, images)]
    precision = from_top[0] / np.maximum(from_top[1], 1)
    found, others = (resample.nonzero(part.sum(-1)) for part in (hits, rest))
    roc = (hits * above).sum(-1) / found / others
    return np.stack([roc, (hits * precision).sum(-1) / found], -1)


def failures(numbered):
    """AURC, AUGRC, failure AUROC and FPR95 of the uncertainty.

    AURC: mean share of wrong labels among the images kept, over all shares kept
    (Geifman and El-Yaniv, 2017). AUGRC: the same with wrong and kept among all images
    (Traub et al., 2024). Failure AUROC: how often a wrong label is less certain than a
    right one. FPR95: share of wrong labels kept where 95 % of the right ones are.
    """
    if numbered.said.uncertainty is None:
        return
    wrong, everything = numbered.wrong, np.ones_like(numbered.wrong)
    masks = wrong, everything
    whole, table = resample.ladder(
        numbered,
        numbered.said.uncertainty,
        masks,
        bins=resample.steps(numbered.groups),
    )
    rarer = wrong if 2 * wrong.sum() <= len(wrong) else ~wrong
    asked = numbered.each(everything, everything, rarer, rarer)
    width = table.shape[2]
    yield resample.tally(
        ("AURC", "AUGRC", "failure AUROC", "FPR95"),
        table.reshape(len(table), -1),
        lambda sums: _risks(sums.reshape(len(sums), 2, width)),
        asked,
        _risks(whole[None])[0],
    )


def _risks(sums):
    """The four numbers of `failures` from (draws, 2, steps), the surest first."""
    wrong, images = sums.astype(float).swapaxes(0, 1)
    right = images - wrong
    errors, kept = wrong.cumsum(1), images.cumsum(1)
    n, bad = kept[:, -1], errors[:, -1]
    # Equal scores come in any order, so errors grow evenly within a step; the sum of
    # their share over a step is one of harmonic numbers.
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
