"""The four real sources, as they are: each stated quirk is found, none in silence."""

import collections
import json

import numpy as np
import pandas as pd
import pytest

from chromolib import records
from chromolib.data import check, decode, splits

pytestmark = pytest.mark.realdata


def problems(images):
    return collections.Counter((p.level, p.reason) for p in images.problems)


def test_bioimlab_is_cells_of_46_in_24_classes(real):
    images = real("bioimlab")
    cells, size = np.unique(images.cell, return_counts=True)
    assert (len(images), len(cells), set(size)) == (4370, 95, {46})
    assert set(images.label) == set(records.CLASSES)
    assert {reason for _, reason in problems(images)} == {
        decode.COPIES[0],
        "a metaphase filed twice under two numbers, at two scales",
    }
    single = images.label[images.extra["homologue"] == ""]
    assert set(single) <= {"X", "Y"}


def test_pki3_cases_have_several_cells_lost_chromosomes_and_one_marker(real):
    images = real("pki3")
    assert len(np.unique(images.cell)) == 399
    assert len(np.unique(images.group)) < 399
    _, size = np.unique(images.cell, return_counts=True)
    assert collections.Counter(size.tolist()) == {46: 365, 45: 18, 47: 15, 36: 1}
    assert (images.label == "mar").sum() == 1
    assert decode.OPAQUE[0] in {p.reason for p in images.problems}
    assert not any(p.level == "error" for p in images.problems)


def test_pki3_has_the_extra_copies_its_cases_are_known_for(real):
    images = real("pki3")
    extra = collections.defaultdict(set)
    for cell in np.unique(images.cell):
        here = images.cell == cell
        names, count = np.unique(images.label[here], return_counts=True)
        copies = dict(zip(names.tolist(), count.tolist(), strict=True))
        wanted = dict.fromkeys(records.CLASSES[:22], 2)
        case = images.group[here][0]
        extra[case] |= {name for name, n in copies.items() if n > wanted.get(name, 9)}
        if copies.get("X", 0) + copies.get("Y", 0) > 2:
            extra[case].add("sex")
    found = collections.Counter(frozenset(v) for v in extra.values() if v)
    assert sum(found.values()) == 11
    assert set().union(*found) == {"21", "18", "sex"}


def test_tseng_fields_have_24_classes_and_boxes_inside_their_images(real):
    images = real("tseng2023")
    count = np.array([len(boxes) for boxes in images.boxes])
    assert (len(images), (count == 46).sum()) == (740, 669)
    labels = np.concatenate([boxes.label for boxes in images.boxes])
    assert set(labels) == set(records.CLASSES)
    for boxes, (height, width) in zip(images.boxes, images.pixels.shape, strict=True):
        assert (boxes.xyxy >= 0).all()
        assert (boxes.xyxy <= [width, height, width, height]).all()
    assert any("out of the image" in p.reason for p in images.problems)


def test_roboflow_is_few_karyograms_many_times(real):
    images = real("roboflow")
    assert (len(images), len(np.unique(images.group))) == (518, 90)
    assert any("alphabetical" in p.reason for p in images.problems)
    # Its files end without a line break. Read one after the other they seem to hold 517
    # rows of nine columns; each by itself, every row is a box.
    assert sum(map(len, images.boxes)) == 23_832
    assert not any(boxes.polygon for boxes in images.boxes)
    twins = [p for p in images.problems if "byte-identical" in p.reason]
    assert len(twins) == 12


def test_the_split_roboflow_ships_shares_its_sources(real):
    images = real("roboflow")
    split = splits.shipped(images)
    train, validation, test = (
        set(images.group[i]) for i in (split.train, split.validation, split.test)
    )
    assert (len(train & validation), len(train & test)) == (30, 20)


@pytest.mark.parametrize("source", ["bioimlab", "pki3", "tseng2023", "roboflow"])
def test_a_clean_split_shares_no_group_and_a_published_one_does(real, source):
    images = real(source)
    for protocol, leaks in (("clean", False), ("published", True)):
        split = splits.divide(images, protocol=protocol, test=0.2)
        shared = set(images.group[split.train]) & set(images.group[split.test])
        assert bool(shared) == leaks


@pytest.mark.parametrize("source", ["bioimlab", "pki3", "tseng2023", "roboflow"])
def test_the_committed_results_are_of_these_very_images(real, root, source):
    images, folder = real(source), root / "data" / "results" / "sources" / "full"
    told = json.loads((folder / source / "manifest.json").read_text())
    assert told["images"]["source"]["fingerprint"] == images.fingerprint
    counts = pd.read_csv(folder / source / "counts.csv")
    assert dict(counts.to_numpy()) == dict(check.counts(images).to_numpy())
