"""What is asked of a detector: counted by hand, and equal on its own resamples."""

import numpy as np
import pytest

from chromolib import records
from chromolib.evidence import detections

WORDS = {"study": "hamza", "source": "drawn", "protocol": "clean", "model": "any"}


def field(*rows):
    """Boxes of 10 pixels from side to side: (x, name) or (x, name, score)."""
    xyxy = [[x, 0, x + 10, 10] for x, *_ in rows]
    score = [row[2] if len(row) > 2 else 1.0 for row in rows]
    return records.Boxes(xyxy, [row[1] for row in rows], score)


TRUTH = [field((0, "1"), (20, "X")), field((0, "1"), (20, "1"))] * 3
GROUP = [*"aabbcc"]


def asked(found, **words):
    how = {"group": GROUP, "words": WORDS, "rng": np.random.default_rng(0)}
    return detections.estimates(TRUTH, found, **how, draws=50, **words)


def test_all_that_is_found_and_named_is_worth_1():
    made = asked(TRUTH)
    assert made["boxes an image"].value == 2
    assert all(one.value == 1 for name, one in made.items() if "boxes an" not in name)
    assert (made["mAP"].n, made["mAP"].groups, made["recall"].n) == (6, 3, 12)
    assert 0.3 < made["mAP"].low < 0.8, "three groups leave much open"


def test_counts_are_of_boxes_that_are_sure_enough():
    found = [field((0, "1", 0.9), (20, "1", 0.8), (40, "X", 0.4))] * 6
    made = asked(found)
    value = {name: one.value for name, one in made.items()}
    assert value["recall"] == pytest.approx(9 / 12), "X is named 1"
    assert value["precision"] == pytest.approx(9 / 12)
    assert value["F1"] == pytest.approx(9 / 12)
    assert value["boxes an image"] == 2
    assert value["count exact"] == value["every box found"] == 1
    lower = asked(found, score=0.3)
    assert lower["boxes an image"].value == 3
    assert lower["precision"].value == pytest.approx(9 / 18)
    assert lower["count exact"].value == lower["every box found"].value == 0
    table = detections.by_score(TRUTH, found)
    for score, said in ((0.5, made), (0.3, lower)):
        row = {name: said[name].value for name in table.columns}
        assert table.loc[score].to_dict() == pytest.approx(row)
    assert table.loc[0.95, "recall"] == 0
    assert np.isnan(table.loc[0.95, "precision"]), "no box is neither right nor wrong"


def test_a_chromosome_with_two_names_counts_once():
    (found,) = detections.sure([field((0, "1", 0.6), (1, "2", 0.9), (20, "X", 0.7))])
    assert found.label.tolist() == ["2", "X"]
    chain = field((0, "1", 0.9), (3, "2", 0.8), (6, "3", 0.7))  # each over the next
    assert detections.sure([chain])[0].label.tolist() == ["1", "3"]
    assert len(detections.sure([field()])[0]) == 0


def test_names_are_left_out_where_any_chromosome_counts():
    swapped = {"1": "X", "X": "1"}
    found = [
        records.Boxes(one.xyxy, [swapped[name] for name in one.label], one.score)
        for one in TRUTH
    ]
    made = asked(found)
    assert made["AP50"].value < 0.3
    assert made[f"AP50 {detections.ANY}"].value == 1
    assert made["recall"].value < 0.5
    assert made["every box found"].value == 1


def test_nothing_found_is_worth_0():
    made = asked([field()] * 6)
    assert (
        made["recall"].value == made["mAP"].value == made["boxes an image"].value == 0
    )
    assert "precision" not in made, "of nothing there is no share"


def test_groups_stay_together_and_spread_the_interval():
    found = [*TRUTH[:2], *[field()] * 2, *TRUTH[4:]]  # one of three groups fails
    made = asked(found)
    assert made["recall"].value == pytest.approx(2 / 3)
    assert made["recall"].high - made["recall"].low > 0.5
    assert made["boxes an image"].low < 1.0 < made["boxes an image"].high


def test_a_difference_is_of_the_same_images():
    half = [field((0, "1")), field((0, "1"))] * 3
    how = {"group": GROUP, "words": WORDS, "rng": np.random.default_rng(0)}
    none = detections.differences(TRUTH, (TRUTH, TRUTH), (TRUTH, TRUTH), **how)
    assert none["difference in mAP"].value == 0
    made = detections.differences(TRUTH, (TRUTH, TRUTH), (half, half), **how)[
        "difference in mAP"
    ]
    back = detections.differences(TRUTH, (half, half), (TRUTH, TRUTH), **how)[
        "difference in mAP"
    ]
    assert made.value == -back.value > 0.3
    assert made.low > 0


def test_what_is_found_once_counts_where_names_do_not():
    once = [field((0, "1", 0.9), (20, "2", 0.8))] * 6
    made = asked([field((0, "1", 0.4), (20, "X", 0.4))] * 6, once=once)
    assert made["boxes an image"].value == 2, "each is sure enough to be one"
    assert made[f"AP50 {detections.ANY}"].value == 1
    assert made["recall"].value == pytest.approx(0.5), "by the names of these boxes"
    assert made["AP50"].value > 0.5, "by the names of the others"
