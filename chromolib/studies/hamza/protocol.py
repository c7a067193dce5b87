"""Who trains, who validates and who tests: as the thesis did it, and cleanly.

`divide(fields, protocol, *, seed)` -> Split; "published" or "clean"
`chart(split)` -> a row a part: how much there is, and what it shares with training

# Strategy: both are the same two steps, in another order. Published: make copies of the
# source fields, boxes and all, and draw the parts at random from the copies. Clean:
# divide the sources by group, copy those that train, test on groups never seen.
"""

import dataclasses

import numpy as np
import pandas as pd

from chromolib import streams
from chromolib.detect import data
from chromolib.models import augment, expand, layers, protocols

SOURCES = 75  # karyograms, section 4.3
PARTS = {"train": 583, "validation": 166, "test": 83}  # of their copies, section 4.3
UNSEEN = data.UNSEEN  # of the groups: of 90 karyograms, as Roboflow has them, 75 remain
REMAINS = layers.REMAINS  # share of a box that a crop must leave, else it is dropped
CROP = 0.88  # smallest side that is kept; as few boxes are lost as by its X and Y
ROTATION = 10  # degrees
RATE = 0.5  # of the copies that are moved


def copied(seed):
    """Turns by 90, 180 and any degrees, mirrors, brightness, noise and crop (4.3).

    No strength is printed. By its X and Y the thesis' copies have about one chromosome
    less than 46 on average; CROP and ROTATION leave as many on drawn karyograms.
    """
    return augment.pipeline(
        {
            layers.Orientation: MIRRORED,
            layers.Movement: {"rotation": ROTATION, "crop": CROP, "rate": RATE},
            layers.Brightness: {"factor": 0.25},
            layers.Noise: {"factor": 0.05},
        },
        seed=seed,
    )


def turned(seed):
    """Quarter turns and mirrors alone, after which a box is as tight as before."""
    return augment.pipeline({layers.Orientation: MIRRORED}, seed=seed)


MIRRORED = {"turns": (0, 1, 2, 3), "mirror": ("horizontal", "vertical")}


@dataclasses.dataclass(frozen=True, eq=False)
class Split:
    """One division of a set of fields."""

    protocol: str
    train: data.Fields  # copies
    sources: data.Fields  # the fields that `train` is made of, as they are
    validation: data.Fields  # chooses
    test: data.Fields  # for the end
    unseen: data.Fields  # groups that neither protocol trains on
    labels: str = "true"  # or "random"

    @property
    def parts(self):
        """The parts by name."""
        return {name: getattr(self, name) for name in PARTS}


def divide(
    fields, protocol, *, seed, share=1.0, labels="true", sources=SOURCES, copies=copied
):
    """The Split of a protocol.

    `share` makes all of it smaller; `sources` are drawn, all if None. `copies` makes
    the layer that copies are made by; with None every source is there once, as it is.
    """
    known, unseen = data.apart(originals(fields), UNSEEN, seed=seed, purpose="unseen")
    drawn = _drawn(known, sources, share, seed)
    if labels == "random":
        drawn, unseen = (_dealt(part, seed) for part in (drawn, unseen))
    sizes = {name: n * len(drawn) / SOURCES for name, n in PARTS.items()}
    if copies is None:
        sizes = {name: n * SOURCES / sum(PARTS.values()) for name, n in sizes.items()}
    made = SPLITS[protocol](drawn, unseen, sizes, copies, seed)
    return Split(protocol, *made, unseen, labels)


def originals(fields):
    """One field of each group where all of a group are copies of one image."""
    if fields.unit != data.COPIES:
        return fields
    return fields.take(np.unique(fields.group, return_index=True)[1])


def chart(split):
    """A row a part: fields, groups, boxes, and groups that also train."""
    train = set(split.train.group)
    rows = [
        {
            "part": name,
            "fields": len(part),
            "groups": len(set(part.group)),
            "groups in training": len(set(part.group) & train),
            "boxes": int(part.present.sum()),
            "boxes a field": part.present.sum(1).mean(),
        }
        for name, part in split.parts.items()
    ]
    return pd.DataFrame(rows)


def _published(drawn, unseen, sizes, copies, seed):
    """Copies first, then parts drawn from them."""
    made = _copied(drawn, round(sum(sizes.values())), copies, seed)
    order = streams.stream(seed, "parts").permutation(len(made))
    ends = np.round(np.cumsum([sizes[name] for name in PARTS][:-1])).astype(int)
    train, validation, test = (made.take(which) for which in np.split(order, ends))
    return train, drawn, validation, test


def _clean(drawn, unseen, sizes, copies, seed):
    """Groups first, then copies of those that train."""
    plain, validation = data.apart(
        drawn, protocols.VALIDATION, seed=seed, purpose="validation"
    )
    train = _copied(plain, max(len(plain), round(sizes["train"])), copies, seed)
    return train, plain, validation, unseen


SPLITS = {"published": _published, "clean": _clean}


def _drawn(known, sources, share, seed):
    """So many source fields, in their order; fewer where there are enough to go on."""
    wanted = round(share * (sources or len(known)))
    if len(known) < min(wanted, protocols.ENOUGH):
        raise protocols.SplitError(
            f"{known.source}: only {len(known)} fields for {wanted} sources; take more "
            "images or a smaller profile"
        )
    chosen = streams.stream(seed, "sources").permutation(len(known))[:wanted]
    return known.take(np.sort(chosen))


def _dealt(fields, seed):
    """The same boxes, the classes of a field dealt out among its own at random."""
    rng, labels = streams.stream(seed, "labels"), fields.labels.copy()
    for row, on in zip(labels, fields.present, strict=True):
        row[on] = rng.permutation(row[on])
    return dataclasses.replace(fields, labels=labels)


def _copied(fields, total, copies, seed):
    """So many copies, boxes moved along; without a layer the fields themselves."""
    if copies is None:
        return fields
    source, copy = expand.plan(fields.group, total, seed=seed)
    x = np.empty((len(source), *fields.x.shape[1:]), np.uint8)
    _, boxes = expand.augmented_with_boxes(
        fields.x, fields.truth, source, copies(seed), out=x
    )
    size = {"height": fields.side, "width": fields.side}
    most = fields.labels.shape[1]
    xyxy, labels = augment.pad(boxes, classes=fields.classes, most=most, **size)
    marks = [f"{fields.image[i]}#{k}" for i, k in zip(source, copy, strict=True)]
    return dataclasses.replace(
        fields,
        x=x,
        boxes=xyxy,
        labels=labels,
        group=fields.group[source],
        image=np.array(marks),
    )
