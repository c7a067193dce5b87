"""Every figure: an axis comes in, the same axis goes out; nothing is computed here."""

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

from chromolib.evidence import recompute

# Okabe and Ito's colours, apart for every common kind of colour vision; a shape of its
# own for each word lets the figure do without them.
STYLE = {
    "consistent": ("#0072B2", "o"),
    "truncated": ("#E69F00", "s"),
    "contradictory": ("#D55E00", "X"),
}
THEME = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.prop_cycle": mpl.cycler(
        color=["#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7"]
    ),
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "font.size": 10,
    "legend.frameon": False,
    "svg.hashsalt": "chromolib",
}


def axis(*, rows=None, height=3.2, width=6.4):
    """One empty axis in the book's style, tall enough for its rows."""
    mpl.rcParams.update(THEME)
    return plt.subplots(figsize=(width, 1.1 + 0.32 * rows if rows else height))[1]


def grid(rows, columns, *, width=6.4, height=3.2, **shared):
    """Empty axes in the book's style, row by row, in one list."""
    mpl.rcParams.update(THEME)
    size = (width, height)
    return list(plt.subplots(rows, columns, figsize=size, **shared)[1].flat)


def stamp(ax, source):
    """Write above a corner whose numbers these are: "synthetic" wherever they are."""
    words = {"ha": "right", "va": "bottom", "fontsize": 8, "color": "0.35"}
    ax.text(1, 1.01, source, transform=ax.transAxes, **words)
    return ax


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
    return _legend(ax)


def words(tally, *, ax):
    """How many claims got each audit word."""
    ax.barh(list(tally.index), tally.to_numpy(), color="#0072B2")
    ax.bar_label(ax.containers[0], padding=3)
    ax.invert_yaxis()
    ax.set(xlabel="claims")
    return ax


def siblings(estimates, *, ax):
    """Share of test images already seen, published protocol against clean one."""
    names = [
        f"{e.protocol} {e.condition.replace('class=', '')}".strip() for e in estimates
    ]
    values = np.array([e.value for e in estimates])
    errors = [values - [e.low for e in estimates], [e.high for e in estimates] - values]
    ax.barh(names, values, xerr=errors, color="#0072B2", ecolor="0.25")
    ax.invert_yaxis()
    ax.set(xlim=(0, 1.02), xlabel="share of test images with a sibling in training")
    return ax


def leaks(tables):
    """What probes score on each source, published split against clean one."""
    mpl.rcParams.update(THEME)
    rows = [frame["probe"].nunique() for frame in tables.values()]
    size = (6.4, 0.9 + sum(0.3 * n + 0.6 for n in rows))
    figure, axes = plt.subplots(
        len(tables), figsize=size, height_ratios=rows, sharex=True, squeeze=False
    )
    for ax, (source, frame) in zip(axes[:, 0], tables.items(), strict=True):
        _leak_rows(ax, frame)
        ax.set_title(source, loc="left", fontsize=10, fontweight="bold")
    axes[-1, 0].set(xlim=(-0.03, 1.03), xlabel="score of the probe")
    _legend(axes[0, 0])
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
    return stamp(above(ax), BOTH)


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
    return stamp(above(ax), BOTH)


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
    return stamp(above(ax, columns=2), "real, taught by real or synthetic")


def save(figure, path):
    """Write a figure, the same bytes each time, and let go of it."""
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


def log(series, *, ax):
    """A training log as printed: one line a column, a mark an epoch."""
    for (name, values), shape in zip(series.items(), "osX^", strict=False):
        ax.plot(np.arange(1, len(values) + 1), values, marker=shape, ms=4, label=name)
    ax.set(xlabel="epoch", ylabel="printed accuracy", ylim=(0, 1))
    ax.legend()
    return ax


def _legend(ax):
    unique = _unique(ax)
    ax.legend(unique.values(), unique.keys(), loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def above(ax, *, columns=2):
    """The legend over the figure's left corner, where a phone has room for it."""
    unique = _unique(ax)
    place = {"loc": "outside upper left", "ncols": columns, "handlelength": 1.4}
    ax.figure.legend(unique.values(), unique.keys(), **place)
    return ax


def _unique(ax):
    handles, labels = ax.get_legend_handles_labels()
    return dict(zip(labels, handles, strict=True))
