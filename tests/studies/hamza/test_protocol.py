"""Who trains and who tests, with boxes that go where their chromosomes go."""

import itertools

import numpy as np
import pytest

from chromolib.detect import data
from chromolib.models import augment, layers, protocols
from chromolib.studies.hamza import protocol
from tests.studies.hamza import conftest

SMALL = {"seed": 0, "share": 0.2}


def covered(fields):
    """Where the boxes are."""
    mask = np.zeros(fields.x.shape[:3], bool)
    for area, boxes in zip(mask, fields.truth, strict=True):
        for x0, y0, x1, y1 in boxes.xyxy.round().astype(int):
            area[y0:y1, x0:x1] = True
    return mask


def test_the_parts_are_those_of_the_thesis():
    assert sum(protocol.PARTS.values()) == 832
    split = protocol.divide(conftest.blocks(90), "published", seed=0, copies=None)
    assert len(split.sources) == 75
    assert len(split.unseen) == 15
    assert [len(part) for part in split.parts.values()] == [53, 15, 7]


def test_published_copies_share_their_source_and_clean_ones_do_not(karyograms):
    published = protocol.divide(karyograms, "published", **SMALL)
    assert [len(part) for part in published.parts.values()] == [117, 33, 16]
    names = np.concatenate([part.image for part in published.parts.values()])
    assert len(set(names)) == len(names)
    shared = protocol.chart(published).set_index("part")["groups in training"]
    assert shared["test"] > 0
    clean = protocol.divide(karyograms, "clean", **SMALL)
    groups = [set(part.group) for part in clean.parts.values()]
    assert not any(a & b for a, b in itertools.combinations(groups, 2))
    assert protocol.chart(clean)["groups in training"].tolist()[1:] == [0, 0]
    assert len(clean.train) == len(published.train)


def test_both_protocols_leave_the_same_groups_unseen(karyograms):
    splits = [protocol.divide(karyograms, name, **SMALL) for name in protocol.SPLITS]
    first, second = (set(split.unseen.group) for split in splits)
    assert first == second
    assert not first & {group for split in splits for group in split.sources.group}


def test_a_seed_says_it_all(karyograms):
    first, again, other = (
        protocol.divide(karyograms, "clean", seed=seed, copies=None)
        for seed in (0, 0, 1)
    )
    assert first.train.image.tolist() == again.train.image.tolist()
    assert first.train.image.tolist() != other.train.image.tolist()


def test_quarter_turns_and_mirrors_move_boxes_exactly(karyograms):
    split = protocol.divide(karyograms, "clean", copies=protocol.turned, **SMALL)
    assert (covered(split.train) == (split.train.x[..., 0] > 0)).all()
    assert (split.train.present.sum(1) == 24).all()
    assert len({image.tobytes() for image in split.train.x}) > 8


def test_a_box_still_holds_its_block_after_any_movement(karyograms):
    split = protocol.divide(karyograms, "published", copies=moved, **SMALL)
    names = split.train.image
    for image, boxes, labels, name in zip(
        split.train.x[..., 0], split.train.boxes, split.train.labels, names, strict=True
    ):
        source = int(name.removeprefix("field").partition("#")[0])
        for (x0, y0, x1, y1), label in zip(boxes, labels, strict=True):
            if label >= 0:
                middle = image[int((y0 + y1) / 2), int((x0 + x1) / 2)]
                assert abs(int(middle) - (100 + 5 * label + source % 5)) <= 6


def moved(seed):
    """The thesis' movements without what changes grey levels."""
    words = {"rotation": protocol.ROTATION, "crop": protocol.CROP}
    settings = {
        layers.Orientation: protocol.MIRRORED,
        layers.Movement: words | {"rate": protocol.RATE},
    }
    return augment.pipeline(settings, seed=seed)


def test_crops_lose_a_few_chromosomes_and_no_box_leaves_the_image(karyograms):
    split = protocol.divide(karyograms, "published", **SMALL)
    boxes = np.concatenate([part.boxes for part in split.parts.values()])
    present = np.concatenate([part.present for part in split.parts.values()])
    assert boxes.min() >= 0
    assert boxes.max() <= conftest.SIDE
    assert (boxes[present][:, 2:] > boxes[present][:, :2]).all()
    assert 0.9 < present.mean() < 1
    assert not boxes[~present].any()


def test_random_labels_are_those_of_the_field_in_another_order(karyograms):
    how = SMALL | {"copies": None}
    true = protocol.divide(karyograms, "clean", **how)
    dealt = protocol.divide(karyograms, "clean", labels="random", **how)
    assert dealt.labels == "random"
    for part in ("train", "unseen"):
        before, after = getattr(true, part).labels, getattr(dealt, part).labels
        assert (np.sort(before) == np.sort(after)).all()
        assert (before == after).mean() < 0.2


def test_of_copies_of_one_image_one_is_taken():
    fields = conftest.blocks(
        36, unit="source image", groups=[f"k{i}" for i in range(12)]
    )
    kept = protocol.originals(fields)
    assert sorted(kept.group) == sorted(set(fields.group))
    split = protocol.divide(fields, "clean", seed=0, copies=None)
    assert sum(len(part) for part in split.parts.values()) == 12
    cases = conftest.blocks(36, groups=[f"k{i}" for i in range(12)])
    assert protocol.originals(cases) is cases


def test_all_sources_may_train():
    fields = conftest.blocks(120)
    split = protocol.divide(fields, "clean", seed=0, copies=None, sources=None)
    assert sum(len(part) for part in split.parts.values()) == 120


def test_what_cannot_be_divided_says_why():
    with pytest.raises(protocols.SplitError, match="all fields are of one case"):
        protocol.divide(conftest.blocks(20, groups=["a"]), "clean", seed=0)
    with pytest.raises(protocols.SplitError, match="only 5 fields for 75 sources"):
        protocol.divide(conftest.blocks(6), "clean", seed=0)


def test_the_histogram_of_a_split_is_its_boxes(karyograms):
    split = protocol.divide(karyograms, "clean", seed=0, copies=None, share=0.2)
    table = data.histogram(split.parts)
    assert (
        table[list(split.parts)].sum().tolist()
        == protocol.chart(split)["boxes"].tolist()
    )
