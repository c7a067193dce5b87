"""The studies are arguments, not programs, and each runs to a whole result."""

import ast
import json
import re
import statistics

import nbformat
import pandas as pd
import pytest

from chromolib import studies
from chromolib.evidence import claims
from chromolib.evidence import verdicts as judging
from chromolib.runs import identity, parameters, repository, results

SHARED = ["profile", "source", "data", "external", "external_data", "protocol"]
SHARED += ["weights", "on_error", "seed", "out"]
FIGURE = r'<figure[^>]*><img [^>]*alt="([^"]*)"><figcaption>(.*?)</figcaption>'
TRAINING = ("chromonet", "shruti", "chu", "hamza")  # studies that train a network
LAYERS = {"chu": "MCDropout(", "hamza": "families.ssd("}  # layers stand in a summary
BOXES = {"predict.": "model.predict(", "metrics.measure(": "detections.estimates("}
OWN = {"hamza": BOXES}  # a detector gives boxes
LESSONS = ("MCDropout",)  # what a page defines because it is the lesson
SECTIONS = ["What the paper says", "Verdicts", "What this does not show", "Try it"]


@pytest.fixture(params=studies.STUDIES)
def path(request, root):
    return repository.notebook(root, request.param)


@pytest.fixture
def cells(path):
    return nbformat.read(path, as_version=4).cells


@pytest.fixture
def outcome(path, outcomes):
    return next(done for done in outcomes if done.study == path.stem)


@pytest.fixture
def executed(outcome):
    return nbformat.read(outcome.notebook, as_version=4)


def code(cells):
    return [cell.source for cell in cells if cell.cell_type == "code"]


def lines(source):
    return [line for line in source.splitlines() if line.strip()]


def test_parameters_come_first_and_are_the_shared_ones(path, cells):
    first = next(cell for cell in cells if cell.cell_type == "code")
    assert parameters.is_parameters(first)
    names = list(parameters.known(path))
    assert names[: len(SHARED)] == SHARED
    assert len(names) <= 12
    assert all("#" in line for line in lines(first.source)), "each says what it is"


def test_a_study_opens_with_its_card_and_keeps_the_order(path, cells):
    assert cells[0].source.startswith("# [Re] ")
    for label in ("Paper", "Data", "Claims", "Expected time", "Status"):
        assert f"- **{label}**: " in cells[0].source
    text = "\n".join(cell.source for cell in cells if cell.cell_type == "markdown")
    places = [text.index(f"## {section}") for section in SECTIONS]
    assert places == sorted(places)


def test_a_notebook_defines_nothing_but_its_lesson_and_its_cells_are_short(cells):
    sources = code(cells)
    sizes = [len(lines(source)) for source in sources]
    assert max(sizes) <= 25
    assert statistics.median(sizes) <= 12, "captions are whole sentences"
    for source in sources:
        for node in ast.parse(source).body:  # methods belong to their lesson
            defined = isinstance(node, ast.FunctionDef | ast.ClassDef)
            assert not defined or node.name in LESSONS


def test_prose_is_short(cells):
    """Lists aside, for they are looked up and not read through."""
    for cell in cells:
        if cell.cell_type == "markdown":
            prose = re.sub(r"(?m)^(- |#).*$", "", cell.source)
            assert len(prose.split()) <= 120, prose[:60]


@pytest.mark.parametrize("study", TRAINING)
def test_a_training_study_shows_its_machine(root, study):
    """One training stands on the page in Keras' own words, in cells of its own."""
    cells = nbformat.read(repository.notebook(root, study), as_version=4).cells
    text, own = code(cells), OWN.get(study, {})
    places = [
        next(i for i, source in enumerate(text) if word in source)
        for word in (
            "splits.",
            LAYERS.get(study, "Conv2D("),
            "model.compile(",
            own.get("predict.", "predict."),
            "experiment.run",
        )
    ]
    assert places == sorted(places), "split, network, training, predictions, then grid"
    for word in ("model.summary()", "model.fit(", "plots.curves(", "metrics.measure("):
        assert any(own.get(word, word) in source for source in text)


def test_no_result_is_typed_into_the_prose(cells):
    for cell in cells[1:]:
        if cell.cell_type == "markdown":
            prose = re.sub(r"`[^`]*`|\$[^$]*\$|\]\([^)]*\)", "", cell.source)
            assert not re.search(r"\d\.\d|\.\d|\d ?%", prose), cell.source


def figures(cell):
    """Caption and alternative text of each figure that a cell shows."""
    nodes = ast.walk(ast.parse(cell.source))
    calls = [node for node in nodes if isinstance(node, ast.Call)]
    shown = [call for call in calls if ast.unparse(call.func) == "plots.show"]
    for call in shown:
        (alt,) = (word.value for word in call.keywords if word.arg == "alt")
        yield ast.unparse(call.args[1]), ast.unparse(alt)


def test_figures_have_caption_and_alternative_text(cells):
    drawn = [
        cell for cell in cells if "ax=" in cell.source and cell.cell_type == "code"
    ]
    assert drawn
    for cell in drawn:
        assert list(figures(cell)), cell.source
        for caption, alt in figures(cell):
            assert "Source: " in caption
            assert len(alt) > 40


RAW = r"\{(cite|ref|glue|term|numref|doc|admonition)\b|^\([\w-]+\)=$"


@pytest.mark.parametrize(
    "name", [*studies.STUDIES, "synthetic", "sources", "inspector"]
)
def test_text_reads_in_jupyterlab_as_in_the_book(root, name):
    path = repository.notebook(root, name)
    for cell in nbformat.read(path, as_version=4).cells:
        assert not re.search(RAW, cell.source, re.M), cell.source
        assert "mystnb" not in cell.metadata
        if cell.cell_type == "markdown":
            for link in re.findall(r"\]\(([^)#]+)\)", cell.source):
                generated = link.endswith("book/claims.md")
                assert generated or (path.parent / link).is_file(), link


def test_no_figure_and_no_table_is_made_and_not_shown(path):
    """A cell shows its last value, and what is given to `display`."""
    for cell in nbformat.read(path, as_version=4).cells:
        if cell.cell_type == "code":
            body = ast.parse(cell.source).body
            nested = [one for each in body for one in ast.walk(each) if one is not each]
            for one in [*body[:-1], *nested]:
                text = ast.unparse(one) if isinstance(one, ast.Expr) else ""
                assert not text.startswith(("plots.show(", "tables.")), text


def test_a_study_runs_and_leaves_whole_results(root, path, outcome):
    manifest = json.loads((outcome.folder / "manifest.json").read_text())
    assert manifest["run"] == identity.of(root, path.stem, outcome.given)
    assert manifest["edited"] is False
    verdicts = pd.read_csv(outcome.folder / "verdicts.csv", keep_default_na=False)
    assert list(verdicts.columns) == [
        "claim",
        "statement",
        "printed",
        "audit",
        "ours_published",
        "ours_clean",
        "verdict",
        "reason",
    ]
    known = claims.load(root / "data" / "claims", path.stem)
    assert list(verdicts["claim"]) == [claim.id for claim in known]
    assert set(verdicts["audit"]) <= set(claims.WORDS)
    assert set(verdicts["verdict"]) <= set(judging.WORDS)
    decided = verdicts[verdicts["verdict"] != judging.UNTESTED]  # by full runs kept
    assert not decided["ours_published"].str.contains("smoke").any()
    assert decided["reason"].str.startswith(("on bioimlab", "on roboflow")).all()
    assert (verdicts["reason"] != "").all()


def test_estimates_are_sane_and_name_their_source(outcome):
    found = pd.read_csv(outcome.folder / "estimates.csv", keep_default_na=False)
    assert (found["low"] <= found["value"]).all()
    assert (found["value"] <= found["high"]).all()
    trained = {"synthetic"} if outcome.study in TRAINING else set()
    edited = {"synthetic (edited)"} if outcome.study == "chromonet" else set()
    assert set(found["source"]) == {"printed counts"} | trained | edited
    leaks = found[found["quantity"] == "test images with a sibling in training"]
    assert set(leaks["protocol"]) == {"published", "clean"}
    assert (leaks.loc[leaks["protocol"] == "clean", "value"] == 0).all()
    assert (leaks.loc[leaks["protocol"] == "published", "value"] > 0.9).all()


def test_an_executed_study_has_no_error_no_noise_and_no_path(root, executed):
    outputs = [out for cell in executed.cells for out in cell.get("outputs", [])]
    assert not [out for out in outputs if out.output_type in ("error", "stream")]
    text = [html for out in outputs if (html := out.get("data", {}).get("text/html"))]
    shown = [found for html in text for found in re.findall(FIGURE, "".join(html))]
    plain = [out for out in outputs if "image/png" in out.get("data", {})]
    assert len([*shown, *plain]) >= 3
    for alt, caption in shown:
        assert len(alt) > 40
        assert "Source: " in caption
    assert str(root) not in json.dumps(outputs)


def test_a_training_study_scores_both_protocols_and_random_labels(outcomes):
    outcome = next(done for done in outcomes if done.study == "chromonet")
    found = pd.read_csv(outcome.folder / "estimates.csv", keep_default_na=False)
    scored = found[(found["quantity"] == "accuracy") & (found["model"] == "ChromoNet")]
    for unit in ("chromosome", "karyogram"):
        for labels in ("true", "random"):
            rows = scored[scored["condition"] == f"unit={unit};labels={labels}"]
            assert sorted(rows["protocol"]) == ["clean", "published"]
            clean = rows[rows["protocol"] == "clean"].iloc[0]
            assert clean["groups"] == clean["n"] > 50, "each of a patient of its own"
    rivals = set(found["model"])
    assert {"SVM", "k-NN", "decision tree", "random forest", "MLP"} <= rivals
    assert {"traditional", "ink area", "majority"} <= rivals
    pointed = found[found["quantity"] == "pointing hit rate"]["condition"]
    assert sorted(one.rpartition("map=")[2] for one in pointed) == [
        "Grad-CAM",
        "occlusion",
    ]
    assert {"coverage", "set size"} <= set(found["quantity"])


def test_predictions_of_a_training_study_can_be_read_again(outcomes):
    outcome = next(done for done in outcomes if done.study == "chromonet")
    said = results.read_predictions(outcome.folder / "preds.csv")
    seen = {one.protocol: set(one.group) for one in said if one.model == "SVM"}
    assert all(one.source == "synthetic" for one in said)
    assert seen.keys() == {"published", "clean"}
