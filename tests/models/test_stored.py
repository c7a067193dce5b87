"""What lies in a file is what would lie in memory, to half precision."""

import keras
import numpy as np
import pytest

from chromolib.models import inputs, predict, samples, small, stored, train
from chromolib.synth import lab, singles

HALF = 2**-11  # what rounding to half precision changes at most below 1


@pytest.fixture(scope="module")
def images():
    return singles.images(lab.cells(2, look="q"))


def space(x):
    made = stored.Space(x.shape)
    made.write(np.arange(len(x)), x)
    return made.images


def test_a_large_set_is_straightened_into_a_file(images, monkeypatch):
    memory = inputs.straight(images, canvas=(28, 8))
    monkeypatch.setattr(inputs, "KEEP", 0)
    monkeypatch.setattr(inputs, "BLOCK", 30)  # a cell at a time
    shuffled = np.random.default_rng(0).permutation(len(images))
    file = inputs.straight(images.take(shuffled), canvas=(28, 8))
    assert isinstance(file, stored.Stored)
    assert file.shape == memory.shape
    np.testing.assert_allclose(np.asarray(file), memory[shuffled], atol=HALF)


def test_indexing_means_what_it_means_in_numpy():
    x = np.arange(24, dtype=np.float32).reshape(6, 2, 2, 1) / 32
    file = space(x)
    for which in (np.array([4, 0, 4]), np.array([True, False] * 3), slice(1, 5, 2)):
        chosen = file[which]
        assert isinstance(chosen, stored.Stored), "nothing is read"
        np.testing.assert_array_equal(np.asarray(chosen[::-1]), x[which][::-1])
    np.testing.assert_array_equal(file[2], x[2])
    np.testing.assert_array_equal(file[:, :, ::-1], x[:, :, ::-1])
    np.testing.assert_array_equal(np.concatenate(list(file.parts())), x)


def test_a_network_learns_and_predicts_the_same(monkeypatch, tmp_path):
    rng = np.random.default_rng(0)
    x = np.float32(np.float16(rng.random((40, 24, 8, 1))))
    label = np.array(["a", "b"])[rng.integers(2, size=40)]
    names = np.arange(40)
    monkeypatch.setattr(stored, "PART", 16)
    found = []
    for kind in (x, space(x)):
        part = samples.Samples(kind, label, names, names, ("a", "b")).take(names[::-1])
        model = small.ready(small.cnn(x.shape[1:], 2, seed=0), steps=4)
        one_hot = np.eye(2, dtype=np.float32)[part.y]
        how = {"epochs": 2, "steps": 2, "batch": 8, "checkpoint": tmp_path / "state"}
        history = train.train(model, part.x, one_hot, seed=0, **how)
        found.append((history["loss"], predict.probabilities(model, part.x)))
    for memory, file in zip(*found, strict=True):
        np.testing.assert_allclose(file, memory, rtol=1e-5)
    keras.backend.clear_session()
