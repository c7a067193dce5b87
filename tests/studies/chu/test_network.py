"""The thesis' networks: their parameters, what is frozen, what each maps."""

import keras
import numpy as np
import pytest

from chromolib.models import mc_dropout, train, weights
from chromolib.studies.chu import network


@pytest.mark.parametrize(
    ("name", "whole", "learned"),
    [("vgg16", 14_847_297, 14_846_785), ("inceptionv3", 22_328_609, 22_293_665)],
)
def test_networks_have_the_parameters_of_figures_3_5_and_3_6(
    root, name, whole, learned
):
    trunk = network.Trunk(name, "none", root=root, data="", side=network.SIDE)
    model = trunk.rest("", seed=0)
    assert network.parameters(model) == (whole, learned)


@pytest.mark.parametrize("row", network.ROWS)
def test_a_row_learns_what_lies_behind_its_cut(root, row):
    place = network.ROWS[row]
    trunk = network.Trunk(place.trunk, "none", root=root, data="", side=80)
    whole, learned = network.parameters(trunk.rest(place.cut, seed=0))
    assert whole + trunk.below(place.cut) in (14_847_297, 22_328_609)
    head = 132_097 if place.trunk == "vgg16" else 525_313
    frozen = row.endswith(("original", "processed"))
    assert (learned == head) == frozen
    assert learned < whole, "batch normalisation keeps its averages"


def test_maps_and_the_rest_are_the_whole_network(trunk, karyograms):
    images = karyograms.pool.take(np.arange(5))
    maps = trunk.maps({"few": images}, {"", "trunk_end"})["few"]
    behind = trunk.rest("trunk_end", seed=3).predict(maps["trunk_end"], verbose=0)
    whole = trunk.rest("", seed=3).predict(maps[""], verbose=0)
    np.testing.assert_allclose(behind, whole, atol=1e-5)


@pytest.mark.parametrize("cut", ["block5_pool", "block4_pool"])
def test_half_precision_is_for_the_trunk_and_says_nearly_the_same(
    root, karyograms, monkeypatch, cut
):
    images, said = karyograms.pool.take(np.arange(6)), []
    how = {"root": root, "data": "", "side": 64, "seed": 0}
    for large in ("float32", "mixed_bfloat16"):
        policy = keras.DTypePolicy(large)
        monkeypatch.setattr(train, "precision", lambda found=policy, **_: found)
        trunk = network.Trunk("vgg16", "none", half=True, **how)
        maps = trunk.maps({"few": images}, {cut})["few"][cut]
        assert maps.dtype == np.float32
        assert keras.config.dtype_policy().name == "float32"
        behind = trunk.rest(cut, seed=3)
        assert behind.layers[-1].compute_dtype == "float32"
        many = mc_dropout.draws(behind, maps, times=10, seed=1)
        said.append((maps, behind.predict(maps, verbose=0)[:, 0], many))
        behind.fit(maps, images.y, verbose=0)
        assert np.isfinite(behind.predict(maps, verbose=0)).all()
    (single, *_), (half, *_) = said
    assert np.corrcoef(single.ravel(), half.ravel())[0, 1] > 0.999
    assert not np.array_equal(single, half), "the policy was not asked for"
    for one, other in zip(said[0][1:], said[1][1:], strict=True):
        np.testing.assert_allclose(one, other, atol=0.02)


def test_learning_leaves_the_trunk_as_it_was(trunk, karyograms):
    before = trunk.model.get_weights()
    model, images = trunk.rest("", seed=0), karyograms.pool.take(np.arange(8))
    model.fit(
        trunk.maps({"few": images}, {""})["few"][""], images.y, epochs=1, verbose=0
    )
    pairs = zip(before, trunk.model.get_weights(), strict=True)
    assert all(np.array_equal(a, b) for a, b in pairs)


def test_layers_of_a_large_trunk_learn_gently(root):
    how = {"root": root, "data": "", "side": 64, "seed": 0}
    small = network.Trunk(network.SMALL, "domain", **how)
    assert small.origin.word == "domain"
    large = network.Trunk("vgg16", "none", **how)
    for trunk, cut, rate in (
        (small, "", network.RATE),
        (large, "block5_pool", network.RATE),
        (large, "block4_pool", network.GENTLE),
    ):
        optimizer = trunk.rest(cut, seed=0).optimizer
        assert float(optimizer.learning_rate.numpy()) == pytest.approx(rate)


def test_tuned_weights_that_are_not_there_are_refused(root, tmp_path):
    with pytest.raises(weights.WeightsError, match="no folder or zip 'weights-trunks'"):
        network.Trunk("vgg16", "tuned", root=root, data=str(tmp_path), side=64)


def test_the_head_gives_a_probability_and_starts_from_its_seed():
    entry = keras.Input((3, 3, 8))
    same, again, other = (
        keras.Model(entry, network.head(entry, seed=seed)) for seed in (1, 1, 2)
    )
    x = np.random.default_rng(0).random((4, 3, 3, 8), np.float32)
    first, second, third = (m.predict(x, verbose=0) for m in (same, again, other))
    assert ((first > 0) & (first < 1)).all()
    assert np.array_equal(first, second)
    assert not np.array_equal(first, third)
