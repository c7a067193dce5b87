"""Karyograms with another form: numbers right, kinds and arms known, shams normal."""

import dataclasses

import numpy as np
import pytest

from chromolib import records
from chromolib.cyto import assign
from chromolib.data import edits
from chromolib.models import predict
from chromolib.studies.chu import data, forms
from chromolib.synth import lab, singles
from tests.studies.chu.conftest import Run


@pytest.fixture(scope="module")
def cut_out():
    """Drawn cells as a source of single chromosomes, two of them known to training."""
    cells = [lab.cell("46,XX", patient=k) for k in range(8)]
    return dataclasses.replace(singles.images(cells), source="bioimlab")


@pytest.fixture
def run(root, tmp_path):
    return Run(root, tmp_path)


def test_drawn_ones_have_46_chromosomes_and_say_which_arm(run):
    made = forms.karyograms(run, None, 8)
    assert made.extra["kind"].tolist()[::2] == [*forms.KINDS]
    assert set(made.extra["kind"][1::2]) == {edits.UNTOUCHED}
    assert made.label.tolist() == ["abnormal", "normal"] * 4
    assert not any(any(assign.uneven(one.label)) for one in made.boxes)
    assert set(made.extra["arm"][::2]) <= {"p", "q"}
    assert set(made.extra["arm"][1::2]) == {""}
    for text, arm in zip(made.extra["iscn"][::2], made.extra["arm"][::2], strict=True):
        assert f")({arm}" in text


def test_real_cells_are_of_groups_that_train_nothing(run, cut_out):
    run.images, known = cut_out, cut_out.take(cut_out.cell == cut_out.cell[0])
    made = forms.karyograms(run, known, 0)
    assert not set(made.group) & set(known.group)
    assert len(made) >= 5
    assert not any(any(assign.uneven(one.label)) for one in made.boxes)
    odd = np.isin(made.extra["kind"], [*forms.KINDS])
    assert (made.label == np.where(odd, "abnormal", "normal")).all()
    assert ((made.extra["arm"] != "") == odd).all()


def test_a_source_of_metaphases_has_none(run):
    one, nameless = np.array(["a"]), np.array([""])
    columns = one, nameless, one, "case", [np.eye(8)]
    run.images = records.ImageSet("tseng2023", *columns)
    assert forms.karyograms(run, None, 8) is None


def test_the_arm_is_where_the_middle_of_the_change_lies():
    assert forms._arm("1", "del", "0.100:0.200") == "p"
    assert forms._arm("1", "del", "0.700:0.900") == "q"
    assert forms._arm("21", "dup", "0.300:0.500") == "q"
    assert forms._arm("1", "rejoined", "0.100:0.200") == ""


def test_what_is_seen_is_told_by_kind_and_by_arm(run):
    details = forms.karyograms(run, None, 8)
    images = data.as_samples(details)
    right = np.eye(2)[(images.label == "abnormal").astype(int)]
    said = predict.predictions(images, right, source="drawn", study="chu", model="all")
    made = forms.seen(run, [said], details)
    by = {one.conditions.get(forms.FORM, one.quantity): one.value for one in made}
    assert set(by.values()) == {1}
    assert {"AUROC of abnormal", "deletion", "no change"} <= set(by)
    assert set(by) & set(forms.ARMS.values())
