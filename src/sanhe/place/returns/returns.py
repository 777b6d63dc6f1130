"""The façade: returns within one transaction.

All that changes a return holds the lock of its order first.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.core.facts import Fact
from sanhe.core.places import Places
from sanhe.core.storage import Transaction
from sanhe.core.values import new_id
from sanhe.place.orders import Order, Orders
from sanhe.place.returns import rules, store
from sanhe.place.returns.facts import return_facts
from sanhe.place.returns.rules import WAYS, Return, ReturnLine, ReturnState, Verdict
from sanhe.place.tasks import NewTask, TaskLine, Tasks

MOST_COUNTED: Final = 10_000


@dataclass(frozen=True, slots=True)
class Asked:
    """What is to come back of an order: units by line, how, and why. `place`: where to; None =
    any store."""

    order: UUID
    units: Mapping[int, int]
    reason: str
    way: str = "store"
    place: str | None = None


class Returns:
    """Goods that come back, whole or in part, to whichever store."""

    def __init__(self, tx: Transaction, *, orders: Orders, tasks: Tasks, places: Places) -> None:
        self._tx, self._orders, self._tasks, self._places = tx, orders, tasks, places

    def ask(self, asked: Asked) -> Return:
        """Ask for goods to come back; nothing is paid back before they were looked at.

        Raises NotFound, BadInput, Conflict for more than was handed over and is not back or on
        its way.
        """
        if asked.way not in WAYS:
            raise BadInput(f"no way {asked.way!r}", place="way", remedy=f"one of {WAYS}")
        if asked.way == "courier" and asked.place is None:
            raise BadInput(
                "a courier needs to know where to", place="place", remedy="name the store"
            )
        if not asked.reason:
            raise BadInput("no reason is given", place="reason", remedy="say why it comes back")
        order = self._orders.lock(asked.order)
        rules.check_asked(order, asked.units, store.read_of(self._tx, order.id))
        new = Return(
            id=new_id(),
            number=0,
            order_id=order.id,
            way=asked.way,
            place=asked.place,
            state=ReturnState.ASKED,
            reason=asked.reason,
            asked_at=self._tx.clock.now(),
            received_at=None,
            closed_at=None,
            refund=None,
            lines=tuple(ReturnLine(line, units) for line, units in sorted(asked.units.items())),
        )
        store.insert(self._tx, new)
        told = {str(line): units for line, units in asked.units.items()}
        self._orders.note(order.id, "return_asked", details={"units": told, "way": asked.way})
        return self.get(new.id)

    def receive(self, return_: UUID, place: str, counts: Mapping[int, int]) -> Return:
        """Say what arrived at a place, units by line; it is to be looked at there.

        The same again changes nothing. Raises NotFound, BadInput for what was not asked for,
        Conflict when it was received otherwise or does not come any more.
        """
        order, found = self._locked(return_)
        self._places.get(place)
        lines = rules.received(found.lines, counts)
        if found.state is ReturnState.RECEIVED and (found.place, found.lines) == (place, lines):
            return found
        if found.state is not ReturnState.ASKED:
            raise Conflict(f"return {found.number} is {found.state}: it is not waited for")
        came = replace(
            found,
            place=place,
            lines=lines,
            state=ReturnState.RECEIVED,
            received_at=self._tx.clock.now(),
        )
        store.save(self._tx, came)
        self._orders.note(order.id, "return_received", details={"place": place})
        self._tasks.open([_inspect_task(order, came)])
        return came

    def inspect(self, return_: UUID, verdicts: Mapping[int, Verdict]) -> tuple[Return, list[Fact]]:
        """Say what was found, unit by unit: the money for all of it is asked back, and the facts
        tell what is in stock again. The facts are the caller's to record; none when it was said.

        Raises NotFound, BadInput for units that are not judged, Conflict for what did not arrive
        or was judged otherwise.
        """
        order, found = self._locked(return_)
        if found.state is ReturnState.INSPECTED and all(
            verdicts.get(line.line, Verdict()) == line.verdict for line in found.lines
        ):
            return found, []
        if found.state is not ReturnState.RECEIVED or found.place is None:
            raise Conflict(f"return {found.number} is {found.state}: there is nothing to look at")
        rules.check_verdicts(found, verdicts)
        now = self._tx.clock.now()
        judged = tuple(
            replace(
                line,
                verdict=verdicts.get(line.line, Verdict()),
                amount_cents=order.line(line.line).state.return_cents(line.received or 0),
            )
            for line in found.lines
        )
        units = {line.line: line.received for line in judged if line.received}
        refund = self._orders.take_back(order.id, units, found.reason)
        done = replace(
            found, lines=judged, state=ReturnState.INSPECTED, closed_at=now, refund=refund
        )
        store.save(self._tx, done)
        self._end_task(done, note="looked at")
        zone, cut_off = self._places.calendars({found.place})[found.place]
        return done, return_facts(done, order, at=now, time_zone=zone, cut_off=cut_off)

    def drop(self, return_: UUID, *, why: str) -> Return:
        """Say that it does not come any more; again changes nothing. Raises NotFound, Conflict
        for what has arrived."""
        order, found = self._locked(return_)
        if found.state is ReturnState.DROPPED:
            return found
        if found.state is not ReturnState.ASKED:
            raise Conflict(f"return {found.number} is {found.state}: it has arrived")
        gone = replace(found, state=ReturnState.DROPPED, closed_at=self._tx.clock.now())
        store.save(self._tx, gone)
        self._orders.note(order.id, "return_dropped", details={"reason": why})
        return gone

    def get(self, return_: UUID) -> Return:
        """One return. Raises NotFound."""
        found = store.read(self._tx, return_)
        if found is None:
            raise NotFound(f"no return {return_}: look its order up")
        return found

    def of(self, order: UUID) -> list[Return]:
        """The returns of an order, the oldest first."""
        return store.read_of(self._tx, order)

    def page(
        self,
        *,
        place: str | None = None,
        state: ReturnState | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> tuple[list[Return], int]:
        """Some returns, the newest first, and how many there are, counted up to 10,000."""
        name = None if state is None else state.value
        return store.page(self._tx, place, name, offset=offset, limit=limit, most=MOST_COUNTED)

    def _locked(self, return_: UUID) -> tuple[Order, Return]:
        order = self._orders.lock(self.get(return_).order_id)
        return order, self.get(return_)

    def _end_task(self, found: Return, *, note: str) -> None:
        for task in self._tasks.of(found.place or "", found.subject):
            self._tasks.take(task.id, over=True)
            self._tasks.finish(task.id, note=note)


def _inspect_task(order: Order, found: Return) -> NewTask:
    units: dict[str, int] = {}
    for line in found.lines:
        each = {part.sku: part.each for part in order.parts if part.line == line.line}
        for sku, count in each.items():
            units[sku] = units.get(sku, 0) + count * (line.received or 0)
    return NewTask(
        place=found.place or "",
        kind="inspect",
        subject=found.subject,
        lines=tuple(TaskLine(sku, count) for sku, count in units.items() if count),
        note=f"return {found.number} of order {order.number}: {found.reason}"[:2000],
    )
