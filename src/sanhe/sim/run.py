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
from sanhe.sim.book import Book, OrderLines, Outcome, place_orders, trade

if TYPE_CHECKING:
    from sanhe.sim.world import World

_Scalar = TypeVar("_Scalar", bound=np.generic)


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
    book = Book(world, days)
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
        place_orders(world, book, quantity, index=index)
        trade(world, book, index)
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


def view_after(world: World, outcome: Outcome) -> DayView:
    """What a policy may know on the morning after a run; the world must have that day."""
    if outcome.days >= world.settings.days:
        raise BadInput("no day is left after this run", remedy="raise future_days")
    book = Book(world, outcome.days + 1)
    book.take_over(outcome)
    return _morning(world, book, outcome.days)


def _morning(world: World, book: Book, index: int) -> DayView:
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
