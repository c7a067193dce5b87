"""The two protocols: who trains, who chooses the epoch, who tests."""

import dataclasses
import types

import numpy as np
import pytest

from chromolib.models import protocols
from chromolib.studies.chromonet import data, protocol


@pytest.fixture(scope="module")
def pair(bars):
    """What both protocols divide: 80 images to draw sources from, and unseen ones."""
    return types.SimpleNamespace(pool=bars(80, "pool"), unseen=bars(60, "unseen"))


def counts(samples):
    return {label: int((samples.label == label).sum()) for label in data.LABELS}


def origin(samples, sources):
    """The place among the sources of each augmented image."""
    names = [name.partition("#")[0] for name in samples.image]
    place = {name: i for i, name in enumerate(sources.image)}
    return np.array([place[name] for name in names])


def test_sources_are_drawn_as_the_paper_has_them(bars):
    images = types.SimpleNamespace(pool=bars(800, "w", shape=(16, 16)))
    wanted = protocol.PAPER.shared(1, protocol.SOURCES).sources
    drawn = protocols.sources(images, wanted, seed=0)
    assert counts(drawn) == {"normal": 101, "abnormal": 92}
    again, other = (protocols.sources(images, wanted, seed=s) for s in (0, 1))
    assert (again.image == drawn.image).all()
    assert (other.image != drawn.image).any()


def test_too_few_images_of_a_label_are_refused(pair):
    few = types.SimpleNamespace(pool=pair.pool.take(np.arange(12)))
    with pytest.raises(protocols.SplitError, match="only 6 normal images for 21"):
        protocols.sources(few, {"normal": 21, "abnormal": 19}, seed=0)


def test_the_published_split_meets_the_paper_s_counts(pair):
    split = protocol.published(pair, seed=0, count=40)
    assert split.counts == protocol.COUNTS
    assert split.drawn == 40


def test_the_published_split_trains_on_copies_of_what_it_tests(pair):
    split = protocol.published(pair, seed=0, count=40, share=0.2)
    assert (len(split.train), len(split.test)) == (252, 107)
    assert len(set(split.test.group) & set(split.train.group)) > 35
    assert split.validation is split.test, "the test images choose the epoch"
    assert not set(split.train.image) & set(split.test.image)
    assert not set(split.unseen.group) & set(split.train.group)


def test_a_clean_split_shares_no_group(pair):
    split = protocol.clean(pair, seed=0, count=40, share=0.2)
    sides = [set(p.group) for p in (split.train, split.validation, split.test)]
    assert not sides[0] & sides[1]
    assert not (sides[0] | sides[1]) & sides[2]
    assert split.test is split.unseen is pair.unseen
    assert counts(split.train) == {"normal": 132, "abnormal": 120}
    assert split.drawn == 40


def test_a_clean_split_never_drops_a_source(pair):
    split = protocol.clean(pair, seed=0, count=40, share=0.01)
    assert counts(split.train) == counts(split.sources)


def test_who_trains_does_not_depend_on_how_many_validate(pair):
    def trained(validation):
        counts = {"train": 12, "validation": validation, "test": 15 - validation}
        parts = {name: dict.fromkeys(data.LABELS, n) for name, n in counts.items()}
        paper = protocols.Paper(dict.fromkeys(data.LABELS, 20), parts)
        return protocols.published(pair, paper, seed=0).train.image

    np.testing.assert_array_equal(trained(3), trained(9))


def test_without_copies_fewer_images_than_the_paper_s_are_shared_out(pair):
    counts = {"train": 48, "validation": 12, "test": 20}
    parts = {name: dict.fromkeys(data.LABELS, n) for name, n in counts.items()}
    paper = protocols.Paper(dict.fromkeys(data.LABELS, 40), parts)
    split = protocols.published(pair, paper, seed=0)
    found = {name: len(getattr(split, name)) for name in counts}
    assert found == counts, "two labels, half as many of each"


@pytest.mark.parametrize("name", protocol.SPLITS)
def test_the_source_and_the_group_of_every_copy_are_known(pair, name):
    split = protocol.SPLITS[name](pair, seed=0, count=40, share=0.1)
    place = origin(split.train, split.sources)
    assert set(place) <= set(range(len(split.sources)))
    np.testing.assert_array_equal(split.train.group, split.sources.group[place])
    np.testing.assert_array_equal(split.train.label, split.sources.label[place])
    assert len(set(split.train.image)) == len(split.train)
    assert (split.train.x != split.sources.x[place]).any((1, 2, 3)).all()


@pytest.mark.parametrize("name", protocol.SPLITS)
def test_the_seed_decides_a_split(pair, name):
    divide = protocol.SPLITS[name]
    one, same, other = (
        divide(pair, seed=seed, count=20, share=0.05) for seed in (3, 3, 4)
    )
    np.testing.assert_array_equal(one.train.x, same.train.x)
    assert set(one.train.image) != set(other.train.image)


@pytest.mark.parametrize("name", protocol.SPLITS)
def test_random_labels_keep_their_counts_and_forget_their_pictures(pair, name):
    words = {"seed": 1, "count": 40, "share": 0.1}
    true = protocol.SPLITS[name](pair, **words)
    random = protocol.SPLITS[name](pair, **words, labels="random")
    assert (true.labels, random.labels) == ("true", "random")
    assert counts(random.unseen) == counts(true.unseen)
    assert counts(random.train) == counts(true.train)
    label = dict(zip(pair.pool.image, pair.pool.label, strict=True))
    usual = np.array([label[name] for name in random.sources.image])
    assert 0.2 < (random.sources.label == usual).mean() < 0.8
    assert (random.unseen.image == true.unseen.image).all()


def test_unseen_images_that_were_seen_are_refused(pair):
    both = types.SimpleNamespace(pool=pair.pool, unseen=pair.pool)
    with pytest.raises(protocols.SplitError, match="among sources and unseen"):
        protocol.clean(both, seed=0, count=40)


def test_too_few_groups_are_refused_in_words(pair):
    group = np.resize(["a", "b"], len(pair.pool))
    few = types.SimpleNamespace(
        pool=dataclasses.replace(pair.pool, group=group), unseen=pair.unseen
    )
    with pytest.raises(protocols.SplitError, match="2 groups are too few to divide"):
        protocol.clean(few, seed=0, count=40)


@pytest.mark.parametrize("patients", [4, 6, 10])
@pytest.mark.parametrize("seed", range(5))
def test_validation_has_both_labels_whatever_the_seed(pair, patients, seed):
    group = np.array([f"p{i % patients}" for i in range(len(pair.pool))])
    lab = dataclasses.replace(pair.pool, group=group)
    images = types.SimpleNamespace(pool=lab, unseen=pair.unseen)
    split = protocol.clean(images, seed=seed, count=60, share=0.01)
    labels = set(data.LABELS)
    assert set(split.validation.label) == set(split.sources.label) == labels
    assert not set(split.validation.group) & set(split.train.group)
