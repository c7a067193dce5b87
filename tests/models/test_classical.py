"""Laws of the classical models: what they learn, what they refuse."""

import pickle

import numpy as np
import pandas as pd
import pytest
from sklearn import svm

from chromolib.models import classical, features

CONTROLS = ("ink area", "majority")
COLUMNS = [f"edge.{k}" for k in range(6)] + ["size.area"]


@pytest.fixture(params=classical.MODELS)
def name(request):
    return request.param


def sample(count=90, *, apart=3.0, seed=0):
    """Two columns that tell a third from the rest, four and the area that do not."""
    rng = np.random.default_rng(seed)
    labels = np.where(np.arange(count) % 3 == 0, "abnormal", "normal")
    values = rng.normal(size=(count, len(COLUMNS)))
    values[:, :2] += apart * (labels == "abnormal")[:, None]
    return pd.DataFrame(values.astype(np.float32), columns=COLUMNS), labels


def answers(name, *, seed=0, table=None):
    learned, labels = sample()
    model = classical.train(name, learned, labels, seed=seed)
    return classical.predict(model, sample(60, seed=1)[0] if table is None else table)


def test_what_can_be_told_is_learned(name):
    said = answers(name)
    right = np.array(classical.CLASSES)[said.argmax(1)] == sample(60)[1]
    assert right.mean() >= (0.6 if name in CONTROLS else 0.9)
    assert (right.mean() < 0.75) == (name in CONTROLS)


def test_a_chance_for_each_label_in_the_order_asked_for(name):
    table, labels = sample()
    model = classical.train(name, table, labels, seed=0)
    said = classical.predict(model, table)
    assert said.shape == (len(table), 2)
    assert ((said >= 0) & (said <= 1)).all()
    np.testing.assert_allclose(said.sum(1), 1, atol=1e-6)
    other = classical.predict(model, table, classes=("abnormal", "normal"))
    np.testing.assert_array_equal(said, other[:, ::-1])


def test_the_seed_decides_everything(name):
    np.random.seed(1)  # noqa: NPY002 - the state that must not matter
    one = answers(name, seed=4)
    np.random.seed(2)  # noqa: NPY002
    np.testing.assert_array_equal(one, answers(name, seed=4))
    if name in ("random forest", "MLP"):
        assert np.abs(one - answers(name, seed=5)).max() > 1e-3


def test_a_model_neither_changes_its_table_nor_needs_its_process(name):
    table, labels = sample()
    before = table.copy()
    model = classical.train(name, table, labels, seed=0)
    said = classical.predict(model, table)
    pd.testing.assert_frame_equal(table, before)
    there = pickle.loads(pickle.dumps(model))  # noqa: S301 - our own
    np.testing.assert_array_equal(classical.predict(there, table), said)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_models_can_be_built_and_fitted_without_train(name):
    table, labels = sample()
    model = classical.MODELS[name](0)
    assert not hasattr(model, "classes_")
    assert model.fit(table, labels).classes_.tolist() == ["abnormal", "normal"]


def test_the_majority_says_how_frequent_a_label_was():
    np.testing.assert_allclose(answers("majority"), [[2 / 3, 1 / 3]] * 60)


def test_ink_area_sees_the_area_alone():
    table, labels = sample()
    table["size.area"] += 3 * (labels == "abnormal")
    model = classical.train("ink area", table, labels, seed=0)
    said = classical.predict(model, table)
    shuffled = table.assign(**{c: table[c][::-1].to_numpy() for c in COLUMNS[:-1]})
    np.testing.assert_array_equal(classical.predict(model, shuffled), said)
    assert (np.argsort(said[:, 1]) == np.argsort(table["size.area"])).all()


def test_the_margin_ranks_and_decides_as_the_machine_does():
    table, labels = sample(apart=1)
    table = table.to_numpy()
    machine = svm.SVC().fit(table, labels)
    said = classical.Margin().fit(table, labels).predict_proba(table)
    order = np.argsort(machine.decision_function(table))
    np.testing.assert_array_equal(np.argsort(said[:, 1]), order)
    np.testing.assert_array_equal(
        machine.classes_[said.argmax(1)], machine.predict(table)
    )


def test_a_missing_band_is_learned_from_pictures():
    rng = np.random.default_rng(0)
    ink = np.zeros((60, 96, 32, 1), np.float32)
    ink[:, 10:86, 10:22] = rng.uniform(0.3, 0.4, (60, 1, 1, 1))
    ink[:, 20:30, 10:22] = ink[::2, 50:60, 10:22] = 0.8
    table, labels = features.table(ink), np.array(["normal", "abnormal"] * 30)
    for name in classical.MODELS:
        model = classical.train(name, table[:40], labels[:40], seed=0)
        said = classical.predict(model, table[40:]).argmax(1)
        right = (np.array(classical.CLASSES)[said] == labels[40:]).mean()
        assert right == (0.5 if name in CONTROLS else 1), name


def refused(match, *, name="SVM", table=None, labels=None):
    usual = sample()
    with pytest.raises(classical.ClassicalError, match=match):
        classical.train(
            name,
            usual[0] if table is None else table,
            usual[1] if labels is None else labels,
            seed=0,
        )


def test_training_says_what_it_lacks(name):
    table, labels = sample()
    refused("give images of both labels", name=name, labels=np.full(90, "normal"))
    refused("labels", name=name, labels=np.array(["a", "b", "c"] * 30))
    refused("give one each", name=name, labels=labels[1:])
    refused("at least 15", name=name, table=table[:9], labels=labels[:9])
    refused("features.table", name=name, table=table.to_numpy())
    refused("some that differ", name=name, table=table * 0)


@pytest.mark.parametrize("lost", [np.nan, np.inf])
def test_lost_numbers_are_refused_by_name(name, lost):
    table = sample()[0]
    table.loc[3, "edge.2"] = lost
    refused(r"1 columns .* edge\.2", name=name, table=table)
    with pytest.raises(classical.ClassicalError, match=r"edge\.2"):
        answers(name, table=table)


def test_unknown_words_are_refused():
    refused("known: SVM, k-NN", name="perceptron")
    refused(r"size\.area", name="ink area", table=sample()[0][COLUMNS[:-1]])
    table, labels = sample()
    model = classical.train("majority", table, labels, seed=0)
    with pytest.raises(classical.ClassicalError, match="abnormal"):
        classical.predict(model, table, classes=("normal", "odd"))
