"""Pictures as links that hold them, and an ideogram as numbers."""

import base64
import io

import numpy as np
import PIL.Image

from chromolib.cyto import bands
from chromolib.plots import pictures

PNG_UP_TO = 200  # pixels of the longer side; larger pictures go as JPEG
COARSE = 64  # pixels of the longer side of a map, which a reader sees drawn out
FEATURE = (12, 24)  # to which pictures are shrunk to be compared
DARK = {"acen": 0.35, "gvar": 0.5, "stalk": 0.3}  # of bands that have no density


def shrunk(grey):
    """A picture as a short row of numbers, to be compared with others."""
    small = PIL.Image.fromarray(grey).resize(FEATURE, PIL.Image.Resampling.BOX)
    return np.asarray(small, np.float32).ravel()


def url(grey, side):
    """A picture, scaled down to a side, as a link that holds it."""
    picture = PIL.Image.fromarray(grey)
    picture.thumbnail((side, side))
    large = max(picture.size) > PNG_UP_TO
    return link(picture, "jpeg", quality=85) if large else link(picture, "png")


def heat(values):
    """A map as `plots.saliency` draws it: deeper where more speaks for the class."""
    values = np.clip(np.asarray(values, np.float32), 0, None)
    rgba = np.empty((*values.shape, 4), np.uint8)
    rgba[..., :3] = list(bytes.fromhex(pictures.HEAT[1:]))
    rgba[..., 3] = np.round(204 * values / max(float(values.max()), 1e-12))
    drawn = PIL.Image.fromarray(rgba)
    drawn.thumbnail((COARSE, COARSE))
    return link(drawn, "png")


def link(picture, kind, **how):
    """A picture of PIL's as a link that holds it; `how` it is saved."""
    out = io.BytesIO()
    picture.save(out, kind, **how)
    return f"data:image/{kind};base64,{base64.b64encode(out.getvalue()).decode()}"


def ideogram(name):
    """An ideogram as numbers: edges, how dark each band is, where the centromere is."""
    drawn = bands.read(bands.LEVELS[0])[name]
    shade = [
        DARK.get(stain, share / 100)
        for stain, share in zip(drawn.stain, drawn.density, strict=True)
    ]
    return {"edges": drawn.edges, "shade": shade, "centromere": drawn.centromere}
