"""A source as a person looks at it: one HTML file, its pictures inside, boxes drawn.

`write(path, images, most)` -> the page; `vacant(path)` is asked before images are read
"""

import base64
import html
import io
import pathlib

import PIL.Image

from chromolib import files, records
from chromolib.cyto import assign
from chromolib.data import store

MOST = 40  # images
SIDE = 800  # pixels of the longer side of a picture
LARGER = 4  # times, at most, that a small picture is enlarged
QUALITY = 80  # of its JPEG
EYES = "For your own eyes: not for publication"
STYLE = """
body{font:16px/1.45 system-ui,sans-serif;color:#111;background:#fff;margin:0 auto;
max-width:60rem;padding:0 1rem 3rem}
.use{border:2px solid #111;background:#f0e442;padding:.4rem .7rem;position:sticky;top:0}
svg{max-width:100%;height:auto;overflow:visible}figure{margin:2rem 0}
rect{fill:none;stroke:#0072b2;stroke-width:2;vector-effect:non-scaling-stroke}
rect.extra{stroke:#d55e00;stroke-dasharray:6 3}
text{font-weight:bold;stroke:#fff;stroke-width:.2em;paint-order:stroke}
"""


class ViewError(ValueError):
    """A page that cannot be written."""


def vacant(path):
    """The path of a page that is not there yet, in a folder that is."""
    path = pathlib.Path(path)
    try:
        if path.exists():
            reason = "exists; remove it or name another file: --out"
            raise ViewError(f"{path.name} {reason}")
        if not path.parent.is_dir():
            raise ViewError(f"{path.name}: its folder is not there; make it first")
    except OSError as error:  # a name that no system takes
        raise ViewError(f"{path.name} cannot be written: {error.strerror}") from None
    return path


def write(path, images, *, most=MOST):
    """Write the page of the first images of a set; its path."""
    if not len(images):
        raise ViewError(
            f"{images.source}: no image can be read; `chromolib data check "
            f"{images.source}` says why"
        )
    count = min(most, len(images))
    title = f"{images.source}, {count:,} of {len(images):,} images"
    path = vacant(path)
    figures = "\n".join(_figure(images, i) for i in range(count))
    page = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><h1>{title}</h1>"
        f'<p class="use"><strong>{EYES}.</strong> A chromosome image belongs to a '
        f"patient.</p>{figures}</body></html>\n"
    )
    try:
        files.write_text(path, page)
    except OSError as error:
        raise ViewError(f"{path.name} cannot be written: {error.strerror}") from None
    return path


def _figure(images, i):
    """One picture with its boxes, and what is to be said of it."""
    height, width = images.pixels.shape[i]
    boxes = None if images.boxes is None else images.boxes[i]
    said, extra = _said(images, i, boxes)
    drawn = "" if boxes is None else "".join(_drawn(boxes, extra, max(height, width)))
    wide = min(SIDE, LARGER * width)
    return (
        f'<figure><svg role="img" aria-label="{_escaped(said)}" width="{wide}" '
        f'viewBox="0 0 {width} {height}"><image href="{_jpeg(images.pixels[i])}" '
        f'width="{width}" height="{height}"/>{drawn}</svg>'
        f"<figcaption>{_escaped(said)}</figcaption></figure>"
    )


def _said(images, i, boxes):
    """Name, label and boxes of an image in words; the classes with a copy too many."""
    label = f", labelled {images.label[i]}" if images.label[i] else ""
    said = f"{images.name[i]} of {images.group[i]}{label}"
    if boxes is None:
        return f"{said}: no boxes.", ()
    said += f": {len(boxes)} boxes, {_against(len(boxes) - 46)}"
    if not set(boxes.label) & set(records.CLASSES):
        return f"{said}; their labels name no chromosome.", ()
    missing, extra = assign.uneven(boxes.label)
    said += f"; missing: {', '.join(missing) or 'none'}"
    return f"{said}; extra: {', '.join(extra) or 'none'}.", extra


def _against(more):
    """How far a count lies from 46."""
    return (
        f"{abs(more)} {'more' if more > 0 else 'fewer'} than 46" if more else "as due"
    )


def _drawn(boxes, extra, side):
    """Each box with its label; dashed where its class has a copy too many."""
    for (x0, y0, x1, y1), label in zip(boxes.xyxy, boxes.label, strict=True):
        kind = ' class="extra"' if label in extra else ""
        yield (
            f'<rect{kind} x="{x0:g}" y="{y0:g}" width="{x1 - x0:g}" '
            f'height="{y1 - y0:g}"/><text x="{x0:g}" y="{y0:g}" '
            f'font-size="{side / 50:g}">{_escaped(label)}</text>'
        )


def _jpeg(picture):
    """A picture, scaled down, as a link that holds it."""
    small, content = PIL.Image.fromarray(picture), io.BytesIO()
    small.thumbnail((SIDE, SIDE))
    small.save(content, "JPEG", quality=QUALITY)
    return f"data:image/jpeg;base64,{base64.b64encode(content.getvalue()).decode()}"


def _escaped(text):
    return html.escape(store.shown(text))
