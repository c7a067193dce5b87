"""Laws of the discriminator: what gives a copy away, and what does not."""

import dataclasses

import numpy as np

from chromolib.data import pixels
from chromolib.studies.synthetic import discriminator


def values(estimates, quantity):
    """The value of each model."""
    rows = (row for row in estimates if row.quantity == quantity)
    return {row.model: row.value for row in rows}


def test_grain_gives_a_copy_away_and_the_same_lab_does_not(
    real, synthetic, monkeypatch
):
    sizes = {"STEPS": 2, "BATCH": 8, "PER_CLASS": (8, 5), "TREES": 50, "DRAWS": 10}
    for name, value in sizes.items():
        monkeypatch.setattr(discriminator, name, value)
    same = discriminator.run(real, synthetic)
    rng = np.random.default_rng(0)
    grainy = [
        np.clip(picture + rng.normal(0, 60, picture.shape) * (picture < 240), 0, 255)
        for picture in (synthetic.pixels[i] for i in range(len(synthetic)))
    ]
    noisy = dataclasses.replace(synthetic, pixels=pixels.pack(grainy))
    monkeypatch.setattr(discriminator, "_network", lambda _, test, __: test.label)
    noisy = discriminator.run(real, noisy)
    before, after = (
        values(found, "told apart")["forest of traits"] for found in (same, noisy)
    )
    assert before < 0.75
    assert after > before + 0.1
    assert values(noisy, "told apart")["small_resnet"] == 1
    assert values(noisy, "AUC")["fine detail"] > 0.9
    assert set(values(noisy, "AUC")) == set(discriminator.TRAITS)
    assert {row.source for row in noisy} == {"pki3"}


def test_train_and_evaluation_share_no_group_and_classes_are_matched(real, synthetic):
    train, test = discriminator.split(real, synthetic)
    assert not set(train.group) & set(test.group)
    for images in (train, test):
        kinds = [(images.label == kind).sum() for kind in discriminator.KINDS]
        assert kinds[0] == kinds[1] > 0


def test_the_area_under_the_curve_is_one_half_one_or_its_mirror():
    column, positive = np.arange(40.0), np.repeat([False, True], 20)
    group = np.repeat(np.arange(10), 4)
    assert discriminator.auc(column, positive, group)[0] == 1
    assert discriminator.auc(-column, positive, group)[0] == 0
    assert discriminator.auc(np.zeros(40), positive, group)[0] == 0.5
    absent = np.where(positive, np.nan, column)
    assert discriminator.auc(absent, positive, group) == (0.5, 0.0, 1.0)
