"""Every figure: an axis comes in, the same axis goes out; nothing is computed here."""

from chromolib.plots.audits import answers, audit, flow, headline, leaks, tally
from chromolib.plots.base import (
    axis,
    grid,
    legend_above,
    show,
    stamp,
)
from chromolib.plots.chances import by_score, roc, spread, trials
from chromolib.plots.lab import BOTH, distances, grey_levels, profile, transfer
from chromolib.plots.pictures import boxes, gallery, refuse_real, saliency
from chromolib.plots.scores import (
    classes,
    confusion,
    curves,
    dots,
    learning,
    referral,
    reliability,
)

__all__ = [
    "BOTH",
    "answers",
    "audit",
    "axis",
    "boxes",
    "by_score",
    "classes",
    "confusion",
    "curves",
    "distances",
    "dots",
    "flow",
    "gallery",
    "grey_levels",
    "grid",
    "headline",
    "leaks",
    "learning",
    "legend_above",
    "profile",
    "referral",
    "refuse_real",
    "reliability",
    "roc",
    "saliency",
    "show",
    "spread",
    "stamp",
    "tally",
    "transfer",
    "trials",
]
