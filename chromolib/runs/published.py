"""Results that are committed: kept from finished runs, read back, pooled over seeds.

They lie in `data/results/<study>/<profile>/<source>/seed<k>/`: tables and the manifest,
no notebook, no picture, and no table with a row an image.
"""

import csv
import dataclasses
import itertools
import math
import pathlib
import shutil

from chromolib import records
from chromolib.evidence import between, resample, verdicts
from chromolib.runs import folder, results

PLACE = pathlib.Path("data") / "results"
PER_IMAGE = {"image", "group", "cell"}  # columns of a table that stays behind
APART = ("out", "data", "external_data")  # where a run lay, not what it was
KEY = ("quantity", *(w for w in records.WORDS if w not in ("seed", "conditions")))


class PublishedError(RuntimeError):
    """A run cannot be kept, or what was kept cannot be read; the message says why."""


def keep(root, outcome, *, anyway=False):
    """Copy a finished run's tables and manifest to `data/results`; returns the place.

    Refused where nobody could run it again: from an edited notebook or from files that
    are not committed, unless `anyway`. The same run kept before is replaced.
    """
    manifest = folder.manifest(outcome.folder)
    if manifest is None:
        raise PublishedError(f"{outcome.study}: no finished run lies there; run it")
    if not anyway:
        _repeatable(outcome.study, manifest)
    target = _target(root, outcome.study, manifest["parameters"])
    _same_run(target, manifest)
    _grouped(results.read_estimates(outcome.folder / "estimates.csv"), outcome.study)
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    kept = [path for path in outcome.folder.glob("*.csv") if not _per_image(path)]
    for path in [*kept, outcome.folder / folder.MANIFEST]:
        shutil.copyfile(path, partial / path.name)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    return target


def read(root, study):
    """All estimates of the study's full runs that were kept, by source and seed.

    Runs of one source that differ in more than the seed are refused.
    """
    places = (root / PLACE / study / "full").glob("*/seed*/")
    places = sorted(places, key=lambda p: (p.parent.name, len(p.name), p.name))
    for _, seeds in itertools.groupby(places, lambda place: place.parent):
        _one_experiment(list(seeds))
    found = []
    for place in places:
        try:
            found += results.read_estimates(place / "estimates.csv")
        except results.ResultsError as error:
            where = place.relative_to(root).as_posix()
            raise PublishedError(f"{where}: {error}") from error
    return found


def pooled(root, study):
    """The full results that were kept, each quantity once: the mean over its seeds.

    The interval holds both spreads, see `between.pool`. What has a single seed passes
    as it is.
    """
    groups = _grouped(read(root, study), study).values()
    return [_pooled(each) if len(each) > 1 else each[0] for each in groups]


def bars(estimates, quantity="balanced accuracy", model="ChromoNet"):
    """What a figure of the full results shows: labels, protocols, unseen groups."""
    return [
        one
        for one in estimates
        if (one.quantity, one.model) == (quantity, model)
        and set(verdicts.without_seeds(one)) <= {"unit", "labels", "tested"}
    ]


def _repeatable(study, manifest):
    if manifest.get("edited"):
        raise PublishedError(
            f"{study}: the run's cells differ from the notebook's; save the notebook, "
            "commit it and run it from the command line with --keep"
        )
    if manifest.get("dirty"):
        raise PublishedError(
            f"{study}: the run was made from files that are not committed; commit "
            "first, then run it again with --force --keep"
        )


def _target(root, study, given):
    source = given.get("source", "synthetic")
    place = root / PLACE / study / given["profile"] / source
    return place / f"seed{given['seed']}"


def _one_experiment(places):
    """Refuse runs of one source whose parameters or images differ, but for the seed."""
    first = _asked(places[0])
    for place in places[1:]:
        other = _asked(place)
        differ = [name for name in first if first[name] != other.get(name)]
        if differ:
            raise PublishedError(
                f"{place.parent.name}: {places[0].name} and {place.name} were run with "
                f"another {', '.join(differ)}; run all seeds alike and keep them again"
            )


def _asked(place):
    """What a kept run was asked, and of which images."""
    manifest = folder.manifest(place) or {}
    given = manifest.get("parameters", {})
    asked = {name: given[name] for name in given if name not in (*APART, "seed")}
    images = manifest.get("images", {})
    return asked | {
        f"images of {name}": one.get("fingerprint") for name, one in images.items()
    }


def _same_run(target, manifest):
    """Refuse to put a run in the place of one that asked something else."""
    there = (folder.manifest(target) or {}).get("parameters", {})
    given = manifest["parameters"]
    differ = [
        name for name in there if name not in APART and there[name] != given.get(name)
    ]
    if differ:
        raise PublishedError(
            f"{target.parent.name}/{target.name} holds a run with another "
            f"{', '.join(differ)}; remove that folder first, or run with the same"
        )


def _per_image(path):
    with path.open(encoding="utf-8", newline="") as file:
        heads = next(csv.reader(file), [])
    return path.name == "preds.csv" or bool(PER_IMAGE & set(heads))


def _grouped(estimates, study):
    """What each quantity was by seed; refuses one that two numbers stand for."""
    groups = {}
    for each in dict.fromkeys(estimates):
        groups.setdefault(_key(each), []).append(each)
    for found in groups.values():
        if len({each.seed for each in found}) < len(found):
            one = found[0]
            raise PublishedError(
                f"{study}: two numbers for {one.quantity!r} of {one.model!r} on "
                f"{one.source}, {one.protocol}, seed {one.seed}; tell them apart in "
                "`conditions` where they are recorded"
            )
    return groups


def _key(estimate):
    conditions = records.write_conditions(estimate.conditions)
    words = (getattr(estimate, name) for name in KEY)
    return (*words, conditions)


def _pooled(estimates):
    """One estimate of several seeds.

    Seeds may divide the data in other ways, and what a quantity is of may depend on the
    answers; the smallest counts stand. More seeds never narrow what the cases leave
    open, so the interval errs on the wide side.
    """
    least = {name: min(getattr(e, name) for e in estimates) for name in ("n", "groups")}
    same = [dataclasses.replace(each, **least) for each in estimates]
    return between.pool(same, within=_within(estimates))


def _within(estimates):
    """What a quantity can be where it is no share and `between` does not know it."""
    quantity = estimates[0].quantity
    if quantity.startswith("difference ") or quantity in resample.CEILING:
        return None
    share = all(each.low >= 0 and each.high <= 1 for each in estimates)
    return None if share else (-math.inf, math.inf)
