"""Demand behind stock-outs, where the truth is known."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sanhe.models.forecast import demand_panel, estimate_demand, uncensored_days
from sanhe.models.forecast.censoring import moments_above, moments_above_quantity
from tests.models.forecast.synthetic import world

CLASSES = ((0.0, 2.0), (2.0, 8.0), (8.0, 100.0))


@pytest.mark.parametrize("hourly", [True, False])
def test_estimated_demand_is_unbiased_in_each_velocity_class(hourly: bool) -> None:
    made = world(series=300, out_of_stock=0.3, hourly=hourly)
    panel = made.panel
    censored = ~uncensored_days(panel)
    assert 0.25 < censored.mean() < 0.45
    units = demand_panel(panel).sales
    truth = made.mean[:, : panel.days]
    speed = truth.mean(1)
    for low, high in CLASSES:
        part = (speed >= low) & (speed < high)
        kept = ~np.isnan(units[part])
        bias = units[part][kept].sum() / truth[part][kept].sum() - 1
        assert abs(bias) < 0.10, (low, high, bias)
    # negative control: raw sales are far below demand
    assert panel.sales.sum() < 0.9 * truth.sum()


def test_days_that_opened_empty_are_dropped_and_others_never_fall_below_sales() -> None:
    panel = world(out_of_stock=0.3, hourly=False).panel
    made = estimate_demand(panel)
    assert np.isnan(made.units[panel.opened_empty]).all()
    kept = ~panel.opened_empty
    assert (made.units[kept] >= panel.sales[kept] - 1e-4).all()
    clean = uncensored_days(panel)
    assert (made.units[clean] == panel.sales[clean]).all()


def test_full_stock_changes_nothing() -> None:
    panel = world().panel
    assert np.array_equal(demand_panel(panel).sales, panel.sales)


@settings(max_examples=40, deadline=None)
@given(mean=st.floats(0.2, 40), size=st.floats(0.3, 20), floor=st.integers(0, 60))
def test_moments_above_are_the_conditional_ones(mean: float, size: float, floor: int) -> None:
    first, second = moments_above(np.array([mean]), np.array([size]), np.array([float(floor)]))
    values = np.arange(floor, 4000)
    weight = stats.nbinom.pmf(values, size, size / (size + mean))
    if weight.sum() > 1e-6:
        weight = weight / weight.sum()
        assert first[0] == pytest.approx((values * weight).sum(), rel=1e-3)
        assert second[0] == pytest.approx((values**2 * weight).sum(), rel=1e-3)
    assert first[0] >= floor


def test_moments_above_for_quantities_are_the_conditional_ones() -> None:
    draws = np.random.default_rng(1).gamma(2.5, 4.0 / 2.5, 400_000)
    over = draws[draws >= 3]
    made = moments_above_quantity(np.array([4.0]), np.array([2.5]), np.array([3.0]))
    assert made[0][0] == pytest.approx(over.mean(), rel=0.01)
    assert made[1][0] == pytest.approx((over**2).mean(), rel=0.01)
