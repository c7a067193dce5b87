"""Who is in training and who in test: nobody in both, and the same every time."""

import dataclasses
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from chromolib import records
from chromolib.data import pixels, splits


def images_of(groups, *, label=None, source="bioimlab", **extra):
    """One-pixel images, one a group id."""
    groups = np.array(list(groups), dtype=str)
    label = np.full(len(groups), "") if label is None else np.asarray(label, str)
    return records.ImageSet(
        source=source,
        name=np.array([f"{i:05d}.png" for i in range(len(groups))]),
        label=label,
        group=groups,
        unit="cell",
        pixels=pixels.pack([np.zeros((1, 1))] * len(groups)),
        extra={key: np.asarray(values, str) for key, values in extra.items()},
    )


CELLS = images_of(np.repeat(np.arange(20), 46), label=np.tile(np.arange(46) // 2, 20))


def shared(images, split):
    return set(images.group[split.train]) & set(images.group[split.test])


@settings(max_examples=60, deadline=None)
@given(
    some.lists(some.integers(0, 12), min_size=12, max_size=80),
    some.integers(0, 99),
    some.sampled_from([0.1, 0.2, 0.3, 0.5, 0.7]),
)
def test_a_clean_split_never_shares_a_group(groups, seed, share):
    if len(set(groups)) < 11:
        groups = groups + list(range(12))
    images = images_of(groups)
    split = splits.divide(images, protocol="clean", test=share, seed=seed)
    assert not shared(images, split)
    assert len(split.train) + len(split.test) == len(images)


def test_validation_is_cut_from_training_groups_too():
    split = splits.divide(CELLS, protocol="clean", test=0.2, validation=0.2)
    parts = [set(CELLS.group[i]) for i in (split.train, split.validation, split.test)]
    assert not parts[0] & parts[1]
    assert not parts[1] & parts[2]
    assert [len(part) for part in parts] == [12, 4, 4]


@pytest.mark.parametrize("share", [0.05, 0.15, 0.2, 0.3, 0.5, 0.7, 0.9])
def test_the_test_part_has_the_share_asked_for(share):
    for protocol in splits.PROTOCOLS:
        split = splits.divide(CELLS, protocol=protocol, test=share)
        assert len(split.test) / len(CELLS) == pytest.approx(share, abs=0.01)


def test_the_published_protocol_shares_cells_and_keeps_classes_even():
    split = splits.divide(CELLS, protocol="published", test=0.3)
    assert len(shared(CELLS, split)) == 20
    _, count = np.unique(CELLS.label[split.test], return_counts=True)
    assert count.max() - count.min() <= 2


def test_a_clean_split_keeps_rare_labels_in_every_part():
    label = np.repeat(["normal", "abnormal"], [80, 20])
    images = images_of(np.repeat(np.arange(50), 2), label=label)
    for split in splits.folds(images, 5):
        assert np.mean(images.label[split.test] == "abnormal") == pytest.approx(0.2)


def test_every_image_is_tested_in_exactly_one_fold():
    for protocol in splits.PROTOCOLS:
        tested = [s.test for s in splits.folds(CELLS, 5, protocol=protocol)]
        np.testing.assert_array_equal(
            np.sort(np.concatenate(tested)), np.arange(len(CELLS))
        )


def test_one_seed_gives_one_split_and_another_seed_another():
    def part(seed):
        return splits.divide(CELLS, protocol="clean", test=0.2, seed=seed).part

    np.testing.assert_array_equal(part(3), part(3))
    assert (part(3) != part(4)).any()


def test_the_split_that_came_with_the_source():
    images = images_of("aabbc", part=["train", "test", "train", "valid", ""])
    split = splits.shipped(images)
    assert split.protocol == "published"
    assert (list(split.train), list(split.test), list(split.validation)) == (
        [0, 2],
        [1],
        [3],
    )
    with pytest.raises(splits.SplitError, match="train part is empty"):
        splits.shipped(images_of("ab"))


@pytest.mark.parametrize("protocol", splits.PROTOCOLS)
def test_a_saved_split_comes_back_exactly(tmp_path, protocol):
    split = splits.divide(CELLS, protocol=protocol, test=0.2, validation=0.1, seed=5)
    path = tmp_path / "split.json"
    splits.save(split, CELLS, path)
    assert path.stat().st_size < 2000
    shuffled = CELLS.take(np.random.default_rng(0).permutation(len(CELLS)))
    again = splits.load(path, shuffled)
    before = dict(zip(CELLS.name, split.part, strict=True))
    assert dict(zip(shuffled.name, again.part, strict=True)) == before
    assert (again.seed, again.protocol, again.unit) == (5, protocol, "cell")


def test_a_split_of_other_images_is_refused(tmp_path):
    path = tmp_path / "split.json"
    splits.save(splits.divide(CELLS, protocol="clean", test=0.2), CELLS, path)
    with pytest.raises(splits.SplitError, match="other images of 'bioimlab'"):
        splits.load(path, CELLS.take(np.arange(100)))


def test_a_lab_sees_its_own_case_numbers_in_no_file(tmp_path):
    images = dataclasses.replace(
        CELLS, source="folder", group=np.char.add("patient-", CELLS.group)
    )
    split = splits.divide(images, protocol="clean", test=0.2)
    path = tmp_path / "split.json"
    splits.save(split, images, path)
    assert "patient" not in path.read_text()
    np.testing.assert_array_equal(splits.load(path, images).part, split.part)


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", "null", "[" * 100_000, '{"images": 3}', "\x00", '{"images": NaN}'],
)
def test_what_is_no_split_file_is_refused_by_name(tmp_path, text):
    path = tmp_path / "split.json"
    path.write_text(text)
    with pytest.raises(splits.SplitError, match=r"split\.json"):
        splits.load(path, CELLS)


@settings(max_examples=100, deadline=None)
@given(some.binary(max_size=60))
def test_codes_of_any_bytes_are_refused_or_of_the_right_length(tmp_path_factory, raw):
    path = tmp_path_factory.getbasetemp() / "fuzzed.json"
    splits.save(splits.divide(CELLS, protocol="published", test=0.2), CELLS, path)
    found = json.loads(path.read_text())
    found["codes"] = raw.decode("latin-1")
    path.write_text(json.dumps(found))
    with pytest.raises(splits.SplitError):
        splits.load(path, CELLS)


@pytest.mark.parametrize(
    ("test", "validation"), [(0, 0), (1, 0), (-0.1, 0), (0.6, 0.5), (float("nan"), 0)]
)
def test_impossible_shares_are_refused(test, validation):
    with pytest.raises(splits.SplitError):
        splits.divide(CELLS, protocol="clean", test=test, validation=validation)


def test_too_few_groups_are_refused():
    with pytest.raises(splits.SplitError, match="5 parts of 2 groups"):
        list(splits.folds(images_of("aabb"), 5))


def test_an_unknown_protocol_is_refused():
    with pytest.raises(splits.SplitError, match="protocol 'secret'"):
        splits.divide(CELLS, protocol="secret", test=0.2)


def test_two_groups_are_divided_and_one_is_not():
    split = splits.divide(images_of("aaab"), protocol="clean", test=0.2)
    assert len(set(split.part)) == 2
    for protocol, groups in (("clean", "aaaa"), ("published", "a")):
        with pytest.raises(splits.SplitError, match="single group cannot be divided"):
            splits.divide(images_of(groups), protocol=protocol, test=0.2)


@pytest.mark.parametrize(
    "groups",
    [["1"], {"train": ["1"], "test": ["1"]}, {"train": ["1"], "testing": ["2"]}],
)
def test_groups_in_two_parts_or_in_none_are_refused(tmp_path, groups):
    path = tmp_path / "split.json"
    splits.save(splits.divide(CELLS, protocol="clean", test=0.2), CELLS, path)
    found = json.loads(path.read_text()) | {"groups": groups}
    path.write_text(json.dumps(found))
    with pytest.raises(splits.SplitError, match=r"split\.json is no split file"):
        splits.load(path, CELLS)


def test_a_split_file_that_is_not_there_is_named_without_its_folder(tmp_path):
    with pytest.raises(splits.SplitError, match=r"none\.json is no split") as caught:
        splits.load(tmp_path / "none.json", CELLS)
    assert str(tmp_path) not in str(caught.value)
