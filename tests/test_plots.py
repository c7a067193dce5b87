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
from matplotlib import pyplot as plt

from chromolib import plots, records, widgets
from chromolib.evidence import calibration, claims, metrics, referral

WORDS = {"study": "chromonet", "n": 30, "groups": 10, "source": "synthetic"}


@pytest.fixture(autouse=True)
def tidy():
    """No figure outlives its test."""
    yield
    plt.close("all")


def estimate(value, **words):
    plain = {"quantity": "test accuracy", "protocol": "clean", "model": "cnn"}
    ends = {"low": max(0, value - 0.1), "high": min(1, value + 0.1)}
    return records.Estimate(**WORDS | plain | ends | {"value": value} | words)


def predicted(count=40, seed=0):
    rng = np.random.default_rng(seed)
    abnormal = rng.uniform(0.02, 0.98, count)
    truth = np.where(rng.random(count) < abnormal, "abnormal", "normal")
    return records.Predictions(
        image=[f"{i}.png" for i in range(count)],
        group=[f"cell {i // 4}" for i in range(count)],
        truth=truth,
        probability=np.stack([1 - abnormal, abnormal], 1),
        classes=("normal", "abnormal"),
        source="synthetic",
        model="cnn",
    )


def unsure():
    """The same with an uncertainty that is not that of the probabilities."""
    predictions = predicted()
    uncertainty = predictions.uncertainty[::-1]
    return dataclasses.replace(predictions, uncertainty=uncertainty)


def rods(count=3):
    """Upright rods with bands, drawn."""
    images = np.zeros((count, 24, 8, 1), np.float32)
    images[:, 2:22, 2:6] = np.linspace(0.2, 0.9, 20)[None, :, None, None]
    return images


def written(ax):
    """All words of a figure, as drawn."""
    figure = ax.figure
    figure.canvas.draw()
    return " | ".join(t.get_text() for t in figure.findobj(plt.Text) if t.get_text())


def history():
    names = ("loss", "accuracy", "val_loss", "val_accuracy")
    return pd.DataFrame({name: np.linspace(0.2, 0.8, 5) for name in names})


def tables():
    size = {"normal": [660, 286], "abnormal": [603, 254]}
    paper = pd.DataFrame(size, index=["training", "test"])
    return {"paper": paper, "clean": paper - 3}


def by_kind():
    rows = ("inversion", 0.6, "recall"), ("sham", 0.2, "false alarms")
    return [
        estimate(value, quantity=quantity, protocol=protocol, conditions={"kind": kind})
        for kind, value, quantity in rows
        for protocol in ("published", "clean")
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
        lambda: {"cnn": history(), "mlp": history().drop(columns="val_accuracy")},
        {"source": "synthetic"},
        "cnn mlp training validation epoch accuracy",
    ),
    "confusion": (
        lambda: metrics.confusions(predicted()),
        {"source": "synthetic"},
        "truth normal abnormal %",
    ),
    "by_score": (
        lambda: {"SSD": history(), "YOLO v5": history()},
        {"source": "synthetic", "of": "accuracy"},
        "SSD YOLO v5 score from here on accuracy",
    ),
    "learning": (by_size, {}, "24 193 sources in training chance"),
    "dots": (
        by_kind,
        {"key": "kind", "xlabel": "share called abnormal", "lines": {"chance": 0.5}},
        "inversion sham recall, clean false alarms, published share called abnormal "
        "chance",
    ),
    "reliability": (
        lambda: calibration.reliability(predicted(), rng=rng(), draws=50),
        {"source": "synthetic"},
        "mean confidence accuracy calibrated model",
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
    if isinstance(given, pd.DataFrame):
        given, before = {"": given}, {"": before}
    for key, table in before.items():
        pd.testing.assert_frame_equal(given[key], table)


def test_there_is_a_dot_for_each_estimate_where_it_says():
    estimates, lines = by_kind(), {"chance": 0.5, "printed in the paper": 0.81}
    ax = plots.dots(estimates, ax=plots.axis(), key="kind", xlabel="", lines=lines)
    marks = [line for line in ax.lines if line.get_marker() not in ("None", None)]
    at = [float(x) for mark in marks for x in mark.get_xdata()]
    assert sorted(at) == sorted(each.value for each in estimates)
    whiskers = [w for each in ax.collections for w in each.get_segments()]
    assert sorted(tuple(w[:, 0]) for w in whiskers) == sorted(
        (e.low, e.high) for e in estimates
    )
    drawn = {line.get_label(): line.get_xdata() for line in ax.lines}
    assert {name: list(drawn[name]) for name in lines} == {
        name: [value] * 2 for name, value in lines.items()
    }


def test_a_protocol_has_a_colour():
    recalls = [e for e in by_kind() if e.quantity == "recall"]
    ax = plots.dots(recalls, ax=plots.axis(), key="kind", xlabel="")
    colour = {line.get_label(): line.get_color() for line in ax.lines}
    assert (colour["published"], colour["clean"]) == ("#D55E00", "#0072B2")


def test_an_audit_draws_what_is_printed_and_what_can_be_recomputed():
    words = {"statement": "So.", "place": "table 1", "quantity": "recall"}
    third = {"rule": "ratio", "counts": {"part": "1", "whole": "3"}}
    audits = claims.audit(
        [
            claims.Claim("a-checked", value="0.33", **words, **third),
            claims.Claim("a-bare", value="0.60", because="No counts.", **words),
            claims.Claim("a-word", value="all", because="No number.", **words),
        ]
    )
    ax = plots.audit(audits, ax=plots.axis())
    names = [label.get_text() for label in ax.get_yticklabels()]
    assert names == ["checked", "bare"]
    of_row = [line.get_ydata()[0] for line in ax.lines]
    assert (of_row.count(0), of_row.count(1)) == (3, 1)


def test_a_histogram_has_a_bar_for_each_count():
    ax = plots.classes(tables(), ax=plots.axis(), source="synthetic")
    heights = sorted(bar.get_height() for bar in ax.patches)
    assert heights == sorted(pd.concat(tables()).to_numpy().flat)


def test_a_learning_curve_goes_over_the_number_of_sources():
    ax = plots.learning(by_size()[::-1], ax=plots.axis())
    assert ax.get_xscale() == "log"
    assert (np.diff(ax.lines[0].get_xdata()) > 0).all()


def test_dots_have_a_row_a_kind_and_the_second_quantity_open_marks():
    ax = plots.dots(by_kind(), ax=plots.axis(rows=2), key="kind", xlabel="share")
    marks = [line for line in ax.lines if line.get_marker() not in ("None", None)]
    open_ = [m for m in marks if m.get_markerfacecolor() == "white"]
    assert [float(m.get_xdata()[0]) for m in open_] == [0.2, 0.2]
    assert len(marks) == 4
    assert [t.get_text() for t in ax.get_yticklabels()] == ["inversion", "sham"]


def test_dots_of_one_quantity_are_named_by_their_series_alone():
    recalls = [e for e in by_kind() if e.quantity == "recall"]
    ax = plots.dots(recalls, ax=plots.axis(rows=2), key="kind", xlabel="share")
    (legend,) = ax.figure.legends
    assert [text.get_text() for text in legend.get_texts()] == ["published", "clean"]


def test_two_figures_side_by_side_share_one_legend():
    axes = plots.grid(1, 2)
    for ax, of in zip(axes, ("accuracy", "loss"), strict=True):
        plots.curves({"cnn": history()}, ax=ax, source="synthetic", of=of)
    (legend,) = axes[0].figure.legends
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["cnn", "training", "validation"]
    assert len(plots.grid(1, 1)) == 1


class History:
    """What `fit` returns."""

    history = history().to_dict("list")


@pytest.mark.parametrize("make", [History, lambda: History.history, history])
def test_a_history_is_drawn_alone_or_by_name_from_epoch_1(make):
    for given in make(), {"cnn": make()}:
        ax = plots.curves(given, ax=plots.axis(), source="synthetic")
        lines = [line.get_xydata() for line in ax.lines if len(line.get_xdata())]
        assert len(lines) == 2  # training and validation
        np.testing.assert_allclose(lines[1][:, 0], range(1, 6))
        np.testing.assert_allclose(lines[1][:, 1], history()["val_accuracy"])


def test_any_metric_can_be_drawn_and_an_unknown_one_is_refused():
    ax = plots.curves({"AUC": [0.5, 0.9]}, ax=plots.axis(), source="a", of="AUC")
    assert ax.get_ylabel() == "AUC"
    with pytest.raises(ValueError, match="no history has 'AUC'; known: loss"):
        plots.curves(history(), ax=ax, source="synthetic", of="AUC")


def test_a_ring_marks_the_best_epoch():
    best = history().assign(best=[False, False, True, False, False])
    ax = plots.curves(best, ax=plots.axis(), source="synthetic")
    rings = [line for line in ax.lines if line.get_markerfacecolor() == "none"]
    assert [list(ring.get_xdata()) for ring in rings] == [[3], [3], []]
    assert ax.figure.legends[0].get_texts()[-1].get_text() == "best epoch"


def test_more_models_than_colours_can_be_drawn():
    many = {f"model {i}": history() for i in range(9)}
    ax = plots.curves(many, ax=plots.axis(), source="synthetic")
    assert "model 8" in written(ax)


def test_a_gallery_has_an_image_for_each_label_and_blanks_the_other_axes():
    axes, images = plots.grid(1, 4), rods()
    before = images.copy()
    labels = ["normal", {"truth": "abnormal", "kind": "ring"}, "abnormal"]
    settings = {"axes": axes, "source": "synthetic", "real": False}
    assert plots.gallery(images, labels, **settings) == axes
    assert [len(ax.images) for ax in axes] == [1, 1, 1, 0]
    assert [ax.get_xlabel() for ax in axes[:2]] == [
        "normal",
        "truth: abnormal\nkind: ring",
    ]
    assert "synthetic" in written(axes[0])
    np.testing.assert_array_equal(images, before)
    with pytest.raises(ValueError, match="3 images on 2 axes"):
        plots.gallery(images, labels, **settings | {"axes": axes[:2]})
    with pytest.raises(ValueError, match="3 images, 2 labels"):
        plots.gallery(images, labels[:2], **settings)


def test_a_map_lies_over_its_image_with_box_and_peak():
    axes, images = plots.grid(1, 3), rods()
    maps = np.full((3, 24, 8), -0.5)
    maps[:, 7, 3] = 2
    boxes = [(2, 6, 6, 9), None, (2, 6, 6, 9)]
    plots.saliency(images, maps, boxes, axes=axes, source="synthetic", real=False)
    assert [len(ax.patches) for ax in axes] == [1, 0, 1]
    frame = axes[0].patches[0]
    assert (frame.get_x(), frame.get_y()) == (1.5, 5.5)
    assert [*axes[0].lines[0].get_xydata()[0]] == [3, 7]
    alpha = axes[1].images[1].get_alpha()
    assert alpha[7, 3] == alpha.max() == 0.8
    assert (alpha > 0).sum() == 1
    assert maps.min() == -0.5
    written(axes[0])


def test_boxes_are_told_apart_by_colour_and_by_line():
    axes = plots.grid(1, 3)
    one = records.Boxes([[2, 6, 6, 9]], ["7"], [0.25])
    sure, nothing = records.Boxes([[1, 1, 3, 9]], ["X"]), records.Boxes([], [])
    told = [
        {"right": one, "wrong": nothing, "missed": sure},
        {"right": nothing, "wrong": one, "missed": nothing},
        {"right": nothing, "wrong": nothing, "missed": nothing},
    ]
    plots.boxes(rods(), told, axes=axes, source="synthetic", real=False)
    assert [len(ax.patches) for ax in axes] == [2, 1, 0]
    frames = [*axes[0].patches, *axes[1].patches]
    assert len({frame.get_linestyle() for frame in frames}) == 3
    assert len({frame.get_edgecolor() for frame in frames}) == 3
    assert (frames[0].get_x(), frames[0].get_y()) == (1.5, 5.5)
    assert [text.get_text() for text in axes[0].texts][-2:] == ["7 0.25", "X"]
    written(axes[0])


def test_what_has_an_outline_is_drawn_by_it():
    outline = np.array([[2.0, 6], [4, 4], [6, 6], [4, 8]])
    one = records.Boxes([[2, 4, 6, 8]], ["7"], polygon=(outline,))
    axes = plots.grid(1, 1)
    plots.boxes(rods()[:1], [{"right": one}], axes=axes, source="a", real=False)
    (frame,) = axes[0].patches
    np.testing.assert_array_equal(frame.get_xy()[:4], outline - 0.5)


@pytest.mark.parametrize("name", ["gallery", "saliency", "boxes", "inspector"])
def test_no_real_chromosome_is_shown_unless_allowed(name):
    images, maps = rods(), np.zeros((3, 24, 8))
    axes = plots.grid(1, 3)
    place = {"axes": axes, "source": "BioImLab"}
    draw = {
        "gallery": lambda **how: plots.gallery(images, [{}] * 3, **place, **how),
        "saliency": lambda **how: plots.saliency(
            images, maps, [None] * 3, **place, **how
        ),
        "boxes": lambda **how: plots.boxes(images, [{}] * 3, **place, **how),
        "inspector": lambda **how: widgets.inspect(predicted(3), images, **how),
    }[name]
    with pytest.raises(TypeError, match="real"):
        draw()  # nobody forgets to say
    with pytest.raises(ValueError, match="no real chromosome is shown"):
        draw(real=True)
    assert not any(ax.images for ax in axes)
    draw(real=True, allow=True)
    draw(real=False)


@pytest.mark.parametrize("axes", [plots.axis, lambda: plots.grid(1, 2)])
def test_a_shown_figure_is_an_image_with_caption_and_alternative_text(axes):
    shown = plots.show(axes(), "p < 0.05 & n", alt='a "<b>" & c')
    text = shown._repr_html_()
    assert "<figcaption>p &lt; 0.05 &amp; n</figcaption>" in text
    assert 'alt="a &quot;&lt;b&gt;&quot; &amp; c"' in text
    data = base64.b64decode(re.search(r"base64,([^\"]+)", text)[1])
    assert PIL.Image.open(io.BytesIO(data)).format == "PNG"
    assert plt.get_fignums() == []  # closed


def test_of_many_classes_only_what_happened_is_written():
    truth = np.repeat(records.CLASSES, 2)
    said = records.Predictions(
        image=np.arange(len(truth)).astype(str),
        group=truth,
        truth=truth,
        label=np.roll(truth, 1),
        source="synthetic",
    )
    ax = plots.confusion(metrics.confusions(said), ax=plots.axis(), source="synthetic")
    assert [text.get_text() for text in ax.texts].count("1") == 2 * 24
    assert not any("%" in text.get_text() for text in ax.texts)


def test_answers_stand_beyond_chance_with_their_sources_side_by_side():
    rows = {"question": ["a?", "a?", "b?"], "images": ["x", "y", "x"]}
    rows |= {"unit": ["u"] * 3, "protocol": ["clean"] * 3}
    numbers = {"beyond": [0.1, 0.2, -0.1], "least": [0, 0.1, -0.2]}
    table = pd.DataFrame(rows | numbers | {"most": [0.2, 0.3, 0.0]})
    ax = plots.answers(table, ax=plots.axis())
    assert [t.get_text() for t in ax.get_yticklabels()] == [
        "a?\nu, clean",
        "b?\nu, clean",
    ]
    first, second = (line.lines[0] for line in ax.containers)
    assert first.get_xdata().tolist() == [0.1, -0.1]
    assert first.get_ydata()[0] < second.get_ydata()[0], "side by side"


def test_a_step_of_one_lane_alone_is_filled():
    lanes = {"published": ["images", "copies"], "clean": ["images", "groups", "end"]}
    ax = plots.flow(lanes, ax=plots.axis())
    faces = {
        text.get_text(): text.get_bbox_patch().get_facecolor()[3]
        for text in ax.texts
        if text.get_bbox_patch()
    }
    assert faces["images"] == 0
    assert faces["copies"] == faces["groups"] > 0


def test_a_headline_writes_what_is_missing():
    row = ("study\nsource", 0.9, {"clean": estimate(0.6)})
    columns = "published", "unseen", "clean", "best"
    missing = [("published",)]
    ax = plots.headline([row], ax=plots.axis(), columns=columns, missing=missing)
    assert "not run yet: published" in [text.get_text() for text in ax.texts]
    marks = [line.get_xdata()[0] for line in ax.lines if len(line.get_xdata()) == 1]
    assert marks[:2] == [0.9, 0.6]
