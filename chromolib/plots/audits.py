"""Figures of what a paper prints, of its audit, and of what its split gives away."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from chromolib.evidence import recompute
from chromolib.plots import base

STYLE = {
    "consistent": ("#0072B2", "o"),
    "truncated": ("#E69F00", "s"),
    "contradictory": ("#D55E00", "X"),
}


def audit(audits, *, ax):
    """Printed number (open circle) against the recomputed one, a row a claim.

    A whisker is an exact 95 % interval; a triangle marks a bound the printed number
    should keep.
    """
    for row, item in enumerate(audits):
        colour, shape = STYLE[item.word]
        printed, found = recompute.parse(item.claim.value).value, item.recomputed
        shape = {"at most": "<", "at least": ">"}.get(item.claim.relation, shape)
        if found.low is not None:
            ax.plot([found.low, found.high], [row, row], color=colour, lw=1, alpha=0.6)
        ax.plot([printed, found.value], [row, row], color=colour, lw=2.5, alpha=0.5)
        ax.plot(found.value, row, shape, color=colour, ms=7, label=item.word)
        ax.plot(printed, row, "o", mfc="none", mec="0.25", ms=9, label="printed")
    names = [item.claim.id.partition("-")[2].replace("-", " ") for item in audits]
    ax.set(
        yticks=range(len(audits)), yticklabels=names, xlabel="printed and recomputed"
    )
    ax.set_ylim(len(audits) - 0.5, -0.7)
    ax.grid(axis="x", color="0.92")
    return base.beside(ax)


def words(tally, *, ax):
    """How many claims got each audit word."""
    ax.barh(list(tally.index), tally.to_numpy(), color="#0072B2")
    ax.bar_label(ax.containers[0], padding=3)
    ax.invert_yaxis()
    ax.set(xlabel="claims")
    return ax


def siblings(estimates, *, ax):
    """Share of test images already seen, published protocol against clean one."""
    names = [f"{e.protocol} {e.conditions.get('class', '')}".strip() for e in estimates]
    values = np.array([e.value for e in estimates])
    errors = [values - [e.low for e in estimates], [e.high for e in estimates] - values]
    ax.barh(names, values, xerr=errors, color="#0072B2", ecolor="0.25")
    ax.invert_yaxis()
    ax.set(xlim=(0, 1.02), xlabel="share of test images with a sibling in training")
    return ax


def leaks(tables):
    """What probes score on each source, published split against clean one."""
    mpl.rcParams.update(base.THEME)
    rows = [frame["probe"].nunique() for frame in tables.values()]
    size = (6.4, 0.9 + sum(0.3 * n + 0.6 for n in rows))
    figure, axes = plt.subplots(
        len(tables), figsize=size, height_ratios=rows, sharex=True, squeeze=False
    )
    for ax, (source, frame) in zip(axes[:, 0], tables.items(), strict=True):
        _leak_rows(ax, frame)
        ax.set_title(source, loc="left", fontsize=10, fontweight="bold")
    axes[-1, 0].set(xlim=(-0.03, 1.03), xlabel="score of the probe")
    base.beside(axes[0, 0])
    return figure


SPLITS = {
    "published": ("#D55E00", "X", -0.15),
    "clean": ("#0072B2", "o", 0.15),
    "whole set": ("0.35", "s", 0.0),
}


def _leak_rows(ax, frame):
    names = list(dict.fromkeys(frame["probe"]))
    shipped = frame["condition"].str.contains("shipped")
    for row in frame[~shipped].itertuples():
        colour, shape, shift = SPLITS[row.protocol]
        y = names.index(row.probe) + shift
        ax.plot([row.low, row.high], [y, y], color=colour, lw=1.5, alpha=0.6)
        ax.plot(row.value, y, shape, color=colour, ms=6, label=row.protocol, ls="")
        ax.plot(row.chance, y, "|", color="0.55", ms=11, mew=2, label="chance", ls="")
    ax.set(yticks=range(len(names)), yticklabels=names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(axis="x", color="0.92")


def log(series, *, ax):
    """A training log as printed: one line a column, a mark an epoch."""
    for (name, values), shape in zip(series.items(), "osX^", strict=False):
        ax.plot(np.arange(1, len(values) + 1), values, marker=shape, ms=4, label=name)
    ax.set(xlabel="epoch", ylabel="printed accuracy", ylim=(0, 1))
    ax.legend()
    return ax
