"""Figures and the inspector: what stands in them, and that they change nothing."""

import base64
import copy
import dataclasses
import io
import re

import numpy as np
import pandas as pd
import PIL.Image
import pytest
from matplotlib import colors
from matplotlib import pyplot as plt

from chromolib import plots, records, widgets
from chromolib.evidence import calibration, metrics, referral

WORDS = {"study": "chromonet", "n": 30, "groups": 10, "source": "synthetic"}


@pytest.fixture(autouse=True)
def tidy():
    """No figure outlives its test."""
    yield
    plt.close("all")


def estimate(value, **words):
    told = {"quantity": "test accuracy", "protocol": "clean", "model": "cnn"}
    ends = {"low": max(0, value - 0.1), "high": min(1, value + 0.1)}
    return records.Estimate(**WORDS | told | ends | {"value": value} | words)


def predicted(count=40, seed=0):
    rng = np.random.default_rng(seed)
    given = rng.uniform(0.02, 0.98, count)
    truth = np.where(rng.random(count) < given, "abnormal", "normal")
    return records.Predictions(
        image=[f"{i}.png" for i in range(count)],
        group=[f"cell {i // 4}" for i in range(count)],
        truth=truth,
        probability=np.stack([1 - given, given], 1),
        classes=("normal", "abnormal"),
        source="synthetic",
        model="cnn",
    )


def unsure():
    """The same with an uncertainty that is not that of the probabilities."""
    said = predicted()
    return dataclasses.replace(said, uncertainty=said.uncertainty[::-1])


def rods(count=3):
    """Upright rods with bands, drawn."""
    pictures = np.zeros((count, 24, 8, 1), np.float32)
    pictures[:, 2:22, 2:6] = np.linspace(0.2, 0.9, 20)[None, :, None, None]
    return pictures


def written(ax):
    """All words of a figure, as drawn."""
    figure = ax.figure
    figure.canvas.draw()
    return " | ".join(t.get_text() for t in figure.findobj(plt.Text) if t.get_text())


def protocols(models=("cnn", "svm")):
    return [
        estimate(
            value,
            protocol=protocol,
            conditions=records.read_conditions(condition),
            model=model,
        )
        for model in models
        for value, protocol, condition in (
            (0.9, "published", "unit=single"),
            (0.65, "published", "unit=single;tested=unseen"),
            (0.7, "clean", "unit=single"),
            (0.8, "published", "unit=single;labels=random"),
            (0.5, "clean", "unit=single;labels=random"),
        )
    ]


def history():
    names = ("loss", "accuracy", "valid_loss", "valid_accuracy")
    columns = {name: np.linspace(0.2, 0.8, 5) for name in names}
    return pd.DataFrame({"epoch": range(1, 6)} | columns)


def tables():
    size = {"normal": [660, 286], "abnormal": [603, 254]}
    paper = pd.DataFrame(size, index=["training", "test"])
    return {"paper": paper, "clean": paper - 3}


def by_kind():
    rows = ("inversion", 0.6, "recall"), ("sham", 0.2, "false alarms")
    return [
        estimate(
            value,
            quantity=quantity,
            protocol=p,
            conditions={"kind": kind},
        )
        for kind, value, quantity in rows
        for p in ("published", "clean")
    ]


def by_size():
    return [
        estimate(0.5 + s / 1000, conditions={"a": "b", "sources": s}) for s in (24, 193)
    ]


def rng():
    return np.random.default_rng(0)


# name -> what is drawn, settings, words that stand in the figure
FIGURES = {
    "classes": (tables, {"source": "synthetic"}, "660 603 286 254 training paper"),
    "curves": (
        lambda: {"cnn": history(), "mlp": history().drop(columns="valid_accuracy")},
        {"source": "synthetic"},
        "cnn mlp training held out epoch accuracy",
    ),
    "confusion": (
        lambda: metrics.confusions(predicted()),
        {"source": "synthetic"},
        "truth normal abnormal %",
    ),
    "bars": (
        protocols,
        {"printed": {"cnn": 0.81}},
        "published clean random labels unseen groups chance printed in the paper cnn "
        "svm accuracy",
    ),
    "learning": (by_size, {}, "24 193 sources learned from chance"),
    "kinds": (by_kind, {}, "inversion sham recall, clean false alarms, published"),
    "reliability": (
        lambda: calibration.reliability(predicted(), rng=rng(), draws=50),
        {"source": "synthetic"},
        "mean confidence accuracy as sure as right",
    ),
    "referral": (
        lambda: referral.curves(unsure(), rng=rng(), draws=50),
        {"source": "synthetic"},
        "uncertainty max-softmax random share referred",
    ),
}


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_gives_its_axis_back_with_its_words_and_without_a_title(name):
    make, settings, words = FIGURES[name]
    ax = plots.axis()
    assert getattr(plots, name)(make(), ax=ax, **settings) is ax
    text = written(ax)
    assert "synthetic" in text
    assert not [word for word in words.split() if word.strip(",") not in text]
    assert not any(ax.get_title(loc=side) for side in ("left", "center", "right"))


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_changes_nothing_that_it_is_given(name):
    make, settings, _ = FIGURES[name]
    given = make()
    before = copy.deepcopy(given)
    getattr(plots, name)(given, ax=plots.axis(), **settings)
    if isinstance(given, list):
        assert given == before
        return
    given, before = (
        one if isinstance(one, dict) else {"": one} for one in (given, before)
    )
    for key, table in before.items():
        pd.testing.assert_frame_equal(given[key], table)


def test_there_is_a_bar_for_each_estimate_as_tall_as_it_says():
    found = protocols()
    ax = plots.bars(found, ax=plots.axis(), printed=0.81)
    heights = sorted(bar.get_height() for bar in ax.patches)
    assert heights == sorted(one.value for one in found)
    lines = [line.get_ydata() for line in ax.lines]
    assert sum(list(ys) == [0.81, 0.81] for ys in lines) == 2
    assert sum(list(ys) == [0.5, 0.5] for ys in lines) == 1
    whiskers = [c.lines[2][0].get_segments() for c in ax.containers[1::2]]
    ends = {tuple(np.round(w[:, 1], 6)) for part in whiskers for w in part}
    assert ends == {(round(e.low, 6), round(e.high, 6)) for e in found}


def test_bars_from_random_labels_are_hatched():
    ax = plots.bars(protocols(), ax=plots.axis())
    hatched = [bar.get_height() for bar in ax.patches if bar.get_hatch()]
    assert sorted(hatched) == [0.5, 0.5, 0.8, 0.8]
    colour = {colors.to_hex(bar.get_edgecolor()) for bar in ax.patches}
    assert len(colour) == 2  # one a protocol


def test_bars_are_grouped_by_what_is_asked():
    units = [
        estimate(0.6, conditions={"unit": unit}) for unit in ("single", "karyogram")
    ]
    ax = plots.bars(units, ax=plots.axis(), by="unit")
    names = [label.get_text() for label in ax.get_xticklabels()]
    assert names == ["single", "karyogram"]
    with pytest.raises(ValueError, match="two bars in one place"):
        plots.bars(units, ax=plots.axis(), by="model")


def test_a_protocol_that_bars_do_not_know_is_refused():
    with pytest.raises(ValueError, match="whole set"):
        plots.bars([estimate(0.6, protocol="whole set")], ax=plots.axis())


def test_a_histogram_has_a_bar_for_each_count():
    ax = plots.classes(tables(), ax=plots.axis(), source="synthetic")
    heights = sorted(bar.get_height() for bar in ax.patches)
    assert heights == sorted(
        n for one in tables().values() for n in one.to_numpy().flat
    )


def test_a_learning_curve_needs_the_number_of_sources():
    with pytest.raises(ValueError, match="'sources'"):
        plots.learning(
            [estimate(0.6, conditions={"kind": "ring"})],
            ax=plots.axis(),
        )
    ax = plots.learning(by_size()[::-1], ax=plots.axis())
    assert ax.get_xscale() == "log"
    assert (np.diff(ax.lines[0].get_xdata()) > 0).all()


def test_kinds_have_a_row_each_and_false_alarms_open_marks():
    ax = plots.kinds(by_kind(), ax=plots.axis(rows=2))
    marks = [line for line in ax.lines if line.get_marker() not in ("None", None)]
    open_ = [m for m in marks if m.get_markerfacecolor() == "white"]
    assert [float(m.get_xdata()[0]) for m in open_] == [0.2, 0.2]
    assert len(marks) == 4
    assert [t.get_text() for t in ax.get_yticklabels()] == ["inversion", "sham"]


def test_two_figures_side_by_side_share_one_legend():
    axes = plots.grid(1, 2)
    for ax, of in zip(axes, ("accuracy", "loss"), strict=True):
        plots.curves({"cnn": history()}, ax=ax, source="synthetic", of=of)
    (legend,) = axes[0].figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["cnn", "training", "held out"]
    assert len(plots.grid(1, 1)) == 1


def test_more_models_than_colours_can_be_drawn():
    many = {f"model {i}": history() for i in range(9)}
    ax = plots.curves(many, ax=plots.axis(), source="synthetic")
    assert "model 8" in written(ax)


def test_a_gallery_has_a_picture_for_each_caption_and_empties_the_rest():
    axes, pictures = plots.grid(1, 4), rods()
    before = pictures.copy()
    captions = [{"truth": "abnormal", "said": "normal", "kind": "ring"}] * 3
    told = {"axes": axes, "source": "synthetic", "real": False}
    assert plots.gallery(pictures, captions, **told) == axes
    assert [len(ax.images) for ax in axes] == [1, 1, 1, 0]
    assert "kind: ring" in axes[0].get_xlabel()
    assert "synthetic" in written(axes[0])
    np.testing.assert_array_equal(pictures, before)
    with pytest.raises(ValueError, match="3 pictures on 2 axes"):
        plots.gallery(pictures, captions, **told | {"axes": axes[:2]})


def test_a_map_lies_over_its_picture_with_box_and_peak():
    axes, pictures = plots.grid(1, 3), rods()
    maps = np.full((3, 24, 8), -0.5)
    maps[:, 7, 3] = 2
    boxes = [(2, 6, 6, 9), None, (2, 6, 6, 9)]
    told = {"axes": axes, "source": "synthetic", "real": False}
    plots.saliency(pictures, maps, boxes, **told)
    assert [len(ax.patches) for ax in axes] == [1, 0, 1]
    frame = axes[0].patches[0]
    assert (frame.get_x(), frame.get_y()) == (1.5, 5.5)
    assert [*axes[0].lines[0].get_xydata()[0]] == [3, 7]
    alpha = axes[1].images[1].get_array()[..., 3]
    assert alpha[7, 3] == alpha.max() == 0.8
    assert (alpha > 0).sum() == 1
    assert maps.min() == -0.5


@pytest.mark.parametrize("name", ["gallery", "saliency", "inspector"])
def test_no_real_chromosome_is_shown_unless_allowed(name):
    pictures, maps = rods(), np.zeros((3, 24, 8))
    axes = plots.grid(1, 3)
    draw = {
        "gallery": lambda **how: plots.gallery(
            pictures, [{}] * 3, axes=axes, source="BioImLab", **how
        ),
        "saliency": lambda **how: plots.saliency(
            pictures, maps, [None] * 3, axes=axes, source="BioImLab", **how
        ),
        "inspector": lambda **how: widgets.predictions(pictures, predicted(3), **how),
    }[name]
    with pytest.raises(TypeError, match="real"):
        draw()  # nobody forgets to say
    with pytest.raises(ValueError, match="no real chromosome is shown"):
        draw(real=True)
    assert not any(ax.images for ax in axes)
    draw(real=True, allow=True)
    draw(real=False)


def inspector(count=3, **settings):
    return widgets.predictions(rods(count), predicted(count), real=False, **settings)


def test_the_inspector_joins_list_and_slider_to_its_pictures():
    choice, slider, sheets = inspector().children
    assert len(sheets.children) == len(choice.options) == slider.max + 1 == 3
    assert sheets.selected_index == choice.index == slider.value == 0


def test_a_picture_of_the_inspector_is_the_picture_and_has_its_words():
    notes = [{"kind": "<ring>"}] * 3
    boxes = [(2, 6, 6, 9), None, None]
    sheets = inspector(notes=notes, boxes=boxes).children[2].children
    said = predicted(3)
    for i, sheet in enumerate(sheets):
        text = sheet.value
        alt = re.search(r'alt="([^"]+)"', text)[1]
        for word in (said.truth[i], said.label[i], "synthetic", "&lt;ring&gt;"):
            assert word in alt
        assert "<ring>" not in text
        assert ("dashed" in text) == (boxes[i] is not None)
        data = base64.b64decode(re.search(r"base64,([^\"]+)", text)[1])
        shown = np.asarray(PIL.Image.open(io.BytesIO(data)))
        np.testing.assert_allclose(1 - shown / 255, rods()[i, ..., 0], atol=0.002)
        assert "http" not in text


def test_a_page_stays_light():
    with pytest.raises(ValueError, match="at most 24"):
        inspector(25)
    sheets = inspector(24).children[2].children
    assert sum(len(sheet.value) for sheet in sheets) < 100_000


def test_pictures_without_predictions_are_refused():
    with pytest.raises(ValueError, match="2 pictures of 3 predictions"):
        widgets.predictions(rods(2), predicted(3), real=False)
