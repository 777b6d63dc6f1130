"""Bookings of couriers: who is asked next, and how each stands."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sanhe.core.storage import Transaction
from sanhe.core.values import new_id
from sanhe.place.fulfil import rules, store
from sanhe.place.fulfil.ports import Booking, BookingState
from sanhe.place.fulfil.rules import Policy
from sanhe.place.stores import Stores


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a courier is to bring: a `shipment` from a place, or a `return_` to it. `planned` is
    the courier that the promise was made with."""

    place: str
    shipment: UUID | None = None
    return_: UUID | None = None
    planned: str | None = None


class Bookings:
    """The bookings of one transaction. Whoever books holds the lock of the parcel's order."""

    def __init__(self, tx: Transaction, stores: Stores, policy: Policy | None = None) -> None:
        self._tx, self._stores, self._policy = tx, stores, policy or Policy()

    def ask_next(self, parcel: Parcel) -> tuple[Booking | None, bool]:
        """The booking with which the next courier is to be asked, None = nobody is now; and
        whether all have refused.

        The courier of the promise first, then the store's others; after the last there is a
        pause before the first is asked again.
        """
        asked = self.of_parcel(parcel)
        if asked and not asked[-1].is_over:
            return None, False
        stores = self._stores.of([parcel.place])
        couriers = stores[0].couriers if stores else ()
        chosen = rules.next_courier(couriers, parcel.planned, len(asked))
        now = self._tx.clock.now()
        if chosen is None:
            return None, True
        if chosen[1] and asked[-1].asked_at + self._policy.pause > now:
            return None, True
        booking = Booking(
            id=new_id(),
            shipment=parcel.shipment,
            return_=parcel.return_,
            place=parcel.place,
            courier=chosen[0].name,
            attempt=len(asked) + 1,
            state=BookingState.ASKED,
            asked_at=now,
            answer_by=now + self._policy.answer_within,
        )
        store.book(self._tx, booking)
        return booking, chosen[1]

    def of(self, shipments: Collection[UUID]) -> list[Booking]:
        """The bookings of these shipments in turn."""
        return store.read_bookings(self._tx, shipments, ())

    def of_parcel(self, parcel: Parcel) -> list[Booking]:
        """The bookings of a shipment or return in turn."""
        shipments = [parcel.shipment] if parcel.shipment else []
        return store.read_bookings(self._tx, shipments, [parcel.return_] if parcel.return_ else [])

    def open(self, *, limit: int = 1000) -> list[Booking]:
        """The bookings of which there is still news to come."""
        return store.read_open_bookings(self._tx, limit)

    def tell(self, booking: Booking, state: BookingState) -> bool:
        """Keep how a booking stands now; False when it went on since it was read."""
        return store.tell_booking(self._tx, booking, state)

    def end(self, parcel: Parcel, state: BookingState) -> list[Booking]:
        """Say of what is open of a parcel that it stands so now; which bookings these were."""
        live = [one for one in self.of_parcel(parcel) if one.is_open]
        return [one for one in live if self.tell(one, state)]
