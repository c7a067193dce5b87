"""The same cells arranged by hand and by the command: what stands, what is lost."""

import numpy as np
import pytest

from chromolib.cyto import assign
from chromolib.models import predict, samples
from chromolib.studies.chu import arranged, data, layout
from chromolib.synth import lab, sets
from tests.studies.chu.conftest import Run


@pytest.fixture
def run(root, tmp_path):
    return Run(root, tmp_path)


def test_by_hand_each_chromosome_stands_in_its_place_and_a_trisomy_shows(run):
    cells = lab.cells(40, look="field", abnormal=1.0, seed=5)
    odd = next(c for c in cells if any(assign.uneven(c.label)) and len(c.label) > 46)
    images = sets.metaphases([odd])
    made = arranged.karyograms(run, images)
    hand, command = (made[way] for way in arranged.WAYS)
    assert hand.label.tolist() == ["abnormal"]
    assert hand.x.shape == command.x.shape == (1, data.SIDE, data.SIDE, 1)
    assert (hand.image == command.image).all()
    counts = layout.counts(hand)[0]
    true = [int((images.boxes[0].label == name).sum()) for name in data.records.CLASSES]
    assert np.abs(counts - true).sum() <= 4, "pale ones fall into pieces"
    assert (command.x > 0).any()


def test_drawn_metaphases_are_of_other_patients_every_time_the_same(run):
    first, again = (arranged.metaphases(run, 4) for _ in "ab")
    assert (first.name == again.name).all()
    assert len(set(first.group)) >= 2
    assert {any(assign.uneven(one.label)) for one in first.boxes} == {False, True}


def test_what_is_lost_is_the_difference_on_the_same_cells(run):
    label = np.array(data.LABELS)[np.arange(20) % 2]
    name = np.arange(20).astype(str)
    part = samples.Samples(np.zeros((20, 1, 1, 1)), label, name, name, data.LABELS)
    right = np.where(label == "abnormal", 0.9, 0.1)
    flat = np.where(np.arange(20) < 10, 0.6, 0.4)
    said = {
        way: [
            predict.predictions(
                part, np.c_[1 - p, p], source="x", model="one", weights="none"
            )
        ]
        for way, p in zip(arranged.WAYS, (right, flat), strict=True)
    }
    made = arranged.lost(run, said, "drawn")
    (hand,), (command,), (less,) = (
        [one.value for one in made if one.conditions["arranged"] == way]
        for way in (*arranged.WAYS, " - ".join(arranged.WAYS))
    )
    assert hand == 1
    assert command == pytest.approx(0.5)
    assert less == pytest.approx(0.5)
    assert {(one.model, one.source) for one in made} == {("one", "drawn")}
    normal = label == "normal"
    alike = {way: [one.take(normal)] for way, (one,) in said.items()}
    assert arranged.lost(run, alike, "drawn") == []
    assert arranged.lost(run, {}, "drawn") == []
