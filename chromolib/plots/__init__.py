"""Every figure: an axis comes in, the same axis goes out; nothing is computed here."""

from chromolib.plots.audits import audit, leaks, log, siblings, words
from chromolib.plots.base import above, axis, beside, grid, save, show, stamp
from chromolib.plots.lab import BOTH, apart, grey, learned, profile
from chromolib.plots.pictures import gallery, permitted, saliency
from chromolib.plots.scores import (
    bars,
    classes,
    confusion,
    curves,
    kinds,
    learning,
    referral,
    reliability,
)

__all__ = [
    "BOTH",
    "above",
    "apart",
    "audit",
    "axis",
    "bars",
    "beside",
    "classes",
    "confusion",
    "curves",
    "gallery",
    "grey",
    "grid",
    "kinds",
    "leaks",
    "learned",
    "learning",
    "log",
    "permitted",
    "profile",
    "referral",
    "reliability",
    "saliency",
    "save",
    "show",
    "siblings",
    "stamp",
    "words",
]
