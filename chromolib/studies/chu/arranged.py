"""The same unseen metaphases as karyograms, arranged by hand and by the command.

`metaphases(run, count)` -> fields with boxes: of the second source, or drawn
`karyograms(run, images)` -> way of arranging -> Samples of the same cells
`lost(run, said, source)` -> Estimates: what each network and rival says of either

# Strategy: by hand is by the true boxes and names; by the command, as `chromolib
karyotype` finds and names chromosomes. Networks and rivals are those that learned from
the run's karyograms. A cell is abnormal where its true number of copies is.
"""

import dataclasses

import numpy as np

from chromolib.cyto import assign
from chromolib.data import compose
from chromolib.detect import data as detecting
from chromolib.detect import store
from chromolib.evidence import between, metrics
from chromolib.karyotype import fields, finding, naming
from chromolib.models import samples
from chromolib.studies import predicting
from chromolib.studies.chu import data
from chromolib.synth import abnormal, sets

HAND, COMMAND = WAYS = "by hand", "by the command"
BETTER = "AUROC of abnormal"
DRAWN = 2000  # added to the seed: other patients than those of drawn karyograms


def metaphases(run, count):
    """Fields of the second source that no shipped file knows; else drawn ones, every
    second one of an abnormal patient."""
    if data.boxed(run.external):
        seed = _finder(run)[1]["seed"]
        return detecting.apart(
            run.external, detecting.UNSEEN, seed=seed, purpose="unseen"
        )[1]
    seed = run.given("seed") + DRAWN
    return sets.metaphases(abnormal.numbered(count, look="field", seed=seed)[0])


def karyograms(run, images):
    """Each field as two karyograms; an empty one where the command finds nothing."""
    namer = naming.load(predicting.shipped(run.root, "shruti", of="metaphase"))
    x, finder = {way: [] for way in WAYS}, _finder(run)
    for field, boxes in zip(fields.of(images), images.boxes, strict=True):
        x[HAND].append(_arranged(naming.name(namer, finding.drawn(field, boxes))))
        try:
            found = finding.searched(field, finder)
            x[COMMAND].append(_arranged(naming.name(namer, found)))
        except fields.Refused:
            x[COMMAND].append(np.zeros((data.SIDE, data.SIDE), np.uint8))
    odd = [any(assign.uneven(boxes.label)) for boxes in images.boxes]
    columns = np.array(data.LABELS)[np.int64(odd)], images.group, images.name
    return {
        way: samples.Samples(np.array(made)[..., None], *columns, data.LABELS)
        for way, made in x.items()
    }


def lost(run, said, source):
    """How right each model is on either, and how much more so where a hand arranged.

    `said` is a way of arranging -> Predictions of each model, in one order. Nothing is
    said of fields that are all normal, or all abnormal.
    """
    made, rng = [], run.rng("arranged")
    for hand, command in zip(*(said.get(way, ()) for way in WAYS), strict=True):
        if len(set(hand.truth)) < len(data.LABELS):
            continue
        for way, one in ((HAND, hand), (COMMAND, command)):
            own = one.conditions | {"arranged": way}
            own = dataclasses.replace(one, conditions=own, source=source)
            made += metrics.measure(own, BETTER, rng=rng).values()
        (less,) = between.paired(hand, command, BETTER, rng=rng).values()
        own = less.conditions | {"arranged": f"{HAND} - {COMMAND}"}
        own = {"model": hand.model, "source": source, "conditions": own}
        made.append(dataclasses.replace(less, **own))
    return run.record_all(made)


def _finder(run):
    file = predicting.shipped(run.root, "hamza", suffix=store.SUFFIX, option="--finder")
    return *store.load(file), file.name


def _arranged(named):
    """A karyogram of the thesis' size, as ink."""
    picture, _ = compose.karyogram(named.upright, named.label, room=compose.ROOM)
    return 255 - picture
