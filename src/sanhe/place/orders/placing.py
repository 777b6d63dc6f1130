"""Placing: from a basket to a quote, and to the rows and transfers that an order is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sanhe.core.errors import Conflict, Shortage
from sanhe.core.values import derived_id, new_id
from sanhe.goods.stock import Claim
from sanhe.people.coupons import NotUsable, Use
from sanhe.people.promotions import Refusal
from sanhe.place.orders.basket import Basket, PricedLine, shown_as
from sanhe.place.orders.choose import Piece, Plan
from sanhe.place.orders.reading import Order, OrderPart
from sanhe.place.orders.recipient import Recipient, checked_recipient
from sanhe.place.orders.rules import State, Tenders
from sanhe.place.orders.store import Row


@dataclass(frozen=True, slots=True)
class Quote:
    """What a basket costs and promises now; nothing is held for it.

    `uses` are the promotions and coupons in it, `refused` those that don't count and why not,
    `unusable` the codes that are worth nothing.
    `delivery_cents` is what is left of the plan's fee. It is paid by `tenders`, and
    earns points once it is complete.
    """

    lines: tuple[PricedLine, ...]
    plan: Plan
    currency: str
    delivery_cents: int
    uses: tuple[Use, ...]
    refused: tuple[Refusal, ...]
    unusable: Mapping[str, NotUsable]
    tenders: Tenders
    earns_points: int

    @property
    def goods_cents(self) -> int:
        """What the goods cost, tax included."""
        return sum(line.amount_cents for line in self.lines)

    @property
    def tax_cents(self) -> int | None:
        """The tax in it; None where a line's rate is not known."""
        taxes = [line.tax_cents for line in self.lines if line.tax_cents is not None]
        return sum(taxes) if len(taxes) == len(self.lines) else None

    @property
    def total_cents(self) -> int:
        """What the shopper pays: goods and delivery."""
        return self.goods_cents + self.delivery_cents


@dataclass(frozen=True, slots=True)
class Placing:
    """A basket to be ordered at the total the shopper saw, and who it goes to."""

    basket: Basket
    agreed_cents: int
    recipient: Recipient | None = None


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that was placed: `due_cents` of money are to be paid until `expires_at`."""

    id: UUID
    number: int
    state: State
    total_cents: int
    due_cents: int
    expires_at: datetime
    ready_at: datetime | None
    arrives_at: datetime | None


@dataclass(frozen=True, slots=True)
class Draft:
    """An order as it will be written once its stock is held."""

    id: UUID
    basket: Basket
    quote: Quote
    parts: tuple[OrderPart, ...]
    now: datetime
    expires_at: datetime
    recipient: Recipient | None = None

    @property
    def state(self) -> State:
        """What needs no money is paid at once."""
        return State.PLACED if self.quote.tenders.money_cents else State.PAID

    @property
    def claims(self) -> list[Claim]:
        """What it claims of the stock."""
        channel, keep = self.basket.channel, self.quote.plan.keep
        return [
            claim(part, order=self.id, at=self.now, channel=channel, keep=keep)
            for part in self.parts
        ]

    def row(self, holds: Sequence[UUID]) -> Row:
        """The order's rows as `store.insert` takes them; `holds` are what holds its stock."""
        wanted, plan = self.basket.delivery, self.quote.plan
        return {
            "id": self.id,
            "channel": self.basket.channel,
            "place": plan.place,
            "method": wanted.method,
            "member": self.basket.member,
            "substitutes": self.basket.substitutes,
            "currency": self.quote.currency,
            "goods_cents": self.quote.goods_cents,
            "tax_cents": self.quote.tax_cents,
            "delivery_cents": self.quote.delivery_cents,
            "total_cents": self.quote.total_cents,
            "points": self.quote.tenders.points,
            "points_cents": self.quote.tenders.points_cents,
            "stored_cents": self.quote.tenders.stored_cents,
            "uses": [
                {**asdict(use), "coupon_code": shown_as(use.coupon_code)} for use in self.quote.uses
            ],
            "state": self.state.value,
            "placed_at": self.now,
            "expires_at": self.expires_at,
            "ready_at": plan.ready_at,
            "arrives_at": plan.arrives_at,
            "latitude": wanted.latitude,
            "longitude": wanted.longitude,
            "why": dict(plan.why),
            "holds": list(holds),
            "lines": [line_row(line) for line in self.quote.lines],
            "parts": [part_row(part) for part in self.parts],
        }

    def placed(self, number: int) -> Placed:
        """What the shopper is told."""
        return Placed(
            id=self.id,
            number=number,
            state=self.state,
            total_cents=self.quote.total_cents,
            due_cents=self.quote.tenders.money_cents,
            expires_at=self.expires_at,
            ready_at=self.quote.plan.ready_at,
            arrives_at=self.quote.plan.arrives_at,
        )


def draft(placing: Placing, quote: Quote, *, now: datetime, hold: timedelta) -> Draft:
    """The order that a basket would be. Raises Conflict when it costs something else by now,
    BadInput naming the field for who it goes to."""
    if placing.agreed_cents != quote.total_cents:
        raise Conflict(
            f"it costs {quote.total_cents} now, not {placing.agreed_cents}: show the shopper the "
            "new quote"
        )
    order, wanted = new_id(), placing.basket
    recipient = checked_recipient(placing.recipient, wanted.delivery.method)
    return Draft(order, wanted, quote, parts_of(order, quote), now, now + hold, recipient)


def parts_of(order: UUID, quote: Quote) -> tuple[OrderPart, ...]:
    """The parts that the plan's pieces are made of: one for each component of a line at a place."""
    components = {line.line: line.components for line in quote.lines}
    return tuple(
        OrderPart(
            id=part_id_of(order, piece.line, piece.place, sku=sku),
            line=piece.line,
            place=piece.place,
            sku=sku,
            units=piece.units,
            each=each,
        )
        for piece in quote.plan.pieces
        for sku, each in components[piece.line]
    )


def part_of(order: UUID, line: PricedLine, place: str) -> OrderPart:
    """The part that a place gives for a whole line which is no bundle."""
    part_id = part_id_of(order, line.line, place, sku=line.sku)
    return OrderPart(part_id, line.line, place, line.sku, line.quantity, 1)


def claim(
    part: OrderPart,
    *,
    order: UUID,
    at: datetime,
    channel: str,
    keep: Mapping[tuple[str, str], int],
) -> Claim:
    """What a part claims of the stock: of the channel's quota first, then of the open stock."""
    return Claim(
        id=part.id,
        sku=part.sku,
        place=part.place,
        quantity=part.units * part.each,
        at=at,
        reference=f"order/{order}",
        channel=channel,
        keep=keep.get((part.place, part.sku), 0),
    )


@dataclass(frozen=True, slots=True)
class Move:
    """A part as another place takes it over: `part.units` more there, held by `claim`."""

    part: OrderPart
    claim: UUID


def moves(order: Order, piece: Piece, to: str) -> list[Move]:
    """The parts that another place takes over with a piece: one for each component."""
    before = {part.sku: part.units for part in order.parts_at(piece.line, to)}
    found = []
    for part in order.parts_at(piece.line, piece.place):
        part_id = part_id_of(order.id, piece.line, to, sku=part.sku)
        grown = f"{before.get(part.sku, 0)}+{piece.units}"
        taken = OrderPart(part_id, piece.line, to, part.sku, piece.units, part.each)
        found.append(Move(taken, derived_id("order.moved", str(part_id), grown)))
    return found


def part_id_of(order: UUID, line: int, place: str, *, sku: str) -> UUID:
    """The name of what a place gives of an SKU for a line."""
    return derived_id("order.part", str(order), str(line), place, sku)


def freed(part: OrderPart, units: int, *, order: UUID, at: datetime) -> Claim:
    """What is given back of a part's committed stock, when some of it is cancelled."""
    return Claim(
        id=derived_id("order.freed", str(part.id), f"{part.cancelled}+{units}"),
        sku=part.sku,
        place=part.place,
        quantity=units * part.each,
        at=at,
        reference=f"order/{order}",
    )


def part_row(part: OrderPart) -> Row:
    """A part as it is written."""
    names = ("id", "line", "place", "sku", "units", "each")
    return {name: getattr(part, name) for name in names}


def sold_out(basket: Basket) -> Shortage:
    """The refusal of a basket whose stock went to others since it was sourced."""
    skus = ", ".join(sorted({line.sku for line in basket.lines})[:5])
    return Shortage(f"{skus}: sold out meanwhile, ask for what there is")


def cause_of(order: Order, pieces: Sequence[Piece]) -> str:
    """Names a hand-over: what had left each place before, and what leaves it now."""
    return ",".join(
        f"{piece.line}@{piece.place}:{order.parts_at(piece.line, piece.place)[0].handed}"
        f"+{piece.units}"
        for piece in sorted(pieces, key=lambda piece: (piece.line, piece.place))
    )


def line_row(line: PricedLine) -> Row:
    """A line as it is written."""
    return {
        "line": line.line,
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "price_cents": line.price_cents,
        "per_units": line.per_units,
        "amount_cents": line.amount_cents,
        "tax_cents": line.tax_cents,
        "discounts": [asdict(one) for one in line.discounts],
        "custom": dict(line.custom),
    }
