"""What else is asked of the networks of a trial: where they look, what they miss.

All take an `asking.Asked`, or several, and give Estimates or what a figure shows.
"""

import dataclasses

import numpy as np

from chromolib import records
from chromolib.evidence import calibration, conformal, metrics, pointing, resample
from chromolib.models import pictures, saliency
from chromolib.studies.chromonet import experiment, protocol

CALLED = "called abnormal"
PATCH, STEP = 12, 6  # pixels of an occlusion
LAYER = "trunk_relu8"  # the last maps of a network before they are pooled


def kinds(asks, *, rng):
    """How often unseen images of each kind are called abnormal, unit by unit.

    Beside edited cells stand real ones with a copy too many, where a source has some.
    """
    return [one for a in asks for one in (*_kinds(a, rng), *_natural(a, rng, "called"))]


def _kinds(asked, rng):
    said = _unseen(asked)
    kind = asked.images.extra["kind"]
    named = {True: CALLED, False: "false alarm"}
    ill, called = (
        said.truth == experiment.LABELS[1],
        (said.label == experiment.LABELS[1]) * 1.0,
    )
    numbered = resample.number(said)
    names = sorted(set(kind), key=lambda name: (name not in set(kind[ill]), name))
    which = [kind == name for name in names]
    tally = resample.shares(
        names,
        numbered.each(*(called * mask for mask in which)),
        numbered.each(*(mask * 1.0 for mask in which)),
    )
    found = resample.estimates(said, [tally], rng=rng)
    return [
        dataclasses.replace(
            one,
            quantity=named[bool(ill[kind == name].any())],
            conditions=one.conditions | {"kind": name},
        )
        for name, one in found.items()
    ]


def shams(asks, *, rng):
    """How well abnormal images are told from shams alone; nothing without shams.

    And how well real cells with a copy too many are told from all normal ones.
    """
    return [one for a in asks for one in (*_shams(a, rng), *_natural(a, rng, "told"))]


def _shams(asked, rng):
    said = _unseen(asked)
    sham = asked.images.extra["sham"] == "yes"
    if not sham.any():
        return []
    kept = said.take(sham | (said.truth == experiment.LABELS[1]))
    kept = dataclasses.replace(kept, conditions=said.conditions | {"against": "shams"})
    return list(metrics.measure(kept, "AUROC of abnormal", rng=rng).values())


def _natural(asked, rng, which):
    """What the network says of real abnormal cells that nobody edited: Estimates."""
    found = asked.natural
    if found is None:
        return []
    known = set(asked.whole.group)
    found = found.take(~np.isin(found.group, list(known)))
    if not len(found):
        return []
    shown = pictures.of(found, asked.unit, asked.scale)
    part = protocol.Part(shown, found.label, found.group, found.name)
    normal = asked.unseen.take(asked.unseen.label == experiment.LABELS[0])
    if which == "told":
        part = part.join(normal)
    network = asked.trial.networks[asked.protocol]
    words = asked.words | {"protocol": asked.protocol}
    seen = (
        *records.write_conditions(_unseen(asked).conditions).split(";")[1:],
        "kind=real gain",
    )
    extra = (*seen, "against=normal") if which == "told" else seen
    said = experiment.ask(network, part, words, asked.unit, *extra)
    name = "recall of abnormal" if which == "called" else "AUROC of abnormal"
    (one,) = metrics.measure(said, name, rng=rng).values()
    return [dataclasses.replace(one, quantity=CALLED) if which == "called" else one]


def sure(asked, *, rng, miss=0.1):
    """What the validation part can mend, of the clean network alone: Estimates.

    Scores of its confidence as it is and cooled by a temperature, and how often sets
    that should miss one truth in ten of each label hold it.
    """
    if "clean" not in asked.trial.networks:
        return []
    said = asked.trial.pick("ChromoNet", "clean", "labels=true")
    words = asked.words | {"protocol": "clean"}
    part, network = asked.trial.divisions["clean"], asked.trial.networks["clean"]
    known = experiment.ask(network, part.valid, words, asked.unit, "labels=true")
    cooled = calibration.cooled(said, calibration.temperature(known))
    cooled = dataclasses.replace(cooled, conditions=said.conditions | {"cooled": ""})
    sets = conformal.sets(said, calibration=known, miss=miss, by_class=True)
    held = dataclasses.replace(said, conditions=said.conditions | {"miss": f"{miss:g}"})
    names = ("NLL", "ECE")
    return [
        *(e for e in asked.found if e.quantity in names and _is_of(e, said)),
        *metrics.measure(cooled, *names, rng=rng).values(),
        *conformal.coverage(held, sets, rng=rng).values(),
    ]


def _is_of(estimate, said):
    return all(
        getattr(estimate, word) == getattr(said, word)
        for word in ("model", "protocol", "conditions", "source")
    )


def learning(asked, counts, *, rng):
    """Accuracy by the number of sources, clean; the trial itself is one of them."""
    words = asked.words | {"protocol": "clean"}
    counts = [count for count in counts if count <= len(asked.whole)]
    there = asked.sizes.sources if "clean" in asked.trial.networks else 0
    fresh = [count for count in counts if count != there]
    found = experiment.sweep(
        asked.whole, asked.unseen, fresh, **_again(asked), words=words
    )
    if there in counts:
        for name in ("ChromoNet", experiment.RIVAL):
            said = asked.trial.pick(name, "clean", "labels=true")
            conditions = said.conditions | {"sources": asked.trial.sources}
            found.append(dataclasses.replace(said, conditions=conditions))
    return [metrics.measure(one, "accuracy", rng=rng)["accuracy"] for one in found]


def readings(asked, names, *, rng):
    """AUROC of other readings of the paper's network, after that of the one taken."""
    division = asked.trial.divisions[asked.protocol]
    words = asked.words | {"protocol": asked.protocol}
    told = asked.said.conditions | {"reading": "as read"}
    found = [dataclasses.replace(asked.said, conditions=told)]
    found += experiment.readings(division, names, **_again(asked), words=words)
    name = "AUROC of abnormal"
    return [metrics.measure(one, name, rng=rng)[name] for one in found]


def wrong(asked, most):
    """The surest errors, and what to write beside them: (pictures, captions)."""
    said = asked.said
    bad = np.flatnonzero(said.truth != said.label)
    bad = bad[np.argsort(said.uncertainty[bad], kind="stable")][:most]
    captions = [{"truth": said.truth[i], "said": said.label[i]} for i in bad]
    return asked.judged.pictures[bad], captions


def examples(asked, each):
    """Some unseen images of both labels, and their kinds: (pictures, captions)."""
    label, kind = asked.unseen.label, asked.images.extra["kind"]
    chosen = [
        i for word in experiment.LABELS for i in np.flatnonzero(label == word)[:each]
    ]
    captions = [{"label": label[i], "kind": kind[i]} for i in chosen]
    return asked.unseen.pictures[chosen], captions


def browse(asked, most):
    """Unseen images to turn over, half of them mistaken: arguments of a widget."""
    said = _unseen(asked)
    right = said.truth == said.label
    half = [np.flatnonzero(part)[: most // 2] for part in (right, ~right)]
    chosen = np.sort(np.concatenate(half))
    boxes = pictures.boxes(asked.images, asked.unit, asked.scale)
    return {
        "pictures": asked.unseen.pictures[chosen],
        "predictions": said.take(chosen),
        "notes": [{"kind": asked.images.extra["kind"][i]} for i in chosen],
        "boxes": [boxes[i].xyxy[0] if len(boxes[i]) else None for i in chosen],
    }


def look(asked, *, show, most, rng):
    """Where it looks on unseen abnormal images: (some for a figure, Estimates).

    Of images whose abnormality has one known place where there are any; of a lab's own,
    whose places nobody marked, any abnormal ones, and no Estimates. The maps are those
    of Grad-CAM; Estimates are of occlusion as well.
    """
    boxes = pictures.boxes(asked.images, asked.unit, asked.scale)
    abnormal = asked.unseen.label == experiment.LABELS[1]
    known = [i for i in np.flatnonzero(abnormal) if len(boxes[i]) == 1]
    chosen = np.sort(rng.permutation(known or np.flatnonzero(abnormal))[:most])
    seen = asked.unseen.take(chosen)
    maps = _maps(asked.trial.networks[asked.protocol], seen.pictures)
    figure = {"pictures": seen.pictures[:show], "maps": maps["Grad-CAM"][:show]}
    if not known:
        return figure | {"boxes": [None] * len(figure["pictures"])}, []
    xyxy = np.array([boxes[i].xyxy[0] for i in chosen])
    found = []
    for way, each in maps.items():
        words = asked.words | {"protocol": asked.protocol, "model": "ChromoNet"}
        words["conditions"] = {"unit": asked.unit, "labels": "true", "map": way}
        about = seen.pictures, seen.group
        found += pointing.game(each, xyxy, *about, rng=rng, words=words).values()
    return figure | {"boxes": xyxy[:show]}, found


def _maps(network, shown):
    """Name -> maps of what speaks for an abnormality."""
    return {
        "Grad-CAM": saliency.grad_cam(network, shown, 1, layer=LAYER),
        "occlusion": saliency.occlusion(network, shown, 1, patch=PATCH, step=STEP),
    }


def _again(asked):
    return {"unit": asked.unit, "seed": asked.seed, "sizes": asked.sizes}


def _unseen(asked):
    """What the network that counts said of the unseen images."""
    tested = "" if asked.protocol == "clean" else ";tested=unseen"
    return asked.trial.pick("ChromoNet", asked.protocol, f"labels=true{tested}")
