"""Figures of training and of scores, from tables, histories and estimates."""

import itertools

import numpy as np
import pandas as pd

from chromolib import records
from chromolib.plots import base

MANY = 6  # classes of a confusion matrix whose shares have no room


def classes(tables, *, ax, source):
    """How many images of each class are in each subset, a block of bars a split.

    `tables` holds a table a split ("paper", "clean", …) with a row a subset (training,
    test) and a column a class.
    """
    counts = pd.concat(tables)
    split = counts.index.get_level_values(0)
    x = np.arange(len(counts)) + 0.5 * pd.factorize(split)[0]
    width = 0.8 / len(counts.columns)
    for i, name in enumerate(counts):
        left = x + (i - (len(counts.columns) - 1) / 2) * width
        style = {"color": _colour(i), "hatch": "/" * (3 * i), "edgecolor": "white"}
        drawn = ax.bar(left, counts[name], width * 0.94, label=name, **style)
        ax.bar_label(drawn, fmt="{:,.0f}", padding=2, fontsize=8)
    ax.set_xticks(x, counts.index.get_level_values(1))
    ax.set_xticks([x[split == name].mean() for name in tables], tables, minor=True)
    ax.tick_params(axis="x", which="minor", length=0, pad=20)
    ax.set(ylabel="images")
    ax.margins(y=0.12)
    base.legend_above(ax, columns=len(counts.columns))
    return base.stamp(ax, source)


def curves(histories, *, ax, source, of="accuracy"):
    """A metric by epoch, training solid, validation dashed, a colour a history.

    `histories` is one history or name -> history: what `model.fit` returns, its
    `history`, or a table of the same columns (loss, accuracy, val_loss, …). Where a
    table has a column `best`, a ring marks that epoch.
    """
    tables = _histories(histories)
    columns = list(dict.fromkeys(name for table in tables.values() for name in table))
    if not {of, f"val_{of}"} & set(columns):
        raise ValueError(f"no history has {of!r}; known: {', '.join(columns)}")
    for i, (name, history) in enumerate(tables.items()):
        look = {"color": _colour(i), "marker": _marker(i), "ms": 4}
        ax.plot([], [], **look, label=name)
        for column, line in ((of, "-"), (f"val_{of}", "--")):
            if column not in history:
                continue
            every = max(1, len(history) // 6)
            ax.plot(history.index, history[column], line, **look, markevery=every)
            if "best" in history:
                best = history[column][history["best"].astype(bool)]
                ax.plot(best.index, best, "o", color=look["color"], mfc="none", ms=10)
    ax.plot([], [], "-", color="0.35", label="training")
    ax.plot([], [], "--", color="0.35", label="validation")
    if "best" in columns:
        ax.plot([], [], "o", color="0.35", mfc="none", ms=10, label="best epoch")
    ax.set(xlabel="epoch", ylabel=of, ylim=(0, None))
    if "loss" not in of:
        ax.set_ylim(0, max(1.02, ax.get_ylim()[1]))
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(axis="y", color="0.92")
    return base.stamp(base.legend_above(ax, columns=3), source)


def _histories(histories):
    """Name -> a table by epoch, counted from 1."""
    given = getattr(histories, "history", histories)
    if all(np.ndim(given[name]) == 1 for name in given):  # columns: it is one history
        given = {"": given}
    tables = {}
    for name, history in given.items():
        table = pd.DataFrame(getattr(history, "history", history))
        tables[name] = table.set_axis(np.arange(1, len(table) + 1))
    return tables


def confusion(tables, *, ax, source):
    """How each class was named: counts, and below them the share of the class.

    `tables` is what `metrics.confusions` gives. Of many classes only counts have room,
    and what never happened stays empty.
    """
    counts, shares = tables["counts"], tables["by row"].to_numpy(float)
    many = len(counts) > MANY
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(shares.shape):
        count, share = counts.iloc[row, column], shares[row, column]
        text = f"{count:,}" if count or not many else ""
        text += f"\n{share:.0%}" if np.isfinite(share) and not many else ""
        look = {"color": "white" if share > 0.6 else "black"}
        look |= {"fontsize": "x-small"} if many else {}
        ax.text(column, row, text, ha="center", va="center", **look)
    ax.set_xticks(range(len(counts.columns)), counts.columns)
    ax.set_yticks(range(len(counts.index)), counts.index)
    ax.set(xlabel="named by the model", ylabel="truth")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return base.stamp(ax, source)


def learning(estimates, *, ax):
    """Score over the number of sources in training, a line a model and protocol.

    The number is the condition "sources"; whiskers are 95 % intervals.
    """
    estimates = list(estimates)
    frame = _frame(estimates, x=[int(e.conditions["sources"]) for e in estimates])
    by = "model", "protocol"
    series = frame.groupby(_series_names(estimates, by), sort=False)
    for i, (name, rows) in enumerate(series):
        rows = rows.sort_values("x")
        shift = 1.03 ** (i - (len(series) - 1) / 2)  # whiskers do not hide each other
        style = {"color": _colour(i, name), "marker": _marker(i), "ms": 5}
        base.errorbar(ax, rows["x"] * shift, rows, label=name, **style)
    ax.axhline(0.5, color="0.35", ls=":", lw=1.5, label="chance")
    ax.set(xscale="log", xlabel="sources in training", ylim=(0, 1.03))
    ax.minorticks_off()
    ticks = sorted(frame["x"].unique())
    ax.set(xticks=ticks, xticklabels=ticks)
    ax.set_ylabel(", ".join(frame["quantity"].unique()))
    return _finish(ax, estimates)


def dots(estimates, *, ax, key, xlabel, by=("model", "protocol"), most=1, lines=None):
    """Shares as dots, a row a value of the condition `key`, in the order given.

    Numbers that are no shares end at `most`. `lines` are numbers by name to compare
    with: chance, or what the paper prints.
    The first quantity (recall, say) has filled marks, another (false alarms) open ones;
    whiskers are 95 % intervals.
    """
    estimates = list(estimates)
    for style, (name, value) in zip((":", "--"), (lines or {}).items(), strict=False):
        ax.axvline(value, color="0.35", ls=style, lw=1.5, label=name, zorder=0)
    labels = [_value(estimate, key) for estimate in estimates]
    rows = list(dict.fromkeys(labels))
    frame = _frame(estimates, y=[rows.index(label) for label in labels])
    series = frame.groupby(_series_names(estimates, by), sort=False)
    alone, several = len(series) == 1, len(set(frame["quantity"])) > 1
    for i, (name, members) in enumerate(series):
        shift, colour = 0.7 * (i + 0.5) / len(series) - 0.35, _colour(i, name)
        for quantity, points in members.groupby("quantity", sort=False):
            y = points["y"] + shift
            ax.hlines(y, points["low"], points["high"], color=colour, lw=1.6, zorder=1)
            fill = colour if quantity == frame["quantity"][0] else "white"
            label = f"{quantity}, {name}" if several else name
            label = quantity if alone else label
            style = {"color": colour, "mfc": fill, "ms": 6, "ls": "", "label": label}
            ax.plot(points["value"], y, _marker(i), **style)
    ax.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.4, -0.6))
    ax.set(xlim=(-0.02 * most, 1.02 * most), xlabel=xlabel)
    ax.grid(axis="x", color="0.92")
    return _finish(ax, estimates)


def reliability(table, *, ax, source):
    """Accuracy over mean confidence, a point a bin; the diagonal is a calibrated model.

    `table` is what `calibration.reliability` gives; whiskers are 95 % intervals.
    """
    ax.plot([0, 1], [0, 1], color="0.6", ls=":", lw=1.5, label="calibrated")
    rows = table.rename(columns={"accuracy": "value"})
    style = {"color": _colour(0), "marker": "o", "ms": 5, "label": "model"}
    base.errorbar(ax, rows["confidence"], rows, **style)
    ax.set(xlabel="mean confidence", ylabel="accuracy", ylim=(0, 1.02))
    ax.set_xlim(max(0, np.floor(rows["confidence"].min() * 10) / 10 - 0.02), 1.02)
    return base.stamp(base.legend_above(ax), source)


def referral(curves, *, ax, source):
    """Accuracy of the images kept over the share that an expert sees.

    `curves` is what `referral.curves` gives; the band is the first one's 95 % interval.
    """
    for i, (name, table) in enumerate(curves.items()):
        colour = "0.35" if name == "random" else _colour(i)
        referred, line = 1 - table["kept"], ("-", "--", ":")[i % 3]
        ax.plot(referred, 1 - table["risk"], line, color=colour, lw=1.8, label=name)
        if not i:
            ends = 1 - table["high"], 1 - table["low"]
            ax.fill_between(referred, *ends, color=colour, alpha=0.15, lw=0)
    ax.set(xlim=(0, 1), xlabel="share referred to an expert")
    ax.set(ylabel="accuracy of the rest", ylim=(None, 1.01))
    return base.stamp(base.legend_above(ax, columns=3), source)


def _value(estimate, name):
    """A field of an estimate, else one of its conditions, else ""."""
    return str(getattr(estimate, name, estimate.conditions.get(name, "")))


def _frame(estimates, **columns):
    """What is drawn of estimates, a row each, with their places."""
    names = "quantity", "protocol", "value", "low", "high"
    scores = {name: [getattr(e, name) for e in estimates] for name in names}
    return pd.DataFrame(scores | columns)


def _series_names(estimates, by):
    """For the legend: of each, its values in those of `by` that differ."""
    values = [[_value(estimate, name) for name in by] for estimate in estimates]
    differ = [len(set(column)) > 1 for column in zip(*values, strict=True)]
    chosen = differ if any(differ) else [True]
    values = [filter(None, itertools.compress(row, chosen)) for row in values]
    return np.array(list(map(", ".join, values)))


def _colour(index, name=""):
    """The colour of a protocol, else the next; colours begin anew where they end."""
    return base.PROTOCOLS.get(name, base.COLOURS[index % len(base.COLOURS)])


def _marker(index):
    return base.MARKERS[index % len(base.MARKERS)]


def _finish(ax, estimates):
    """Add the legend and name the sources."""
    sources = ", ".join(dict.fromkeys(map(records.stated, estimates)))
    return base.stamp(base.legend_above(ax), sources)
