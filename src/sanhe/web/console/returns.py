"""Returns at a store: what is to come, what arrived, what was found."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from sanhe.place.returns import ReturnState, Verdict
from sanhe.web.asked import Closed, Code, Key, LineNumber, Number, Reason, Units, Window, Word
from sanhe.web.caller import Caller, depends
from sanhe.web.told import ReturnReceived, ReturnTold
from sanhe.wiring import (
    Awaited,
    awaited_returns,
    drop_return,
    goods_of,
    inspect_return,
    receive_return,
)

router = APIRouter(prefix="/store", tags=["store"])
Reads = Annotated[Caller, depends("sales.read")]
Picks = Annotated[Caller, depends("sales.pick")]
Asks = Annotated[Caller, depends("sales.return")]
Id = Annotated[UUID, Path()]


class ReturnsAsked(Window):
    """Which returns: of the place that has or gets them, in a state."""

    place: Word | None = None
    state: ReturnState | None = None


class CountedLine(Closed):
    """Units of an order's line that lie there."""

    line: LineNumber
    units: Units


class ReceivedEntered(Closed):
    """What arrived at a place; a line left out did not."""

    place: Code
    lines: list[CountedLine] = Field(min_length=1, max_length=200)


class JudgedLine(Closed):
    """What was found of a line's units: as good as new, for the outlet, or waste."""

    line: LineNumber
    sellable: Units = 0
    outlet: Units = 0
    waste: Units = 0


class JudgedEntered(Closed):
    """What was found of each unit that arrived."""

    lines: list[JudgedLine] = Field(min_length=1, max_length=200)


class ReasonEntered(Closed):
    """Why it does not come any more."""

    reason: Reason = Field(min_length=1)


class StoreReturn(ReturnTold):
    """A return as a store needs it: with the number of its order, and what its lines are."""

    order: int
    names: dict[int, str]

    @classmethod
    def told(cls, one: Awaited) -> StoreReturn:
        """A return as it is told."""
        return cls(**ReturnTold.of(one.found).model_dump(), order=one.order, names=dict(one.names))


class ReturnRows(BaseModel):
    """Some returns, and how many there are."""

    rows: list[StoreReturn]
    total: int


class AwaitedRows(BaseModel):
    """The returns of an order that may be taken in here."""

    rows: list[StoreReturn]


class ReturnJudged(BaseModel):
    """The return that was looked at, and what goes back for it."""

    id: UUID
    amount_cents: int


@router.get("/returns")
def read_returns(asked: Annotated[ReturnsAsked, Query()], caller: Reads) -> ReturnRows:
    """The returns that the caller sees, the newest first."""
    with caller.work() as work:
        found, total = work.returns.page(
            place=asked.place, state=asked.state, offset=asked.offset, limit=asked.limit
        )
    told = goods_of(caller.sanhe, found, by=caller.by)
    return ReturnRows(rows=[StoreReturn.told(one) for one in told], total=total)


@router.get("/awaited/{order}")
def read_awaited(order: Annotated[Number, Path()], caller: Picks) -> AwaitedRows:
    """What of the order of this number may be taken in here, wherever it was bought."""
    told = awaited_returns(caller.sanhe, order, by=caller.by)
    return AwaitedRows(rows=[StoreReturn.told(one) for one in told])


@router.get("/returns/{return_id}")
def read_return(return_id: Id, caller: Reads) -> StoreReturn:
    """One return."""
    with caller.work() as work:
        found = work.returns.get(return_id)
    (told,) = goods_of(caller.sanhe, [found], by=caller.by)
    return StoreReturn.told(told)


@router.post("/returns/{return_id}/receive")
def receive(return_id: Id, entered: ReceivedEntered, *, key: Key, caller: Picks) -> ReturnReceived:
    """Say what arrived at one's own place, wherever it was bought; a task to look at it opens."""
    counts = {line.line: line.units for line in entered.lines}
    told = receive_return(
        caller.sanhe, return_id, entered.place, counts=counts, key=key, by=caller.by
    )
    return ReturnReceived.model_validate(told)


@router.post("/returns/{return_id}/inspect")
def inspect(return_id: Id, entered: JudgedEntered, *, key: Key, caller: Picks) -> ReturnJudged:
    """Say what was found of each unit: the money goes back, sellable goods are in stock."""
    verdicts = {
        line.line: Verdict(line.sellable, line.outlet, line.waste) for line in entered.lines
    }
    told = inspect_return(caller.sanhe, return_id, verdicts, key=key, by=caller.by)
    return ReturnJudged.model_validate(told)


@router.post("/returns/{return_id}/drop")
def drop(return_id: Id, entered: ReasonEntered, *, key: Key, caller: Asks) -> ReturnReceived:
    """Say that it does not come any more."""
    told = drop_return(caller.sanhe, return_id, why=entered.reason, key=key, by=caller.by)
    return ReturnReceived.model_validate(told)
