"""What a printed number becomes when it is computed again from what stands beside it.

# Strategy: a claim names a rule and the numbers the paper prints. The rule is a plain
# function of `rules`. Printed decimals are themselves rounded, so each stands for the
# interval of values that round to it, and the rule is evaluated at every corner of
# those intervals: a paper is contradicted only when no unrounded value it may have
# had in hand could lead to what it printed.
"""

import dataclasses
import inspect
import itertools
import math
import re

from scipy import stats

from chromolib.evidence import rules

MOST_CORNERS = 12  # rounded inputs beyond which two corners stand for all
AS_PRINTED = ("printed", "target")  # inputs that a rule compares, digit by digit

# --- printed numbers and their arithmetic -------------------------------------------

NUMERAL = re.compile(
    r"(~?)([+-]?)((?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?)(e[+-]?\d+)?( ?%)?"
)


@dataclasses.dataclass(frozen=True)
class Printed:
    """A number as it stands on the page, and the values that would be printed so."""

    text: str
    value: float
    half: float  # half a unit of the last printed digit; 0 for a count

    @property
    def exact(self):
        """Whether the number is a count, which nobody rounded."""
        return self.half == 0


def parse(text):
    """A printed number, or None when the text is not one.

    `0.90` and `94 %` are rounded; whole numbers such as `5,474` are counts and
    exact; `~1,200` is 'about', good to half a unit of its last digit but zero.
    """
    match = NUMERAL.fullmatch(text.strip())
    if not match or not match[3]:
        return None
    about, sign, body, exponent, percent = match.groups()
    body = body.replace(",", "")
    scale = float(f"1{exponent or ''}") * (0.01 if percent else 1)
    half = _half_unit(body, about, bool(percent or exponent))
    return Printed(text, float(f"{sign}{body}") * scale, half * scale)


def _half_unit(body, about, rounded):
    whole, _, decimals = body.partition(".")
    if decimals:
        return 0.5 * 10.0 ** -len(decimals)
    if about:
        return 0.5 * 10.0 ** (len(whole) - len(whole.rstrip("0")))
    return 0.5 if rounded else 0.0


@dataclasses.dataclass(frozen=True)
class Recomputed:
    """What a rule makes of a claim's counts.

    `least` and `most` bound the results that the rounding of the inputs allows;
    `low` and `high` are the exact 95 % interval of a proportion of `n`, else None.
    """

    value: float | str
    least: float | str
    most: float | str
    low: float | None = None
    high: float | None = None
    n: int | None = None


def recompute(rule, counts):
    """Apply a named rule to printed counts (text, or nested lists of text)."""
    function = _function(rule, counts)
    if rule in ("fact", "restated"):
        return Recomputed(*[function(**counts)] * 3)
    central = function(**values(counts))
    if rule in rules.WORDS:
        return Recomputed(central, central, central)
    value = _quotient(central)
    results = [value, *_at_corners(function, _read(counts))]
    bounds = min(results), max(results)
    if rule in rules.PROPORTIONS and all(float(part).is_integer() for part in central):
        part, whole = (int(count) for count in central)
        return Recomputed(value, *bounds, *clopper_pearson(part, whole), whole)
    return Recomputed(value, *bounds)


def clopper_pearson(k, n, *, level=0.95):
    """Exact interval for a proportion of k among n (Clopper and Pearson 1934)."""
    interval = stats.binomtest(int(k), int(n)).proportion_ci(level, method="exact")
    return float(interval.low), float(interval.high)


def values(counts):
    """Printed counts as plain numbers, where they are numbers."""
    return _moved(_read(counts))


def agreement(printed, result, *, relation="equals"):
    """`consistent`, `truncated` or `contradictory`: the printed against the possible.

    With `at most` and `at least` the result is a bound that the printed must keep.
    """
    slack = 1e-9 * max(1.0, abs(printed.value))
    below = printed.value - printed.half - slack
    above = printed.value + printed.half + slack
    if relation == "at most":
        return "consistent" if below <= result.most else "contradictory"
    if relation == "at least":
        return "consistent" if above >= result.least else "contradictory"
    if below <= result.most and result.least <= above:  # a tie may go either way
        return "consistent"
    cut = printed.value - slack <= result.most and result.least < above + printed.half
    return "truncated" if cut and not printed.exact else "contradictory"


def _function(rule, counts):
    if rule not in rules.RULES:
        known = ", ".join(sorted(rules.RULES))
        raise ValueError(f"unknown rule {rule!r}; known: {known}")
    needed = list(inspect.signature(rules.RULES[rule]).parameters)
    if sorted(needed) != sorted(counts):
        given = ", ".join(counts) or "nothing"
        raise ValueError(f"rule {rule!r} takes {', '.join(needed)}; got {given}")
    return rules.RULES[rule]


def _read(value):
    """The counts, or a list of them, with Printed in place of text that is a number."""
    if isinstance(value, dict):
        return {name: _read(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_read(item) for item in value]
    return parse(value) or value


def _at_corners(function, counts):
    """Results where every rounded number is at an end of what it may have been."""
    rounded = sum(_rounded(v) for name, v in counts.items() if name not in AS_PRINTED)
    corners = [(-1,) * rounded, (1,) * rounded]  # enough where a rule is monotone
    if rounded <= MOST_CORNERS:
        corners = itertools.product((-1, 1), repeat=rounded)
    for signs in corners:
        try:
            yield _quotient(function(**_moved(counts, signs)))
        except ZeroDivisionError:  # a rate that may have been zero bounds nothing
            yield from (-math.inf, math.inf)


def _rounded(value):
    """How many rounded numbers there are in a count."""
    if isinstance(value, list):
        return sum(map(_rounded, value))
    return isinstance(value, Printed) and not value.exact


def _moved(counts, signs=()):
    """Counts as plain numbers, the rounded ones moved by half a unit up or down."""
    signs = iter(signs)
    return {
        name: _number(value, iter(()) if name in AS_PRINTED else signs)
        for name, value in counts.items()
    }


def _number(value, signs):
    if isinstance(value, list):
        return [_number(item, signs) for item in value]
    if not isinstance(value, Printed):
        return value
    if value.exact:
        return value.value
    moved = value.value + value.half * next(signs, 0)
    return moved if value.value < 0 else max(0.0, moved)


def _quotient(result):
    return float(result[0] / result[1]) if isinstance(result, tuple) else float(result)
