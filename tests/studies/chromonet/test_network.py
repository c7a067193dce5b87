"""The network as we read it, the readings beside it, and the one on the page."""

import keras
import nbformat
import numpy as np
import pytest

from chromolib.models import train
from chromolib.studies.chromonet import data, experiment, network, questions

SHAPE = (96, 32, 1)


def outline(model):
    """Kind, output shape and weights of each layer, without names."""
    return [
        (type(layer).__name__, layer.output.shape, [w.shape for w in layer.weights])
        for layer in model.layers
    ]


@pytest.mark.parametrize("name", network.READINGS)
def test_every_reading_is_a_network_that_the_seed_decides(name):
    first, same, other = (
        network.chromonet(SHAPE, seed=seed, **network.READINGS[name]).get_weights()
        for seed in (3, 3, 4)
    )
    assert all((a == b).all() for a, b in zip(first, same, strict=True))
    assert any((a != b).any() for a, b in zip(first, other, strict=True))


def test_readings_differ_from_the_one_taken_as_they_say():
    made = {
        name: network.chromonet(SHAPE, seed=0, **words)
        for name, words in network.READINGS.items()
    }
    convolutions = {
        name: sum("conv" in layer.name for layer in model.layers)
        for name, model in made.items()
    }
    fewer = {"four convolutions": 4, "six convolutions": 6}
    assert convolutions == dict.fromkeys(made, 8) | fewer
    taken = outline(made.pop("as read"))
    for name, model in made.items():
        if name != "no dropout":  # a layer of the same kind and shape
            assert outline(model) != taken, name
    assert made["no dropout"].layers[-2].rate == 0
    assert all(model.output_shape == (None, 2) for model in made.values())


def test_the_maps_are_read_from_the_last_layer_before_pooling():
    model = network.chromonet(SHAPE, seed=0)
    last = [one.name for one in model.layers].index(network.LAST)
    assert isinstance(model.layers[last + 1], keras.layers.MaxPooling2D)
    assert isinstance(model.layers[last + 2], keras.layers.Flatten)


def test_the_network_on_the_page_is_the_one_of_the_grid(root, bars):
    book = nbformat.read(root / "notebooks" / "chromonet.ipynb", as_version=4)
    (cell,) = (c.source for c in book.cells if "layers.Conv2D(" in c.source)
    names = {
        "keras": keras,
        "seed": 5,
        "sizes": experiment.Sizes(),
        "split": type("Split", (), {"train": bars(2, "page", SHAPE[:2])}),
    }
    exec(cell.replace("model.summary()", ""), names)  # noqa: S102 - our own page
    ours = network.chromonet(SHAPE, seed=5)
    assert outline(names["model"]) == outline(ours)
    assert names["model"].count_params() == ours.count_params()
    assert names["rate"] == network.RATE


def test_a_network_learns_in_half_precision_and_predicts_in_single(bars):
    usual, toy = keras.config.dtype_policy(), bars(40, "s")
    keras.config.set_dtype_policy("mixed_float16")
    try:
        model = network.chromonet((24, 16, 1), seed=0, widths=(8, 8))
        history = train.train(model, *toy.xy, epochs=12, seed=0, batch=8)
    finally:
        keras.config.set_dtype_policy(usual)
    assert model.get_layer("trunk_conv2").compute_dtype == "float16"
    assert all(weight.dtype == "float32" for weight in model.trainable_weights)
    assert model.predict(toy.x, verbose=0).dtype == np.float32
    assert history["loss"].iloc[-1] < history["loss"].iloc[0]
    assert history["accuracy"].iloc[-1] > 0.8


def test_examples_show_both_labels(images):
    pictures, captions = questions.examples(images, 2)
    assert [one["label"] for one in captions] == [w for w in data.LABELS for _ in "ab"]
    assert len(pictures) == 4
