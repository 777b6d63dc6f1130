"""The flows of fulfilment: paid orders are taken up, couriers asked, shorts answered."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sanhe.core.errors import Conflict, Denied, Temporary
from sanhe.place.devices import SignedEvent, Synced
from sanhe.place.fulfil import Answered, Booking, BookingState, Shipment, shipment_of
from sanhe.place.tasks import StoreTask

if TYPE_CHECKING:
    from sanhe.wiring.sanhe import Sanhe
    from sanhe.wiring.work import Work

ACTOR: Final = "fulfil"
_STOCK_TASK: Final = "stock "
_MOST_TASKS: Final = 500
_LOG = logging.getLogger("sanhe.fulfil")


@dataclass(frozen=True, slots=True)
class FulfilRun:
    """What one run came to: orders taken up, orders answered whose goods were gone, shipments
    that nobody fetched, couriers asked, news of couriers."""

    taken_up: int = 0
    answered: tuple[Answered, ...] = ()
    released: int = 0
    booked: int = 0
    news: int = 0


def fulfil_orders(sanhe: Sanhe) -> FulfilRun:
    """One run of all that fulfilment does by itself. Two at once share the work."""
    taken_up = take_up_orders(sanhe)
    answered = answer_shorts(sanhe)
    released = release_not_fetched(sanhe)
    news = hear_couriers(sanhe)
    booked = book_couriers(sanhe)
    return FulfilRun(taken_up, answered, released, booked, news)


def take_up_orders(sanhe: Sanhe) -> int:
    """Make shipments and pick tasks of all paid orders that have none; how many orders."""
    taken_up = 0
    while True:
        with sanhe.work(actor=ACTOR) as work:
            found = work.fulfil.take_up()
        taken_up += found
        if not found:
            return taken_up


def answer_shorts(
    sanhe: Sanhe, pairs: Iterable[tuple[str, str]] | None = None
) -> tuple[Answered, ...]:
    """Answer the orders whose goods were sold to somebody else, at these (sku, place) or at all
    that a store has a task to count for."""
    if pairs is None:
        with sanhe.work(actor=ACTOR) as work:
            tasks, _ = work.tasks.page(kinds=["discrepancy"], limit=_MOST_TASKS)
        found = {
            (task.subject.removeprefix(_STOCK_TASK), task.place)
            for task in tasks
            if task.subject.startswith(_STOCK_TASK)
        }
        with sanhe.work(actor=ACTOR) as work:
            pairs = {(short.sku, short.place) for short in work.stock.shorts(found)}
    answered = []
    for sku, place in sorted(pairs):
        while True:
            with sanhe.work(actor=ACTOR) as work:
                one = work.fulfil.answer_short(sku, place)
            if one is None:
                break
            answered.append(one)
    return tuple(answered)


def sync_device(sanhe: Sanhe, device: str, events: Sequence[SignedEvent], *, actor: str) -> Synced:
    """Take what a till delivers, and answer the orders at once whose goods it had sold before.

    Raises what `Devices.sync` does. An order that can't be answered now is by the next run.
    """
    with sanhe.work(actor=actor) as work:
        synced = work.devices.sync(device, events)
    answer_shorts(sanhe, {(short.sku, short.place) for short in synced.shorts})
    return synced


def release_not_fetched(sanhe: Sanhe) -> int:
    """Let go of what nobody fetched in time; how many shipments."""
    with sanhe.work(actor=ACTOR) as work:
        due = work.fulfil.not_fetched()
    released = 0
    for shipment in due:
        with sanhe.work(actor=ACTOR) as work:
            released += work.fulfil.release(shipment)
    return released


def book_couriers(sanhe: Sanhe) -> int:
    """Ask the next courier for each shipment that waits for one; how many were asked."""
    with sanhe.work(actor=ACTOR) as work:
        waiting = work.fulfil.to_book()
    booked = 0
    for shipment in waiting:
        with sanhe.work(actor=ACTOR) as work:
            booking = work.fulfil.book(shipment)
        if booking is not None:
            booked += 1
            _hear(sanhe, booking)
    return booked


def hear_couriers(sanhe: Sanhe) -> int:
    """Ask the couriers how their bookings stand, and let go of who does not answer; how many
    bookings stand otherwise now. No row is locked while a courier is waited for."""
    with sanhe.work(actor=ACTOR) as work:
        bookings = work.fulfil.open_bookings()
    return sum(_hear(sanhe, booking) for booking in bookings)


def _hear(sanhe: Sanhe, booking: Booking) -> bool:
    try:
        state = sanhe.couriers.ask(booking)
    except Temporary as error:
        _LOG.info("shipment %s: %s", booking.shipment, error)
        state = booking.state
    late = booking.answer_by <= sanhe.clock.now()
    if state is BookingState.ASKED and late:
        state = BookingState.SILENT
    with sanhe.work(actor=f"courier {booking.courier}") as work:
        changed = work.fulfil.told(booking, state)
    if changed and state is BookingState.SILENT:
        try:
            sanhe.couriers.cancel(booking)
        except Temporary as error:
            _LOG.info("shipment %s: %s", booking.shipment, error)
    return changed


def finish_task(
    work: Work, task: UUID, *, done: Mapping[str, int] | None = None, note: str = ""
) -> StoreTask:
    """Finish a store's task, with what follows: what is picked is ready, or found elsewhere; what
    a courier has got is away. Raises what `Tasks.finish` does, Conflict for a hand-over to a
    shopper, which needs the code."""
    found = work.tasks.get(task)
    shipment = shipment_of(found.subject)
    if shipment is None or found.kind not in {"pick", "hand_over"}:
        return work.tasks.finish(task, done=done, note=note)
    known = work.fulfil.get(shipment)
    if found.kind == "hand_over" and known.method == "pickup":
        raise Conflict(f"shipment {known.number} is handed over by the shopper's code")
    work.orders.lock(known.order_id)
    finished = work.tasks.finish(task, done=done, note=note)
    if found.kind == "pick":
        work.fulfil.picked(shipment, {line.sku: line.done or 0 for line in finished.lines})
    else:
        work.fulfil.collected(shipment)
    return finished


def hand_over_by_code(sanhe: Sanhe, shipment: UUID, code: str, *, actor: str) -> Shipment:
    """Give a shipment to the shopper who shows its code.

    A wrong code is counted, and Denied raised; TooMany after several. Raises NotFound, Conflict.
    """
    with sanhe.work(actor=actor) as work:
        known = work.fulfil.get(shipment)
        if right := work.fulfil.check_code(shipment, code):
            work.fulfil.hand_over(shipment)
        found = work.fulfil.get(shipment) if right else known
    if not right:
        raise Denied("this is not the code: let the shopper show it once more")
    return found
