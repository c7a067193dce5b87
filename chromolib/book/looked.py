"""What the page of the inspector looks at: drawn cells, named by the shipped networks.

`named(root, cells=)` -> images, and the predictions of either network
`found(cells=)` -> metaphases, and the boxes that segmentation finds in them
`karyotyped(root, out)` -> a finished karyotype to correct
"""

import dataclasses
import json

import numpy as np
import PIL.Image

from chromolib import files, records
from chromolib.cyto import assign
from chromolib.karyotype import fields, finding, naming, results
from chromolib.models import inputs, predict
from chromolib.synth import lab, metaphase, sets, singles

NAMERS = "shruti-chromosome.keras", "shruti-metaphase.keras"
SIDE = 768  # pixels of a field
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


def karyotyped(root, out, *, seed=0):
    """A drawn trisomy 21, named by a shipped network: its json, the picture beside."""
    out.mkdir(parents=True, exist_ok=True)
    drawn, boxes = metaphase.draw(lab.cell("47,XY,+21", look="g", seed=seed), size=SIDE)
    PIL.Image.fromarray(drawn).save(out / "metaphase.png")
    (item,) = fields.listed([out / "metaphase.png"], out / "made")
    namer = naming.load(root / "data" / "models" / NAMERS[1])
    one, picture = results.karyotype(fields.read(item), namer, boxes=boxes, rename=True)
    PIL.Image.fromarray(picture).save(out / "karyotype.png")
    files.write_text(out / "karyotype.json", json.dumps(one))
    return out / "karyotype.json"


def _alike(boxes):
    return dataclasses.replace(boxes, label=np.full(len(boxes), ONE))
