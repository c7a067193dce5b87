"""Figures of what models learned and how right they are, from tables and estimates."""

import numpy as np
import pandas as pd

from chromolib import records
from chromolib.plots import base

CYCLE = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7", "0.35")
SHAPES = "osX^Dv"
SPLIT = {"published": "#D55E00", "clean": "#0072B2"}
BARS = {  # a word of the condition that makes a bar of its own -> its look
    "": {},
    "tested=unseen": {"alpha": 0.45},
    "labels=random": {"facecolor": "white", "hatch": "////"},
}
LAST = ("labels=random",)
MEANT = {"tested=unseen": "unseen groups", "labels=random": "random labels"}
PRINTED = "printed in the paper"
PARTS = ("-", "training"), ("--", "held out")


def of(estimate, name):
    """A word of an estimate: one of its fields, else one of its conditions, else ""."""
    return str(getattr(estimate, name, estimate.conditions.get(name, "")))


def _turn(values, place):
    """One of a few colours or shapes; they begin anew where they run out."""
    return values[place % len(values)]


def _sources(estimates):
    return ", ".join(dict.fromkeys(map(records.stated, estimates)))


def _ends(estimates):
    """How far the intervals reach below and above, (2, n)."""
    rows = [(one.value - one.low, one.high - one.value) for one in estimates]
    return np.array(rows).reshape(-1, 2).T


def classes(tables, *, ax, source):
    """How many images of each class each part holds, a block a division.

    `tables` holds a table a division ("paper", "clean", …) with a row a part and a
    column a class.
    """
    names = list(dict.fromkeys(name for one in tables.values() for name in one.columns))
    slots, at = [], 0.0
    for division, table in tables.items():
        slots += [(at + i, division, part) for i, part in enumerate(table.index)]
        at += len(table) + 0.5
    width = 0.8 / len(names)
    for i, name in enumerate(names):
        there = [(x, d, p) for x, d, p in slots if name in tables[d].columns]
        left = [x + (i - (len(names) - 1) / 2) * width for x, *_ in there]
        height = [tables[d].loc[p, name] for _, d, p in there]
        style = {"color": _turn(CYCLE, i), "hatch": "/" * (3 * i), "edgecolor": "white"}
        drawn = ax.bar(left, height, width * 0.94, label=name, **style)
        ax.bar_label(drawn, fmt="{:,.0f}", padding=2, fontsize=8)
    ax.set_xticks([x for x, *_ in slots], [part for *_, part in slots])
    middle = [np.mean([x for x, d, _ in slots if d == one]) for one in tables]
    ax.set_xticks(middle, list(tables), minor=True)
    ax.tick_params(axis="x", which="minor", length=0, pad=20)
    ax.set(ylabel="images")
    ax.margins(y=0.12)
    return base.stamp(base.above(ax, columns=len(names)), source)


def curves(histories, *, ax, source, of="accuracy"):
    """Accuracy or loss per epoch: training solid, held out dashed, a colour a model.

    A history has the columns epoch, loss, accuracy, val_loss, val_accuracy.
    """
    for i, (name, history) in enumerate(histories.items()):
        history = pd.DataFrame(getattr(history, "history", history))
        history = history.assign(epoch=range(1, len(history) + 1))
        every = max(1, len(history) // 6)
        style = {
            "color": _turn(CYCLE, i),
            "marker": _turn(SHAPES, i),
            "ms": 4,
            "markevery": every,
        }
        for column, (line, _) in zip((of, f"val_{of}"), PARTS, strict=True):
            if column in history:
                ax.plot(history["epoch"], history[column], line, **style)
        ax.plot(
            [], [], color=_turn(CYCLE, i), marker=_turn(SHAPES, i), ms=4, label=name
        )
    for line, part in PARTS:
        ax.plot([], [], line, color="0.35", label=part)
    ends = (0, 1.02) if of == "accuracy" else (0, None)
    ax.set(xlabel="epoch", ylabel=of, ylim=ends)
    ax.xaxis.get_major_locator().set_params(integer=True)
    ax.grid(axis="y", color="0.92")
    return base.stamp(base.above(ax, columns=3), source)


def confusion(tables, *, ax, source):
    """How each class was named: counts, and below them the share of the class.

    `tables` is what `metrics.confusions` gives.
    """
    counts, shares = tables["counts"], tables["by row"].to_numpy(float)
    ax.imshow(shares, cmap="Blues", vmin=0, vmax=1, aspect="auto")
    for row, column in np.ndindex(shares.shape):
        share = shares[row, column]
        text = f"{counts.iloc[row, column]:,}"
        text += f"\n{share:.0%}" if np.isfinite(share) else ""
        colour = "white" if share > 0.6 else "black"
        ax.text(column, row, text, ha="center", va="center", color=colour)
    for side, names in (("x", counts.columns), ("y", counts.index)):
        ax.set(**{f"{side}ticks": range(len(names)), f"{side}ticklabels": names})
    ax.set(xlabel="named by the model", ylabel="truth")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    return base.stamp(ax, source)


def _kind(estimate):
    told = {f"{k}={v}" for k, v in estimate.conditions.items()}
    return estimate.protocol, next((word for word in BARS if word in told), "")


def bars(estimates, *, ax, by="model", printed=None, chance=0.5):
    """The score of each protocol beside what the same learns from random labels.

    Bars are grouped `by` fields of the estimates or keys of their conditions, one or
    several. What learned from random labels has "labels=random" in its condition and is
    hatched; "tested=unseen", what else a network was asked, is pale. `printed` is the
    paper's number, one for all or by group; whiskers are 95 % intervals.
    """
    estimates, by = list(estimates), (by,) if isinstance(by, str) else by
    names = [_under(one, by) for one in estimates]
    groups = list(dict.fromkeys(names))
    rows = [word for word in BARS if word not in LAST], LAST
    kinds = [(name, word) for row in rows for name in SPLIT for word in row]
    odd = {one.protocol for one in estimates} - set(SPLIT)
    if odd:
        raise ValueError(f"no bar for protocol {min(odd)!r}; known: {', '.join(SPLIT)}")
    kinds = [kind for kind in kinds if kind in map(_kind, estimates)]
    if len(set(zip(names, map(_kind, estimates), strict=True))) < len(estimates):
        raise ValueError(
            f"two bars in one place; group by more than {', '.join(by)}, or choose"
        )
    width = 0.8 / max(1, len(kinds))
    for i, (protocol, word) in enumerate(kinds):
        part = [one for one in estimates if _kind(one) == (protocol, word)]
        at = np.array([groups.index(_under(one, by)) for one in part])
        at = at + (i - (len(kinds) - 1) / 2) * width
        colour = {"facecolor": SPLIT[protocol], "edgecolor": SPLIT[protocol]}
        style = colour | BARS[word]
        style["label"] = ", ".join(filter(None, (protocol, MEANT.get(word, ""))))
        ax.bar(at, [one.value for one in part], width * 0.86, **style)
        whisker = {"fmt": "none", "ecolor": "0.15", "capsize": 3}
        ax.errorbar(at, [one.value for one in part], yerr=_ends(part), **whisker)
    ax.axhline(chance, color="0.35", ls=":", lw=1.5, label="chance")
    _printed(printed, groups, ax)
    ax.set(xticks=range(len(groups)), xticklabels=groups, ylim=(0, 1.03))
    ax.set_ylabel(", ".join(dict.fromkeys(one.quantity for one in estimates)))
    return base.stamp(base.above(ax), _sources(estimates))


def _under(one, by):
    """What stands under a group of bars, a line a word."""
    return "\n".join(of(one, word) for word in by).replace(" (", "\n(")


def _printed(printed, groups, ax):
    """A line across each group at the number that the paper prints for it."""
    if not isinstance(printed, dict):
        printed = {} if printed is None else dict.fromkeys(groups, printed)
    for name, value in printed.items():
        at, line = groups.index(name), {"color": "black", "lw": 1.8, "ls": "--"}
        ax.plot([at - 0.46, at + 0.46], [value] * 2, **line, label=PRINTED)


def _series(estimates, by):
    """Estimates by what tells them apart, with a name for the legend."""
    told = {name: {of(one, name) for one in estimates} for name in by}
    apart = [name for name, values in told.items() if len(values) > 1] or by[:1]
    found = {}
    for one in estimates:
        name = ", ".join(filter(None, (of(one, word) for word in apart)))
        found.setdefault(name, []).append(one)
    return found


def learning(estimates, *, ax, by=("model", "protocol"), key="sources", chance=0.5):
    """Score over the number of sources learned from, a line a model and protocol.

    The number stands in the condition as "sources=193"; whiskers are 95 % intervals.
    """
    estimates = list(estimates)
    missing = [one for one in estimates if not of(one, key)]
    if missing:
        raise ValueError(f"conditions {missing[0].conditions} do not say {key!r}")
    series, ticks = _series(estimates, by), {int(of(one, key)) for one in estimates}
    for i, (name, part) in enumerate(series.items()):
        part = sorted(part, key=lambda one: int(of(one, key)))
        aside = 1.03 ** (i - (len(series) - 1) / 2)  # whiskers do not hide each other
        at = np.array([int(of(one, key)) for one in part]) * aside
        colour = SPLIT.get(name, _turn(CYCLE, i))
        style = {"color": colour, "marker": _turn(SHAPES, i), "ms": 5, "capsize": 3}
        ax.errorbar(
            at, [one.value for one in part], yerr=_ends(part), label=name, **style
        )
    ax.axhline(chance, color="0.35", ls=":", lw=1.5, label="chance")
    ax.set(xscale="log", xlabel=f"{key} learned from", ylim=(0, 1.03))
    ax.minorticks_off()
    ax.set(xticks=sorted(ticks), xticklabels=sorted(ticks))
    ax.set_ylabel(", ".join(dict.fromkeys(one.quantity for one in estimates)))
    return base.stamp(base.above(ax), _sources(estimates))


def kinds(estimates, *, ax, by=("model", "protocol"), key="kind"):
    """Share called abnormal of each kind of chromosome, a row a kind, as given.

    The kind stands in the condition as "kind=inversion". The first quantity (recall)
    has filled marks, another (false alarms of shams and of the untouched) open ones;
    whiskers are 95 % intervals.
    """
    estimates = list(estimates)
    rows = list(dict.fromkeys(of(one, key) for one in estimates))
    quantities = list(dict.fromkeys(one.quantity for one in estimates))
    series = _series(estimates, by)
    for i, (name, part) in enumerate(series.items()):
        aside = 0.7 * (i + 0.5) / len(series) - 0.35
        colour = SPLIT.get(name, _turn(CYCLE, i))
        for one in part:
            y = rows.index(of(one, key)) + aside
            fill = colour if one.quantity == quantities[0] else "white"
            label = one.quantity if len(series) == 1 else f"{one.quantity}, {name}"
            ax.plot([one.low, one.high], [y, y], color=colour, lw=1.6, zorder=1)
            mark = {"color": colour, "mfc": fill, "ms": 6, "ls": "", "label": label}
            ax.plot(one.value, y, _turn(SHAPES, i), **mark)
    ax.set(yticks=range(len(rows)), yticklabels=rows, ylim=(len(rows) - 0.4, -0.6))
    ax.set(xlim=(-0.02, 1.02), xlabel="share called abnormal")
    ax.grid(axis="x", color="0.92")
    return base.stamp(base.above(ax), _sources(estimates))


def reliability(table, *, ax, source):
    """Accuracy over mean confidence, a point a bin; the diagonal is a model that knows.

    `table` is what `calibration.reliability` gives; whiskers are 95 % intervals.
    """
    ax.plot([0, 1], [0, 1], color="0.6", ls=":", lw=1.5, label="as sure as right")
    value = table["accuracy"]
    ends = np.maximum([value - table["low"], table["high"] - value], 0)
    style = {"color": CYCLE[0], "marker": "o", "ms": 5, "capsize": 3, "label": "model"}
    ax.errorbar(table["confidence"], value, yerr=ends, **style)
    ax.set(xlabel="mean confidence", ylabel="accuracy", ylim=(0, 1.02))
    ax.set_xlim(max(0, np.floor(table["confidence"].min() * 10) / 10 - 0.02), 1.02)
    return base.stamp(base.above(ax), source)


LINES = {"uncertainty": "-", "max-softmax": "--", "random": ":"}


def referral(curves, *, ax, source):
    """Accuracy of the images kept over the share that an expert sees.

    `curves` is what `referral.curves` gives; the band is the first one's 95 % interval.
    """
    for i, (name, table) in enumerate(curves.items()):
        colour = "0.35" if name == "random" else _turn(CYCLE, i)
        away, style = 1 - table["kept"], {"color": colour, "ls": LINES.get(name, "-.")}
        ax.plot(away, 1 - table["risk"], lw=1.8, label=name, **style)
        if not i:
            ends = 1 - table["high"], 1 - table["low"]
            ax.fill_between(away, *ends, color=colour, alpha=0.15, lw=0)
    ax.set(xlim=(0, 1), xlabel="share referred to an expert")
    ax.set(ylabel="accuracy of the rest", ylim=(None, 1.01))
    return base.stamp(base.above(ax, columns=3), source)
