"""Cases with a copy too many: named from their images, against what labels say.

`table(answer)` -> a row a case: karyotype by label, by the network with its cells named
jointly and image by image, by the count alone
`scores(table, words)` -> sensitivity, specificity and exact karyotypes, as Estimates
"""

import collections

import numpy as np
import pandas as pd

from chromolib import records
from chromolib.cyto import assign, diagnose
from chromolib.evidence import recompute

# model -> its column
BY = {"bands": "named", "one by one": "alone", "count alone": "counted"}
USUAL = 2


def table(answer):
    """What each case is by its labels, by the network, and by the count of images.

    The network names its cells jointly, or each image alone as what it most looks like.
    The count alone sees no pixel: it guesses what most other cases of that count are.
    """
    said = answer.said
    cases = diagnose.cases(answer.karyotypes).set_index("group")
    each = answer.karyotypes.groupby("group")["n"]
    frame = cases[["cells", "agree", "confidence", "refer"]].assign(
        n=each.agg(lambda n: n.mode().iloc[-1]),  # of equals the larger
        truth=_consensus(_labelled(said)),
        named=cases["karyotype"],
        alone=_consensus(_alone(said)),
    )
    frame["counted"] = [_guess(frame, case) for case in frame.index]
    for name in ("truth", *BY.values()):
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


def _consensus(rows):
    """The karyotype of each case, of a row a cell."""
    return diagnose.cases(rows).set_index("group")["karyotype"]


def _labelled(said):
    """A row a cell with the karyotype that its labels make up.

    Of two that as many cells of a case have, the one with a copy too many is the surer:
    a copy that somebody saw and labelled exists, a missing one may be lost from the
    slide.
    """
    rows = _made_up(said, said.truth)
    return rows.assign(confidence=[float(_extra(one)) for one in rows["karyotype"]])


def _alone(said):
    """A row a cell with the karyotype of its images, each the class it is likeliest;
    as sure as that all of them are right."""
    best = said.probability.max(1)
    sure = [best[which].prod() for which in assign.members(said.group, said.cell)]
    label = np.array(said.classes)[said.probability.argmax(1)]
    return _made_up(said, label).assign(confidence=sure)


def _made_up(said, labels):
    """A row a cell with the karyotype that these labels of its images make up."""
    rows = []
    for which in assign.members(said.group, said.cell):
        text, reason = diagnose.written(labels[which])
        first = said.group[which[0]], said.cell[which[0]], len(which)
        rows.append((*first, text, "", reason))
    columns = ["group", "cell", "n", "karyotype", "name", "reason"]
    return pd.DataFrame(rows, columns=columns)


def _guess(frame, case):
    """The karyotype of most other cases with as many images."""
    others = frame.drop(index=case)
    same = others.loc[others["n"] == frame.loc[case, "n"], "truth"]
    return collections.Counter(same).most_common(1)[0][0] if len(same) else ""


def _extra(karyotype):
    """Whether a karyotype has a copy more than usual of anything."""
    _, sex, *changes = karyotype.split(",") if karyotype else ("", "", "")
    return len(sex) > USUAL or any(one.startswith("+") for one in changes)
