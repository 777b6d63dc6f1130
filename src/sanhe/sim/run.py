"""Run a policy against a world, day by day, all lines at once.

A day: the policy sees the figures of the evening before and orders; then receipts before
opening, sales until the shelf is empty, spoiled goods out at closing. An order placed on day d
with a lead time of L days comes, if not late, before opening on day d + L. The policy never
sees the demand.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from sanhe.core.errors import BadInput
from sanhe.sim.arrays import Bools, Floats, Ints, Lines

if TYPE_CHECKING:
    from sanhe.sim.world import World

_Scalar = TypeVar("_Scalar", bound=np.generic)

_LATEST_DAYS = 120
"""Deliveries further out than this many days past the world's end are not scheduled."""


@dataclass(frozen=True, slots=True)
class DayView:
    """What a policy may know on the morning of a day. Arrays run [lines] or [days, lines].

    `index` and `day`: today; nothing of today has happened yet. `lines`: the lines' terms.
    `on_hand`, `on_order`: base units on the shelf, and ordered but not yet received.
    `sales`, `in_stock_share`, `opened_empty`: all days before today.
    `orderable`: the supplier takes orders today. `open_orders`: what is not yet received;
    `deliveries`: what was received before today. Their `arrives` and `delivered` are 0 where
    they lie ahead. `world`: calendar, items and places; its truth is not for policies.
    """

    index: int
    day: date
    lines: Lines
    on_hand: Ints
    on_order: Ints
    sales: Ints
    in_stock_share: Floats
    opened_empty: Bools
    orderable: Bools
    open_orders: OrderLines
    deliveries: OrderLines
    world: World

    def known_offers(self, horizon_days: int) -> tuple[Floats, Bools]:
        """Price share paid and display activity, [index + horizon, lines].

        The history, then `horizon_days` from today on. Of these only what was announced before
        today shows; days past the world's end are without offers.
        """
        end = self.index + horizon_days
        offers = self.world.offers
        announced = offers.published[:end] < self.index
        discount = np.where(announced, offers.discount[:end], 1.0).astype(np.float32)
        activity = announced & offers.activity[:end]
        missing = end - discount.shape[0]
        if missing > 0:
            discount = np.pad(discount, ((0, missing), (0, 0)), constant_values=1.0)
            activity = np.pad(activity, ((0, missing), (0, 0)))
        return discount, activity


class Policy(Protocol):
    """Decides, each morning, what to order."""

    @property
    def name(self) -> str:
        """What tables and plots call it."""
        ...

    def order(self, view: DayView) -> Ints:
        """Base units to order now, [lines]: whole cases, at least the MOQ, or 0.

        Only where `view.orderable`; the run raises BadInput on anything else.
        """
        ...


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


class _Book:
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


def run(world: World, policy: Policy, *, days: int, after: Outcome | None = None) -> Outcome:
    """Run `policy` up to day index `days` (exclusive), from the start or `after` a history.

    Raises BadInput when the policy orders what can't be ordered, or `days` are too many.
    """
    if days > world.settings.days:
        raise BadInput(
            f"the world has {world.settings.days} days, not {days}",
            place="run",
            remedy="raise future_days",
        )
    book = _Book(world, days)
    start = 0
    if after is not None:
        if after.days > days:
            raise BadInput(f"the history has {after.days} days already", place="run")
        book.take_over(after)
        start = after.days
    for index in range(start, days):
        view = _morning(world, book, index)
        quantity = np.asarray(policy.order(view), dtype=np.int64)
        _refuse_wrong_orders(world, view, quantity)
        _place_orders(world, book, quantity, index=index)
        _trade(world, book, index)
    return Outcome(
        policy=policy.name,
        from_day=start,
        opening=book.opening,
        received=book.received,
        sales=book.sales,
        waste=book.waste,
        closing=book.closing,
        in_stock_share=book.share,
        orders=book.orders,
        on_order=book.on_order,
    )


def _trade(world: World, book: _Book, index: int) -> None:
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


def _morning(world: World, book: _Book, index: int) -> DayView:
    """What is known before opening."""
    lines = world.lines
    new = np.where(lines.listed_from == index, world.supply.opening_stock, 0)
    before = book.closing[index - 1] if index else np.zeros(len(lines), dtype=np.int64)
    today = world.calendar.weekday[index]
    came = book.orders.arrives < index
    ahead = book.orders.only(~came)
    unknown = np.zeros(len(ahead), dtype=np.int64)
    return DayView(
        index=index,
        day=world.day(index),
        lines=lines,
        on_hand=before + new,
        on_order=_read_only(book.on_order),
        sales=_read_only(book.sales[:index]),
        in_stock_share=_read_only(book.share[:index]),
        opened_empty=_read_only(book.opening[:index] == 0),
        orderable=lines.order_weekday[:, today] & (lines.listed_from <= index),
        open_orders=replace(ahead, arrives=unknown, delivered=unknown),
        deliveries=book.orders.only(came),
        world=world,
    )


def _place_orders(world: World, book: _Book, quantity: Ints, *, index: int) -> None:
    """Hand the day's orders to the suppliers, who deliver late or short as the world drew."""
    chosen = np.flatnonzero(quantity)
    if not chosen.size:
        return
    placed = answered(world, chosen, quantity[chosen], index=index)
    book.on_order[chosen] += placed.quantity
    np.add.at(book.arriving, (placed.arrives, chosen), placed.delivered)
    np.add.at(book.clearing, (placed.arrives, chosen), placed.quantity)
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


def _read_only(array: NDArray[_Scalar]) -> NDArray[_Scalar]:
    view = array.view()
    view.flags.writeable = False
    return view


def _refuse_wrong_orders(world: World, view: DayView, quantity: Ints) -> None:
    lines = world.lines
    wrong = (quantity < 0) | (quantity % lines.case_size != 0)
    wrong |= (quantity > 0) & ((quantity < lines.moq) | ~view.orderable)
    if wrong.any():
        line = int(np.argmax(wrong))
        raise BadInput(
            f"{world.sku_ids[line]} in {world.place_ids[line]}: {quantity[line]} can't be ordered",
            place=f"policy on {view.day}",
            remedy=f"order whole cases of {lines.case_size[line]}, at least {lines.moq[line]}, "
            "on the supplier's order days",
        )
