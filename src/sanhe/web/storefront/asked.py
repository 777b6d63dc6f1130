"""What a channel sends and is told: baskets, quotes, orders."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import AwareDatetime, BaseModel, Field, StringConstraints

from sanhe.core.values import Json
from sanhe.people.coupons import NotUsable
from sanhe.people.promotions import Refusal
from sanhe.place.orders import (
    Basket,
    BasketLine,
    Delivery,
    Piece,
    Placing,
    Quote,
    Recipient,
)
from sanhe.web.asked import Closed, Code, LineNumber, Reason, Word
from sanhe.web.told import QuotedLine, discounts_of, own

Cents = Annotated[int, Field(ge=0, le=10**15)]
Wished = Annotated[int, Field(ge=-(10**12), le=10**12)]
"""A quantity as it came: that it is above 0 is for orders to say, with the line."""


Shows = Annotated[
    str, StringConstraints(min_length=1, max_length=1_000, pattern=r"^[^\x00-\x1f\x7f]*$")
]
"""A coupon that is shown: its code as it is typed, or what its QR code says, which is signed."""


class AskedLine(Closed):
    """One wish. `unit`: what the quantity is counted in, where not in base units."""

    sku: Code
    quantity: Wished
    unit: Code | None = None
    custom: dict[Code, Word] = Field(default_factory=dict)


class AskedDelivery(Closed):
    """How goods reach the shopper; a courier needs latitude and longitude in degrees."""

    method: Literal["carry", "pickup", "courier"]
    place: Code | None = None
    latitude: float | None = Field(default=None, ge=-90, le=90)
    longitude: float | None = Field(default=None, ge=-180, le=180)
    by: AwareDatetime | None = None


class AskedBasket(Closed):
    """What a shopper of a channel wants, how, and in which currency prices were shown.

    `coupons` are the codes that are shown; points and stored value are paid with before money is.
    `substitutes`: something like it may come instead of what ran out, at no higher price.
    """

    channel: Code
    currency: Code
    lines: list[AskedLine] = Field(max_length=10_000)
    delivery: AskedDelivery
    member: Code | None = None
    coupons: list[Shows] = Field(default_factory=list, max_length=100)
    points: Annotated[int, Field(ge=0, le=10**12)] = 0
    stored_cents: Cents = 0
    substitutes: bool = False

    def basket(self) -> Basket:
        """As orders take it."""
        lines = (BasketLine(**line.model_dump()) for line in self.lines)
        given = self.model_dump(exclude={"lines", "delivery", "coupons"})
        return Basket(
            **given,
            coupons=tuple(self.coupons),
            lines=tuple(lines),
            delivery=Delivery(**self.delivery.model_dump()),
        )


class AskedRecipient(Closed):
    """Who an order goes to. A courier needs name, phone and address, by lines, street first; who
    fetches it may leave name and phone."""

    name: Word
    phone: Word
    lines: list[Word] = Field(default_factory=list, max_length=10)
    region: Word = ""
    postcode: Word = ""
    note: Annotated[str, StringConstraints(max_length=1_000)] = ""

    def recipient(self) -> Recipient:
        """As orders take it."""
        return Recipient(**{**self.model_dump(), "lines": tuple(self.lines)})


class AskedOrder(Closed):
    """A basket to be ordered at the total that the shopper saw, and who it goes to."""

    basket: AskedBasket
    agreed_cents: Cents
    recipient: AskedRecipient | None = None

    def placing(self) -> Placing:
        """As orders take it."""
        to = None if self.recipient is None else self.recipient.recipient()
        return Placing(self.basket.basket(), self.agreed_cents, to)


class AskedPiece(Closed):
    """So many units of a line at a place."""

    line: LineNumber
    place: Code
    units: Annotated[int, Field(ge=1, le=10**12)]


class AskedCancel(Closed):
    """What is cancelled and why; without pieces all that was not handed over."""

    reason: Reason
    pieces: list[AskedPiece] | None = Field(default=None, max_length=1_000)


class AskedHandOver(Closed):
    """What leaves for the shopper; without pieces all that is open."""

    pieces: list[AskedPiece] | None = Field(default=None, max_length=1_000)


class AskedCharge(Closed):
    """How the shopper pays: `way` as the provider names it, `payer` who it is with the provider,
    `address` the shopper's internet address where the provider asks for it."""

    provider: Code
    way: Code
    payer: Word = ""
    address: Word = ""


class AskedTender(Closed):
    """Money taken at the till: `reference` is the slip of the card or the receipt of the cash."""

    tender: Literal["cash", "card"]
    amount_cents: Annotated[int, Field(ge=1, le=10**15)]
    reference: Code


def pieces_of(asked: Sequence[AskedPiece] | None) -> list[Piece] | None:
    """Pieces as orders take them."""
    return None if asked is None else [Piece(**piece.model_dump()) for piece in asked]


class UncountedTold(BaseModel):
    """A promotion or coupon that does not count: `why` is the rule, `sentence` says it. `by` stand
    against it, it is `only` for these, it begins or ended `when`."""

    promotion: str
    coupon: str
    why: str
    sentence: str
    has: int
    needs: int
    by: list[str]
    only: list[str]
    when: str

    @classmethod
    def unusable(cls, code: str, lack: NotUsable) -> UncountedTold:
        """A code that is worth nothing."""
        when = lack.when.isoformat() if lack.when else ""
        told = {"why": lack.lack.value, "sentence": str(lack), "when": when}
        return cls(promotion="", coupon=code, has=0, needs=0, by=[], only=[], **told)

    @classmethod
    def of(cls, refusal: Refusal) -> UncountedTold:
        """What does not count in a basket."""
        return cls(
            promotion=refusal.promotion,
            coupon=refusal.coupon,
            why=refusal.why.value,
            sentence=str(refusal),
            has=refusal.has,
            needs=refusal.needs,
            by=list(refusal.by),
            only=list(refusal.of),
            when=refusal.when,
        )


class Quoted(BaseModel):
    """What a basket costs and promises now; nothing is held for it.

    Of `total_cents`, `due_cents` are to be paid in money. `refused` are the coupons that don't
    count and the promotions within reach, each with what it lacks.
    """

    currency: str
    goods_cents: int
    tax_cents: int | None
    delivery_cents: int
    total_cents: int
    points: int
    points_cents: int
    stored_cents: int
    due_cents: int
    earns_points: int
    refused: list[UncountedTold]
    place: str
    ready_at: datetime | None
    arrives_at: datetime | None
    lines: list[QuotedLine]

    @classmethod
    def of(cls, quote: Quote) -> Quoted:
        """A quote as it is told."""
        paid = quote.tenders
        return cls(
            currency=quote.currency,
            goods_cents=quote.goods_cents,
            tax_cents=quote.tax_cents,
            delivery_cents=quote.delivery_cents,
            total_cents=quote.total_cents,
            points=paid.points,
            points_cents=paid.points_cents,
            stored_cents=paid.stored_cents,
            due_cents=paid.money_cents,
            earns_points=quote.earns_points,
            refused=[
                *(UncountedTold.unusable(code, lack) for code, lack in quote.unusable.items()),
                *(UncountedTold.of(one) for one in quote.refused),
            ],
            place=quote.plan.place,
            ready_at=quote.plan.ready_at,
            arrives_at=quote.plan.arrives_at,
            lines=[
                QuotedLine(**{**own(line, QuotedLine), "discounts": discounts_of(line.discounts)})
                for line in quote.lines
            ],
        )


class PlacedTold(BaseModel):
    """An order that was placed: `due_cents` of money are to be paid until `expires_at`."""

    id: UUID
    number: int
    state: str
    total_cents: int
    due_cents: int
    expires_at: datetime
    ready_at: datetime | None
    arrives_at: datetime | None

    @classmethod
    def of(cls, told: Json) -> PlacedTold:
        """An answer as it is kept; one from before orders had tenders names none: all is due."""
        assert isinstance(told, Mapping)
        return cls.model_validate({"due_cents": told["total_cents"], **told})


class RefundTold(BaseModel):
    """The refund that a command asked for, if any."""

    refund: UUID | None


class ChargeTold(BaseModel):
    """What the shopper's device needs to pay, as the provider names it."""

    provider: str
    parameters: dict[str, Any]


class SettledTold(BaseModel):
    """What became of a payment: `taken`, or why it goes back, with the refund."""

    outcome: Literal["taken", "late", "twice", "differs", "closed"]
    refund: UUID | None
