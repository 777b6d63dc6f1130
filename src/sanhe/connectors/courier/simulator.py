"""Couriers that behave as they are told: the same booking at the same time stands the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from sanhe.core.clock import Clock
from sanhe.core.errors import Temporary
from sanhe.place.fulfil import Booking, BookingState
from sanhe.place.orders import Recipient


@dataclass(frozen=True, slots=True)
class Behaviour:
    """What a courier does with a booking, in time since it was asked; None = never.

    `rejects_after` and `is_away` come first; one that accepts collects, and then delivers or, with
    `returns`, brings back.
    """

    accepts_after: timedelta | None = timedelta(seconds=2)
    rejects_after: timedelta | None = None
    collects_after: timedelta | None = timedelta(minutes=10)
    ends_after: timedelta | None = timedelta(minutes=40)
    returns: bool = False
    is_away: bool = False


@dataclass
class SimulatedCouriers:
    """`behaviours` by the courier's name; a courier that is not named accepts and delivers.

    It keeps what was cancelled, and nothing else: how a booking stands follows from its time.
    """

    clock: Clock
    behaviours: Mapping[str, Behaviour] = field(default_factory=dict)
    cancelled: set[UUID] = field(default_factory=set)

    def ask(self, booking: Booking, recipient: Recipient | None) -> BookingState:
        """How the booking stands by now; nothing of the recipient is kept. Raises Temporary for a
        courier that is away."""
        does = self.behaviours.get(booking.courier, Behaviour())
        if does.is_away:
            raise Temporary(f"the courier {booking.courier} is away", delay_seconds=5)
        if booking.id in self.cancelled:
            return BookingState.CANCELLED
        passed = self.clock.now() - booking.asked_at
        if does.rejects_after is not None and passed >= does.rejects_after:
            return BookingState.REJECTED
        end = BookingState.RETURNED if does.returns else BookingState.DELIVERED
        steps = (
            (does.accepts_after, BookingState.ACCEPTED),
            (does.collects_after, BookingState.COLLECTED),
            (does.ends_after, end),
        )
        state = BookingState.ASKED
        for after, reached in steps:
            if after is None or passed < after:
                break
            state = reached
        return state

    def cancel(self, booking: Booking) -> None:
        """Take a booking back; a courier that is away is told when it is asked again."""
        if self.ask(booking, None) in (BookingState.ASKED, BookingState.ACCEPTED):
            self.cancelled.add(booking.id)
