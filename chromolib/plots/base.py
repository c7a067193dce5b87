"""The book's style: empty axes, legends, the word of the source, the saved file."""

import base64
import html
import io

import matplotlib as mpl
import matplotlib.pyplot as plt

# Okabe and Ito's colours, apart for every common kind of colour vision; a shape of its
# own for each word lets a figure do without them.
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
    settings = {"figsize": (width, height), "squeeze": False} | shared
    return list(plt.subplots(rows, columns, **settings)[1].flat)


def stamp(ax, source):
    """Write above a corner whose numbers these are: "synthetic" wherever they are."""
    words = {"ha": "right", "va": "bottom", "fontsize": 8, "color": "0.35"}
    ax.text(1, 1.01, source, transform=ax.transAxes, **words)
    return ax


def beside(ax):
    """The legend to the right of the axis."""
    unique = _unique(ax)
    ax.legend(unique.values(), unique.keys(), loc="upper left", bbox_to_anchor=(1, 1))
    return ax


def above(ax, *, columns=2):
    """The legend over the figure's left corner, where a phone has room for it.

    A figure of several axes has one, of all that is drawn so far.
    """
    unique = {}
    for one in ax.figure.axes:
        unique = unique | _unique(one) | unique  # a name keeps its first mark
    for old in list(ax.figure.legends):
        old.remove()
    place = {"loc": "outside upper left", "ncols": columns, "handlelength": 1.4}
    ax.figure.legend(unique.values(), unique.keys(), **place)
    return ax


def _unique(ax):
    handles, labels = ax.get_legend_handles_labels()
    return dict(zip(labels, handles, strict=True))


def save(figure, path):
    """Write a figure, the same bytes each time, and let go of it."""
    figure.savefig(path, metadata={"Date": None})
    plt.close(figure)


class Shown:
    """A figure with its caption under it and its text for those who cannot see it.

    The caption is part of the output, and so reads alike in JupyterLab and the book.
    """

    def __init__(self, image, caption, alt):
        self.image, self.caption, self.alt = image, caption, alt

    def __repr__(self):
        return f"Figure: {self.caption}"

    def _repr_html_(self):
        return (
            f'<figure><img src="data:image/png;base64,{self.image}" '
            f'alt="{html.escape(self.alt)}"><figcaption>{html.escape(self.caption)}'
            "</figcaption></figure>"
        )


def show(ax, caption, *, alt):
    """The figure of an axis, to be the last value of a cell; the axis is used up."""
    out = io.BytesIO()
    ax.figure.savefig(out, format="png")
    plt.close(ax.figure)
    return Shown(base64.b64encode(out.getvalue()).decode("ascii"), caption, alt)
