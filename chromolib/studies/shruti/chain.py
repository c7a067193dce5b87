"""The chain of the report, from a metaphase to its karyotype: what each stage loses.

`metaphases(run, count)` -> ImageSet with boxes: the run's, its second source's or drawn
`divided(images, seed=)` -> Parts: who trains, who chooses, who tests
`run(run, parts, sizes=)` -> Chain: the estimates, and the fields with what was found
`told(truth, named)` -> what became of the boxes of a field
`report(run, field, namer)` -> the page that `chromolib karyotype` writes of it

# Strategy: each stage is asked with the truth before it and with what the stage before
it made. True boxes and our names show what naming loses, found boxes and true names
what finding loses, and both together what a laboratory would have.
"""

import dataclasses
import functools
import json
import pathlib
import tempfile
import types

import numpy as np
import PIL.Image
from IPython import display

from chromolib import records, streams
from chromolib.detect import (
    augmentation,
    data,
    families,
    scores,
    training,
    unet,
    views,
)
from chromolib.karyotype import fields, finding, folder, judged, naming
from chromolib.models import small
from chromolib.models import store as models
from chromolib.runs import rows
from chromolib.studies import predicting
from chromolib.studies.shruti import data as sets
from chromolib.studies.shruti import protocol, shipping
from chromolib.synth import lab
from chromolib.synth import sets as drawing

TRUE, UNLEARNED, SHIPPED = "true boxes", "segmentation", "Faster R-CNN, shipped"
PAINTED = "learned segmentation"
FAMILIES = {"Tiny YOLO": families.yolo_tiny, "YOLO v2": families.yolo_v2}
TRULY, ALONE, JOINTLY = "truly", "one by one", "a cell jointly"
RATE = 2e-3  # of the detectors
LEVELS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)  # of the score, that validation chooses among
CHOOSING = 60  # validation fields that do
DRAWN = 1000  # added to the seed of drawn fields: other cells than those that test


@dataclasses.dataclass(frozen=True)
class Sizes:
    """How large it is; nothing else may depend on the profile."""

    steps: int = 2_400  # that the classifier goes on for; 0: the shipped one as it is
    looks: int = 7_320  # of each detector at real fields; 0: the shipped one alone
    side: int = 320  # pixels that they see
    trunk: str = "small"  # of YOLO v2; resnet50, as printed, takes a graphics card
    painted: int = 800  # steps of the learned segmentation; 0: none
    drawn: int = 160  # fields that it learns from, all drawn
    field: int = 512  # pixels of their sides
    fields: int | None = None  # that test, all unless given


@dataclasses.dataclass(frozen=True, eq=False)
class Parts:
    """Metaphases by what they are for; no group is in two parts."""

    images: records.ImageSet
    train: np.ndarray  # (n,) bool, likewise the others
    validation: np.ndarray
    test: np.ndarray


@dataclasses.dataclass(frozen=True, eq=False)
class Chain:
    """What it made of unseen metaphases, and one of them from picture to names."""

    estimates: list
    shown: tuple  # fields.Field, its true Boxes and naming.Named
    namer: naming.Namer


def metaphases(run, count):
    """Those of the run's source, else of its second one, else so many drawn ones."""
    for images in (run.images, run.external):
        if images is not None and sets.whole(images):
            return images
    return drawing.metaphases(lab.cells(count, look="field", seed=run.given("seed")))


def divided(images, *, seed):
    """A sixth of the groups tests, and of the others a share chooses."""
    groups = protocol.apart(images, seed=seed)
    return Parts(images, *(np.isin(images.group, one) for one in groups))


def run(run, parts, *, sizes):
    """Every chain on the test fields; what is done is kept in the run's folder."""
    images = parts.images.take(np.flatnonzero(parts.test)[: sizes.fields])
    if parts.images is run.external:  # which only tests
        sizes = dataclasses.replace(sizes, steps=0, looks=0)
    several, namer = [*fields.of(images)], _namer(run, parts, sizes)
    finders, made = {TRUE: None} | _finders(run, parts, sizes), []
    words = run.label | {"source": images.origin, "protocol": "clean"}
    for name, find in finders.items():
        asked = several, find, namer
        for way, rows_ in _kept(run, name, images, asked, sizes).items():
            own = words | {"model": name, "weights": "none"}
            own |= {"conditions": {"named": way}}
            how = {"group": images.group, "rng": run.rng(f"chain {name} {way}")}
            made += judged.estimates(rows_, words=own, **how).values()
    usual = finders.get(SHIPPED, finding.find)
    return Chain(run.record_all(made), _first(several, images, usual, namer), namer)


def _first(several, images, find, namer):
    """The first field of which a finder makes something, from picture to names."""
    for field, truth in zip(several, images.boxes, strict=True):
        if found := _found(field, find):
            return field, truth, naming.name(namer, found)
    raise fields.FieldsError(f"{images.source}: no chromosome found on any test field")


def _kept(run, name, images, asked, sizes):
    """Way of naming -> a row a field: from the folder, or made now and kept."""
    *_, namer = asked
    word = f"{name} {namer.facts['sha256'][:8]}".replace(" ", "-").replace(",", "")
    file = run.folder / "rows" / f"chain-{word}.npz"
    these = {"test": types.SimpleNamespace(image=images.name)}
    kept = rows.read(file, these, sizes)
    if kept is None:
        kept = {"told": np.array(json.dumps(_made(name, images, *asked)))}
        rows.write(file, these, kept, sizes)
    return json.loads(str(kept["told"]))


def _made(name, images, several, find, namer):
    """The same, made now."""
    if find is None:
        pairs = zip(several, images.boxes, strict=True)
        found = [finding.drawn(field, _plain(boxes)) for field, boxes in pairs]
    else:
        found = [_found(one, find) for one in several]
    named = [one and naming.name(namer, one, rename=True) for one in found]
    sure = [
        naming.name(namer, one.alone, rename=True) if one and one.least else said
        for one, said in zip(found, named, strict=True)
    ]  # where nothing is in doubt, both are the same
    ways = {TRULY: sure, ALONE: sure, JOINTLY: named}
    if name == TRUE:
        del ways[TRULY]
    return {way: _told(images.boxes, said, way) for way, said in ways.items()}


def told(truth, named):
    """What became of the boxes of a field, as figures have it."""
    return scores.told(truth, dataclasses.replace(named.found.boxes, label=named.label))


def report(run, field, namer):
    """A link to what the command makes of a field: a page in the run's folder."""
    out = run.folder / "karyotypes"
    with tempfile.TemporaryDirectory() as place:
        file = pathlib.Path(place) / "metaphase.png"
        PIL.Image.fromarray(field.grey).save(file)
        finder = shipping.finder(run.root)
        done = folder.run(fields.listed([file], out), out, namer, finder=finder)
    return display.HTML(
        f'<a href="{done.report.relative_to(run.folder)}">The report of this metaphase'
        "</a>, as <code>chromolib karyotype</code> writes it: every chromosome with "
        "what else it may be, and why a person should look."
    )


def _plain(boxes):
    """The boxes alone, as a detector gives them."""
    return records.Boxes(boxes.xyxy, np.full(len(boxes), ""))


def _found(field, find):
    """What a finder sees; nothing where the field is refused."""
    try:
        return find(field)
    except fields.Refused:
        return None


def _told(truth, named, way):
    """A row a field, where found chromosomes have these names."""
    made = []
    for true, said in zip(truth, named, strict=True):
        if said is None:
            nothing = records.Boxes(np.zeros((0, 4)), np.zeros(0, str))
            made.append(judged.row(true, nothing, [], wrong=len(true)))
            continue
        label = said.label
        if way == ALONE:
            label = np.array(records.CLASSES)[said.probability.argmax(1)]
        if way == TRULY:
            label, pairs = label.copy(), scores.match(true, said.found.boxes)
            label[pairs.found] = true.label[pairs.truth]
        made.append(judged.row(true, said.found.boxes, label, wrong=said.wrong))
    return made


def _namer(run, parts, sizes):
    """A classifier of karyograms, gone on with the chromosomes of fields that train."""
    first, ready = (
        predicting.shipped(run.root, "shruti", of=one)
        for one in ("chromosome", "metaphase")
    )
    if not sizes.steps:
        namer = naming.load(ready)
        return naming.load(first) if _knows(namer.facts, run, parts) else namer
    file = run.folder / f"namer-{sizes.steps}.keras"
    if not file.exists():
        network, facts = models.load(first)
        real = parts.images.provenance == "real"
        cut = shipping.prepared(parts.images, upright=False, real=real)
        seed = run.given("seed")
        split = shipping.fold(cut, seed)
        how = {"steps": sizes.steps, "rate": shipping.LEARNING, "seed": seed}
        how["checkpoint"] = run.folder / "namer"
        small.train(network, split.train.x, split.train.y, **how)
        tested = {parts.images.source: split.test.group}
        before = models.before(first, facts, tested, seed)
        images, finder = [parts.images], shipping.finder(run.root)
        weighed = functools.partial(shipping.found, images, finder, seed)
        how = {"seed": seed, "before": before, "further": weighed}
        shipping.save(file, network, [(split, cut)], **how)
    return naming.load(file)


def _parts(parts):
    return parts.train, parts.validation, parts.test


def _knows(facts, run, parts):
    """Whether a shipped model may have learned from fields that test."""
    test = parts.images.group[parts.test]
    return models.knows(facts, parts.images.source, test, run.given("seed"))


def _finders(run, parts, sizes):
    """Name -> what finds the chromosomes of a field."""
    made, finder = {UNLEARNED: finding.find}, shipping.finder(run.root)
    if sizes.painted:
        network = _painter(run, sizes)
        made[PAINTED] = functools.partial(finding.painted, network=network)
    if not _knows(finder[1], run, parts):
        made[SHIPPED] = _searching(*finder)
    if not sizes.looks:
        return made
    shown = data.unnamed(data.fields(parts.images, "metaphase", side=sizes.side))
    train, validation, _ = (shown.take(part) for part in _parts(parts))
    for name, family in FAMILIES.items():
        model = _detector(run, name, family, train, validation, sizes)
        sure = _enough(model, validation.take(slice(CHOOSING)))
        made[name] = _searching(model, {"sha256": "of this run"}, name, sure=sure)
    return made


def _searching(*finder, sure=finding.SURE):
    return functools.partial(finding.searched, finder=finder, sure=sure)


def _painter(run, sizes):
    """The learned segmentation: kept, or learned now from drawn fields."""
    seed, network = run.given("seed"), unet.unet(sizes.field)
    file = run.folder / "rows" / "learned-segmentation.npz"
    if (kept := rows.read(file, {}, sizes)) is not None:
        rows.fill(network, kept)
        return network
    cells = lab.cells(sizes.drawn, look="field", seed=seed + DRAWN)
    drawn = drawing.metaphases(cells, size=sizes.field)
    seen = unet.targets(drawn, sizes.field)
    network = unet.learned(*seen, steps=sizes.painted, seed=seed)
    rows.write(file, {}, rows.weights(network), sizes)
    return network


def _detector(run, name, family, train, validation, sizes):
    """A detector of any chromosome: kept, or learned now."""
    seed = run.given("seed")
    how = {"trunk": sizes.trunk} if family is families.yolo_v2 else {}
    model = family(
        data.UNNAMED,
        sizes.side,
        seed=streams.seed_of(seed, name),
        augmentation=augmentation.usual(seed=seed),
        **how,
    )
    file = run.folder / "rows" / f"{name.replace(' ', '-')}.npz"
    kept = rows.read(file, {"train": train}, sizes)
    if kept is None:
        few = validation.take(slice(training.WATCHED))
        training.learned(model, train, few, looks=sizes.looks, rate=RATE)
        kept = rows.weights(model)
        rows.write(file, {"train": train}, kept, sizes)
    rows.fill(model, kept)
    return model


def _enough(model, validation):
    """The score from which boxes are taken, by F1 on validation fields."""
    found = views.predict(model, validation.seen)

    def right(level):
        sure = (one.take(one.score >= level) for one in found)
        pairs = map(scores.match, validation.truth, sure)
        return scores.detection(pairs).f1

    return max(LEVELS, key=right)
