"""The rules of returns: how much may come back, and what becomes of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sanhe.core.errors import BadInput, Conflict
from sanhe.place.orders import Order

WAYS: Final = ("store", "courier")
"""How goods come back: brought to any store, or fetched at the door (上门取件)."""
_SUBJECT: Final = "return/"


class ReturnState(StrEnum):
    """Where a return stands (退货状态)."""

    ASKED = "asked"
    RECEIVED = "received"
    """A store has it; it is to be looked at."""
    INSPECTED = "inspected"
    """Looked at: the money goes back, the goods are where they belong."""
    DROPPED = "dropped"
    """It does not come any more."""


WAITING: Final = (ReturnState.ASKED, ReturnState.RECEIVED)
"""The states in which its units are spoken for."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What was found of a line, in units: as good as new, for the outlet, or waste."""

    sellable: int = 0
    outlet: int = 0
    waste: int = 0

    @property
    def units(self) -> int:
        """All of them."""
        return self.sellable + self.outlet + self.waste


@dataclass(frozen=True, slots=True)
class ReturnLine:
    """`units` of an order's line that come back; `received` of them did (None = not yet).

    `amount_cents` goes back for them, of the payment that the order was paid with.
    """

    line: int
    units: int
    received: int | None = None
    verdict: Verdict = Verdict()
    amount_cents: int = 0

    @property
    def spoken_for(self) -> int:
        """Units that can't be asked back a second time."""
        return self.units if self.received is None else self.received


@dataclass(frozen=True, slots=True)
class Return:
    """Goods of an order that come back. `place` has them, or is to get them; None = any store.

    `refund` is the refund that was asked for after they were looked at. Times in UTC.
    """

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
    lines: tuple[ReturnLine, ...]

    @property
    def subject(self) -> str:
        """What its task is about."""
        return f"{_SUBJECT}{self.id}"

    @property
    def amount_cents(self) -> int:
        """What goes back for all of it."""
        return sum(line.amount_cents for line in self.lines)


def return_of(subject: str) -> UUID | None:
    """The return that a task is about, if it is about one."""
    return UUID(subject.removeprefix(_SUBJECT)) if subject.startswith(_SUBJECT) else None


def returnable(order: Order, returns: Sequence[Return]) -> dict[int, int]:
    """Units by line that were handed over and neither came back nor are on their way, in these
    returns of the order; lines without any are left out."""
    left = {line.line: line.state.handed - line.state.returned for line in order.lines}
    for one in returns:
        if one.state in WAITING:
            for line in one.lines:
                left[line.line] -= line.spoken_for
    return {number: units for number, units in left.items() if units > 0}


def check_asked(order: Order, units: Mapping[int, int], waiting: Sequence[Return]) -> None:
    """Raise for what can't come back: Conflict for more than was handed over and neither came
    back nor is on its way, NotFound for no such line, BadInput for nothing at all."""
    if not units:
        raise BadInput("nothing comes back", place="lines", remedy="name a line and its units")
    may_come = returnable(order, waiting)
    for number, count in units.items():
        state, left = order.line(number).state, may_come.get(number, 0)
        if not 1 <= count <= left:
            raise Conflict(
                f"order {order.number}, line {number}: {count} can't come back; {state.handed} "
                f"were handed over, {state.handed - left} came back or are on their way"
            )


def received(lines: Sequence[ReturnLine], counts: Mapping[int, int]) -> tuple[ReturnLine, ...]:
    """The lines with what arrived of each; one left out did not. Raises BadInput for a line that
    was not asked for, more than was asked for, or nothing at all."""
    strange = set(counts) - {line.line for line in lines}
    asked = {line.line: line.units for line in lines}
    wrong = [n for n, count in counts.items() if n in asked and not 0 <= count <= asked[n]]
    if strange or wrong or not any(counts.values()):
        raise BadInput(
            "this is not what was to come back",
            place=f"lines/{min([*strange, *wrong], default='')}",
            remedy="count what lies there; for more, ask for a further return",
        )
    return tuple(
        ReturnLine(line.line, line.units, counts.get(line.line, 0), line.verdict) for line in lines
    )


def check_verdicts(found: Return, verdicts: Mapping[int, Verdict]) -> None:
    """Raise BadInput unless each received line is judged, and every unit of it."""
    for line in found.lines:
        verdict = verdicts.get(line.line, Verdict())
        parts = (verdict.sellable, verdict.outlet, verdict.waste)
        if min(parts) < 0 or verdict.units != (line.received or 0):
            raise BadInput(
                f"{verdict.units} units are judged, {line.received or 0} were received",
                place=f"lines/{line.line}",
                remedy="say of each unit whether it is sellable, for the outlet or waste",
            )
    strange = set(verdicts) - {line.line for line in found.lines}
    if strange:
        raise BadInput("no such line", place=f"lines/{min(strange)}", remedy="leave it out")
