"""The arithmetic of an order line: from demand to a quantity whose terms add up exactly.

Pure and vectorised: one array element a line. Every number of the result is a whole number of
base units, and for every line the terms sum to the quantity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from sanhe.goods.replenish.capacity import within_limits
from sanhe.goods.replenish.lines import Lines, Shared
from sanhe.goods.replenish.minimum import reach_minimum
from sanhe.models.inventory import Bools, Ints, order_up_to, whole_units

TERMS: Final = (
    "demand_over_cover",
    "safety_stock",
    "presentation_top_up",
    "on_hand",
    "on_order",
    "reserved",
    "moq_top_up",
    "case_rounding",
    "shelf_life_cut",
    "capacity_cut",
    "no_order_needed",
    "not_orderable",
    "minimum_added",
    "expiring",
    "transferred_in",
    "leaving",
    "downstream_gap",
)
"""The terms of a replenishment. Later ones come last, so that recorded decisions keep theirs; the
order in which a person reads them is that of `words.TERM_WORDS`.

Version 1 had neither `minimum_added` nor `expiring`, and called `capacity_cut` the budget's cut;
version 2 knew no transfers, version 3 no places that draw on others.
"""

CONSTRAINTS: Final[Mapping[str, str]] = {
    "presentation": "the shelf minimum is above the safety stock",
    "moq": "raised to the supplier's minimum quantity",
    "case": "rounded up to full cases",
    "shelf_life": "cut to what sells before it expires",
    "case_above_shelf_life": "not ordered: a full case would expire before it is sold",
    "moq_above_shelf_life": "not ordered: the minimum quantity would expire before it is sold",
    "budget": "cut by the budget: other lines earn more for the money",
    "truck_weight": "cut by what a delivery of the supplier carries: other lines earn more",
    "truck_volume": "cut by the room in a delivery of the supplier: other lines earn more",
    "pallets": "cut by the pallets the place takes in a day: other lines earn more",
    "source_stock": "cut by what the warehouse has: other lines earn more",
    "order_minimum": "brought forward so that the order reaches the supplier's minimum",
    "order_minimum_waits": "left for the next review: the order stays below the supplier's "
    "minimum, and waiting costs less than bringing cases forward",
    "order_minimum_unreachable": "left for the next review: the order can't reach the supplier's "
    "minimum with what sells in time and still fits",
    "vendor_calendar": "not ordered: the supplier's next order day is after the next review",
    "blocked": "not ordered: the line is stopped",
    "transfer": "stock that another place does not need covers part of the need, or all of it",
    "stock_expires": "part of the stock on hand will expire before it is sold",
    "negative_stock": "stock on record is below zero and counts as none",
    "order_overdue": "an open order is overdue and still counts",
    "order_after_cover": "an open order is due after these days and does not count yet",
}
"""The limits a line can hit, and what each means to a person."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """The decision on N lines.

    `quantity`: int64 [N]. `terms`: int64 [N, len(TERMS)], each row sums to its quantity.
    `hits`: for each name of CONSTRAINTS the lines that hit it.
    """

    quantity: Ints
    terms: Ints
    hits: Mapping[str, Bools]

    def term(self, name: str) -> Ints:
        """One term of all lines."""
        column: Ints = self.terms[:, TERMS.index(name)]
        return column


def compute(lines: Lines, shared: Shared | None = None) -> Outcome:
    """Decide every line.

    level = max(S, demand + shelf minimum), S the quantile of demand at the service level;
    need = level - on hand + what of it expires unsold - on order - what other places give +
    reserved + what leaves for other places + what the places it supplies lack. A need above zero
    is raised to the minimum quantity, then to full cases, then cut by shelf life. Shelf life wins
    over the minimum quantity: what can't be sold is not ordered. Then what the lines share: the
    budget, trucks and pallets are given to the cases that earn most; an order below its supplier's
    minimum is filled up, or left for the next review.
    Raises ValueError when a minimum quantity or case is below 1.
    """
    if lines.moq.size and min(lines.moq.min(), lines.case_size.min()) < 1:
        raise ValueError("minimum quantities and cases must be at least 1")
    terms = np.zeros((lines.moq.size, len(TERMS)), np.int64)
    column = {name: terms[:, i] for i, name in enumerate(TERMS)}
    column["demand_over_cover"][:] = whole_units(lines.until_next)
    level = order_up_to(lines.until_next, lines.service_level)
    column["safety_stock"][:] = level - column["demand_over_cover"]
    column["presentation_top_up"][:] = np.maximum(lines.presentation - column["safety_stock"], 0)
    column["presentation_top_up"][lines.presentation <= 0] = 0
    column["on_hand"][:] = -np.maximum(lines.on_hand, 0)
    column["expiring"][:] = lines.expiring
    column["on_order"][:] = -lines.on_order
    column["transferred_in"][:] = -lines.transferred_in
    column["reserved"][:] = lines.reserved
    column["leaving"][:] = lines.leaving
    column["downstream_gap"][:] = lines.downstream_gap
    need = terms.sum(axis=1)
    column["no_order_needed"][:] = np.maximum(-need, 0)
    refused = (need > 0) & (lines.blocked | ~lines.can_order)
    column["not_orderable"][refused] = -need[refused]
    wanted = np.where(refused, 0, np.maximum(need, 0))
    hits = _fit_to_supply(lines, wanted, column)
    hits |= _share(lines, terms.sum(axis=1), shared or Shared(), column=column)
    hits |= {
        "presentation": column["presentation_top_up"] > 0,
        "vendor_calendar": refused & ~lines.blocked,
        "blocked": refused & lines.blocked,
        "transfer": lines.transferred_in > 0,
        "stock_expires": lines.expiring > 0,
        "negative_stock": lines.on_hand < 0,
        "order_overdue": lines.on_order_overdue > 0,
        "order_after_cover": lines.on_order_after_cover > 0,
    }
    return Outcome(terms.sum(axis=1), terms, {name: hits[name] for name in CONSTRAINTS})


def _fit_to_supply(lines: Lines, wanted: Ints, column: Mapping[str, Ints]) -> dict[str, Bools]:
    """Write the terms of minimum quantity, case and shelf life; return the limits hit."""
    ordering = wanted > 0
    top_up = np.where(ordering, np.maximum(lines.moq - wanted, 0), 0)
    rounding = np.where(ordering, -(wanted + top_up) % lines.case_size, 0)
    full = wanted + top_up + rounding
    room = lines.room()
    cases = room // lines.case_size * lines.case_size
    allowed = np.where(full <= room, full, np.where(cases >= lines.moq, cases, 0))
    column["moq_top_up"][:] = top_up
    column["case_rounding"][:] = rounding
    column["shelf_life_cut"][:] = allowed - full
    cut = allowed < full
    none_left = cut & (allowed == 0)
    return {
        "moq": top_up > 0,
        "case": rounding > 0,
        "shelf_life": cut & ((allowed > 0) | (room == 0)),
        "case_above_shelf_life": none_left & (room > 0) & (cases == 0),
        "moq_above_shelf_life": none_left & (cases > 0),
    }


def _share(
    lines: Lines, wanted: Ints, shared: Shared, *, column: Mapping[str, Ints]
) -> dict[str, Bools]:
    """Write the terms of what lines share; return the limits hit."""
    fitted = within_limits(lines, wanted, shared)
    column["capacity_cut"][:] = fitted.quantity - wanted
    reached = reach_minimum(lines, fitted, shared.minimum)
    left = reached.waits | reached.unreachable
    column["not_orderable"][left] -= fitted.quantity[left]
    column["minimum_added"][:] = reached.added
    return {
        **fitted.hits,
        "order_minimum": reached.added > 0,
        "order_minimum_waits": reached.waits,
        "order_minimum_unreachable": reached.unreachable,
    }
