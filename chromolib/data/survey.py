"""Every leak probe that a set of images allows, under every protocol."""

import dataclasses
import functools

import numpy as np

from chromolib import records
from chromolib.data import duplicates, leakage, splits

TEST = 0.2  # share of images in the test part


@dataclasses.dataclass(frozen=True)
class Survey:
    """What the probes measured, and which do not apply to this set."""

    leaks: tuple  # of leakage.Leak
    unasked: tuple  # sentences


def leaks(images, *, rng, protocols, external=None, seed=0, **words):
    """All probes that apply: to the set itself, to each split, then to `external`.

    `rng` makes a generator from a purpose, as `run.rng` does. None for `images` (the
    synthetic lab, which has none yet) gives nothing.
    """
    if images is None:
        return Survey((), ())
    words = {"seed": seed, **words}
    prints = duplicates.fingerprints(images.pixels)
    probes, unasked = list(_of_set(images, {"protocol": "whole set", **words})), []
    for conditions, split in _splits(images, protocols, seed, unasked):
        given = {"protocol": split.protocol, "conditions": conditions, **words}
        probes += _of_split(images, split, prints, given)
    if external is not None:
        conditions = {"train": images.source}
        given = {"protocol": "external", "conditions": conditions, **words}
        probe = functools.partial(leakage.copies_of, external, prints, **given)
        probes.append(("copies in external", probe))
    measured = []
    for purpose, probe in probes:
        try:
            measured.append(probe(rng=rng(purpose)))
        except leakage.LeakageError as failure:
            unasked.append(f"{purpose}: {failure}")
    if not measured:
        raise leakage.LeakageError(f"no probe applies; {'; '.join(unasked)}")
    return Survey(tuple(measured), tuple(unasked))


def _splits(images, protocols, seed, unasked):
    """A split for each protocol and the one that was shipped; or why there is none."""
    for protocol in protocols:
        try:
            split = splits.divide(images, protocol=protocol, test=TEST, seed=seed)
        except splits.SplitError as failure:
            unasked.append(f"{protocol} split: {failure}")
        else:
            yield {"test": TEST}, split
    if "published" in protocols and "test" in images.extra.get("part", ()):
        yield {"split": "shipped"}, splits.shipped(images)


def _of_split(images, split, prints, words):
    """Purpose and probe, still to be called with a generator, of one split."""

    def of(purpose, probe, **given):
        train, test = split.train, split.test
        probe = functools.partial(probe, images, train, test, **given, **words)
        return f"{purpose}, {split.protocol}", probe

    yield of("group overlap", leakage.group_overlap)
    yield of("exact copies", leakage.exact_copies)
    if images.boxes and images.provenance != "real":
        yield of("near copies", _layout)
    else:
        yield of("near copies", leakage.near_copies, prints=prints)
    yield of("random labels", leakage.random_labels, prints=prints)
    if images.boxes:
        yield of("position only", leakage.position_only)


def _layout(*_, **__):
    """Refused: a thumbnail does not see past a layout that all images share."""
    raise leakage.LeakageError("karyograms composed on one layout all look alike to it")


def _of_set(images, words):
    """Purpose and probe, still to be called with a generator, of the whole set."""

    def of(purpose, probe, *given):
        return purpose, functools.partial(probe, *given, **words)

    _, size = np.unique(images.cell, return_counts=True)
    if (size > 1).sum() > 1:
        yield of("cell identity", leakage.cell_identity, images)
    if images.boxes:
        yield of("always 46", leakage.always, images)
    labels = _diagnosis(images)
    known = labels != ""
    if len(set(labels[known])) < 2:
        return
    labelled = images.take(known), labels[known]
    yield of("ink area", leakage.ink_area, *labelled)
    yield of("source only", leakage.source_only, *labelled)
    if images.boxes:
        yield of("count only", leakage.count_only, *labelled)


def _diagnosis(images):
    """What a diagnosis would be of: the status, else a label that is no chromosome.

    The area of a chromosome rightly tells its class; it should not tell its health.
    """
    if "status" in images.extra and (images.extra["status"] != "").any():
        return images.extra["status"]
    if set(images.label) & set(records.CLASSES):
        return np.full(len(images), "")
    return images.label
