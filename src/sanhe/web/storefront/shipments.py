"""Shipments of a shopper's order: where they are, and the code to fetch them with."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel

from sanhe.web.caller import Caller, depends
from sanhe.web.told import ShipmentTold
from sanhe.wiring import show_code

router = APIRouter(prefix="/shop", tags=["shop"])
Places = Annotated[Caller, depends("sales.place")]
Reads = Annotated[Caller, depends("sales.read")]
Id = Annotated[UUID, Path()]


class OrderShipments(BaseModel):
    """The shipments of an order, the oldest first."""

    rows: list[ShipmentTold]


class CodeTold(BaseModel):
    """A code to be shown at the store, e.g. as a QR code; it is told this once."""

    code: str


@router.get("/orders/{order}/shipments")
def read_shipments(order: Id, caller: Reads) -> OrderShipments:
    """What each place gives for an order, and how far it is."""
    with caller.work() as work:
        work.orders.get(order)
        found = work.fulfil.of([order])
        bookings = work.bookings.of([one.id for one in found])
    return OrderShipments(rows=[ShipmentTold.of(one, bookings) for one in found])


@router.post("/orders/{order}/shipments/{shipment}/code")
def new_code(order: Id, shipment: Id, caller: Places) -> CodeTold:
    """A new code to fetch a shipment with; the one before is void."""
    return CodeTold(code=show_code(caller.sanhe, order, shipment, by=caller.by))
