"""Of boxes that show the same chromosome, the one with the highest score.

`suppress(overlap, labels, ...)` -> which of the boxes, best first, are kept
`best(boxes, scores, ...)` -> boxes, scores and labels that are kept, `most` an image

# Strategy: greedy suppression goes through the boxes one by one. Cluster-NMS (Zheng et
# al. 2020, arXiv 2005.03572) repeats one matrix product until nothing changes: a box is
# out if a better one that is in overlaps it. The fixed point is exactly what greedy
# suppression keeps, for all images of a batch and all classes at once.
"""

from keras import ops

from chromolib.detect import boxes as geometry

# How a detector is asked for each chromosome once, whatever its name; chosen on
# validation fields of real metaphases, where upright boxes lie in each other.
ONCE = {"by_class": False, "threshold": 0.6}


def suppress(overlap, labels=None, *, threshold=0.5):
    """Which boxes are kept (n, k), given their overlaps (n, k, k), best box first.

    A box goes if a kept better one overlaps it by more than `threshold`; with `labels`
    (n, k) only if both have the same.
    """
    hits = overlap > threshold
    if labels is not None:
        hits = ops.logical_and(hits, labels[:, :, None] == labels[:, None])
    count = overlap.shape[1]
    place = ops.arange(count)
    hits = ops.logical_and(hits, (place[:, None] < place[None])[None])
    hits = ops.cast(hits, "float32")

    def step(keep, _):
        out = ops.matmul(keep[:, None], hits)[:, 0]
        new = ops.cast(out < 0.5, "float32")
        return new, ops.any(new != keep)

    first = ops.ones_like(hits[:, 0])
    keep, _ = ops.while_loop(
        lambda _, changed: changed,
        step,
        (first, ops.any(first > 0)),
        maximum_iterations=count + 1,
    )
    return keep > 0.5


def candidates(scores, *, count, by_class):
    """The best scores (n, k), which box each is of, and its label.

    `by_class` looks at each score of each box, else at their sum: whether it shows any.
    """
    classes = scores.shape[2]
    if by_class:
        flat = ops.reshape(scores, (-1, scores.shape[1] * classes))
        value, place = ops.top_k(flat, min(count, flat.shape[1]))
        return value, place // classes, place % classes
    any_of = ops.minimum(ops.sum(scores, 2), 1.0)
    value, box = ops.top_k(any_of, min(count, scores.shape[1]))
    label = ops.argmax(scores, 2)
    return value, box, ops.take_along_axis(label, ops.cast(box, label.dtype), axis=1)


def best(
    boxes,
    scores,
    *,
    overlap=geometry.iou,
    threshold=0.5,
    most=300,
    before=1000,
    by_class=True,
):
    """Kept boxes (n, most, 4 or more), scores and labels, best first; -1 is no box.

    `scores` is (n, A, classes). `before` candidates at most are compared; `by_class`
    lets boxes of two labels lie over each other, which mean average precision expects;
    without it a chromosome is counted once.
    """
    value, box, label = candidates(scores, count=before, by_class=by_class)
    chosen = ops.take_along_axis(boxes, box[..., None], axis=1)
    kept = suppress(
        overlap(chosen, chosen), label if by_class else None, threshold=threshold
    )
    value, order = ops.top_k(ops.where(kept, value, -1.0), min(most, value.shape[1]))
    there = value >= 0
    chosen = ops.take_along_axis(chosen, order[..., None], axis=1)
    label = ops.cast(ops.take_along_axis(label, order, axis=1), "int32")
    return {
        "boxes": ops.where(there[..., None], chosen, 0.0),
        "scores": ops.where(there, value, 0.0),
        "labels": ops.where(there, label, -1),
    }
