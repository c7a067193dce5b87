"""Tables that a phone and a screen reader can read."""

import html
import re

import pandas as pd

from chromolib import records

LEFT = 'style="text-align:left"'  # JupyterLab would set words to the right


class Table:
    """A table that shows itself: rows become cards on a narrow screen (book.css)."""

    def __init__(self, frame, caption):
        self.frame, self.caption = frame, caption

    def __repr__(self):
        return self.frame.to_string(index=False)

    def _repr_html_(self):
        names = list(self.frame.columns)
        head = "".join(
            f'<th {LEFT} scope="col">{html.escape(str(name))}</th>' for name in names
        )
        rows = "".join(self._row(row, names) for row in self.frame.to_dict("records"))
        return (
            f'<table class="cards"><caption>{html.escape(self.caption)}</caption>'
            f"<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
        )

    def _row(self, row, names):
        cells = "".join(
            f'<td {LEFT} data-label="{html.escape(str(name))}">{_text(row[name])}</td>'
            for name in names
        )
        return f"<tr>{cells}</tr>"


def show(frame, caption):
    """A frame as a table; lines of a cell after its first are set small."""
    return Table(frame, caption)


def estimates(items, caption):
    """Estimates, one a row, as given; what all share stands in the caption."""
    items = list(items)
    said = [[item.protocol, *map(" ".join, item.conditions.items())] for item in items]
    first = said[0] if said else []
    shared = [part for part in first if all(part in row for row in said)]
    sources = {records.stated(item) for item in items}
    told = [*shared, *(sources if len(sources) == 1 else ())]
    rows = [
        {
            "quantity": item.quantity,
            "of": ", ".join(part.strip() for part in each if part not in shared),
            "value": records.digits(item.value),
            "95 % interval": item.interval,
            "n": f"{item.n:,}",
            "groups": f"{item.groups:,}",
            "source": records.stated(item) if len(sources) > 1 else "",
        }
        for item, each in zip(items, said, strict=True)
    ]
    kept = {name for row in rows for name, text in row.items() if text}
    frame = pd.DataFrame(rows)
    frame = frame[[name for name in frame if name in kept]]
    words = ", ".join(filter(None, told)) if items else "there is nothing to show"
    return Table(frame, f"{caption}: {words}")


def facts(mapping):
    """A nested mapping as a two-column table: what a manifest says."""
    rows = [{"field": key, "value": value} for key, value in _flat(mapping)]
    return Table(pd.DataFrame(rows), "Manifest of this run")


def plain(text):
    """Text that Markdown leaves as it is."""
    return re.sub(r"([\\`*_{}\[\]<>$~#|])", r"\\\1", text)


def _flat(mapping, prefix=""):
    for key, value in mapping.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{key} · ")
        else:
            yield f"{prefix}{key}", "" if value is None else str(value)


def _text(value):
    text = records.digits(value) if isinstance(value, float) else str(value)
    first, *small = html.escape(text).splitlines() or [""]
    return first + "".join(f"<br><small>{line}</small>" for line in small)
