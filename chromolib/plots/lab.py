"""Figures of the synthetic lab: how close to real it is, and what it teaches."""

import numpy as np

from chromolib.plots import base

SIDES = {"real": ("#0072B2", "o", "-"), "synthetic": ("#E69F00", "s", "--")}
BOTH = "synthetic against real"
REACH = 4.0  # of the axis of distances, in standard deviations


def distances(rows, *, ax):
    """A row a quantity: means of both less the real one, in real standard deviations.

    Grey is one standard deviation to either side; whiskers are 95 % intervals of the
    means. A triangle at the edge lies beyond the axis.
    """
    ax.axvspan(-1, 1, color="0.93", zorder=0)
    for name, shift in (("real", -0.16), ("synthetic", 0.16)):
        (colour, marker, _), y = SIDES[name], np.arange(len(rows)) + shift
        ends = rows[[f"{name}_low", f"{name}_high"]].to_numpy().clip(-REACH, REACH)
        ax.plot(ends.T, [y, y], color=colour, lw=1.5, alpha=0.6)
        mean = rows[name].to_numpy()
        shapes = np.select([mean < -REACH, mean > REACH], ["<", ">"], marker)
        for shape in "<", ">", marker:
            x = np.where(shapes == shape, mean.clip(-REACH, REACH), np.nan)
            label = name if shape == marker else None
            style = {"color": colour, "ms": 5, "ls": "", "clip_on": False}
            ax.plot(x, y, marker=shape, label=label, **style)
    ax.set(yticks=range(len(rows)), yticklabels=rows["quantity"])
    ax.set(xlim=(-REACH, REACH), ylim=(len(rows) - 0.4, -0.6))
    ax.set(xlabel="from the real mean, in standard\ndeviations between real cells")
    return base.stamp(base.legend_above(ax), BOTH)


def profile(sides, label, *, ax):
    """Mean ink of one class along its axis, short arm left, real and synthetic.

    `sides` holds (mean, spread) for "real" and "synthetic"; shaded is one spread.
    """
    for name, (colour, _, line) in SIDES.items():
        mean, spread = sides[name]
        x = (np.arange(len(mean)) + 0.5) / len(mean)
        ax.fill_between(x, mean - spread, mean + spread, color=colour, alpha=0.15)
        ax.plot(x, mean, line, color=colour, lw=1.5, label=name)
    ax.set(xlim=(0, 1), xticks=(0, 1), xticklabels=("p", "q"), ylim=(0, None))
    ax.set_title(label, loc="left", fontsize=10, fontweight="bold")
    return ax


def grey_levels(sides, *, ax):
    """Share of a chromosome's pixels at each depth of stain, with 95 % intervals."""
    for name, (colour, _, line) in SIDES.items():
        rows = sides[name]
        x = (rows["at"] + 0.5) / len(rows)
        band = {"color": colour, "alpha": 0.25, "step": "mid"}
        ax.fill_between(x, rows["low"], rows["high"], **band)
        ax.plot(x, rows["value"], line, color=colour, ds="steps-mid", label=name)
    ax.set(xlim=(0, 1), ylim=(0, None), xlabel="stain: 0 none, 1 all of the grey range")
    ax.set_ylabel("share of pixels")
    return base.stamp(base.legend_above(ax), BOTH)


TRAINING = {  # way of training -> colour, line or marker, label
    "synthetic": ("#E69F00", "-", "synthetic only"),
    "ideogram": ("0.35", ":", "synthetic only, bands not fitted"),
    "real": ("#0072B2", "o", "real only"),
    "both": ("#009E73", "^", "synthetic, then real"),
}


def transfer(rows, *, ax):
    """Accuracy on real chromosomes over the number of real cells in training.

    A colour a way of training; a band across is one without real cells. Whiskers and
    bands are 95 % intervals.
    """
    for way, (colour, style, label) in TRAINING.items():
        points = rows[rows["way"] == way].sort_values("k")
        if points.empty:
            continue
        if style in ("-", ":"):
            low, high, value = points.iloc[0][["low", "high", "value"]]
            ax.axhspan(low, high, color=colour, alpha=0.2)
            ax.axhline(value, color=colour, ls=style, label=label)
        else:
            look = {"color": colour, "marker": style, "ms": 6, "label": label}
            base.errorbar(ax, points["k"], points, **look)
    cells = sorted(set(rows["k"]) - {0})
    ax.set(xscale="log", xticks=cells, xticklabels=cells, ylim=(0, 1))
    ax.minorticks_off()
    ax.set(xlabel="real cells in training", ylabel="real chromosomes named right")
    source = "real; trained on real or synthetic"
    return base.stamp(base.legend_above(ax), source)
