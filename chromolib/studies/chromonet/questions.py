"""What is asked of the trained networks: what they miss, where they look, how sure.

All take an `experiment.Experiment`, or several, and give Estimates or what a figure
shows.
"""

import dataclasses

import numpy as np
import pandas as pd

from chromolib.evidence import (
    calibration,
    claims,
    conformal,
    metrics,
    pointing,
    resample,
)
from chromolib.models import predict, saliency
from chromolib.studies import headline
from chromolib.studies.chromonet import data, experiment, network, protocol

NORMAL, ABNORMAL = data.LABELS
CALLED = "called abnormal"
TRUE, RANDOM = {"labels": "true"}, {"labels": "random"}
SHAM, REAL = {"against": "shams"}, {"against": "normal", "kind": "real gain"}
LEAD = "difference in accuracy"
POINT = tuple(f"difference from {rival}" for rival in pointing.RIVALS)
QUESTIONS = (  # question, quantities, protocol, conditions, what is asked of them
    ("Do random labels score chance?", "balanced accuracy", "clean", RANDOM, "at"),
    ("Do random labels score chance?", "balanced accuracy", "published", RANDOM, "at"),
    ("Is it better than chance?", "balanced accuracy", "published", TRUE, "above"),
    (
        "… on groups not seen?",
        "balanced accuracy",
        "published",
        TRUE | {"tested": "unseen"},
        "above",
    ),
    ("Is it better than chance?", "balanced accuracy", "clean", TRUE, "above"),
    ("Is it better than every other model?", LEAD, "clean", TRUE, "lead"),
    ("Are shams told?", "AUROC of abnormal", "clean", TRUE | SHAM, "above"),
    ("Are real extra copies told?", "AUROC of abnormal", "clean", TRUE | REAL, "above"),
    ("Does Grad-CAM point?", POINT, "clean", TRUE | {"map": "Grad-CAM"}, "lead"),
    ("Does occlusion point?", POINT, "clean", TRUE | {"map": "occlusion"}, "lead"),
)
SINGLE, UNSEEN = {"unit": "chromosome", "labels": "true"}, {"tested": "unseen"}
HEADLINE = headline.Headline(
    claim="chromonet-accuracy",
    score="accuracy on single chromosomes",
    picks={
        headline.PUBLISHED: [("accuracy", experiment.CHROMONET, "published", SINGLE)],
        headline.UNSEEN: [
            ("accuracy", experiment.CHROMONET, "published", SINGLE | UNSEEN)
        ],
        headline.CLEAN: [("accuracy", experiment.CHROMONET, "clean", SINGLE)],
    },
    meaning="Half of the answers are right by chance. What the paper's protocol adds "
    "to that is mostly what copies of the same image tell each other.",
)
DEALT = SINGLE | RANDOM
EXERCISES = (  # what is asked, the estimates that answer it, and what they mean
    (
        "Split by image instead: what rises?",
        {
            "by image": ("accuracy", experiment.CHROMONET, "published", SINGLE),
            "by group": ("accuracy", experiment.CHROMONET, "clean", SINGLE),
        },
        "The score rises and the network is no better: what it gains it has seen, "
        "turned and shifted, in training.",
    ),
    (
        "Deal the labels at random: what remains?",
        {
            "by image": ("accuracy", experiment.CHROMONET, "published", DEALT),
            "by group": ("accuracy", experiment.CHROMONET, "clean", DEALT),
        },
        "Nothing can be learned of such labels. What is left above a half by image is "
        "what copies give away; by group there is nothing.",
    ),
)
APART = {"unit", "labels", "tested"}  # conditions that scores are told apart by
PATCH, STEP = 12, 6  # pixels of an occlusion
PRINTED = {
    "accuracy": "accuracy",
    "f1": "F1 of abnormal",
    "precision": "precision of abnormal",
    "recall": "recall of abnormal",
}


def counts(grid):
    """How many images of each label train and test: protocol -> frame."""
    paper = {"paper": pd.DataFrame(protocol.COUNTS).T}
    ours = {
        trained.split.protocol: pd.DataFrame(trained.split.counts).T
        for trained in grid.trained
        if trained.split.labels == "true"
    }
    return paper | ours


def parts(split):
    """How many images and groups each part of a split has, and how many abnormal."""
    named = {"train, augmented": split.train, "validation": split.validation}
    return pd.DataFrame(
        {
            "part": name,
            "images": len(part),
            "groups": len(set(part.group)),
            "abnormal": int((part.label == ABNORMAL).sum()),
        }
        for name, part in (named | {"test": split.test}).items()
    )


def scores(grids):
    """Accuracy of ChromoNet by unit and protocol: true labels, random ones, unseen."""
    return [
        estimate
        for grid in grids
        for estimate in grid.estimates
        if (estimate.quantity, estimate.model) == ("accuracy", experiment.CHROMONET)
        and set(estimate.conditions) <= APART
    ]


def kept_scores(estimates):
    """Balanced accuracy of the full results that are kept, as `scores` of a run."""
    return [
        estimate
        for estimate in estimates
        if (estimate.quantity, estimate.model)
        == ("balanced accuracy", experiment.CHROMONET)
        and set(estimate.conditions) <= {*APART, "seeds"}
    ]


def drawn(scores):
    """The same for a figure: of which images, and under which condition if any."""
    found = []
    for one in scores:
        own = one.conditions
        under = "random labels" if own["labels"] == "random" else ""
        under = f"{own['tested']} groups" if "tested" in own else under
        own = own | {"images": f"{own['unit']}, {one.source}", "under": under}
        found.append(dataclasses.replace(one, conditions=own))
    return found


def curves(grid):
    """The history of each training on true labels, by model and protocol."""
    return {
        f"{trained.model}, {trained.split.protocol}": trained.history
        for trained in grid.trained
        if trained.split.labels == "true"
    }


def paper_tables(grids, audits):
    """Tables 1 and 2 of the paper with ours in further columns."""
    rows = [
        _paper_row(grid, model, score, claims.pick(audits, f"chromonet-{claim}")[0])
        for grid in grids
        for model, prefix in ((experiment.CHROMONET, ""), ("traditional", "old-"))
        for score, claim in ((s, prefix + name) for name, s in PRINTED.items())
    ]
    return pd.DataFrame(rows).fillna("").assign(source=grids[0].source)


def four(grid):
    """The paper's four scores of both its models, by protocol, each a condition."""
    true = {"unit": grid.images.unit, "labels": "true"}
    return [
        dataclasses.replace(one, conditions=true | {"score": name}, quantity="score")
        for name in PRINTED.values()
        for one in grid.estimates
        if one.model in (experiment.CHROMONET, experiment.TRADITIONAL)
        and (one.quantity, one.conditions) == (name, true)
    ]


def _paper_row(grid, model, score, audit):
    true = {"unit": grid.images.unit, "labels": "true"}
    ours = {}
    for estimate in grid.estimates:
        if (estimate.model, estimate.quantity) != (model, score):
            continue
        if estimate.conditions == true:
            ours[estimate.protocol] = str(estimate)
        elif estimate.conditions == true | {"tested": "unseen"}:
            ours[f"{estimate.protocol}, unseen"] = str(estimate)
    sources = grid.trained[0].split.drawn
    row = {"unit": grid.images.unit, "sources": sources, "model": model}
    return row | {"score": score, "paper": audit.claim.value} | ours


def kinds(grids, *, rng):
    """How often unseen images of each kind are called abnormal, unit by unit.

    After edited cells come real ones with a copy too many, where a source has some.
    """
    return [
        estimate
        for grid in grids
        for estimate in (*_kinds(grid, rng), *_natural_called(grid, rng))
    ]


def _kinds(grid, rng):
    predictions, kind = grid.unseen, grid.images.kind
    abnormal = predictions.truth == ABNORMAL
    called = (predictions.label == ABNORMAL) * 1.0
    names = sorted(set(kind), key=lambda name: (name not in set(kind[abnormal]), name))
    encoded = resample.encode(predictions)
    tally = resample.rates(
        names,
        encoded.totals(*(called * (kind == name) for name in names)),
        encoded.totals(*((kind == name) * 1.0 for name in names)),
    )
    shares = resample.estimates(predictions.words, [tally], rng=rng)
    return [
        dataclasses.replace(
            share,
            quantity=CALLED if abnormal[kind == name].any() else "false alarm",
            conditions=share.conditions | {"kind": name},
        )
        for name, share in shares.items()
    ]


def shams(grids, *, rng):
    """How well abnormal images are told from shams alone; nothing without shams.

    And how well real cells with a copy too many are told from all normal ones.
    """
    return [
        estimate
        for grid in grids
        for estimate in (*_shams(grid, rng), *_natural_told(grid, rng))
    ]


def _shams(grid, rng):
    sham = grid.images.details.extra["sham"] == "yes"
    if not sham.any():
        return []
    predictions = grid.unseen.take(sham | (grid.unseen.truth == ABNORMAL))
    return measured(predictions, "AUROC of abnormal", rng=rng, against="shams")


def _natural_called(grid, rng):
    """The share of real cells with a copy too many that is called abnormal."""
    if grid.images.natural is None:
        return []
    predictions = _predict(grid, grid.images.natural, kind="real gain")
    (estimate,) = metrics.measure(predictions, "recall of abnormal", rng=rng).values()
    return [dataclasses.replace(estimate, quantity=CALLED)]


def _natural_told(grid, rng):
    images = grid.images
    if images.natural is None:
        return []
    normal = images.unseen.take(images.unseen.label == NORMAL)
    both = images.natural.concatenate(normal)
    predictions = _predict(grid, both, kind="real gain")
    return measured(predictions, "AUROC of abnormal", rng=rng, against="normal")


def _predict(grid, part, **conditions):
    """What the network that counts predicts of other images."""
    words = grid.unseen.words
    words = words | {"conditions": words["conditions"] | conditions}
    return predict.predict(grid.chromonet().network, part, **words)


def measured(predictions, *names, rng, **conditions):
    """Some scores, with further conditions."""
    conditions = predictions.conditions | conditions
    predictions = dataclasses.replace(predictions, conditions=conditions)
    return list(metrics.measure(predictions, *names, rng=rng).values())


def confidence(grid, *, rng, alpha=0.1):
    """What the validation part can mend, of the clean network alone: Estimates.

    Scores of its confidence as it is and at a temperature, and how often sets that
    should miss one truth in ten of each label hold it.
    """
    if grid.protocol != "clean":
        return []
    predictions, validation = grid.pick(), grid.chromonet().split.validation
    known = predict.predict(grid.chromonet().network, validation, **predictions.words)
    scaled = calibration.temperature_scaled(predictions, calibration.temperature(known))
    sets = conformal.sets(predictions, calibration=known, alpha=alpha, by_class=True)
    conditions = predictions.conditions | {"miss": f"{alpha:g}"}
    judged = dataclasses.replace(predictions, conditions=conditions)
    as_it_is = [
        estimate
        for estimate in grid.estimates
        if estimate.quantity in ("NLL", "ECE") and _is_of(estimate, predictions)
    ]
    return [
        *as_it_is,
        *measured(scaled, "NLL", "ECE", rng=rng, cooled=""),
        *conformal.coverage(judged, sets, rng=rng).values(),
    ]


def _is_of(estimate, predictions):
    words = ("model", "protocol", "conditions", "source")
    return all(getattr(estimate, w) == getattr(predictions, w) for w in words)


def wrong(grid, most):
    """The surest errors, and what to write under them: (pictures, captions)."""
    predictions, test = grid.pick(), grid.chromonet().split.test
    errors = np.flatnonzero(predictions.truth != predictions.label)
    order = np.argsort(predictions.uncertainty[errors], kind="stable")
    chosen = errors[order][:most]
    captions = [
        {"truth": predictions.truth[i], "predicted": predictions.label[i]}
        for i in chosen
    ]
    return test.x[chosen], captions


def examples(images, each):
    """Some unseen images of both labels, and their kinds: (pictures, captions)."""
    label = images.unseen.label
    rows = [np.flatnonzero(label == name)[:each] for name in data.LABELS]
    chosen = np.concatenate(rows)
    captions = [{"label": label[i], "kind": images.kind[i]} for i in chosen]
    return images.unseen.x[chosen], captions


def inspected(grid):
    """Unseen images with all that is known of them: arguments of the inspector."""
    images, model = grid.images, grid.chromonet().network
    x, boxes = images.unseen.x, images.boxes
    rival = experiment.TRADITIONAL if grid.protocol == "clean" else None
    return {
        "predictions": grid.unseen,
        "images": x,
        "other": grid.pick(model=rival) if rival else None,
        "boxes": [one if len(one) else None for one in boxes],
        "facts": {"kind": images.kind},
        "saliency": lambda rows: saliency.grad_cam(
            model, x[np.asarray(rows)], 1, layer=network.LAST
        ),
    }


def look(grid, *, show, most, rng):
    """Where it looks on unseen abnormal images: (some for a figure, Estimates).

    Of images whose abnormality has one known place where there are any; of a lab's own,
    whose places nobody marked, any abnormal ones, and no Estimates. The figure has the
    maps of Grad-CAM; Estimates are of occlusion as well.
    """
    images, boxes = grid.images, grid.images.boxes
    abnormal = np.flatnonzero(images.unseen.label == ABNORMAL)
    marked = [i for i in abnormal if len(boxes[i]) == 1]
    chosen = np.sort(rng.permutation(marked or abnormal)[:most])
    seen = images.unseen.take(chosen)
    maps = _maps(grid.chromonet().network, seen.x)
    figure = {"images": seen.x[:show], "maps": maps["Grad-CAM"][:show]}
    if not marked:
        return figure | {"boxes": [None] * len(figure["images"])}, []
    xyxy = np.array([boxes[i].xyxy[0] for i in chosen])
    estimates, words = [], grid.unseen.words
    for name, each in maps.items():
        own = words | {"conditions": words["conditions"] | {"map": name}}
        about = seen.x, seen.group
        estimates += pointing.game(each, xyxy, *about, rng=rng, words=own).values()
    return figure | {"boxes": xyxy[:show]}, estimates


def _maps(model, x):
    """Name -> maps of what speaks for an abnormality."""
    return {
        "Grad-CAM": saliency.grad_cam(model, x, 1, layer=network.LAST),
        "occlusion": saliency.occlusion(model, x, 1, patch=PATCH, step=STEP),
    }
