"""What is in a source: counts, classes, groups and every problem, as tables."""

import numpy as np
import pandas as pd

from chromolib import records


def counts(images):
    """What there is of everything, one fact a row."""
    sizes = np.asarray(images.pixels.shape)
    _, per_group = np.unique(images.group, return_counts=True)
    _, per_cell = np.unique(images.cell, return_counts=True)
    groups = f"{len(per_group):,}, of {_span(per_group)} images"
    rows = [("images", f"{len(images):,}"), (f"groups ({images.unit})", groups)]
    if len(per_cell) != len(per_group):
        rows.append(("cells", f"{len(per_cell):,}, of {_span(per_cell)} images"))
    rows += [
        ("width, pixels", _span(sizes[:, 1])),
        ("height, pixels", _span(sizes[:, 0])),
        ("decoded", f"{sizes.prod(1).sum() / 2**20:,.1f} MiB"),
    ]
    if images.boxes is not None:
        boxes = np.array([len(b) for b in images.boxes])
        share = (boxes == 46).mean() if len(boxes) else 0
        rows += [
            ("boxes", f"{boxes.sum():,}, {_span(boxes)} an image"),
            ("exactly 46 boxes", f"{(boxes == 46).sum():,} images ({share:.1%})"),
        ]
    for name, values in images.extra.items():
        words, number = np.unique(values[values != ""], return_counts=True)
        pairs = [f"{w} {n:,}" for w, n in zip(words, number, strict=True)]
        rows += [(name, ", ".join(pairs))] if 1 < len(pairs) <= 12 else []
    rows.append(("fingerprint", images.fingerprint[:16]))
    return pd.DataFrame(rows, columns=["what", "there is"])


def classes(images):
    """How many images or boxes each class has, and in how many groups."""
    if images.boxes is None:
        label, group = images.label, images.group
    else:
        label = np.concatenate([b.label for b in images.boxes] or [[]])
        group = np.repeat(images.group, [len(b) for b in images.boxes])
    frame = pd.DataFrame({"class": label, "group": group})
    table = frame.groupby("class")["group"].agg(["size", "nunique"]).reset_index()
    table.columns = ["class", "images" if images.boxes is None else "boxes", "groups"]
    order = {name: i for i, name in enumerate(records.CLASSES)}
    key = table["class"].map(lambda name: (order.get(name, len(order)), name))
    return table.iloc[key.argsort()].reset_index(drop=True)


def problems(images):
    """Problems of one kind together, errors first, with every file they concern."""
    frame = pd.DataFrame(
        [(p.level, p.reason, p.remedy, p.file) for p in images.problems],
        columns=["level", "reason", "remedy", "file"],
    )
    keys = ["level", "reason", "remedy"]
    table = frame.groupby(keys)["file"].agg(files="size", which=list)
    return table.reset_index().sort_values(keys, ignore_index=True)


def _span(values):
    if not len(values):
        return "none"
    low, high = int(np.min(values)), int(np.max(values))
    middle = np.median(values)
    return f"{low:,}" if low == high else f"{low:,} to {high:,} (median {middle:g})"
