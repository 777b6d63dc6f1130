"""Fulfilment (履约): paid orders become shipments, and goods come into the shopper's hands.

Systems: S14, S30.
Commands: sanhe upkeep.

Inputs: paid orders with their promise; what people in the store picked, handed over or found
missing; answers of couriers. Decides which courier is asked, and who gives what its place can't:
the next best place, or the money back. Outputs: a shipment for each place with its store tasks,
codes for those who pick up, bookings of couriers, and the end of what nobody fetched.
"""

from sanhe.place.fulfil.fulfil import Answered, Fulfil
from sanhe.place.fulfil.ports import OPEN, Booking, BookingState, Couriers
from sanhe.place.fulfil.rules import (
    CODE_DIGITS,
    GUESSES,
    Policy,
    Shipment,
    ShipmentLine,
    ShipmentState,
    guess_digest,
    shipment_of,
)

__all__ = [
    "CODE_DIGITS",
    "GUESSES",
    "OPEN",
    "Answered",
    "Booking",
    "BookingState",
    "Couriers",
    "Fulfil",
    "Policy",
    "Shipment",
    "ShipmentLine",
    "ShipmentState",
    "guess_digest",
    "shipment_of",
]
