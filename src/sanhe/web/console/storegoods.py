"""A store's goods: what was counted, what came for an order, what left for another place."""

from __future__ import annotations

from datetime import date
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from sanhe.goods.suppliers import Arrived
from sanhe.web.asked import Closed, Code, Key, Units
from sanhe.web.caller import Caller, depends
from sanhe.web.told import StateTold
from sanhe.wiring import Delivered, count_stock, receive_order, send_order

router = APIRouter(prefix="/store", tags=["store"])
Picks = Annotated[Caller, depends("sales.pick")]
Receives = Annotated[Caller, depends("orders.receive")]
Order = Annotated[Code, Path()]


class CountEntered(Closed):
    """What lies at a place in base units by SKU, with what is sold and still there. `task`: the
    task that asked for it."""

    place: Code
    counts: dict[Code, Units] = Field(min_length=1, max_length=500)
    task: UUID | None = None


class CountTold(BaseModel):
    """How many SKUs were counted."""

    counted: int


class GoodsLine(Closed):
    """Base units of an SKU that came or left, with the lot and its last day of sale where the
    goods bear them."""

    sku: Code
    units: Annotated[int, Field(ge=1, le=10**12)]
    lot: Code | None = None
    expires: date | None = None


class GoodsEntered(Closed):
    """What came or left; `note` is the number of the delivery note or loading list."""

    note: Code
    lines: list[GoodsLine] = Field(min_length=1, max_length=500)

    def delivered(self, order: str) -> Delivered:
        """As orders take it."""
        lines = (Arrived(one.sku, one.units, one.lot, one.expires) for one in self.lines)
        return Delivered(order, self.note, tuple(lines))


@router.post("/counts")
def count(entered: CountEntered, key: Key, caller: Picks) -> CountTold:
    """Say what lies at one's own place: the stock follows."""
    told = count_stock(
        caller.sanhe, entered.place, entered.counts, task=entered.task, key=key, by=caller.by
    )
    return CountTold.model_validate(told)


@router.post("/orders/{order}/receive")
def receive(order: Order, entered: GoodsEntered, *, key: Key, caller: Receives) -> StateTold:
    """Take in what came for a purchase order or transfer; more or less is taken as it is."""
    told = receive_order(caller.sanhe, entered.delivered(order), key=key, by=caller.by)
    return StateTold.model_validate(told)


@router.post("/orders/{order}/send")
def send(order: Order, entered: GoodsEntered, *, key: Key, caller: Receives) -> StateTold:
    """Say what left one's own place for a transfer."""
    told = send_order(caller.sanhe, entered.delivered(order), key=key, by=caller.by)
    return StateTold.model_validate(told)
