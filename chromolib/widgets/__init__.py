"""Widgets that also work in a published page, where no kernel answers."""

import html
import textwrap

import ipywidgets

from chromolib.evidence import verdicts
from chromolib.widgets.inspecting import inspect

__all__ = ["claim_browser", "inspect"]


def claim_browser(audits):
    """Choose a claim, read what became of it; the claims page is its static twin."""
    names = [f"{item.word}: {item.claim.statement}" for item in audits]
    names = [textwrap.shorten(name, 90, placeholder="…") for name in names]
    choice, cards = _chooser("Claim", names, map(_claim_card, audits))
    return ipywidgets.VBox([choice, cards])


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
