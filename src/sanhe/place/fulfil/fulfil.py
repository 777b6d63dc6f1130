"""The façade: shipments within one transaction.

All that changes a shipment holds the lock of its order first, so that picking, cancelling,
handing over and re-sourcing of one order come one after the other.
"""

from __future__ import annotations

import os
import secrets
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from sanhe.core.errors import BadInput, Conflict, NotFound
from sanhe.core.storage import Transaction
from sanhe.core.values import Json, new_id
from sanhe.goods.stock import Stock
from sanhe.place.fulfil import rules, store
from sanhe.place.fulfil.bookings import Bookings, Parcel
from sanhe.place.fulfil.elsewhere import Elsewhere
from sanhe.place.fulfil.ports import Booking, BookingState
from sanhe.place.fulfil.rules import WAITING, Policy, Shipment, ShipmentLine, ShipmentState
from sanhe.place.orders import Instead, Nearby, Order, Orders, Piece, State, lines_short
from sanhe.place.tasks import NewTask, TaskLine, Tasks, TaskState

MOST_COUNTED: Final = 10_000
_Key = tuple[str, int]


@dataclass(frozen=True, slots=True)
class Answered:
    """An order whose goods were sold to somebody else, and what came of it: `moved_to` another
    place, or None: cancelled, with the money back if it was paid."""

    order: UUID
    moved_to: str | None


class Fulfil:
    """From paid orders to goods in the shopper's hands, as far as the transaction sees."""

    def __init__(
        self,
        tx: Transaction,
        *,
        orders: Orders,
        stock: Stock,
        tasks: Tasks,
        bookings: Bookings,
        nearby: Nearby,
        policy: Policy | None = None,
    ) -> None:
        self._tx, self._orders, self._stock, self._tasks = tx, orders, stock, tasks
        self._bookings, self._policy = bookings, policy or Policy()
        self._elsewhere = Elsewhere(tx, orders, nearby)

    def take_up(self, *, limit: int = 200) -> int:
        """Make shipments and pick tasks of paid orders that have none; how many orders.

        Orders that somebody else takes up are left to them. Again until it is 0.
        """
        orders = self._orders.take_up(limit=limit)
        self._follow(orders)
        return len(orders)

    def follow(self, order: UUID, *, handed: bool = False) -> list[Shipment]:
        """Bring an order's shipments in line with what is still open of it, after a change.

        What is not wanted any more goes back to the shelf, unless it was `handed` over; what
        another place gives is picked there. Before it is taken up there is nothing to do.
        """
        found = self._orders.lock(order)
        if store.read_of(self._tx, [order]):
            self._follow([found], handed=handed)
        return store.read_of(self._tx, [order])

    def picked(
        self,
        shipment: UUID,
        done: Mapping[str, int],
        *,
        instead: Mapping[str, Instead] | None = None,
    ) -> Shipment:
        """Say what was picked, in base units by SKU; a component left out was not there.

        `instead` is what was picked in place of all that is missing of an SKU, where the shopper
        takes something like it. Else what is missing is taken from the next best place, or
        cancelled with the money back. The rest is ready. Raises NotFound, Conflict when it was
        picked otherwise or is not wanted, and what `Orders.substitute` does.
        """
        order, found = self._locked(shipment)
        parts = {line.line: order.parts_at(line.line, found.place) for line in found.lines}
        swaps = instead or {}
        whole = Counter(done)
        whole.update({one.sku: one.quantity for one in swaps.values()})
        again = rules.picked_lines(found.lines, parts, whole)
        if found.state is ShipmentState.READY and list(found.lines) == again:
            return found
        lines = rules.picked_lines(found.lines, parts, done)
        if found.state is ShipmentState.CANCELLED:
            self._put_back(order, replace(found, lines=tuple(lines)))
            return found
        if found.state is not ShipmentState.PICKING:
            raise Conflict(f"shipment {found.number} is {found.state}: there is nothing to pick")
        for swap in swaps.items():
            lines = self._substituted(order, found.place, lines, swap=swap)
        order = self._orders.get(order.id)
        ready = replace(found, lines=tuple(lines))
        told = {str(line.line): line.there for line in lines}
        self._orders.note(
            order.id, "picked", details={"place": found.place, "units": told, "by": self._tx.actor}
        )
        if any(told.values()):
            self._ready(order, ready)
        else:
            self._close(ready, ShipmentState.CANCELLED, why="none of it was there")
        for line in lines:
            if line.units > line.there:
                short = Piece(line.line, found.place, line.units - line.there)
                self._elsewhere.find(order, short, why="it was not there")
        self._follow([self._orders.get(order.id)])
        return self.get(shipment)

    def new_code(self, shipment: UUID) -> str:
        """A new code for the shopper to show when fetching it; the one before is void.

        Only its hash is kept, and in the order's history who drew it. Raises NotFound, Conflict
        for one that is not to be picked up.
        """
        order, found = self._locked(shipment)
        if found.method != "pickup" or found.state not in WAITING:
            raise Conflict(f"shipment {found.number} is {found.state}: there is nothing to fetch")
        code = f"{secrets.randbelow(10**rules.CODE_DIGITS):0{rules.CODE_DIGITS}d}"
        salt = os.urandom(16)
        store.set_code(self._tx, shipment, salt=salt, hash_=rules.code_hash(code, salt))
        self._orders.note(order.id, "code_drawn", details={"shipment": found.number})
        return code

    def check_code(self, shipment: UUID, code: str) -> bool:
        """Whether it is the shipment's code; a wrong one is counted, so commit also then.

        Raises TooMany after `GUESSES` wrong ones, Conflict for what can't be fetched now.
        """
        _, found = self._locked(shipment)
        self._require_ready(found, "pickup")
        salt, kept, busy_until = store.read_code(self._tx, shipment)
        if salt is None or kept is None:
            raise Conflict(
                f"shipment {found.number} has no code yet: let the shopper have it shown"
            )
        until = rules.after_guess(busy_until, self._tx.clock.now())
        if rules.fits(code, salt, kept):
            return True
        store.count_guess(self._tx, shipment, until)
        return False

    def hand_over(self, shipment: UUID) -> State:
        """Say that the shopper has it, after the code was checked; where the order stands then.

        Raises NotFound, Conflict for what can't be fetched.
        """
        _, found = self._locked(shipment)
        self._require_ready(found, "pickup")
        state = self._left(found)
        self._close(found, ShipmentState.HANDED, why="fetched", done=True)
        return state

    def not_fetched(self, *, limit: int = 500) -> list[UUID]:
        """The shipments whose time to be fetched is over."""
        return store.read_not_fetched(self._tx, limit)

    def release(self, shipment: UUID) -> bool:
        """Let go of what nobody fetched in time: stock free again, money back (超时未取).

        False when it was fetched meanwhile, or has time again.
        """
        order, found = self._locked(shipment)
        until, now = found.fetch_until, self._tx.clock.now()
        if found.state is not ShipmentState.READY or until is None or until > now:
            return False
        self._orders.cancel(order.id, "not fetched in time", pieces=_pieces(found))
        self._close(found, ShipmentState.RELEASED, why="not fetched in time")
        self._put_back(order, found)
        return True

    def to_book(self, *, limit: int = 500) -> list[UUID]:
        """The shipments that wait for a courier and have asked none who may still come."""
        return store.read_to_book(self._tx, limit)

    def book(self, shipment: UUID) -> Booking | None:
        """The booking with which the next courier is to be asked; None = none is, now.

        When all have refused, a task says so. See `Bookings.ask_next`.
        """
        order, found = self._locked(shipment)
        if found.state is not ShipmentState.READY:
            return None
        planned = _planned(order, found.place)
        booking, refused = self._bookings.ask_next(Parcel(found.place, shipment, planned=planned))
        if refused:
            self._task(order, found, "hand_over", note="no courier takes it: call one")
        return booking

    def told(self, booking: Booking, state: BookingState) -> bool:
        """Say how a booking stands now; False when that was said, or it went on meanwhile."""
        if state is booking.state:
            return False
        if booking.shipment is None:
            raise NotFound(f"booking {booking.id} is for no shipment")
        order, found = self._locked(booking.shipment)
        if not self._bookings.tell(booking, state):
            return False
        details: dict[str, Json] = {"courier": booking.courier, "attempt": booking.attempt}
        self._orders.note(order.id, f"courier_{state.value}", details=details)
        if state is BookingState.ACCEPTED:
            self._task(order, found, "hand_over", note=f"for courier {booking.courier}")
            return True
        gone = (BookingState.COLLECTED, BookingState.DELIVERED, BookingState.RETURNED)
        if state in gone and found.state is ShipmentState.READY:
            found = self._away(found)
        if state is BookingState.DELIVERED:
            self._close(found, ShipmentState.DELIVERED, why="delivered")
        elif state is BookingState.RETURNED:
            self._close(found, ShipmentState.RETURNED, why="not delivered")
        return True

    def collected(self, shipment: UUID) -> State:
        """Say that a courier has it, by whoever gave it away; where the order stands then.

        Raises NotFound, Conflict for one that is not ready or is not for a courier.
        """
        order, found = self._locked(shipment)
        self._require_ready(found, "courier")
        self._away(found)
        self._bookings.end(Parcel(found.place, shipment), BookingState.COLLECTED)
        return self._orders.get(order.id).state

    def answer_short(self, sku: str, place: str) -> Answered | None:
        """Answer one order whose goods of an SKU at a place were sold to somebody else.

        What physically happened has won. Who has not paid loses first, then who paid last; what
        is picked is there. The order gets it from the next best place, or is cancelled with the
        money back. None when nobody is short, or only what is picked: then it is to be counted.
        Each in a transaction of its own, until it is None.
        """
        for order_id in self._orders.claiming(sku, place):
            order = self._orders.lock(order_id)
            missing = self._missing(sku, place)
            if missing <= 0:
                return None
            if order.state is State.PLACED:
                self._orders.cancel(order.id, f"{sku} was sold at {place} meanwhile")
                return Answered(order.id, None)
            piece = self._loses(order, sku, place, missing=missing)
            if piece is not None:
                to = self._elsewhere.find(order, piece, why=f"{sku} was sold at {place} meanwhile")
                self.follow(order.id)
                return Answered(order.id, to)
        return None

    def get(self, shipment: UUID) -> Shipment:
        """One shipment. Raises NotFound."""
        found = store.read(self._tx, shipment)
        if found is None:
            raise NotFound(f"no shipment {shipment}: look its order up")
        return found

    def of(self, orders: Collection[UUID]) -> list[Shipment]:
        """The shipments of these orders, the oldest first."""
        return store.read_of(self._tx, orders)

    def page(
        self,
        *,
        place: str | None = None,
        states: Collection[ShipmentState] | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> tuple[list[Shipment], int]:
        """Some shipments, the newest first, and how many there are, counted up to 10,000."""
        window = {"offset": offset, "limit": limit, "most": MOST_COUNTED}
        names = None if states is None else [state.value for state in states]
        return store.page(self._tx, place, names, window=window)

    def _locked(self, shipment: UUID) -> tuple[Order, Shipment]:
        """The order, locked, and then the shipment as it is, in line with its order."""
        order = self._orders.lock(self.get(shipment).order_id)
        self._follow([order])
        return order, self.get(shipment)

    def _follow(self, orders: Sequence[Order], *, handed: bool = False) -> None:
        known = store.read_of(self._tx, [order.id for order in orders])
        rows: list[dict[str, object]] = []
        for order in orders:
            open_pieces = order.open_pieces if order.state is State.PAID else []
            left = Counter({(piece.place, piece.line): piece.units for piece in open_pieces})
            for shipment in known:
                if shipment.order_id == order.id and shipment.state in WAITING:
                    self._fit(order, shipment, left, handed=handed)
            rows += self._new(order, left)
        if not rows:
            return
        store.insert(self._tx, rows)
        by_id = {order.id: order for order in orders}
        made = store.read_of(self._tx, list(by_id))
        new = {row["id"] for row in rows}
        self._tasks.open(
            _task_of(by_id[one.order_id], one, "pick") for one in made if one.id in new
        )

    def _fit(self, order: Order, shipment: Shipment, left: Counter[_Key], *, handed: bool) -> None:
        """Take what a shipment has out of what is left to ship; let go of what is not wanted."""
        lines = []
        for line in shipment.lines:
            units = min(line.there, left[shipment.place, line.line])
            left[shipment.place, line.line] -= units
            is_picked = line.picked is not None
            lines.append(replace(line, **{"picked" if is_picked else "units": units}))
        if tuple(lines) == shipment.lines:
            return
        fitted = replace(shipment, lines=tuple(lines))
        if shipment.state is ShipmentState.READY and not handed:
            gone = zip(shipment.lines, lines, strict=True)
            less = tuple(replace(was, picked=was.there - now.there) for was, now in gone)
            self._put_back(order, replace(shipment, lines=less))
        if not any(line.there for line in lines):
            state = ShipmentState.HANDED if handed else ShipmentState.CANCELLED
            why = "handed over" if handed else "not wanted any more"
            self._close(fitted, state, why=why, done=handed)
            return
        store.save(self._tx, fitted)
        if shipment.state is ShipmentState.PICKING:
            self._drop_tasks(shipment, why="less is wanted")
            self._tasks.open([_task_of(order, fitted, "pick")])

    def _new(self, order: Order, left: Counter[_Key]) -> list[dict[str, object]]:
        """The shipments to be made of what is left, one for each place."""
        by_place: dict[str, list[dict[str, int]]] = {}
        for (place, line), units in sorted(left.items()):
            if units > 0:
                by_place.setdefault(place, []).append({"line": line, "units": units})
        now, promised = self._tx.clock.now(), order.ready_at
        due = now + self._policy.pick_within if promised is None or promised <= now else promised
        return [
            {"id": new_id(), "order_id": order.id, "place": place, "method": order.method}
            | {"due_at": due, "lines": lines}
            for place, lines in by_place.items()
        ]

    def _ready(self, order: Order, shipment: Shipment) -> None:
        now = self._tx.clock.now()
        fetched = shipment.method == "pickup"
        until = now + self._policy.fetch_within if fetched else None
        ready = replace(shipment, state=ShipmentState.READY, ready_at=now, fetch_until=until)
        store.save(self._tx, ready)
        if fetched:
            self._task(order, ready, "hand_over", note="the shopper shows a code")

    def _away(self, shipment: Shipment) -> Shipment:
        """The goods leave with a courier."""
        self._left(shipment)
        away = replace(shipment, state=ShipmentState.AWAY, away_at=self._tx.clock.now())
        store.save(self._tx, away)
        self._drop_tasks(shipment, why="a courier has it", done=True)
        return away

    def _left(self, shipment: Shipment) -> State:
        return self._orders.hand_over(shipment.order_id, _pieces(shipment))

    def _close(
        self, shipment: Shipment, state: ShipmentState, *, why: str, done: bool = False
    ) -> None:
        closed = replace(shipment, state=state, closed_at=self._tx.clock.now())
        store.save(self._tx, closed)
        self._drop_tasks(shipment, why=why, done=done)

    def _drop_tasks(self, shipment: Shipment, *, why: str, done: bool = False) -> None:
        """End the tasks of a shipment that wait: as done, or because there is nothing to do."""
        for task in self._tasks.of(shipment.place, shipment.subject):
            if done and task.kind == "hand_over":
                if task.state is TaskState.OPEN:
                    self._tasks.take(task.id)
                self._tasks.finish(task.id, note=why)
            else:
                self._tasks.drop(task.id, note=why)

    def _task(self, order: Order, shipment: Shipment, kind: str, *, note: str) -> None:
        task = _task_of(order, shipment, kind)
        self._tasks.open([replace(task, note=f"{task.note}: {note}")])

    def _put_back(self, order: Order, shipment: Shipment) -> None:
        """Let what was picked go back to the shelf."""
        task = _task_of(order, shipment, "shelf")
        if not task.lines:
            return
        self._tasks.open([replace(task, note=f"back from order {order.number}", due_at=None)])

    def _missing(self, sku: str, place: str) -> int:
        rows = self._stock.positions([(sku, place)]).to_pylist()
        return -int(rows[0]["discrepancy"]) if rows else 0

    def _substituted(
        self, order: Order, place: str, lines: list[ShipmentLine], *, swap: tuple[str, Instead]
    ) -> list[ShipmentLine]:
        """The picked lines with what stands in for all that is missing of an SKU."""
        sku, given = swap
        short = [Piece(one.line, place, one.units - one.there) for one in lines]
        missing = [one for one in lines_short(order, short, sku) if one.units]
        if len(missing) != 1:
            what = "missing on several lines" if missing else "not missing by itself"
            raise BadInput(
                f"{sku} is {what}", place="instead", remedy="name what one line misses all of"
            )
        number, _ = self._orders.substitute(order.id, missing[0], given)
        settled = [
            replace(one, units=one.there) if one.line == missing[0].line else one for one in lines
        ]
        return [*settled, ShipmentLine(number, given.quantity, given.quantity)]

    def _loses(self, order: Order, sku: str, place: str, *, missing: int) -> Piece | None:
        """What an order loses of what is missing: nothing of what it has picked already."""
        picked: Counter[int] = Counter()
        for shipment in store.read_of(self._tx, [order.id]):
            if (shipment.place, shipment.state) == (place, ShipmentState.READY):
                picked.update({line.line: line.there for line in shipment.lines})
        for part in order.parts:
            units = min(part.open - picked[part.line], -(-missing // part.each))
            if (part.sku, part.place) == (sku, place) and units > 0:
                return Piece(part.line, place, units)
        return None

    def _require_ready(self, shipment: Shipment, method: str) -> None:
        if (shipment.method, shipment.state) != (method, ShipmentState.READY):
            raise Conflict(
                f"shipment {shipment.number} ({shipment.method}) is {shipment.state}: it can't be "
                "handed over like this"
            )


def _pieces(shipment: Shipment) -> list[Piece]:
    lines: tuple[ShipmentLine, ...] = shipment.lines
    return [Piece(line.line, shipment.place, line.there) for line in lines if line.there]


def _task_of(order: Order, shipment: Shipment, kind: str) -> NewTask:
    needs = rules.needs_of(order, shipment.place, shipment.lines)
    due: datetime | None = shipment.due_at if kind == "pick" else order.arrives_at
    return NewTask(
        place=shipment.place,
        kind=kind,
        subject=shipment.subject,
        lines=tuple(TaskLine(sku, units) for sku, units in needs.items()),
        due_at=due,
        note=f"order {order.number}",
    )


def _planned(order: Order, place: str) -> str | None:
    """The courier with which the promise was made for a place."""
    parts = order.why.get("parts")
    for part in parts if isinstance(parts, list) else ():
        if part.get("place") == place:
            return str(part["courier"]) if part.get("courier") else None
    return None
