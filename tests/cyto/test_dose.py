"""Doses from dicentrics: worked examples of the literature, slow twins, and laws."""

import math

import numpy as np
import pytest
from scipy import optimize, special, stats

from chromolib import intervals
from chromolib.cyto import dose

# Barquinero and others (1995), the example of IAEA (2011): dose, cells, dicentrics.
GY = (0, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3, 4, 5)
CELLS = (5000, 5002, 2008, 2002, 1832, 1168, 562, 333, 193, 103, 59)
DICENTRICS = (8, 14, 22, 55, 100, 109, 100, 103, 108, 103, 107)
PART = np.repeat([0, 1, 2, 3, 4], [302, 28, 22, 8, 1])  # biodosetools' example1
PLANNED = (0.5, 1, 2, 3, 4, 5)


def quadratic(rate, curve=dose.CURVE):
    """The dose of a yield by the formula for a quadratic equation."""
    c, a, b = curve.coefficients
    return (-a + math.sqrt(a * a + 4 * b * (rate - c))) / (2 * b)


def test_the_published_curve_is_what_its_counts_give():
    """Poisson regression with weights fitted again and again, as the field does it."""
    powers = np.array([[1, d, d * d] for d in GY])
    fitted = dose.CURVE.coefficients
    for _ in range(50):
        weight = np.array(CELLS) / (powers @ fitted)
        information = powers.T @ (weight[:, None] * powers)
        seen = powers.T @ (weight * np.divide(DICENTRICS, CELLS))
        fitted = np.linalg.solve(information, seen)
    covariance = np.linalg.inv(information)
    np.testing.assert_allclose(fitted, dose.CURVE.coefficients, rtol=1e-4)
    np.testing.assert_allclose(covariance, dose.CURVE.covariance, rtol=1e-3)


def test_the_whole_body_by_merkle_as_biodosetools_has_it():
    found = dose.estimate(100, 361, method="merkle")
    shown = [round(x, 3) for x in (found.low, found.value, found.high)]
    assert shown == [1.712, 1.931, 2.187]


def test_a_part_of_the_body_as_biodosetools_has_it():
    found = dose.partial(PART, method="exact").dose
    rates = [dose.CURVE.at(gy) for gy in (found.low, found.value, found.high)]
    np.testing.assert_allclose(rates, [0.835, 1.168, 1.500], atol=6e-4)
    assert round(found.value, 3) == 4.138
    both = dose.partial(PART).dose
    np.testing.assert_allclose([both.low, both.high], [3.493, 4.783], atol=0.04)


@pytest.mark.parametrize("count", [0, 1, 7, 100])
def test_an_exact_interval_leaves_a_fortieth_at_either_side(count):
    low, high = intervals.poisson(count)
    assert stats.poisson.cdf(count, high) == pytest.approx(0.025)
    assert low == 0 if not count else stats.poisson.sf(count - 1, low) > 0.0249


@pytest.mark.parametrize("name", dose.CURVES)
@pytest.mark.parametrize("gy", [0.1, 1, 4.9])
def test_a_curve_read_backwards_is_the_quadratic_formula(name, gy):
    curve = dose.CURVES[name]
    assert curve.dose(curve.at(gy)) == pytest.approx(gy)
    assert quadratic(curve.at(gy), curve) == pytest.approx(gy)


@pytest.mark.parametrize("name", dose.CURVES)
@pytest.mark.parametrize("method", dose.METHODS)
@pytest.mark.parametrize("seen", [(3, 1000), (40, 400), (100, 361)])
def test_the_interval_is_where_yield_and_curve_come_apart(name, method, seen):
    """The twin walks along the doses, and asks of each whether it may be the one."""
    curve = dose.CURVES[name]
    sure, factor, add = dose.METHODS[method]
    rate, ends = seen[0] / seen[1], np.divide(intervals.poisson(seen[0], sure), seen[1])
    grid = np.arange(0, 5, 0.002)
    line = np.array([curve.at(gy) for gy in grid])
    error = factor * np.array([curve.error(gy) for gy in grid])
    may = (line - rate <= add(ends[1] - rate, error)) & (
        rate - line <= add(rate - ends[0], error)
    )
    found = dose.estimate(*seen, curve=curve, method=method)
    assert found.low == pytest.approx(grid[may][0], abs=0.003)
    assert found.high == pytest.approx(grid[may][-1], abs=0.003)
    assert np.diff(may.astype(int)).clip(0).sum() + may[0] == 1, "one stretch"


@pytest.mark.parametrize("gy", [0.5, 2, 4])
@pytest.mark.parametrize("cells", [50, 500])
def test_the_interval_holds_the_dose_in_95_percent_of_draws(gy, cells):
    """With the curve drawn as well, as each laboratory's is by its own counts."""
    curve, rng = dose.CURVE, np.random.default_rng([cells, int(2 * gy)])
    seen = rng.poisson(curve.at(gy) * cells, 400)
    drawn = rng.multivariate_normal(curve.coefficients, curve.covariance, 400)
    held = []
    for dicentrics, coefficients in zip(seen.tolist(), drawn, strict=True):
        own = dose.Curve(tuple(coefficients), curve.covariance, "", "drawn")
        found = dose.estimate(dicentrics, cells, curve=own)
        held.append(found.low <= gy <= found.high)
    assert 0.93 <= np.mean(held) <= 0.995


def likelihood(counts):
    """The contaminated Poisson's share and yield by a search, and their errors."""
    zeros, n, hit = (counts == 0).sum(), len(counts), counts[counts > 0]

    def minus(point):
        share, rate = point
        unhit = np.log(1 - share + share * np.exp(-rate))
        rest = np.log(share) - rate + hit * np.log(rate) - special.gammaln(hit + 1)
        return -(zeros * unhit + rest.sum())

    at = optimize.minimize(minus, (0.5, 1), bounds=[(0.01, 0.99), (0.01, 9)]).x
    share, rate = at
    e = np.exp(rate)  # Fisher's information as biodosetools writes it
    below = share + (1 - share) * e
    cross = n / below
    information = [
        [n * (e - 1) / (share * below), cross],
        [cross, n * share * (share - 1) / below + n * share / rate],
    ]
    return at, np.sqrt(np.diag(np.linalg.inv(information)))


def test_a_part_of_the_body_is_where_the_likelihood_is_greatest():
    at, errors = likelihood(PART)
    found = dose.partial(PART, method="exact")
    rates = [dose.CURVE.at(x) for x in (found.dose.low, found.dose.high)]
    assert found.share == pytest.approx(at[0], abs=1e-3)
    assert dose.CURVE.at(found.dose.value) == pytest.approx(at[1], abs=1e-3)
    assert np.ptp(rates) / 2 / 1.96 == pytest.approx(errors[1], rel=1e-2)
    spread = np.log(found.high / found.low) / 2 / 1.96 * found.share
    assert spread == pytest.approx(errors[0], rel=1e-2)


@pytest.mark.parametrize("gy", PLANNED)
def test_so_many_cells_are_enough_and_one_fewer_is_not(gy):
    c, enough = dose.CURVE.coefficients[0], []
    cells = dose.cells_needed(gy, method="exact")
    for n in (cells - 1, cells):
        ends = np.divide(intervals.poisson(n * dose.CURVE.at(gy)), n)
        low, high = (quadratic(max(c, end)) for end in ends)
        enough.append(max(gy - low, high - gy) <= 0.5)
    assert enough == [False, True]


@pytest.mark.parametrize("gy", PLANNED)
def test_a_plan_holds_in_95_percent_of_draws(gy):
    """The dose found is within half a gray of the true one, at 0.5 Gy more often."""
    rng, cells = np.random.default_rng(3), dose.cells_needed(gy, method="exact")
    drawn = rng.poisson(dose.CURVE.at(gy) * cells, 4000) / cells
    found = np.array([dose.CURVE.dose(rate) for rate in drawn])
    assert np.mean(abs(found - gy) <= 0.5) >= 0.945


def test_a_plan_needs_more_cells_by_a_curve_with_errors_and_may_be_beyond_reach():
    for gy in PLANNED:
        assert dose.cells_needed(gy) >= dose.cells_needed(gy, method="exact")
    assert math.isinf(dose.cells_needed(5, within=0.1))
    assert math.isfinite(dose.cells_needed(5, within=0.1, method="exact"))


BOUNDS = {  # dicentrics, cells -> what a report says
    (0, 500): "at most 0.19 Gy: no more dicentrics than the curve has without",
    (0, 1): "any dose: no more",
    (0, 100000): "at most 0.00 Gy: no more dicentrics than the curve has without "
    "radiation, in truth fewer",
    (200, 100): "more than 5.00 Gy: beyond the curve, which ends at 5 Gy",
    (90, 60): "4.71 Gy (at least 4.17): the interval leaves the curve at 5 Gy",
    (100, 361): "1.93 Gy (1.72 to 2.16)",
}


@pytest.mark.parametrize("seen", BOUNDS)
def test_outside_the_curve_a_report_says_so_and_gives_a_bound(seen):
    found = dose.estimate(*seen)
    assert str(found).startswith(BOUNDS[seen])
    assert (found.value is None) == ("most" in str(found) or "more" in str(found))


@pytest.mark.parametrize(
    ("call", "reason"),
    [
        (lambda: dose.estimate(-1, 50), "-1 dicentrics"),
        (lambda: dose.estimate(2.5, 50), "2.5 dicentrics"),
        (lambda: dose.estimate(3, 0), "0 cells"),
        (lambda: dose.estimate(math.inf, 50), "inf dicentrics"),
        (lambda: dose.estimate(math.nan, 50), "nan dicentrics"),
        (lambda: dose.estimate(3, 50, method="guess"), "known: exact, both, merkle"),
        (lambda: dose.partial([]), "no cells"),
        (lambda: dose.partial([0, -1]), "whole number"),
        (lambda: dose.partial([0, 1, 1, 0]), "no cell has two dicentrics"),
        (lambda: dose.cells_needed(0), "at 0 Gy"),
        (lambda: dose.cells_needed(6), "up to 5 Gy"),
        (lambda: dose.cells_needed(1, within=0), "0 Gy at 1 Gy"),
        (lambda: intervals.poisson(-1), "0 or more"),
    ],
)
def test_what_cannot_be_is_refused_by_name(call, reason):
    with pytest.raises(ValueError, match=reason):
        call()
