"""What other works report, beside what was measured here: for the page of the field.

`written(root, place)` -> field.md in the folder of built pages
`reported(root)` -> a row a printed number, as the abstract of its work has it
`ours(root)` -> task -> the estimates of full runs, and of shipped cards, that ask it
"""

import pandas as pd

from chromolib import files, records, tables
from chromolib.detect import store
from chromolib.evidence import detections
from chromolib.karyotype import judged
from chromolib.runs import published
from chromolib.studies import predicting
from chromolib.studies.shruti import chain, experiment, questions

TASKS = {
    "name": "Name a chromosome",
    "find": "Find the chromosomes of a metaphase",
    "whole": "From a metaphase to names",
    "abnormal": "Tell what is abnormal",
}
SPLIT = "divided by"
FOUND = f"AP50 {detections.ANY}", "F1", "every box found"
EXTRA = "sensitivity", "specificity", "exact karyotype, extra copy"


def written(root, place):
    """Write two tables of each task; they need nothing but committed files."""
    table, measured = reported(root), ours(root)
    said = (table[SPLIT] != "").sum()
    text = [
        "Abstracts that say what kept test images apart from training images: those of "
        f"{said} of {len(table)} printed numbers."
    ]
    for task, title in TASKS.items():
        rows = table[table["task"] == task].drop(columns="task")
        rows = rows.loc[:, (rows != "").any()]
        both = (
            tables.show(rows, f"{title}: as printed elsewhere"),
            tables.estimates(
                measured[task], f"{title}: here, on groups that no training saw"
            ),
        )
        text += [f"## {title}", *(one._repr_html_() for one in both)]
    files.write_text(place / "field.md", "\n\n".join(text) + "\n")


def reported(root):
    """What others print; an empty cell is what the abstract does not say."""
    return pd.read_csv(root / "data" / "field.csv", keep_default_na=False, dtype=str)


def ours(root):
    """What was found on groups that no training saw, by task."""
    kept = published.pooled(root, "shruti")
    names = [one for one in questions.kept_bars(kept) if one.protocol == "clean"]
    card = store.load(predicting.shipped(root, "hamza", suffix=store.SUFFIX))[1]
    boxes = [records.Estimate(**one) for one in card["scores"]]
    jointly = {"named": chain.JOINTLY}
    return {
        "name": [one for one in names if one.model == experiment.OURS],
        "find": [one for one in boxes if one.quantity in FOUND and not one.conditions],
        "whole": [
            one
            for one in kept
            if one.quantity == judged.RIGHT and one.conditions == jointly
        ],
        "abnormal": [
            one for one in questions.kept_whole(kept) if one.quantity in EXTRA
        ],
    }
