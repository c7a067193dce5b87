"""The trunk: pairs of convolutions, named so that their weights are found again."""

import keras
import pytest

from chromolib.models import counter_rng, trunks


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize(("widths", "pair"), [((4, 6), 2), ((5,), 1), ((4, 6, 8), 3)])
def test_each_width_has_its_convolutions_and_halves_the_sides(widths, pair, after):
    entry = keras.Input((20, 12, 1))
    seeds = counter_rng.Seeds(0)
    x = trunks.pairs(entry, widths, seeds=seeds, pair=pair, after=after)
    model = keras.Model(entry, x)
    assert model.output_shape[-1] == widths[-1]
    assert model.output_shape[1] == -(-20 // 2 ** len(widths))
    named = [layer for layer in model.layers if layer.name.startswith("trunk_")]
    assert all(layer.name.startswith("trunk_") for layer in named if layer.weights)
    filters = [one.filters for one in named if isinstance(one, keras.layers.Conv2D)]
    assert filters == [width for width in widths for _ in range(pair)]
    second = keras.layers.ReLU if after else keras.layers.BatchNormalization
    assert all(isinstance(layer, second) for layer in named[1::3])
    assert all(layer in named for layer in model.layers if layer.weights)
