"""What is known of each source, and what was measured on it: for the page of sources.

Each function takes the repository and returns what the page displays.
"""

import pandas as pd

from chromolib import plots, records, tables
from chromolib.data import adapters, cards, leakage
from chromolib.runs import probing
from chromolib.studies import common

SPLITS = ("published", "as shipped", "clean", "whole set")
FACTS = {
    "What": "title",
    "Cite": "citation",
    "Get it from": "where",
    "Terms, as far as known": "licence",
    "Unit of independence": "unit",
    "Put it under": "folder",
    "Layout": "layout",
}


def results(root, name):
    """Table name -> frame of the committed results of a source, if there are any."""
    folder = root / "data" / "results" / "sources" / "full" / name
    return {
        path.stem: pd.read_csv(path, keep_default_na=False, na_values={"chance": ""})
        for path in sorted(folder.glob("*.csv"))
    }


def figure(root):
    """What each leak probe scores on each source that was measured."""
    found = {name: results(root, name).get("leaks") for name in adapters.NAMED}
    leaks = {
        name: frame[~leakage.as_shipped(frame)]
        for name, frame in found.items()
        if frame is not None
    }
    total = sum(map(len, leaks.values()))
    return plots.show(
        plots.leaks(leaks),
        "What each probe scores, published split (by image) against clean one (by "
        "group). Look for dots right of the grey chance mark. Source: "
        f"{', '.join(leaks)}; {total} probes, 95 % intervals over groups.",
        alt="Dot plot, one panel a source: what each leak probe scores when images are "
        "split one by one and when they are split by group; chance is marked.",
    )


def source(root, name):
    """The card of a source, and what was measured on it or that nothing was."""
    card, measured = cards.read(root / "data" / "cards", name), results(root, name)
    shown = [common.sentence(_card(card))]
    if not measured:
        text = f"Not measured here: {tables.plain(card['counts'])}."
        return [*shown, common.sentence(text)]
    counts = measured["counts"]
    counts = counts[counts["what"] != "fingerprint"]
    shown += [
        tables.show(counts, f"What {name} holds"),
        tables.show(
            measured["problems"],
            "Put right while reading; the check lists the files",
            empty="Nothing had to be put right while reading.",
        ),
        tables.show(probes(measured["leaks"]), f"Leak probes on {name}"),
    ]
    for kind in probing.EDITS:
        if edited := results(root, f"{name}-{kind}"):
            caption = f"Leak probes on {kind} edits of {name} (real, edited)"
            shown.append(tables.show(probes(edited["leaks"]), caption))
    return shown


def layouts(root):
    """How a folder of one's own may be laid out."""
    folder = root / "data" / "cards"
    rows = [
        {"source": name, "layout": cards.read(folder, name)["layout"]}
        for name in adapters.GENERIC
    ]
    caption = "Layouts that are read without a line of code"
    return tables.show(pd.DataFrame(rows), caption)


def probes(leaks):
    """A row a probe, a column a split: value, then interval and sizes in small."""
    leaks = leaks.assign(
        split=leaks["protocol"].mask(leakage.as_shipped(leaks), "as shipped"),
        cell=[_cell(row) for row in leaks.itertuples()],
    )
    wide = leaks.pivot_table(
        index=["probe", "meaning"],
        columns="split",
        values="cell",
        aggfunc="first",
        sort=False,
    )
    wide = wide[[split for split in SPLITS if split in wide]].fillna("")
    chance = leaks.groupby("probe")["chance"].mean().map(records.digits)
    wide = wide.rename_axis(columns=None).reset_index()
    wide["chance"] = wide["probe"].map(chance).replace("nan", "")
    return wide.rename(columns={"meaning": "share of"})


def _cell(row):
    interval = f"{records.digits(row.low)} to {records.digits(row.high)}"
    size = f"n {row.n:,}, {row.groups:,} groups"
    return f"{records.digits(row.value)}\n{interval}\n{size}"


def _card(card):
    facts = {name: tables.plain(card[field]) for name, field in FACTS.items()}
    facts["Put it under"] = "{0}/ or {0}.zip".format(facts["Put it under"])
    lines = [f"- **{name}**: {fact}" for name, fact in facts.items()]
    leaks = [f"- {tables.plain(leak)}" for leak in card["leaks"]]
    return "\n".join([*lines, "", "Known to leak:", "", *leaks])
