"""What both the console and the shops are told of orders, shipments and returns."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel

from sanhe.place.fulfil import Booking, Shipment, ShipmentState
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
