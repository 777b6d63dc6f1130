"""What a run amounts to: days of stock, fill rate, lost sales, waste, orders and money."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sanhe.models.replay import Totals
from sanhe.sim.settings import VELOCITIES

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from sanhe.sim.arrays import Bools
    from sanhe.sim.book import Outcome
    from sanhe.sim.world import World

    Sums = npt.NDArray[np.float64]


def totals(
    world: World,
    outcome: Outcome,
    window: tuple[int, int],
    *,
    group: npt.NDArray[np.int64] | None = None,
    groups: int = 1,
) -> Totals:
    """Sums over the days `window` = (first, last), both included, by group of lines.

    `group` [lines] numbers the group of each line from 0; None = all lines in one group. This
    looks at the truth: only the simulator can tell what was lost.
    """
    lines, days = world.lines, slice(window[0], window[1] + 1)
    code = np.zeros(len(lines), dtype=np.int64) if group is None else group
    sold, demand = outcome.sales[days], world.truth.demand[days]
    tax = np.array([item.tax_rate for item in world.items])[lines.sku]
    price = world.prices[days][:, lines.sku] * world.offers.discount[days] / (1 + tax)
    cost = lines.unit_cost_cents
    listed = np.arange(window[0], window[1] + 1)[:, None] >= lines.listed_from
    dry = (outcome.in_stock_share[days] < 1) & listed
    inside = (outcome.orders.ordered >= window[0]) & (outcome.orders.ordered <= window[1])
    orders = outcome.orders.only(inside)

    def by_group(values: npt.NDArray[np.generic]) -> Sums:
        per_line = np.asarray(values.sum(axis=0), dtype=np.float64)
        return np.bincount(code, weights=per_line, minlength=groups).astype(np.float64)

    waste = outcome.waste[days]
    return Totals(
        demand_units=by_group(demand),
        sold_units=by_group(sold),
        sales_cents=by_group(sold * price),
        sold_cost_cents=by_group(sold * cost),
        margin_cents=by_group(sold * (price - cost)),
        lost_margin_cents=by_group((demand - sold) * (price - cost)),
        stock_cents=by_group(outcome.closing[days] * cost),
        waste_units=by_group(waste),
        waste_cents=by_group(waste * cost),
        order_lines=np.bincount(code[orders.line], minlength=groups).astype(np.float64),
        ordered_cents=np.bincount(
            code[orders.line], weights=orders.quantity * cost[orders.line], minlength=groups
        ).astype(np.float64),
        dry_days=by_group(dry),
        line_days=by_group(listed),
    )


def by_day(world: World, outcome: Outcome, window: tuple[int, int]) -> pa.Table:
    """Day by day: day, policy, inventory_days (28-day running cost of sales), fill_rate,
    stock_cents, lost_units, waste_cents, ordered_cents."""
    import pyarrow as pa

    first, last = window
    cost = world.lines.unit_cost_cents
    stock = (outcome.closing * cost).sum(axis=1)
    sold_cost = (outcome.sales * cost).sum(axis=1).astype(np.float64)
    running = np.convolve(sold_cost, np.ones(28))[: len(sold_cost)]
    running /= np.minimum(np.arange(len(sold_cost)) + 1, 28)
    days = slice(first, last + 1)
    demand = world.truth.demand[days].sum(axis=1)
    sold = outcome.sales[days].sum(axis=1)
    orders = outcome.orders
    spent = np.bincount(
        orders.ordered, weights=orders.quantity * cost[orders.line], minlength=last + 1
    )
    return pa.table(
        {
            "day": [world.day(index) for index in range(first, last + 1)],
            "policy": [outcome.policy] * (last + 1 - first),
            "inventory_days": stock[days] / np.maximum(running[days], 1e-9),
            "fill_rate": sold / np.maximum(demand, 1),
            "stock_cents": stock[days],
            "lost_units": demand - sold,
            "waste_cents": (outcome.waste[days] * cost).sum(axis=1),
            "ordered_cents": spent[days],
        }
    )


def by_class(world: World, outcome: Outcome, window: tuple[int, int]) -> pa.Table:
    """By velocity class: class, policy, lines, inventory_days, fill_rate, stock_out_share,
    lost_units, waste_cents, order_lines."""
    import pyarrow as pa

    count = len(VELOCITIES)
    sums = totals(world, outcome, window, group=world.lines.velocity, groups=count)
    return pa.table(
        {
            "class": list(VELOCITIES),
            "policy": [outcome.policy] * count,
            "lines": np.bincount(world.lines.velocity, minlength=count),
            "inventory_days": sums.inventory_days,
            "fill_rate": sums.fill_rate,
            "stock_out_share": sums.stock_out_share,
            "lost_units": sums.lost_units,
            "waste_cents": sums.waste_cents,
            "order_lines": sums.order_lines,
        }
    )


def conserved(outcome: Outcome) -> Bools:
    """Whether stock is conserved, [days, lines]: closing of the day before + receipts =
    opening, and opening - sales - waste = closing."""
    before = np.zeros_like(outcome.closing)
    before[1:] = outcome.closing[:-1]
    opened = before + outcome.received == outcome.opening
    closed = outcome.opening - outcome.sales - outcome.waste == outcome.closing
    return np.asarray(opened & closed)
