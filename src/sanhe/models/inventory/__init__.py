"""Inventory mathematics: how much stock demand justifies, exactly and for a million lines.

`Demand` is demand over an interval as a distribution (negative binomial, Poisson or gamma);
`protection_demand` makes it from a forecast by day and an uncertain interval; `order_up_to`
with `critical_ratio` gives the level the costs justify; `expected_fill`, `cover_days` and
`shortage_avoided` say what an order buys, `expiring_unsold` what of the stock expires before it
is sold; `allocate` chooses whole cases where budget, trucks or
pallets do not take them all. `match` finds what one place can spare for another.
`place_safety_stock` says at which stages of a chain of warehouses
and stores safety stock should lie. Arrays in, arrays out; errors are ValueError.
"""

from sanhe.models.inventory.allocation import Allocation, Limit, Steps, allocate, steps_of
from sanhe.models.inventory.demand import (
    Bools,
    Demand,
    Floats,
    Ints,
    above,
    at_most,
    demand_of,
    quantile,
    shortage,
)
from sanhe.models.inventory.expiry import expiring_unsold, unsold_by_lot
from sanhe.models.inventory.guaranteed_service import (
    NO_LIMIT,
    Chains,
    Placement,
    best_promise,
    longest_replenishment,
    normal_excess,
    place_safety_stock,
    pooled_sd,
)
from sanhe.models.inventory.interval import (
    Spread,
    cover_days,
    daily_rate,
    expected_demand,
    protection_demand,
    whole_units,
)
from sanhe.models.inventory.policy import (
    UnitCosts,
    critical_ratio,
    days_of_cover,
    expected_fill,
    normal_order_up_to,
    order_up_to,
    perishable_ratio,
    sellable_within,
    shortage_avoided,
    shortage_avoided_at,
    unit_costs,
)
from sanhe.models.inventory.transfers import (
    Moves,
    MovingCost,
    Needs,
    Offers,
    bought,
    match,
    share_of_delay,
)

__all__ = [
    "NO_LIMIT",
    "Allocation",
    "Bools",
    "Chains",
    "Demand",
    "Floats",
    "Ints",
    "Limit",
    "Moves",
    "MovingCost",
    "Needs",
    "Offers",
    "Placement",
    "Spread",
    "Steps",
    "UnitCosts",
    "above",
    "allocate",
    "at_most",
    "best_promise",
    "bought",
    "cover_days",
    "critical_ratio",
    "daily_rate",
    "days_of_cover",
    "demand_of",
    "expected_demand",
    "expected_fill",
    "expiring_unsold",
    "longest_replenishment",
    "match",
    "normal_excess",
    "normal_order_up_to",
    "order_up_to",
    "perishable_ratio",
    "place_safety_stock",
    "pooled_sd",
    "protection_demand",
    "quantile",
    "sellable_within",
    "share_of_delay",
    "shortage",
    "shortage_avoided",
    "shortage_avoided_at",
    "steps_of",
    "unit_costs",
    "unsold_by_lot",
    "whole_units",
]
