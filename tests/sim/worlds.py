"""Small worlds for tests, and the fact types a simulated retailer writes."""

from __future__ import annotations

from functools import cache

from sanhe.core import places
from sanhe.core.facts import FactTypes
from sanhe.goods import catalog, demand, stock, suppliers
from sanhe.place import stores
from sanhe.sim import DaysOfCover, Outcome, World, run, tiny_world

TYPES = FactTypes(
    (
        *places.FACT_TYPES,
        *catalog.FACT_TYPES,
        *stock.FACT_TYPES,
        *suppliers.FACT_TYPES,
        *stores.FACT_TYPES,
        *demand.FACT_TYPES,
    )
)


@cache
def tiny(seed: int = 1) -> World:
    """Three stores, a warehouse, 16 SKUs, 70 days of history."""
    return World(tiny_world(seed))


@cache
def tiny_history(seed: int = 1) -> Outcome:
    """The history of the tiny world under the old policy."""
    world = tiny(seed)
    return run(world, DaysOfCover(), days=world.settings.history_days)
