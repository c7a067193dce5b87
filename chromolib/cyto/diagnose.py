"""From named chromosomes to a karyotype, its medical name, and who should look.

`karyotype(labels)` -> cyto.cells.Karyotype of one cell, None where ISCN has no word
`written(labels)` -> its ISCN, or why there is none
`cells(predictions, penalty=, sure=)` -> a row a cell
`cases(rows)` -> a row a group, the consensus of its cells

Numbers only: what a chromosome lost or exchanged is not seen here.
"""

import collections

import numpy as np
import pandas as pd

from chromolib import records
from chromolib.cyto import assign, bands, iscn
from chromolib.cyto import cells as nouns

WHOLE = 46
NEAR = 35, 57  # chromosomes that ISCN calls near diploid
COLUMNS = ("group", "cell", "n", "karyotype", "name", "confidence", "refer", "reason")


def karyotype(labels):
    """The karyotype of a cell with these chromosomes; None without an X."""
    copies = collections.Counter(labels)
    if not copies["X"]:
        return None
    changes = []
    for name in records.CLASSES[:22]:
        sign = "+" if copies[name] > 2 else "-"
        change = nouns.Change("whole", (name,), sign=sign)
        changes += [change] * abs(copies[name] - 2)
    sex = "X" * copies["X"] + "Y" * copies["Y"]
    clone = nouns.Clone(sum(copies.values()), sex, tuple(changes))
    return nouns.Karyotype((clone,))


def written(labels):
    """The valid ISCN of a cell with these chromosomes, and why there is none: (text,
    reason), of which one is empty."""
    (low, high), count = NEAR, len(labels)
    if not low <= count <= high:
        reason = f"{count} chromosomes; a karyotype is written for {low} to {high}"
        return "", reason
    found = karyotype(labels)
    if found is None:
        return "", "no X chromosome"
    try:
        text = iscn.write(found)
        return (text, "") if iscn.parse(text) == found else ("", "no valid ISCN")
    except bands.KaryotypeError as error:
        return "", f"no valid ISCN: {error}"


def cells(predictions, *, penalty, sure):
    """Each cell's karyotype with confidence; `refer` says that a person should look.

    That is where the confidence is below `sure`, where fewer than 46 images were given
    (one may be lost: no monosomy is read from it, and the karyotype gets no medical
    name) or more than a cell can have, where an image is referred itself, and where
    ISCN has no text. In the last three the karyotype is empty. `predictions` need
    group, cell, probability and refer.
    """
    rows = []
    for which in assign.members(predictions.group, predictions.cell):
        first = predictions.group[which[0]], predictions.cell[which[0]], len(which)
        odd = 0 if predictions.refer is None else int(predictions.refer[which].sum())
        chance = predictions.probability[which]
        rows.append((*first, *_cell(chance, odd, penalty=penalty, sure=sure)))
    return pd.DataFrame(rows, columns=list(COLUMNS))


def cases(rows):
    """One row a group: the karyotype that most of its cells have, the surest of equals.

    Cells without a karyotype have no vote where another has one. `agree` is how many
    cells have it. A case is referred when that cell would be, or when not all cells
    agree: a mosaic and an error look alike.
    """
    found = []
    for group, own in rows.groupby("group", sort=True):
        said = own["karyotype"] != ""
        voting = own[said] if said.any() else own
        sums = voting.groupby("karyotype")["confidence"].agg(["size", "sum"])
        best = sums.sort_values(["size", "sum"]).index[-1]
        same = own[own["karyotype"] == best]
        first = same.loc[same["confidence"].idxmax()]
        apart = len(own) - len(same)
        reason = first["reason"] or ("cells differ" if apart else "")
        row = {"group": group, "cells": len(own), "agree": len(same)}
        words = first[["n", "karyotype", "name", "confidence"]].to_dict()
        found.append(row | words | {"refer": bool(reason), "reason": reason})
    return pd.DataFrame(found)


def _cell(chance, odd, *, penalty, sure):
    """Of one cell with so many odd images: COLUMNS from its karyotype on."""
    if len(chance) > assign.MOST:
        return "", "", 0.0, True, f"{len(chance)} images, more than a cell has"
    named, _ = assign.cell(chance, penalty=penalty)
    trust = assign.confidence(chance, named, penalty=penalty)
    text, wrong = written(np.array(records.CLASSES)[named])
    reason = _reason(len(chance), wrong, trust, sure, odd)
    text = "" if odd else text
    whole = text and len(chance) >= WHOLE
    name = iscn.describe(iscn.parse(text)) if whole else ""
    return text, name, trust, bool(reason), reason


def _reason(count, wrong, trust, sure, odd):
    """Why a person should look at a cell; nothing where none needs to."""
    if odd:
        return f"{odd} of its images may be no chromosome, or another's copy"
    if wrong:
        return wrong
    if count < WHOLE:
        return f"{WHOLE - count} images fewer than {WHOLE}"
    return "unsure" if trust < sure else ""
