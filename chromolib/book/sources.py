"""The book's page of sources: cards, and what was measured on each source."""

import pandas as pd

from chromolib import plots, records, tables
from chromolib.data import adapters, cards
from chromolib.runs import probing

EDITED = (
    "Edited sets are made of these chromosomes by `chromolib data leaks --edited`: "
    "known abnormalities, and **shams** that hold all but the abnormality (cut and "
    "rejoined in place, grafted with the homologue, or one chromosome exchanged). What "
    "counting, ink or the canvas alone tell of the label is what a network must beat."
)
SPLITS = ("published", "as shipped", "clean", "whole set")
FIGURE = "leaks.svg"
ALT = (
    "Dot plot, one panel a source: what each leak probe scores when images are split "
    "one by one and when they are split by group; chance is marked."
)


def page(root):
    """The page as Markdown; the figure is drawn beside it."""
    folder = root / "data" / "cards"
    found = {name: results(root, name) for name in adapters.NAMED}
    parts = [(root / "book" / "sources_head.md").read_text(encoding="utf-8")]
    measured = {name: one["leaks"] for name, one in found.items() if one}
    plots.save(plots.leaks(measured), root / "book" / FIGURE)
    parts.append(_figure(measured))
    for name, one in found.items():
        parts += _source(name, cards.read(folder, name), one)
        parts += _edited(root, name)
    parts += ["## Your own images", _own(folder)]
    return "\n\n".join(parts) + "\n"


def results(root, source):
    """Table name -> frame of a source's committed results, if there are any."""
    folder = root / "data" / "results" / "sources" / "full" / source
    return {
        path.stem: pd.read_csv(path, keep_default_na=False, na_values={"chance": ""})
        for path in sorted(folder.glob("*.csv"))
    }


def _figure(measured):
    sources = ", ".join(measured)
    total = sum(len(frame) for frame in measured.values())
    return (
        f"```{{figure}} {FIGURE}\n:name: fig-sources-leaks\n:alt: {ALT}\n\n"
        "What each probe scores, published split (by image) against clean one (by "
        "group). Look for dots right of the grey chance mark. "
        f"Source: {sources}; {total} probes, 95 % intervals over groups.\n```"
    )


def _source(name, card, found):
    facts = {
        "What": card["title"],
        "Cite": card["citation"],
        "Get it from": card["where"],
        "Terms, as far as known": card["licence"],
        "Unit of independence": card["unit"],
        "Put it under": f"{card['folder']}/ or {card['folder']}.zip",
        "Layout": card["layout"],
    }
    parts = [
        f"## {name}",
        _list(f"**{k}**: {tables.plain(v)}" for k, v in facts.items()),
    ]
    parts += ["Known to leak:", _list(tables.plain(leak) for leak in card["leaks"])]
    if not found:
        return [*parts, f"Not measured here: {tables.plain(card['counts'])}."]
    counts = found["counts"][found["counts"]["what"] != "fingerprint"]
    parts += [
        _html(counts, f"What {name} holds"),
        _html(found["problems"], "Put right while reading; the check lists the files"),
        _html(_shown(found["leaks"]), f"Leak probes on {name}"),
    ]
    return parts


def _edited(root, name):
    """The probes of the edited sets made of a source: their card."""
    parts = []
    for kind in probing.EDITS:
        found = results(root, f"{name}-{kind}")
        if found:
            caption = f"Leak probes on {kind} edits of {name} (real, edited)"
            parts.append(_html(_shown(found["leaks"]), caption))
    return [EDITED, *parts] if parts else []


def _list(items):
    return "\n".join(f"- {item}" for item in items)


def _html(frame, caption):
    return tables.show(frame, caption)._repr_html_()


def _shown(leaks):
    """A row a probe, a column a split: value, then interval and sizes in small."""
    shipped = leaks["condition"].str.contains("shipped")
    leaks = leaks.assign(
        split=leaks["protocol"].where(~shipped, "as shipped"),
        cell=[_cell(row) for row in leaks.itertuples()],
    )
    order = [w for w in SPLITS if w in set(leaks["split"])]
    wide = leaks.pivot_table(
        index=["probe", "meaning"], columns="split", values="cell", aggfunc="first"
    )
    wide = wide[order].reindex(
        dict.fromkeys(zip(leaks["probe"], leaks["meaning"], strict=True))
    )
    wide = wide.fillna("").reset_index()
    chance = leaks.groupby("probe")["chance"].mean()
    wide["chance"] = [records.digits(chance[p]) for p in wide["probe"]]
    return wide.replace("nan", "").rename(columns={"meaning": "share of"})


def _cell(row):
    interval = f"{records.digits(row.low)} to {records.digits(row.high)}"
    size = f"n {row.n:,}, {row.groups:,} groups"
    return f"{records.digits(row.value)}\n{interval}\n{size}"


def _own(folder):
    rows = [
        {"source": name, "layout": cards.read(folder, name)["layout"]}
        for name in adapters.GENERIC
    ]
    caption = "Layouts that are read without a line of code"
    return _html(pd.DataFrame(rows), caption) + "\n\nSee {ref}`own-data`."
