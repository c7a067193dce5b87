"""What a study found, at a glance: printed, by its protocol, on unseen groups, cleanly.

`Headline(claim, score, picks)`: which numbers a study sets side by side
`lines(headline, audits, kept)` -> a Line a source of full results that are kept
`figure(lines, caption=)` -> these, drawn; with the same in words
"""

import dataclasses

from chromolib import plots, records
from chromolib.evidence import claims, recompute

PUBLISHED, UNSEEN, CLEAN, BEST = (
    "its protocol",
    "same network, unseen groups",
    "clean protocol",
    "best here, unseen groups",
)
MISSING = "not run yet"
COLUMNS = PUBLISHED, UNSEEN, CLEAN, BEST


@dataclasses.dataclass(frozen=True)
class Headline:
    """The printed score of a paper, and which of our numbers stand against it."""

    claim: str  # its id
    score: str  # what is compared, in words
    picks: dict  # PUBLISHED, … -> [(quantity, model, protocol, conditions), …]
    meaning: str  # what it means for a reader: words without a number


@dataclasses.dataclass(frozen=True)
class Line:
    """One source's row of a figure: what was printed, and what we found."""

    study: str
    source: str
    printed: float
    found: dict  # PUBLISHED, … -> records.Estimate, of those that were run
    asked: tuple  # the columns that were asked for

    @property
    def missing(self):
        """The columns without a number."""
        return tuple(name for name in self.asked if name not in self.found)

    @property
    def sentence(self):
        """Its numbers in words, for those who do not see the figure."""
        said = [
            f"{name} {records.digits(one.value)}" for name, one in self.found.items()
        ]
        said += [f"{name} {MISSING}" for name in self.missing]
        printed = f"printed {records.digits(self.printed)}"
        return f"{self.study}, {self.source}: {', '.join([printed, *said])}"


def lines(study, headline, audits, kept):
    """A Line for each source of kept results that has any of the numbers."""
    (audit,) = claims.pick(audits, headline.claim)
    printed = float(recompute.parse(audit.claim.value).value)
    sources = dict.fromkeys(one.source for one in kept)
    made = []
    for source in sources:
        own = [one for one in kept if one.source == source]
        found = {name: of(own, picks) for name, picks in headline.picks.items()}
        found = {name: one for name, one in found.items() if one}
        if found:
            made.append(Line(study, source, printed, found, tuple(headline.picks)))
    return made or [Line(study, "no full run kept", printed, {}, tuple(headline.picks))]


def of(estimates, picks):
    """The first estimate that one of the picks means; None if there is none."""
    for one in estimates:
        own = {name: v for name, v in one.conditions.items() if name != "seeds"}
        if (one.quantity, one.model, one.protocol, own) in picks:
            return one
    return None


def figure(made, *, caption):
    """Lines as a figure whose text for those who cannot see it holds the numbers."""
    ax = plots.headline(
        [(f"{one.study}\n{one.source}", one.printed, one.found) for one in made],
        ax=plots.axis(height=1.5 + 0.75 * len(made), width=5),  # as a phone can show
        columns=COLUMNS,
        missing=[one.missing for one in made],
    )
    alt = "Dot plot. " + ". ".join(one.sentence for one in made) + "."
    return plots.show(ax, caption, alt=alt)
