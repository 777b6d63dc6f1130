"""The flows of fulfilment: paid orders are taken up, couriers asked, shorts answered."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from uuid import UUID

from sanhe.core.errors import NotFound, SanheError, Temporary
from sanhe.place.devices import SignedEvent, Synced
from sanhe.place.fulfil import Answered, Booking, BookingState
from sanhe.place.returns import Asked
from sanhe.wiring.recipients import courier_recipient

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
        one: Answered | None
        while True:
            one = None
            with _by_itself(f"{sku} short at {place}"), sanhe.work(actor=ACTOR) as work:
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
        with _by_itself(f"shipment {shipment}"), sanhe.work(actor=ACTOR) as work:
            released += work.fulfil.release(shipment)
    return released


def book_couriers(sanhe: Sanhe) -> int:
    """Ask the next courier for each parcel that waits for one; how many were asked."""
    with sanhe.work(actor=ACTOR) as work:
        shipments, returns = work.fulfil.to_book(), work.returns.to_book()
    booked = 0
    for is_return, parcels in ((False, shipments), (True, returns)):
        for parcel in parcels:
            booking = None
            with _by_itself(f"parcel {parcel}"), sanhe.work(actor=ACTOR) as work:
                books = work.returns if is_return else work.fulfil
                booking = books.book(parcel)
            if booking is not None:
                booked += 1
                _hear(sanhe, booking)
    return booked


def hear_couriers(sanhe: Sanhe) -> int:
    """Ask the couriers how their bookings stand, and let go of who does not answer; how many
    bookings stand otherwise now. No row is locked while a courier is waited for."""
    with sanhe.work(actor=ACTOR) as work:
        bookings = work.bookings.open()
    return sum(_hear(sanhe, booking) for booking in bookings)


def cancel_bookings(sanhe: Sanhe, bookings: Iterable[Booking]) -> None:
    """Tell couriers that they need not come; who is away finds nothing to fetch."""
    for booking in bookings:
        try:
            sanhe.couriers.cancel(booking)
        except Temporary as error:
            _LOG.info("%s: %s", booking.name, error)


@contextmanager
def _by_itself(what: str) -> Iterator[None]:
    """What is refused for one thing must not keep the others waiting: it is logged and tried
    again in the next run."""
    try:
        yield
    except SanheError as error:
        _LOG.error("%s: %s", what, error)


def _hear(sanhe: Sanhe, booking: Booking) -> bool:
    try:
        state = sanhe.couriers.ask(booking, courier_recipient(sanhe, booking))
    except (Temporary, NotFound) as error:  # a recipient may have been erased: nobody can come
        _LOG.info("%s: %s", booking.name, error)
        state = booking.state
    late = booking.answer_by <= sanhe.clock.now()
    if state is BookingState.ASKED and late:
        state = BookingState.SILENT
    if state is booking.state:
        return False
    changed = False
    actor = f"courier {booking.courier}"
    with _by_itself(booking.name), sanhe.work(actor=actor) as work:
        if booking.shipment is None:
            changed = work.returns.told(booking, state)
        else:
            changed = work.fulfil.told(booking, state)
            if changed and state is BookingState.RETURNED:
                _take_in(work, booking.shipment)
    if changed and state is BookingState.SILENT:
        cancel_bookings(sanhe, [booking])
    return changed


def _take_in(work: Work, shipment: UUID) -> None:
    """What a courier brought back is a return that has arrived: to be looked at."""
    found = work.fulfil.get(shipment)
    units = {line.line: line.there for line in found.lines if line.there}
    asked = Asked(found.order_id, units, "the courier could not deliver it", "courier", found.place)
    work.returns.receive(work.returns.ask(asked).id, found.place, units)
