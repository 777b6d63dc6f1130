"""The books of a run: stock, receipts, sales and waste by day and line, and orders under way.

The day itself: receipts before opening, sales until the shelf is empty, spoiled goods out at
closing. Suppliers answer orders late or short as the world drew, whoever orders.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from sanhe.sim.arrays import Bools, Floats, Ints
    from sanhe.sim.world import World

_LATEST_DAYS = 120
"""Deliveries further out than this many days past the last day of a run are not scheduled."""


@dataclass(frozen=True, slots=True)
class OrderLines:
    """Every order line of a run. Days are day indices; quantities are base units.

    `due`: agreed day of receipt; `arrives`: the day it comes; `delivered` may be short.
    """

    line: Ints
    ordered: Ints
    due: Ints
    arrives: Ints
    quantity: Ints
    delivered: Ints

    def __len__(self) -> int:
        """The number of order lines."""
        return int(self.line.shape[0])

    @classmethod
    def none(cls) -> OrderLines:
        """No order lines."""
        return cls(*(np.zeros(0, dtype=np.int64) for _ in range(6)))

    def followed_by(self, more: OrderLines) -> OrderLines:
        """These order lines and then `more`."""
        return OrderLines(
            line=np.concatenate([self.line, more.line]),
            ordered=np.concatenate([self.ordered, more.ordered]),
            due=np.concatenate([self.due, more.due]),
            arrives=np.concatenate([self.arrives, more.arrives]),
            quantity=np.concatenate([self.quantity, more.quantity]),
            delivered=np.concatenate([self.delivered, more.delivered]),
        )

    def only(self, chosen: Ints | Bools) -> OrderLines:
        """The chosen order lines, by number or mask."""
        return OrderLines(
            line=self.line[chosen],
            ordered=self.ordered[chosen],
            due=self.due[chosen],
            arrives=self.arrives[chosen],
            quantity=self.quantity[chosen],
            delivered=self.delivered[chosen],
        )


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a policy: base units by day and line, [days, lines], from the first day on.

    `opening` is the stock at opening, after receipts; `closing` the stock after waste.
    `from_day` is the first day index the policy itself decided for; earlier days are the
    history it took over.
    """

    policy: str
    from_day: int
    opening: Ints
    received: Ints
    sales: Ints
    waste: Ints
    closing: Ints
    in_stock_share: Floats
    orders: OrderLines
    on_order: Ints

    @property
    def days(self) -> int:
        """The number of days run."""
        return int(self.sales.shape[0])

    @property
    def opened_empty(self) -> Bools:
        """Whether a line opened without stock, [days, lines]."""
        return np.asarray(self.opening == 0)


class Book:
    """The books of one run: arrays filled day by day, and the deliveries under way."""

    def __init__(self, world: World, days: int) -> None:
        shape = (days, len(world.lines))
        self.opening = np.zeros(shape, dtype=np.int64)
        self.received = np.zeros(shape, dtype=np.int64)
        self.sales = np.zeros(shape, dtype=np.int64)
        self.waste = np.zeros(shape, dtype=np.int64)
        self.closing = np.zeros(shape, dtype=np.int64)
        self.share = np.ones(shape, dtype=np.float32)
        ahead = (days + _LATEST_DAYS, len(world.lines))
        self.arriving = np.zeros(ahead, dtype=np.int64)
        self.clearing = np.zeros(ahead, dtype=np.int64)
        self.on_order = np.zeros(len(world.lines), dtype=np.int64)
        self.received_so_far = np.zeros(shape, dtype=np.int64)
        self.out_so_far = np.zeros(len(world.lines), dtype=np.int64)
        self.orders = OrderLines.none()
        self.days = days

    def take_over(self, history: Outcome) -> None:
        """Go on where another run stopped."""
        days = history.days
        self.opening[:days] = history.opening
        self.received[:days] = history.received
        self.sales[:days] = history.sales
        self.waste[:days] = history.waste
        self.closing[:days] = history.closing
        self.share[:days] = history.in_stock_share
        self.received_so_far[:days] = np.cumsum(history.received, axis=0)
        self.out_so_far = history.sales.sum(axis=0) + history.waste.sum(axis=0)
        self.on_order = history.on_order.copy()
        done = self.orders = history.orders
        ahead = (done.arrives >= days) & (done.arrives < self.arriving.shape[0])
        np.add.at(self.arriving, (done.arrives[ahead], done.line[ahead]), done.delivered[ahead])
        np.add.at(self.clearing, (done.arrives[ahead], done.line[ahead]), done.quantity[ahead])


def trade(world: World, book: Book, index: int) -> None:
    """Receipts, sales and waste of one day."""
    lines = world.lines
    received = book.arriving[index] + np.where(
        lines.listed_from == index, world.supply.opening_stock, 0
    )
    before = book.closing[index - 1] if index else np.zeros(len(lines), dtype=np.int64)
    opening = before + received
    demand = world.truth.demand[index]
    sales = np.minimum(demand, opening)
    book.on_order -= book.clearing[index]
    book.received[index], book.opening[index], book.sales[index] = received, opening, sales
    earlier = book.received_so_far[index - 1] if index else 0
    book.received_so_far[index] = earlier + received
    book.share[index] = in_stock_share(demand, opening, world.moment[index])
    book.out_so_far += sales
    waste = spoiled(lines.shelf_life_days, book.received_so_far, book.out_so_far, index=index)
    book.out_so_far += waste
    book.waste[index] = waste
    book.closing[index] = opening - sales - waste


def in_stock_share(demand: Ints, opening: Ints, moment: Floats) -> Floats:
    """The share of the selling day with stock, [lines].

    With D customers' units spread evenly over the day, the time of the S-th of them is
    Beta(S, D - S + 1) distributed (order statistics of uniforms); `moment` is its quantile.
    1 where stock is left, 0 where the day opened empty.
    """
    from scipy.special import betaincinv

    share = np.ones(demand.shape, dtype=np.float32)
    share[opening == 0] = 0.0
    sold_out = (opening > 0) & (demand >= opening)
    stock = opening[sold_out].astype(np.float64)
    share[sold_out] = betaincinv(stock, demand[sold_out] - stock + 1, moment[sold_out])
    return share


def spoiled(shelf_life_days: Ints, received_so_far: Ints, gone: Ints, *, index: int) -> Ints:
    """Base units that reach the end of their shelf life at closing, [lines].

    First in, first out: whatever was received up to day t - L + 1 must have left by the end
    of day t; `received_so_far` [days, lines] and `gone` [lines] are running totals.
    """
    last_day = index - shelf_life_days + 1
    due = received_so_far[np.clip(last_day, 0, index), np.arange(gone.shape[0])]
    due = np.where((shelf_life_days > 0) & (last_day >= 0), due, 0)
    return np.asarray(np.maximum(due - gone, 0), dtype=np.int64)


def place_orders(world: World, book: Book, quantity: Ints, *, index: int) -> None:
    """Hand the day's orders to the suppliers, who deliver late or short as the world drew."""
    chosen = np.flatnonzero(quantity)
    if not chosen.size:
        return
    enter_orders(book, answered(world, chosen, quantity[chosen], index=index))


def enter_orders(book: Book, placed: OrderLines) -> None:
    """Write order lines into the books: on order, and what will come of them."""
    np.add.at(book.on_order, placed.line, placed.quantity)
    np.add.at(book.arriving, (placed.arrives, placed.line), placed.delivered)
    np.add.at(book.clearing, (placed.arrives, placed.line), placed.quantity)
    book.orders = book.orders.followed_by(placed)


def answered(world: World, line: Ints, quantity: Ints, *, index: int) -> OrderLines:
    """What suppliers make of order lines placed on day `index`: when they come, and how much.

    The world drew delays and shortfalls by day, so the same line on the same day meets the
    same fate under every policy. Short lines come in whole cases; their rest is cancelled.
    """
    lines = world.lines
    due = index + lines.lead_time_days[line]
    late = world.supply.delay_days[index, lines.supplier[line], lines.place[line]]
    case = lines.case_size[line]
    cases = np.round(quantity * world.supply.filled[index, line] / case).astype(np.int64)
    return OrderLines(
        line=line,
        ordered=np.full(line.shape, index, dtype=np.int64),
        due=due,
        arrives=due + late,
        quantity=quantity,
        delivered=np.minimum(cases * case, quantity),
    )
