"""Every leak probe that a set of images allows, under every protocol."""

import dataclasses

import numpy as np

from chromolib import records
from chromolib.data import duplicates, leakage, pixels, splits

TEST = 0.2  # share of images in the test part


def leaks(images, *, rng, protocols, external=None, seed=0, **label):
    """All probes that apply, as `Leak` records: split by split, then the set itself.

    `rng` makes a generator from a purpose, as `run.rng` does. None for `images` (the
    synthetic lab, which has none yet) gives nothing.
    """
    if images is None:
        return []
    prints = duplicates.fingerprints(images.pixels)
    words = {"seed": seed, **label}
    found = []
    for condition, split in _splits(images, protocols, seed):
        told = {"protocol": split.protocol, "condition": condition, **words}
        found += _of_split(images, split, prints, rng, told)
    found += _of_set(images, rng, {"protocol": "whole set", **words})
    if external is not None:
        found += _between(images, external, prints, rng, words)
    return found


def _splits(images, protocols, seed):
    for protocol in protocols:
        split = splits.divide(images, protocol=protocol, test=TEST, seed=seed)
        yield f"test={TEST}", split
    if "published" in protocols and "test" in images.extra.get("part", ()):
        yield "split=shipped", splits.shipped(images)


def _of_split(images, split, prints, rng, told):
    parts, purpose = (images, split.train, split.test), f"{split.protocol} probes"
    return [
        leakage.group_overlap(*parts, rng=rng(purpose), **told),
        leakage.exact_copies(*parts, rng=rng(purpose), **told),
        leakage.near_copies(*parts, rng=rng(purpose), prints=prints, **told),
        leakage.random_labels(*parts, rng=rng(purpose), prints=prints, **told),
        *(
            [leakage.position_only(*parts, rng=rng(purpose), **told)]
            if images.boxes
            else []
        ),
    ]


def _of_set(images, rng, told):
    found = []
    _, size = np.unique(images.cell, return_counts=True)
    if (size > 1).sum() > 1:
        found.append(leakage.cell_identity(images, rng=rng("cells"), **told))
    if images.boxes:
        found.append(leakage.always(images, rng=rng("always"), **told))
    labels = _diagnosis(images)
    known = labels != ""
    if len(set(labels[known])) > 1:
        asked = images.take(known), labels[known]
        found.append(leakage.ink_area(*asked, rng=rng("ink"), **told))
        found.append(leakage.source_only(*asked, rng=rng("origin"), **told))
        if images.boxes:
            found.append(leakage.count_only(*asked, rng=rng("count"), **told))
    return found


def _diagnosis(images):
    """What a diagnosis would be of: the status, else a label that is no chromosome.

    The area of a chromosome rightly tells its class; it should not tell its health.
    """
    if "status" in images.extra and (images.extra["status"] != "").any():
        return images.extra["status"]
    if set(images.label) & set(records.CLASSES):
        return np.full(len(images), "")
    return images.label


def _between(images, external, prints, rng, words):
    """Whether the images that judge have copies among those that train."""
    both = dataclasses.replace(
        external,
        name=np.concatenate([np.char.add("0/", images.name), external.name]),
        label=np.concatenate([images.label, external.label]),
        group=np.concatenate([np.char.add("0/", images.group), external.group]),
        cell=None,
        pixels=pixels.pack([*images.pixels, *external.pixels]),
        boxes=None,
        extra={},
    )
    train, test = np.arange(len(images)), np.arange(len(images), len(both))
    told = {"protocol": "external", "condition": f"train={images.source}", **words}
    return [
        leakage.exact_copies(both, train, test, rng=rng("external"), **told),
        leakage.near_copies(both, train, test, rng=rng("external"), **told),
    ]
