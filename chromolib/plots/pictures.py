"""Pictures of chromosomes with what a model made of them; real ones only if allowed."""

import numpy as np
from matplotlib import colors, patches

from chromolib.evidence import pointing
from chromolib.plots import base

HEAT, BOX = "#D55E00", "#0072B2"


def permitted(source, *, real, allow=False):
    """Refuse to show real chromosomes: a page may be published.

    `real` is whether any pixel ever was a chromosome, edited or not.
    """
    if real and not allow:
        raise ValueError(
            f"{source}: no real chromosome is shown where a page may be published; "
            "show synthetic ones, or say allow=True where nobody else will see it"
        )


def _shown(pictures, axes, source, real, allow):
    """Grey pictures on the first axes, ink dark; the axes that are left are emptied."""
    permitted(source, real=real, allow=allow)
    if len(pictures) > len(axes):
        raise ValueError(
            f"{len(pictures)} pictures on {len(axes)} axes; give as many, or choose"
        )
    for ax, picture in zip(axes, pictures, strict=False):
        ink = np.asarray(picture, float)
        ink = ink[..., 0] if ink.ndim == 3 else ink
        ax.imshow(ink, cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color="0.8")
    for ax in axes[len(pictures) :]:
        ax.set_axis_off()
    if not len(pictures):
        axes[0].text(0, 0.5, "There is none.")
    base.stamp(axes[0], source)
    # pictures keep their shape, which the layout learns too late to have room for words
    axes[0].figure.set_layout_engine("constrained", h_pad=0.12)
    return axes


def gallery(pictures, captions, *, axes, source, real, allow=False):
    """Small grey pictures, each over what it is and what was said of it.

    A caption is a mapping such as {"truth": …, "said": …, "kind": …}, a line a word;
    six upright chromosomes in a row leave room for it.
    """
    axes = _shown(pictures, list(axes), source, real, allow)
    for ax, (_, caption) in zip(
        axes, zip(pictures, captions, strict=True), strict=False
    ):
        lines = (f"{name}: {word}" for name, word in caption.items())
        ax.set_xlabel("\n".join(lines), fontsize=7)
    return axes


def saliency(pictures, maps, boxes, *, axes, source, real, allow=False):
    """Pictures under their maps, deeper where more speaks for the class.

    The dashed box is the abnormal stretch, where there is one, and the cross the peak
    that `pointing.game` judges. Each map has a scale of its own; what speaks against
    the class, below 0, is not drawn.
    """
    axes = _shown(pictures, list(axes), source, real, allow)
    peaks = pointing.peaks(maps, pictures)
    rows = zip(maps, boxes, peaks, strict=True)
    for ax, (one, box, peak) in zip(axes, rows, strict=False):
        heat = np.clip(one, 0, None)
        alpha = 0.8 * heat / max(heat.max(), 1e-12)
        layer = np.broadcast_to(colors.to_rgba(HEAT), (*heat.shape, 4)).copy()
        layer[..., 3] = alpha
        ax.imshow(layer)
        ax.plot(*peak, "P", mfc="white", mec="black", ms=7)
        if box is not None:
            x0, y0, x1, y1 = box
            style = {"fill": False, "edgecolor": BOX, "ls": "--", "lw": 1.6}
            corner = x0 - 0.5, y0 - 0.5  # imshow puts the middle of a pixel at 0
            ax.add_patch(patches.Rectangle(corner, x1 - x0, y1 - y0, **style))
    return axes
