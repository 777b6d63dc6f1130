"""The life of an order: what a payment does to it, what each unit is worth, where it stands.

Pure functions. An order is held until `expires_at`; it is paid once and in full, or not at all.
A payment that can't be taken is given back whole, whatever the reason:

- *late*: the time was over when the payment was told; the stock is free again, and stays so;
- *twice*: the order was paid by another payment;
- *differs*: another amount or currency than was asked for;
- *closed*: the order was cancelled.

So the same payment always ends in the same state, however often and in whatever order it is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from fractions import Fraction

from sanhe.core.errors import BadInput
from sanhe.core.values import half_up


class State(StrEnum):
    """Where an order stands (订单状态)."""

    PLACED = "placed"
    """Stock is held, payment is awaited."""
    PAID = "paid"
    """Paid; some of it is still to be handed over."""
    COMPLETE = "complete"
    """All was handed over or cancelled."""
    CANCELLED = "cancelled"
    """All was cancelled, nothing was handed over."""
    EXPIRED = "expired"
    """Its time was over before it was paid."""


class Outcome(StrEnum):
    """What became of a payment: taken, or why it is given back."""

    TAKEN = "taken"
    LATE = "late"
    TWICE = "twice"
    DIFFERS = "differs"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Due:
    """What a payment is judged by."""

    state: State
    due_cents: int
    currency: str
    expires_at: datetime


def outcome_of(due: Due, *, amount_cents: int, currency: str, now: datetime) -> Outcome:
    """What becomes of a payment told at `now`; see the module for the reasons."""
    if due.state is State.EXPIRED or (due.state is State.PLACED and due.expires_at <= now):
        return Outcome.LATE
    if due.state is State.CANCELLED:
        return Outcome.CLOSED
    if due.state is not State.PLACED:
        return Outcome.TWICE
    if (amount_cents, currency) != (due.due_cents, due.currency):
        return Outcome.DIFFERS
    return Outcome.TAKEN


def share_cents(amount_cents: int, units: int, *, of: int) -> int:
    """What the first `units` of `of` units are worth that cost an amount, rounded half up.

    The worth of further units is the difference of two shares: however a line is taken apart,
    in whatever steps, the parts sum to its amount to the cent.

    >>> [share_cents(100, n, of=3) for n in (1, 2, 3)]
    [33, 67, 100]
    """
    if not 0 <= units <= of:
        raise BadInput(f"{units} units are not within 0 and {of}")
    return half_up(amount_cents * units, of)


def split(cents: int, weights: Sequence[int]) -> list[int]:
    """So many cents of the sum of the weights, shared out by the weights.

    Cent by cent, each to whom `weight / (2 x what it has + 1)` is highest, the first of equals: the
    divisor method of Webster (Balinski and Young, Fair Representation, 1982). More cents never
    leave anybody with fewer, and all of the cents are the weights: so in whatever steps an order
    is given back, what each tender has had depends on the sum alone, and ends at what it gave.

    >>> [split(cents, (1, 1, 2)) for cents in range(5)]
    [[0, 0, 0], [0, 0, 1], [1, 0, 1], [1, 1, 1], [1, 1, 2]]
    """
    whole = sum(weights)
    if not 0 <= cents <= whole:
        raise BadInput(f"{cents} cents are not within 0 and {whole}")
    if whole == 0:
        return [0] * len(weights)
    # Nobody is ever further below the exact share than there are others.
    shares = [max(cents * weight // whole - len(weights), 0) for weight in weights]
    for _ in range(cents - sum(shares)):
        claims = [
            Fraction(weight, 2 * has + 1) for weight, has in zip(weights, shares, strict=True)
        ]
        shares[claims.index(max(claims))] += 1
    return shares


@dataclass(frozen=True, slots=True)
class Tenders:
    """What an order is paid with (支付方式): points, what they are worth, stored value, money."""

    points: int
    points_cents: int
    stored_cents: int
    money_cents: int

    def share(self, cents: int) -> Tenders:
        """What has gone back of each once so many cents of the order have."""
        points, stored, money = split(
            cents, (self.points_cents, self.stored_cents, self.money_cents)
        )
        of = self.points_cents
        units = share_cents(self.points, points, of=of) if of else 0
        return Tenders(units, points, stored, money)

    def without_points(self, cents: int) -> int:
        """What of so many cents of the order no points paid: its share, rounded down."""
        whole = self.points_cents + self.stored_cents + self.money_cents
        return cents * (whole - self.points_cents) // whole if whole else 0

    def __sub__(self, other: Tenders) -> Tenders:
        return Tenders(
            self.points - other.points,
            self.points_cents - other.points_cents,
            self.stored_cents - other.stored_cents,
            self.money_cents - other.money_cents,
        )


@dataclass(frozen=True, slots=True)
class LineState:
    """What became of a line, in base units and cents. `returned` are some of the `handed`."""

    quantity: int
    amount_cents: int
    handed: int = 0
    cancelled: int = 0
    returned: int = 0
    handed_cents: int = 0
    returned_cents: int = 0

    @property
    def kept_cents(self) -> int:
        """What was handed over and did not come back is worth."""
        return self.handed_cents - self.returned_cents

    @property
    def is_undone(self) -> bool:
        """Whether nothing of it is with the shopper, or will be."""
        return self.cancelled + self.returned == self.quantity

    @property
    def open(self) -> int:
        """What is still to be handed over."""
        return self.quantity - self.handed - self.cancelled

    def worth_cents(self, units: int) -> int:
        """What the next `units` to be handed over or cancelled are worth."""
        gone = self.handed + self.cancelled
        before = share_cents(self.amount_cents, gone, of=self.quantity)
        return share_cents(self.amount_cents, gone + units, of=self.quantity) - before

    def return_cents(self, units: int) -> int:
        """What the next `units` to come back are worth; all of them what was handed over."""
        whole = share_cents(self.handed_cents, self.returned + units, of=self.handed)
        return max(whole - self.returned_cents, 0)


def state_of(lines: Sequence[LineState], *, paid: bool) -> State:
    """Where an order that did not expire stands, by its lines."""
    if any(line.open for line in lines):
        return State.PAID if paid else State.PLACED
    return State.COMPLETE if any(line.handed for line in lines) else State.CANCELLED
