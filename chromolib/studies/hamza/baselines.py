"""What names chromosomes without looking at them, and what finds them unlearned.

`place(train, test)` -> Predictions by where the box stands
`size(test)` -> Predictions by how long the box is, as a karyogram is arranged (1.1)
`segmented(fields)` -> the Boxes of each metaphase, by segmentation without learning

The first two are given the true boxes, so they answer for the class alone.
"""

import dataclasses

import numpy as np
from sklearn import neighbors

from chromolib import records
from chromolib.cyto import assign, bands
from chromolib.detect import data
from chromolib.imaging import segment

SEGMENTED = "segmentation"
NEIGHBOURS = 15
LEVEL = 550  # bands of the ideogram; its lengths differ little between levels
SPREAD = 0.1  # of a length, in units of the mean chromosome
PENALTY = 8.0  # for a place that is left empty, in nats


def place(train, test, **words):
    """Each box named by the training boxes whose middles are nearest to its own."""
    known = train.labels[train.present]
    nearest = neighbors.KNeighborsClassifier(min(NEIGHBOURS, len(known)))
    nearest.fit(_middles(train), known)
    return _predictions(test, nearest.predict(_middles(test)), "place alone", words)


def size(test, **words):
    """The boxes of each cell sorted by length, and named in the order of the classes.

    How long a class is says the ideogram, so nothing is learned. What is matched is the
    whole cell, as XX or as XY, whichever fits better.
    """
    labels = np.concatenate(
        [
            assign.cell(_likely(_length(boxes[on])), penalty=PENALTY)[0]
            for boxes, on in zip(test.boxes, test.present, strict=True)
        ]
    )
    return _predictions(test, labels, "size alone", words)


def segmented(fields):
    """What `imaging.segment` takes for chromosomes, with how likely each is one."""
    found = (segment.segment(255 - ink).chromosomes for ink in fields.x[..., 0])
    return [
        dataclasses.replace(one.boxes, label=np.full(len(one), *data.UNNAMED))
        for one in found
    ]


def _middles(fields):
    """The middle of each box, in shares of the image."""
    boxes = fields.boxes[fields.present]
    return (boxes[:, :2] + boxes[:, 2:]) / (2 * fields.side)


def _length(boxes):
    """From corner to corner: near the length of a chromosome, however it lies."""
    return np.hypot(*(boxes[:, 2:] - boxes[:, :2]).T)


def _likely(length):
    """How likely each length is of each class, (n, 24)."""
    ideogram = np.array([each.length for each in bands.read(LEVEL).values()])
    usual = ideogram / ideogram[:22].mean()
    away = (length[:, None] / length.mean() - usual) / SPREAD
    likely = np.exp((away.min(1, keepdims=True) ** 2 - away**2) / 2)
    return likely / likely.sum(1, keepdims=True)


def _predictions(test, labels, model, words):
    """One row a box."""
    field, box = np.nonzero(test.present)
    names = np.array(test.classes)
    return records.Predictions(
        image=[f"{test.image[i]} {k}" for i, k in zip(field, box, strict=True)],
        group=test.group[field],
        cell=test.image[field],
        truth=names[test.labels[test.present]],
        label=names[labels],
        classes=test.classes,
        model=model,
        **{"source": test.source} | words,
    )
