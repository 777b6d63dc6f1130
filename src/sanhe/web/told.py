"""What both the console and the shops are told of orders, shipments, returns and coupons."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from sanhe.people.coupons import Carried, Lack, NotUsable
from sanhe.people.promotions import Promotion
from sanhe.place.fulfil import Booking, Shipment, ShipmentState
from sanhe.place.orders import Discount, Kept, Masked, Order, Recipient
from sanhe.place.returns import Return, ReturnState


class StateTold(BaseModel):
    """Where an order stands."""

    state: str


class ShipmentLineTold(BaseModel):
    """Units of an order's line; `picked` of them lay there, null = not picked yet."""

    line: int
    units: int
    picked: int | None


class BookingTold(BaseModel):
    """A courier that was asked."""

    courier: str
    attempt: int
    state: str
    asked_at: datetime
    answer_by: datetime


class ShipmentTold(BaseModel):
    """What one place gives for an order."""

    id: UUID
    number: int
    order_id: UUID
    place: str
    method: str
    state: ShipmentState
    due_at: datetime
    opened_at: datetime
    ready_at: datetime | None
    away_at: datetime | None
    closed_at: datetime | None
    fetch_until: datetime | None
    lines: list[ShipmentLineTold]
    couriers: list[BookingTold]

    @classmethod
    def of(cls, shipment: Shipment, bookings: list[Booking]) -> ShipmentTold:
        """A shipment as it is told."""
        names = set(cls.model_fields) - {"couriers"}
        told = {name: getattr(shipment, name) for name in names}
        asked = [one for one in bookings if one.shipment == shipment.id]
        return cls.model_validate(told | {"couriers": asked}, from_attributes=True)


class ReturnLineTold(BaseModel):
    """A line that comes back: units asked for, received and found; `amount_cents` goes back."""

    line: int
    units: int
    received: int | None
    sellable: int
    outlet: int
    waste: int
    amount_cents: int


class ReturnTold(BaseModel):
    """Goods of an order that come back. `place` has or gets them, null = any store."""

    id: UUID
    number: int
    order_id: UUID
    way: str
    place: str | None
    state: ReturnState
    reason: str
    asked_at: datetime
    received_at: datetime | None
    closed_at: datetime | None
    refund: UUID | None
    amount_cents: int
    lines: list[ReturnLineTold]

    @classmethod
    def of(cls, found: Return) -> ReturnTold:
        """A return as it is told."""
        names = set(cls.model_fields) - {"lines"}
        return cls(
            **{name: getattr(found, name) for name in names},
            lines=[
                ReturnLineTold(
                    line=one.line,
                    units=one.units,
                    received=one.received,
                    sellable=one.verdict.sellable,
                    outlet=one.verdict.outlet,
                    waste=one.verdict.waste,
                    amount_cents=one.amount_cents,
                )
                for one in found.lines
            ],
        )


class ReturnReceived(BaseModel):
    """The return that arrived."""

    id: UUID


def own(one: object, model: type[BaseModel]) -> dict[str, Any]:
    """What a model tells of something, by the same names."""
    return {name: getattr(one, name) for name in model.model_fields}


def discounts_of(discounts: Sequence[Discount]) -> list[DiscountTold]:
    """Discounts as they are told."""
    return [DiscountTold(**own(one, DiscountTold)) for one in discounts]


class DiscountTold(BaseModel):
    """What a promotion takes off a line; `coupon` names the one it was given for, or is empty."""

    promotion: str
    coupon: str
    cents: int


class QuotedLine(BaseModel):
    """A line with its price; `tax_cents` is the tax in `amount_cents`, null when not known.

    `discounts` are taken off quantity x price; what is left is `amount_cents`.
    """

    line: int
    sku: str
    name: str
    quantity: int
    price_cents: int
    per_units: int
    amount_cents: int
    tax_cents: int | None
    discounts: list[DiscountTold]


class ShopLine(QuotedLine):
    """A line of an order with what became of it, in base units; `instead_of` is the line that it
    stands in for."""

    custom: dict[str, str]
    instead_of: int | None
    handed: int
    cancelled: int
    returned: int


class ShopPart(BaseModel):
    """What one place gives for a line."""

    line: int
    place: str
    sku: str
    quantity: int
    handed: int
    cancelled: int


class MaskedTold(BaseModel):
    """Who an order goes to, as who need not know it sees it. `state` says what is kept: `erased`
    for good, or `away` while the key that opens it is."""

    state: Kept
    name: str
    phone: str
    region: str


class RecipientTold(BaseModel):
    """Who an order goes to; the address by lines, street first."""

    name: str
    phone: str
    lines: list[str]
    region: str
    postcode: str
    note: str

    @classmethod
    def of(cls, recipient: Recipient) -> RecipientTold:
        """A recipient as it is told to who may know it."""
        return cls(**{**own(recipient, cls), "lines": list(recipient.lines)})


class ShopOrder(BaseModel):
    """An order; money in cents. `recipient` is null where nobody was named."""

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
    paid_cents: int
    refund_cents: int
    state: str
    placed_at: datetime
    expires_at: datetime
    paid_at: datetime | None
    closed_at: datetime | None
    ready_at: datetime | None
    arrives_at: datetime | None
    recipient: MaskedTold | None
    lines: list[ShopLine]
    parts: list[ShopPart]

    @classmethod
    def of(cls, order: Order, masked: Masked | None) -> ShopOrder:
        """An order as it is told."""
        made = {"lines", "parts", "recipient"}
        return cls(
            **{name: getattr(order, name) for name in cls.model_fields if name not in made},
            recipient=None if masked is None else MaskedTold(**own(masked, MaskedTold)),
            lines=[
                ShopLine(
                    line=line.line,
                    sku=line.sku,
                    name=line.name,
                    quantity=line.state.quantity,
                    price_cents=line.price_cents,
                    per_units=line.per_units,
                    amount_cents=line.state.amount_cents,
                    tax_cents=line.tax_cents,
                    discounts=discounts_of(line.discounts),
                    custom=dict(line.custom),
                    instead_of=line.instead_of,
                    handed=line.state.handed,
                    cancelled=line.state.cancelled,
                    returned=line.state.returned,
                )
                for line in order.lines
            ],
            parts=[
                ShopPart(
                    line=part.line,
                    place=part.place,
                    sku=part.sku,
                    quantity=part.units * part.each,
                    handed=part.handed * part.each,
                    cancelled=part.cancelled * part.each,
                )
                for part in order.parts
            ],
        )


class WhyNot(BaseModel):
    """Why a coupon can't be used: the rule's name, a sentence, and the moment it speaks of."""

    why: Lack
    sentence: str
    when: datetime | None

    @classmethod
    def of(cls, found: NotUsable) -> WhyNot:
        """As it is told."""
        return cls(why=found.lack, sentence=str(found), when=found.when)


class CouponCarried(BaseModel):
    """A coupon that a member has; `why_not` says what it lacks now, if anything."""

    id: str
    campaign: str
    promotion: str
    name: str
    begins_at: datetime
    ends_at: datetime
    why_not: WhyNot | None

    @classmethod
    def of(cls, carried: Carried, promotion: Promotion) -> CouponCarried:
        """As it is told; what its QR code shows is the member's alone."""
        one, lack = carried.coupon, carried.lack
        return cls(
            id=str(one.id),
            campaign=one.campaign,
            promotion=one.promotion,
            name=promotion.name,
            begins_at=one.begins_at,
            ends_at=one.ends_at,
            why_not=None if lack is None else WhyNot.of(lack),
        )
