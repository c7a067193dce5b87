"""Figures of chances: ROC curves, scores, repeated predictions, trials of a search."""

import matplotlib as mpl
import numpy as np

from chromolib.plots import base

CUT = 0.5


def roc(curves, *, ax, source):
    """Recall over false alarms, a line a model; up and to the left is better.

    `curves` holds a table a model with columns "false alarms" and "recall".
    """
    ax.plot([0, 1], [0, 1], color="0.6", ls=":", lw=1.5, label="chance")
    lines = "-", "--", "-.", ":"
    for i, (name, table) in enumerate(curves.items()):
        style = {"color": base.COLOURS[i % len(base.COLOURS)], "lw": 1.8}
        style |= {"ls": lines[i // len(base.COLOURS) % len(lines)], "label": name}
        ax.plot(table["false alarms"], table["recall"], **style)
    ax.set(xlabel="normal images called abnormal", ylabel="abnormal images found")
    ax.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01), aspect="equal")
    return base.stamp(base.legend_above(ax), source)


def by_score(tables, *, ax, source, of):
    """A measure of the boxes that have at least a score, a line a detector.

    `tables` holds what `detections.by_score` gives of each.
    """
    marks = "os^Dv"
    for i, (name, table) in enumerate(tables.items()):
        style = {"color": base.COLOURS[i % len(base.COLOURS)], "lw": 1.8, "ms": 4}
        style |= {"marker": marks[i % len(marks)], "markevery": 3}
        ax.plot(table.index, table[of], **style, label=name)
    ax.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="score from here on", ylabel=of)
    ax.grid(axis="y", color="0.92")
    return base.stamp(base.legend_above(ax), source)


def spread(draws, *, ax, source):
    """How often a probability was drawn, for a few images: name -> (times,)."""
    edges = np.linspace(0, 1, 41)
    for i, (name, drawn) in enumerate(draws.items()):
        style = {"color": base.COLOURS[i % len(base.COLOURS)], "label": name}
        ax.hist(drawn, edges, histtype="step", lw=1.8, hatch="/" * 2 * i, **style)
    ax.axvline(CUT, color="0.35", ls=":", lw=1.5)
    ax.set(xlim=(0, 1), xlabel="probability of abnormal", ylabel="draws")
    return base.stamp(base.legend_above(ax), source)


def trials(table, column, *, ax):
    """Validation loss over a setting, darker where validation accuracy is higher.

    Trials that failed are crosses along the upper edge.
    """
    done = table[table["state"] == "complete"]
    marks = ax.scatter(
        done[column],
        done["validation loss"],
        c=done["validation accuracy"],
        norm=mpl.colors.Normalize(0.5, 1),
        cmap="cividis_r",
        edgecolor="0.35",
    )
    failed = table.loc[table["state"] != "complete", column]
    top = np.full(len(failed), 0.98)
    style = {"color": "0.35", "ls": "", "label": "failed"}
    ax.plot(failed, top, "x", transform=ax.get_xaxis_transform(), **style)
    ax.set(xscale="log", xlabel=column, ylabel="validation loss")
    if table[column].dtype.kind == "i":
        ticks = sorted(table[column].unique())
        ax.minorticks_off()
        ax.set_xticks(ticks, ticks, rotation=90)
    ax.figure.colorbar(marks, ax=ax, label="validation accuracy")
    return ax
