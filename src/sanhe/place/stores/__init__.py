"""Stores (门店履约能力): what a place can do for an order, beyond being a place.

Systems: S5, S14, S30.

Inputs: store.described and courier.offered facts, on top of the places of `core.places`. Outputs:
opening hours, pick capacity, service radius, channels, safety units and couriers of each place,
as of a day; the stores that serve an address, nearest first.
"""

from sanhe.place.stores.facts import FACT_TYPES
from sanhe.place.stores.hours import OpeningHours, OpenSpan, opening_hours
from sanhe.place.stores.rules import Courier, Store
from sanhe.place.stores.stores import Nearby, Stores

__all__ = [
    "FACT_TYPES",
    "Courier",
    "Nearby",
    "OpenSpan",
    "OpeningHours",
    "Store",
    "Stores",
    "opening_hours",
]
