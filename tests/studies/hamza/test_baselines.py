"""What place and size give away, and karyograms whose places say nothing."""

import dataclasses
import types

import numpy as np
import pytest

from chromolib.cyto import bands
from chromolib.detect import data
from chromolib.evidence import metrics
from chromolib.studies.hamza import baselines, layout, protocol, questions
from tests.studies.hamza import conftest


def accuracy(predictions):
    rng = np.random.default_rng(0)
    return metrics.measure(predictions, "accuracy", rng=rng)["accuracy"]


def test_the_place_of_a_karyogram_gives_the_class_away_until_it_is_shuffled(karyograms):
    split = protocol.divide(karyograms, "clean", seed=0, copies=None, share=0.2)
    named = accuracy(baselines.place(split.train, split.test, protocol="clean"))
    assert (named.value, named.groups) == (1.0, len(set(split.test.group)))
    assert named.low < 1, "few groups, so not sure"
    elsewhere = layout.shuffled(split.test, seed=0)
    assert accuracy(baselines.place(split.train, elsewhere)).value < 0.25


def test_shuffled_chromosomes_are_all_there_none_over_another(karyograms):
    shuffled = layout.shuffled(karyograms, seed=0)
    assert shuffled.kind == layout.SHUFFLED
    assert (shuffled.labels == karyograms.labels).all()
    assert shuffled.x.sum() == karyograms.x.sum(), "no ink is lost"
    size = shuffled.boxes[..., 2:] - shuffled.boxes[..., :2]
    np.testing.assert_allclose(
        size, karyograms.boxes[..., 2:] - karyograms.boxes[..., :2]
    )
    for image, boxes, labels in zip(
        shuffled.x[..., 0], shuffled.boxes.astype(int), shuffled.labels, strict=True
    ):
        for (x0, y0, x1, y1), label in zip(boxes, labels, strict=True):
            assert set(image[y0:y1, x0:x1].ravel() // 5) == {(100 + 5 * label) // 5}


def test_drawn_karyograms_are_shuffled_at_their_size(drawn):
    fields = drawn["karyogram"]
    shuffled = layout.shuffled(fields, seed=0)
    size, before = (
        part.boxes[..., 2:] - part.boxes[..., :2] for part in (shuffled, fields)
    )
    assert np.median(size / before) > 0.8
    assert shuffled.boxes.min() >= 0
    assert shuffled.boxes.max() <= fields.side
    assert (layout.shuffled(fields, seed=0).x == shuffled.x).all()
    assert (layout.shuffled(fields, seed=1).x != shuffled.x).any()


def test_a_metaphase_has_no_layout_to_shuffle(drawn):
    with pytest.raises(data.FieldError, match="metaphases have no layout"):
        layout.shuffled(drawn["metaphase"], seed=0)


def cell(sex):
    """The 46 of a cell, as long as their ideograms, in any order."""
    length = {name: each.length for name, each in bands.read(550).items()}
    names = [str(n) for n in range(1, 23)] * 2 + list(sex)
    names = np.random.default_rng(0).permutation(names)
    tall = np.array([length[name] for name in names]) / 200
    boxes = np.zeros((1, 46, 4), np.float32)
    boxes[0, :, 3] = tall
    classes = {name: i for i, name in enumerate(length)}
    fields = dataclasses.replace(
        conftest.blocks(1),
        boxes=boxes,
        labels=np.array([[classes[name] for name in names]], np.int32),
    )
    return fields, names


@pytest.mark.parametrize("sex", ["XX", "XY"])
def test_chromosomes_as_long_as_their_ideograms_are_named_by_size_alone(sex):
    fields, names = cell(sex)
    predictions = baselines.size(fields, protocol="clean")
    assert predictions.label.tolist() == names.tolist()
    assert predictions.model == "size alone"


def test_size_needs_no_place(drawn):
    fields = drawn["karyogram"]
    named, elsewhere = (
        accuracy(baselines.size(part)).value
        for part in (fields, layout.shuffled(fields, seed=0))
    )
    assert 0.2 < named < 0.8
    assert elsewhere == pytest.approx(named, abs=0.1)


@pytest.mark.realdata
def test_place_names_real_karyograms_and_no_metaphase(real):
    named = {}
    for source, kind in (("roboflow", "karyogram"), ("tseng2023", "metaphase")):
        images = real(source)
        groups = np.unique(images.group)[:24]
        fields = data.fields(images.take(np.isin(images.group, groups)), kind)
        how = {"seed": 0, "copies": None, "sources": None}
        split = protocol.divide(fields, "clean", **how)
        named[kind] = accuracy(baselines.place(split.train, split.test)).value
    assert named["karyogram"] > 0.95
    assert named["metaphase"] < 0.15


def test_segmentation_finds_most_of_a_drawn_metaphase_and_names_nothing():
    fields = data.drawn("metaphase", 2, seed=1, side=512)
    found = baselines.segmented(fields)
    assert {name for one in found for name in one.label} == {*data.UNNAMED}
    run = types.SimpleNamespace(
        label={"study": "hamza", "profile": "smoke", "seed": 0},
        rng=lambda _: np.random.default_rng(0),
        record_all=list,
    )
    made = {one.quantity: one for one in questions.unlearned(run, fields, found)}
    assert made["recall"].value > 0.5
    assert made[questions.FOUND].model == baselines.SEGMENTED
    row = questions.aims(made.values()).set_index("boxes of").loc[baselines.SEGMENTED]
    assert row["found, AP50"] == str(made[questions.FOUND])
