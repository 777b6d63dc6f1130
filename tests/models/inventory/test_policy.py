"""The policies: cost ratios by hand, optimality by search, fill against simulation."""

from __future__ import annotations

import numpy as np
import pytest

from sanhe.models.inventory import (
    Floats,
    UnitCosts,
    critical_ratio,
    days_of_cover,
    demand_of,
    expected_fill,
    normal_order_up_to,
    order_up_to,
    perishable_ratio,
    sellable_within,
    shortage,
    shortage_avoided,
    shortage_avoided_at,
    unit_costs,
)


def test_the_published_newsvendor_example() -> None:
    """Underage 15, overage 5: the ratio is 0.75 (any textbook's newsboy)."""
    costs = UnitCosts(np.array([15.0]), np.array([5.0]), np.array([5.0]))
    assert critical_ratio(costs, lowest=0.0, highest=0.99)[0] == pytest.approx(0.75)


def test_holding_costs_are_per_review_period() -> None:
    costs = unit_costs([1000.0], [300.0], review_days=7.0, holding_rate_per_year=0.25)
    assert costs.overage_cents[0] == pytest.approx(1000 * 0.25 * 7 / 365)
    assert critical_ratio(costs, lowest=0.8, highest=0.98)[0] == 0.98


def perishable(life_days: list[float], daily: float = 3.0) -> Floats:
    """The level of goods at cost 10, margin 4, cover 4 days, for several shelf lives."""
    n = len(life_days)
    costs = unit_costs(np.full(n, 1000.0), 400.0, review_days=3.0, holding_rate_per_year=0.2)
    until_next = demand_of(np.full(n, 4 * daily), 8 * daily)
    expiry = np.array(life_days) * daily
    return perishable_ratio(
        costs, until_next, demand_of(expiry, 2 * expiry), lowest=0.0, highest=0.999
    )


def test_a_longer_life_raises_the_level_up_to_that_of_durable_goods() -> None:
    level = perishable([2.0, 4.0, 6.0, 10.0, 60.0])
    assert (np.diff(level) >= 0).all()
    assert level[0] < 0.3 < level[2]
    durable = unit_costs([1000.0], [400.0], review_days=3.0, holding_rate_per_year=0.2)
    assert level[-1] >= critical_ratio(durable, lowest=0.0, highest=0.999)[0]


def test_a_life_that_ends_with_the_cover_is_the_textbook_newsvendor() -> None:
    costs = UnitCosts(np.array([400.0]), np.array([0.0]), np.array([1000.0]))
    demand = demand_of([12.0], [24.0])
    level = perishable_ratio(costs, demand, demand, lowest=0.0, highest=0.999)
    textbook = order_up_to(demand, 400 / 1400)
    assert order_up_to(demand, level)[0] == textbook[0]


def test_the_perishable_level_minimises_the_expected_cost() -> None:
    demand, until_expiry = demand_of([9.0], [27.0]), demand_of([14.0], [40.0])
    costs = UnitCosts(np.array([300.0]), np.array([4.0]), np.array([700.0]))
    best = order_up_to(
        demand, perishable_ratio(costs, demand, until_expiry, lowest=0.0, highest=0.9999)
    )[0]
    levels = np.arange(0, 60)
    repeated = demand.take(np.zeros(60, np.int64)), until_expiry.take(np.zeros(60, np.int64))
    short = shortage(repeated[0], levels)
    left = levels - 9.0 + short
    wasted = levels - 14.0 + shortage(repeated[1], levels)
    assert best == int(np.argmin(300 * short + 4 * left + 700 * wasted))


def test_no_margin_gets_the_lowest_level_and_bounds_are_checked() -> None:
    costs = unit_costs([1000.0, 0.0], [-5.0, 0.0], review_days=1.0, holding_rate_per_year=0.2)
    assert critical_ratio(costs, lowest=0.6, highest=0.9).tolist() == [0.6, 0.6]
    with pytest.raises(ValueError, match="bounds"):
        critical_ratio(costs, lowest=0.9, highest=0.6)


def test_the_level_minimises_the_expected_cost() -> None:
    demand = demand_of([8.0], [30.0])
    under, over = 7.0, 2.0
    best = int(order_up_to(demand, under / (under + over))[0])
    levels = np.arange(0, 60)
    many = demand_of(np.full(60, 8.0), 30.0)
    short = shortage(many, levels)
    cost = under * short + over * (levels - 8.0 + short)
    assert best == int(np.argmin(cost))


def test_fill_agrees_with_a_simulated_cycle() -> None:
    rng = np.random.default_rng(17)
    until_arrival = rng.negative_binomial(4, 4 / (4 + 6.0), 400_000)
    cycle = rng.negative_binomial(8, 8 / (8 + 12.0), 400_000)
    level = 20
    owed = np.maximum(until_arrival - level, 0)
    short = np.maximum(until_arrival + cycle - level, 0) - owed
    simulated = 1 - short.mean() / cycle.mean()
    early = demand_of([6.0], [6.0 + 36 / 4])
    whole_variance = 6.0 + 36 / 4 + 12.0 + 144 / 8
    fill = expected_fill(demand_of([18.0], [whole_variance]), early, [level])
    assert fill[0] == pytest.approx(simulated, abs=0.005)


def test_fill_grows_with_the_position_and_is_one_without_demand() -> None:
    until_next, until_arrival = demand_of(np.full(30, 9.0), 20.0), demand_of(np.full(30, 3.0), 6.0)
    fill = expected_fill(until_next, until_arrival, np.arange(30))
    assert (np.diff(fill) >= -1e-12).all()
    assert expected_fill(demand_of([0.0], [0.0]), demand_of([0.0], [0.0]), [0])[0] == 1.0


def test_the_shortage_avoided_lies_within_its_interval_and_the_order() -> None:
    demand = demand_of([12.0, 0.5, 90.0], [30.0, 1.0, 2000.0])
    position, quantity = np.array([5, 0, 100]), np.array([10, 1, 24])
    value = shortage_avoided(demand, position, quantity)
    low = shortage_avoided_at(demand, position, quantity, probability=0.05)
    high = shortage_avoided_at(demand, position, quantity, probability=0.95)
    assert ((low <= value) & (value <= high + 1e-9) & (high <= quantity)).all()


def test_the_old_policy_covers_its_days() -> None:
    assert days_of_cover([2.0, 0.3], [10, 0], cover_days=30.0).tolist() == [50, 9]
    assert days_of_cover([2.0], [100], cover_days=30.0).tolist() == [0]


def test_the_normal_level_overstocks_slow_goods() -> None:
    slow = demand_of([0.4], [0.5])
    assert normal_order_up_to(slow, 0.97)[0] >= order_up_to(slow, 0.97)[0]


def test_sellable_units_round_down_and_endless_life_does_not_cap() -> None:
    by_day = np.full((2, 7), 1.3)
    assert sellable_within(by_day, [5.0, np.inf]).tolist() == [6, 1 << 60]
