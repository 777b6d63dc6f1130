"""Run a policy against a world, day by day, all lines at once.

A day: receipts before opening, sales until the shelf is empty, spoiled goods out at closing,
then the policy sees the evening's figures and orders. The policy never sees the demand.
"""

from __future__ import annotations

from dataclasses import dataclass
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
    """What a policy may know on the evening of a day. Arrays run [lines] or [days, lines].

    `on_hand`, `on_order`: base units after closing, and ordered but not yet received.
    `sales`, `in_stock_share`, `opened_empty`: all days up to and including today.
    `orderable`: the supplier takes orders today. `world_lines`: the lines' known terms.
    `discount`, `activity`: [days + horizon, lines] price share paid; days ahead show only
    what is announced by today. `off`, `feels`: the calendar, days ahead included.
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
    world: World

    def known_offers(self, horizon_days: int) -> tuple[Floats, Bools]:
        """Price share paid and display activity, [today + 1 + horizon, lines].

        Of the days ahead only what is announced by today shows; days past the world's end
        are without offers.
        """
        end = self.index + 1 + horizon_days
        offers = self.world.offers
        announced = offers.published[:end] <= self.index
        discount = np.where(announced, offers.discount[:end], 1.0).astype(np.float32)
        activity = announced & offers.activity[:end]
        missing = end - discount.shape[0]
        if missing > 0:
            discount = np.pad(discount, ((0, missing), (0, 0)), constant_values=1.0)
            activity = np.pad(activity, ((0, missing), (0, 0)))
        return discount, activity


class Policy(Protocol):
    """Decides, each evening, what to order."""

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
        self.orders: list[tuple[Ints, ...]] = []

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
        done = history.orders
        self.orders.append(
            (done.line, done.ordered, done.due, done.arrives, done.quantity, done.delivered)
        )
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
        _trade(world, book, index)
        _place_orders(world, book, policy, index=index)
    columns = [np.concatenate(parts) for parts in zip(*book.orders, strict=True)]
    if not columns:
        columns = [np.zeros(0, dtype=np.int64) for _ in range(6)]
    return Outcome(
        policy=policy.name,
        from_day=start,
        opening=book.opening,
        received=book.received,
        sales=book.sales,
        waste=book.waste,
        closing=book.closing,
        in_stock_share=book.share,
        orders=OrderLines(*columns),
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


def _place_orders(world: World, book: _Book, policy: Policy, *, index: int) -> None:
    lines = world.lines
    today = world.calendar.weekday[index]
    orderable = lines.order_weekday[:, today] & (lines.listed_from <= index)
    view = DayView(
        index=index,
        day=world.day(index),
        lines=lines,
        on_hand=_read_only(book.closing[index]),
        on_order=_read_only(book.on_order),
        sales=_read_only(book.sales[: index + 1]),
        in_stock_share=_read_only(book.share[: index + 1]),
        opened_empty=_read_only(book.opening[: index + 1] == 0),
        orderable=orderable,
        world=world,
    )
    quantity = np.asarray(policy.order(view), dtype=np.int64)
    _refuse_wrong_orders(world, view, quantity)
    chosen = np.flatnonzero(quantity)
    if not chosen.size:
        return
    wanted = quantity[chosen]
    due = index + lines.lead_time_days[chosen]
    late = world.supply.delay_days[index, lines.supplier[chosen], lines.place[chosen]]
    case = lines.case_size[chosen]
    delivered = np.round(wanted * world.supply.filled[index, chosen] / case).astype(np.int64)
    delivered = np.minimum(delivered * case, wanted)
    book.on_order[chosen] += wanted
    book.arriving[due + late, chosen] += delivered
    book.clearing[due + late, chosen] += wanted
    ordered = np.full(chosen.shape, index, dtype=np.int64)
    book.orders.append((chosen, ordered, due, due + late, wanted, delivered))


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
