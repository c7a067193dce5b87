"""The questions of a study of normal and abnormal, answered by intervals alone.

`frame(estimates)` -> a row a question, source and unit: what was measured, and "yes"
"""

import pandas as pd

from chromolib import records
from chromolib.evidence import pointing, verdicts

WORDS = ("no", "not shown", "yes")  # the worst of several counts
CHANCE = 0.5  # of two classes, balanced
LEAD = "difference in accuracy"
TRUE, RANDOM = {"labels": "true"}, {"labels": "random"}
SHAM, REAL = {"against": "shams"}, {"against": "normal", "kind": "real gain"}
UNSEEN = TRUE | {"tested": "unseen"}
AWAY = "difference from "
POINT = tuple(AWAY + rival for rival in pointing.RIVALS)

# question, quantity, protocol, condition, what is asked of the interval
QUESTIONS = (
    ("Do random labels score chance?", "balanced accuracy", "clean", RANDOM, "at"),
    ("Do random labels score chance?", "balanced accuracy", "published", RANDOM, "at"),
    ("Is it better than chance?", "balanced accuracy", "published", TRUE, "above"),
    ("… on groups not seen?", "balanced accuracy", "published", UNSEEN, "above"),
    ("Is it better than chance?", "balanced accuracy", "clean", TRUE, "above"),
    ("Is it better than every other model?", LEAD, "clean", TRUE, "lead"),
    ("Are shams told?", "AUROC of abnormal", "clean", TRUE | SHAM, "above"),
    ("Are real extra copies told?", "AUROC of abnormal", "clean", TRUE | REAL, "above"),
    ("Does Grad-CAM point?", POINT, "clean", TRUE | {"map": "Grad-CAM"}, "lead"),
    ("Does occlusion point?", POINT, "clean", TRUE | {"map": "occlusion"}, "lead"),
)


def frame(estimates):
    """Answers as a table: full results first, other runs say their profile."""
    whole = {}
    for each in estimates:
        key = (
            each.profile != "full",
            _about(each),
            verdicts.without_seeds(each).get("unit"),
        )
        whole.setdefault(key, []).append(each)
    rows = [
        {"images": about, "unit": unit, "question": question} | answer
        for (_, about, unit), found in sorted(whole.items(), key=_order)
        for question, *asked in QUESTIONS
        if (answer := _answer(found, *asked))
    ]
    return pd.DataFrame(rows)


def _order(item):
    (partial, about, unit), _ = item
    return partial, unit or "", about


def _about(estimate):
    profile = "" if estimate.profile == "full" else estimate.profile
    return ", ".join(filter(None, (records.stated(estimate), profile)))


def _answer(estimates, quantity, protocol, condition, asked):
    """What ChromoNet's estimates say; nothing where nothing was measured.

    Of a quantity that was measured twice the first counts: kept results, pooled over
    seeds, come before those of a run.
    """
    quantities = (quantity,) if isinstance(quantity, str) else quantity
    first = {}
    for one in estimates:
        if (
            (one.quantity in quantities, one.protocol) == (True, protocol)
            and one.model.partition(" - ")[0] == "ChromoNet"
            and _without_unit(one) == condition
        ):
            first.setdefault((one.quantity, one.model), one)
    found = list(first.values())
    if not found:
        return {}
    bound = 0.0 if asked == "lead" else CHANCE
    told = min(found, key=lambda one: (WORDS.index(_word(one, bound, asked)), one.high))
    measured = " ".join(filter(None, (_rival(told), str(told))))
    measured += f", the strongest of {len(found)} rivals" if len(found) > 1 else ""
    answer = _word(told, bound, asked)
    return {"protocol": protocol, "answer": answer, "measured": measured}


def _rival(one):
    """What it was compared with, where it was."""
    model = one.model.partition(" - ")[2]
    return model or (one.quantity in POINT and one.quantity.removeprefix(AWAY)) or ""


def _without_unit(estimate):
    parts = verdicts.without_seeds(estimate)
    return {name: value for name, value in parts.items() if name != "unit"}


def _word(one, bound, asked):
    if asked == "at":
        return "yes" if one.low <= bound <= one.high else "no"
    return "yes" if one.low > bound else "no" if one.high <= bound else "not shown"
