"""What is written reads back the same, and what is damaged says where."""

import csv
import dataclasses

import numpy as np
import pandas as pd
import pytest

from chromolib import files, records
from chromolib.runs import results

TWO = ("normal", "abnormal")


def drawn(classes, *, seed=0, n=7, **words):
    rng = np.random.default_rng(seed)
    given = rng.dirichlet(np.ones(len(classes)), n)
    plain = {
        "image": [f"{i}.png" for i in range(n)],
        "group": [f"cell {i // 2}" for i in range(n)],
        "truth": rng.choice(classes, n),
        "probability": given,
        "classes": classes,
        "source": "synthetic",
        "protocol": "clean",
        "seed": 3,
    }
    return records.Predictions(**plain | words)


def same(one, other):
    for field in dataclasses.fields(records.Predictions):
        mine, its = getattr(one, field.name), getattr(other, field.name)
        np.testing.assert_array_equal(mine, its, err_msg=field.name)
        assert type(mine) is type(its), field.name
    return True


def there_and_back(folder, *found):
    results.predictions(folder / "preds.csv", found)
    read = results.read_predictions(folder / "preds.csv")
    assert len(read) == len(found)
    assert all(same(*pair) for pair in zip(found, read, strict=True))
    assert [path.name for path in folder.iterdir()] == ["preds.csv"]


def test_two_classes_24_and_no_probability_share_a_file(tmp_path):
    bare = {"probability": None, "label": ["X"] * 7, "model": "rule"}
    there_and_back(
        tmp_path,
        drawn(TWO, model="ChromoNet"),
        drawn(records.CLASSES, model="CIR-Net", refer=np.arange(7) > 3),
        drawn(records.CLASSES, **bare, assigned=["Y"] * 7, cell=[*"aabbccd"]),
    )


def test_no_predictions_read_back_as_none(tmp_path):
    there_and_back(tmp_path)


def test_names_that_look_like_formulas_or_lines_come_back_as_they_were(tmp_path):
    names = ["=1+1", "'=1", "''-x", "'plain", 'a"b,c', "two\r\nlines", "@me"]
    classes = ("-", "+ more")
    there_and_back(tmp_path, drawn(classes, image=names, group=names, model="=cmd"))
    text = (tmp_path / "preds.csv").read_text()
    assert "'=1+1" in text
    assert "\n=" not in text
    assert ",=" not in text


def test_heads_are_guarded_too_and_every_text_of_a_frame_comes_back(tmp_path):
    names = ["=1+1", " =1", "\uff1d1", "plain", "'=x", "-1", "two\n=lines"]
    frame = pd.DataFrame(dict.fromkeys(names, names))
    results.table(tmp_path / "t.csv", frame)
    with (tmp_path / "t.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["'=1+1", "' =1", "'\uff1d1", "plain", "''=x", "-1", names[-1]]
    assert [[*map(files.unguarded, row)] for row in rows] == [names] + [
        [name] * len(names) for name in names
    ]


def test_heads_of_our_own_files_come_back(tmp_path):
    results._write(tmp_path / "t.csv", ["=a", "b"], [[" =1", "1"]])
    assert (tmp_path / "t.csv").read_text() == "'=a,b\n' =1,1\n"
    assert results._rows(tmp_path / "t.csv", ["=a"]) == [(2, {"=a": " =1", "b": "1"})]


def test_label_of_two_equal_classes_is_kept(tmp_path):
    half = np.full((7, 2), 0.5)
    there_and_back(tmp_path, drawn(TWO, probability=half, label=["abnormal"] * 7))


def test_the_probability_column_is_that_of_the_label(tmp_path):
    said = drawn(TWO)
    results.predictions(tmp_path / "preds.csv", [said])
    lines = (tmp_path / "preds.csv").read_text().splitlines()
    assert lines[0].startswith("image,group,truth,label,probability,uncertainty,refer,")
    assert float(lines[1].split(",")[4]) == said.probability[0].max()


@pytest.mark.parametrize(
    ("found", "complaint"),
    [
        ([drawn(TWO), drawn(TWO, seed=1)], "carry the same words; tell them apart"),
        ([drawn(("a|b", "c"))], r"class 'a\|b' is empty or holds"),
    ],
)
def test_what_could_not_be_read_back_is_not_written(tmp_path, found, complaint):
    with pytest.raises(results.ResultsError, match=rf"preds\.csv: .*{complaint}"):
        results.predictions(tmp_path / "preds.csv", found)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("truth", "truht", "no column truth; write the file again"),
        ("probability of abnormal", "p", "no column probability of abnormal"),
        (",clean,", ",clean,,", "line 2 does not have 20 cells"),
        (",3,", ",three,", "from line 2 on: .*'three'"),
        (",abnormal,0.", ",odd,0.", "from line 2 on: label 'odd' is none of"),
        ("1.png", "0.png", "image '0.png' is predicted twice"),
        (",0.", ",o.", "line 2: .* is not a number"),
        (",,,cell 0", ",maybe,,cell 0", "line 2: refer 'maybe' is not True or False"),
    ],
)
def test_a_damaged_file_says_where(tmp_path, old, new, complaint):
    path = tmp_path / "preds.csv"
    results.predictions(path, [drawn(TWO)])
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(results.ResultsError, match=rf"preds\.csv: .*{complaint}"):
        results.read_predictions(path)


def test_other_bytes_and_no_file_are_said(tmp_path):
    path = tmp_path / "preds.csv"
    with pytest.raises(results.ResultsError, match=r"no file preds\.csv; run"):
        results.read_predictions(path)
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(results.ResultsError, match="it is not a csv in UTF-8"):
        results.read_predictions(path)


def estimate(**words):
    plain = {"study": "toy", "quantity": "accuracy", "value": 0.1 + 0.2, "low": 0.2}
    plain |= {"high": 0.7, "n": 10, "groups": 5, "source": "synthetic"}
    return records.Estimate(**plain | {"protocol": "clean", "seed": 2} | words)


def test_estimates_come_back_as_they_were(tmp_path):
    found = [
        estimate(),
        estimate(conditions={"": "cmd"}, model="'-"),
        estimate(value=0.5),
    ]
    results.estimates(tmp_path / "estimates.csv", found)
    assert results.read_estimates(tmp_path / "estimates.csv") == found


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("groups", "group", "no column groups"),
        ("0.7", "none", "line 2: could not convert string to float: 'none'"),
        ("0.7", "0.25", "line 2: accuracy: .* lies outside its own interval"),
    ],
)
def test_damaged_estimates_say_where(tmp_path, old, new, complaint):
    path = tmp_path / "estimates.csv"
    results.estimates(path, [estimate()])
    path.write_text(path.read_text().replace(old, new, 1))
    with pytest.raises(results.ResultsError, match=rf"estimates\.csv: {complaint}"):
        results.read_estimates(path)
