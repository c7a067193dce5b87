"""The search: it goes on where it was stopped, and counts what failed."""

import subprocess
import sys
import time
from concurrent import futures

import keras
import numpy as np
import optuna
import pytest
from optuna.storages import JournalStorage, journal

from chromolib.models import search


@pytest.fixture
def learn(tmp_path):
    """A search over a tiny network; `broken` are rates above which a trial fails."""
    rng = np.random.default_rng(0)
    x = rng.random((24, 4), np.float32)
    y = (x[:, 0] > 0.5).astype(np.int32)

    def run(trials, broken=1.0, failure=ValueError("the loss is nan"), **how):
        def build(rate):
            if rate > broken:
                raise failure
            model = keras.Sequential(
                [keras.Input((4,)), keras.layers.Dense(1, activation="sigmoid")]
            )
            model.compile(
                keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"]
            )
            return model

        where = {"file": tmp_path / "search" / "trials.log", "seed": 0}
        where |= {"epochs": 1} | how
        return search.run(build, (x, y), (x, y), trials=trials, **where)

    return run


def test_a_search_goes_on_where_it_was_stopped(learn):
    first = learn(3)
    assert len(first) == 3
    assert learn(3).equals(first), "there is nothing left to do"
    more = learn(5)
    assert more.iloc[:3].equals(first)
    assert list(more["trial"]) == [0, 1, 2, 3, 4]
    longer = learn(3, epochs=2)
    assert not longer.equals(first), "another search"
    assert learn(5).equals(more)


def test_a_trial_is_a_rate_a_batch_and_the_best_epoch(learn):
    trials = learn(4)
    assert list(trials) == list(search.COLUMNS)
    low, high = search.RATES
    assert trials["learning rate"].between(low, high).all()
    assert set(trials["batch size"]) <= set(search.BATCHES)
    assert (trials["state"] == "complete").all()
    assert trials["validation accuracy"].between(0, 1).all()


def test_a_failed_trial_is_counted_with_its_reason(learn):
    trials = learn(6, broken=1e-3)
    failed = trials[trials["state"] == "fail"]
    assert 0 < len(failed) < 6, "the search goes on"
    assert (failed["reason"] == "the loss is nan").all()
    assert failed["validation loss"].isna().all()


def test_no_memory_left_is_said_in_words(learn):
    trials = learn(2, broken=0.0, failure=MemoryError("1 GiB"))
    assert set(trials["reason"]) == {search.MEMORY}


WORKER = """
import pathlib, sys, time
from chromolib.models import search

def learned(model, train, validation, how):
    if sys.argv[2] == "hangs":
        print("in work", flush=True)
        time.sleep(600)
    return {"val_loss": how["batch"] * model, "val_accuracy": 1.0}

search._learned = learned
file = pathlib.Path(sys.argv[1])
found = search.run(float, (), (), file=file, trials=3, epochs=1, seed=0)
print(len(found))
"""


def test_a_killed_worker_s_trial_is_taken_again(tmp_path):
    def worker(kind):
        words = [sys.executable, "-c", WORKER, str(tmp_path / "t.log"), kind]
        return subprocess.Popen(words, stdout=subprocess.PIPE, text=True)

    dies = worker("hangs")
    assert dies.stdout.readline() == "in work\n"
    helps = worker("works")
    time.sleep(0.5)
    dies.kill()
    dies.communicate()
    assert helps.communicate()[0] == "3\n"
    storage = JournalStorage(journal.JournalFileBackend(str(tmp_path / "t.log")))
    (name,) = optuna.get_all_study_names(storage)
    first, *others = optuna.load_study(study_name=name, storage=storage).trials
    assert first.state == optuna.trial.TrialState.FAIL
    assert [t.params for t in others].count(first.params) == 1
    assert all(t.state == optuna.trial.TrialState.COMPLETE for t in others)
    assert [path.name for path in tmp_path.iterdir()] == ["t.log"]


def valley(model, train, validation, how):
    """A loss with one lowest place: a rate of 0.001 and a batch of 32."""
    loss = abs(np.log10(model) + 3) + abs(np.log2(how["batch"]) - 5) / 4
    return {"val_loss": loss, "val_accuracy": 0.5}


def test_two_workers_find_no_worse_than_one_in_as_many_trials(tmp_path, monkeypatch):
    monkeypatch.setattr(search, "_learned", valley)

    def found(workers, seed):
        where = {"file": tmp_path / f"{workers}-{seed}.log", "trials": 16, "epochs": 1}
        with futures.ThreadPoolExecutor(workers) as pool:
            runs = [
                pool.submit(search.run, float, (), (), seed=seed, **where)
                for _ in range(workers)
            ]
            first, *others = [run.result() for run in runs]
        assert len(first) == 16, "together no more and no fewer than one"
        assert all(other.equals(first) for other in others)
        assert first["learning rate"].nunique() == 16, "none proposes what another did"
        return first["validation loss"].min()

    one, two = ([found(workers, seed) for seed in range(8)] for workers in (1, 2))
    error = np.hypot(np.std(one), np.std(two)) / np.sqrt(8)
    assert np.mean(two) <= np.mean(one) + 2 * error


def test_a_search_that_was_stopped_proposes_what_it_would_have(tmp_path, monkeypatch):
    monkeypatch.setattr(search, "_learned", valley)
    how = {"epochs": 1, "seed": 3}
    whole = search.run(float, (), (), file=tmp_path / "a.log", trials=14, **how)
    search.run(float, (), (), file=tmp_path / "b.log", trials=5, **how)
    assert search.run(float, (), (), file=tmp_path / "b.log", trials=14, **how).equals(
        whole
    )
