"""The days of a replay: order, receive, sell, waste; all seeds and lines at once.

A morning: the rule sees the stock of the evening before and orders. Then what is due arrives
before opening, shoppers take what is there, and what has reached the end of its life goes. Demand
that meets an empty shelf is lost. Arrays are [seeds, lines].
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from sanhe.models.replay.compare import Totals
from sanhe.models.replay.record import (
    Bools,
    Counts,
    Fates,
    Float64s,
    Floats,
    Ints,
    Record,
    Terms,
)

_Number = TypeVar("_Number", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Morning:
    """What a rule may know before opening: nothing of today has happened.

    `index`: the replayed day, from 0. `weekday`: Monday = 0. `on_hand`, `on_order`: base units
    [seeds, lines]; what was ordered and has not come. `due`: [lines], the supplier takes orders
    today. `seen`: demand of all days before today, [days, lines].
    """

    index: int
    weekday: int
    on_hand: Counts
    on_order: Counts
    due: Bools
    seen: Floats
    terms: Terms


class Rule(Protocol):
    """Decides each morning what to order."""

    @property
    def name(self) -> str:
        """What tables call it."""
        ...

    def order(self, morning: Morning) -> Counts | Ints:
        """Base units to order now, [seeds, lines]; 0 where not due."""
        ...


@dataclass(frozen=True, slots=True)
class Played:
    """What came of a rule: sums over the counted days [seeds, lines], and days [seeds, T].

    Units: `demand`, `sold`, `stock` (closing stock summed over the days), `waste`, `ordered`;
    `order_lines` and `dry_days` (nothing left at closing, or demand lost) are counts. `received`
    and `closing` close the books: opening + received - sold - waste = closing, over all days of
    the replay (`all_sold`, `all_waste`). By day, at cost: `stock_cents`, `sold_cents`,
    `lost_cents`, `waste_cents`, `ordered_cents`.
    """

    name: str
    seeds: tuple[int, ...]
    counted_days: int
    demand: Ints
    sold: Ints
    stock: Ints
    waste: Ints
    ordered: Ints
    order_lines: Ints
    dry_days: Ints
    received: Ints
    all_sold: Ints
    all_waste: Ints
    closing: Counts
    by_day: dict[str, np.ndarray[tuple[int, ...], np.dtype[np.float64]]]


def replay(record: Record, rule: Rule, fates: Fates) -> Played:
    """Run a rule over the record under every fate.

    Raises ValueError when the rule orders less than nothing or on a day that is none of the
    supplier's.
    """
    books = _Books(record, len(fates.seeds), most_delay_days=int(fates.delay_days.max(initial=0)))
    for index in range(record.days):
        weekday = (record.first_weekday + index) % 7
        morning = Morning(
            index=index,
            weekday=weekday,
            on_hand=_read_only(books.on_hand),
            on_order=_read_only(books.on_order),
            due=record.terms.order_weekday[:, weekday],
            seen=_read_only(record.demand[: record.history_days + index]),
            terms=record.terms,
        )
        quantity = np.asarray(rule.order(morning), np.int32)
        if (quantity < 0).any() or quantity[:, ~morning.due].any():
            raise ValueError(f"{rule.name}: an order below zero or on no order day, day {index}")
        books.place(index, quantity, fates.delay_days[:, index])
        demand = fates.demand[:, index]
        books.trade(index, demand)
    return books.played(rule.name, fates.seeds)


def _read_only(array: NDArray[_Number]) -> NDArray[_Number]:
    view = array.view()
    view.flags.writeable = False
    return view


class _Books:
    """Stock, deliveries under way and running sums of one replay."""

    def __init__(self, record: Record, seeds: int, *, most_delay_days: int) -> None:
        self.record, terms = record, record.terms
        shape = (seeds, len(terms))
        self.on_hand: Counts = np.broadcast_to(record.opening, shape).astype(np.int32)
        self.on_order: Counts = np.zeros(shape, np.int32)
        longest = int(terms.lead_time_days.max(initial=1)) + max(most_delay_days, 0) + 1
        self.arriving: Counts = np.zeros((longest, *shape), np.int32)
        self.seed = np.arange(seeds)[:, None]
        self.spoiling = np.flatnonzero(terms.shelf_life_days)
        self.life = terms.shelf_life_days[self.spoiling]
        span = int(self.life.max(initial=0)) + 1
        self.came = np.zeros((span, seeds, len(self.spoiling)), np.int64)
        self.came[:] = self.on_hand[:, self.spoiling]
        self.gone = np.zeros((seeds, len(self.spoiling)), np.int64)
        names = ("demand", "sold", "stock", "waste", "ordered", "order_lines", "dry_days")
        self.sums = {name: np.zeros(shape, np.int64) for name in names}
        self.all = {name: np.zeros(shape, np.int64) for name in ("received", "sold", "waste")}
        days = ("stock_cents", "sold_cents", "lost_cents", "waste_cents", "ordered_cents")
        self.by_day: dict[str, NDArray[np.float64]] = {
            name: np.zeros((seeds, record.days)) for name in days
        }

    def place(self, index: int, quantity: Counts, delay_days: NDArray[Any]) -> None:
        """Hand the day's orders over; each comes whole on its day."""
        self.by_day["ordered_cents"][:, index] = quantity @ self.record.terms.unit_cost_cents
        if index >= self.record.counted_from:
            self.sums["ordered"] += quantity
            self.sums["order_lines"] += quantity > 0
        seed, line = np.nonzero(quantity)
        if not len(line):
            return
        lead = self.record.terms.lead_time_days[line] + delay_days[seed, line]
        slot = (index + np.maximum(lead, 1)) % len(self.arriving)
        self.arriving[slot, seed, line] += quantity[seed, line]
        self.on_order += quantity

    def trade(self, index: int, demand: Counts) -> None:
        """Receipts, sales and waste of one day."""
        slot = index % len(self.arriving)
        received = self.arriving[slot].copy()
        self.arriving[slot] = 0
        self.on_order -= received
        self.on_hand += received
        sold = np.minimum(self.on_hand, demand)
        self.on_hand -= sold
        waste = self._spoil(index, received, sold)
        cost = self.record.terms.unit_cost_cents
        for name, units in (("received", received), ("sold", sold), ("waste", waste)):
            self.all[name] += units
        self.by_day["stock_cents"][:, index] = self.on_hand @ cost
        self.by_day["sold_cents"][:, index] = sold @ cost
        self.by_day["lost_cents"][:, index] = (demand - sold) @ cost
        self.by_day["waste_cents"][:, index] = waste @ cost
        if index < self.record.counted_from:
            return
        self.sums["demand"] += demand
        self.sums["sold"] += sold
        self.sums["stock"] += self.on_hand
        self.sums["waste"] += waste
        self.sums["dry_days"] += (self.on_hand == 0) | (sold < demand)

    def _spoil(self, index: int, received: Counts, sold: Counts) -> Counts:
        """What reaches the end of its life at closing: first in, first out.

        What had come by day t - L + 1 must have left by the end of day t. The opening stock
        counts as fresh on the evening before.
        """
        waste = np.zeros_like(self.on_hand)
        if not len(self.spoiling):
            return waste
        span, rows = len(self.came), self.spoiling
        self.came[index % span] = self.came[(index - 1) % span] + received[:, rows]
        self.gone += sold[:, rows]
        last = index - self.life + 1
        due = self.came[last % span, self.seed, np.arange(len(rows))]
        due = np.where(last >= -1, due, 0)
        spoiled = np.maximum(due - self.gone, 0)
        self.gone += spoiled
        waste[:, rows] = spoiled
        self.on_hand -= waste
        return waste

    def played(self, name: str, seeds: tuple[int, ...]) -> Played:
        """The sums as they stand."""
        return Played(
            name=name,
            seeds=seeds,
            counted_days=self.record.days - self.record.counted_from,
            received=self.all["received"],
            all_sold=self.all["sold"],
            all_waste=self.all["waste"],
            closing=self.on_hand,
            by_day=self.by_day,
            **self.sums,
        )


def totals_of(played: Played, terms: Terms, *, by: Ints | None = None) -> Totals:
    """Sums of a replay: one number a seed, or one a group `by` [N] (means over the seeds).

    Sales are at cost plus margin; the holding cost is that of `Totals`.
    """
    cost, margin = terms.unit_cost_cents, terms.margin_cents
    one = np.ones(len(terms))

    def summed(units: Ints, weight: Float64s) -> Float64s:
        if by is None:
            return np.asarray(units @ weight, np.float64)
        worth = units.mean(axis=0) * weight
        return np.bincount(by, weights=worth, minlength=int(by.max()) + 1).astype(np.float64)

    days = np.full(played.sold.shape, played.counted_days)
    return Totals(
        demand_units=summed(played.demand, one),
        sold_units=summed(played.sold, one),
        sales_cents=summed(played.sold, cost + margin),
        sold_cost_cents=summed(played.sold, cost),
        margin_cents=summed(played.sold, margin),
        lost_margin_cents=summed(played.demand - played.sold, margin),
        stock_cents=summed(played.stock, cost),
        waste_units=summed(played.waste, one),
        waste_cents=summed(played.waste, cost),
        order_lines=summed(played.order_lines, one),
        ordered_cents=summed(played.ordered, cost),
        dry_days=summed(played.dry_days, one),
        line_days=summed(days, one),
    )
