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

PRIVATE = "-private"  # ends the name of images that nobody else has
UNTESTED = "not testable here"
WORDS = (UNTESTED, "compatible", "reproduced", "not reproduced")
COLUMNS = ("claim", "statement", "printed", "audit", "ours_published", "ours_clean")
COLUMNS += ("verdict", "reason")
# What `rerun` may ask of an estimate's conditions:
WHERE = ("unit", "labels", "class", "fields", "learned from", "tested")
BOUNDS = ("above", "below")
RERUN = ("quantity", "model", "weights", *WHERE, *BOUNDS, "leaves")
SEEDS = 3  # pooled, below which a rerun decides nothing
ONE_RUN = 3  # half-widths of ours: what one run, as the paper's, may lie away
NOT_FULL, SHOWN, OTHER, SAME = range(4)  # how much an estimate can say of a claim
ROUNDING = 1e-9  # decimals are not exact
VERDICT = {  # by whose data the estimate is of, and what it says of the claim
    SAME: {"same": "reproduced", "near": "compatible", "off": "not reproduced"},
    OTHER: {"same": "compatible", "near": "compatible", "off": UNTESTED},
}


def complaint(claim):
    """What is wrong with a claim's `rerun`, or '' where nothing is.

    `quantity`, `model` and `weights` (none, unless said) are those of the estimate that
    answers the claim; those in WHERE are its conditions, all of them. `above` or
    `below` is the bound that a claim sets, `leaves` what it says beyond the estimate.
    A claim with a `relation` may be a number too, as an area that has a ceiling is.
    """
    rerun = claim.rerun
    odd = sorted(set(rerun) - set(RERUN)) if isinstance(rerun, dict) else [rerun]
    if odd:
        return f"`rerun` has unknown {odd}; known: {', '.join(RERUN)}"
    if not rerun:
        return ""
    if not rerun.get("quantity"):
        return "`rerun` needs the quantity of the estimate that answers the claim"
    given = _bounds(rerun)
    if len(given) > 1:
        return "`rerun` takes one of `above` and `below`"
    if claim.relation != "equals" and not given and not claim.tolerance:
        return "a claimed bound needs `above` or `below`, a claimed number `tolerance`"
    for name in given:
        if recompute.parse(rerun[name]) is None:
            return f"`rerun` says {name} {rerun[name]!r}, which is no number"
    return ""


def _bounds(rerun):
    return [name for name in BOUNDS if name in rerun]


def judge(audits, estimates, *, published_full=()):
    """One row a claim in the order of `verdicts.csv`: both numbers, verdict, reason.

    `estimates` are those of this run, `published_full` those of finished full runs. Of
    all that answer a claim, those that can say most of it are shown and judged.
    """
    held = {each.source for each in estimates}
    rows = [_row(audit, [*published_full, *estimates], held) for audit in audits]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def answering(claim, estimates):
    """The estimates that answer a claim and can say most of it, as `rerun` names them.

    Of each source and protocol the first is taken. The conditions are exactly what
    `rerun` names, so that what was tested in another way besides is no answer.
    """
    answers = [each for each in estimates if claim.rerun and _answers(claim, each)]
    highest = max((strength(claim, each) for each in answers), default=None)
    first = {}
    for each in answers:
        if strength(claim, each) == highest:
            same = first.setdefault((each.source, each.protocol), each)
            if same.model != each.model:
                raise ValueError(
                    f"{claim.id}: {same.model!r} and {each.model!r} both answer it on "
                    f"{each.source}; say in `rerun` which `model` does"
                )
    return list(first.values())


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


def deciding(claim):
    """The images that would decide a claim, in words; "" where it needs none."""
    public = [name for name in claim.needs if not name.endswith(PRIVATE)]
    words = (
        ["the private images of the paper"] if len(public) < len(claim.needs) else []
    )
    words += [f"the images of {' and '.join(public)}"] if public else []
    return " and ".join(words)


def _real(source):
    """Whether these are real images as they were; what is edited says so."""
    return source != "printed counts" and not re.search(r"synthetic|edited|\(", source)


def without_seeds(estimate):
    """The conditions of an estimate without the seeds that were pooled."""
    return {k: v for k, v in estimate.conditions.items() if k != "seeds"}


def _row(audit, estimates, held):
    """The cells of one claim, in the order of COLUMNS."""
    claim, answers = audit.claim, answering(audit.claim, estimates)
    published = [each for each in answers if each.protocol == "published"]
    clean = [each for each in answers if each.protocol == "clean"]
    ours = ["; ".join(_shown(claim, e) for e in side) for side in (published, clean)]
    verdict, reason = _verdict(audit, published, clean, held)
    return claim.id, claim.statement, claim.value, audit.word, *ours, verdict, reason


def _answers(claim, estimate):
    rerun = claim.rerun
    return (
        estimate.quantity == rerun["quantity"]
        and rerun.get("model", estimate.model) == estimate.model
        and rerun.get("weights", "none") == (estimate.weights or "none")
        and without_seeds(estimate) == {k: rerun[k] for k in WHERE if k in rerun}
    )


def _verdict(audit, published, clean, held):
    claim, needed = audit.claim, _needed(audit.claim, held)
    if not claim.rerun and not claim.needs:
        return UNTESTED, "decided by the text alone, see the audit"
    if not claim.rerun:
        return UNTESTED, f"no rerun in this edition{needed}"
    if not published:
        return UNTESTED, _missing(claim, clean) + needed
    judged = [_judged(audit, each) for each in published]
    words = {word for word, _ in judged}
    quietest = min(words - set(WORDS[2:]), key=WORDS.index, default=UNTESTED)
    reason = "; ".join(dict.fromkeys(reason for _, reason in judged))
    reason += "" if strength(claim, published[0]) == SAME else needed
    return words.pop() if len(words) == 1 else quietest, reason


def _needed(claim, held):
    """What a decision would take; `held` are the sources of the run at hand."""
    if not claim.needs:
        return ""
    if len(claim.needs) > 1 or not held.issuperset(claim.needs):
        return f"; a decision would need {deciding(claim)}"
    unasked = "" if claim.rerun else ", and nothing here asks this"
    return f"; {deciding(claim)} are at hand{unasked}"


def _missing(claim, clean):
    """Why a claim that a rerun could answer has no answer."""
    if clean:
        return "the clean protocol alone was run, and it is not the paper's"
    rerun = claim.rerun
    model = f" by {rerun['model']}" if "model" in rerun else ""
    model += f" with weights of {rerun['weights']}" if "weights" in rerun else ""
    return f"no estimate of {rerun['quantity']}{model} in this run"


def _judged(audit, estimate):
    """The verdict that one estimate allows, and why."""
    claim, level = audit.claim, strength(audit.claim, estimate)
    agreement, finding = _agreement(claim, estimate)
    if level == NOT_FULL:
        return UNTESTED, f"profile {estimate.profile or 'unknown'} gives no verdict"
    if not agreement:
        return UNTESTED, "no number is claimed; ours show what the protocol does"
    where = f"on {whose(estimate.source)}"
    if level == SHOWN:
        return UNTESTED, f"{where}: this shows what the protocol does, nothing more"
    seeds = len(estimate.conditions.get("seeds", "one").split())
    few = level == SAME and seeds < SEEDS
    word = VERDICT[OTHER if few else level][agreement]
    finding += f"; fewer than {SEEDS} seeds decide nothing" if few else ""
    finding += ", which refutes nothing" if (level, agreement) == (OTHER, "off") else ""
    if "leaves" in claim.rerun:
        quiet = {"reproduced": "compatible", "not reproduced": UNTESTED}
        word = quiet.get(word, word)
        finding += f"; this leaves out {claim.rerun['leaves']}"
    where += "" if level == SAME else ", not the paper's data,"
    leaks = "; the protocol leaks" if audit.leaking else ""
    return word, f"{where} {finding}{leaks}"


def _agreement(claim, estimate):
    """What the estimate says of the claim: same, near, off or '', and in words."""
    if bounds := _bounds(claim.rerun):
        return _against_bound(*bounds, claim.rerun[bounds[0]], estimate)
    printed = recompute.parse(claim.value)
    if printed is None:
        return "", ""
    tolerance = recompute.parse(claim.tolerance)
    reach = (tolerance.value if tolerance else printed.half) + ROUNDING
    value, low, high = estimate.value, estimate.low, estimate.high

    def outside(times):
        below, above = times * (value - low), times * (high - value)
        nearest = printed.value + reach, printed.value - reach
        return nearest[0] < value - below or value + above < nearest[1]

    if outside(ONE_RUN):
        return "off", "the printed value is further away than one run may be"
    if outside(1):
        return (
            "near",
            "the interval leaves out the printed value, and one run may lie so",
        )
    if abs(value - printed.value) <= reach and high - low <= 2 * reach:
        return "same", "value and interval are as near as the claim allows"
    return "near", "the interval reaches the printed value but could hold another"


def _against_bound(name, text, estimate):
    low, high, bound = estimate.low, estimate.high, recompute.parse(text).value
    above = name == "above"
    if low > bound if above else high < bound:
        return "same", f"the whole interval lies {name} {text}"
    if high <= bound if above else low >= bound:
        return "off", f"no part of the interval lies {name} {text}"
    return "near", f"the interval holds {text}"


def _shown(claim, estimate):
    """The estimate in the unit of the printed value, with its source."""
    source = whose(estimate.source)
    source += "" if estimate.profile == "full" else f", {estimate.profile}"
    if not claim.value.endswith("%"):
        return f"{estimate} ({source})"
    ends = (estimate.value, estimate.low, estimate.high)
    value, low, high = (records.digits(100 * each) for each in ends)
    return f"{value} [{low}, {high}] % ({source})"
