"""How well detected chromosomes agree with annotated ones: boxes.

`match(truth, found)` pairs boxes one to one, `named` of one name only; `told` says what
became of each; `detection(matches)` adds fields up to recall, precision and F1.
"""

import dataclasses

import numpy as np
from scipy import optimize

LEAST = 0.5  # overlap from which two boxes are of one chromosome


@dataclasses.dataclass(frozen=True, eq=False)
class Match:
    """The pairs of one field, and how many there were to pair."""

    truth: np.ndarray  # (m,) index of the annotated box
    found: np.ndarray  # (m,) index of the detected box
    iou: np.ndarray  # (m,)
    n_truth: int
    n_found: int


@dataclasses.dataclass(frozen=True)
class Detection:
    """Fields added up: a share of nothing is 1, as nothing was missed or invented."""

    matched: int
    n_truth: int
    n_found: int

    @property
    def recall(self):
        """Share of the annotated chromosomes that were detected."""
        return self.matched / self.n_truth if self.n_truth else 1.0

    @property
    def precision(self):
        """Share of the detected chromosomes that are annotated ones."""
        return self.matched / self.n_found if self.n_found else 1.0

    @property
    def f1(self):
        """Harmonic mean of recall and precision."""
        n = self.n_truth + self.n_found
        return 2 * self.matched / n if n else 1.0


def box_iou(truth, found):
    """Overlap of every box of one `Boxes` with every one of the other, (n, m)."""
    a, b = truth.xyxy[:, None], found.xyxy[None]
    low, high = np.maximum(a[..., :2], b[..., :2]), np.minimum(a[..., 2:], b[..., 2:])
    both = np.clip(high - low, 0, None).prod(-1)
    areas = ((box[..., 2:] - box[..., :2]).prod(-1) for box in (a, b))
    either = sum(areas) - both
    return np.divide(both, either, out=np.zeros_like(both), where=either > 0)


def once(boxes, least=LEAST):
    """Which boxes are kept, best first, if of those that lie over each other by more
    than `least` only the surest is."""
    order, kept = np.argsort(-boxes.score, kind="stable"), []
    over = box_iou(boxes, boxes) > least
    for k in order:
        if not over[kept, k].any():
            kept.append(k)
    return np.array(kept, int)


def pair(iou, *, least=LEAST):
    """The one-to-one pairs with an overlap of at least `least`: as many as possible.

    Among as many, those with the largest sum of overlaps.
    """
    allowed = iou >= least
    gain = np.where(allowed, iou + iou.size + 1, 0)  # a pair outweighs any overlap
    truth, found = optimize.linear_sum_assignment(gain, maximize=True)
    keep = allowed[truth, found]
    truth, found = truth[keep], found[keep]
    return Match(truth, found, iou[truth, found], *iou.shape)


def match(truth, found, *, least=LEAST):
    """The annotated and the detected boxes of one field, paired one to one."""
    return pair(box_iou(truth, found), least=least)


def named(truth, found, *, least=LEAST):
    """The same, where only boxes of one name pair."""
    alike = np.asarray(truth.label)[:, None] == np.asarray(found.label)[None]
    return pair(box_iou(truth, found) * alike, least=least)


def beside(truth, found):
    """(4,) how far true edges lie from found ones, in pixels: the median of all pairs.

    Who draws boxes has habits. A detector that learns from turned and mirrored fields,
    or looks at them so, cannot know one that has a direction.
    """
    pairs = [(*both, match(*both)) for both in zip(truth, found, strict=True)]
    away = np.concatenate(
        [one.xyxy[p.truth] - two.xyxy[p.found] for one, two, p in pairs]
    )
    return np.median(away, axis=0) if len(away) else np.zeros(4)


def fates(truth, found):
    """What became of the boxes of one field: which found ones are right, which wrong,
    and which true ones are missed.

    Right ones pair with a true box of the same name. Of the others some pair with a
    true box of another name; a true box without any pair is missed.
    """
    right = named(truth, found)
    wrong = np.setdiff1d(np.arange(len(found)), right.found)
    left = np.setdiff1d(np.arange(len(truth)), right.truth)
    unnamed = match(truth.take(left), found.take(wrong)).truth
    return right.found, wrong, np.delete(left, unnamed)


def told(truth, found):
    """The boxes of one field by what became of them, as `fates` says."""
    right, wrong, missed = fates(truth, found)
    return {
        "right": found.take(right),
        "wrong": found.take(wrong),
        "missed": truth.take(missed),
    }


def detection(matches):
    """What the matches of many fields come to."""
    sizes = [(len(m.truth), m.n_truth, m.n_found) for m in matches]
    return Detection(*np.sum(sizes or [(0, 0, 0)], 0).tolist())
