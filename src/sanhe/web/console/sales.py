"""What shoppers ordered: a list to search, and one order with all that happened to it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Final, Literal, get_args
from uuid import UUID
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from sanhe.core.access import may
from sanhe.core.errors import NotFound
from sanhe.place.orders import CHANNELS, METHODS, Order, State, Wanted
from sanhe.place.returns import returnable
from sanhe.web.asked import Number, ScopeAsked, Window, Word
from sanhe.web.caller import Caller, depends
from sanhe.web.told import RecipientTold, ReturnTold, ShipmentTold, ShopOrder
from sanhe.wiring import Work, is_open_for, masked_recipient, show_recipient

router = APIRouter(prefix="/sales", tags=["sales"])
Reads = Annotated[Caller, depends("sales.read")]
Labels = Annotated[Caller, depends("recipients.label")]

Channel = Literal[CHANNELS]  # type: ignore[valid-type]
Method = Literal[METHODS]  # type: ignore[valid-type]
Deed = Literal["cancel", "hand_over", "take_back"]
"""What can be done with an order: cancel what was not handed over, hand it over without a
shipment, ask for goods of it to come back."""
NEEDS: Final[Mapping[Deed, str]] = {
    "cancel": "sales.place",
    "hand_over": "sales.hand_over",
    "take_back": "sales.return",
}


class SalesAsked(ScopeAsked, Window):
    """Which orders, the newest first.

    `place` gives, or gave, some of it; `first` and `last` are days, where the retailer is, on which
    it was placed; `search` is its number, a SKU of it, or the shopper's code.
    """

    state: list[State] | None = Field(default=None, max_length=len(State))
    channel: Channel | None = None
    method: Method | None = None
    first: date | None = None
    last: date | None = None
    search: Word | None = None

    def wanted(self, work: Work, time_zone: str) -> Wanted:
        """As orders take it."""
        return Wanted(
            states=self.state or None,
            channel=self.channel,
            method=self.method,
            places=self._places(work),
            since=None if self.first is None else _begins(self.first, time_zone),
            until=None if self.last is None else _begins(self.last + timedelta(1), time_zone),
            text=(self.search or "").strip() or None,
        )

    def _places(self, work: Work) -> list[str] | None:
        if self.place:
            return [self.place]
        if not self.region:
            return None
        rows = work.places.all().to_pylist()
        return [row["id"] for row in rows if (row["region"] or "") == self.region]


class SaleRow(BaseModel):
    """An order in a list. `places` give, or gave, some of it; `items` are its SKUs' names."""

    id: UUID
    number: int
    channel: str
    method: str
    place: str
    places: list[str]
    member: str | None
    state: State
    placed_at: datetime
    arrives_at: datetime | None
    currency: str
    total_cents: int
    refund_cents: int
    items: list[str]
    units: int

    @classmethod
    def of(cls, order: Order) -> SaleRow:
        """An order as a list tells it."""
        own = set(cls.model_fields) - {"places", "items", "units"}
        return cls(
            **{name: getattr(order, name) for name in own},
            places=sorted({part.place for part in order.parts}),
            items=[line.name for line in order.lines],
            units=sum(line.state.quantity for line in order.lines),
        )


class SaleRows(BaseModel):
    """Some orders, and how many there are, counted up to 10,000."""

    rows: list[SaleRow]
    total: int


class SaleTerm(BaseModel):
    """A term of why an order comes from where it does, in cents."""

    name: str
    cents: int


class SalePart(BaseModel):
    """A place that was chosen: by which courier, null = fetched; metres as the crow flies."""

    place: str
    courier: str | None
    metres: int


class SaleNext(BaseModel):
    """Places that came next, and how they weighed."""

    places: list[str]
    weighed_cents: int


class SaleWhy(BaseModel):
    """Why these places: `terms` sum to `weighed_cents`, by which they were chosen; `cost_cents` of
    it is paid in money. Without parts the shopper named the place."""

    cost_cents: int = 0
    weighed_cents: int = 0
    terms: list[SaleTerm] = []
    parts: list[SalePart] = []
    next: list[SaleNext] = []


class _Read(BaseModel):
    """What is told as it was read."""

    model_config = ConfigDict(from_attributes=True)


class SaleEvent(_Read):
    """One thing that happened to an order, by whom."""

    at: datetime
    actor: str
    kind: str
    details: dict[str, Any]


class SalePayment(_Read):
    """A payment, and what became of it: `taken`, or why it goes back."""

    provider: str
    reference: str
    amount_cents: int
    currency: str
    outcome: str
    paid_at: datetime


class SaleRefund(_Read):
    """Money that goes back; `done_at` is null until the provider gave it."""

    id: UUID
    provider: str
    amount_cents: int
    currency: str
    reason: str
    asked_at: datetime
    done_at: datetime | None


class SaleTold(ShopOrder):
    """An order with all that happened to it. `may_return` are units by line that can come back;
    `may_show`: the caller may see who it goes to; `deeds` is what the caller may do with it now."""

    why: SaleWhy
    timeline: list[SaleEvent]
    payments: list[SalePayment]
    refunds: list[SaleRefund]
    shipments: list[ShipmentTold]
    returns: list[ReturnTold]
    may_return: dict[int, int]
    may_show: bool
    deeds: list[Deed]


@router.get("")
def read_sales(asked: Annotated[SalesAsked, Query()], caller: Reads) -> SaleRows:
    """Shoppers' orders of the places that the caller sees, the newest first."""
    with caller.work() as work:
        wanted = asked.wanted(work, caller.sanhe.settings.time_zone)
        found, total = work.orders.page(wanted, offset=asked.offset, limit=asked.limit)
    return SaleRows(rows=[SaleRow.of(one) for one in found], total=total)


@router.get("/{number}")
def read_sale(number: Number, caller: Reads) -> SaleTold:
    """One order by its number: lines, timeline, money, shipments, why these places, returns."""
    with caller.work() as work:
        return _told(work, order_of(work, number), caller)


@router.get("/{number}/recipient")
def read_recipient(number: Number, caller: Labels) -> RecipientTold:
    """Who an order goes to, which leaves an entry in the trail: for a store while it is open
    there, for customer service as long as it is kept."""
    with caller.work() as work:
        order = order_of(work, number)
    any_time = may(caller.identity, "recipients.read")
    return RecipientTold.of(show_recipient(caller.sanhe, order.id, any_time=any_time, by=caller.by))


def order_of(work: Work, number: int) -> Order:
    """An order by its number. Raises NotFound."""
    found, _ = work.orders.page(Wanted(number=number), limit=1)
    if not found:
        raise NotFound(f"no order {number}: look for it in the list")
    return found[0]


def _told(work: Work, order: Order, caller: Caller) -> SaleTold:
    shipments, returns = work.fulfil.of([order.id]), work.returns.of(order.id)
    bookings = work.bookings.of([one.id for one in shipments])
    may_return = returnable(order, returns)
    possible = deeds_of(order, may_return)
    return SaleTold(
        **ShopOrder.of(order, masked_recipient(caller.sanhe, order)).model_dump(),
        may_show=mine_to_show(caller, order),
        why=SaleWhy.model_validate(dict(order.why)),
        timeline=[SaleEvent.model_validate(event) for event in work.orders.timeline(order.id)],
        payments=[
            SalePayment.model_validate(payment) for payment in work.orders.payments(order.id)
        ],
        refunds=[SaleRefund.model_validate(refund) for refund in work.orders.refunds(order.id)],
        shipments=[ShipmentTold.of(one, bookings) for one in shipments],
        returns=[ReturnTold.of(one) for one in returns],
        may_return=may_return,
        deeds=[deed for deed in possible if may(caller.identity, NEEDS[deed])],
    )


def mine_to_show(caller: Caller, order: Order) -> bool:
    """Whether the caller may see now who an order goes to."""
    if may(caller.identity, "recipients.read"):
        return True
    return may(caller.identity, "recipients.label") and is_open_for(order, caller.by)


def deeds_of(order: Order, may_return: Mapping[int, int]) -> list[Deed]:
    """What can be done with an order as it stands. What a shipment brings is handed over there."""
    is_open = bool(order.open_pieces)
    possible: dict[Deed, bool] = {
        "cancel": is_open,
        "hand_over": is_open and order.state is State.PAID and order.method == "carry",
        "take_back": bool(may_return),
    }
    return [deed for deed in get_args(Deed) if possible[deed]]


def _begins(day: date, time_zone: str) -> datetime:
    return datetime.combine(day, time(), ZoneInfo(time_zone))
