"""The arithmetic of an order line: from demand to a quantity whose terms add up exactly.

Pure and vectorised: one array element a line. Every number of the result is a whole number of
base units, and for every line the terms sum to the quantity.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from sanhe.models.inventory import (
    Bools,
    Demand,
    Floats,
    Ints,
    order_up_to,
    shortage_avoided,
    whole_units,
)

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
    "budget_cut",
    "no_order_needed",
    "not_orderable",
)
"""The terms of a replenishment, in the order they are added."""

CONSTRAINTS: Final[Mapping[str, str]] = {
    "presentation": "the shelf minimum is above the safety stock",
    "moq": "raised to the supplier's minimum quantity",
    "case": "rounded up to full cases",
    "shelf_life": "cut to what sells before it expires",
    "case_above_shelf_life": "not ordered: a full case would expire before it is sold",
    "moq_above_shelf_life": "not ordered: the minimum quantity would expire before it is sold",
    "budget": "cut by the budget: other lines earn more for the money",
    "vendor_calendar": "not ordered: the supplier's next order day is after the next review",
    "blocked": "not ordered: the line is stopped",
    "negative_stock": "stock on record is below zero and counts as none",
    "order_overdue": "an open order is overdue and still counts",
    "order_after_cover": "an open order is due after these days and does not count yet",
}
"""The limits a line can hit, and what each means to a person."""


@dataclass(frozen=True, slots=True)
class Lines:
    """N lines to decide on; arrays of [N], quantities in base units.

    `until_next`: demand until the order after this one arrives. `service_level`: 0..1.
    `on_hand` may be negative (a discrepancy of the record). `on_order`: open orders that arrive
    in time, of them `on_order_overdue`; `on_order_after_cover` arrive later. `presentation`: the
    shelf minimum. `moq`, `case_size`: at least 1. `sold_before`: what is expected to be sold
    before this order arrives; `sold_fresh`: from then on until what arrives expires (a huge
    number where it doesn't). `can_order`: the supplier takes an order before the next review.
    `blocked`: stopped lines. `unit_cost_cents` and `margin_cents` are per base unit.
    """

    until_next: Demand
    service_level: Floats
    on_hand: Ints
    on_order: Ints
    on_order_overdue: Ints
    on_order_after_cover: Ints
    reserved: Ints
    presentation: Ints
    moq: Ints
    case_size: Ints
    sold_before: Ints
    sold_fresh: Ints
    can_order: Bools
    blocked: Bools
    unit_cost_cents: Floats
    margin_cents: Floats

    def position(self) -> Ints:
        """Stock that counts: on hand (a negative record counts as none) + on order - reserved."""
        position: Ints = np.maximum(self.on_hand, 0) + self.on_order - self.reserved
        return position

    def room(self) -> Ints:
        """How much may come in so that all is sold before it expires, [N], >= 0.

        What still lies there when the order arrives is sold first.
        """
        left = np.maximum(self.position() - self.sold_before, 0)
        room: Ints = np.maximum(self.sold_fresh - left, 0)
        return room


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


def compute(lines: Lines, *, budget_cents: int | None = None) -> Outcome:
    """Decide every line.

    level = max(S, demand + shelf minimum), S the quantile of demand at the service level;
    need = level - on hand - on order + reserved. A need above zero is raised to the minimum
    quantity, then to full cases, then cut by shelf life, then by the budget. Shelf life wins
    over the minimum quantity: what can't be sold is not ordered.
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
    column["on_order"][:] = -lines.on_order
    column["reserved"][:] = lines.reserved
    need = terms.sum(axis=1)
    column["no_order_needed"][:] = np.maximum(-need, 0)
    refused = (need > 0) & (lines.blocked | ~lines.can_order)
    column["not_orderable"][refused] = -need[refused]
    wanted = np.where(refused, 0, np.maximum(need, 0))
    hits = _fit_to_supply(lines, wanted, column)
    quantity = terms.sum(axis=1)
    if budget_cents is not None:
        column["budget_cut"][:] = _within_budget(lines, quantity, budget_cents) - quantity
        quantity = terms.sum(axis=1)
    hits |= {
        "presentation": column["presentation_top_up"] > 0,
        "budget": column["budget_cut"] < 0,
        "vendor_calendar": refused & ~lines.blocked,
        "blocked": refused & lines.blocked,
        "negative_stock": lines.on_hand < 0,
        "order_overdue": lines.on_order_overdue > 0,
        "order_after_cover": lines.on_order_after_cover > 0,
    }
    return Outcome(quantity, terms, {name: hits[name] for name in CONSTRAINTS})


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


def _within_budget(lines: Lines, quantity: Ints, budget_cents: int) -> Ints:
    """The quantities that fit the budget: the lines that earn least for their money go first.

    A line is worth the margin on the units it saves from being short, per cent it costs. The
    last line that fits only in part keeps the full cases that fit.
    """
    cost = quantity * lines.unit_cost_cents
    saved = shortage_avoided(lines.until_next, lines.position(), quantity)
    worth = np.divide(
        saved * np.maximum(lines.margin_cents, 0.0), cost, out=np.zeros_like(cost), where=cost > 0
    )
    # Free lines cost no budget; ties go to the earlier line so that runs repeat.
    ranked = np.lexsort((np.arange(cost.size), -worth))
    spent = np.cumsum(cost[ranked])
    kept = np.where(spent <= budget_cents, quantity[ranked], 0)
    kept = np.where(cost[ranked] == 0, quantity[ranked], kept)
    over = np.flatnonzero(spent > budget_cents)
    if over.size:
        at = ranked[over[0]]
        left = budget_cents - (spent[over[0]] - cost[at])
        case = lines.case_size[at]
        part = int(left // (lines.unit_cost_cents[at] * case)) * case
        kept[over[0]] = part if part >= lines.moq[at] else 0
    within = np.zeros_like(quantity)
    within[ranked] = kept
    return within
