"""The search: it goes on where it was stopped, and counts what failed."""

import keras
import numpy as np
import pytest

from chromolib.models import search


@pytest.fixture
def learn(tmp_path):
    """A search over a tiny network; `broken` are rates above which a trial fails."""
    rng = np.random.default_rng(0)
    x = rng.random((24, 4), np.float32)
    y = (x[:, 0] > 0.5).astype(np.int32)

    def run(trials, broken=1.0, failure=ValueError("the loss is nan")):
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
        return search.run(build, (x, y), (x, y), trials=trials, epochs=1, **where)

    return run


def test_a_search_goes_on_where_it_was_stopped(learn):
    first = learn(3)
    assert len(first) == 3
    assert learn(3).equals(first), "there is nothing left to do"
    more = learn(5)
    assert more.iloc[:3].equals(first)
    assert list(more["trial"]) == [0, 1, 2, 3, 4]


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
