"""Maps of networks that are made by hand, so that where they look is known."""

import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from chromolib.models import saliency

HERE = pathlib.Path(__file__).resolve().parent
SHAPE = (24, 16)
CORNER = np.s_[0:8, 0:8]  # all that the network looks at


def cornered(sign=1.0):
    """Logits of two classes; the second grows with the ink of one corner."""
    entry = keras.Input((*SHAPE, 1))
    x = keras.layers.Conv2D(2, 3, padding="same", activation="relu", name="conv")(entry)
    x = keras.layers.Flatten()(x)
    model = keras.Model(entry, keras.layers.Dense(2, name="head_logits")(x))
    kernel = np.zeros((3, 3, 1, 2), np.float32)
    kernel[1, 1, 0, 0] = 1  # the picture itself, and a channel of nothing
    place = np.zeros((*SHAPE, 2, 2), np.float32)
    place[*CORNER, 0, 1] = sign
    weights = kernel, np.zeros(2), place.reshape(-1, 2), np.zeros(2)
    model.set_weights(weights)
    return model


def bars(count=3):
    """A bar over all rows, darker in the corner; pictures differ in their grain."""
    rng = np.random.default_rng(0)
    pictures = np.zeros((count, *SHAPE, 1), np.float32)
    pictures[:, :, 2:12] = 0.3
    pictures[:, 0:8, 2:8] = 0.8
    grain = rng.uniform(-0.05, 0.05, pictures.shape)
    return (pictures + grain * (pictures > 0)).astype(np.float32)


def cam(model, pictures, target=1):
    return saliency.grad_cam(model, pictures, target, layer="conv")


def hidden(model, pictures, target=1):
    return saliency.occlusion(model, pictures, target, patch=4, step=2)


@pytest.fixture(scope="module")
def model():
    return cornered()


@pytest.mark.parametrize("make", [cam, hidden])
def test_a_network_that_looks_at_one_corner_is_found_out(model, make):
    maps = make(model, bars())
    assert maps.shape == (3, *SHAPE)
    assert maps.dtype == np.float32
    for one in maps:
        y, x = np.unravel_index(one.argmax(), SHAPE)
        assert y < 8
        assert x < 8


def test_what_is_far_from_where_a_network_looks_is_nothing_by_occlusion(model):
    maps = hidden(model, bars())
    np.testing.assert_allclose(maps[:, 12:], 0, atol=1e-5)
    assert (maps[:, 0:6, 3:7] > 0.5).all()


def test_grad_cam_is_its_formula(model):
    pictures = bars()
    # one channel is the picture, and the slope at it is 1 in the corner, 0 elsewhere
    share = 64 / np.prod(SHAPE)
    wanted = share * pictures[..., 0]
    np.testing.assert_allclose(cam(model, pictures), wanted, atol=1e-6)


def test_occlusion_is_its_slow_twin(model):
    picture = bars(1)
    mask = picture[0, ..., 0] > saliency.INK
    plain = picture[0, ..., 0][mask].mean()
    total, count = np.zeros(SHAPE), np.zeros(SHAPE)
    for y in range(0, SHAPE[0] - 4 + 1, 2):
        for x in range(0, SHAPE[1] - 4 + 1, 2):
            other = picture[0, ..., 0].copy()
            part = other[y : y + 4, x : x + 4]
            part[mask[y : y + 4, x : x + 4]] = plain
            fall = picture[0, ..., 0][CORNER].sum() - other[CORNER].sum()
            total[y : y + 4, x : x + 4] += fall
            count[y : y + 4, x : x + 4] += 1
    np.testing.assert_allclose(hidden(model, picture)[0], total / count, atol=1e-4)


def test_grad_cam_is_never_below_zero_and_occlusion_turns_with_the_class(model):
    pictures = bars()
    assert cam(model, pictures, 0).min() >= 0
    np.testing.assert_allclose(
        hidden(model, pictures, 0), -hidden(model, pictures, 1), atol=1e-5
    )


@pytest.mark.parametrize("make", [cam, hidden])
def test_a_map_depends_on_its_own_picture_only(model, make):
    pictures = bars(4)
    whole = make(model, pictures)
    np.testing.assert_allclose(make(model, pictures[::-1])[::-1], whole, atol=1e-5)
    np.testing.assert_allclose(make(model, pictures[2:3])[0], whole[2], atol=1e-5)


@pytest.mark.parametrize("make", [cam, hidden])
def test_small_batches_and_a_second_call_change_nothing(model, make, monkeypatch):
    pictures, before = bars(), bars()
    whole = make(model, pictures)
    np.testing.assert_array_equal(make(model, pictures), whole)
    monkeypatch.setattr(saliency, "BATCH", 2)
    np.testing.assert_allclose(make(model, pictures), whole, atol=1e-5)
    np.testing.assert_array_equal(pictures, before)


@pytest.mark.parametrize("make", [cam, hidden])
def test_a_constant_added_to_all_logits_changes_nothing(make):
    model, other = cornered(), cornered()
    weights = other.get_weights()
    other.set_weights([*weights[:-1], weights[-1] + 7])
    np.testing.assert_allclose(make(other, bars()), make(model, bars()), atol=1e-4)


@pytest.mark.parametrize("make", [cam, hidden])
def test_each_picture_may_have_a_target_of_its_own(model, make):
    pictures = bars()
    each = make(model, pictures, [0, 1, 0])
    for i, target in enumerate((0, 1, 0)):
        alone = make(model, pictures[i : i + 1], target)[0]
        np.testing.assert_allclose(each[i], alone, atol=1e-5)


def test_nothing_is_painted_outside_the_chromosome(model):
    seen = []

    class Watched:
        input_shape, output_shape = model.input_shape, model.output_shape

        def predict(self, pictures, **_):
            seen.append(np.array(pictures))
            return np.zeros((len(pictures), 2), np.float32)

    pictures = bars(1)
    assert not saliency.occlusion(Watched(), pictures, 1).any()
    painted = np.concatenate(seen)
    assert len(painted) > 2
    np.testing.assert_array_equal(painted[:, pictures[0] == 0], 0)
    assert (painted[:, pictures[0] > 0] > 0).all()


def test_the_mean_of_the_chromosome_hides_its_bands():
    model, bands = cornered(), np.zeros((1, *SHAPE, 1), np.float32)
    bands[:, :, 2:12] = np.linspace(0.2, 0.9, 24)[None, :, None, None]
    assert np.abs(saliency.occlusion(model, bands, 1)).max() > 1


def test_an_empty_picture_has_an_empty_map(model):
    nothing = np.zeros((1, *SHAPE, 1), np.float32)
    assert not hidden(model, nothing).any()
    assert not cam(model, nothing).any()


def test_a_layer_around_which_a_branch_leads_is_refused():
    entry = keras.Input((8, 8, 1))
    x = keras.layers.Conv2D(1, 3, padding="same", name="aside")(entry)
    x = keras.layers.Flatten()(keras.layers.Add()([entry, x]))
    model = keras.Model(entry, keras.layers.Dense(2)(x))
    with pytest.raises(saliency.SaliencyError, match="branch"):
        saliency.grad_cam(model, np.zeros((1, 8, 8, 1)), 1, layer="aside")


def test_what_cannot_be_mapped_is_refused(model):
    for wrong, told in (
        ({"layer": "head_logits"}, "known: .*conv"),
        ({"target": 2}, "classes are 0 to 1"),
        ({"pictures": bars()[..., 0]}, "not \\(n, h, w, 1\\)"),
        ({"pictures": bars()[:, 1:]}, "the model sees"),
    ):
        asked = {"pictures": bars(), "target": 1, "layer": "conv"} | wrong
        with pytest.raises(saliency.SaliencyError, match=told):
            saliency.grad_cam(model, **asked)
    for wrong in ({"step": 9}, {"patch": 17}):
        with pytest.raises(saliency.SaliencyError):
            saliency.occlusion(model, bars(), 1, **wrong)


def test_backends_agree(model, tmp_path):
    out = tmp_path / "jax.npz"
    code = (
        "import sys, numpy, test_saliency as t; "
        "assert t.keras.config.backend() == 'jax'; m = t.cornered(); "
        "numpy.savez(sys.argv[1], cam=t.cam(m, t.bars()), "
        "hidden=t.hidden(m, t.bars()))"
    )
    paths = [HERE, HERE.parent.parent]
    told = {"KERAS_BACKEND": "jax", "PYTHONPATH": os.pathsep.join(map(str, paths))}
    subprocess.run([sys.executable, "-c", code, out], check=True, env=os.environ | told)
    there = np.load(out)
    np.testing.assert_allclose(cam(model, bars()), there["cam"], atol=1e-5)
    np.testing.assert_allclose(hidden(model, bars()), there["hidden"], atol=1e-4)
