"""Karyograms as the thesis had them, their protocols, and what needs no network."""

import itertools

import numpy as np
import pytest

from chromolib.studies.chu import baselines, data, moved, protocol
from tests.studies.chu import conftest


def counts(part):
    return {label: int((part.label == label).sum()) for label in data.LABELS}


@pytest.fixture(scope="module")
def read(tmp_path_factory, root):
    return data.read(conftest.Run(root, tmp_path_factory.mktemp("read")), 12)


def test_drawn_karyograms_are_squares_of_ink_divided_by_group(read):
    for part in (read.pool, read.unseen):
        assert part.x.shape[1:] == (data.SIDE, data.SIDE, 1)
        assert part.x.dtype == np.uint8
        assert np.median(part.x) == 0, "the ground is 0"
        assert part.x.max() > 200
    assert not set(read.pool.group) & set(read.unseen.group)
    assert data.counts(read)["unseen karyograms"].sum() == len(read.unseen)


def test_another_size_keeps_the_ink(read):
    small = data.sized(read.pool, 104).x
    assert small.shape[1:] == (104, 104, 1)
    assert small.mean() == pytest.approx(read.pool.x.mean() / 255, rel=0.02)


def test_published_parts_have_the_thesis_counts():
    parts = protocol.COPIES
    sizes = {part: sum(parts[part].values()) for part in parts}
    assert sizes == {"train": 442, "validation": 111, "test": 139}
    of_label = {
        label: sum(part[label] for part in parts.values()) for label in data.LABELS
    }
    assert of_label == {"normal": 376, "abnormal": 316}
    assert [sum(p.values()) for p in protocol.PLAIN.values()] == [92, 24, 30]


def test_the_published_order_shares_sources_and_the_clean_one_does_not(karyograms):
    how = {"seed": 0, "share": 0.2}
    published = protocol.divide(karyograms, "published", **how)
    assert set(published.train.group) & set(published.test.group)
    assert published.test is not published.validation
    clean = protocol.divide(karyograms, "clean", **how)
    groups = [set(p.group) for p in (clean.train, clean.validation, clean.test)]
    pairs = itertools.combinations(groups, 2)
    assert not any(first & second for first, second in pairs)
    assert counts(published.train) == counts(clean.train)


def test_the_original_images_are_each_there_once(karyograms):
    split = protocol.divide(karyograms, "published", "original", seed=0, share=0.3)
    parts = split.train, split.validation, split.test
    names = np.concatenate([part.image for part in parts])
    assert len(set(names)) == len(names) == len(split.sources)
    assert all(len(part) for part in parts)


def test_copies_keep_the_order_of_a_karyogram_and_the_first_ones_did_not(karyograms):
    few = karyograms.pool.take(np.arange(4))
    ink = few.x / np.float32(255)
    kept = np.asarray(protocol.augmentation(0)(ink, training=True))
    moved_ = np.asarray(protocol.moving(0)(ink, training=True))

    def likeness(images):
        return np.corrcoef(ink.ravel(), images.ravel())[0, 1]

    assert likeness(kept) > 0.8
    assert likeness(moved_) < 0.5


def test_pieces_are_counted_and_ink_is_measured(karyograms):
    pool = karyograms.pool
    many = baselines.pieces(pool)[:, 0]
    assert set(many[pool.label == "normal"]) == {6}
    assert set(many[pool.label == "abnormal"]) == {9}
    assert baselines.ink(pool).shape == (len(pool), 1)


def test_what_needs_no_network_learns_from_sources_alone(karyograms):
    split = protocol.divide(karyograms, "clean", seed=0, share=0.2)
    words = {"source": "drawn", "protocol": "clean"}
    most, _, count = baselines.said(split, **words)
    assert len(set(most.label)) == 1
    assert (count.label == count.truth).all()


def test_changed_images_are_the_same_karyograms(karyograms):
    test = karyograms.unseen
    parts = moved.parts(test)
    assert set(parts) == {*moved.SHIFTS, *moved.OTHERS}
    for part in parts.values():
        assert (part.image == test.image).all()
        assert part.x.dtype == np.uint8
    assert parts["paler"].x.mean() < test.x.mean() < parts["darker"].x.mean()
    tiles = parts["tiles shuffled"].x
    assert np.sort(tiles[0].ravel()).tolist() == np.sort(test.x[0].ravel()).tolist()
    assert (tiles != test.x).any()
