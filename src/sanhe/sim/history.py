"""The history of a simulated retailer as facts: what its systems would hand over on day one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sanhe.sim.master_facts import (
    holiday_facts,
    item_facts,
    place_facts,
    price_facts,
    promotion_facts,
    supplier_facts,
    supply_facts,
    weather_facts,
)
from sanhe.sim.store_facts import store_facts
from sanhe.sim.trade_facts import (
    count_facts,
    order_names,
    ordered_facts,
    receipt_facts,
    sale_facts,
    waste_facts,
)

if TYPE_CHECKING:
    import pyarrow as pa

    from sanhe.sim.book import Outcome
    from sanhe.sim.world import World


def history_facts(
    world: World, outcome: Outcome, *, counted_days: int, orders_days: int, dense: bool
) -> dict[str, pa.Table]:
    """Deliveries by name, from the first day to the last day of `outcome` (see World.facts)."""
    last = outcome.days - 1
    since = max(0, last + 1 - orders_days)
    orders = outcome.orders.only(outcome.orders.ordered >= since)
    names = order_names(world, orders)
    counted = list(range(max(0, last + 1 - counted_days), last + 1))
    return {
        "places": place_facts(world),
        "stores": store_facts(world),
        "holidays": holiday_facts(world),
        "items": item_facts(world, 0, last),
        "prices": price_facts(world, 0, last),
        "suppliers": supplier_facts(world),
        "supply": supply_facts(world, 0, last),
        "promotions": promotion_facts(world, 0, last),
        "weather": weather_facts(world, 0, last),
        "sales": sale_facts(world, outcome, 0, last=last, dense=dense),
        "orders": ordered_facts(world, orders, 0, last=last),
        "receipts": receipt_facts(world, orders, names, first=0, last=last),
        "waste": waste_facts(world, outcome, 0, last=last),
        "stock": count_facts(world, outcome, counted),
    }
