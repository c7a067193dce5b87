"""Figures of what a paper prints, of its audit, and of what its split gives away."""

import numpy as np
from matplotlib import colors

from chromolib.evidence import recompute
from chromolib.plots import base

AUDIT = {
    "consistent": ("#0072B2", "o"),
    "truncated": ("#E69F00", "s"),
    "contradictory": ("#D55E00", "X"),
}
BOUNDS = {"at most": "<", "at least": ">"}
HEADLINE = (  # colour, mark, its face, and how far below the middle of a row
    ("#D55E00", "X", "#D55E00", -0.18),
    ("#D55E00", "s", "white", 0.0),
    ("#0072B2", "o", "#0072B2", 0.18),
    ("#009E73", "D", "#009E73", 0.0),
)
LEAKS = {"published": ("X", -0.15), "clean": ("o", 0.15), "whole set": ("s", 0.0)}


def audit(audits, *, ax):
    """Printed number (open circle) against the recomputed one, a row a claim.

    A whisker is an exact 95 % interval, where both are one number; where they differ,
    the same images were counted twice. A triangle marks a bound the printed number
    should keep. What cannot be checked has its circle alone, and what is printed as a
    word has no row.
    """
    audits = [item for item in audits if recompute.parse(item.claim.value)]
    for y, item in enumerate(audits):
        printed = recompute.parse(item.claim.value).value
        if item.recomputed is not None:
            _recomputed(ax, y, item, printed)
        ax.plot(printed, y, "o", mfc="none", mec="0.25", ms=9, label="printed")
    names = [item.claim.id.partition("-")[2].replace("-", " ") for item in audits]
    ax.set(yticks=range(len(names)), yticklabels=names, ylim=(len(names) - 0.5, -0.7))
    ax.set(xlabel="printed and recomputed")
    ax.grid(axis="x", color="0.92")
    return base.legend_above(ax, columns=4)


def _recomputed(ax, y, item, printed):
    (colour, marker), ours = AUDIT[item.word], item.recomputed
    marker = BOUNDS.get(item.claim.relation, marker)
    if ours.low is not None and item.word == "consistent":
        ax.plot([ours.low, ours.high], [y, y], color=colour, lw=1, alpha=0.6)
    ax.plot([printed, ours.value], [y, y], color=colour, lw=2.5, alpha=0.5)
    ax.plot(ours.value, y, marker, color=colour, ms=7, label=item.word)


def tally(counts, *, ax):
    """How many claims got each audit word."""
    drawn = ax.barh(list(counts.index), counts.to_numpy(), color=base.COLOURS[0])
    ax.bar_label(drawn, padding=3)
    ax.invert_yaxis()
    ax.set(xlabel="claims")
    return ax


def leaks(tables):
    """What probes score on each source, published split against clean one: the axes."""
    rows = [table["probe"].nunique() for table in tables.values()]
    height = 0.9 + sum(0.3 * count + 0.6 for count in rows)
    axes = base.grid(len(tables), 1, height=height, height_ratios=rows, sharex=True)
    for ax, (source, table) in zip(axes, tables.items(), strict=True):
        _leak_rows(ax, table)
        ax.set_title(source, loc="left", fontsize=10, fontweight="bold")
    axes[-1].set(xlim=(-0.03, 1.03), xlabel="score of the probe")
    base.legend_above(axes[0], columns=4)
    return axes


def _leak_rows(ax, table):
    names = list(dict.fromkeys(table["probe"]))
    for row in table.itertuples():
        marker, shift = LEAKS[row.protocol]
        y, colour = names.index(row.probe) + shift, base.PROTOCOLS[row.protocol]
        ax.plot([row.low, row.high], [y, y], color=colour, lw=1.5, alpha=0.6)
        ax.plot(row.value, y, marker, color=colour, ms=6, label=row.protocol, ls="")
        ax.plot(row.chance, y, "|", color="0.55", ms=11, mew=2, label="chance", ls="")
    ax.set(yticks=range(len(names)), yticklabels=names)
    ax.set_ylim(len(names) - 0.4, -0.6)
    ax.grid(axis="x", color="0.92")


def flow(lanes, *, ax):
    """Steps that follow one another, a lane a way of doing them, read downwards.

    `lanes` is name -> the words of each step. What stands in one lane alone is filled.
    """
    most = max(map(len, lanes.values()))
    shared = set.intersection(*map(set, lanes.values()))
    for x, (name, steps) in enumerate(lanes.items()):
        colour = base.PROTOCOLS.get(name, "0.35")
        ax.text(x, -0.7, name, ha="center", va="center", color=colour, weight="bold")
        for y, step in enumerate(steps):
            face = colors.to_rgba(colour, 0 if step in shared else 0.25)
            style = {"boxstyle": "round,pad=0.45", "fc": face, "ec": colour, "lw": 1.5}
            text = {"ha": "center", "va": "center", "bbox": style}
            ax.text(x, y, step, **text)
            if y + 1 < len(steps):
                arrow = {"arrowstyle": "-|>", "color": colour, "lw": 1.5}
                place = {"xy": (x, y + 0.7), "xytext": (x, y + 0.32)}
                ax.annotate("", **place, arrowprops=arrow)
    ax.set(xlim=(-0.5, len(lanes) - 0.5), ylim=(most - 0.5, -1))
    ax.set_axis_off()
    return ax


def headline(rows, *, ax, columns, missing):
    """What was printed against what was found, a row a study and source.

    A row is (label, printed, column -> Estimate); the columns that a row lacks are
    written beside it.
    """
    looks = dict(zip(columns, HEADLINE, strict=True))
    for y, ((_, printed, found), lacking) in enumerate(zip(rows, missing, strict=True)):
        style = {"marker": "o", "ms": 9, "mfc": "none", "mec": "black", "ls": ""}
        ax.plot(printed, y, **style, label="printed")
        for name, one in found.items():
            colour, marker, face, shift = looks[name]
            ends = [[max(one.value - one.low, 0)], [max(one.high - one.value, 0)]]
            style = {"color": colour, "marker": marker, "mfc": face, "ms": 7}
            place = one.value, y + shift
            ax.errorbar(*place, xerr=ends, capsize=3, ls="", label=name, **style)
        if lacking:
            text = f"not run yet: {', '.join(lacking)}"
            ax.text(0, y + 0.42, text, fontsize=8, color="0.35", va="center")
    ax.set_yticks(range(len(rows)), [label for label, *_ in rows])
    ax.set(xlim=(-0.02, 1.02), ylim=(len(rows) - 0.4, -0.6), xlabel="score")
    ax.grid(axis="x", color="0.9")
    return base.legend_above(ax)


def answers(table, *, ax):
    """How far the answer to each question lies beyond chance, a row a question.

    `table` has a row a question, unit and source, with its value and interval beyond
    what it is asked to exceed; sources stand side by side.
    """
    rows = list(dict.fromkeys(_asked(row) for row in table.itertuples()))
    names = list(dict.fromkeys(table["images"]))
    for k, (name, own) in enumerate(table.groupby("images", sort=False)):
        y = [rows.index(_asked(row)) for row in own.itertuples()]
        y = np.array(y) + 0.7 * ((names.index(name) + 0.5) / len(names) - 0.5)
        ends = [own["beyond"] - own["least"], own["most"] - own["beyond"]]
        style = {"color": base.COLOURS[k % len(base.COLOURS)], "ls": "", "ms": 5}
        style |= {"marker": base.MARKERS[k % len(base.MARKERS)], "label": name}
        ax.errorbar(own["beyond"], y, xerr=np.maximum(ends, 0), capsize=2, **style)
    ax.axvline(0, color="0.6", ls=":", lw=1.5)
    ax.set_yticks(range(len(rows)), rows)
    ax.set(ylim=(len(rows) - 0.5, -0.5), xlabel="beyond chance, or beyond all rivals")
    for y in range(1, len(rows)):
        ax.axhline(y - 0.5, color="0.92", lw=0.8, zorder=0)
    return base.legend_above(ax)


def _asked(row):
    return f"{row.question}\n{row.unit}, {row.protocol}"
