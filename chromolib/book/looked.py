"""What the page of the inspector looks at: drawn cells, named by the shipped networks.

`named(root, cells=)` -> images, and the predictions of either network
`found(cells=)` -> metaphases, and the boxes that segmentation finds in them
"""

import dataclasses

import numpy as np

from chromolib import records
from chromolib.cyto import assign
from chromolib.karyotype import fields, finding, naming
from chromolib.models import inputs, predict
from chromolib.synth import lab, sets, singles

NAMERS = "shruti-chromosome.keras", "shruti-metaphase.keras"
ONE = "chromosome"  # what a finder calls everything


def named(root, *, cells, seed=0):
    """Chromosomes of drawn cells, and what two shipped networks take them for."""
    images = singles.images(lab.cells(cells, look="g", seed=seed))
    x, sound = inputs.laid(images, canvas=inputs.FINE)
    images = images.take(sound)
    made = []
    for name in NAMERS:
        namer = naming.load(root / "data" / "models" / name)
        said = records.Predictions(
            image=images.name,
            group=images.group,
            cell=images.cell,
            truth=images.label,
            probability=predict.views(namer.network, x[sound], upright=False),
            source=images.source,
            model=name.removesuffix(".keras"),
        )
        made.append(assign.cells(said, penalty=namer.penalty))
    return images, *made


def found(*, cells, seed=1):
    """Drawn metaphases, every box called alike, and what segmentation finds."""
    images = sets.metaphases(lab.cells(cells, look="g", seed=seed))
    boxes = tuple(_alike(one) for one in images.boxes)
    images = dataclasses.replace(images, boxes=boxes)
    return images, [_alike(finding.find(one).boxes) for one in fields.of(images)]


def _alike(boxes):
    return dataclasses.replace(boxes, label=np.full(len(boxes), ONE))
