"""The nouns: frozen records, checked when they are made and trusted afterwards."""

import dataclasses
import math


@dataclasses.dataclass(frozen=True)
class Estimate:
    """A measured number that says how sure it is, of how many, and from what.

    `low` and `high` bound a 95 % interval; `groups` counts the independent units
    (patients, cells, source images) among the `n` items measured.
    """

    study: str
    quantity: str
    value: float
    low: float
    high: float
    n: int
    groups: int
    source: str
    protocol: str
    model: str = ""
    weights: str = ""
    profile: str = ""
    seed: int = 0
    condition: str = ""  # free text, "k=v;k=v"

    def __post_init__(self):
        if not self.low <= self.value <= self.high:
            raise ValueError(
                f"{self.quantity}: {self.value} lies outside its own interval "
                f"[{self.low}, {self.high}]"
            )
        if not 0 < self.groups <= self.n:
            raise ValueError(
                f"{self.quantity}: {self.groups} groups among {self.n} items; "
                "groups count the independent units, at least one, at most n"
            )
        if not self.source:
            raise ValueError(f"{self.quantity}: an estimate names its source")

    @property
    def interval(self):
        """The interval in words."""
        return f"{digits(self.low)} to {digits(self.high)}"

    def __str__(self):
        """The value with its interval, as text shows it."""
        return f"{digits(self.value)} [{digits(self.low)}, {digits(self.high)}]"


def digits(value, *, significant=3):
    """A number as a reader wants it: three significant digits, no trailing noise.

    Numbers close to one keep the digits that tell them from one.
    """
    if isinstance(value, str) or value is None:
        return value or ""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    if float(value).is_integer() and abs(value) < 1e9:
        return f"{int(value):,}"
    if 0.99 < value < 1:
        significant = math.ceil(-math.log10(1 - value)) + 1
    return f"{value:.{significant}g}" if value < 1000 else f"{value:,.0f}"
