"""Chromosomes as a network sees them, and its maps; real ones only if allowed."""

import numpy as np
from matplotlib import colors, patches

from chromolib.evidence import pointing
from chromolib.plots import base

HEAT, BOX = "#D55E00", "#0072B2"
STYLES = {  # of boxes
    "right": {"edgecolor": BOX, "ls": "-", "lw": 0.9},
    "wrong": {"edgecolor": "#E69F00", "ls": "--", "lw": 1.2},
    "missed": {"edgecolor": "black", "ls": ":", "lw": 1.2},
}


def refuse_real(source, *, real, allow=False):
    """Refuse to show real chromosomes, for a page may be published.

    `real` is whether any pixel ever was a chromosome, edited or not.
    """
    if real and not allow:
        raise ValueError(
            f"{source}: no real chromosome is shown where a page may be published; "
            "show synthetic ones, or pass allow=True where nobody else will see it"
        )


def gallery(images, labels, *, axes, source, real, allow=False):
    """Small grey images, ink dark, each over its label; axes left over are blank.

    A label is a text or a mapping such as {"truth": …, "kind": …}, a line an entry;
    six upright chromosomes in a row leave room for it.
    """
    if len(images) != len(labels):
        raise ValueError(f"{len(images)} images, {len(labels)} labels; give one each")
    axes = _draw(images, axes, source=source, real=real, allow=allow)
    for ax, label in zip(axes, labels, strict=False):
        if isinstance(label, dict):
            label = "\n".join(f"{name}: {value}" for name, value in label.items())
        ax.set_xlabel(label, fontsize=7)
    return axes


def saliency(images, maps, boxes, *, axes, source, real, allow=False):
    """Images under their maps, deeper where more speaks for the class.

    The dashed box is the abnormal stretch, where there is one, and the cross the peak
    that `pointing.game` judges. Each map has a scale of its own; what speaks against
    the class, below 0, is not drawn.
    """
    axes = _draw(images, axes, source=source, real=real, allow=allow)
    peaks = pointing.peaks(maps, images)
    for ax, heat, box, peak in zip(axes, maps, boxes, peaks, strict=False):
        heat = np.clip(heat, 0, None)
        alpha = 0.8 * heat / max(heat.max(), 1e-12)
        ax.imshow(heat, cmap=colors.ListedColormap([HEAT]), alpha=alpha)
        ax.plot(*peak, "P", mfc="white", mec="black", ms=7)
        if box is not None:
            _box(ax, box, {"edgecolor": BOX, "ls": "--", "lw": 1.6})
    return axes


def boxes(images, told, *, axes, source, real, allow=False):
    """Images with the boxes found in them, and true ones of which none was found.

    `told` is what `detect.scores.told` says of each. Blue, solid: a true box of that
    name; orange, dashed: another name, or nothing there; black, dotted: missed. Names
    stand over boxes, with the score where it is below 1. What has an outline is drawn
    by it.
    """
    axes = _draw(images, axes, source=source, real=real, allow=allow)
    for ax, kinds in zip(axes, told, strict=False):
        for kind, found in kinds.items():
            outlines = found.polygon or [None] * len(found)
            for box, name, score, outline in zip(
                found.xyxy, found.label, found.score, outlines, strict=True
            ):
                _box(ax, box, STYLES[kind], outline)
                text = f"{name} {score:.2f}" if score < 1 else name
                how = {"fontsize": 5, "ha": "left", "va": "bottom", "clip_on": True}
                ax.text(box[0], box[1] - 1, text, **how)
    return axes


def _box(ax, xyxy, style, outline=None):
    x0, y0, x1, y1 = xyxy
    corner = x0 - 0.5, y0 - 0.5  # imshow puts the middle of a pixel at 0
    if outline is None:
        patch = patches.Rectangle(corner, x1 - x0, y1 - y0, fill=False, **style)
    else:
        patch = patches.Polygon(np.asarray(outline) - 0.5, fill=False, **style)
    ax.add_patch(patch)


def _draw(images, axes, *, source, real, allow):
    refuse_real(source, real=real, allow=allow)
    axes = list(axes)
    if len(images) > len(axes):
        raise ValueError(
            f"{len(images)} images on {len(axes)} axes; give as many axes as images"
        )
    for ax, image in zip(axes, images, strict=False):
        ax.imshow(np.reshape(image, np.shape(image)[:2]), cmap="gray_r", vmin=0, vmax=1)
        ax.set(xticks=[], yticks=[])
        ax.spines[:].set(visible=True, color="0.8")
    for ax in axes[len(images) :]:
        ax.set_axis_off()
    if not len(images):
        axes[0].text(0, 0.5, "no image to show")
    base.stamp(axes[0], source)
    # images keep their shape, which the layout learns too late to have room for labels
    axes[0].figure.set_layout_engine("constrained", h_pad=0.12)
    return axes
