"""What a plan computed of every line, ordered or not: its terms, and what its level came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from sanhe.goods.replenish.prepared import Prepared
from sanhe.goods.replenish.rules import TERMS, Outcome

if TYPE_CHECKING:
    import pyarrow as pa


def arithmetic(prepared: Prepared, outcome: Outcome) -> pa.Table:
    """One row a line: sku, place, item_name, label, supplier, quantity, unit_cost_cents, a column
    for each of `TERMS`, and what the order-up-to level was computed from, unrounded.

    The latter: `demand_mean` and `demand_sd` over the cover, `counted`, `service_level`,
    `lead_time_days`, `lead_time_sd_days`, and `wait_days`, the days until the supplier takes the
    order after this one; the cover is lead time + wait.
    """
    import pyarrow as pa

    lines, supply = prepared.lines, prepared.supply
    texts = {
        name: pa.array(getattr(prepared, name), pa.string())
        for name in ("sku", "place", "item_name", "label")
    }
    texts["supplier"] = pa.array(supply.supplier, pa.string())
    terms = {name: outcome.term(name) for name in TERMS}
    basis = {
        "demand_mean": lines.until_next.mean,
        "demand_sd": np.sqrt(lines.until_next.variance),
        "counted": lines.until_next.counted,
        "service_level": lines.service_level,
        "lead_time_days": supply.lead_time_days,
        "lead_time_sd_days": supply.lead_time_sd_days,
        "wait_days": supply.next_order_in,
    }
    money = {"quantity": outcome.quantity, "unit_cost_cents": lines.unit_cost_cents}
    return pa.table({**texts, **money, **terms, **basis})
