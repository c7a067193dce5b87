"""The page on the lab: its numbers are read, its pictures drawn, and both say so."""

import base64
import io
import json
import re

import bs4
import numpy as np
import pandas as pd
import PIL.Image
import pytest
from scipy import ndimage

from chromolib import records
from chromolib.book import lab as page_tables
from chromolib.book import pictures
from chromolib.runs import results
from chromolib.studies.synthetic import calibration, questions
from chromolib.synth import calibrate, karyogram, lab

CALIBRATED = tuple(calibration.LOOK_OF)
EXAMINED = ("pki3", "bioimlab")
CHANCE = np.random.default_rng(0)
LOOKED = ("length", "ground", "homologue_rest", "class_likeness", "texture", "margin")
CLASSES = ("1", "9", "17", "X", "Y")  # odd, so that the middle is one of them


def some(low=0.001, high=90.0):
    return round(float(np.exp(CHANCE.uniform(np.log(low), np.log(high)))), 6)


def compared():
    """A comparison with numbers that nobody typed."""
    rows = []
    for name, label in [(name, "all") for name in LOOKED] + [
        ("relative_length", label) for label in CLASSES
    ]:
        row = {"quantity": name, "class": label, "measure": "sd"}
        for side in ("real", "synthetic"):
            middle, reach = some(), some()
            ends = (middle, middle - reach, middle + reach, some(), some())
            keys = ("value", "low", "high", "between", "within")
            row |= {f"{side}_{k}": v for k, v in zip(keys, ends, strict=True)}
            row |= {f"{side}_n": 1234, f"{side}_groups": 56}
        apart = row["synthetic_value"] - row["real_value"]
        unit = max(row["real_between"], calibrate.LEAST * row["real_value"])
        rows.append(row | {"distance": apart / unit})
    rows += [
        {"quantity": "profile_ink", "class": c, "measure": "correlation"}
        | {"distance": some(0.5, 0.99), "real_n": 9, "synthetic_n": 9}
        for c in CLASSES
    ]
    return pd.DataFrame(rows)


def curves():
    places = {f"p{k:02d}": np.round(CHANCE.random(2), 3) for k in range(8)}
    rows = pd.DataFrame({"quantity": ["ink", "ink_sd"], **places})
    return pd.concat([rows.assign(**{"class": c}) for c in CLASSES])


def greys():
    rows = pd.DataFrame({"quantity": "inside", "at": range(8), "value": 0.125})
    return rows.assign(low=0.1, high=0.2)


def estimate(quantity, value, **words):
    value, known = round(value, 6), {"n": 460, "groups": 10, "protocol": "clean"}
    ends = {"low": value - some(0.001, 0.01), "high": value + some(0.001, 0.01)}
    return records.Estimate("lab", quantity, value, **ends, **known, **words)


def estimates(source, shift):
    part = "part=valid;seeds=2"
    taught = [("synthetic", 0, 0.5)]
    taught += [("real", 1, 0.31), ("real", 5, 0.72), ("both", 1, 0.6), ("both", 5, 0.8)]
    found = [
        estimate(
            "accuracy",
            value + shift,
            source=source,
            conditions=records.read_conditions(
                f"taught={way};k={k};{part};lowest=0.1234;highest=0.9876"
            ),
        )
        for way, k, value in taught
    ]
    for k in (1, 5):
        words = f"taught=both against real;k={k};{part}"
        found.append(
            estimate(
                "accuracy gained",
                0.1,
                source=source,
                conditions=records.read_conditions(words),
            )
        )
    for k in range(8):
        words = {
            "source": source,
            "conditions": {"against": "synthetic", "part": "valid"},
        }
        model = f"trait {k}" if k else "small_resnet"
        found.append(estimate("told apart", 0.9 - k / 20, model=model, **words))
        if k:
            found.append(estimate("AUC", 0.5, model=model, **words))
    return found


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """A folder of results of the lab, all made up."""
    folder = tmp_path_factory.mktemp("results")
    for source in CALIBRATED:
        place = folder / "calibration" / source
        place.mkdir(parents=True)
        compared().to_csv(place / "compared.csv", index=False)
        for start in ("", "synthetic_"):
            curves().to_csv(place / f"{start}profiles.csv", index=False)
            greys().to_csv(place / f"{start}distributions.csv", index=False)
    for source in EXAMINED:
        for name, shift in ((source, 0.012345), (f"{source}-ideogram", -0.2)):
            (folder / "exam" / name).mkdir(parents=True)
            path = folder / "exam" / name / "estimates.csv"
            results.estimates(path, estimates(source, shift))
    row = {"source": "pki3", "round": 1, "commit": "abc1234def", "model": "forest"}
    row |= {"value": 0.875, "low": 0.8125, "high": 0.9375, "part": "valid"}
    row |= {"n": 460, "groups": 10}
    path = folder / "exam" / "rounds.csv"
    pd.DataFrame([row | {"what": "edges made sharper"}]).to_csv(path, index=False)
    return folder


def everything(folder):
    """All that the page shows of a folder of results."""
    shown = [page_tables.rounds(folder), page_tables.numbers(folder, ASKED)]
    for source in CALIBRATED:
        shown += page_tables.nearness(folder, source)
        shown += page_tables.tables_behind(folder, source)
    for source in EXAMINED:
        shown += page_tables.exam(folder, source)
        shown += page_tables.judged(folder, source)
    return shown


ASKED = [("pki3", "homologue_rest"), ("tseng2023", "texture"), ("bioimlab", "lost")]


@pytest.fixture(scope="module")
def shown(measured):
    return everything(measured)


@pytest.fixture(scope="module")
def drawn(pages):
    """The figures of the page as it was executed: image, alternative text, caption."""
    (page,) = (outcome for outcome in pages if outcome.study == "synthetic")
    outputs = [
        output["data"].get("text/html", "")
        for cell in json.loads(page.notebook.read_text())["cells"]
        for output in cell.get("outputs", [])
    ]
    tree = bs4.BeautifulSoup("".join(map("".join, outputs)), "html.parser")
    return [
        (image_of(figure.img), figure.img["alt"], figure.figcaption.get_text())
        for figure in tree.find_all("figure")
    ]


def image_of(tag):
    return base64.b64decode(tag["src"].removeprefix("data:image/png;base64,"))


def text_of(shown):
    """What a reader sees of figures, tables and sentences, images left out."""
    parts = [getattr(item, "_repr_html_", item.__repr__)() for item in shown]
    return bs4.BeautifulSoup("\n".join(parts), "html.parser").get_text(" ")


@pytest.fixture(scope="module")
def numbers(measured):
    """Every number of every csv."""
    found = []
    for path in measured.rglob("*.csv"):
        frame = pd.read_csv(path)
        found += frame.select_dtypes("number").to_numpy().ravel().tolist()
        for text in frame.get("condition", pd.Series(dtype=str)).dropna():
            found += [float(one) for one in re.findall(r"=(\d+\.\d+)", text)]
    return np.array([one for one in found if np.isfinite(one)])


def test_every_number_of_the_page_is_one_of_the_results(shown, numbers):
    text = re.findall(r"(?<![\w.])-?\d[\d,]*\.\d+", text_of(shown))
    assert len(text) > 200
    known = np.concatenate([numbers, np.abs(numbers)])
    for one in set(text):
        digits = len(one.partition(".")[2])
        step = 0.5001 * 10.0**-digits
        assert np.abs(known - float(one.replace(",", ""))).min() <= step, one


@pytest.mark.parametrize("name", ["synthetic", "sources"])
def test_the_words_hold_no_measured_number(root, name):
    page = json.loads((root / "book" / f"{name}.ipynb").read_text(encoding="utf-8"))
    for cell in page["cells"]:
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            text = re.sub(r"```(?:python|sh).*?```", "", text, flags=re.S)
            assert not re.search(r"\d\.\d|\d ?%", text.replace("95 %", ""))


def test_every_figure_says_what_it_shows_and_that_it_is_synthetic(drawn):
    assert len(drawn) == 9 + 3 * 3 + 2
    for image, alt, caption in drawn:
        assert len(image) > 1000
        assert len(alt) > 40
        assert "synthetic" in alt.lower()
        assert "synthetic" in caption.lower() or "named right" in caption
        assert "Source: " in caption


def test_figures_are_small(drawn):
    assert sum(len(image) for image, _, _ in drawn) < 1_500_000


def test_tables_say_whose_numbers_they_hold(shown):
    captions = [item.caption for item in shown if hasattr(item, "frame")]
    assert len(captions) == 3 * 2 + 2 + 2 + 1 + 1
    assert all("synthetic" in one.lower() for one in captions)
    assert not any(item.frame.empty for item in shown if hasattr(item, "frame"))


@pytest.mark.parametrize("look", ["g", "q"])
@pytest.mark.parametrize("draw", [pictures.karyogram, pictures.classes])
def test_pictures_are_grey_and_the_same_each_time(draw, look):
    cell = lab.cell("46,XY", look=look, seed=1)
    first, again = draw(cell, "Look."), draw(cell, "Look.")
    assert first.png == again.png
    with PIL.Image.open(io.BytesIO(first.png)) as image:
        assert image.mode == "L"
        strip = np.asarray(image)[-pictures.STRIP :]
    assert np.ptp(strip) == 255  # where the word synthetic stands


@pytest.mark.parametrize(
    ("karyotype", "arrows"),
    [("46,XX", 0), ("47,XY,+21", 0), ("46,XX,t(9;22)(q34;q11.2)", 2)],
)
def test_an_arrow_for_each_rearranged_chromosome(karyotype, arrows):
    cell = lab.cell(karyotype, seed=3)
    plain, _ = karyogram.draw(cell, size=pictures.SIZE, layout="framed")
    changed = ndimage.binary_dilation(pictures._with_arrows(cell) != plain, None, 3)
    assert ndimage.label(changed)[1] == arrows


def test_what_was_not_measured_says_how_to_measure_it(tmp_path):
    text = text_of(everything(tmp_path))
    for source in CALIBRATED:
        assert f"chromolib data calibrate {source} --out" in text
    for source in EXAMINED:
        assert f"chromolib data exam {source} --final --out" in text
    assert "not measured here" in text
    assert "nan" not in text.lower().split()


def test_the_table_and_the_figure_show_the_distance_that_was_measured(measured):
    rows = page_tables.read_calibration(measured, "pki3")
    overall = rows[rows["class"] == "all"]
    shown = page_tables.overall(rows, "pki3")["distance"].astype(float)
    np.testing.assert_allclose(shown, overall["distance"], atol=0.0051)
    drawn = page_tables.distances(rows)
    np.testing.assert_allclose(drawn["synthetic"], overall["distance"], rtol=1e-6)
    assert (drawn["real"] == 0).all()
    assert (drawn["synthetic_low"] < drawn["synthetic"]).all()


def test_agreement_that_was_fitted_is_called_so(measured):
    for source, words in (("pki3", "fitted"), ("tseng2023", "by hand")):
        rows = page_tables.read_calibration(measured, source)
        table = page_tables.by_class(rows, source)
        row = table[table["quantity"].str.startswith("relative length")]
        assert row["came"].tolist() == [words]
    rows = page_tables.read_calibration(measured, "pki3")
    assert set(page_tables.overall(rows, "pki3")["came"]) == {"by hand"}


def test_the_farthest_class_is_far_by_distance_and_unlike_by_correlation(measured):
    rows = page_tables.read_calibration(measured, "pki3")
    table = page_tables.by_class(rows, "pki3").set_index("in")
    rows = rows[rows["class"] != "all"].set_index("class")
    lengths, curves = (
        rows.loc[rows["measure"] == measure, "distance"]
        for measure in ("sd", "correlation")
    )
    far = table["farthest class"].str.partition(":")[0]
    assert far["real spreads of cells"] == lengths.abs().idxmax()
    assert far["correlation"] == curves.idxmin()
    assert table["middle class"]["correlation"] == f"{curves.median():.2f}"


def test_the_lab_without_fitted_bands_stands_beside_it(measured):
    rows = questions.ways(page_tables.read_exam(measured, "pki3"))
    both = rows.set_index("way")["value"]
    assert both["ideogram"] < both["synthetic"]
    assert "between 1 and 5 cells" in questions.worth(rows)
    assert list(questions.exam(rows)) == ["real cells", *questions.WAY.values()]


def test_a_round_is_a_row_and_a_judge_a_column():
    known = {"source": "pki3", "part": "valid", "n": 9, "groups": 3, "what": "edges"}
    rows = [
        known | {"round": str(k), "commit": commit, "model": model}
        for k, commit in ((0, "abc"), (1, None), (10, None))
        for model in ("network", "forest")
    ]
    table = questions.rounds(pd.DataFrame(rows).assign(value=0.75, low=0.5, high=1.0))
    assert table["round"].tolist() == ["0", "1", "10"]
    assert table["commit"].tolist() == ["abc", "", ""]
    assert all(table["network"].str.startswith("0.750\n0.500 to 1.000"))


@pytest.mark.parametrize(
    ("real", "words"),
    [(0.9, "as few real cells as 1"), (0.1, "5 real cells alone teach less")],
)
def test_how_many_real_cells_teach_as_much(real, words):
    rows = pd.DataFrame({"way": ["synthetic", "real", "real"], "k": [0, 1, 5]})
    rows = rows.assign(value=[0.5, real, real], low=0.0, high=1.0)
    assert words in questions.worth(rows)
