"""Tables that a phone and a screen reader can read."""

import dataclasses
import html
import re

import pandas as pd

from chromolib import records

LEFT = 'style="text-align:left"'  # JupyterLab would align text to the right


@dataclasses.dataclass(frozen=True, eq=False)
class Table:
    """A table that shows itself: rows become cards on a narrow screen (book.css)."""

    frame: pd.DataFrame
    caption: str
    empty: str = ""  # the sentence that stands for a table without rows

    def __repr__(self):
        if self.frame.empty:
            return self.empty or f"{self.caption}: none."
        return self.frame.to_string(index=False)

    def _repr_html_(self):
        if self.frame.empty:
            return f"<p>{html.escape(repr(self))}</p>"
        names = [html.escape(str(name)) for name in self.frame.columns]
        head = "".join(f'<th {LEFT} scope="col">{name}</th>' for name in names)
        rows = "".join(
            f"<tr>{''.join(map(_cell, names, row))}</tr>"
            for row in self.frame.itertuples(index=False, name=None)
        )
        caption = html.escape(self.caption)
        return (
            f'<div class="scrolls" style="overflow-x:auto" role="region" tabindex="0" '
            f'aria-label="{caption}"><table class="cards"><caption>{caption}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
        )


def show(frame, caption, *, empty=""):
    """A frame as a table; lines of a cell after its first are set small.

    A frame without rows is shown as a sentence: `empty`, or "<caption>: none."
    """
    return Table(frame, caption, empty)


def estimates(items, caption, *, empty=""):
    """Estimates, one a row, in the order given; what all share is in the caption."""
    items = list(items)
    if not items:
        return Table(pd.DataFrame(), caption, empty)
    conditions = [{"": item.protocol} | item.conditions for item in items]
    shared = [
        pair
        for pair in conditions[0].items()
        if all(pair in each.items() for each in conditions)
    ]
    sources = list(dict.fromkeys(map(records.stated, items)))
    several = len({item.model for item in items}) > 1
    rows = [
        {
            "quantity": item.quantity,
            "model": item.model if several else "",
            "conditions": _words(pair for pair in each.items() if pair not in shared),
            "value": records.digits(item.value),
            "95 % interval": item.interval,
            "n": f"{item.n:,}",
            "groups": f"{item.groups:,}",
            "source": records.stated(item) if len(sources) > 1 else "",
        }
        for item, each in zip(items, conditions, strict=True)
    ]
    frame = pd.DataFrame(rows)
    shared += [("", sources[0])] if len(sources) == 1 else []
    frame = frame.loc[:, (frame != "").any()]
    return Table(frame, f"{caption}: {_words(shared)}")


def facts(mapping):
    """A nested mapping as a two-column table: what a manifest says."""
    rows = [{"field": key, "value": value} for key, value in _flat(mapping)]
    return Table(pd.DataFrame(rows), "Manifest of this run")


def plain(text):
    """Text that Markdown leaves as it is."""
    return re.sub(r"([\\`*_{}\[\]<>$~#|])", r"\\\1", text)


def _words(pairs):
    return ", ".join(filter(None, (f"{name} {value}".strip() for name, value in pairs)))


def _flat(mapping, prefix=""):
    for key, value in mapping.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key} · ")
        else:
            yield f"{prefix}{key}", "" if value is None else str(value)


def _cell(name, value):
    text = records.digits(value) if isinstance(value, float) else str(value)
    text = "" if text == "nan" else text  # what was not asked
    first, *small = html.escape(text).splitlines() or [""]
    if first.startswith("https://"):
        first = f'<a href="{first}">{first.removeprefix("https://")}</a>'
    small = "".join(f"<br><small>{line}</small>" for line in small)
    return f'<td {LEFT} data-label="{name}">{first}{small}</td>'
