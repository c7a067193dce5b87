"""Figures of the synthetic lab: how close to real it is, what it teaches."""

import numpy as np

from chromolib.plots import base

SIDES = {"real": ("#0072B2", "o"), "synthetic": ("#E69F00", "s")}
BOTH = "synthetic against real"


def apart(rows, *, reach=4.0, ax):
    """A row a quantity: synthetic mean less the real one, in real spreads of cells.

    Grey is one spread to either side; whiskers are 95 % intervals of either mean. A
    triangle at the edge is further away than the axis reaches.
    """
    ax.axvspan(-1, 1, color="0.93", zorder=0)
    for name, (colour, shape) in SIDES.items():
        y = np.arange(len(rows)) + (0.16 if name == "synthetic" else -0.16)
        ends = rows[[f"{name}_low", f"{name}_high"]].to_numpy().clip(-reach, reach).T
        ax.plot(ends, [y, y], color=colour, lw=1.5, alpha=0.6)
        for value, at in zip(rows[name], y, strict=True):
            far = "<" if value < -reach else ">" if value > reach else shape
            at = np.clip(value, -reach, reach), at
            ax.plot(*at, far, color=colour, ms=5, ls="", clip_on=False)
        ax.plot([], [], shape, color=colour, ms=5, ls="", label=name)
    ax.set(yticks=range(len(rows)), yticklabels=rows["quantity"])
    ax.set(xlim=(-reach, reach), ylim=(len(rows) - 0.4, -0.6))
    ax.set(xlabel="from the real mean, in spreads of real cells")
    return base.stamp(base.above(ax), BOTH)


def profile(sides, label, *, ax):
    """Mean ink of one class along its axis, short arm left; a curve a side.

    `sides` holds (middle, spread) for "real" and "synthetic"; shaded is one spread.
    """
    for name, style in (("real", "-"), ("synthetic", "--")):
        (middle, spread), colour = sides[name], SIDES[name][0]
        at = (np.arange(len(middle)) + 0.5) / len(middle)
        ax.fill_between(at, middle - spread, middle + spread, color=colour, alpha=0.15)
        ax.plot(at, middle, style, color=colour, lw=1.5, label=name)
    ax.set(xlim=(0, 1), xticks=(0, 1), xticklabels=("p", "q"), ylim=(0, None))
    ax.set_title(label, loc="left", fontsize=10, fontweight="bold")
    return ax


def grey(sides, *, ax):
    """Share of a chromosome's pixels at each depth of stain, with 95 % intervals."""
    for name, style in (("real", "-"), ("synthetic", "--")):
        rows, colour = sides[name], SIDES[name][0]
        at = (rows["at"] + 0.5) / len(rows)
        step = {"color": colour, "alpha": 0.25, "step": "mid"}
        ax.fill_between(at, rows["low"], rows["high"], **step)
        ax.plot(at, rows["value"], style, color=colour, ds="steps-mid", label=name)
    ax.set(xlim=(0, 1), ylim=(0, None), xlabel="stain: 0 none, 1 all of the grey range")
    ax.set_ylabel("share of pixels")
    return base.stamp(base.above(ax), BOTH)


TAUGHT = {  # colour, shape or style of line, name
    "synthetic": ("#E69F00", "-", "synthetic only"),
    "ideogram": ("0.35", ":", "synthetic only, bands not fitted"),
    "real": ("#0072B2", "o", "real only"),
    "both": ("#009E73", "^", "synthetic, then real"),
}


def learned(rows, *, ax):
    """Accuracy on real chromosomes over real cells learned from, a colour a way.

    A band across is a way that saw none; whiskers and bands are 95 % intervals.
    """
    for way, (colour, style, name) in TAUGHT.items():
        part = rows[rows["way"] == way].sort_values("k")
        if not len(part):
            continue
        if style in ("-", ":"):
            ax.axhspan(
                part["low"].iloc[0], part["high"].iloc[0], color=colour, alpha=0.2
            )
            ax.axhline(part["value"].iloc[0], color=colour, ls=style, label=name)
            continue
        ends = part["value"] - part["low"], part["high"] - part["value"]
        known = {"color": colour, "marker": style, "ms": 6, "capsize": 3, "label": name}
        ax.errorbar(part["k"], part["value"], yerr=ends, **known)
    ks = sorted(set(rows["k"]) - {0})
    ax.set(xscale="log", xticks=ks, xticklabels=ks, ylim=(0, 1))
    ax.minorticks_off()
    ax.set(xlabel="real cells learned from", ylabel="real chromosomes named right")
    return base.stamp(base.above(ax, columns=2), "real, taught by real or synthetic")
