"""The suppliers' rules: order days and arrivals, cost of a line, grouping into orders, status."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from sanhe.core.errors import BadInput

Ints: TypeAlias = NDArray[np.int64]

ANY_DAY = frozenset(range(1, 8))


def order_weekdays(text: str | None) -> frozenset[int]:
    """The ISO weekdays (1 = Monday) on which a supplier takes orders; none given = any day.

    Raises BadInput for anything but numbers from 1 to 7.

    >>> sorted(order_weekdays("1,3,5"))
    [1, 3, 5]
    """
    parts = [part.strip() for part in (text or "").split(",") if part.strip()]
    if any(part not in {"1", "2", "3", "4", "5", "6", "7"} for part in parts):
        raise BadInput(
            f"{text!r} are no order weekdays", remedy='give ISO weekdays such as "1,3,5"'
        )
    return frozenset(int(part) for part in parts) or ANY_DAY


def next_order_day(weekdays: frozenset[int], day: date) -> date:
    """The first day from `day` on, itself included, on which the supplier takes orders."""
    return next(
        later
        for later in (day + timedelta(days=days) for days in range(7))
        if later.isoweekday() in weekdays
    )


def next_arrival(weekdays: frozenset[int], day: date, *, lead_time_days: int) -> date:
    """When goods ordered from `day` on arrive: the next order day plus the lead time (交期).

    `lead_time_days` are calendar days from the order day.
    """
    return next_order_day(weekdays, day) + timedelta(days=lead_time_days)


def protection_days(
    weekdays: frozenset[int], day: date, *, lead_time_days: int, review_days: int = 1
) -> int:
    """The protection interval in days: from `day` to the arrival of the order after the next.

    What is ordered at the next chance must last until the order after it arrives. With orders
    on any day that one is placed `review_days` later, else on the first order day from then on.
    """
    first = next_order_day(weekdays, day)
    second = next_order_day(weekdays, first + timedelta(days=max(review_days, 1)))
    return (second - day).days + lead_time_days


@dataclass(frozen=True, slots=True)
class OrderWaits:
    """Per supply line, int64 [n]: days until the next order day, and until the one after it."""

    next_days: Ints
    following_days: Ints


def order_waits(
    calendars: Sequence[str | None], day: date, *, review_days: Sequence[int] | int = 1
) -> OrderWaits:
    """`next_order_day` for many lines: `calendars` are their `order_weekdays` texts.

    `review_days` is the least distance between two orders, for all or per line.
    """
    known: dict[str | None, frozenset[int]] = {}
    for text in set(calendars):
        known[text] = order_weekdays(text)
    names = list(known)
    reviews = np.maximum(np.broadcast_to(np.asarray(review_days, np.int64), len(calendars)), 1)
    longest = int(reviews.max(initial=1)) + 7
    # wait[c, k]: days from `day + k` to calendar c's next order day.
    wait = np.array(
        [
            [
                (next_order_day(known[name], day + timedelta(days=k)) - day).days - k
                for k in range(longest)
            ]
            for name in names
        ],
        dtype=np.int64,
    ).reshape(len(names), longest)
    number = {name: index for index, name in enumerate(names)}
    row = np.array([number[text] for text in calendars], dtype=np.int64)
    first = wait[row, 0]
    after = first + reviews
    return OrderWaits(first, after + wait[row, after])


def line_cost_cents(
    quantity: int,
    *,
    unit_cost_cents: int | None,
    cost_per_case_cents: int | None,
    case_size: int | None,
) -> int | None:
    """The cost of a line in integer cents; a cost per case wins, as it is the finer one.

    Half a cent is rounded up. None when no cost is known.
    """
    if cost_per_case_cents is not None and case_size:
        return (2 * quantity * cost_per_case_cents + case_size) // (2 * case_size)
    return None if unit_cost_cents is None else quantity * unit_cost_cents


class OrderStatus(StrEnum):
    """The life of a purchase order (采购订单).

    PROPOSED and SENT are steps of our own; the others follow from receipts and closures.
    """

    PROPOSED = "proposed"
    SENT = "sent"
    PART_RECEIVED = "part_received"
    RECEIVED = "received"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class LineState:
    """What became of an order line, in base units; `closed` = the rest was cancelled."""

    ordered: int
    received: int
    closed: bool = False

    @property
    def open(self) -> int:
        """What is still to come."""
        return 0 if self.closed else max(self.ordered - self.received, 0)


def order_status(*, sent: bool, lines: Iterable[LineState]) -> OrderStatus:
    """The status that follows from the lines: all in full = received, nothing open = closed."""
    states = list(lines)
    if states and all(state.received >= state.ordered for state in states):
        return OrderStatus.RECEIVED
    if states and all(state.open == 0 for state in states):
        return OrderStatus.CLOSED
    if any(state.received > 0 for state in states):
        return OrderStatus.PART_RECEIVED
    return OrderStatus.SENT if sent else OrderStatus.PROPOSED


@dataclass(frozen=True, slots=True)
class OrderLine:
    """What shall be ordered of one SKU for one place, in base units.

    `decision` is the number of the approved decision behind it. What is left out (costs,
    currency, case, lead time) is taken from the supply terms; what is given here wins.
    `transfer`: the supplier is a place of ours that gives it from its stock (调拨).
    """

    sku: str
    place: str
    supplier: str
    quantity: int
    decision: int | None = None
    name: str = ""
    case_size: int | None = None
    unit_cost_cents: int | None = None
    cost_per_case_cents: int | None = None
    lead_time_days: int | None = None
    currency: str | None = None
    transfer: bool = False

    @property
    def cost_cents(self) -> int | None:
        """The line's cost; None when no cost is known."""
        return line_cost_cents(
            self.quantity,
            unit_cost_cents=self.unit_cost_cents,
            cost_per_case_cents=self.cost_per_case_cents,
            case_size=self.case_size,
        )


@dataclass(frozen=True, slots=True)
class OrderDraft:
    """The lines of one order to be: one supplier, one place, one day of arrival, one currency."""

    supplier: str
    place: str
    due: date
    currency: str | None
    transfer: bool
    lines: tuple[OrderLine, ...]


def group_lines(
    lines: Iterable[tuple[OrderLine, frozenset[int]]], day: date, *, lead_time_days: int = 0
) -> list[OrderDraft]:
    """Group lines, each with its supplier's order weekdays, into orders placed from `day` on.

    Sorted by supplier, place, due date and currency, lines by SKU, so that equal input gives
    equal orders; a transfer is an order of its own.
    `lead_time_days` is for lines that have none. Raises BadInput for a quantity below one.
    """
    groups: dict[tuple[str, str, date, str | None, bool], list[OrderLine]] = {}
    for line, weekdays in lines:
        if line.quantity < 1:
            raise BadInput(
                f"can't order {line.quantity} of {line.sku} for {line.place}",
                remedy="leave out lines without a quantity",
            )
        days = lead_time_days if line.lead_time_days is None else line.lead_time_days
        due = next_arrival(weekdays, day, lead_time_days=days)
        key = (line.supplier, line.place, due, line.currency, line.transfer)
        groups.setdefault(key, []).append(line)
    return [
        OrderDraft(*key, tuple(sorted(group, key=lambda line: (line.sku, line.decision or 0))))
        for key, group in sorted(groups.items(), key=lambda one: _sortable(one[0]))
    ]


def _sortable(key: tuple[str, str, date, str | None, bool]) -> tuple[str, str, date, str, bool]:
    supplier, place, due, currency, transfer = key
    return supplier, place, due, currency or "", transfer


def order_name(number: int, *, transfer: bool = False) -> str:
    """The name people and suppliers see: SH-000123, of a transfer (调拨单) TR-000123.

    Not PO-…, as many ERPs name theirs.
    """
    return f"{'TR' if transfer else 'SH'}-{number:06d}"
