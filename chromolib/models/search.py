"""A Bayesian search over learning rate and batch size.

`run(build, train, validation, *, file, trials, epochs, seed)` -> a row a trial

Trials stand in a journal, one file: a search that was stopped goes on, and several
workers may share it. A trial that fails is a row like any other, with the reason.

# Strategy: Optuna notices dead workers only with a database. Here each worker holds the
# lock of a file of its own while it lives, and its trials carry that file's name. Who
# takes a trial first fails those of the dead and queues their settings again; one at a
# time does so, so that all workers together do as many trials as were asked for.
"""

import logging
import secrets
import time
import zlib

import numpy as np
import optuna
import pandas as pd
from optuna.storages import JournalStorage, journal

from chromolib import files
from chromolib.models import train as training

RATES = 1e-5, 1e-1
BATCHES = 8, 16, 32, 64, 128, 256, 512
COLUMNS = ("trial", "learning rate", "batch size", "validation loss")
COLUMNS += ("validation accuracy", "state", "reason")
COMPLETE, FAIL, RUNNING = (
    optuna.trial.TrialState[name] for name in ("COMPLETE", "FAIL", "RUNNING")
)
LOOK = 0.2  # seconds between looks at what other workers do
MEMORY = "out of memory"
WAIT = object()  # instead of a trial: others carry out the last ones


class TrialError(RuntimeError):
    """A trial that gave no score."""


def run(build, train, validation, *, file, trials, epochs, seed):
    """Learn with ever other settings; each trial's best loss on validation images.

    `build(rate)` gives a compiled network; `train`, `validation` are pairs of arrays.
    The proposals are of Optuna's tree-structured Parzen estimator.
    """
    optuna.logging.set_verbosity(logging.ERROR)
    file.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=_asked(train, epochs, seed),
        storage=JournalStorage(journal.JournalFileBackend(str(file))),
        load_if_exists=True,
    )

    def objective(trial):
        rate = trial.suggest_float("rate", *RATES, log=True)
        batch = trial.suggest_categorical("batch", BATCHES)
        how = {"batch": batch, "epochs": epochs, "seed": seed}
        try:
            row = _learned(build(rate), train, validation, how)
        except Exception as failure:
            trial.set_user_attr("reason", reason(failure))
            raise TrialError(reason(failure)) from None
        trial.set_user_attr("accuracy", row["val_accuracy"])
        return row["val_loss"]

    worker = f".{file.name}.{secrets.token_hex(4)}.worker"
    with files.locked(file.with_name(worker)):
        while (trial := _next(study, file, worker, trials, seed)) is not None:
            if trial is WAIT:
                time.sleep(LOOK)
                continue
            try:
                study.tell(trial, objective(trial))
            except TrialError:
                study.tell(trial, state=FAIL)
    return table(study.trials)


def _asked(train, epochs, seed):
    """A name for what is searched: other images, epochs or seeds are another search."""
    sums = [zlib.crc32(np.ascontiguousarray(one)) for one in train]
    return repr((*sums, epochs, seed))


def _next(study, file, worker, trials, seed):
    """A trial to carry out; WAIT while others carry out the last ones, then None."""
    with files.locked(file.with_name(f".{file.name}.lock"), wait=LOOK / 10):
        seen = study.trials  # once: others go on
        running = [t for t in seen if t.state == RUNNING]
        dead = [t for t in running if not _alive(file, t.user_attrs.get("worker"))]
        for trial in dead:
            study.tell(trial.number, state=FAIL)
            if trial.params:
                study.enqueue_trial(trial.params)
        ended = sum(map(_counts, seen))
        begun = ended + len(running) - len(dead)
        if begun >= trials:
            return None if ended >= trials else WAIT
        # a seed for each trial: workers propose other settings, a stop changes none
        study.sampler = optuna.samplers.TPESampler(
            seed=(seed + begun) % 2**32, constant_liar=True
        )
        trial = study.ask()
        trial.set_user_attr("worker", worker)
    return trial


def _alive(file, worker):
    """Whether the worker of that name holds its lock."""
    path = file.with_name(worker) if worker else None
    if path is None or not path.exists():
        return False
    try:
        with files.locked(path):
            return False
    except BlockingIOError:
        return True


def _counts(trial):
    """Whether a trial ended by itself; one whose worker died has no reason."""
    return trial.state == COMPLETE or (
        trial.state == FAIL and "reason" in trial.user_attrs
    )


def _learned(model, train, validation, how):
    """The best epoch of one training."""
    history = training.train(model, *train, validation=validation, **how)
    return history[history["best"]].iloc[0].to_dict()


def reason(failure):
    """Why a trial failed, in words."""
    exhausted = "ResourceExhausted", "MemoryError", "XlaRuntimeError"
    if type(failure).__name__.startswith(exhausted):
        return MEMORY
    return str(failure).split("\n")[0] or type(failure).__name__


def table(trials):
    """A row a trial that has ended, in the order they began."""
    rows = [
        (
            trial.number,
            trial.params["rate"],
            trial.params["batch"],
            trial.value,
            trial.user_attrs.get("accuracy"),
            trial.state.name.lower(),
            trial.user_attrs.get("reason", ""),
        )
        for trial in trials
        if _counts(trial)
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
