"""Laws of the trunk: whom it learned from, and that it is what is written."""

import numpy as np
import pytest

from chromolib import records
from chromolib.models import store, weights
from chromolib.studies.chromonet import network
from chromolib.studies.synthetic import pretraining


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return tmp_path_factory.mktemp("root")


@pytest.fixture(scope="module")
def lines():
    return []


@pytest.fixture(scope="module")
def trunk(root, lines):
    folder = root / "data" / "models"
    return pretraining.pretrain(folder, cells=20, epochs=1, seed=0, log=lines.append)


def test_no_patient_is_learned_from_and_judged_by():
    parts = pretraining.split(cells=20, seed=0)
    groups = [set(part.group) for part in parts]
    assert all(groups)
    assert len(set.union(*groups)) == sum(map(len, groups)) == 10
    assert all(set(part.label) == set(records.CLASSES) for part in parts[:1])


def test_a_trunk_is_small_says_it_is_synthetic_and_starts_a_chromonet(
    root, trunk, lines
):
    assert trunk.file.stat().st_size < 1 << 20
    _, facts = store.load(trunk.file)
    score = records.Estimate(**facts["scores"][0])
    assert (facts["provenance"], score.source) == ("synthetic", "synthetic")
    assert score.groups == 2
    assert facts["n"] + score.n < 46 * 20
    origin = weights.resolve("domain", root)
    assert origin.sha256 == trunk.sha256
    made = network.chromonet((96, 32, 1), seed=4)
    assert weights.load_trunk(made, origin) == 16
    assert len(lines) == 1
    names = {file.name for file in trunk.file.parent.iterdir()}
    expected = {f"{weights.TRUNK}{end}" for end in (".md", store.SUFFIX)}
    assert names == expected  # no checkpoint stays


def test_what_is_saved_is_what_was_trained():
    trunk, model = pretraining.networks(seed=1, shape=(16, 8, 1))
    model.compile("sgd", "mse")
    before = trunk.get_layer("trunk_conv8").get_weights()[0]
    images = np.random.default_rng(0).random((4, 16, 8, 1), np.float32)
    model.fit(images, np.ones((4, 24)), verbose=0)
    assert (trunk.get_layer("trunk_conv8").get_weights()[0] != before).any()


def test_too_little_to_learn_from_is_refused():
    with pytest.raises(pretraining.PretrainingError, match="20 cells are the fewest"):
        pretraining.pretrain(None, cells=4, epochs=1, seed=0)
