"""Results that are committed: copied from finished runs, read back, pooled over seeds.

They lie in `data/results/STUDY/PROFILE/SOURCE/seed0/`: tables and the manifest, no
notebook, no picture, and no table with a row an image.
"""

import csv
import dataclasses
import itertools
import math
import pathlib
import shutil

import pandas as pd

from chromolib import records
from chromolib.evidence import between, resample
from chromolib.runs import folder, parameters, results

PLACE = pathlib.Path("data") / "results"
PER_IMAGE = {"image", "group", "cell", "case"}  # columns of what is not published
KEY = ("quantity", *(w for w in records.WORDS if w not in ("seed", "conditions")))


class PublishedError(RuntimeError):
    """A run cannot be published, or its files cannot be read; the message says why."""


def keep(root, outcome):
    """Copy a finished run's tables and manifest to `data/results`; returns the place.

    Refused where nobody could run it again: from an edited notebook or from files that
    are not committed. The same run published before is replaced.
    """
    manifest = folder.manifest(outcome.folder)
    if manifest is None:
        raise PublishedError(f"{outcome.study}: there is no finished run here; run it")
    _check_repeatable(outcome.study, manifest)
    target = _target(root, outcome.study, manifest["parameters"])
    _check_same_parameters(target, manifest["parameters"])
    _by_quantity(results.read_estimates(outcome.folder / "estimates.csv"))
    partial = target.with_name(f".{target.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    tables = [path for path in outcome.folder.glob("*.csv") if not _per_image(path)]
    for path in [*tables, outcome.folder / folder.MANIFEST]:
        shutil.copyfile(path, partial / path.name)
    shutil.rmtree(target, ignore_errors=True)
    partial.rename(target)
    return target


def read(root, study):
    """All estimates of the published full runs of a study, by source and seed.

    Runs of one source that differ in more than seed and protocols are refused: each
    number says by which protocol it is.
    """
    places = (root / PLACE / study / "full").glob("*/seed*/")
    places = sorted(places, key=lambda p: (p.parent.name, len(p.name), p.name))
    for _, seeds in itertools.groupby(places, lambda place: place.parent):
        _check_one_experiment(list(seeds))
    estimates = []
    for place in places:
        try:
            estimates += results.read_estimates(place / "estimates.csv")
        except results.ResultsError as error:
            where = place.relative_to(root).as_posix()
            raise PublishedError(f"{where}: {error}") from error
    return estimates


def tables(root, study, name):
    """A table that full runs kept beside their estimates, those of all runs in one."""
    found = [
        pd.read_csv(path, keep_default_na=False).assign(
            run=f"{path.parent.parent.name}, {path.parent.name}"
        )
        for path in sorted((root / PLACE / study / "full").glob(f"*/seed*/{name}.csv"))
    ]
    return pd.concat(found, ignore_index=True) if found else pd.DataFrame()


def pooled(root, study):
    """The estimates of the published full runs, each quantity once: mean over seeds.

    The interval holds both spreads, see `between.pool`. What has a single seed passes
    as it is.
    """
    groups = _by_quantity(read(root, study)).values()
    return [_pool(seeds) if len(seeds) > 1 else seeds[0] for seeds in groups]


def _check_repeatable(study, manifest):
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


def _target(root, study, values):
    source = values.get("source", "synthetic")
    return root / PLACE / study / values["profile"] / source / f"seed{values['seed']}"


def _check_one_experiment(places):
    """Refuse runs of one source whose parameters or images differ, but for the seed."""
    first = _experiment(places[0])
    for place in places[1:]:
        if differ := _differences(first, _experiment(place)):
            raise PublishedError(
                f"{place.parent.name}: {places[0].name} and {place.name} were run with "
                f"another {differ}; run all seeds alike and keep them again"
            )


def _experiment(place):
    """The parameters of a published run that all its numbers share, and its images."""
    manifest = folder.manifest(place) or {}
    values = _no_paths(manifest.get("parameters", {}))
    values = {k: v for k, v in values.items() if k not in ("seed", "protocol")}
    images = manifest.get("images", {})
    return values | {
        f"images of {role}": facts.get("fingerprint") for role, facts in images.items()
    }


def _differences(first, other):
    return ", ".join(name for name in first if first[name] != other.get(name))


def _no_paths(values):
    """Parameters without those that say where a run's files lay."""
    return {k: v for k, v in values.items() if k not in parameters.PATHS}


def _check_same_parameters(target, values):
    """Refuse to replace a run that had other parameters."""
    older = _no_paths((folder.manifest(target) or {}).get("parameters", {}))
    if differ := _differences(older, values):
        raise PublishedError(
            f"{target.parent.name}/{target.name} holds a run with another {differ}; "
            "remove that folder first, or run with the same"
        )


def _per_image(path):
    with path.open(encoding="utf-8", newline="") as file:
        heads = next(csv.reader(file), [])
    return path.name == "preds.csv" or bool(PER_IMAGE & set(heads))


def _by_quantity(estimates):
    """The estimates of each quantity, one a seed; two of one seed are refused."""
    groups = {}
    for estimate in dict.fromkeys(estimates):
        conditions = records.write_conditions(estimate.conditions)
        key = (*(getattr(estimate, name) for name in KEY), conditions)
        groups.setdefault(key, []).append(estimate)
    for seeds in groups.values():
        if len({estimate.seed for estimate in seeds}) < len(seeds):
            first = seeds[0]
            raise PublishedError(
                f"{first.study}: two numbers for {first.quantity!r} of {first.model!r} "
                f"on {first.source}, {first.protocol}, seed {first.seed}; tell them "
                "apart in `conditions` where they are recorded"
            )
    return groups


def _pool(seeds):
    """One estimate of several seeds.

    Seeds may split the data in other ways, and what a quantity is of may depend on the
    predictions; the smallest counts stand. More seeds never narrow what the cases leave
    open, so the interval errs on the wide side.
    """
    least = {name: min(getattr(e, name) for e in seeds) for name in ("n", "groups")}
    same = [dataclasses.replace(estimate, **least) for estimate in seeds]
    return between.pool(same, within=_bounds(seeds))


def _bounds(seeds):
    """What a quantity can be where it is no share and `between` does not know it."""
    quantity = seeds[0].quantity
    if quantity.startswith("difference ") or quantity in resample.CEILING:
        return None
    share = all(estimate.low >= 0 and estimate.high <= 1 for estimate in seeds)
    return None if share else (-math.inf, math.inf)
