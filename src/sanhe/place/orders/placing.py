"""Placing: from a basket to a quote, and to the rows and transfers that an order is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sanhe.core.errors import Conflict
from sanhe.core.ledger import Transfer
from sanhe.core.values import derived_id, new_id
from sanhe.goods.stock import Stock, committed_account, on_hand_account, quota_account
from sanhe.place.orders.basket import Basket, PricedLine
from sanhe.place.orders.choose import Plan
from sanhe.place.orders.reading import OrderPart
from sanhe.place.orders.rules import State
from sanhe.place.orders.store import Row


@dataclass(frozen=True, slots=True)
class Quote:
    """What a basket costs and promises now; nothing is held for it."""

    lines: tuple[PricedLine, ...]
    plan: Plan
    currency: str

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
        return self.goods_cents + self.plan.delivery_cents


@dataclass(frozen=True, slots=True)
class Placing:
    """A basket to be ordered at the total the shopper saw."""

    basket: Basket
    agreed_cents: int


@dataclass(frozen=True, slots=True)
class Placed:
    """An order that was placed: to be paid until `expires_at`."""

    id: UUID
    number: int
    state: State
    total_cents: int
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

    @property
    def state(self) -> State:
        """What costs nothing is paid at once."""
        return State.PLACED if self.quote.total_cents else State.PAID

    @property
    def transfers(self) -> tuple[Transfer, ...]:
        """What holds its stock."""
        return tuple(holding(part, order=self.id, now=self.now) for part in self.parts)

    @property
    def keep(self) -> dict[str, int]:
        """What must stay free beside it, by account."""
        kept = self.quote.plan.keep
        return {on_hand_account(place, sku): units for (place, sku), units in kept.items()}

    @property
    def row(self) -> Row:
        """The order's rows as `store.insert` takes them."""
        wanted, plan = self.basket.delivery, self.quote.plan
        return {
            "id": self.id,
            "channel": self.basket.channel,
            "place": plan.place,
            "method": wanted.method,
            "member": self.basket.member,
            "currency": self.quote.currency,
            "goods_cents": self.quote.goods_cents,
            "tax_cents": self.quote.tax_cents,
            "delivery_cents": plan.delivery_cents,
            "total_cents": self.quote.total_cents,
            "state": self.state.value,
            "placed_at": self.now,
            "expires_at": self.expires_at,
            "ready_at": plan.ready_at,
            "arrives_at": plan.arrives_at,
            "latitude": wanted.latitude,
            "longitude": wanted.longitude,
            "why": dict(plan.why),
            "lines": [_line_row(line) for line in self.quote.lines],
            "parts": [part_row(part) for part in self.parts],
        }

    def placed(self, number: int) -> Placed:
        """What the shopper is told."""
        return Placed(
            id=self.id,
            number=number,
            state=self.state,
            total_cents=self.quote.total_cents,
            expires_at=self.expires_at,
            ready_at=self.quote.plan.ready_at,
            arrives_at=self.quote.plan.arrives_at,
        )


def draft(
    placing: Placing, quote: Quote, *, stock: Stock, now: datetime, hold: timedelta
) -> Draft:
    """The order that a basket would be. Raises Conflict when it costs something else by now."""
    if placing.agreed_cents != quote.total_cents:
        raise Conflict(
            f"it costs {quote.total_cents} now, not {placing.agreed_cents}: show the shopper the "
            "new quote"
        )
    order, basket = new_id(), placing.basket
    parts = parts_of(order, quote, stock=stock, channel=basket.channel)
    return Draft(order, basket, quote, parts, now, now + hold)


def parts_of(
    order: UUID, quote: Quote, *, stock: Stock, channel: str
) -> tuple[OrderPart, ...]:
    """The parts that the plan's pieces are made of.

    A channel draws from its own quota where that covers the part, else from the open stock.
    """
    components = {line.line: line.components for line in quote.lines}
    wanted = [
        (piece, sku, each) for piece in quote.plan.pieces for sku, each in components[piece.line]
    ]
    quotas = quotas_of(stock, [(sku, piece.place) for piece, sku, _ in wanted], channel=channel)
    return tuple(
        OrderPart(
            id=derived_id("order.part", str(order), str(piece.line), piece.place, sku),
            line=piece.line,
            place=piece.place,
            sku=sku,
            account=(
                quota_account(channel, piece.place, sku)
                if quotas.get((sku, piece.place), 0) >= piece.units * each
                else on_hand_account(piece.place, sku)
            ),
            units=piece.units,
            each=each,
        )
        for piece, sku, each in wanted
    )


def quotas_of(
    stock: Stock, pairs: Sequence[tuple[str, str]], *, channel: str
) -> Mapping[tuple[str, str], int]:
    """What is left of a channel's quotas of (sku, place); those without one are missing."""
    found = stock.available(set(pairs), channel=channel).to_pylist()
    return {(row["sku"], row["place"]): row["quota"] for row in found if row["quota"]}


def holding(part: OrderPart, *, order: UUID, now: datetime) -> Transfer:
    """The transfer that holds a part's stock for its order."""
    return Transfer(
        id=part.id,
        source=part.account,
        target=committed_account(part.place, part.sku),
        amount=part.units * part.each,
        reason="order",
        reference=f"order/{order}",
        effective_at=now,
    )


def part_row(part: OrderPart) -> Row:
    """A part as it is written."""
    names = ("id", "line", "place", "sku", "account", "units", "each")
    return {name: getattr(part, name) for name in names}


def _line_row(line: PricedLine) -> Row:
    return {
        "line": line.line,
        "sku": line.sku,
        "name": line.name,
        "quantity": line.quantity,
        "price_cents": line.price_cents,
        "per_units": line.per_units,
        "amount_cents": line.amount_cents,
        "tax_cents": line.tax_cents,
        "custom": dict(line.custom),
    }
