import numpy as np
import pytest
from predicted import predictions

from chromolib import records

GOOD = {
    "image": ["a", "b"],
    "group": ["g", "h"],
    "truth": ["1", "X"],
    "probability": [[0.8, 0.2], [0.6, 0.4]],
    "classes": ("1", "X"),
    "source": "synthetic",
}


def test_label_uncertainty_and_cell_follow_unless_given():
    made = records.Predictions(**GOOD)
    assert made.label.tolist() == ["1", "1"]
    assert made.uncertainty == pytest.approx([0.2, 0.4])
    assert made.cell.tolist() == ["g", "h"]
    given = GOOD | {"label": ["X", "1"], "uncertainty": [3, 4], "cell": ["c", "c"]}
    made = records.Predictions(**given)
    assert (made.label.tolist(), made.uncertainty.tolist()) == (["X", "1"], [3, 4])


def test_a_model_without_probabilities_has_labels():
    made = records.Predictions(**GOOD | {"probability": None, "label": ["1", "1"]})
    assert made.uncertainty is None


def test_chosen_rows_keep_every_column_and_the_words():
    made = predictions(study="toy", seed=3, refer=np.arange(72) % 2)
    some = made.take(made.refer)
    assert len(some) == 36
    assert some.words == made.words
    assert some.words["study"] == "toy"
    np.testing.assert_array_equal(some.probability, made.probability[1::2])


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"source": ""}, "without a source; give"),
        ({"group": ["g"]}, "group has 1 values for 2 images"),
        ({"truth": ["1"] * 3}, "truth has 3 values for 2 images"),
        ({"probability": [[0.8, 0.2]]}, "probability has 1 values for 2 images"),
        ({"uncertainty": [1]}, "uncertainty has 1 values for 2 images"),
        ({"image": ["a", "a"]}, "image 'a' is predicted twice; keep one"),
        ({"group": ["g", ""]}, "belongs to no group"),
        ({"truth": ["1", "23"]}, "truth '23' is none of"),
        ({"label": ["1", "z"]}, "label 'z' is none of"),
        ({"probability": [0.8, 0.4]}, r"shape \(2,\), not \(n, 2\); give one column"),
        ({"probability": [[0.8, 0.4], [0.5, 0.5]]}, "row 0 .* 1.2, not 1, .*softmax"),
        ({"probability": [[0.5, 0.5], [np.nan, 1]]}, "row 1 .* nan, not 1, as of 1 of"),
        ({"probability": [[1.5, -0.5], [0.5, 0.5]]}, "row 0 is negative"),
        ({"probability": None}, "neither label nor probability; give one"),
        ({"uncertainty": [0.1, np.inf]}, "uncertainty is not a number"),
        ({name: [] for name in ("image", "group", "truth", "label")}, "at least one"),
    ],
)
def test_bad_predictions_are_refused_in_one_line(change, complaint):
    with pytest.raises(ValueError, match=complaint) as caught:
        records.Predictions(**GOOD | change)
    assert "\n" not in str(caught.value)
