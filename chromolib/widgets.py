"""Widgets that also work in a published page, where no kernel answers."""

import base64
import html
import io

import ipywidgets
import numpy as np
import PIL.Image

from chromolib import plots, records

MOST = 24  # pictures in a page
TALL, WIDE = 288, 320  # CSS pixels that a picture may take


def claim_browser(audits):
    """Choose a claim, read what became of it.

    A dropdown joined to a stack by a link that lives in the browser; the claims page
    is its static twin.
    """
    names = [f"{item.word}: {item.claim.statement}" for item in audits]
    choice = ipywidgets.Dropdown(
        options=[(_shorten(name), index) for index, name in enumerate(names)],
        index=0,
        description="Claim",
        layout={"width": "100%"},
    )
    cards = ipywidgets.Stack(
        [ipywidgets.HTML(_card(item)) for item in audits], selected_index=0
    )
    ipywidgets.jslink((choice, "index"), (cards, "selected_index"))
    return ipywidgets.VBox([choice, cards])


def predictions(pictures, predictions, *, real, notes=None, boxes=None, allow=False):
    """Choose a picture, see it beside what it is and what the model says of it.

    A slider and a list are joined to the pictures by links that live in the browser.
    `pictures` are ink, (n, h, w) or (n, h, w, 1) from 0 to 1, in the order of the
    predictions; at most 24, or the page grows heavy. `notes` holds a mapping of more
    words for each, `boxes` its abnormal stretch or None. Real pictures are refused
    unless allowed.
    """
    plots.permitted(predictions.source, real=real, allow=allow)
    rows = _described(predictions, notes, boxes)
    if not len(pictures) == len(rows) <= MOST:
        raise ValueError(
            f"{len(pictures)} pictures of {len(rows)} predictions; give one each, "
            f"at most {MOST}"
        )
    names = [
        f"{i}: {row['truth']}, said {row['said']}" for i, row in enumerate(rows, 1)
    ]
    choice = ipywidgets.Dropdown(
        options=[(name, i) for i, name in enumerate(names)],
        index=0,
        description="Picture",
        layout={"width": "100%", "max_width": "30em"},
    )
    slider = ipywidgets.IntSlider(
        min=0, max=len(names) - 1, readout=False, description="Turn over"
    )
    sheets = ipywidgets.Stack(
        [
            ipywidgets.HTML(_sheet(*one))
            for one in zip(pictures, rows, boxes or [None] * len(rows), strict=True)
        ],
        selected_index=0,
    )
    ipywidgets.jslink((choice, "index"), (sheets, "selected_index"))
    ipywidgets.jslink((slider, "value"), (sheets, "selected_index"))
    return ipywidgets.VBox([choice, slider, sheets])


def _described(predictions, notes, boxes):
    """What is written beside each picture."""
    rows = []
    for i in range(len(predictions)):
        row = {"truth": predictions.truth[i], "said": predictions.label[i]}
        if predictions.probability is not None:
            given = zip(predictions.classes, predictions.probability[i], strict=True)
            row["probability"] = ", ".join(
                f"{name} {records.digits(float(share))}" for name, share in given
            )
        if boxes is not None and boxes[i] is not None:
            x0, y0, x1, y1 = (f"{value:.0f}" for value in boxes[i])
            row["abnormal stretch"] = (
                f"rows {y0} to {y1}, columns {x0} to {x1} (framed)"
            )
        row |= dict(notes[i]) if notes is not None else {}
        words = {"model": predictions.model, "protocol": predictions.protocol}
        row |= words | {"source": predictions.source}
        rows.append({name: str(text) for name, text in row.items() if str(text)})
    return rows


def _sheet(picture, row, box):
    """One picture with its text alternative and its words."""
    ink = np.asarray(picture, float)
    ink = ink[..., 0] if ink.ndim == 3 else ink
    height, width = ink.shape
    zoom = min(TALL / height, WIDE / width)
    told = html.escape(", ".join(f"{name} {text}" for name, text in row.items()))
    image = (
        f'<img src="data:image/png;base64,{_png(ink)}" width="{width * zoom:.0f}" '
        f'height="{height * zoom:.0f}" alt="Picture: {told}">'
    )
    lines = (
        f"<dt><b>{html.escape(name)}</b></dt><dd>{html.escape(text)}</dd>"
        for name, text in row.items()
    )
    return (
        '<div style="display:flex;flex-wrap:wrap;gap:1.5em;align-items:flex-start">'
        f'<div style="position:relative;background:#fff">{image}{_frame(box, zoom)}'
        f'</div><dl style="line-height:1.4;margin:0">{"".join(lines)}</dl></div>'
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


def _card(item):
    result = item.recomputed
    rows = {
        "Claim": item.claim.statement,
        "Where": item.claim.place,
        "Printed": item.claim.value,
        item.origin.capitalize(): item.shown,
        "Audit": item.word,
        "Protocol": "leaks" if item.leaking else "",
        "Why": item.reason,
        "Decided by": ", ".join(item.claim.needs) or "the text alone",
        "Compatible range": f"{result.least:.4g} to {result.most:.4g}"
        if result and not isinstance(result.value, str) and result.least < result.most
        else "",
    }
    filled = ((name, text) for name, text in rows.items() if text)
    lines = (
        f"<dt><b>{name}</b></dt><dd>{html.escape(text)}</dd>" for name, text in filled
    )
    return f'<dl style="line-height:1.4">{"".join(lines)}</dl>'


def _shorten(text, most=90):
    return text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
