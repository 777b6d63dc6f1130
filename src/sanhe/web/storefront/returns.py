"""Returns of a shopper's order: asked for and followed."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Path
from pydantic import BaseModel, Field

from sanhe.place.returns import Asked
from sanhe.web.asked import Closed, Code, Key, LineNumber, Reason
from sanhe.web.caller import Caller, depends
from sanhe.web.told import ReturnReceived, ReturnTold
from sanhe.wiring import ask_return

router = APIRouter(prefix="/shop", tags=["shop"])
Reads = Annotated[Caller, depends("sales.read")]
Asks = Annotated[Caller, depends("sales.return")]
Id = Annotated[UUID, Path()]


class AskedReturnLine(Closed):
    """Units of a line that come back."""

    line: LineNumber
    units: Annotated[int, Field(ge=1, le=10**12)]


class AskedReturn(Closed):
    """What comes back, how and why. `place`: where to; left out = any store, for `store` alone."""

    lines: list[AskedReturnLine] = Field(min_length=1, max_length=200)
    reason: Reason = Field(min_length=1)
    way: Literal["store", "courier"] = "store"
    place: Code | None = None


class OrderReturns(BaseModel):
    """The returns of an order, the oldest first."""

    rows: list[ReturnTold]


@router.get("/orders/{order}/returns")
def read_returns(order: Id, caller: Reads) -> OrderReturns:
    """What of an order comes back, and how far it is."""
    with caller.work() as work:
        work.orders.get(order)
        found = work.returns.of(order)
    return OrderReturns(rows=[ReturnTold.of(one) for one in found])


@router.post("/orders/{order}/returns", status_code=201)
def ask(order: Id, asked: AskedReturn, *, key: Key, caller: Asks) -> ReturnReceived:
    """Ask for goods to come back; the money goes back once they were looked at."""
    units: dict[int, int] = {}
    for line in asked.lines:
        units[line.line] = units.get(line.line, 0) + line.units
    wanted = Asked(order, units, asked.reason, asked.way, asked.place)
    told = ask_return(caller.sanhe, wanted, key=key, by=caller.by)
    return ReturnReceived.model_validate(told)
