"""Whether a rerun agrees with a claim; the word is never louder than the evidence.

A claim names in `rerun` which estimate answers it. The paper's own data at full scale
can reproduce or refute it; other real data can be compatible with it; edited or
synthetic images, and runs that are not full, show what a protocol does and judge
nothing. The verdict is on the published protocol, which is the paper's; the number of
the clean one stands beside it.
"""

import re

import pandas as pd

from chromolib import records
from chromolib.evidence import recompute

WORDS = ("not testable here", "compatible", "reproduced", "not reproduced")
COLUMNS = ("claim", "statement", "printed", "audit", "ours_published", "ours_clean")
COLUMNS += ("verdict", "reason")
WHERE = ("unit", "labels")  # what `rerun` may ask of an estimate's conditions
BOUNDS = {"at least": "above", "at most": "below"}
RERUN = ("quantity", "model", "weights", *WHERE, *BOUNDS.values(), "leaves")
SEEDS = 3  # pooled, below which a rerun decides nothing
ONE_RUN = 3  # half-widths of ours: what one run, as the paper's, may lie away
NOT_FULL, SHOWN, OTHER, SAME = range(4)  # how much an estimate can say of a claim
HAIR = 1e-9  # decimals are not exact
VERDICT = {  # by whose data the estimate is of, and what it says of the claim
    SAME: {"same": "reproduced", "near": "compatible", "off": "not reproduced"},
    OTHER: {"same": "compatible", "near": "compatible", "off": "not testable here"},
}


def complaint(claim):
    """What is wrong with a claim's `rerun`, or '' where nothing is.

    `quantity`, `model` and `weights` (none, unless said) are those of the estimate that
    answers the claim, `unit` and `labels` are in its conditions. `above` or `below` is
    the bound that a claim in words sets, `leaves` what it says beyond the estimate.
    """
    rerun = claim.rerun
    odd = sorted(set(rerun) - set(RERUN)) if isinstance(rerun, dict) else [rerun]
    if odd:
        return f"`rerun` has unknown {odd}; known: {', '.join(RERUN)}"
    if not rerun:
        return ""
    if not rerun.get("quantity"):
        return "`rerun` needs the quantity of the estimate that answers the claim"
    given, needed = _bounds(rerun), BOUNDS.get(claim.relation)
    if len(given) > 1 or (needed and given != [needed]):
        word = f"`{needed}`" if needed else "one of `above` and `below`"
        return f"a claimed bound needs {word} in `rerun`, and no other"
    for name in given:
        if recompute.parse(rerun[name]) is None:
            return f"`rerun` says {name} {rerun[name]!r}, which is no number"
    return ""


def _bounds(rerun):
    return [name for name in BOUNDS.values() if name in rerun]


def judge(audits, estimates, *, published_full=()):
    """One row a claim in the order of `verdicts.csv`: both numbers, verdict, reason.

    `estimates` are those of this run, `published_full` those of finished full runs. Of
    all that answer a claim, those that can say most of it are shown and judged.
    """
    rows = [_row(audit, [*published_full, *estimates]) for audit in audits]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def answering(claim, estimates):
    """The estimates that answer a claim and can say most of it, as `rerun` names them.

    Of each source and protocol the first is taken. The conditions are exactly what
    `rerun` asks, so that what was tested in another way besides is no answer.
    """
    found = [each for each in estimates if claim.rerun and _answers(claim, each)]
    most = max((strength(claim, each) for each in found), default=None)
    kept = {}
    for each in found:
        if strength(claim, each) == most:
            first = kept.setdefault((each.source, each.protocol), each)
            _one_model(claim, first, each)
    return list(kept.values())


def strength(claim, estimate):
    """How much an estimate can say of a claim: NOT_FULL, SHOWN, OTHER or SAME.

    A claim that needs several sets together is decided by none of them alone.
    """
    if estimate.profile != "full":
        return NOT_FULL
    if claim.needs == (estimate.source,):
        return SAME
    return OTHER if _real(estimate.source) else SHOWN


def whose(source):
    """The source of an estimate in the words of a sentence: 'pki3, edited'."""
    return source.replace(" (real, ", ", ").replace(" (", ", ").rstrip(")")


def _real(source):
    """Whether these are real images as they were; what is edited says so."""
    return source != "printed counts" and not re.search(r"synthetic|edited|\(", source)


def parts(estimate):
    """The conditions of an estimate without the seeds that were pooled."""
    return {k: v for k, v in estimate.conditions.items() if k != "seeds"}


def _row(audit, estimates):
    claim, found = audit.claim, answering(audit.claim, estimates)
    sides = {
        protocol: [each for each in found if each.protocol == protocol]
        for protocol in ("published", "clean")
    }
    verdict, reason = _verdict(audit, sides["published"], sides["clean"])
    ours = ["; ".join(_shown(claim, each) for each in side) for side in sides.values()]
    cells = (claim.id, claim.statement, claim.value, audit.word, *ours, verdict, reason)
    return dict(zip(COLUMNS, cells, strict=True))


def _answers(claim, estimate):
    asked = dict(claim.rerun)
    if estimate.quantity != asked["quantity"]:
        return False
    if asked.get("model", estimate.model) != estimate.model:
        return False
    if asked.get("weights", "none") != (estimate.weights or "none"):
        return False
    return parts(estimate) == {name: asked[name] for name in WHERE if name in asked}


def _one_model(claim, first, other):
    if first.model != other.model:
        raise ValueError(
            f"{claim.id}: {first.model!r} and {other.model!r} both answer it on "
            f"{first.source}; say in `rerun` which `model` does"
        )


def _verdict(audit, published, clean):
    claim = audit.claim
    if not claim.rerun:
        return WORDS[0], _untested(claim)
    if not published:
        return WORDS[0], _missing(claim, clean) + _needed(claim)
    judged = [_judged(audit, each) for each in published]
    words = {word for word, _ in judged}
    quiet = min(words - set(WORDS[2:]), key=WORDS.index, default=WORDS[0])
    reason = "; ".join(dict.fromkeys(reason for _, reason in judged))
    decided = strength(claim, published[0]) == SAME
    reason += "" if decided else _needed(claim)
    return words.pop() if len(words) == 1 else quiet, reason


def _judged(audit, estimate):
    """The verdict that one estimate allows, and why."""
    claim, level = audit.claim, strength(audit.claim, estimate)
    agreement, finding = _agreement(claim, estimate)
    if level == NOT_FULL:
        return WORDS[0], f"profile {estimate.profile or 'unknown'} gives no verdict"
    if not agreement:
        return WORDS[0], "no number is claimed; ours show what the protocol does"
    where = f"on {whose(estimate.source)}"
    if level == SHOWN:
        return WORDS[0], f"{where}: this shows what the protocol does, nothing more"
    few = level == SAME and _seeds(estimate) < SEEDS
    word = VERDICT[OTHER if few else level][agreement]
    finding += f"; fewer than {SEEDS} seeds decide nothing" if few else ""
    if "leaves" in claim.rerun:
        word = "compatible" if word == "reproduced" else word
        finding += f"; this leaves out {claim.rerun['leaves']}"
    where += "" if level == SAME else ", not the paper's data,"
    refutes = ", which refutes nothing" if (level, agreement) == (OTHER, "off") else ""
    leaks = "; the protocol leaks" if audit.leaking else ""
    return word, f"{where} {finding}{refutes}{leaks}"


def _agreement(claim, estimate):
    """What the estimate says of the claim: same, near, off or '', and in words."""
    low, high = estimate.low, estimate.high
    for name in _bounds(claim.rerun):
        said = f"{name} {claim.rerun[name]}"
        bound = recompute.parse(claim.rerun[name]).value
        within = low > bound if name == "above" else high < bound
        if within:
            return "same", f"the whole interval lies {said}"
        if high <= bound if name == "above" else low >= bound:
            return "off", f"no part of the interval lies {said}"
        return "near", f"the interval holds {claim.rerun[name]}"
    printed = recompute.parse(claim.value)
    if printed is None:
        return "", ""
    allowed = recompute.parse(claim.tolerance)
    reach = (allowed.value if allowed else printed.half) + HAIR
    below, above = estimate.value - low, high - estimate.value
    if _outside(printed.value, reach, estimate.value, ONE_RUN * below, ONE_RUN * above):
        return "off", "the printed value is further away than one run may be"
    if _outside(printed.value, reach, estimate.value, below, above):
        return (
            "near",
            "the interval leaves out the printed value, and one run may lie so",
        )
    near = abs(estimate.value - printed.value) <= reach
    if near and high - low <= 2 * reach:
        return "same", "value and interval are as near as the claim allows"
    return "near", "the interval reaches the printed value but could hold another"


def _outside(printed, reach, value, below, above):
    return printed + reach < value - below or value + above < printed - reach


def _seeds(estimate):
    """How many were pooled; one that was not is its own."""
    return len(estimate.conditions.get("seeds", "one").split())


def _shown(claim, estimate):
    """The estimate in the unit of the printed value, with its source."""
    source = whose(estimate.source)
    source += "" if estimate.profile == "full" else f", {estimate.profile}"
    if not claim.value.endswith("%"):
        return f"{estimate} ({source})"
    value, low, high = (
        records.digits(100 * each)
        for each in (estimate.value, estimate.low, estimate.high)
    )
    return f"{value} [{low}, {high}] % ({source})"


def _missing(claim, clean):
    """Why a claim that a rerun could answer has no answer."""
    if clean:
        return "the clean protocol alone was run, and it is not the paper's"
    model = f" by {claim.rerun['model']}" if "model" in claim.rerun else ""
    return f"no estimate of {claim.rerun['quantity']}{model} in this run"


def _needed(claim):
    return f"; would need {', '.join(claim.needs)}" if claim.needs else ""


def _untested(claim):
    if not claim.needs:
        return "decided by the text alone, see the audit"
    return f"no rerun in this edition{_needed(claim)}"
