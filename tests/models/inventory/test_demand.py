"""The distributions against scipy.stats, summation and known figures."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sanhe.models.inventory import Demand, above, at_most, demand_of, quantile, shortage

MEANS = st.floats(1e-4, 1e4)
RATIOS = st.floats(0.5, 50.0)
LEVELS = st.floats(0.5, 0.999)


def some_demand(seed: int, lines: int) -> Demand:
    rng = np.random.default_rng(seed)
    mean = np.exp(rng.normal(1.0, 2.0, lines))
    return demand_of(mean, mean * rng.uniform(0.5, 20.0, lines))


def test_the_negative_binomial_quantile_is_scipys() -> None:
    rng = np.random.default_rng(3)
    mean, shape = np.exp(rng.normal(1, 1.5, 3000)), np.exp(rng.normal(0, 1, 3000))
    p = rng.uniform(0.5, 0.999, 3000)
    ours = quantile(demand_of(mean, mean + mean**2 / shape), p)
    theirs = stats.nbinom.ppf(p, shape, shape / (shape + mean))
    assert np.array_equal(ours, theirs.astype(np.int64))


def test_without_overdispersion_it_is_poisson() -> None:
    mean = np.array([0.1, 1.0, 7.5, 120.0])
    for variance in (mean, 0.3 * mean):
        demand = demand_of(mean, variance)
        for p in (0.5, 0.9, 0.99):
            assert np.array_equal(quantile(demand, p), stats.poisson.ppf(p, mean))
        assert np.allclose(at_most(demand, 3), stats.poisson.cdf(3, mean))


def test_continuous_quantities_follow_a_gamma() -> None:
    demand = demand_of([500.0, 1200.0], [90_000.0, 40_000.0], False)
    shape = demand.mean**2 / demand.variance
    exact = stats.gamma.ppf(0.95, shape, scale=demand.variance / demand.mean)
    assert np.array_equal(quantile(demand, 0.95), np.ceil(exact))
    assert np.allclose(
        above(demand, 700), stats.gamma.sf(700, shape, scale=demand.variance / demand.mean)
    )


@given(MEANS, RATIOS, LEVELS)
@settings(max_examples=200, deadline=None)
def test_the_quantile_is_the_smallest_that_reaches(mean: float, ratio: float, p: float) -> None:
    demand = demand_of([mean], [mean * ratio])
    level = quantile(demand, p)
    assert at_most(demand, level)[0] >= p - 1e-11
    assert level[0] == 0 or at_most(demand, level - 1)[0] < p + 1e-11


@pytest.mark.parametrize("mean", [1e-8, 1e-3, 1e6])
def test_extreme_means_end(mean: float) -> None:
    demand = demand_of([mean], [max(mean, mean**2 * 100)])
    assert quantile(demand, 0.99)[0] >= 0


def test_no_demand_needs_no_stock() -> None:
    nothing = demand_of([0.0, 0.0], [0.0, 4.0], [True, False])
    assert quantile(nothing, 0.99).tolist() == [0, 0]
    assert shortage(nothing, 0).tolist() == [0.0, 0.0]
    assert at_most(nothing, 0).tolist() == [1.0, 1.0]


def test_the_expected_shortage_is_the_sum_over_the_distribution() -> None:
    d = np.arange(0, 20_000)
    for mean, variance, level in ((3.0, 9.0, 4), (0.4, 0.9, 1), (60.0, 900.0, 70), (5.0, 5.0, 8)):
        demand = demand_of([mean], [variance])
        weights = np.diff(
            np.concatenate([[0.0], 1 - above(demand_of(np.full(d.size, mean), variance), d)])
        )
        direct = float((weights * np.maximum(d - level, 0)).sum())
        assert shortage(demand, level)[0] == pytest.approx(direct, abs=1e-7)


def test_the_expected_shortage_of_a_gamma() -> None:
    demand = demand_of([500.0], [90_000.0], False)
    frozen = stats.gamma(500.0**2 / 90_000.0, scale=90_000.0 / 500.0)
    direct = frozen.expect(lambda x: x - 650.0, lb=650.0)
    assert shortage(demand, 650)[0] == pytest.approx(direct, rel=1e-6)


def test_what_is_owed_already_is_short() -> None:
    demand = some_demand(1, 50)
    assert np.allclose(shortage(demand, -4), demand.mean + 4)


def test_shortage_falls_by_the_chance_of_needing_one_more() -> None:
    demand = some_demand(2, 500)
    for level in (0, 1, 5, 40):
        step = shortage(demand, level) - shortage(demand, level + 1)
        assert np.allclose(step, above(demand, level), atol=1e-9)


def test_bad_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="one shape"):
        Demand(np.zeros(2), np.zeros(3), np.ones(2, bool))
    with pytest.raises(ValueError, match="variance"):
        demand_of([1.0], [-1.0])
    with pytest.raises(ValueError, match="mean"):
        demand_of([np.nan], [1.0])
    with pytest.raises(ValueError, match="probability"):
        quantile(demand_of([1.0], [1.0]), 1.0)
