"""Cells that every study shows: each call is one cell and returns what it displays.

They also record what they measure, so that a run leaves the same tables everywhere.
"""

import html

import pandas as pd

from chromolib import plots, records, tables, widgets
from chromolib.data import leakage, survey
from chromolib.evidence import claims
from chromolib.evidence import verdicts as judging
from chromolib.studies import headline as headlines

VERDICTS = ("statement", "printed", "audit", "ours_published", "ours_clean", "verdict")


class Opening:
    """What a study begins with: claim, answer, and the figure that decides."""

    def __init__(self, sentences, shown):
        self.sentences, self.shown = sentences, shown

    def __repr__(self):
        return " ".join(self.sentences)

    def _repr_html_(self):
        said = "".join(f"<p>{html.escape(one)}</p>" for one in self.sentences)
        return (
            f'<div class="answer"><div class="answer-words">{said}</div>'
            f"{self.shown._repr_html_()}</div>"
        )


def opening(run, audits, kept, headline):
    """The paper's claim, our answer with its numbers, the figure that decides."""
    (audit,) = claims.pick(audits, headline.claim)
    made = headlines.lines(run.study, headline, audits, kept)
    claim = audit.claim
    said = [f"The paper says: {claim.statement} ({claim.value}; {claim.place})"]
    said += [_numbers(max(made, key=_decisive), headline.score), headline.meaning]
    caption = (
        f"{headline.score.capitalize()} as printed, by the paper's protocol, and on "
        "groups that no training saw. Source: the paper, and the full runs kept with "
        "the book; whiskers are 95 % intervals over groups, and over seeds where there "
        "are several."
    )
    return Opening(said, headlines.figure(made, caption=caption))


def _decisive(line):
    """Real images decide before drawn ones, then the source of most numbers."""
    return not line.source.startswith("synthetic"), len(line.found)


SAID = {
    headlines.PUBLISHED: "{} by the paper's protocol",
    headlines.UNSEEN: "{} with the same network on groups that it never saw",
    headlines.CLEAN: "{} by a clean protocol",
    headlines.BEST: "at best {} on groups never seen",
}


def _numbers(line, score):
    """The numbers of a source in a sentence."""
    if not line.found:
        return "No full run is kept yet."
    said = [SAID[name].format(one) for name, one in line.found.items()]
    said += [SAID[name].format(headlines.MISSING) for name in line.missing]
    return f"Our full runs on {line.source} give, as {score}: {'; '.join(said)}."


class Folded:
    """Questions with their answers, which a reader opens one by one."""

    def __init__(self, answers):
        self.answers = answers

    def __repr__(self):
        return "\n".join(f"{question} {answer}" for question, answer in self.answers)

    def _repr_html_(self):
        pairs = ((html.escape(one) for one in pair) for pair in self.answers)
        return "".join(
            f"<details><summary>{question}</summary><p>{answer}</p></details>"
            for question, answer in pairs
        )


def exercises(kept, asked):
    """What exercises came to in full runs: asked is (question, picks, meaning) each."""
    sources = dict.fromkeys(one.source for one in kept)
    own = {name: [one for one in kept if one.source == name] for name in sources}
    answers = []
    for question, picks, meaning in asked:
        said = []
        for source, estimates in own.items():
            found = [(name, headlines.of(estimates, [p])) for name, p in picks.items()]
            numbers = [f"{one} {name}" for name, one in found if one]
            said += [f"{source}: {', '.join(numbers)}"] if numbers else []
        answers.append((question, f"{'; '.join(said) or headlines.MISSING}. {meaning}"))
    return Folded(answers)


class Sentence:
    """Text that was computed, shown by a page like its prose."""

    def __init__(self, text):
        self.text = text

    def __repr__(self):
        return self.text

    def _repr_markdown_(self):
        return self.text


def sentence(text):
    """Computed Markdown as the value of a cell; no heading, which a page would list."""
    return Sentence(text)


def claims_table(audits):
    """What the paper says, before any judgement."""
    return tables.show(claims.statements(audits), "What the paper claims")


def words(run, audits):
    """How many claims got each audit word; keeps the recomputed proportions."""
    run.record_all(claims.estimates(audits, **run.label))
    tally = claims.tally(audits)
    caption = (
        f"How many claims of the paper got each audit word. Of {tally.sum()} claims, "
        f"{tally['contradictory']} contradict the same paper in another place, by "
        f"{claims.mismatches(audits)} distinct mismatches; the bars count claims, not "
        "their weight. Source: printed numbers of the paper."
    )
    alt = f"Bar chart: number of claims of the {run.study} paper by audit word."
    return plots.show(plots.tally(tally, ax=plots.axis(rows=6)), caption, alt=alt)


def doubtful(audits):
    """Every claim that does not hold as printed, with a sentence each."""
    chosen = claims.with_word(audits, *claims.DOUBTFUL)
    return tables.show(claims.page(chosen), "Claims that do not hold as printed")


def unchecked(audits):
    """Every claim that lacks what a check would need, with what is missing."""
    chosen = claims.with_word(audits, "not checkable")
    return tables.show(claims.page(chosen), "Claims that the text alone cannot check")


def siblings(run, sizes):
    """How many test images have a sibling in training: a figure and a table.

    `sizes` holds the paper's counts by class; the name "" stands for all images.
    """
    draws = run.size(smoke=200, quick=2_000, full=10_000)
    estimates = []
    for protocol in run.protocols:
        for name, size in sizes.items():
            purpose = f"class={name}{protocol}" if name else f"siblings {protocol}"
            settings = {"protocol": protocol, "draws": draws, "rng": run.rng(purpose)}
            settings["conditions"] = {"class": name} if name else {}
            estimate = leakage.siblings(**size, **settings, **run.label)
            run.record(estimate)
            estimates.append(estimate)
    ax = plots.dots(
        estimates,
        ax=plots.axis(rows=len(estimates)),
        key="protocol",
        by=("class",),
        xlabel="share of test images with a sibling in training",
    )
    caption = (
        "Share of test images that have a sibling in training, by protocol. Look at "
        "the distance between the two. Source: the paper's printed counts, "
        f"{draws:,} random splits drawn from them, mean with 95 % interval of the "
        "simulation."
    )
    shares = ", ".join(
        f"{' '.join([e.protocol, *e.conditions.values()])} {records.digits(e.value)}"
        for e in estimates
    )
    alt = (
        f"Dot plot, {run.study} study: share of test images with a sibling in "
        f"training; {shares}."
    )
    table = tables.estimates(estimates, "Test images with a sibling in training")
    return plots.show(ax, caption, alt=alt), table


def probes(run):
    """What each leak probe scores on the images of this run, if these are real."""
    leaks = survey.leaks(
        run.images,
        rng=run.rng,
        protocols=run.protocols,
        external=run.external,
        **run.label,
    ).leaks
    run.record_all(leak.estimate for leak in leaks)
    frame = leakage.frame(leaks).drop(columns=["meaning", "kind"])
    run.table("leaks", frame)
    empty = (
        "The source of this run is synthetic, so there is no set of images to probe: "
        "no leak probe was asked here."
    )
    return tables.show(frame, "Leak probes on the images of this run", empty=empty)


def verdicts(run, audits, kept=()):
    """A verdict on each claim, from this run and from full results that were kept."""
    frame = run.table(
        "verdicts", judging.judge(audits, run.estimates, published_full=kept)
    )
    columns = [name for name in VERDICTS if (frame[name] != "").any()]
    return tables.show(frame[[*columns, "reason"]], "Verdicts")


def browser(audits):
    """A list of the doubtful claims to choose from; it works without a kernel."""
    return widgets.claim_browser(claims.with_word(audits, *claims.DOUBTFUL))


# Strategy of `answers`: a question names a quantity, a protocol and the conditions of
# the estimates that answer it, and what is asked of their intervals. The weakest
# estimate answers: a model is better than all others if it is better than the strongest
# of them.

ORDER = ("no", "not shown", "yes")  # the weakest of several counts
CHANCE = 0.5  # of two classes, balanced
AWAY = "difference from "


def answers(estimates, questions, *, model):
    """A row a question, source and unit: the answer of a model's intervals alone.

    `questions` are (question, quantity or quantities, protocol, conditions, asked), and
    asked is "at" or "above" chance, or "lead": above 0. Full results come first; other
    runs say their profile.
    """
    groups = {}
    for estimate in estimates:
        key = (estimate.profile != "full", estimate.conditions.get("unit", ""))
        groups.setdefault((*key, _images(estimate)), []).append(estimate)
    rows = [
        {"images": images, "unit": unit, "question": question} | answer
        for (_, unit, images), group in sorted(groups.items())
        for question, *asked in questions
        if (answer := _answer(group, model, *asked))
    ]
    return pd.DataFrame(rows)


def _images(estimate):
    profile = "" if estimate.profile == "full" else estimate.profile
    return ", ".join(filter(None, (records.stated(estimate), profile)))


def _answer(estimates, model, quantity, protocol, conditions, asked):
    """The weakest of the estimates that answer; nothing where nothing was measured.

    Of a quantity that was measured twice the first counts: kept results, pooled over
    seeds, come before those of a run.
    """
    quantities = (quantity,) if isinstance(quantity, str) else quantity
    first = {}
    for estimate in estimates:
        named = {k: v for k, v in estimate.conditions.items() if k not in APART}
        if (
            (estimate.quantity in quantities, estimate.protocol) == (True, protocol)
            and estimate.model.partition(" - ")[0] == model
            and named == conditions
        ):
            first.setdefault((estimate.quantity, estimate.model), estimate)
    if not first:
        return {}
    bound = 0.0 if asked == "lead" else CHANCE
    words = {key: _word(e, bound, asked) for key, e in first.items()}
    key = min(first, key=lambda key: (ORDER.index(words[key]), first[key].high))
    measured = " ".join(filter(None, (_rival(first[key]), str(first[key]))))
    measured += f", the strongest of {len(first)} rivals" if len(first) > 1 else ""
    beyond = (getattr(first[key], name) - bound for name in ("value", "low", "high"))
    numbers = dict(zip(BEYOND, beyond, strict=True))
    return {"protocol": protocol, "answer": words[key], "measured": measured} | numbers


BEYOND = ("beyond", "least", "most")  # chance, or the strongest rival: for a figure
APART = ("unit", "seeds")  # conditions that no question names


def _rival(estimate):
    """What the model was compared with, where it was."""
    rival = estimate.model.partition(" - ")[2]
    away = estimate.quantity.startswith(AWAY)
    return rival or (estimate.quantity.removeprefix(AWAY) if away else "")


def _word(estimate, bound, asked):
    if asked == "at":
        return "yes" if estimate.low <= bound <= estimate.high else "no"
    low, high = estimate.low, estimate.high
    return "yes" if low > bound else "no" if high <= bound else "not shown"
