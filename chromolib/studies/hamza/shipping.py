"""The finder that is shipped: any chromosome of a metaphase, wherever it lies.

`prepared(images, upright=, real=)` -> the fields of a source
`ship(file, sources, *, steps, seed)` -> the detector's file, with a card

Of the groups a sixth stays out: its fields judge the detector, in eight views, and the
scores on its card are theirs.
"""

import keras

from chromolib import streams
from chromolib.data import compose
from chromolib.detect import data, store, training, views
from chromolib.studies.hamza import pretraining

STEPS = 3_000  # batches of real fields
SIDE = 1024  # pixels that fields are read at, as in a full run
SIZES = pretraining.Sizes()


def prepared(images, **_):
    """The fields of a source of metaphases."""
    side = min(SIDE, max(compose.SIZE, int(images.pixels.shape.max())))
    return data.fields(images, pretraining.KIND, side=side)


def ship(file, sources, *, steps=STEPS, seed=0, checkpoint=None, log=lambda line: None):
    """Train on drawn metaphases, then on those of one source, and save."""
    if len(sources) > 1:
        raise data.FieldError(
            f"{len(sources)} sources: a finder learns from one; put the fields of all "
            "into one set of annotations"
        )
    split = pretraining.divided(*sources, SIZES, seed)

    def watched(part):
        folder = None if checkpoint is None else f"{checkpoint}.{part}"
        return {"folder": folder, "watch": [_told(part, log)]}

    weights = pretraining.drawn(SIZES, seed, **watched("drawn"))
    how = {"sizes": SIZES, "seed": seed, **watched("real")}
    model = pretraining.learned(split, weights, steps * training.BATCH, **how)
    return save(file, model, split, looks=steps * training.BATCH, seed=seed)


def save(file, model, split, *, looks, seed=0):
    """Write the detector with its scores on the fields that stayed out."""
    test = split.test
    words = {"source": test.source, "study": "hamza", "seed": seed}
    words["model"] = f"{pretraining.SEEN}, {looks:,} looks"
    scores = pretraining.scored(
        test,
        views.predict(model, test.seen),
        words=words,
        rng=streams.stream(seed, f"shipped {test.source}"),
    )
    built = {"family": "faster_rcnn", "size": SIZES.side, "trunk": SIZES.trunk}
    facts = {
        "study": "hamza",
        "unit": pretraining.KIND,
        "classes": data.UNNAMED,
        "source": test.source,
        "provenance": "real" if test.real else "synthetic",
        "n": len(split.train),
        "groups": len(set(split.train.group)),
        "seed": seed,
        "scores": scores,
        "protocol": "clean",
        "looks": looks,
        "weights": f"{SIZES.drawn_looks:,} looks at drawn metaphases",
    }
    return store.save(file, model, built | {"scales": SIZES.scales}, facts)


def _told(part, log):
    """Says after each epoch how far the training on drawn or real fields is."""

    def line(epoch, logs):
        log(f"{part} fields, epoch {epoch + 1}: loss {logs['loss']:.3f}")

    return keras.callbacks.LambdaCallback(on_epoch_end=line)
