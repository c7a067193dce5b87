"""What the book makes of the results that are committed: its first figure, its runs.

`written(root, place)` -> front.md and kept.md in the folder of built pages
"""

import importlib

import pandas as pd

from chromolib import files, tables
from chromolib.evidence import claims
from chromolib.runs import backend, published
from chromolib.runs import folder as runs
from chromolib.studies import STUDIES, headline

CAPTION = (
    "What each paper prints, and what full runs of its study found: by the paper's "
    "protocol, with the same network on groups that it never saw, by a clean protocol, "
    "and at best with all that this book tried, on groups never seen. Scores differ "
    "by study and stand at its head: look along a row, not down a column. Source: the "
    "papers, and the full runs kept with the book; whiskers are 95 % intervals over "
    "groups and seeds."
)


def written(root, place):
    """Write the first figure and the table of runs; both need nothing but files."""
    shown = headline.figure(lines(root), caption=CAPTION)
    files.write_text(place / "front.md", shown._repr_html_() + "\n")
    table = tables.show(kept(root), "Full runs that are kept")
    files.write_text(place / "kept.md", table._repr_html_() + "\n")


def lines(root):
    """A line of the first figure for each study and source."""
    made = []
    backend.start()  # quietly, before a study imports Keras
    for study in STUDIES:
        questions = importlib.import_module(f"chromolib.studies.{study}.questions")
        audits = claims.audit(claims.load(root / "data" / "claims", study))
        found = published.pooled(root, study)
        made += headline.lines(study, questions.HEADLINE, audits, found)
    return made


def kept(root):
    """A row a full run: what was run, when, how long, and on what."""
    rows = []
    places = (root / published.PLACE).glob(f"*/full/*/seed*/{runs.MANIFEST}")
    for path in sorted(places):
        facts = runs.manifest(path.parent)
        given = facts["parameters"]
        row = {name: given[name] for name in ("protocol", "weights", "seed")}
        whole = not facts.get("resumed")
        minutes = round(facts["seconds"] / 60) if whole else None
        row |= {"date": facts["finished"][:10], "minutes": minutes}
        of = {"study": facts["study"], "source": given["source"]}
        rows.append(of | row | {"device": facts["device"]})
    return pd.DataFrame(rows)
