"""A Bayesian search over learning rate and batch size.

`run(build, train, validation, *, file, trials, epochs, seed)` -> a row a trial

Trials stand in a journal, one file: a search that was stopped goes on, and several
workers may share it. A trial that fails is a row like any other, with the reason.
"""

import logging

import optuna
import pandas as pd
from optuna.storages import JournalStorage, journal

from chromolib.models import train as training

RATES = 1e-5, 1e-1
BATCHES = 8, 16, 32, 64, 128, 256, 512
COLUMNS = ("trial", "learning rate", "batch size", "validation loss")
COLUMNS += ("validation accuracy", "state", "reason")
DONE = optuna.trial.TrialState.COMPLETE, optuna.trial.TrialState.FAIL
MEMORY = "out of memory"


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
        study_name="search",
        storage=JournalStorage(journal.JournalFileBackend(str(file))),
        sampler=optuna.samplers.TPESampler(seed=seed),
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

    if _done(study) < trials:
        enough = optuna.study.MaxTrialsCallback(trials, states=DONE)
        study.optimize(objective, callbacks=[enough], catch=TrialError)
    return table(study.trials)


def _learned(model, train, validation, how):
    """The best epoch of one training."""
    history = training.train(model, *train, validation=validation, **how)
    return history[history["best"]].iloc[0].to_dict()


def _done(study):
    return len(study.get_trials(deepcopy=False, states=DONE))


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
        if trial.state in DONE and "batch" in trial.params
    ]
    return pd.DataFrame(rows, columns=list(COLUMNS))
