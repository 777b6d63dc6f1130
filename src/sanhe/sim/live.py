"""The simulated retailer answering orders day by day: for the loop on a real installation.

The world keeps the true stock; what it reports goes through the same doors as real data.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from sanhe.core.errors import BadInput
from sanhe.sim.book import Book, Outcome, answered, enter_orders, trade
from sanhe.sim.master_facts import (
    price_facts,
    promotion_facts,
    weather_facts,
)
from sanhe.sim.trade_facts import (
    count_facts,
    order_names,
    receipt_facts,
    sale_facts,
    waste_facts,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    import pyarrow as pa

    from sanhe.sim.arrays import Ints
    from sanhe.sim.world import World


class Planner(Protocol):
    """What the loop steers: an installation that takes in facts and places orders."""

    def record(self, name: str, facts: pa.Table) -> None:
        """Take in one delivery of facts (FACT_SCHEMA)."""
        ...

    def plan(self, as_of: date) -> pa.Table:
        """Plan and order on the morning of a day.

        Returns the order lines now at the suppliers: order, line, sku, place (text) and
        quantity (base units).
        """
        ...


class LiveWorld:
    """A world that goes on after a history, one day at a time.

    `index` is the next day to trade. Orders are placed on its morning, then the day is traded
    and told as facts. Suppliers answer by the same draws as in every other run.
    """

    def __init__(self, world: World, history: Outcome) -> None:
        """Go on after `history`; its open orders are still under way."""
        self.world = world
        self._book = Book(world, world.settings.days)
        self._book.take_over(history)
        self._names = order_names(world, history.orders)
        self._line_names = [world.sku_ids[line] for line in history.orders.line]
        self._from_day = history.days
        self.index = history.days

    @property
    def today(self) -> date:
        """The next day to trade."""
        return self.world.day(self.index)

    @property
    def on_hand(self) -> Ints:
        """Base units on the shelf after the last day traded, [lines]."""
        return np.array(self._book.closing[self.index - 1])

    @property
    def on_order(self) -> Ints:
        """Base units ordered and not yet received, [lines]."""
        return np.array(self._book.on_order)

    def place(self, orders: pa.Table) -> None:
        """Hand this morning's order lines to the suppliers.

        Columns: order, line, sku, place (text) and quantity (base units). A line for a day on
        which the supplier takes no orders waits for its next order day. Raises BadInput for a
        line the retailer does not sell or a quantity below 1.
        """
        quantity = np.asarray(orders["quantity"].to_numpy(), dtype=np.int64)
        line = self.world.line_numbers(orders["sku"].to_pylist(), orders["place"].to_pylist())
        if quantity.size and quantity.min() < 1:
            raise BadInput(f"an order of {quantity.min()} units", place=f"orders of {self.today}")
        taken_on = self.index + self._wait_days(line)
        for index in np.unique(taken_on):
            chosen = np.flatnonzero(taken_on == index)
            placed = answered(self.world, line[chosen], quantity[chosen], index=int(index))
            enter_orders(self._book, placed)
            self._names += [orders["order"][int(row)].as_py() for row in chosen]
            self._line_names += [orders["line"][int(row)].as_py() for row in chosen]

    def _wait_days(self, line: Ints) -> Ints:
        """Days until each line's supplier next takes orders, 0 = today."""
        today = int(self.world.calendar.weekday[self.index])
        ahead = np.roll(self.world.lines.order_weekday[line], -today, axis=1)
        wait = ahead.argmax(axis=1)
        last = self.world.settings.days - 1 - self.index
        return np.asarray(np.minimum(wait, last), dtype=np.int64)

    def trade(self) -> dict[str, pa.Table]:
        """Trade the day and return what the retailer's systems report of it, by delivery."""
        index, world = self.index, self.world
        trade(world, self._book, index)
        self.index += 1
        outcome = self.outcome()
        return {
            "prices": price_facts(world, index, index),
            "promotions": promotion_facts(world, index, index),
            "weather": weather_facts(world, index, index),
            "receipts": receipt_facts(
                world,
                outcome.orders,
                self._names,
                first=index,
                last=index,
                line_names=self._line_names,
            ),
            "sales": sale_facts(world, outcome, index, last=index),
            "waste": waste_facts(world, outcome, index, last=index),
        }

    def count(self) -> pa.Table:
        """Count every shelf after the last day traded, as facts."""
        return count_facts(self.world, self.outcome(), [self.index - 1])

    def outcome(self) -> Outcome:
        """What came of it so far."""
        book, days = self._book, self.index
        return Outcome(
            policy="live",
            from_day=self._from_day,
            opening=book.opening[:days],
            received=book.received[:days],
            sales=book.sales[:days],
            waste=book.waste[:days],
            closing=book.closing[:days],
            in_stock_share=book.share[:days],
            orders=book.orders,
            on_order=book.on_order.copy(),
        )


def simulate(
    planner: Planner,
    live: LiveWorld,
    *,
    days: int,
    progress: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Let the planner order and the world answer for `days` days.

    The planner must already hold the history (World.facts). `progress` hears of (done, days).
    """
    for done in range(days):
        live.place(planner.plan(live.today))
        for name, facts in live.trade().items():
            if facts.num_rows:
                planner.record(name, facts)
        if progress is not None:
            progress(done + 1, days)
    return live.outcome()
