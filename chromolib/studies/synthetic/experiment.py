"""What synthetic cells teach a network about real ones: the grid of trainings.

`run(root, real, synthetic, folder)` -> [Estimate], written with answers and a manifest
`train(...)` -> model; `predict(...)` -> predicted classes by (way, k, seed)
`score(predictions, ...)` -> [Estimate]

Strategy: one network learns from synthetic cells, one from k real cells, one from
synthetic cells and then from the same k real ones. That from real cells alone has the
larger budget, which it needs. All are evaluated on the same real chromosomes.
"""

import dataclasses
import hashlib
import json
import time

import numpy as np
import pandas as pd

from chromolib import files, intervals, records, streams
from chromolib.models import small
from chromolib.runs import identity, results
from chromolib.studies.synthetic import data, discriminator, network

KS = (1, 2, 5, 20)  # real cells to learn from
WEIGHTS = {"synthetic": "synthetic", "real": "none", "both": "synthetic"}  # by way
COLUMNS = ("exam", "way", "k", "seed", "answers")
LETTERS = np.array([chr(ord("A") + i) for i in range(len(records.CLASSES))])
CODE = ("models", "imaging", "studies/synthetic")  # what an answer depends on


@dataclasses.dataclass(frozen=True)
class Budget:
    """What each training may cost, chosen on groups held out of the train part."""

    taught: int = 1200  # steps on synthetic cells
    alone: int = 1200  # steps on k real cells, from random weights
    after: int = 300  # steps on k real cells, after synthetic ones
    rate: float = 2e-3  # learning rate from random weights
    gentle: float = 1e-4  # learning rate after synthetic ones, times k: one cell
    most: float = 5e-4  # is soon overfitted, and what was learned before is lost
    batch: int = 128


def run(
    root,
    real,
    synthetic,
    folder,
    *,
    ks=KS,
    seeds=(0, 1, 2),
    final=False,
    budget=None,
    workers=1,
    log=None,
):
    """Every estimate of the experiment and the discriminator, written into a folder.

    The predictions of each training are added to `answers.csv` at once; started again
    with the same images and networks, the experiment goes on from there.
    """
    started, budget = time.monotonic(), budget or Budget()
    folder.mkdir(parents=True, exist_ok=True)
    images = *data.split(real, final=final), synthetic
    pool, test, lab = (data.dataset(each) for each in images)
    predictions = predict(
        pool,
        lab,
        test,
        upright=data.upright(root, real.source),
        ks=ks,
        seeds=seeds,
        budget=budget,
        path=folder / "answers.csv",
        stamp=stamp_of(root, real, synthetic, final, budget),
        log=log,
    )
    part = "test" if final else "valid"
    estimates = score(
        predictions, test, ks=ks, seeds=seeds, part=part, source=real.source
    )
    estimates += discriminator.run(real, synthetic, final=final, workers=workers)
    results.estimates(folder / "estimates.csv", estimates)
    facts = {"budget": dataclasses.asdict(budget), "part": part}
    data.write_manifest(
        folder, root, data.STUDY, facts, real, synthetic, started=started
    )
    return estimates


def trainings(ks):
    """Every way of learning with its number of real cells: (way, k)."""
    return [("synthetic", 0), *((way, k) for k in ks for way in ("real", "both"))]


def predict(pool, lab, test, *, upright, ks, seeds, budget, path, stamp, log=None):
    """The classes predicted after each training, by (way, k, seed).

    Each is added to the file; what is there already is not trained again.
    """
    started, predictions = time.monotonic(), read_answers(path, stamp)
    for seed in seeds:
        settings = {"upright": upright, "seed": seed, "budget": budget}
        taught = None
        for way, k in trainings(ks):
            key = way, k, seed
            if len(predictions.get(key, ())) == len(test):
                continue
            if way != "real" and not taught:
                taught = train(lab, "synthetic", 0, **settings)
            model = taught
            if k:
                cells = data.sample_cells(pool, k, seed=seed)
                model = train(cells, way, k, taught, **settings)
            predictions[key] = network.predict(model, test.images, upright=upright)
            append_answers(path, stamp, key, predictions[key])
            if log:
                spent = time.monotonic() - started
                log(f"taught={way} k={k} seed={seed} after {spent:.0f} s")
    return predictions


def train(cells, way, k, taught=None, *, upright, seed, budget):
    """A network trained in one way; "both" goes on from the one already `taught`."""
    steps, rate = {
        "synthetic": (budget.taught, budget.rate),
        "real": (budget.alone, budget.rate),
        "both": (budget.after, min(k * budget.gentle, budget.most)),
    }[way]
    model = network.classifier(cells.images.shape[1:], upright=upright, seed=seed)
    small.ready(model, steps=steps, rate=rate)
    if way == "both":
        model.set_weights(taught.get_weights())
    network.train(
        model, cells.images, cells.label, steps=steps, seed=seed, batch=budget.batch
    )
    return model


def score(predictions, test, *, ks, seeds, part, source):
    """The accuracy of every training and the gain by synthetic cells, seeds pooled."""
    right = {
        (way, k): np.array([predictions[way, k, s] == test.label for s in seeds])
        for way, k in trainings(ks)
    }
    estimates = []
    for (way, k), hits in right.items():
        by_seed = hits.mean(1)
        conditions = {"taught": way, "k": k, "part": part, "seeds": len(seeds)}
        conditions["lowest"] = f"{by_seed.min():.4f}"
        conditions["highest"] = f"{by_seed.max():.4f}"
        accuracy = estimate(
            "accuracy",
            hits.mean(0),
            test.group,
            source=source,
            weights=WEIGHTS[way],
            conditions=conditions,
        )
        estimates.append(accuracy)
    for k in ks:
        conditions = {"taught": "both against real", "k": k, "part": part}
        gain = estimate(
            "accuracy gained",
            right["both", k].mean(0) - right["real", k].mean(0),
            test.group,
            source=source,
            weights="synthetic",
            conditions=conditions | {"seeds": len(seeds)},
            least=-1.0,
        )
        estimates.append(gain)
    return estimates


def estimate(quantity, values, group, *, source, weights, conditions, least=0.0):
    """The mean of values from `least` to 1 with a 95 % interval over whole groups.

    Not `metrics.measure`: a value is the mean over the seeds for one chromosome, so
    that `n` counts chromosomes and not chromosomes times seeds.
    """
    span = 1 - least  # values are moved into [0, 1], where a share lies, and back
    shares = (np.asarray(values, float) - least) / span
    interval = intervals.share(shares, group, rng=streams.stream(0, quantity))
    return records.Estimate(
        data.STUDY,
        quantity,
        *(bound * span + least for bound in interval),
        n=len(shares),
        groups=len(np.unique(group)),
        source=source,
        protocol="clean",
        model="small_cnn",
        weights=weights,
        conditions=conditions,
    )


def stamp_of(root, real, synthetic, final, budget):
    """A short hash of all that an answer depends on besides its way, k and seed."""
    rooms = [root / "chromolib" / room for room in CODE]
    code = sorted(path for room in rooms for path in room.rglob("*.py"))
    images = real.fingerprint, synthetic.fingerprint
    parts = [files.digest(code), *images, final, dataclasses.asdict(budget)]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[: identity.LENGTH]


def append_answers(path, stamp, key, labels):
    """Add the predictions of one training, a letter for each chromosome evaluated."""
    rows = _rows(path)
    rows.loc[len(rows)] = [stamp, *map(str, key), "".join(LETTERS[labels])]
    with files.replacing(path) as partial:
        rows.to_csv(partial, index=False)


def read_answers(path, stamp):
    """The predictions of this very experiment so far, by (way, k, seed)."""
    rows = _rows(path)
    rows = rows[(rows["exam"] == stamp) & (rows["answers"] != "")]
    return {
        (way, int(k), int(seed)): np.searchsorted(LETTERS, list(answers))
        for _, way, k, seed, answers in rows.itertuples(index=False)
    }


def _rows(path):
    """Every row of the file, as text; a line that was cut off lacks what is last."""
    if not path.exists():
        return pd.DataFrame(columns=COLUMNS, dtype=str)
    return pd.read_csv(path, dtype=str, na_filter=False)
