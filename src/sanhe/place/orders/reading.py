"""An order as it is read: its lines, what each place gives for them, what happened to it."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sanhe.core.errors import Conflict, NotFound
from sanhe.core.values import Json
from sanhe.people.coupons import Use
from sanhe.place.orders.basket import Discount
from sanhe.place.orders.choose import Piece
from sanhe.place.orders.rules import (
    LineState,
    Outcome,
    State,
    Tenders,
    share_cents,
    state_of,
)


@dataclass(frozen=True, slots=True)
class OrderPart:
    """What one place gives for a line: `units` of the line, `each` base units of `sku` for one.

    A bundle has a part for each component. `id` names its claim on the stock.
    """

    id: UUID
    line: int
    place: str
    sku: str
    units: int
    each: int
    handed: int = 0
    cancelled: int = 0

    @property
    def open(self) -> int:
        """Units still to be handed over."""
        return self.units - self.handed - self.cancelled


@dataclass(frozen=True, slots=True)
class OrderLine:
    """A line: what was bought, for how much, and what became of it; quantities in base units.

    `instead_of` is the line that it stands in for, so much of which is cancelled.
    """

    line: int
    sku: str
    name: str
    price_cents: int
    per_units: int
    tax_cents: int | None
    custom: Mapping[str, str]
    discounts: tuple[Discount, ...]
    instead_of: int | None
    state: LineState

    @property
    def kept_tax_cents(self) -> int | None:
        """The tax in what was handed over and did not come back."""
        if self.tax_cents is None:
            return None
        of = self.state.amount_cents
        return share_cents(self.tax_cents, self.state.kept_cents, of=of) if of else 0


@dataclass(frozen=True, slots=True)
class Order:
    """An order of any channel; money in cents, times in UTC.

    `holds` are the pending transfers that held its stock, and what else it uses, until it was
    paid or let go. Of `paid_cents`, and of `refund_cents` that go back, points and stored value
    are a part, see `tenders`. `uses` are the promotions and coupons in its price.
    """

    id: UUID
    number: int
    channel: str
    place: str
    method: str
    member: str | None
    substitutes: bool
    currency: str
    goods_cents: int
    tax_cents: int | None
    delivery_cents: int
    total_cents: int
    points: int
    points_cents: int
    stored_cents: int
    uses: tuple[Use, ...]
    paid_cents: int
    refund_cents: int
    state: State
    placed_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    closed_at: datetime | None
    ready_at: datetime | None
    arrives_at: datetime | None
    latitude: float | None
    longitude: float | None
    why: Mapping[str, Json]
    holds: Sequence[UUID]
    lines: tuple[OrderLine, ...]
    parts: tuple[OrderPart, ...]

    @property
    def tenders(self) -> Tenders:
        """What it is paid with."""
        money = self.total_cents - self.points_cents - self.stored_cents
        return Tenders(self.points, self.points_cents, self.stored_cents, money)

    @property
    def handed_cents(self) -> int:
        """What was handed over is worth."""
        return sum(line.state.handed_cents for line in self.lines)

    @property
    def kept_cents(self) -> int:
        """What was handed over and did not come back is worth."""
        return sum(line.state.kept_cents for line in self.lines)

    @property
    def commission_base_cents(self) -> int | None:
        """What who sold it is paid by (提成基数): goods kept, without tax; None where a rate is
        not known."""
        taxes = [line.kept_tax_cents for line in self.lines]
        known = [tax for tax in taxes if tax is not None]
        return self.kept_cents - sum(known) if len(known) == len(taxes) else None

    def rewarded_cents(self, cents: int) -> int:
        """What of goods for so many cents no points paid, rounded down."""
        return self.tenders.without_points(cents)

    def line(self, number: int) -> OrderLine:
        """A line by its number. Raises NotFound."""
        for line in self.lines:
            if line.line == number:
                return line
        raise NotFound(f"order {self.number} has no line {number}")

    def parts_at(self, line: int, place: str) -> list[OrderPart]:
        """The parts of a line at a place: one, or one for each component."""
        return [part for part in self.parts if (part.line, part.place) == (line, place)]

    @property
    def open_pieces(self) -> list[Piece]:
        """What is still to be handed over, by line and place."""
        left = {(part.line, part.place): part.open for part in self.parts if part.open}
        return [Piece(line, place, units) for (line, place), units in left.items()]

    def check_open(self, pieces: Sequence[Piece]) -> None:
        """Raise Conflict for a piece that is more than what is open there, or told twice."""
        seen = set()
        for piece in pieces:
            parts = self.parts_at(piece.line, piece.place)
            left = parts[0].open if parts else 0
            if not 1 <= piece.units <= left or (piece.line, piece.place) in seen:
                raise Conflict(
                    f"order {self.number}, line {piece.line} at {piece.place}: {piece.units} asked "
                    f"for, {left} still open"
                )
            seen.add((piece.line, piece.place))

    def state_with(self, changed: Mapping[int, LineState]) -> State:
        """Where the order stands with these lines changed."""
        lines = [changed.get(line.line, line.state) for line in self.lines]
        return state_of(lines, paid=self.state is not State.PLACED)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which orders are asked for; None is any.

    `places` give, or gave, some of it; `since` and `until` (excluded) bound when it was placed;
    `text` is the number, a SKU of it, or the shopper's code, as it is written.
    """

    states: Collection[State] | None = None
    channel: str | None = None
    method: str | None = None
    places: Collection[str] | None = None
    member: str | None = None
    number: int | None = None
    sku: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """One thing that happened to an order, by whom."""

    at: datetime
    actor: str
    kind: str
    details: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Payment:
    """A payment told for an order, with what became of it."""

    provider: str
    reference: str
    amount_cents: int
    currency: str
    outcome: Outcome
    paid_at: datetime
    told_at: datetime


@dataclass(frozen=True, slots=True)
class AskedRefund:
    """A refund; `done_at` is None until the provider gave the money back."""

    id: UUID
    order_id: UUID
    provider: str
    reference: str
    amount_cents: int
    currency: str
    reason: str
    asked_at: datetime
    done_at: datetime | None


@dataclass(frozen=True, slots=True)
class Sold:
    """Base units of an SKU that left a place with a hand-over, to be told as a fact of sale.

    `id` is its name for good; `receipt` and `line` are the order's number and line. `discounts`:
    what promotions took off these units.
    """

    id: str
    handover: int
    order: UUID
    receipt: str
    line: int
    place: str
    sku: str
    quantity: int
    amount_cents: int
    currency: str
    at: datetime
    discounts: tuple[Discount, ...] = ()


Rows = Sequence[Mapping[str, Any]]
_STATE = ("quantity", "amount_cents", "handed", "handed_cents", "cancelled", "returned")
_LINE = ("line", "sku", "name", "price_cents", "per_units", "tax_cents", "custom", "instead_of")


def orders_of(found: tuple[Rows, Rows, Rows], wanted: Sequence[UUID]) -> list[Order]:
    """Orders from the rows of orders, lines and parts, in the wanted order."""
    rows, lines, parts = found
    of = {row["id"]: row for row in rows}
    lines_of: dict[UUID, list[OrderLine]] = {order: [] for order in of}
    parts_of: dict[UUID, list[OrderPart]] = {order: [] for order in of}
    for row in lines:
        state = LineState(
            **{name: row[name] for name in _STATE}, returned_cents=row["returned_cents"]
        )
        discounts = tuple(Discount(**one) for one in row["discounts"])
        given = {name: row[name] for name in _LINE}
        line = OrderLine(**given, discounts=discounts, state=state)
        lines_of[row["order_id"]].append(line)
    for row in parts:
        given = {name: value for name, value in row.items() if name != "order_id"}
        parts_of[row["order_id"]].append(OrderPart(**given))
    return [
        Order(
            **{
                **of[order],
                "state": State(of[order]["state"]),
                "uses": tuple(Use(**use) for use in of[order]["uses"]),
            },
            lines=tuple(lines_of[order]),
            parts=tuple(parts_of[order]),
        )
        for order in wanted
        if order in of
    ]


def sold_of(rows: Rows) -> list[Sold]:
    """What hand-overs say was sold: a bundle's amount is shared evenly by its components.

    Of each discount of a line the units have their share, see `rules.share_cents`.
    """
    of: dict[int, list[Mapping[str, Any]]] = {}
    for row in rows:
        of.setdefault(row["number"], []).append(row)
    return [
        Sold(
            id=f"{number}/{row['sku']}",
            handover=number,
            order=row["order_id"],
            receipt=str(row["order_number"]),
            line=row["line"],
            place=row["place"],
            sku=row["sku"],
            quantity=row["units"] * row["each"],
            amount_cents=_part_cents(row["amount_cents"], at, of=len(parts)),
            currency=row["currency"],
            at=row["at"],
            discounts=tuple(
                replace(one, cents=_part_cents(one.cents, at, of=len(parts)))
                for one in _discounts(row)
            ),
        )
        for number, parts in of.items()
        for at, row in enumerate(parts)
    ]


def _part_cents(cents: int, at: int, *, of: int) -> int:
    """The share of one of equal parts."""
    return share_cents(cents, at + 1, of=of) - share_cents(cents, at, of=of)


def _discounts(row: Mapping[str, Any]) -> Iterator[Discount]:
    """What promotions took off the units of a hand-over, `before` which others of the line left."""
    before, units = row["before"], row["units"]
    for one in row["discounts"]:
        found = Discount(**one)
        until = share_cents(found.cents, before + units, of=row["of_units"])
        yield replace(found, cents=until - share_cents(found.cents, before, of=row["of_units"]))
