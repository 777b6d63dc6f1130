"""Sourcing (订单寻源): which places send an order, and what may be promised of it.

Systems: S5, S14, S30.

Inputs: an order's lines, address and due time; for each place near it its store, stock that can
be promised, open pick work and expected demand. Decides the places, couriers and quantities of an
order by cost, promise, pick capacity and stock. Outputs: promises (within two hours, today, within
24 or 48 hours, pick-up) from the same arithmetic on product page, cart and checkout; a sourcing
whose terms add up. Nearest-first is the baseline, the solved optimum the measure of the gap.
"""

from sanhe.place.sourcing.batch import choose_all
from sanhe.place.sourcing.choose import choose, nearest_first, promises
from sanhe.place.sourcing.nodes import Nodes
from sanhe.place.sourcing.optimum import Optimum, optimum
from sanhe.place.sourcing.policy import DeliveryFee, Policy
from sanhe.place.sourcing.reaching import WINDOWS, Area, Covered, coverage, reach_metres
from sanhe.place.sourcing.rules import (
    PAID,
    Alternative,
    Method,
    Need,
    Node,
    Order,
    Part,
    Promise,
    Sourcing,
    Term,
    window_ends,
)

__all__ = [
    "PAID",
    "WINDOWS",
    "Alternative",
    "Area",
    "Covered",
    "DeliveryFee",
    "Method",
    "Need",
    "Node",
    "Nodes",
    "Optimum",
    "Order",
    "Part",
    "Policy",
    "Promise",
    "Sourcing",
    "Term",
    "choose",
    "choose_all",
    "coverage",
    "nearest_first",
    "optimum",
    "promises",
    "reach_metres",
    "window_ends",
]
