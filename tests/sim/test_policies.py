"""The old policy keeps to what was written down; scarce and optimal levels do what they say."""

from __future__ import annotations

import numpy as np
import pytest

from sanhe.sim import (
    VELOCITIES,
    DaysOfCover,
    OrderUpTo,
    World,
    calm_world,
    censored_world,
    demo_world,
    optimal_levels,
    run,
    scarce_levels,
    totals,
)
from sanhe.sim.policies import in_cases, old_parameters
from tests.sim.worlds import tiny


def test_the_old_parameters_are_those_written_down_before_tuning() -> None:
    old = old_parameters()
    assert old.cover_days == (21, 30, 60, 60)
    assert old.class_from_units_per_day == (5.0, 1.0, 0.2)
    assert (old.mean_over_days, old.review_every_days) == (28, 7)


def test_quantities_are_whole_cases_of_at_least_the_minimum() -> None:
    lines = tiny().lines
    short = np.arange(len(lines)) % 40 - 5
    quantity = in_cases(short, lines)
    assert (quantity % lines.case_size == 0).all()
    assert ((quantity == 0) == (short <= 0)).all()
    assert (quantity[short > 0] >= np.maximum(short, lines.moq)[short > 0]).all()


def test_the_old_policy_holds_long_covers_of_slow_goods() -> None:
    world = World(demo_world())
    outcome = run(world, DaysOfCover(), days=world.settings.history_days)
    sums = totals(world, outcome, (60, 200), group=world.lines.velocity, groups=4)
    days = dict(zip(VELOCITIES, sums.inventory_days, strict=True))
    assert 40 < days["slow"] < 70
    assert days["very_slow"] > 60
    assert sums.fill_rate.min() > 0.9


@pytest.mark.parametrize("seed", [1, 2])
def test_scarce_levels_run_dry_on_three_days_in_ten_in_every_class(seed: int) -> None:
    world = World(censored_world(seed))
    days = world.settings.history_days
    outcome = run(world, OrderUpTo(scarce_levels(world)), days=days)
    listed = np.arange(28, days)[:, None] >= world.lines.listed_from
    dry = (outcome.in_stock_share[28:] < 1) & listed
    for kind, name in enumerate(VELOCITIES):
        inside = world.lines.velocity == kind
        assert dry[:, inside].mean() == pytest.approx(0.30, abs=0.02), name


def test_optimal_levels_meet_demand_with_little_stock() -> None:
    world = World(calm_world())
    outcome = run(world, OrderUpTo(optimal_levels(world)), days=201)
    sums = totals(world, outcome, (60, 200))
    assert sums.inventory_days[0] < 4
    assert sums.fill_rate[0] > 0.97
    # Near the optimum: less stock earns less, more earns hardly anything more. (It can earn a
    # little more because the levels keep to the service bounds of the shipped policy.)
    profit = float(sums.profit_cents[0])
    for change, most in ((0.85, 1.0), (1.2, 1.005), (1.6, 1.003)):
        levels = np.round(optimal_levels(world) * change).astype(np.int64)
        other = totals(world, run(world, OrderUpTo(levels), days=201), (60, 200))
        assert other.profit_cents[0] < most * profit, change
