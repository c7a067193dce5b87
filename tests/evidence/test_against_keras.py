"""The model summaries that two papers print, against the networks themselves."""

import math

import keras
import pytest

from chromolib.evidence import claims, recompute


@pytest.fixture(scope="module")
def printed(claims_folder):
    """Id of a claim -> the number it prints."""
    found = claims.load(claims_folder, "chu") + claims.load(claims_folder, "shruti")
    numbers = {claim.id: recompute.parse(claim.value) for claim in found}
    return {name: number.value for name, number in numbers.items() if number}


def bare(network, side):
    return network(include_top=False, weights=None, input_shape=(side, side, 3))


def chu_network(base):
    head = (
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(256),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(1),
    )
    return keras.Sequential([base, *head])


@pytest.fixture(scope="module")
def chu_vgg():
    return chu_network(bare(keras.applications.VGG16, 150))


@pytest.fixture(scope="module")
def chu_inception():
    return chu_network(bare(keras.applications.InceptionV3, 150))


@pytest.fixture(scope="module")
def shruti():
    base = bare(keras.applications.VGG19, 224)
    base.trainable = False
    return keras.Sequential([base, keras.layers.Flatten(), keras.layers.Dense(119)])


def size(weights):
    return sum(math.prod(w.shape) for w in weights)


@pytest.mark.parametrize(
    ("model", "total", "trained", "fixed"),
    [
        ("chu_vgg", "chu-vgg-parameters", "chu-vgg-trainable", "chu-vgg-fixed"),
        (
            "chu_inception",
            "chu-inception-parameters",
            "chu-inception-trainable",
            "chu-inception-fixed",
        ),
        (
            "shruti",
            "shruti-parameters-total",
            "shruti-parameters-trained",
            "shruti-parameters-frozen",
        ),
    ],
)
def test_a_printed_summary_fits_its_network(
    request, printed, model, total, trained, fixed
):
    network = request.getfixturevalue(model)
    assert network.count_params() == printed[total]
    assert size(network.trainable_weights) == printed[trained]
    assert size(network.non_trainable_weights) == printed[fixed]


@pytest.mark.parametrize(
    ("model", "prefix"), [("chu_vgg", "chu-"), ("shruti", "shruti-parameters-")]
)
def test_each_printed_convolution_has_that_many_weights(
    request, printed, model, prefix
):
    base = request.getfixturevalue(model).layers[0]
    sizes = {layer.name: layer.count_params() for layer in base.layers}
    claimed = {
        name.removeprefix(prefix).replace("-", "_"): value
        for name, value in printed.items()
        if name.startswith(f"{prefix}block")
    }
    assert len(claimed) == 8
    assert claimed == {name: sizes[name] for name in claimed}


@pytest.mark.parametrize(
    ("model", "layer", "claim"),
    [
        ("chu_vgg", 2, "chu-vgg-dense"),
        ("chu_vgg", 3, "chu-batch-normalisation"),
        ("chu_vgg", 4, "chu-last-layer"),
        ("chu_inception", 2, "chu-inception-dense"),
        ("chu_inception", 3, "chu-batch-normalisation"),
        ("chu_inception", 4, "chu-last-layer"),
        ("shruti", 2, "shruti-parameters-dense"),
    ],
)
def test_each_printed_layer_on_top_has_that_many_weights(
    request, printed, model, layer, claim
):
    network = request.getfixturevalue(model)
    assert network.layers[layer].count_params() == printed[claim]


@pytest.mark.parametrize("block", range(1, 6))
def test_each_pooling_layer_leaves_the_printed_side(chu_vgg, printed, block):
    pooled = chu_vgg.layers[0].get_layer(f"block{block}_pool")
    assert pooled.output.shape[1] == printed[f"chu-vgg-pooled-{block}"]


def test_the_printed_numbers_are_flattened(shruti, printed):
    assert shruti.layers[1].output.shape[1] == printed["shruti-flattened"]
