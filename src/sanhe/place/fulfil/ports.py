"""What fulfilment needs from outside: who brings parcels. Implementations lie in `connectors`."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol
from uuid import UUID

from sanhe.place.orders import Recipient


class BookingState(StrEnum):
    """Where a booking of a courier stands."""

    ASKED = "asked"
    """The courier has not answered yet."""
    ACCEPTED = "accepted"
    COLLECTED = "collected"
    DELIVERED = "delivered"
    RETURNED = "returned"
    """It could not be delivered and is back at the place."""
    REJECTED = "rejected"
    SILENT = "silent"
    """Nobody answered in time; another courier is asked."""
    CANCELLED = "cancelled"


OPEN: Final = (BookingState.ASKED, BookingState.ACCEPTED, BookingState.COLLECTED)
"""The states of a booking of which there is still news to come."""


@dataclass(frozen=True, slots=True)
class Booking:
    """A parcel that a courier is asked to bring: a `shipment` from a place to a shopper, or a
    `return_` from a shopper to a place.

    `id` makes it recognisable when it is asked again; `attempt` counts the couriers asked for the
    parcel. The courier is to answer until `answer_by`. Times in UTC.
    """

    id: UUID
    shipment: UUID | None
    return_: UUID | None
    place: str
    courier: str
    attempt: int
    state: BookingState
    asked_at: datetime
    answer_by: datetime

    @property
    def is_open(self) -> bool:
        """Whether there is news to come."""
        return self.state in OPEN

    @property
    def is_over(self) -> bool:
        """Whether another courier may be asked."""
        over = (BookingState.REJECTED, BookingState.SILENT, BookingState.CANCELLED)
        return self.state in over

    @property
    def name(self) -> str:
        """What is brought, for people."""
        return f"shipment {self.shipment}" if self.shipment else f"return {self.return_}"


class Couriers(Protocol):
    """Couriers (配送运力). Two implementations: by hand, and a simulator that is deterministic."""

    def ask(self, booking: Booking, recipient: Recipient | None) -> BookingState:
        """Ask for a booking, or how it stands: asked again it is the same booking.

        `recipient` is who it goes to, or is fetched from, as long as the courier has not answered;
        afterwards it knows, and gets None. Raises Temporary when the courier's
        system is away: that counts as no answer.
        """
        ...

    def cancel(self, booking: Booking) -> None:
        """Take back what was asked; one that is not known or has ended stays as it is.

        Raises Temporary when the courier's system is away.
        """
        ...
