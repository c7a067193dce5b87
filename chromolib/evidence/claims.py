"""What the papers claim, and whether each agrees with itself.

A claims file is YAML read as plain text, so that `0.90` keeps its two decimals. Each
entry says what is claimed, where, and what it can be recomputed from; `audit` does
the recomputation and finds the word.
"""

import dataclasses
import pathlib
import re
import string

import pandas as pd
import yaml

from chromolib import records
from chromolib.evidence import recompute, rules
from chromolib.evidence import verdicts as reruns

DOUBTFUL = ("contradictory", "wrong fact", "leaking protocol", "truncated")
WORDS = (
    "consistent",
    "truncated",
    "contradictory",
    "leaking protocol",
    "wrong fact",
    "not checkable",
)
WORKS = {  # keys of the references whose names are no surnames
    "degraaf2015": "De Graaf 2015",
    "iscn2020": "ISCN 2020",
    "tf1zoo": "TensorFlow 1 model zoo",
}
MISMATCHES = "mismatches"
RELATIONS = ("equals", "at most", "at least")


class ClaimsError(ValueError):
    """A claims file says what it may not; the message names file and entry."""


@dataclasses.dataclass(frozen=True)
class Claim:
    """One statement of one paper, in our words, with all that can test it."""

    id: str
    statement: str
    place: str  # page, table or section of the paper
    quantity: str
    value: str  # as printed; a word where the claim is one
    conditions: str = ""
    rule: str = ""  # the function of `recompute` that checks it; empty: not checkable
    counts: dict = dataclasses.field(default_factory=dict)
    readings: tuple = ()  # further {as, rule, counts}: the paper gets its best one
    relation: str = "equals"  # or the bound that `value` must keep
    also: dict = dataclasses.field(default_factory=dict)  # numbers `because` speaks of
    because: str = ""  # one sentence with {printed}, {recomputed} and names of `also`
    tolerance: str = ""  # how near a rerun must come to count as the same
    needs: tuple = ()  # the data that would decide it
    rerun: dict = dataclasses.field(default_factory=dict)  # see `verdicts.complaint`
    protocol: str = ""  # id of the claim that describes how it was measured
    cite: str = ""  # key in references.bib, for facts from elsewhere
    mismatch: str = ""  # shared by claims that contradict the text for one reason

    def __post_init__(self):
        if self.relation not in RELATIONS:
            raise ClaimsError(f"{self.id}: relation is one of {', '.join(RELATIONS)}")
        if self.rule == "fact" and not self.cite:
            raise ClaimsError(f"{self.id}: a fact from elsewhere needs `cite`")
        if not self.rule and not self.because:
            raise ClaimsError(f"{self.id}: no rule, so `because` must say why")
        if wrong := reruns.complaint(self):
            raise ClaimsError(f"{self.id}: {wrong}")


@dataclasses.dataclass(frozen=True)
class Audit:
    """What became of one claim: a word, the recomputed number, and a sentence."""

    claim: Claim
    word: str
    recomputed: recompute.Recomputed | None
    reason: str
    leaking: bool  # the protocol under which it was measured leaks

    @property
    def origin(self):
        """Where the number or word that stands against the printed one comes from."""
        words = {"fact": "known", "restated": "elsewhere"}
        return words.get(self.claim.rule, "recomputed")

    @property
    def shown(self):
        """The recomputed number in the unit of the printed one.

        An interval says how sure a score is, where it is the printed one. Where the two
        differ, the same images were counted twice, and chance has no part in it.
        """
        result, printed = self.recomputed, self.claim.value
        if result is None:
            return ""
        text = _like(printed, result.value)
        if result.low is None or self.word != "consistent":
            return text
        return f"{text} [{_like(printed, result.low)}, {_like(printed, result.high)}]"


def load(folder, study):
    """The claims of one study, in the order of its file."""
    path = pathlib.Path(folder) / f"{study}.yml"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in path.parent.glob("*.yml")))
        raise ClaimsError(f"no claims file {path.name}; known studies: {known}")
    try:
        entries = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)  # noqa: S506
    except yaml.YAMLError as error:
        raise ClaimsError(f"{path.name} is not YAML: {error}") from error
    if not isinstance(entries, list):
        raise ClaimsError(f"{path.name} holds no list of claims; see `claims.Claim`")
    claims = [_claim(entry, path.name) for entry in entries]
    _check_ids(claims, path.name)
    return claims


def audit(claims):
    """Recompute every claim; the words come from the numbers alone."""
    words = {claim.id: _judge(claim) for claim in claims}
    leaks = {name for name, (word, _) in words.items() if word == "leaking protocol"}
    return [
        Audit(claim, word, result, _sentence(claim, result), claim.protocol in leaks)
        for claim, (word, result) in zip(claims, words.values(), strict=True)
    ]


def pick(audits, *ids):
    """The audits of these claims, in this order."""
    by_id = {a.claim.id: a for a in audits}
    return [by_id[name] for name in ids]


def value(audits, claim):
    """What the paper prints for a claim, as a number."""
    return recompute.parse(pick(audits, claim)[0].claim.value).value


def with_word(audits, *words):
    """The audits that got one of these words, in the order of the file."""
    return [a for a in audits if a.word in words]


def counts(audits, claim, also=None):
    """What a claim, or a number its sentence quotes, is recomputed from, as numbers."""
    (audit,) = pick(audits, claim)
    return recompute.values(
        audit.claim.also[also]["counts"] if also else audit.claim.counts
    )


def statements(audits):
    """What the paper says: the claims as a table, before any judgement."""
    return page(audits)[["claim", "printed"]]


def tally(audits):
    """How many claims got each word, in a fixed order."""
    words = pd.Categorical([a.word for a in audits], categories=WORDS)
    return pd.Series(
        words.value_counts().to_numpy(), pd.Index(WORDS, name="audit"), name="claims"
    )


def mismatches(audits):
    """How many distinct mismatches the contradictory claims come from."""
    odd = with_word(audits, "contradictory")
    return len({a.claim.mismatch or a.claim.id for a in odd})


def tallies(audits):
    """The same for several studies: one row each, and how many claims were made."""
    rows = [
        {"study": name, "claims": len(own), **tally(own), MISMATCHES: mismatches(own)}
        for name, own in audits.items()
    ]
    return pd.DataFrame(rows)


def table(audits):
    """The audits as a table: one row a claim."""
    return pd.DataFrame(
        [
            {
                "claim": a.claim.id,
                "statement": a.claim.statement,
                "place": a.claim.place,
                "printed": a.claim.value,
                "recomputed": a.shown,
                "audit": a.word,
                "protocol": "leaks" if a.leaking else "",
                "reason": a.reason,
            }
            for a in audits
        ]
    )


def page(audits):
    """The same for reading: small print goes on a second line of its cell."""
    rows = table(audits)
    leaks = rows["protocol"].map(lambda word: f"\nprotocol {word}" if word else "")
    claim, audit = rows["statement"] + "\n" + rows["place"], rows["audit"] + leaks
    columns = {"claim": claim, "printed": rows["printed"]}
    columns |= {"recomputed": rows["recomputed"], "audit": audit, "why": rows["reason"]}
    return pd.DataFrame(columns)


def estimates(audits, *, study, profile, seed):
    """The recomputed proportions with their exact intervals, as estimates."""
    words = {"study": study, "profile": profile, "seed": seed}
    words |= {"source": "printed counts", "protocol": "published"}
    return [
        records.Estimate(
            quantity=a.claim.quantity,
            value=a.recomputed.value,
            low=a.recomputed.low,
            high=a.recomputed.high,
            n=a.recomputed.n,
            groups=a.recomputed.n,
            conditions={"claim": a.claim.id},
            **words,
        )
        for a in audits
        if a.recomputed and a.recomputed.low is not None
    ]


def _claim(entry, name):
    known = {field.name for field in dataclasses.fields(Claim)}
    fields = entry if isinstance(entry, dict) else {str(entry): ""}
    label, unknown = fields.get("id", "?"), sorted(set(fields) - known)
    if unknown:
        raise ClaimsError(f"{name}, {label}: unknown {unknown}; known: {sorted(known)}")
    lists = {key: fields[key] for key in ("needs", "readings") if key in fields}
    try:
        return Claim(**fields | {key: tuple(value) for key, value in lists.items()})
    except (TypeError, ClaimsError) as error:
        raise ClaimsError(f"{name}, {label}: {error}") from error


def _check_ids(claims, name):
    ids = [claim.id for claim in claims]
    twice = sorted({i for i in ids if ids.count(i) > 1})
    if twice:
        raise ClaimsError(f"{name}: {', '.join(twice)} stands there more than once")
    missing = sorted({c.protocol for c in claims} - {"", *ids})
    if missing:
        lost = ", ".join(missing)
        raise ClaimsError(f"{name}: no claim describes the protocol {lost}")


def _judge(claim):
    """The word, and the result of the reading that serves the paper best."""
    first = {"rule": claim.rule, "counts": claim.counts}
    readings = [r for r in (first, *claim.readings) if r["rule"]]
    judged = [_word(claim, r["rule"], r["counts"]) for r in readings]
    best = min(judged, key=lambda pair: WORDS.index(pair[0]), default=None)
    return best or ("not checkable", None)


def _word(claim, rule, counts):
    try:
        result = recompute.recompute(rule, counts)
    except (ValueError, TypeError, ZeroDivisionError, IndexError) as error:
        raise ClaimsError(f"{claim.id}: {error}") from error
    if rule in rules.LEAKS:
        return ("leaking protocol" if result.value > 0 else "consistent"), result
    if rule in rules.WORDS:
        wrong = "wrong fact" if rule == "fact" else "contradictory"
        denied = claim.value.startswith("not ")
        same = claim.value.removeprefix("not ") == result.value
        return ("consistent" if same != denied else wrong), result
    printed = recompute.parse(claim.value)
    if printed is None:
        given = f"rule {rule!r} needs a number; got {claim.value!r}"
        raise ClaimsError(f"{claim.id}: {given}")
    return recompute.agreement(printed, result, relation=claim.relation), result


def _sentence(claim, result):
    """`because` with its placeholders filled in, and the source of a fact."""
    values = {"printed": claim.value}
    for name, part in claim.also.items():
        number = recompute.recompute(part["rule"], part["counts"]).value
        values[name] = records.digits(number)
    if result is not None:
        values["recomputed"] = _like(claim.value, result.value)
    placeholders = {name for _, name, _, _ in string.Formatter().parse(claim.because)}
    unknown = placeholders - {None, *values}
    if unknown:
        raise ClaimsError(f"{claim.id}: `because` speaks of unknown {sorted(unknown)}")
    source = f" ({_work(claim.cite)})" if claim.cite else ""
    return claim.because.format(**values) + source


def _work(key):
    """A key of the references as a reader cites it: tjio1956 is Tjio 1956."""
    name, year = re.match(r"([a-z]+)(.*)", key).groups()
    return WORKS.get(key, f"{name.title()} {year}")


def _like(printed, value):
    """A number written in the unit of the printed one, which may be per cent."""
    if printed.endswith("%") and isinstance(value, float):
        return f"{records.digits(100 * value)} %"
    return records.digits(value)
