"""Every leak probe that a set of images allows, under every protocol."""

import dataclasses
import functools

import numpy as np

from chromolib import records
from chromolib.data import duplicates, leakage, splits

TEST = 0.2  # share of images in the test part


@dataclasses.dataclass(frozen=True)
class Survey:
    """What the probes found, and which could not be asked of this set."""

    leaks: tuple  # of leakage.Leak
    unasked: tuple  # sentences


def leaks(images, *, rng, protocols, external=None, seed=0, **label):
    """All probes that apply: split by split, then the set itself, then `external`.

    `rng` makes a generator from a purpose, as `run.rng` does. None for `images` (the
    synthetic lab, which has none yet) gives nothing.
    """
    if images is None:
        return Survey((), ())
    prints, words = duplicates.fingerprints(images.pixels), {"seed": seed, **label}
    asked, unasked = list(_of_set(images, {"protocol": "whole set", **words})), []
    for conditions, split in _divisions(images, protocols, seed, unasked):
        asked += _of_split(images, split, conditions, prints, words)
    if external is not None:
        asked.append(_between(images, external, prints, words))
    found = []
    for purpose, probe in asked:
        try:
            found.append(probe(rng=rng(purpose)))
        except leakage.LeakageError as error:
            unasked.append(f"{purpose}: {error}")
    if not found:
        raise leakage.LeakageError(f"no probe can be asked; {'; '.join(unasked)}")
    return Survey(tuple(found), tuple(unasked))


def _divisions(images, protocols, seed, unasked):
    """A split for each protocol and the one that was shipped; or why there is none."""
    for protocol in protocols:
        try:
            split = splits.divide(images, protocol=protocol, test=TEST, seed=seed)
        except splits.SplitError as error:
            unasked.append(f"{protocol} split: {error}")
        else:
            yield {"test": TEST}, split
    if "published" in protocols and "test" in images.extra.get("part", ()):
        yield {"split": "shipped"}, splits.shipped(images)


def _of_split(images, split, conditions, prints, words):
    """Purpose and probe, still to be called with a generator, for one division."""
    told = {"protocol": split.protocol, "conditions": conditions, **words}
    parts = images, split.train, split.test
    probes = {
        "group overlap": functools.partial(leakage.group_overlap, *parts, **told),
        "exact copies": functools.partial(leakage.exact_copies, *parts, **told),
        "near copies": functools.partial(
            leakage.near_copies, *parts, prints=prints, **told
        ),
        "random labels": functools.partial(
            leakage.random_labels, *parts, prints=prints, **told
        ),
    }
    if images.boxes and images.provenance != "real":
        probes["near copies"] = _layout
    if images.boxes:
        probes["position only"] = functools.partial(
            leakage.position_only, *parts, **told
        )
    return [(f"{name}, {split.protocol}", probe) for name, probe in probes.items()]


def _layout(**_):
    """Refused: a thumbnail does not see past a layout that all images share."""
    raise leakage.LeakageError("karyograms composed on one layout all look alike to it")


def _of_set(images, told):
    _, size = np.unique(images.cell, return_counts=True)
    if (size > 1).sum() > 1:
        yield (
            "cell identity",
            functools.partial(leakage.cell_identity, images, **told),
        )
    if images.boxes:
        yield "always 46", functools.partial(leakage.always, images, **told)
    labels = _diagnosis(images)
    known = labels != ""
    if len(set(labels[known])) < 2:
        return
    asked = images.take(known), labels[known]
    yield "ink area", functools.partial(leakage.ink_area, *asked, **told)
    yield "source only", functools.partial(leakage.source_only, *asked, **told)
    if images.boxes:
        yield "count only", functools.partial(leakage.count_only, *asked, **told)


def _diagnosis(images):
    """What a diagnosis would be of: the status, else a label that is no chromosome.

    The area of a chromosome rightly tells its class; it should not tell its health.
    """
    if "status" in images.extra and (images.extra["status"] != "").any():
        return images.extra["status"]
    if set(images.label) & set(records.CLASSES):
        return np.full(len(images), "")
    return images.label


def _between(images, external, prints, words):
    """Whether the images that judge have copies among those that train."""
    told = {"protocol": "external", "conditions": {"train": images.source}, **words}
    probe = functools.partial(leakage.copies_of, external, prints, **told)
    return "copies in external", probe
