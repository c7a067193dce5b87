"""Widgets that also work in a published page, where no kernel answers."""

import base64
import html
import io
import textwrap

import ipywidgets
import numpy as np
import PIL.Image

from chromolib import plots, records
from chromolib.evidence import verdicts

MOST = 24  # images in a page
TALL, WIDE = 288, 320  # CSS pixels that an image may take
ROW = '<div style="display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start">'


def claim_browser(audits):
    """Choose a claim, read what became of it; the claims page is its static twin."""
    names = [f"{item.word}: {item.claim.statement}" for item in audits]
    names = [textwrap.shorten(name, 90, placeholder="…") for name in names]
    choice, cards = _chooser("Claim", names, map(_claim_card, audits))
    return ipywidgets.VBox([choice, cards])


def predictions(images, predictions, *, real, notes=None, boxes=None, allow=False):
    """Choose an image, see it with its true label and what the model predicts.

    `images` are ink, (n, h, w) or (n, h, w, 1) from 0 to 1, in the order of the
    predictions; at most 24, or the page grows heavy. `notes` holds a mapping of further
    text for each, `boxes` its abnormal stretch or None. Real images are refused unless
    allowed.
    """
    plots.refuse_real(predictions.source, real=real, allow=allow)
    count = len(predictions)
    if not len(images) == count <= MOST:
        raise ValueError(
            f"{len(images)} images of {count} predictions; give one each, "
            f"at most {MOST}"
        )
    notes, boxes = notes or [{}] * count, boxes or [None] * count
    facts = [_facts(predictions, i, notes[i], boxes[i]) for i in range(count)]
    names = [
        f"{i}: {label}, predicted {predicted}"
        for i, (label, predicted) in enumerate(
            zip(predictions.truth, predictions.label, strict=True), 1
        )
    ]
    choice, cards = _chooser("Image", names, map(_image_card, images, facts, boxes))
    slider = ipywidgets.IntSlider(
        min=0, max=count - 1, readout=False, description="Browse"
    )
    ipywidgets.jslink((slider, "value"), (cards, "selected_index"))
    return ipywidgets.VBox([choice, slider, cards])


def _chooser(description, names, cards):
    """A list and the card of its choice, linked in the browser."""
    choice = ipywidgets.Dropdown(
        options=[(name, i) for i, name in enumerate(names)],
        index=0,
        description=description,
        layout={"width": "100%"},
    )
    stack = ipywidgets.Stack(list(map(ipywidgets.HTML, cards)), selected_index=0)
    ipywidgets.jslink((choice, "index"), (stack, "selected_index"))
    return choice, stack


def _facts(predictions, i, notes, box):
    """What is written beside an image: name -> text."""
    facts = {"truth": predictions.truth[i], "predicted": predictions.label[i]}
    if predictions.probability is not None:
        shares = zip(predictions.classes, predictions.probability[i], strict=True)
        facts["probability"] = ", ".join(
            f"{name} {records.digits(float(share))}" for name, share in shares
        )
    if box is not None:
        x0, y0, x1, y1 = (f"{value:.0f}" for value in box)
        facts["abnormal stretch"] = f"rows {y0} to {y1}, columns {x0} to {x1} (framed)"
    names = "model", "protocol", "source"
    facts |= notes | {name: getattr(predictions, name) for name in names}
    return {name: str(value) for name, value in facts.items() if str(value)}


def _image_card(image, facts, box):
    """An image with its alternative text and its facts."""
    ink = np.reshape(image, np.shape(image)[:2])
    height, width = ink.shape
    zoom = min(TALL / height, WIDE / width)
    alt = html.escape(", ".join(f"{name} {text}" for name, text in facts.items()))
    drawn = (
        f'<img src="data:image/png;base64,{_png(ink)}" width="{width * zoom:.0f}" '
        f'height="{height * zoom:.0f}" alt="Picture: {alt}">'
    )
    return (
        f'{ROW}<div style="position:relative;background:#fff">{drawn}'
        f"{_frame(box, zoom)}</div>{_list(facts)}</div>"
    )


def _frame(box, zoom):
    if box is None:
        return ""
    x0, y0, x1, y1 = (float(value) * zoom for value in box)
    place = f"left:{x0:.0f}px;top:{y0:.0f}px;width:{x1 - x0:.0f}px"
    style = f"position:absolute;{place};height:{y1 - y0:.0f}px"
    return f'<div style="{style};outline:2px dashed #0072B2"></div>'


def _png(ink):
    """A small grey PNG, ink dark, as text."""
    grey = np.round(255 * (1 - np.clip(ink, 0, 1))).astype(np.uint8)
    out = io.BytesIO()
    PIL.Image.fromarray(grey).save(out, "PNG", optimize=True)
    return base64.b64encode(out.getvalue()).decode("ascii")


def _list(facts):
    lines = (
        f"<dt><b>{html.escape(name)}</b></dt><dd>{html.escape(text)}</dd>"
        for name, text in facts.items()
        if text
    )
    return f'<dl style="line-height:1.4;margin:0">{"".join(lines)}</dl>'


def _claim_card(item):
    result = item.recomputed
    facts = {
        "Claim": item.claim.statement,
        "Where": item.claim.place,
        "Printed": item.claim.value,
        item.origin.capitalize(): item.shown,
        "Audit": item.word,
        "Protocol": "leaks" if item.leaking else "",
        "Why": item.reason,
        "Decided by": verdicts.deciding(item.claim) or "the text alone",
        "Compatible range": f"{result.least:.4g} to {result.most:.4g}"
        if result and not isinstance(result.value, str) and result.least < result.most
        else "",
    }
    return _list(facts)
