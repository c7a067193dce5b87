"""Cases with a copy too many: named from their images, against what labels say.

`table(answer)` -> a row a case: karyotype by label, by the network, by the count alone
`scores(table, words)` -> sensitivity, specificity and exact karyotypes, as Estimates
"""

import collections

import pandas as pd

from chromolib import records
from chromolib.cyto import assign, diagnose, iscn
from chromolib.evidence import recompute

BY = {"bands": "named", "count alone": "counted"}  # model -> its column
USUAL = 2


def table(answer):
    """What each case is by its labels, by the network, and by the count of images.

    The count alone sees no pixel: it guesses what most other cases of that count are.
    """
    said = answer.said
    named = answer.karyotypes
    told = _labelled(said)
    cases = diagnose.cases(named).set_index("group")
    truth = diagnose.cases(told).set_index("group")
    frame = cases[["cells", "agree", "n", "confidence", "refer"]].assign(
        truth=truth["karyotype"], named=cases["karyotype"]
    )
    frame["counted"] = [_guess(frame, case) for case in frame.index]
    for name in ("truth", "named", "counted"):
        frame[f"extra {name}"] = [_extra(one) for one in frame[name]]
    return frame.reset_index(names="case")


def scores(frame, words):
    """How many cases with a copy too many are called so, how many without are not, and
    how many of either have the exact karyotype; exact binomial intervals."""
    extra = frame["extra truth"].to_numpy(bool)
    estimates = []
    for model, name in BY.items():
        called = frame[f"extra {name}"].to_numpy(bool)
        exact = (frame[name] == frame["truth"]).to_numpy(bool)
        for quantity, right in (
            ("sensitivity", called[extra]),
            ("specificity", ~called[~extra]),
            ("exact karyotype, extra copy", exact[extra]),
            ("exact karyotype, others", exact[~extra]),
        ):
            if len(right):
                estimates.append(_share(right, quantity, words | {"model": model}))
    return estimates


def _share(right, quantity, words):
    k, n = int(right.sum()), len(right)
    low, high = recompute.clopper_pearson(k, n)
    conditions = {"labels": "types", "unit": "case"}
    return records.Estimate(
        quantity=quantity,
        value=k / n,
        low=low,
        high=high,
        n=n,
        groups=n,
        conditions=conditions,
        **words,
    )


def _labelled(said):
    """A row a cell with the karyotype that its labels make up."""
    rows = []
    for which in assign.members(said.group, said.cell):
        found = diagnose.karyotype(said.truth[which])
        text = "" if found is None else iscn.write(found)
        rows.append((said.group[which[0]], said.cell[which[0]], len(which), text))
    frame = pd.DataFrame(rows, columns=["group", "cell", "n", "karyotype"])
    return frame.assign(name="", confidence=1.0, reason="")


def _guess(frame, case):
    """The karyotype of most other cases with as many images."""
    others = frame.drop(index=case)
    same = others.loc[others["n"] == frame.loc[case, "n"], "truth"]
    return collections.Counter(same).most_common(1)[0][0] if len(same) else ""


def _extra(karyotype):
    """Whether a karyotype has a copy more than usual of anything."""
    _, sex, *changes = karyotype.split(",") if karyotype else ("", "", "")
    return len(sex) > USUAL or any(one.startswith("+") for one in changes)
