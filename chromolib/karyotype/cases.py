"""Several metaphases of one case: what most of them have, and the clones among them.

`consensus(results)` -> a row a case; `clones(karyotypes)` -> ISCN of all its clones
`by_class(copies)` -> the karyotype of the middle number of copies of each class
"""

import collections
import dataclasses

import numpy as np
import pandas as pd

from chromolib import records
from chromolib.cyto import cells, diagnose, iscn

GAIN, LOSS = 2, 3  # cells that ISCN asks for, of a clone with a gain; with any loss
COLUMNS = ("case", "cells", "agree", "karyotype", "name", "by class", "clones")
COLUMNS += ("confidence", "refer", "reason")


def consensus(results):
    """A row for each case: the karyotype that most of its metaphases have.

    Metaphases without a karyotype are counted in `cells` alone; a karyotype that half
    of the metaphases lack is looked at by a person. `by class` is the
    karyotype of the middle number of copies of each class, over all metaphases: what
    one loses or finds twice by mistake, the others have.
    """
    found = []
    for case in sorted({one["case"] for one in results} - {""}):
        own = [one for one in results if one["case"] == case]
        named = [one for one in own if one["karyotype"]]
        row = dict.fromkeys(COLUMNS, "") | {"case": case, "cells": len(own)}
        row["by class"] = by_class([one["copies"] for one in own])
        if not named:
            nothing = {"agree": 0, "confidence": 0.0, "refer": True}
            found.append(row | nothing | {"reason": "no metaphase has a karyotype"})
            continue
        frame = pd.DataFrame(named).rename(columns={"count": "n"}).assign(group=case)
        (most,) = diagnose.cases(frame).to_dict("records")
        row |= {key: most[key] for key in COLUMNS if key in most and key != "cells"}
        if row["agree"] == 1 < len(named):
            row["reason"] = f"no two cells agree; {row['reason']}"
        elif 2 * row["agree"] <= len(own):
            few = f"{row['agree']} of {len(own)} metaphases have it"
            reasons = filter(None, (few, row["reason"]))
            row |= {"refer": True, "reason": "; ".join(reasons)}
        found.append(row | {"clones": clones([one["karyotype"] for one in named])})
    return pd.DataFrame(found, columns=list(COLUMNS))


def by_class(copies):
    """The karyotype of the middle number of copies of each class, or why none."""
    table = [[one[name] for name in records.CLASSES] for one in copies]
    middle = np.round(np.median(table, axis=0)).astype(int)  # of 1 and 2, or 2 and 3: 2
    return "".join(diagnose.written(np.repeat(records.CLASSES, middle)))


def clones(karyotypes):
    """The clones among the cells of a case, "mos 45,X[3]/46,XX[17]"; "" if none is one.

    A gain is clonal in two cells and a loss in three; the normal clone comes last. A
    normal cell of the other sex is no clone by itself: it may be another person's.
    """
    counted = collections.Counter(karyotypes).most_common()
    found = [(iscn.parse(text).clones[0], n) for text, n in counted]
    usual = next((clone for clone, _ in found if _normal(clone)), None)
    found = [(clone, n) for clone, n in found if clone == usual or n >= _least(clone)]
    found.sort(key=lambda pair: (_normal(pair[0]), -pair[1], str(pair[0])))
    if not found or len(karyotypes) < GAIN:
        return ""
    named = tuple(dataclasses.replace(clone, cells=n) for clone, n in found)
    return iscn.write(cells.Karyotype(named, mosaic=len(named) > 1))


def _normal(clone):
    return clone.sex in ("XX", "XY") and not clone.changes


def _least(clone):
    """In how many cells a clone must be seen that is not the normal one."""
    lost = len(clone.sex) < 2 or any(one.sign == "-" for one in clone.changes)
    return LOSS if lost or _normal(clone) else GAIN
