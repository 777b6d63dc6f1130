"""Demand over an interval: moments against simulation and by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sanhe.models.inventory import (
    cover_days,
    daily_rate,
    expected_demand,
    protection_demand,
)

WEEK = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]])


def test_expected_demand_adds_days_and_parts_of_days() -> None:
    assert expected_demand(WEEK, [3.0])[0] == 6.0
    assert expected_demand(WEEK, [3.5])[0] == 8.0
    assert expected_demand(WEEK, [0.0])[0] == 0.0
    assert expected_demand(WEEK, [7.0])[0] == 28.0


def test_beyond_the_horizon_the_last_week_goes_on() -> None:
    assert daily_rate(WEEK)[0] == 4.0
    assert expected_demand(WEEK, [10.0])[0] == 28.0 + 3 * 4.0


def test_cover_is_the_inverse_of_expected_demand() -> None:
    rng = np.random.default_rng(5)
    by_day = rng.uniform(0.1, 9.0, (200, 14))
    stock = rng.uniform(0.0, 120.0, 200)
    assert np.allclose(expected_demand(by_day, cover_days(by_day, stock)), stock)


def test_stock_without_demand_lasts_for_ever_and_no_stock_lasts_no_day() -> None:
    assert cover_days(np.zeros((1, 5)), [3.0])[0] == np.inf
    assert cover_days(np.zeros((1, 5)), [0.0])[0] == 0.0
    assert cover_days(WEEK, [-2.0])[0] == 0.0


def test_a_random_lead_time_adds_its_variance_times_the_mean_squared() -> None:
    rng = np.random.default_rng(11)
    draws = 200_000
    days = rng.choice([4, 6, 8], draws)
    total = rng.poisson(3.0 * days)
    demand = protection_demand(
        np.full((1, 10), 3.0), [6.0], days_variance=days.var(), spread=lambda mean, _: mean
    )
    assert demand.mean[0] == pytest.approx(total.mean(), rel=0.01)
    assert demand.variance[0] == pytest.approx(total.var(), rel=0.02)
    assert demand.variance[0] > 18.0


def test_a_bad_forecast_is_named() -> None:
    with pytest.raises(ValueError, match="line 0, day 1"):
        expected_demand([[1.0, np.nan]], [1.0])
    with pytest.raises(ValueError, match=r"\[lines, days\]"):
        expected_demand([1.0, 2.0], [1.0])
