"""The small model that is shipped: what it learns from, and what its card says.

`prepared(images, upright=, real=)` -> the chromosomes of a source
`ship(file, sources, *, steps, seed)` -> the model file, trained on several sources
`save(file, model, learned, *, ...)` -> the same of a network that has learned
`finder(root)` -> the detector that is shipped, whose boxes it names
`found(fields, finder, seed, model)` -> what its card says of names in such boxes

Of each source the first clean fold stays out, or a sixth of the cases with metaphases:
these judge the model, and the scores on its card are theirs. Validation cells choose
the temperature of its probabilities and the price of a copy more or fewer; of
metaphases as the shipped finder boxes them, since it will name what that finds.

# Strategy: sources differ in size by a factor of five, and the model is to serve any
laboratory. So a smaller source is repeated until it has half as many images as the
largest; the augmentation makes another image of it each time.
"""

import dataclasses
import functools

import numpy as np

from chromolib import records, streams
from chromolib.cyto import assign
from chromolib.detect import store as detectors
from chromolib.evidence import calibration
from chromolib.karyotype import finding, naming
from chromolib.models import predict, small, store, weights
from chromolib.runs import repository
from chromolib.studies import predicting
from chromolib.studies.shruti import data, experiment, network, protocol

STEPS = 4_000  # batches
LEARNING = 1e-3  # rate of one that goes on
KEPT = 0.7  # of cells, that nobody needs to look at
SCORES = ("accuracy", "balanced accuracy", "whole-cell accuracy", "ECE")
LIMITS = (
    "Other laboratories, stainings and microscopes than those of its sources were not "
    "asked; expect less there, and learn on with cells of your own. It counts: what a "
    "chromosome lost or exchanged it does not see, and a marker is named as the class "
    "that it most looks like, sometimes surely."
)


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
    """Train on all sources together, and save; `sources` are data.Chromosomes, `first`
    the file of a model to go on from."""
    splits = [fold(each, seed) for each in sources]
    train = _balanced([_named(split.train, i) for i, split in enumerate(splits)])
    if first is None:
        model, rate = network.ours(train, seed=seed, upright=False), small.RATE
        before = {"weights": weights.NOWHERE.sentence}
    else:
        (model, facts), rate = store.load(first, study="shruti"), LEARNING
        tested = {
            each.images.source: split.test.group
            for each, split in zip(sources, splits, strict=True)
        }
        before = store.before(first, facts, tested, seed)
    more = {}
    if fields := [each.fields for each in sources if each.fields is not None]:
        finds = finder(repository.root())  # if there is none, before hours of training
        more["further"] = functools.partial(found, fields, finds, seed)
    how = {"steps": steps, "rate": rate, "seed": seed}
    small.train(model, train.x, train.y, **how, checkpoint=checkpoint, log=log)
    learned = list(zip(splits, sources, strict=True))
    return save(file, model, learned, seed=seed, before=before, **more)


def fold(chromosomes, seed):
    """The first clean fold of a source; of metaphases the groups that finders let stay
    out too, of which true boxes alone choose and test."""
    if chromosomes.fields is None:
        return next(protocol.folds(chromosomes, protocol="clean", seed=seed))
    groups, part = protocol.apart(chromosomes.images, seed=seed), chromosomes.samples
    train, *held = (part.take(np.isin(part.group, one)) for one in groups)
    return protocol.Split("clean", 0, train, *map(data.boxed, held))


def prepared(images, *, upright, real):
    """The chromosomes of a source; of fields, once more as a finder boxes them."""
    rng = streams.stream(0, f"beside {images.source}")
    return data.prepared(images, upright=upright, real=real, rng=rng)


def _named(part, i):
    """A part whose names say which source they are of."""
    names = {
        name: np.char.add(f"{i}/", getattr(part, name))
        for name in ("image", "group", "cell")
    }
    return dataclasses.replace(part, **names)


def _together(parts):
    found, *rest = parts
    for part in rest:
        found = found.concatenate(part)
    return found


def _balanced(parts):
    """All parts, the smaller ones repeated."""
    most = max(map(len, parts)) / 2
    rows = [np.resize(np.arange(len(p)), max(len(p), round(most))) for p in parts]
    return _together([p.take(row) for p, row in zip(parts, rows, strict=True)])


def save(
    file,
    model,
    learned,
    *,
    seed=0,
    before=None,
    further=lambda model: {},
):
    """Write the model with its scores on the cells of each source that stayed out.

    `learned` has the Split and the Chromosomes of each source; `before` are facts of
    what it went on from, `further` ones what that says of the model. Its weights are
    rounded to half precision first, which halves the file.
    """
    splits = [split for split, _ in learned]
    validation = _together([_named(s.validation, i) for i, s in enumerate(splits)])
    _calibrate(model, validation)
    model.set_weights([w.astype(np.float16).astype("f4") for w in model.get_weights()])
    held = predict.views(model, validation.x, upright=False)
    held = predict.predictions(validation, held, source="validation")
    more, sources = further(model), [source for _, source in learned]
    penalty = more.get("penalty") or assign.choose_penalty(held)
    scores = [
        score
        for split, source in learned
        for score in _scored(model, split, source, penalty, seed)
    ]
    facts = {
        "study": "shruti",
        "unit": "chromosome",
        "classes": records.CLASSES,
        "source": " and ".join(each.images.source for each in sources),
        "provenance": "real" if any(each.real for each in sources) else "synthetic",
        "n": sum(len(data.boxed(split.train)) for split in splits),
        "groups": sum(len(set(split.train.group)) for split in splits),
        "seed": seed,
        store.JUDGED: store.judged(
            {source.images.source: split.test.group for split, source in learned}
        ),
        **(before or {"weights": weights.NOWHERE.sentence}),
        "model": experiment.OURS,
        "protocol": "clean",
        "view": "straight",
        "penalty": penalty,
        "most wrong": _most_wrong(held, penalty),
        "scores": scores,
        "limits": LIMITS,
    }
    return store.save(model, file, facts | more)


def finder(root):
    """The detector that is shipped, what its card says, and the name of its file."""
    file = predicting.shipped(root, "hamza", suffix=detectors.SUFFIX, option="finder")
    return *detectors.load(file), file.name


def found(fields, finder, seed, model):
    """What names weigh beside the score of a finder, and the price of a copy more or
    fewer under which most chromosomes that it finds are named rightly: by validation
    fields of metaphases; nothing where it may know them."""
    find, cells = functools.partial(finding.searched, finder=finder), []
    for images in fields:
        _, held, test = protocol.apart(images, seed=seed)
        if not store.knows(finder[1], images.source, test, seed):
            images = images.take(np.isin(images.group, held))
            cells += naming.known(naming.Namer(model, {}, ""), images, find)
    return naming.fitted(cells) if cells else {}


def _most_wrong(held, penalty):
    """The errors that seven in ten validation cells expect, at most."""
    named = assign.cells(held, penalty=penalty).assigned
    place = [held.classes.index(label) for label in named]
    doubt = 1 - held.probability[np.arange(len(place)), place]
    cells = assign.members(held.group, held.cell)
    return round(float(np.quantile([doubt[one].sum() for one in cells], KEPT)), 2)


def _scored(model, split, source, penalty, seed):
    """What the model scores on cells of a source that stayed out."""
    said = predict.predictions(
        split.test,
        predict.views(model, split.test.x, upright=False),
        source=source.images.origin,
        study="shruti",
        model=experiment.OURS,
        protocol="clean",
        seed=seed,
    )
    rng = streams.stream(seed, f"shipped {source.images.source}")
    found = experiment.score(assign.cells(said, penalty=penalty), rng=rng)
    return [one for one in found if one.quantity in SCORES]


def _calibrate(model, validation):
    """Divide the logits by the temperature that fits validation images best."""
    held = predict.views(model, validation.x, upright=False)
    said = predict.predictions(validation, held, source="validation")
    last = model.get_layer("logits")
    heat = calibration.temperature(said)
    last.set_weights([one / heat for one in last.get_weights()])
