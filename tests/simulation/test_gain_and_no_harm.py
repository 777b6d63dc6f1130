"""sanhe gains where there is something to gain, and does no harm where there is nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from sanhe.sim import World, calm_world, demo_world, known_optimum, what_if
from sanhe.sim.figures import totals
from sanhe.sim.policies import DaysOfCover
from sanhe.sim.run import run
from sanhe.sim.sanhe_policy import SanhePolicy


def test_the_old_policy_is_beaten_on_stock_and_on_service() -> None:
    settings = replace(demo_world(), stores=5, skus=60, history_days=150)
    told = what_if(settings, weeks=6, seeds=(1, 2))
    days, fill = told.row("inventory_days"), told.row("fill_rate")
    assert (days.verdict, told.verdict) == ("better", "better")
    assert days.new < 0.85 * days.old
    assert fill.new > fill.old


def test_what_fresh_goods_earn_outweighs_what_more_of_them_is_thrown_away() -> None:
    """The old policy wastes little because its fresh shelves are empty: a third is not sold."""
    world = World(replace(demo_world(), stores=5, skus=60, history_days=150))
    last = world.settings.history_days - 1
    history = run(world, DaysOfCover(), days=last + 1 - 42)
    fresh = np.array([0 < (item.shelf_life_days or 0) <= 7 for item in world.items])
    sums = []
    for policy in (DaysOfCover(), SanhePolicy()):
        outcome = run(world, policy, days=last + 1, after=history)
        group = fresh[world.lines.sku].astype(np.int64)
        sums.append(totals(world, outcome, (last - 41, last), group=group, groups=2))
    earned = [float(each.margin_cents[1] - each.waste_cents[1]) for each in sums]
    filled = [float(each.sold_units[1] / each.demand_units[1]) for each in sums]
    assert earned[1] > 1.2 * earned[0]
    assert filled[0] < 0.75 < 0.9 < filled[1]
    assert sums[1].waste_cents.sum() < 0.001 * sums[1].sales_cents.sum()


def test_nothing_is_gained_and_no_harm_is_done_near_the_optimum() -> None:
    settings = replace(calm_world(), history_days=150)
    told = what_if(settings, weeks=6, seeds=(1, 2), old=known_optimum)
    profit, sales = told.row("profit"), told.row("sales")
    assert told.verdict == "about the same"
    assert abs(profit.difference) < 0.005 * profit.old
    assert abs(sales.difference) < 0.005 * sales.old
    assert abs(told.row("inventory_days").difference) < 0.25
    assert told.row("fill_rate").difference > -0.006
