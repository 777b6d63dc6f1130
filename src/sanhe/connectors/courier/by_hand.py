"""Couriers that the store calls itself: nothing is asked over a line."""

from __future__ import annotations

from sanhe.place.fulfil import Booking, BookingState
from sanhe.place.orders import Recipient


class ByHand:
    """Every booking is accepted at once: the store has a task to give the parcel away.

    What a courier was given counts as delivered, as nobody tells otherwise; what comes back is a
    return.
    """

    def ask(self, booking: Booking, recipient: Recipient | None) -> BookingState:
        """Accepted; delivered once it was given away. The store reads the label by itself."""
        if booking.state is BookingState.COLLECTED:
            return BookingState.DELIVERED
        return BookingState.ACCEPTED

    def cancel(self, booking: Booking) -> None:
        """Nothing was asked for."""
