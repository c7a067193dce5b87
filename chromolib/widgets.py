"""Widgets that also work in a published page, where no kernel answers."""

import html

import ipywidgets


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
