"""The lines to decide on, and what they share: a budget, trucks, pallets, a supplier's minimum."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sanhe.models.inventory import (
    Bools,
    Demand,
    Floats,
    Ints,
    Limit,
    order_up_to,
    shortage_avoided,
    whole_units,
)

LONGEST_DAYS = 365
"""Goods that keep longer count as keeping a year: no order covers more."""


@dataclass(frozen=True, slots=True)
class Lines:
    """N lines to decide on; arrays of [N], quantities in base units.

    `until_next`: demand until the order after this one arrives. `service_level`: 0..1.
    `on_hand` may be negative (a discrepancy of the record); of it `expiring` will expire unsold
    before the order after this one arrives. `on_order`: open orders that arrive
    in time, of them `on_order_overdue`; `on_order_after_cover` arrive later. `transferred_in`:
    what other places are to give, decided and not yet on order; `leaving`: what is to leave for
    other places. `downstream_gap`: what the places it supplies lack of their levels, less what they
    have beyond. `presentation`: the shelf minimum. `moq`, `case_size`: at least 1. `sold_before`:
    what is expected to be sold before this order arrives; `sold_fresh`: from then on until what
    arrives expires (a huge number where it doesn't). `can_order`: the supplier takes an order
    before the next review. `blocked`: stopped lines. `unit_cost_cents` and `margin_cents` are per
    base unit.
    """

    until_next: Demand
    service_level: Floats
    on_hand: Ints
    expiring: Ints
    on_order: Ints
    on_order_overdue: Ints
    on_order_after_cover: Ints
    transferred_in: Ints
    reserved: Ints
    leaving: Ints
    downstream_gap: Ints
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
        """Stock that counts: on hand (a negative record counts as none) without what expires
        unsold + on order + transferred in - reserved - leaving - what the places it supplies lack
        now."""
        coming = self.on_order + self.transferred_in
        position: Ints = self.free() + coming - self.downstream_gap
        return position

    def free(self) -> Ints:
        """What lies there and is promised to nobody: on hand without what expires unsold -
        reserved - leaving."""
        on_hand = np.maximum(self.on_hand, 0) - self.expiring
        free: Ints = on_hand - self.reserved - self.leaving
        return free

    def level(self) -> Ints:
        """The order-up-to level: the quantile of demand, raised to the shelf minimum."""
        shelf = np.where(self.presentation > 0, whole_units(self.until_next) + self.presentation, 0)
        return np.maximum(order_up_to(self.until_next, self.service_level), shelf)

    def worth_cents(self, rows: Ints, units: Ints, *, after: Ints | None = None) -> Floats:
        """What so many units earn on these lines: the margin on what they save from being short
        until the next arrival. `after`: units that are ordered in any case."""
        position = self.position()[rows] + (0 if after is None else after)
        saved = shortage_avoided(self.until_next.take(rows), position, units)
        return np.maximum(self.margin_cents[rows], 0.0) * saved

    def room(self) -> Ints:
        """How much may come in so that all is sold before it expires, [N], >= 0.

        What still lies there when the order arrives is sold first.
        """
        left = np.maximum(self.position() - self.sold_before, 0)
        room: Ints = np.maximum(self.sold_fresh - left, 0)
        return room


@dataclass(frozen=True, slots=True)
class Minimum:
    """What suppliers ask of an order at least, for N lines and G orders.

    `order` [N]: the order a line goes on, -1 = nothing is asked of it. `cents`, `cases` [G]: the
    least value and number of cases, 0 = none. `daily` [N]: expected demand of a day.
    `holding_cents` [N]: what it costs to hold a base unit for a day.
    """

    order: Ints
    cents: Floats
    cases: Floats
    daily: Floats
    holding_cents: Floats


@dataclass(frozen=True, slots=True)
class Shared:
    """What N lines share: nothing, unless it is given.

    `limits`: by the name of a constraint what its groups can carry, amounts per case.
    """

    budget_cents: int | None = None
    limits: Mapping[str, Limit] = field(default_factory=dict)
    minimum: Minimum | None = None
