"""Figures of a run, held against sums made by hand."""

from __future__ import annotations

import numpy as np
import pytest

from sanhe.models.replay import HOLDING_RATE_PER_YEAR
from sanhe.sim import VELOCITIES, by_class, by_day, totals
from tests.sim.worlds import tiny, tiny_history

WINDOW = (40, 69)


def test_totals_are_the_sums_of_the_days() -> None:
    world, outcome = tiny(), tiny_history()
    sums = totals(world, outcome, WINDOW)
    cost, sold, stock, wanted = world.lines.unit_cost_cents, 0, 0, 0
    for day in range(WINDOW[0], WINDOW[1] + 1):
        sold += int((outcome.sales[day] * cost).sum())
        stock += int((outcome.closing[day] * cost).sum())
        wanted += int(world.truth.demand[day].sum())
    assert sums.sold_cost_cents[0] == sold
    assert sums.stock_cents[0] == stock
    assert sums.demand_units[0] == wanted
    assert sums.inventory_days[0] == pytest.approx(stock / sold)
    assert sums.lost_units[0] == wanted - outcome.sales[40:70].sum()
    assert sums.fill_rate[0] == pytest.approx(outcome.sales[40:70].sum() / wanted)
    assert sums.holding_cents[0] == pytest.approx(stock * HOLDING_RATE_PER_YEAR / 365)
    margin = sums.margin_cents[0] - sums.waste_cents[0] - sums.holding_cents[0]
    assert sums.profit_cents[0] == pytest.approx(margin)


def test_a_sale_earns_the_price_paid_without_tax_less_its_cost() -> None:
    world, outcome = tiny(), tiny_history()
    line = int(outcome.sales[40:70].sum(axis=0).argmax())
    item = world.items[world.lines.sku[line]]
    margin = 0.0
    for day in range(40, 70):
        price = world.prices[day, world.lines.sku[line]] * world.offers.discount[day, line]
        net = price / (1 + item.tax_rate)
        margin += float(outcome.sales[day, line] * (net - item.unit_cost_cents))
    group = (np.arange(len(world.lines)) == line).astype(np.int64)
    sums = totals(world, outcome, WINDOW, group=group, groups=2)
    assert sums.margin_cents[1] == pytest.approx(margin, rel=1e-6)


def test_groups_add_up_to_the_whole() -> None:
    world, outcome = tiny(), tiny_history()
    whole = totals(world, outcome, WINDOW)
    parts = totals(world, outcome, WINDOW, group=world.lines.place, groups=len(world.places))
    for name in ("demand_units", "stock_cents", "ordered_cents", "order_lines", "dry_days"):
        assert getattr(parts, name).sum() == pytest.approx(getattr(whole, name)[0])


def test_tables_have_a_row_for_each_day_and_class() -> None:
    world, outcome = tiny(), tiny_history()
    days = by_day(world, outcome, WINDOW)
    assert days.num_rows == 30
    assert days["day"][0].as_py() == world.day(40)
    assert sum(days["lost_units"].to_pylist()) == totals(world, outcome, WINDOW).lost_units[0]
    classes = by_class(world, outcome, WINDOW)
    assert classes["class"].to_pylist() == list(VELOCITIES)
    assert sum(classes["lines"].to_pylist()) == len(world.lines)
