"""What needs no network: the larger class, how much ink there is, how many pieces.

`said(split, **words)` -> Predictions of each on the test images
"""

import numpy as np
from scipy import ndimage
from sklearn import dummy, ensemble

from chromolib.models import predict

STAIN = 64  # of 255: what is darker belongs to a chromosome
SPECK = 12  # pixels: what is smaller is noise
MOST = "majority"


def ink(images):
    """(n, 1) share of the picture that is stained."""
    return (images.x[..., 0] / 255).mean((1, 2))[:, None]


def pieces(images):
    """(n, 1) how many separate pieces there are."""
    return np.array([[_pieces(image > STAIN)] for image in images.x[..., 0]])


def _pieces(mask):
    labels, count = ndimage.label(mask, np.ones((3, 3)))
    sizes = np.bincount(labels.ravel(), minlength=count + 1)[1:]
    return int((sizes >= SPECK).sum())


MEASURES = {"ink area": ink, "count of pieces": pieces}
NAMES = MOST, *MEASURES


def said(split, **words):
    """The Predictions of each baseline, learned from the source images."""
    train, test = split.sources, split.test
    words = words | {"weights": "none", "conditions": {"labels": split.labels}}
    most = dummy.DummyClassifier(strategy="prior").fit(train.x[:, 0, 0], train.y)
    found = [_predictions(test, most, test.x[:, 0, 0], words | {"model": MOST})]
    for name, measure in MEASURES.items():
        model = ensemble.RandomForestClassifier(
            min_samples_leaf=4, class_weight="balanced", random_state=0
        )
        model.fit(measure(train), train.y)
        found.append(_predictions(test, model, measure(test), words | {"model": name}))
    return found


def _predictions(test, model, measures, words):
    return predict.predictions(test, model.predict_proba(measures), **words)
