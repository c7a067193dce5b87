"""The finder that is shipped: any chromosome of a metaphase, wherever it lies.

`prepared(images, upright=, real=)` -> the fields of a source
`ship(file, sources, *, first, steps, seed)` -> the detector's file, with a card

Of the groups a sixth stays out: its fields judge the detector, in eight views, and the
scores on its card are theirs. It learns from the others as they are and with their
chromosomes laid over each other in other ways, and goes on from what a `first` detector
knows, else from drawn metaphases.
"""

import dataclasses
import time

import keras

from chromolib import streams
from chromolib.data import compose
from chromolib.detect import copy_paste, data, store, training, views
from chromolib.models import store as models
from chromolib.studies.hamza import pretraining

STEPS = 3_000  # batches of real fields
SIDE = 1024  # pixels that fields are read at, as in a full run
SIZES = pretraining.Sizes(side=512, rate=1e-3)
MINUTE = 60  # seconds
LIMITS = (
    "Other laboratories, stainings and microscopes than those of its source were not "
    "asked. It says where a chromosome is and not which; those that touch or cross are "
    "found less often."
)
WHOLE, PASTED = 2, 4  # times that a field is there as it is, and otherwise


def prepared(images, **_):
    """The fields of a source of metaphases."""
    side = min(SIDE, max(compose.SIZE, int(images.pixels.shape.max())))
    return data.fields(images, pretraining.KIND, side=side)


def ship(
    file,
    sources,
    *,
    first=None,
    steps=STEPS,
    seed=0,
    checkpoint=None,
    log=lambda line: None,
):
    """Train on the metaphases of one source, and save; `first` is another's file."""
    if len(sources) > 1:
        raise data.FieldError(
            f"{len(sources)} sources: a finder learns from one; put the fields of all "
            "into one set of annotations"
        )
    split = pretraining.divided(*sources, SIZES, seed)

    def watched(part):
        folder = None if checkpoint is None else f"{checkpoint}.{part}"
        return {"folder": folder, "watch": [Told(part, log)]}

    if first is None:
        weights = pretraining.drawn(SIZES, seed, **watched("drawn"))
        sentence = f"{SIZES.drawn_looks:,} looks at drawn metaphases"
        tested = {split.test.source: split.test.group}
        before = {"weights": sentence, models.JUDGED: models.judged(tested)}
    else:
        weights, before = _known(first, split.test, seed)
    others = copy_paste.pasted(split.train, PASTED, seed=seed)
    train = data.together(*[split.train] * WHOLE, others)
    more = dataclasses.replace(split, train=train)
    how = {"sizes": SIZES, "seed": seed, **watched("real")}
    model = pretraining.learned(more, weights, steps * training.BATCH, **how)
    how = {"looks": steps * training.BATCH, "before": before, "seed": seed}
    return save(file, model, split, **how)


def _known(first, test, seed):
    """The weights of a trained detector, and what it is."""
    model, facts = store.load(first)
    before = models.before(first, facts, {test.source: test.group}, seed)
    weights, ours = model.get_weights(), pretraining.detector(SIZES, seed)
    if [one.shape for one in weights] != [one.shape for one in ours.weights]:
        raise models.ModelError(
            f"{first.name} is built otherwise than finders are here; leave out --first"
        )
    return weights, before


def save(file, model, split, *, looks, before, seed=0):
    """Write the detector with its scores on the fields that stayed out."""
    again = "more " if store.SUFFIX in before["weights"] else ""  # after a file's
    test, name = split.test, f"{pretraining.SEEN}, {looks:,} {again}looks"
    words = {"source": test.source, "study": "hamza", "seed": seed}
    by = pretraining.beside(model, split.validation).round(2)
    boxes, scores = views.predict(model, test.seen), []
    found = {name: boxes, pretraining.MOVED(name): data.moved(boxes, by)}
    for seen, each in found.items():
        rng = streams.stream(seed, f"shipped {test.source}")
        how = {} if seen == name else {"edges": "moved"}
        said = words | {"model": seen, "conditions": how}
        scores += pretraining.scored(test, each, words=said, rng=rng)
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
        **before,
        "beside": by.tolist(),
        "limits": LIMITS,
    }
    return store.save(file, model, built | {"scales": [*SIZES.scales]}, facts)


class Told(keras.callbacks.Callback):
    """Says each minute and epoch how far the training on drawn or real fields is."""

    def __init__(self, part, log):
        super().__init__()
        self.part, self.log = part, log
        self.last, self.epoch = time.monotonic(), 0

    def on_train_begin(self, logs=None):
        """How much there is to learn."""
        epochs, steps = (self.params[name] for name in ("epochs", "steps"))
        self.log(f"{self.part} fields: {epochs} epochs of {steps} batches")

    def on_epoch_begin(self, epoch, logs=None):
        """Which of the epochs it is."""
        self.epoch = epoch + 1

    def on_train_batch_end(self, batch, logs=None):
        """A line, if the epoch ends or the last line is a minute old."""
        now, ends = time.monotonic(), batch + 1 == self.params["steps"]
        if ends or now - self.last >= MINUTE:
            self.last = now
            where = f"epoch {self.epoch}, batch {batch + 1}"
            self.log(f"{self.part} fields, {where}: loss {float(logs['loss']):.3f}")
