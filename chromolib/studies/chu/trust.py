"""How far a trained row can be trusted: its repeated predictions, and what they cost.

`said(answer, part)` -> confidence.Said of some images
`run(run, grid, *, row, protocol)` -> Trust: every method and score, marks, estimates
`cost(model, images, *, words)` -> Estimate: draws in passes without dropout
"""

import dataclasses
import time

import numpy as np

from chromolib import records
from chromolib.evidence import metrics, referral, uncertainty
from chromolib.models import mc_dropout
from chromolib.studies.chu import confidence, moved

ROUNDS = 7  # timings of each, in turn
TIMES = 100
COST = f"cost of {TIMES} draws"


@dataclasses.dataclass(frozen=True, eq=False)
class Trust:
    """What repeated predictions of one row say, by one protocol."""

    test: confidence.Said
    answers: dict  # (method, score) -> records.Predictions
    marked: dict  # rule -> records.Predictions with `refer`
    estimates: list  # of records.Estimate

    def of(self, *quantities):
        """The estimates of these quantities."""
        return [one for one in self.estimates if one.quantity in quantities]


def said(answer, part="test"):
    """What a trained row says of some images, once and many times."""
    predictions = answer.said[part]
    plain = predictions.probability[:, 1]
    return confidence.Said(answer.draws[part], plain, predictions)


def run(run, grid, *, row, protocol, counts=confidence.COUNTS):
    """Every method and score on test images, by rule, under shift, and elsewhere."""
    answer = grid.pick(row, protocol)
    test, held = said(answer), said(answer, "validation")
    members = [said(one) for one in _members(grid, row, protocol)]
    rng = run.rng(f"trust {row} {protocol}")
    marked = confidence.marked(test, held)
    estimates = confidence.compared(test, held, members, rng=rng, counts=counts)
    for each in marked.values():
        estimates += referral.outcome(each, rng=rng).values()
    for each in marked.values():
        estimates += confidence.screening(each, rng=rng)
    if not set(test.predictions.group) & set(held.predictions.group):
        estimates += confidence.conformal_sets(test, held, rng=rng)
    shifts = {name: said(answer, name) for name in _there(answer, moved.SHIFTS)}
    estimates += confidence.shifted({"none": test} | shifts, held, rng=rng)
    others = {name: said(answer, name) for name in _there(answer, moved.OTHERS)}
    estimates += confidence.out_of_distribution(test, others, rng=rng)
    estimates += _places(grid, row, protocol, rng)
    answers = confidence.methods(test, held, members, counts=counts)
    return Trust(test, answers, marked, run.record_all(estimates))


def _members(grid, row, protocol):
    """The trained row and siblings from other first weights of the head, if any."""
    first = grid.pick(row, protocol)
    found = [
        one
        for one in grid.answers
        if dataclasses.replace(one.task, member=0) == first.task
    ]
    return found if len(found) > 1 else []


def _there(answer, names):
    return [name for name in names if name in answer.said]


def _places(grid, row, protocol, rng):
    """AUGRC of the votes by place and share of dropout."""
    first, found = grid.pick(row, protocol), []
    for one in grid.answers:
        if dataclasses.replace(one.task, drop=first.task.drop) != first.task:
            continue
        maps, head = one.task.drop
        test = one.said["test"]
        rates = {"on the maps": f"{maps:g}", "in the head": f"{head:g}"}
        own = dataclasses.replace(test, conditions=test.conditions | rates)
        votes = uncertainty.said(one.draws["test"], confidence.VOTES, like=own)
        found += metrics.score(votes, *confidence.DIFFERENCES, rng=rng)
    return found


def cost(model, images, *, words):
    """What so many draws cost, in passes without dropout of the same images.

    Timed in turn, so that a machine that slows down slows both.
    """
    passes = {
        "once": lambda: model.predict_on_batch(images),
        "draws": lambda: mc_dropout.draws(model, images, times=TIMES, seed=0),
    }
    seconds = {name: [] for name in passes}
    for i in range(ROUNDS + 1):  # the first compiles
        for name, work in passes.items():
            started = time.perf_counter()
            work()
            seconds[name] += [time.perf_counter() - started] if i else []
    once, draws = map(np.array, seconds.values())
    value = float(np.median(draws / once))
    picks = np.random.default_rng(0).integers(ROUNDS, size=(2_000, ROUNDS))
    drawn = np.median((draws / once)[picks], axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return records.Estimate(
        quantity=COST,
        value=value,
        low=float(min(low, value)),
        high=float(max(high, value)),
        n=ROUNDS,
        groups=ROUNDS,
        **words,
    )
