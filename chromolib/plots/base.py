"""The book's style: empty axes, colours, legends, the source's name, the output."""

import base64
import html
import io

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np

# Okabe and Ito's colours, told apart with every common kind of colour vision; a marker
# for each series lets a figure do without colour.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#CC79A7")
MARKERS = "osX^Dv"
PROTOCOLS = {"published": "#D55E00", "clean": "#0072B2", "whole set": "0.35"}
THEME = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.prop_cycle": mpl.cycler(color=COLOURS),
    "figure.constrained_layout.use": True,
    "figure.dpi": 110,
    "font.size": 10,
    "legend.frameon": False,
}


def axis(*, rows=None, height=3.2, width=6.4):
    """One empty axis in the book's style, tall enough for its rows."""
    mpl.rcParams.update(THEME)
    return plt.subplots(figsize=(width, 1.1 + 0.32 * rows if rows else height))[1]


def grid(rows, columns, *, width=6.4, height=3.2, **shared):
    """Empty axes in the book's style, row by row, in one list."""
    mpl.rcParams.update(THEME)
    settings = {"figsize": (width, height), "squeeze": False} | shared
    return list(plt.subplots(rows, columns, **settings)[1].flat)


def stamp(ax, source):
    """Write above the right corner whose images these are: "synthetic", say."""
    style = {"ha": "right", "va": "bottom", "fontsize": 8, "color": "0.35"}
    ax.text(1, 1.01, source, transform=ax.transAxes, **style)
    return ax


def errorbar(ax, x, rows, **style):
    """The `value` of each row with its 95 % interval, from `low` to `high`."""
    value = rows["value"]
    ends = np.maximum([value - rows["low"], rows["high"] - value], 0)
    ax.errorbar(x, value, yerr=ends, capsize=3, **style)


def legend_above(ax, *, columns=2):
    """The legend over the figure's left corner, where a phone has room for it.

    A figure of several axes has one legend, each label with its first mark.
    """
    figure, marks = ax.figure, {}
    for each in figure.axes:
        for mark, label in zip(*each.get_legend_handles_labels(), strict=True):
            marks.setdefault(label, mark)
    for old in list(figure.legends):
        old.remove()
    place = {"loc": "outside upper left", "ncols": columns, "handlelength": 1.4}
    figure.legend(marks.values(), marks.keys(), **place)
    return ax


class Figure:
    """A picture with its caption below and its text for those who cannot see it.

    The caption is part of the output, so it reads alike in JupyterLab and the book.
    """

    def __init__(self, png, caption, alt):
        self.png, self.caption, self.alt = png, caption, alt

    def __repr__(self):
        return f"Figure: {self.caption}"

    def _repr_html_(self):
        data = base64.b64encode(self.png).decode("ascii")
        width = int.from_bytes(self.png[16:20])  # where a PNG says it
        return (
            f'<figure style="--width:{width}px">'
            f'<img src="data:image/png;base64,{data}" '
            f'alt="{html.escape(self.alt)}"><figcaption>{html.escape(self.caption)}'
            "</figcaption></figure>"
        )


def show(ax, caption, *, alt):
    """The figure of an axis or of a list of axes, as the last value of a cell.

    The figure is closed: nothing more can be drawn on its axes.
    """
    figure, png = np.ravel(ax)[0].figure, io.BytesIO()
    figure.savefig(png, format="png")
    plt.close(figure)
    return Figure(png.getvalue(), caption, alt)
